//! Native histograms, which both versions write the same way but for the start of counting.

use ferroalloy_model::Histogram;
use ferroalloy_model::histogram::{BucketSpan, Counts};

use super::wire;

/// Appends the fields of the message `Histogram`.
pub(super) fn write(out: &mut Vec<u8>, histogram: &Histogram, timestamp: i64, start: i64) {
    match &histogram.counts {
        // A count decides by its field what kind of histogram it is: it is written even when it is zero.
        Counts::Integer { count, .. } => {
            out.push(0x08);
            wire::varint(out, *count);
        }
        Counts::Float { count, .. } => wire::fixed(out, 0x11, *count),
    }
    wire::double(out, 0x19, histogram.sum);
    if histogram.schema != 0 {
        out.push(0x20);
        wire::varint(out, zigzag(histogram.schema.into()));
    }
    wire::double(out, 0x29, histogram.zero_threshold);
    match &histogram.counts {
        Counts::Integer {
            zero,
            positive,
            negative,
            ..
        } => {
            out.push(0x30);
            wire::varint(out, *zero);
            write_spans(out, 0x42, &histogram.negative_spans);
            write_deltas(out, 0x4a, negative);
            write_spans(out, 0x5a, &histogram.positive_spans);
            write_deltas(out, 0x62, positive);
        }
        Counts::Float {
            zero,
            positive,
            negative,
            ..
        } => {
            wire::fixed(out, 0x39, *zero);
            write_spans(out, 0x42, &histogram.negative_spans);
            write_doubles(out, &[0x52], negative);
            write_spans(out, 0x5a, &histogram.positive_spans);
            write_doubles(out, &[0x6a], positive);
        }
    }
    wire::int64(out, &[0x70], histogram.reset_hint as i64);
    wire::int64(out, &[0x78], timestamp);
    write_doubles(out, &[0x82, 0x01], &histogram.custom_values);
    wire::int64(out, &[0x88, 0x01], start);
}

fn write_spans(out: &mut Vec<u8>, tag: u8, spans: &[BucketSpan]) {
    for span in spans {
        wire::message(out, tag, |out| {
            wire::int64(out, &[0x08], zigzag(span.offset.into()).cast_signed());
            wire::int64(out, &[0x10], span.length.into());
        });
    }
}

fn write_deltas(out: &mut Vec<u8>, tag: u8, deltas: &[i64]) {
    if !deltas.is_empty() {
        wire::message(out, tag, |out| {
            for delta in deltas {
                wire::varint(out, zigzag(*delta));
            }
        });
    }
}

fn write_doubles(out: &mut Vec<u8>, tag: &[u8], values: &[f64]) {
    if !values.is_empty() {
        out.extend_from_slice(tag);
        wire::varint(out, size_of_val(values) as u64);
        for value in values {
            out.extend_from_slice(&value.to_bits().to_le_bytes());
        }
    }
}

/// Protocol buffers' way to write small negative numbers short.
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}
