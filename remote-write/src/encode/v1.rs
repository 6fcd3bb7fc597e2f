//! `prometheus.WriteRequest`: each series with its labels in full.

use ferroalloy_model::{Exemplar, Labels, Metadata, Pair};

use super::point::{Point, Value};
use super::{histogram, wire};
use crate::proto::MetricType;

const TIMESERIES: u8 = 0x0a;
const EXEMPLAR: u8 = 0x1a;
const HISTOGRAM: u8 = 0x22;
const METADATA: u8 = 0x1a;

/// Writes one series with one point as a field of the request. `labels` calls with each of the series' labels, in order of name, and tells
/// whether the series is to be sent at all; if it is not, nothing is written.
#[inline]
pub(crate) fn timeseries<'a>(
    out: &mut Vec<u8>,
    labels: impl FnOnce(&mut dyn FnMut(&Pair)) -> bool,
    point: &Point<'_>,
    exemplars: impl Iterator<Item = &'a Exemplar>,
) -> bool {
    series(out, labels, |out| write_point(out, point, exemplars))
}

/// Writes one series with several samples, which are in order of time.
#[inline]
pub(crate) fn run(
    out: &mut Vec<u8>,
    labels: impl FnOnce(&mut dyn FnMut(&Pair)) -> bool,
    samples: &[(i64, f64)],
) -> bool {
    series(out, labels, |out| write_run(out, samples))
}

#[inline]
fn series(
    out: &mut Vec<u8>,
    labels: impl FnOnce(&mut dyn FnMut(&Pair)) -> bool,
    points: impl FnOnce(&mut Vec<u8>),
) -> bool {
    let start = out.len();
    let mut sent = false;
    wire::message(out, TIMESERIES, |out| {
        sent = labels(&mut |pair| out.extend_from_slice(pair.wire()));
        if sent {
            points(out);
        }
    });
    if !sent {
        out.truncate(start);
    }
    sent
}

/// The same for labels that are not interned.
pub(super) fn run_of(out: &mut Vec<u8>, labels: &Labels, samples: &[(i64, f64)]) {
    wire::message(out, TIMESERIES, |out| {
        write_labels(out, labels);
        write_run(out, samples);
    });
}

fn write_run(out: &mut Vec<u8>, samples: &[(i64, f64)]) {
    for (timestamp, value) in samples {
        wire::sample(out, *value, *timestamp, 0);
    }
}

/// A series with one point, for labels that are not interned.
pub(super) fn timeseries_of<'a>(
    out: &mut Vec<u8>,
    labels: &Labels,
    point: &Point<'_>,
    exemplars: impl Iterator<Item = &'a Exemplar>,
) {
    wire::message(out, TIMESERIES, |out| {
        write_labels(out, labels);
        write_point(out, point, exemplars);
    });
}

/// Writes what is known of one metric family as a field of the request.
pub(crate) fn metadata(out: &mut Vec<u8>, family: &str, metadata: &Metadata) {
    wire::message(out, METADATA, |out| {
        wire::int64(out, &[0x08], MetricType::from(metadata.kind) as i64);
        wire::text(out, 0x12, family);
        wire::text(out, 0x22, &metadata.help);
        wire::text(out, 0x2a, &metadata.unit);
    });
}

#[inline]
fn write_point<'a>(out: &mut Vec<u8>, point: &Point<'_>, exemplars: impl Iterator<Item = &'a Exemplar>) {
    if let Value::Float(value) = point.value {
        wire::sample(out, value, point.timestamp, 0);
    }
    for exemplar in exemplars {
        wire::message(out, EXEMPLAR, |out| {
            write_labels(out, &exemplar.labels);
            wire::double(out, 0x11, exemplar.value);
            wire::int64(out, &[0x18], exemplar.timestamp);
        });
    }
    if let Value::Histogram(histogram) = point.value {
        wire::message(out, HISTOGRAM, |out| {
            histogram::write(out, histogram, point.timestamp, 0);
        });
    }
}

/// Labels as the first field of a series or an exemplar.
fn write_labels(out: &mut Vec<u8>, labels: &Labels) {
    for (name, value) in labels.iter() {
        wire::message(out, 0x0a, |out| {
            wire::text(out, 0x0a, name);
            wire::text(out, 0x12, value);
        });
    }
}
