//! Remote write 1.0 without messages: bytes of labels that are encoded already, and the sample behind them.
//!
//! Invariant: what is written is what prost writes for the same [`crate::proto::WriteRequest`], byte by byte, but for the value
//! -0.0, which is written out (protocol buffers leave out zero, and minus zero is not zero).

pub(crate) mod wire;

use bytes::Bytes;
use ferroalloy_model::{Exemplar, Labels, Pair};

const TIMESERIES: u8 = 0x0a;
const SAMPLE: u8 = 0x12;
const EXEMPLAR: u8 = 0x1a;
const VALUE: u8 = 0x09;
const TIMESTAMP: u8 = 0x10;

/// The most that a sample takes: tag and length, a double, a varint of ten bytes.
const SAMPLE_AT_MOST: usize = 2 + 9 + 11;

/// A request's body: a snappy block of one `WriteRequest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// What is sent.
    pub(crate) bytes: Bytes,
    /// How many samples are in it, each in a `TimeSeries` of its own.
    pub(crate) samples: usize,
    /// How many exemplars are beside them.
    pub(crate) exemplars: usize,
}

/// Builds a [`Body`]. Its buffers are kept from one body to the next.
#[derive(Debug, Default)]
pub struct Encoder {
    message: Vec<u8>,
    samples: usize,
    compressor: Compressor,
}

/// Snappy's block format, with the memory of the last block.
pub(crate) struct Compressor {
    snappy: snap::raw::Encoder,
    out: Vec<u8>,
}

/// Writes one series with one sample as a field of the request. `labels` appends the series' labels; the exemplars are those of the
/// sample.
#[inline]
pub(crate) fn timeseries(
    out: &mut Vec<u8>,
    labels: impl FnOnce(&mut Vec<u8>),
    timestamp: i64,
    value: f64,
    exemplars: &[(u32, Exemplar)],
) {
    wire::message(out, TIMESERIES, |out| {
        labels(out);
        sample(out, timestamp, value);
        for (_, exemplar) in exemplars {
            wire::message(out, EXEMPLAR, |out| write_exemplar(out, exemplar));
        }
    });
}

fn write_exemplar(out: &mut Vec<u8>, exemplar: &Exemplar) {
    write_labels(out, &exemplar.labels);
    if exemplar.value.to_bits() != 0 {
        out.push(0x11);
        out.extend_from_slice(&exemplar.value.to_bits().to_le_bytes());
    }
    if exemplar.timestamp != 0 {
        out.push(0x18);
        wire::varint(out, exemplar.timestamp.cast_unsigned());
    }
}

/// Labels as the first field of a series or an exemplar.
fn write_labels(out: &mut Vec<u8>, labels: &Labels) {
    for (name, value) in labels.iter() {
        wire::message(out, 0x0a, |out| {
            for (tag, text) in [(0x0a, name), (0x12, value)] {
                out.push(tag);
                wire::varint(out, text.len() as u64);
                out.extend_from_slice(text.as_bytes());
            }
        });
    }
}

#[inline]
fn sample(out: &mut Vec<u8>, timestamp: i64, value: f64) {
    let mut encoded = [0; SAMPLE_AT_MOST];
    let mut length = 2;
    encoded[0] = SAMPLE;
    let bits = value.to_bits();
    if bits != 0 {
        encoded[length] = VALUE;
        encoded[length + 1..length + 9].copy_from_slice(&bits.to_le_bytes());
        length += 9;
    }
    if timestamp != 0 {
        encoded[length] = TIMESTAMP;
        length += 1;
        // A negative number is sign-extended to ten bytes.
        let mut rest = timestamp.cast_unsigned();
        while rest >= 0x80 {
            encoded[length] = rest.to_le_bytes()[0] | 0x80;
            length += 1;
            rest >>= 7;
        }
        encoded[length] = rest.to_le_bytes()[0];
        length += 1;
    }
    encoded[1] = u8::try_from(length - 2).unwrap_or(u8::MAX);
    out.extend_from_slice(&encoded[..length]);
}

// === impl Encoder ===

impl Encoder {
    /// An encoder without a sample.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one sample; `timestamp` is in milliseconds since 1970. Samples of one series come in order of time.
    pub fn sample(&mut self, labels: &Labels, timestamp: i64, value: f64) -> &mut Self {
        timeseries(
            &mut self.message,
            |out| write_labels(out, labels),
            timestamp,
            value,
            &[],
        );
        self.samples += 1;
        self
    }

