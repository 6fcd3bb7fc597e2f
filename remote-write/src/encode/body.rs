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
    /// Series; one that has no sample or histogram has exemplars.
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

    /// The first and the second half of the series, or of the samples if there is one series or it is `by_time`: of each series the
    /// older and the newer ones. Halves of a 2.0 message both have all of its symbols.
    pub(crate) fn halves(&self, by_time: bool) -> Option<(Self, Self)> {
        if self.counts.size() < 2 {
            return None;
        }
        let message = snap::raw::Decoder::new().decompress_vec(&self.bytes).ok()?;
        let mut start = 0;
        while self.version == Version::V2 && message.get(start) == Some(&SYMBOL) {
            start = end_of_field(&message, start)?;
        }
        if self.counts.series < 2 || (by_time && self.counts.samples > self.counts.series) {
            return self.older_and_newer(&message, start);
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

    /// The halves by time of a message whose series begin at `start`. A series with one sample goes with the older half.
    fn older_and_newer(&self, message: &[u8], start: usize) -> Option<(Self, Self)> {
        let symbols = message.get(..start)?;
        let mut halves = [
            (symbols.to_vec(), Counts::default()),
            (symbols.to_vec(), Counts::default()),
        ];
        let mut at = start;
        while let Some(tag) = message.get(at) {
            let end = end_of_field(message, at)?;
            let (_, inside) = wire::read_varint(message, at + 1)?;
            let series = message.get(inside..end)?;
            for ((out, counts), part) in halves.iter_mut().zip(older_and_newer(series)?) {
                if !part.is_empty() {
                    counts.count(&part, self.version)?;
                    wire::message(out, *tag, |out| out.extend_from_slice(&part));
                }
            }
            at = end;
        }
        let [older, newer] = halves.map(|(message, counts)| Self {
            bytes: Compressor::default().compress(&message),
            version: self.version,
            counts,
        });
        Some((older, newer)).filter(|(older, newer)| older.counts.series > 0 && newer.counts.series > 0)
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
            if series.samples.len() > 1 {
                let run = series
                    .samples
                    .iter()
                    .map(|sample| (sample.timestamp, sample.value));
                let run: Vec<(i64, f64)> = run.collect();
                v1::run_of(&mut out, &labels, &run);
                counts.add_run(run.len());
                continue;
            }
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

/// The fields of a series, twice: with the older half of its samples, and with the newer. The second is empty when there is one sample.
fn older_and_newer(series: &[u8]) -> Option<[Vec<u8>; 2]> {
    let is_sample = |tag: u8| tag == wire::SAMPLE;
    let (mut samples, mut at) = (0, 0);
    while let Some(tag) = series.get(at) {
        samples += usize::from(is_sample(*tag));
        at = end_of_field(series, at)?;
    }
    if samples < 2 {
        return Some([series.to_vec(), Vec::new()]);
    }
    let mut halves = [Vec::new(), Vec::new()];
    let (mut nth, mut at) = (0, 0);
    while let Some(tag) = series.get(at) {
        let end = end_of_field(series, at)?;
        let field = series.get(at..end)?;
        if is_sample(*tag) {
            halves[usize::from(nth >= samples / 2)].extend_from_slice(field);
            nth += 1;
        } else {
            for half in &mut halves {
                half.extend_from_slice(field);
            }
        }
        at = end;
    }
    Some(halves)
}

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

    /// Adds a series with so many samples.
    pub(crate) fn add_run(&mut self, samples: usize) {
        self.series += 1;
        self.samples += samples;
    }

    /// Samples and histograms, and series where there are more of these.
    pub(crate) fn size(&self) -> usize {
        self.series.max(self.points())
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
