//! Against prost.

use ferroalloy_model::histogram::{BucketSpan, Counts as Buckets, ResetHint};
use ferroalloy_model::sample::{NORMAL_NAN_BITS, STALE_NAN_BITS};
use ferroalloy_model::{Histogram, MetricKind};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::proto;

/// A point that owns what it has.
#[derive(Clone, Debug)]
struct Given {
    labels: Labels,
    timestamp: i64,
    start: i64,
    float: Option<f64>,
    histogram: Option<Histogram>,
    exemplars: Vec<Exemplar>,
    metadata: Option<Metadata>,
}

impl Given {
    fn point(&self) -> Point<'_> {
        Point {
            timestamp: self.timestamp,
            start_timestamp: self.start,
            value: match (&self.float, &self.histogram) {
                (Some(float), _) => Value::Float(*float),
                (None, Some(histogram)) => Value::Histogram(histogram),
                (None, None) => Value::None,
            },
            metadata: self.metadata.as_ref(),
        }
    }
}

fn encode(version: Version, given: &[Given]) -> Body {
    let mut encoder = Encoder::for_version(version);
    for given in given {
        encoder.point(&given.labels, &given.point(), &given.exemplars);
    }
    encoder.finish()
}

fn decoded(body: &Body) -> Vec<u8> {
    snap::raw::Decoder::new().decompress_vec(body.bytes()).unwrap()
}

fn labels_v1(labels: &Labels) -> Vec<proto::Label> {
    let label = |(name, value): (&str, &str)| proto::Label {
        name: name.into(),
        value: value.into(),
    };
    labels.iter().map(label).collect()
}

/// The 1.0 message as prost has it.
fn message_v1(given: &[Given]) -> proto::WriteRequest {
    let series = |given: &Given| proto::TimeSeries {
        labels: labels_v1(&given.labels),
        samples: Vec::from_iter(given.float.map(|value| proto::Sample {
            value,
            timestamp: given.timestamp,
        })),
        exemplars: given
            .exemplars
            .iter()
            .map(|exemplar| proto::Exemplar {
                labels: labels_v1(&exemplar.labels),
                value: exemplar.value,
                timestamp: exemplar.timestamp,
            })
            .collect(),
        histograms: histograms(given, 0),
    };
    proto::WriteRequest {
        timeseries: given.iter().map(series).collect(),
        metadata: Vec::new(),
    }
}

fn histograms(given: &Given, start: i64) -> Vec<proto::Histogram> {
    let histogram = given.histogram.as_ref().filter(|_| given.float.is_none());
    Vec::from_iter(histogram.map(|histogram| proto::Histogram {
        timestamp: given.timestamp,
        start_timestamp: start,
        ..proto::Histogram::from(histogram)
    }))
}

/// The table that a straightforward encoder makes.
struct Table(Vec<String>);

impl Table {
    fn text(&mut self, text: &str) -> u32 {
        let at = self.0.iter().position(|known| known == text).unwrap_or_else(|| {
            self.0.push(text.to_owned());
            self.0.len() - 1
        });
        u32::try_from(at).unwrap()
    }

    fn labels(&mut self, labels: &Labels) -> Vec<u32> {
        labels
            .iter()
            .flat_map(|(name, value)| [self.text(name), self.text(value)])
            .collect()
    }
}

/// The 2.0 message as prost has it.
fn message_v2(given: &[Given]) -> proto::v2::Request {
    let mut table = Table(Vec::from([String::new()]));
    let series = |given: &Given| proto::v2::TimeSeries {
        labels_refs: table.labels(&given.labels),
        samples: Vec::from_iter(given.float.map(|value| proto::v2::Sample {
            value,
            timestamp: given.timestamp,
            start_timestamp: given.start,
        })),
        histograms: histograms(given, given.start),
        exemplars: given
            .exemplars
            .iter()
            .map(|exemplar| proto::v2::Exemplar {
                labels_refs: table.labels(&exemplar.labels),
                value: exemplar.value,
                timestamp: exemplar.timestamp,
            })
            .collect(),
        metadata: given.metadata.as_ref().map(|metadata| proto::v2::Metadata {
            r#type: proto::MetricType::from(metadata.kind).into(),
            help_ref: table.text(&metadata.help),
            unit_ref: table.text(&metadata.unit),
        }),
    };
    let timeseries = given.iter().map(series).collect();
    proto::v2::Request {
        symbols: table.0,
        timeseries,
    }
}

