//! A request's body, and what can be made of one that a receiver does not take as it is.

use bytes::Bytes;
use ferroalloy_model::Exemplar;
use prost::Message as _;

use super::point::{Point, Value};
use super::{Compressor, Version, v1, wire};
use crate::proto;

/// The tag of the symbols of 2.0, which stand before the series.
const SYMBOL: u8 = 0x22;

/// A request's body: a snappy block of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// What is sent.
    pub(crate) bytes: Bytes,
    pub(crate) version: Version,
    pub(crate) counts: Counts,
}

/// What is in a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Series, each with at most one sample or histogram.
    pub(crate) series: usize,
    pub(crate) samples: usize,
    pub(crate) histograms: usize,
    pub(crate) exemplars: usize,
}

// === impl Body ===

impl Body {
    /// The compressed bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The message's version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// How many float samples are in it.
    pub fn samples(&self) -> usize {
        self.counts.samples
    }

    /// How many native histograms are in it.
    pub fn histograms(&self) -> usize {
        self.counts.histograms
    }

    /// How many exemplars are in it.
    pub fn exemplars(&self) -> usize {
        self.counts.exemplars
    }

    /// The first and the second half of the series. Halves of a 2.0 message both have all of its symbols.
    pub(crate) fn halves(&self) -> Option<(Self, Self)> {
        if self.counts.series < 2 {
            return None;
        }
        let message = snap::raw::Decoder::new().decompress_vec(&self.bytes).ok()?;
        let mut start = 0;
        while self.version == Version::V2 && message.get(start) == Some(&SYMBOL) {
            start = end_of_field(&message, start)?;
        }
        let (mut middle, mut counts) = (start, Counts::default());
        while counts.series < self.counts.series / 2 {
            let end = end_of_field(&message, middle)?;
            let (_, inside) = wire::read_varint(&message, middle + 1)?;
            counts.count(message.get(inside..end)?, self.version)?;
            middle = end;
        }
        let (symbols, front, back) = (
            message.get(..start)?,
            message.get(start..middle)?,
            message.get(middle..)?,
        );
        let mut compressor = Compressor::default();
        let mut body = |series: &[u8], counts| Self {
            bytes: compressor.compress(&[symbols, series].concat()),
            version: self.version,
            counts,
        };
        let rest = self.counts.minus(&counts)?;
        Some((body(front, counts), body(back, rest)))
    }

    /// The same for a receiver that speaks 1.0 alone, and how many histograms that leaves out: those with custom buckets, which 1.0
    /// does not have.
    pub(crate) fn downgraded(&self) -> Option<(Self, usize)> {
        let message = snap::raw::Decoder::new().decompress_vec(&self.bytes).ok()?;
        let request = proto::v2::Request::decode(&*message).ok()?;
        let (mut out, mut counts, mut left_out) = (Vec::new(), Counts::default(), 0);
        for series in &request.timeseries {
            let labels = request.labels(&series.labels_refs)?;
            let exemplar = |exemplar: &proto::v2::Exemplar| {
                Some(Exemplar {
                    labels: request.labels(&exemplar.labels_refs)?,
                    value: exemplar.value,
                    timestamp: exemplar.timestamp,
                })
            };
            let exemplars: Vec<Exemplar> = series.exemplars.iter().map(exemplar).collect::<Option<_>>()?;
            let histogram = match series.histograms.first() {
                Some(histogram) if !histogram.custom_values.is_empty() || histogram.schema == CUSTOM => {
                    left_out += 1;
                    continue;
                }
                Some(histogram) => Some((histogram.to_model().ok()?, histogram.timestamp)),
                None => None,
            };
            let (value, timestamp) = match (series.samples.first(), &histogram) {
                (Some(sample), _) => (Value::Float(sample.value), sample.timestamp),
                (None, Some((histogram, timestamp))) => (Value::Histogram(histogram), *timestamp),
                (None, None) => (Value::None, 0),
            };
            let point = Point {
                timestamp,
                value,
                ..Point::default()
            };
            v1::timeseries_of(&mut out, &labels, &point, exemplars.iter());
            counts.add(&point, exemplars.len());
        }
        let body = Self {
            bytes: Compressor::default().compress(&out),
            version: Version::V1,
            counts,
        };
        Some((body, left_out))
    }
}

/// The schema of histograms with custom buckets.
pub(crate) const CUSTOM: i32 = -53;

/// Where a length-delimited field ends that begins at `at` with a tag of one byte.
fn end_of_field(bytes: &[u8], at: usize) -> Option<usize> {
    let (length, start) = wire::read_varint(bytes, at + 1)?;
    start.checked_add(usize::try_from(length).ok()?)
}

// === impl Counts ===

impl Counts {
    pub(crate) fn add(&mut self, point: &Point<'_>, exemplars: usize) {
        self.series += 1;
        self.exemplars += exemplars;
        match point.value {
            Value::None => {}
            Value::Float(_) => self.samples += 1,
            Value::Histogram(_) => self.histograms += 1,
        }
    }

    /// Samples and histograms.
    pub(crate) fn points(&self) -> usize {
        self.samples + self.histograms
    }

    /// Counts a series by its fields, all of which have a length.
    fn count(&mut self, series: &[u8], version: Version) -> Option<()> {
        self.series += 1;
        let mut at = 0;
        while let Some(tag) = series.get(at) {
            let count = match (tag >> 3, version) {
                (2, _) => &mut self.samples,
                (3, Version::V1) | (4, Version::V2) => &mut self.exemplars,
                (4, Version::V1) | (3, Version::V2) => &mut self.histograms,
                _ => &mut 0,
            };
            *count += 1;
            at = end_of_field(series, at)?;
        }
        Some(())
    }

    fn minus(&self, other: &Self) -> Option<Self> {
        Some(Self {
            series: self.series.checked_sub(other.series)?,
            samples: self.samples.checked_sub(other.samples)?,
            histograms: self.histograms.checked_sub(other.histograms)?,
            exemplars: self.exemplars.checked_sub(other.exemplars)?,
        })
    }
}
