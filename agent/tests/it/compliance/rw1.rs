//! The cases of the suite that has a published score, for both messages: one test for each of its tests.
//!
//! SortedLabels and Headers are asked of every request by [`super::receiver`], as is Ordering, of samples that arrive.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ferroalloy_model::{Clock, SystemClock};

use super::{MESSAGES, Sender};

const TEXT: &str = "text/plain; version=0.0.4";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counter() {
    for message in MESSAGES {
        let mut sender = Sender::start(message, |n| format!("# TYPE c_total counter\nc_total {n}\n")).await;
        // A scrape that took too long on a busy machine is a gap, not a fault of the sender.
        let mut newest = -1.0;
        for _ in 0..5 {
            let value = sender.series("c_total").await.value();
            assert!(value > newest && value.fract() == 0.0, "{value} after {newest}");
            newest = value;
        }
        sender.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gauge() {
    for message in MESSAGES {
        let mut sender =
            Sender::start(message, |_| format!("# TYPE g gauge\ng {}\n", SystemClock.wall())).await;
        for _ in 0..3 {
            let series = sender.series("g").await;
            let timestamp = series.samples[0].timestamp as f64;
            assert!((series.value() / timestamp - 1.0).abs() < 0.01, "{series:?}");
        }
        sender.stop().await;
    }
}

/// The name of a series, a label of it, its value.
type Expected<'a> = (&'a str, Option<(&'a str, &'a str)>, f64);

/// That each of these series comes equally often, with the value that it has.
async fn all_come(message: &str, exposition: &'static str, expected: &[Expected<'_>]) {
    let mut sender = Sender::start(message, |_| exposition.to_owned()).await;
    let mut counts = HashMap::new();
    while counts.len() < expected.len() || counts.values().any(|count| *count < 3) {
        let series = sender.next().await.series;
        for series in series.into_iter().filter(|series| !series.is_stale()) {
            let of = |(name, label, _): &&Expected<'_>| {
                series.label("__name__") == Some(name)
                    && label.is_none_or(|(name, value)| series.label(name) == Some(value))
            };
            if let Some((name, label, value)) = expected.iter().find(of) {
                assert_eq!(series.value(), *value, "{series:?}");
                *counts.entry((*name, *label)).or_insert(0) += 1;
            }
        }
    }
    assert_eq!(counts.len(), expected.len());
    assert!(counts.values().all(|count| *count == 3), "{counts:?}");
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn histogram() {
    for message in MESSAGES {
        all_come(
            message,
            "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"2\"} 2\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n",
            &[
                ("h_bucket", Some(("le", "1.0")), 1.0),
                ("h_bucket", Some(("le", "2.0")), 2.0),
                ("h_bucket", Some(("le", "+Inf")), 2.0),
                ("h_sum", None, 3.0),
                ("h_count", None, 2.0),
            ],
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn summary() {
    for message in MESSAGES {
        all_come(
            message,
            "# TYPE s summary\ns{quantile=\"0.5\"} 2\ns{quantile=\"0.9\"} 3\ns{quantile=\"0.99\"} 3\ns_sum 6\ns_count 3\n",
            &[
                ("s", Some(("quantile", "0.5")), 2.0),
                ("s", Some(("quantile", "0.9")), 3.0),
                ("s", Some(("quantile", "0.99")), 3.0),
                ("s_sum", None, 6.0),
                ("s_count", None, 3.0),
            ],
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn up() {
    for message in MESSAGES {
        let mut sender = Sender::start(message, |_| String::new()).await;
        let series = sender.series("up").await;
        assert_eq!((series.value(), series.label("job")), (1.0, Some("test")));
        sender.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid() {
    for message in MESSAGES {
        let mut sender = Sender::start(message, |_| "\n\nm{ 1\n".to_owned()).await;
        assert_eq!(sender.series("up").await.value(), 0.0);
        sender.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn job_label() {
    for message in MESSAGES {
        let mut sender = Sender::start(message, |_| "m 1\n".to_owned()).await;
        assert_eq!(sender.series("m").await.label("job"), Some("test"));
        sender.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instance_label() {
    for message in MESSAGES {
        let mut sender = Sender::start(message, |_| "m 1\n".to_owned()).await;
        let target = sender.target.to_string();
        assert_eq!(sender.series("m").await.label("instance"), Some(target.as_str()));
        sender.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repeated_labels() {
    for message in MESSAGES {
        let mut sender = Sender::start(message, |_| "m{a=\"1\",a=\"1\"} 1\n".to_owned()).await;
        for _ in 0..3 {
            let request = sender.next().await;
            let of_name = |name| {
                request
                    .series
                    .iter()
                    .find(|series| series.label("__name__") == Some(name))
            };
            assert_eq!(of_name("m"), None);
            assert_eq!(of_name("up").unwrap().value(), 0.0, "the scrape fails");
        }
        sender.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn empty_labels() {
    for message in MESSAGES {
        let mut sender = Sender::start(message, |_| "m{a=\"\",b=\"2\"} 1\n".to_owned()).await;
        let series = sender.series("m").await;
        assert_eq!((series.label("a"), series.label("b")), (None, Some("2")));
        sender.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn name_label() {
    for message in MESSAGES {
        let mut sender = Sender::start(message, |_| "{label=\"value\"} 1\n".to_owned()).await;
        for _ in 0..3 {
            let request = sender.next().await;
            assert!(
                request
                    .series
                    .iter()
                    .all(|series| series.label("label").is_none()),
                "{request:?}"
            );
        }
        sender.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn honor_labels() {
    for message in MESSAGES {
        let mut sender =
            Sender::start(message, |_| "m{instance=\"other\",job=\"mine\"} 1\n".to_owned()).await;
        let series = sender.series("m").await;
        assert_eq!(
            (
                series.label("job"),
                series.label("exported_job"),
                series.label("exported_instance")
            ),
            (Some("test"), Some("mine"), Some("other"))
        );
        sender.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staleness() {
    for message in MESSAGES {
        let mut sender = Sender::start(
            message,
            |n| {
                if n < 2 { "m 1\n".to_owned() } else { String::new() }
            },
        )
        .await;
        assert_eq!(sender.series("m").await.value(), 1.0);
        sender.series_when("m", super::Series::is_stale).await;
        sender.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timestamp() {
    for message in MESSAGES {
        let before = SystemClock.wall();
        let mut sender = Sender::start(message, |_| "m 1\n".to_owned()).await;
        let mut newest = before;
        for _ in 0..3 {
            let timestamp = sender.series("m").await.samples[0].timestamp;
            assert!(
                (newest..=SystemClock.wall()).contains(&timestamp),
                "{timestamp} after {newest}"
            );
            newest = timestamp;
        }
        sender.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ordering() {
    // A thousand series and a receiver that refuses every third request: what arrives is in order, which the receiver sees to.
    for message in MESSAGES {
        let asked = AtomicUsize::new(0);
        let mut sender = Sender::with(
            message,
            TEXT,
            "",
            |n| {
                let lines: Vec<String> = (0..1_000)
                    .map(|series| format!("m{{n=\"{series}\"}} {n}\n"))
                    .collect();
                lines.concat()
            },
            move |_| match asked.fetch_add(1, Ordering::Relaxed) % 3 {
                1 => 503,
                _ => 204,
            },
        )
        .await;
        let mut values = Vec::new();
        while values.len() < 8 {
            let last = |series: &super::Series| series.label("n") == Some("999") && !series.is_stale();
            let series = sender.series_when("m", last).await;
            // A sender that is late has several of a series in one request. One that was refused is seen again.
            let sent: Vec<f64> = series.samples.iter().map(|sample| sample.value).collect();
            if !values.ends_with(&sent) {
                values.extend(sent);
            }
        }
        assert!(values.is_sorted_by(|a, b| a < b), "{values:?}");
        sender.stop().await;
    }
}

/// The bodies of the requests, up to the one after that which is answered with `status`.
async fn around(message: &str, status: u16) -> (bytes::Bytes, super::Request) {
    let asked = Arc::new(AtomicUsize::new(0));
    let mut sender = Sender::with(
        message,
        TEXT,
        "",
        |n| format!("m {n}\n"),
        move |_| match asked.fetch_add(1, Ordering::Relaxed) {
            1 => status,
            _ => 204,
        },
    )
    .await;
    sender.next().await;
    let answered = sender.next().await.body;
    let next = sender.next().await;
    sender.stop().await;
    (answered, next)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retries_500() {
    for message in MESSAGES {
        let (refused, next) = around(message, 500).await;
        assert_eq!(next.body, refused, "the same bytes come again");
        assert_eq!(next.headers["retry-attempt"], "1");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retries_400() {
    for message in MESSAGES {
        let (refused, next) = around(message, 400).await;
        assert_ne!(next.body, refused);
        assert!(!next.headers.contains_key("retry-attempt"));
    }
}