prop_compose! {
    fn labels()(pairs in vec(("[a-z_]{1,3}", prop_oneof![9 => ".{0,20}", 1 => ".{100,20000}"]), 0..6)) -> Labels {
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

fn spans() -> impl Strategy<Value = Vec<BucketSpan>> {
    vec((any::<i32>(), any::<u32>()), 0..4).prop_map(|spans| {
        let span = |(offset, length)| BucketSpan { offset, length };
        spans.into_iter().map(span).collect()
    })
}

fn buckets() -> impl Strategy<Value = Buckets> {
    prop_oneof![
        (
            any::<u64>(),
            any::<u64>(),
            vec(any::<i64>(), 0..20),
            vec(any::<i64>(), 0..20)
        )
            .prop_map(|(count, zero, positive, negative)| Buckets::Integer {
                count,
                zero,
                positive,
                negative
            }),
        (value(), value(), vec(value(), 0..20), vec(value(), 0..20)).prop_map(
            |(count, zero, positive, negative)| Buckets::Float {
                count,
                zero,
                positive,
                negative
            }
        ),
    ]
}

prop_compose! {
    fn histogram()(
        schema in any::<i32>(),
        zero_threshold in value(),
        sum in value(),
        counts in buckets(),
        positive_spans in spans(),
        negative_spans in spans(),
        custom_values in vec(value(), 0..4),
        reset_hint in prop_oneof![
            Just(ResetHint::Unknown), Just(ResetHint::Yes), Just(ResetHint::No), Just(ResetHint::Gauge)
        ],
    ) -> Histogram {
        Histogram {
            schema, zero_threshold, sum, counts, positive_spans, negative_spans, custom_values, reset_hint,
        }
    }
}

prop_compose! {
    fn given()(
        labels in labels(),
        timestamp in any::<i64>(),
        start in prop_oneof![Just(0), any::<i64>()],
        float in proptest::option::of(value()),
        histogram in proptest::option::of(histogram()),
        exemplars in vec((labels(), value(), any::<i64>()), 0..3),
        metadata in proptest::option::of((".{0,30}", "[a-z]{0,8}")),
    ) -> Given {
        Given {
            labels,
            timestamp,
            start,
            float,
            histogram,
            exemplars: exemplars
                .into_iter()
                .map(|(labels, value, timestamp)| Exemplar { labels, value, timestamp })
                .collect(),
            metadata: metadata.map(|(help, unit)| Metadata { kind: MetricKind::Summary, help, unit }),
        }
    }
}

type Run = (Labels, Vec<(i64, f64)>);

/// Series with several samples each, as one body.
fn runs(version: Version, given: &[Run]) -> Body {
    let (mut message, mut symbols, mut counts) = (Vec::new(), Symbols::default(), Counts::default());
    let interned: Vec<Vec<Pair>> = given
        .iter()
        .map(|(labels, _)| {
            labels
                .iter()
                .map(|(name, value)| Pair::intern(name, value))
                .collect()
        })
        .collect();
    for (pairs, (_, run)) in interned.iter().zip(given) {
        let each = |label: &mut dyn FnMut(&Pair)| {
            pairs.iter().for_each(label);
            true
        };
        match version {
            Version::V1 => v1::run(&mut message, each, run),
            Version::V2 => v2::run(&mut message, &mut symbols, each, run, None),
        };
        counts.add_run(run.len());
    }
    let table = if version == Version::V2 {
        symbols.encoded()
    } else {
        &[]
    };
    Body {
        bytes: Compressor::default().compress(&[table, &message].concat()),
        version,
        counts,
    }
}

fn series_v1(labels: &Labels, run: &[(i64, f64)]) -> proto::TimeSeries {
    let label = |(name, value): (&str, &str)| proto::Label {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    let sample = |(timestamp, value): &(i64, f64)| proto::Sample {
        timestamp: *timestamp,
        value: *value,
    };
    proto::TimeSeries {
        labels: labels.iter().map(label).collect(),
        samples: run.iter().map(sample).collect(),
        ..Default::default()
    }
}

/// What the halves by time have: a series with one sample is in the first.
fn halves_by_time(given: &[Run]) -> (Vec<Run>, Vec<Run>) {
    let several = given.iter().filter(|(_, run)| run.len() > 1);
    let newer = several.map(|(labels, run)| (labels.clone(), run[run.len() / 2..].to_vec()));
    let older = given.iter().map(|(labels, run)| {
        let end = if run.len() > 1 { run.len() / 2 } else { 1 };
        (labels.clone(), run[..end].to_vec())
    });
    (older.collect(), newer.collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn the_bytes_are_those_of_prost(given in vec(given(), 0..8)) {
        let body = encode(Version::V1, &given);
        prop_assert_eq!(decoded(&body), message_v1(&given).encode_to_vec());
        let body = encode(Version::V2, &given);
        prop_assert_eq!(decoded(&body), message_v2(&given).encode_to_vec());
    }

    #[test]
    fn interned_labels_make_the_same_bytes(given in vec((labels(), any::<i64>(), value()), 0..8)) {
        for version in [Version::V1, Version::V2] {
            let mut encoder = Encoder::for_version(version);
            for (labels, timestamp, value) in &given {
                encoder.sample(labels, *timestamp, *value);
            }
            let plain = encoder.finish();
            let (mut message, mut symbols) = (Vec::new(), Symbols::default());
            let interned: Vec<Vec<Pair>> = given
                .iter()
                .map(|(labels, ..)| labels.iter().map(|(name, value)| Pair::intern(name, value)).collect())
                .collect();
            for (pairs, (_, timestamp, value)) in interned.iter().zip(&given) {
                encoder.sample_of(pairs, *timestamp, *value);
                let each = |label: &mut dyn FnMut(&Pair)| {
                    pairs.iter().for_each(label);
                    true
                };
                let point = Point { timestamp: *timestamp, value: Value::Float(*value), ..Point::default() };
                match version {
                    Version::V1 => v1::timeseries(&mut message, each, &point, [].iter()),
                    Version::V2 => v2::timeseries(&mut message, &mut symbols, each, &point, [].iter()),
                };
            }
            prop_assert_eq!(&encoder.finish(), &plain);
            let table = if version == Version::V2 { symbols.encoded() } else { &[] };
            prop_assert_eq!([table, &message].concat(), decoded(&plain));
        }
    }

    #[test]
    fn runs_are_those_of_prost_and_have_halves(given in vec((labels(), vec((any::<i64>(), value()), 1..5)), 1..6)) {
        let v1 = proto::WriteRequest {
            timeseries: given.iter().map(|(labels, run)| series_v1(labels, run)).collect(),
            ..Default::default()
        };
        let (first, second) = halves_by_time(&given);
        for version in [Version::V1, Version::V2] {
            let body = runs(version, &given);
            let spoken = if version == Version::V1 { body.clone() } else { body.downgraded().unwrap().0 };
            prop_assert_eq!(decoded(&spoken), v1.encode_to_vec());
            prop_assert_eq!(spoken.counts, body.counts);
            if given.len() == 1 || given.iter().any(|(_, run)| run.len() > 1) {
                let halves = body.halves(true);
                prop_assert_eq!(halves.is_some(), !second.is_empty());
                if let Some((older, newer)) = halves {
                    for (half, expected) in [(older, &first), (newer, &second)] {
                        let spoken = if version == Version::V1 { half } else { half.downgraded().unwrap().0 };
                        prop_assert_eq!(spoken, runs(Version::V1, expected));
                    }
                }
            }
        }
    }

    #[test]
    fn halves_are_the_whole(given in vec(given(), 2..9)) {
        let body = encode(Version::V1, &given);
        let (first, second) = body.halves(false).unwrap();
        let middle = given.len() / 2;
        prop_assert_eq!(first, encode(Version::V1, &given[..middle]));
        prop_assert_eq!(second, encode(Version::V1, &given[middle..]));

        let body = encode(Version::V2, &given);
        let (first, second) = body.halves(false).unwrap();
        let whole = message_v2(&given);
        for (half, series) in [(first, &whole.timeseries[..middle]), (second, &whole.timeseries[middle..])] {
            let expected = proto::v2::Request { symbols: whole.symbols.clone(), timeseries: series.to_vec() };
            prop_assert_eq!(decoded(&half), expected.encode_to_vec());
            prop_assert_eq!(half.counts.series, series.len());
            prop_assert_eq!(half.counts.samples, series.iter().map(|s| s.samples.len()).sum::<usize>());
            prop_assert_eq!(half.counts.histograms, series.iter().map(|s| s.histograms.len()).sum::<usize>());
            prop_assert_eq!(half.counts.exemplars, series.iter().map(|s| s.exemplars.len()).sum::<usize>());
        }
    }

    #[test]
    fn a_downgraded_message_is_the_1_0_message(given in vec(given(), 0..8)) {
        let sound = |given: &Given| Given {
            histogram: given.histogram.as_ref().map(|_| small(3)),
            ..given.clone()
        };
        let given: Vec<Given> = given.iter().map(sound).collect();
        let (body, left_out) = encode(Version::V2, &given).downgraded().unwrap();
        prop_assert_eq!(left_out, 0);
        prop_assert_eq!(body, encode(Version::V1, &given));
    }
}

fn small(schema: i32) -> Histogram {
    Histogram {
        schema,
        zero_threshold: 0.001,
        sum: 4.5,
        counts: Buckets::Integer {
            count: 3,
            zero: 0,
            positive: vec![1, 1],
            negative: Vec::new(),
        },
        positive_spans: vec![BucketSpan {
            offset: -2,
            length: 2,
        }],
        negative_spans: Vec::new(),
        custom_values: if schema == CUSTOM {
            vec![0.5, 1.0]
        } else {
            Vec::new()
        },
        reset_hint: ResetHint::No,
    }
}

#[test]
fn custom_buckets_do_not_go_down() {
    let labels = Labels::from_pairs([("__name__", "m")]);
    let (custom, plain) = (small(CUSTOM), small(0));
    let mut encoder = Encoder::for_version(Version::V2);
    for histogram in [&custom, &plain] {
        let point = Point {
            timestamp: 5,
            value: Value::Histogram(histogram),
            ..Point::default()
        };
        encoder.point(&labels, &point, &[]);
    }
    let (body, left_out) = encoder.finish().downgraded().unwrap();
    assert_eq!((left_out, body.histograms()), (1, 1));
}

#[test]
fn histograms_come_back_from_the_message() {
    for histogram in [small(3), small(CUSTOM)] {
        let message = proto::Histogram::from(&histogram);
        assert_eq!(message.to_model().unwrap(), histogram);
    }
    let mut unsound = proto::Histogram::from(&small(3));
    unsound.positive_spans[0].length = u32::MAX;
    assert_eq!(
        unsound.to_model().unwrap_err(),
        "its spans and buckets do not agree"
    );
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
        let body = Encoder::for_version(Version::V2)
            .sample(&labels, 1, f64::from_bits(bits))
            .finish();
        let (downgraded, _) = body.downgraded().unwrap();
        for body in [&body, &downgraded] {
            let bytes = decoded(body);
            let value = bits.to_le_bytes();
            assert!(bits == 0 || bytes.windows(8).any(|window| window == value));
        }
    }
}

#[test]
fn families_stand_in_their_own_field() {
    let metadata = Metadata {
        kind: MetricKind::Counter,
        help: "Requests.".into(),
        unit: String::new(),
    };
    let body = Encoder::new().metadata("requests_total", &metadata).finish();
    let message = proto::WriteRequest {
        metadata: vec![proto::MetricMetadata {
            r#type: proto::MetricType::Counter.into(),
            metric_family_name: "requests_total".into(),
            help: "Requests.".into(),
            unit: String::new(),
        }],
        ..Default::default()
    };
    assert_eq!(decoded(&body), message.encode_to_vec());
}

#[test]
fn one_series_has_no_halves() {
    let mut encoder = Encoder::new();
    encoder.sample(&Labels::empty(), 1, 1.0);
    assert_eq!(encoder.finish().halves(false), None);
}
