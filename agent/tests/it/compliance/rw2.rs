//! The cases of the suite that Prometheus runs on itself: start times and order of 2.0, and values bit by bit.

use std::collections::HashSet;
use std::fmt::Write;

use ferroalloy_model::{Clock, SystemClock};

use super::{MESSAGES, Sender};

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const EXPOSITION: &str = "# TYPE c counter\nc_total 101.13\n\
    # TYPE h histogram\nh_bucket{le=\"1.0\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_count 2\nh_sum 3\n\
    # TYPE g gauge\ng 1\n# EOF\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn samples() {
    for message in MESSAGES {
        let mut sender = Sender::with(message, OPENMETRICS, "", |_| EXPOSITION, |_| 204).await;
        let first = sender.next().await;
        assert!(first.series.len() > 6, "{first:?}");
        let names: HashSet<_> = first.series.iter().map(|series| &series.labels).collect();
        assert_eq!(names.len(), first.series.len(), "a series comes twice");
        let now = SystemClock.wall();
        for series in &first.series {
            assert_eq!(series.samples.len(), 1, "{series:?}");
            let age = now - series.samples[0].timestamp;
            assert!((0..60_000).contains(&age), "{series:?}");
        }
        let counter = sender.series("c_total").await;
        assert_eq!(counter.value(), 101.13);
        sender.stop().await;
    }
}

/// The family `c_total`, a counter that began at `begun` (seconds since 1970), in the protobuf format.
fn counter_since(begun: i64) -> Vec<u8> {
    let field = |number: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).unwrap();
        [&[number << 3 | 2, length], content].concat()
    };
    let mut seconds = vec![1 << 3];
    prost::encoding::encode_varint(begun.unsigned_abs(), &mut seconds);
    let value = [&[1 << 3 | 1][..], &101.13_f64.to_le_bytes()].concat();
    let counter = [value, field(3, &seconds)].concat();
    let family = [field(1, b"c_total"), field(4, &field(3, &counter))].concat();
    let length = u8::try_from(family.len()).unwrap();
    [&[length][..], &family].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn start_timestamps() {
    let begun = SystemClock.wall() / 1_000 - 60;
    let mut sender = Sender::with(
        MESSAGES[1],
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
        "scrape_native_histograms = true",
        move |_| counter_since(begun),
        |_| 204,
    )
    .await;
    let sample = sender.series("c_total").await.samples[0];
    assert_eq!((sample.value, sample.start_timestamp), (101.13, begun * 1_000));
    assert!(sample.start_timestamp <= sample.timestamp);
    assert_eq!(sender.series("up").await.samples[0].start_timestamp, 0);
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn samples_sorted() {
    for message in MESSAGES {
        let base = SystemClock.wall() / 1_000;
        let text = move |_| {
            let line = |n: i64| format!("g {n} {}\n", base + n);
            format!("# TYPE g gauge\n{}{}{}# EOF\n", line(1), line(2), line(3))
        };
        let mut sender = Sender::with(message, OPENMETRICS, "", text, |_| 204).await;
        // The receiver does not let out of order pass.
        let mut arrived = Vec::new();
        while arrived.len() < 3 {
            for series in sender.next().await.series {
                if series.label("__name__") == Some("g") {
                    arrived.extend(series.samples.iter().map(|s| (s.timestamp, s.value)));
                }
            }
        }
        let expected: Vec<(i64, f64)> = (1..4_i32)
            .map(|n| ((base + i64::from(n)) * 1_000, f64::from(n)))
            .collect();
        assert_eq!(arrived, expected);
        sender.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn encoding_cases() {
    const CASES: [(&str, f64); 11] = [
        ("0", 0.0),
        ("1", 1.0),
        ("-1", -1.0),
        ("123456789", 123_456_789.0),
        ("0.1", 0.1),
        ("-1.5e-10", -1.5e-10),
        ("+Inf", f64::INFINITY),
        ("-Inf", f64::NEG_INFINITY),
        ("NaN", f64::from_bits(0x7ff8_0000_0000_0001)),
        ("1.7976931348623157e308", f64::MAX),
        ("5e-324", f64::from_bits(1)),
    ];
    for message in MESSAGES {
        let mut text = String::new();
        for (n, (value, _)) in CASES.iter().enumerate() {
            writeln!(text, "case_{n} {value}").unwrap();
        }
        let mut sender = Sender::start(message, move |_| text.clone()).await;
        let request = sender.next().await;
        for (n, (text, value)) in CASES.iter().enumerate() {
            let name = format!("case_{n}");
            let series = request
                .series
                .iter()
                .find(|series| series.label("__name__") == Some(&name))
                .unwrap();
            assert_eq!(series.value().to_bits(), value.to_bits(), "{text}");
        }
        sender.stop().await;
    }
}
