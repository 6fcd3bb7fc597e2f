//! `io.prometheus.write.v2.Request`: texts are in a table, series refer to them.

use ferroalloy_model::{Exemplar, Labels, Metadata, Pair};

use super::point::{Point, Value};
use super::symbols::Symbols;
use super::{histogram, wire};
use crate::proto::MetricType;

const TIMESERIES: u8 = 0x2a;
const REFS: u8 = 0x0a;
const HISTOGRAM: u8 = 0x1a;
const EXEMPLAR: u8 = 0x22;
const METADATA: u8 = 0x2a;

/// Writes one series with one point as a field of the request. As in 1.0, but that the labels' texts go to `symbols`, which must see
/// no pair freed before it is cleared.
#[inline]
pub(crate) fn timeseries<'a>(
    out: &mut Vec<u8>,
    symbols: &mut Symbols,
    labels: impl FnOnce(&mut dyn FnMut(&Pair)) -> bool,
    point: &Point<'_>,
    exemplars: impl Iterator<Item = &'a Exemplar>,
) -> bool {
    let mut refs = symbols.take_scratch();
    let sent = labels(&mut |pair| {
        symbols.pair(pair, &mut refs);
    });
    if sent {
        write(out, symbols, &refs, point, exemplars);
    }
    symbols.keep_scratch(refs);
    sent
}

/// Writes one series with several samples, which are in order of time.
#[inline]
pub(crate) fn run(
    out: &mut Vec<u8>,
    symbols: &mut Symbols,
    labels: impl FnOnce(&mut dyn FnMut(&Pair)) -> bool,
    samples: &[(i64, f64)],
    metadata: Option<&Metadata>,
) -> bool {
    let mut refs = symbols.take_scratch();
    let sent = labels(&mut |pair| {
        symbols.pair(pair, &mut refs);
    });
    if sent {
        wire::message(out, TIMESERIES, |out| {
            write_refs(out, &refs);
            for (timestamp, value) in samples {
                wire::sample(out, *value, *timestamp, 0);
            }
            write_metadata(out, symbols, metadata);
        });
    }
    symbols.keep_scratch(refs);
    sent
}

/// A series with one point, for labels that are not interned.
pub(super) fn timeseries_of<'a>(
    out: &mut Vec<u8>,
    symbols: &mut Symbols,
    labels: &Labels,
    point: &Point<'_>,
    exemplars: impl Iterator<Item = &'a Exemplar>,
) {
    let refs = refs_of(symbols, labels);
    write(out, symbols, &refs, point, exemplars);
}

/// A series with one point, for pairs that are copied to `held` when the table sees them for the first time.
pub(super) fn timeseries_holding<'p>(
    out: &mut Vec<u8>,
    (symbols, held): (&mut Symbols, &mut Vec<Pair>),
    pairs: impl IntoIterator<Item = &'p Pair>,
    point: &Point<'_>,
) {
    let mut refs = symbols.take_scratch();
    for pair in pairs {
        if symbols.pair(pair, &mut refs) {
            held.push(pair.clone());
        }
    }
    write(out, symbols, &refs, point, [].iter());
    symbols.keep_scratch(refs);
}

fn refs_of(symbols: &mut Symbols, labels: &Labels) -> Vec<u8> {
    let mut refs = Vec::new();
    for (name, value) in labels.iter() {
        wire::varint(&mut refs, symbols.text(name).into());
        wire::varint(&mut refs, symbols.text(value).into());
    }
    refs
}

#[inline]
fn write<'a>(
    out: &mut Vec<u8>,
    symbols: &mut Symbols,
    refs: &[u8],
    point: &Point<'_>,
    exemplars: impl Iterator<Item = &'a Exemplar>,
) {
    wire::message(out, TIMESERIES, |out| {
        write_refs(out, refs);
        match point.value {
            Value::None => {}
            Value::Float(value) => wire::sample(out, value, point.timestamp, point.start_timestamp),
            Value::Histogram(histogram) => wire::message(out, HISTOGRAM, |out| {
                histogram::write(out, histogram, point.timestamp, point.start_timestamp);
            }),
        }
        for exemplar in exemplars {
            let refs = refs_of(symbols, &exemplar.labels);
            wire::message(out, EXEMPLAR, |out| {
                write_refs(out, &refs);
                wire::double(out, 0x11, exemplar.value);
                wire::int64(out, &[0x18], exemplar.timestamp);
            });
        }
        write_metadata(out, symbols, point.metadata);
    });
}

fn write_metadata(out: &mut Vec<u8>, symbols: &mut Symbols, metadata: Option<&Metadata>) {
    let Some(metadata) = metadata else {
        return;
    };
    let (help, unit) = (symbols.text(&metadata.help), symbols.text(&metadata.unit));
    wire::message(out, METADATA, |out| {
        wire::int64(out, &[0x08], MetricType::from(metadata.kind) as i64);
        wire::int64(out, &[0x18], help.into());
        wire::int64(out, &[0x20], unit.into());
    });
}

fn write_refs(out: &mut Vec<u8>, refs: &[u8]) {
    if !refs.is_empty() {
        out.push(REFS);
        wire::varint(out, refs.len() as u64);
        out.extend_from_slice(refs);
    }
}
