//! TestHistogramEncoding. That a series has samples or histograms, not both, is asked of every request by [`super::wire`].

use ferroalloy_model::Histogram;
use ferroalloy_model::histogram::{BucketSpan, Counts, ResetHint};
use remote_write::Version;
use remote_write::proto::{self, histogram};

use super::pushed::{NOW, Pushed};
use super::{VERSIONS, sent};

fn spans(spans: &[(i32, u32)]) -> Vec<BucketSpan> {
    spans
        .iter()
        .map(|(offset, length)| BucketSpan {
            offset: *offset,
            length: *length,
        })
        .collect()
}

fn native() -> Histogram {
    Histogram {
        schema: 3,
        zero_threshold: 0.001,
        sum: 18.4,
        counts: Counts::Integer {
            count: 12,
            zero: 2,
            positive: vec![1, 2, -2],
            negative: vec![1, 0],
        },
        positive_spans: spans(&[(-2, 2), (3, 1)]),
        negative_spans: spans(&[(0, 2)]),
        custom_values: Vec::new(),
        reset_hint: ResetHint::No,
    }
}

async fn arrives(version: Version, histogram: Histogram) -> proto::Histogram {
    let expected = histogram.clone();
    let mut pushed = Pushed::new();
    let slot = pushed.series(&[("__name__", "latency")]);
    let request = sent(version, &pushed.histogram(slot, NOW, histogram).batch()).await;
    let [arrived] = &request.series("latency").histograms[..] else {
        panic!("{request:?}");
    };
    assert_eq!(
        format!("{:?}", arrived.to_model().unwrap()),
        format!("{expected:?}"),
        "{version:?}"
    );
    assert_eq!(arrived.timestamp, NOW);
    arrived.clone()
}

#[tokio::test]
async fn native_histogram_schema_spans_and_deltas() {
    for version in VERSIONS {
        let arrived = arrives(version, native()).await;
        assert_eq!(
            (arrived.schema, arrived.sum, arrived.zero_threshold),
            (3, 18.4, 0.001)
        );
        assert_eq!(arrived.positive_deltas, [1, 2, -2]);
        assert_eq!(
            (arrived.positive_spans[0].offset, arrived.positive_spans[1].length),
            (-2, 1)
        );
        assert_eq!(arrived.reset_hint(), histogram::ResetHint::No);
    }
}

#[tokio::test]
async fn zero_bucket_and_count_are_there_when_they_are_zero() {
    for version in VERSIONS {
        let empty = Histogram {
            counts: Counts::Integer {
                count: 0,
                zero: 0,
                positive: Vec::new(),
                negative: Vec::new(),
            },
            positive_spans: Vec::new(),
            negative_spans: Vec::new(),
            sum: 0.0,
            ..native()
        };
        let arrived = arrives(version, empty).await;
        assert_eq!(arrived.count, Some(histogram::Count::Int(0)));
        assert_eq!(arrived.zero_count, Some(histogram::ZeroCount::Int(0)));
    }
}

#[tokio::test]
async fn float_histogram() {
    for version in VERSIONS {
        let float = Histogram {
            counts: Counts::Float {
                count: 3.5,
                zero: 0.0,
                positive: vec![1.25, 0.25, 1.0],
                negative: vec![0.5, 0.5],
            },
            reset_hint: ResetHint::Gauge,
            ..native()
        };
        let arrived = arrives(version, float).await;
        assert_eq!(arrived.count, Some(histogram::Count::Float(3.5)));
        assert_eq!(arrived.zero_count, Some(histogram::ZeroCount::Float(0.0)));
        assert_eq!(arrived.reset_hint(), histogram::ResetHint::Gauge);
    }
}

#[tokio::test]
async fn reset_hints() {
    for version in VERSIONS {
        for hint in [
            ResetHint::Unknown,
            ResetHint::Yes,
            ResetHint::No,
            ResetHint::Gauge,
        ] {
            arrives(
                version,
                Histogram {
                    reset_hint: hint,
                    ..native()
                },
            )
            .await;
        }
    }
}

#[tokio::test]
async fn schemas_from_end_to_end() {
    for version in VERSIONS {
        for schema in -4..=8 {
            arrives(version, Histogram { schema, ..native() }).await;
        }
    }
}

#[tokio::test]
async fn a_stale_histogram_has_its_mark_in_the_sum() {
    for version in VERSIONS {
        let stale = Histogram {
            sum: ferroalloy_model::stale_nan(),
            ..native()
        };
        let arrived = arrives(version, stale).await;
        assert_eq!(arrived.sum.to_bits(), 0x7ff0_0000_0000_0002);
    }
}

#[tokio::test]
async fn custom_buckets_are_of_2_0_alone() {
    let custom = Histogram {
        schema: -53,
        zero_threshold: 0.0,
        counts: Counts::Integer {
            count: 3,
            zero: 0,
            positive: vec![1, 1],
            negative: Vec::new(),
        },
        positive_spans: spans(&[(0, 2)]),
        negative_spans: Vec::new(),
        custom_values: vec![0.5, 1.0],
        ..native()
    };
    let arrived = arrives(Version::V2, custom.clone()).await;
    assert_eq!(arrived.custom_values, [0.5, 1.0]);
    // In 1.0 it is left out, and what is beside it is sent.
    let mut pushed = Pushed::new();
    let (slot, other) = (
        pushed.series(&[("__name__", "latency")]),
        pushed.series(&[("__name__", "m")]),
    );
    let batch = pushed
        .histogram(slot, NOW, custom)
        .sample(other, NOW, 1.0)
        .batch();
    let request = sent(Version::V1, &batch).await;
    assert_eq!(request.series.len(), 1);
    assert_eq!(request.series("m").value(), 1.0);
}

#[tokio::test]
async fn classic_histogram_series() {
    for version in VERSIONS {
        let mut pushed = Pushed::new();
        let buckets: Vec<u32> = ["1.0", "2.0", "+Inf"]
            .map(|le| pushed.series(&[("__name__", "h_bucket"), ("le", le)]))
            .into();
        let (sum, count) = (
            pushed.series(&[("__name__", "h_sum")]),
            pushed.series(&[("__name__", "h_count")]),
        );
        let batch = buckets
            .iter()
            .zip([1.0, 2.0, 2.0])
            .fold(pushed, |pushed, (slot, value)| pushed.sample(*slot, NOW, value))
            .sample(sum, NOW, 3.0)
            .sample(count, NOW, 2.0)
            .batch();
        let request = sent(version, &batch).await;
        let les: Vec<Option<&str>> = request.series.iter().map(|series| series.label("le")).collect();
        assert_eq!(les, [Some("1.0"), Some("2.0"), Some("+Inf"), None, None]);
        assert_eq!(
            (request.series("h_sum").value(), request.series("h_count").value()),
            (3.0, 2.0)
        );
    }
}