    /// Adds one sample of a series whose labels are interned, which is copying their bytes. The pairs come in order of name.
    pub fn sample_of<'a>(
        &mut self,
        pairs: impl IntoIterator<Item = &'a Pair>,
        timestamp: i64,
        value: f64,
    ) -> &mut Self {
        let pairs = |out: &mut Vec<u8>| {
            for pair in pairs {
                out.extend_from_slice(pair.wire());
            }
        };
        timeseries(&mut self.message, pairs, timestamp, value, &[]);
        self.samples += 1;
        self
    }

    /// Whether there is no sample in it.
    pub fn is_empty(&self) -> bool {
        self.samples == 0
    }

    /// Compresses what was added. The encoder is empty afterwards.
    pub fn finish(&mut self) -> Body {
        let bytes = self.compressor.compress(&self.message);
        let samples = std::mem::take(&mut self.samples);
        self.message.clear();
        Body {
            bytes,
            samples,
            exemplars: 0,
        }
    }
}

// === impl Body ===

impl Body {
    /// The compressed bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// How many samples are in it.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// The first and the second half of the samples, for a receiver that finds the whole too large.
    pub(crate) fn halves(&self) -> Option<(Self, Self)> {
        let message = snap::raw::Decoder::new().decompress_vec(&self.bytes).ok()?;
        let first = self.samples / 2;
        let (mut middle, mut exemplars) = (0, 0);
        for _ in 0..first {
            let (length, start) = wire::read_varint(&message, middle + 1)?;
            middle = start.checked_add(usize::try_from(length).ok()?)?;
            exemplars += count_exemplars(message.get(start..middle)?)?;
        }
        let (front, back) = message.split_at_checked(middle)?;
        let mut compressor = Compressor::default();
        let mut body = |message, samples, exemplars| Self {
            bytes: compressor.compress(message),
            samples,
            exemplars,
        };
        Some((
            body(front, first, exemplars),
            body(back, self.samples - first, self.exemplars.checked_sub(exemplars)?),
        ))
    }
}

/// How many exemplars are in a `TimeSeries`, all of whose fields have a length.
fn count_exemplars(series: &[u8]) -> Option<usize> {
    let (mut at, mut count) = (0, 0);
    while let Some(tag) = series.get(at) {
        let (length, start) = wire::read_varint(series, at + 1)?;
        count += usize::from(*tag == EXEMPLAR);
        at = start.checked_add(usize::try_from(length).ok()?)?;
    }
    Some(count)
}

// === impl Compressor ===

impl Compressor {
    /// Compresses `message`, which has less than 4 GiB.
    pub(crate) fn compress(&mut self, message: &[u8]) -> Bytes {
        let room = snap::raw::max_compress_len(message.len());
        if self.out.len() < room {
            self.out.resize(room, 0);
        }
        // The only error is a message of 4 GiB, which is far above what a request's samples make.
        let length = self.snappy.compress(message, &mut self.out).unwrap_or_default();
        Bytes::copy_from_slice(&self.out[..length])
    }

    /// Gives back memory beyond what a message of `bytes` needs.
    pub(crate) fn shrink_for(&mut self, bytes: usize) {
        self.out.truncate(snap::raw::max_compress_len(bytes));
        self.out.shrink_to_fit();
    }
}

impl Default for Compressor {
    fn default() -> Self {
        Self {
            snappy: snap::raw::Encoder::new(),
            out: Vec::new(),
        }
    }
}

impl std::fmt::Debug for Compressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compressor")
            .field("room", &self.out.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use ferroalloy_model::sample::{NORMAL_NAN_BITS, STALE_NAN_BITS};
    use proptest::prelude::*;
    use prost::Message;

    use super::*;
    use crate::proto;

    fn decoded(body: &Body) -> Vec<u8> {
        snap::raw::Decoder::new().decompress_vec(body.bytes()).unwrap()
    }

    fn as_message(labels: &Labels, timestamp: i64, value: f64) -> proto::TimeSeries {
        let label = |(name, value): (&str, &str)| proto::Label {
            name: name.into(),
            value: value.into(),
        };
        proto::TimeSeries {
            labels: labels.iter().map(label).collect(),
            samples: vec![proto::Sample { value, timestamp }],
            ..Default::default()
        }
    }

    prop_compose! {
        fn labels()(pairs in proptest::collection::vec(("[a-z_]{1,8}", prop_oneof![".{0,20}", ".{100,20000}"]), 0..6)) -> Labels {
            Labels::from_pairs(pairs)
        }
    }

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<u64>().prop_map(f64::from_bits),
            Just(0.0),
            Just(f64::from_bits(STALE_NAN_BITS)),
            Just(f64::from_bits(NORMAL_NAN_BITS)),
        ]
        // Prost leaves out minus zero.
        .prop_filter("minus zero", |value| value.to_bits() != (-0.0_f64).to_bits())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_bytes_are_those_of_prost(
            samples in proptest::collection::vec((labels(), any::<i64>(), value()), 0..8),
        ) {
            let mut encoder = Encoder::new();
            let mut message = proto::WriteRequest::default();
            for (labels, timestamp, value) in &samples {
                encoder.sample(labels, *timestamp, *value);
                message.timeseries.push(as_message(labels, *timestamp, *value));
            }
            let plain = encoder.finish();
            prop_assert_eq!(decoded(&plain), message.encode_to_vec());
            for (labels, timestamp, value) in &samples {
                let pairs: Vec<_> = labels.iter().map(|(name, value)| Pair::intern(name, value)).collect();
                encoder.sample_of(&pairs, *timestamp, *value);
            }
            prop_assert_eq!(encoder.finish(), plain);
        }
    }

    #[test]
    fn bits_survive() {
        let labels = Labels::from_pairs([("__name__", "m")]);
        for bits in [
            STALE_NAN_BITS,
            NORMAL_NAN_BITS,
            (-0.0_f64).to_bits(),
            1,
            0,
            f64::NEG_INFINITY.to_bits(),
        ] {
            let body = Encoder::new().sample(&labels, 1, f64::from_bits(bits)).finish();
            let message = proto::WriteRequest::decode(&*decoded(&body)).unwrap();
            assert_eq!(message.timeseries[0].samples[0].value.to_bits(), bits);
        }
    }

    #[test]
    fn exemplars_stand_beside_their_sample() {
        let labels = Labels::from_pairs([("trace_id", "abc")]);
        let exemplars: Vec<_> = [(0.0, 0), (-1.5, -3), (2.5, 1_795_427_000_000)]
            .map(|(value, timestamp)| {
                (
                    0,
                    Exemplar {
                        labels: labels.clone(),
                        value,
                        timestamp,
                    },
                )
            })
            .into();
        let series = Labels::from_pairs([("__name__", "m")]);
        let mut message = Vec::new();
        timeseries(&mut message, |out| write_labels(out, &series), 7, 1.0, &exemplars);
        let mut expected = as_message(&series, 7, 1.0);
        expected.exemplars = exemplars
            .iter()
            .map(|(_, exemplar)| proto::Exemplar {
                labels: vec![proto::Label {
                    name: "trace_id".into(),
                    value: "abc".into(),
                }],
                value: exemplar.value,
                timestamp: exemplar.timestamp,
            })
            .collect();
        let expected = proto::WriteRequest {
            timeseries: vec![expected],
            ..Default::default()
        };
        assert_eq!(message, expected.encode_to_vec());
        assert_eq!(count_exemplars(&message[2..]), Some(3));
    }

    #[test]
    fn halves_make_the_whole() {
        let mut encoder = Encoder::new();
        for (n, length) in [1, 300, 20_000, 5, 77].into_iter().enumerate() {
            let labels = Labels::from_pairs([("__name__", "m".repeat(length))]);
            encoder.sample(&labels, i64::try_from(n).unwrap(), 1.0);
        }
        let whole = encoder.finish();
        let (first, second) = whole.halves().unwrap();
        assert_eq!((first.samples(), second.samples()), (2, 3));
        assert_eq!([decoded(&first), decoded(&second)].concat(), decoded(&whole));
        assert_eq!(
            proto::WriteRequest::decode(&*decoded(&first))
                .unwrap()
                .timeseries
                .len(),
            2
        );
    }

    #[test]
    fn an_encoder_is_used_again() {
        let labels = Labels::from_pairs([("__name__", "m")]);
        let mut encoder = Encoder::new();
        let first = encoder.sample(&labels, 1, 1.0).finish();
        assert!(encoder.is_empty());
        assert_eq!(encoder.sample(&labels, 1, 1.0).finish(), first);
        assert_eq!(first.samples(), 1);
    }
}
