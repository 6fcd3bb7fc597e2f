//! One bad series costs only itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferroalloy_model::Receiver as _;
use remote_write::{Endpoint, QueueConfig};

use crate::receiver::{Answer, OK, Receiver};
use crate::source::Source;
use crate::{endpoint, writer};

/// Counts of requests and of samples taken.
#[derive(Default)]
struct Seen {
    requests: AtomicUsize,
    taken: AtomicUsize,
}

impl Seen {
    fn counts(&self) -> (usize, usize) {
        (
            self.requests.load(Ordering::Relaxed),
            self.taken.load(Ordering::Relaxed),
        )
    }
}

/// A 1.0 receiver that refuses every request with a bad series in it, as Prometheus does.
async fn receiver(bad: fn(&str) -> bool) -> (Receiver, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    let counted = seen.clone();
    let receiver = Receiver::start(move |received| {
        let series = received.message().timeseries;
        counted.requests.fetch_add(1, Ordering::Relaxed);
        let name = |labels: &[remote_write::proto::Label]| labels[0].value.clone();
        if series.iter().any(|series| bad(&name(&series.labels))) {
            return Answer::Status(400, "", "out of order sample");
        }
        counted.taken.fetch_add(series.len(), Ordering::Relaxed);
        OK
    })
    .await;
    (receiver, seen)
}

#[tokio::test]
async fn bad_series_cost_only_themselves() {
    let (receiver, seen) = receiver(|name| ["m_3", "m_700"].contains(&name)).await;
    let writer = writer([endpoint(&receiver.url())]);
    drop(writer.accept(&Source::new("m", 1000).at(1)));
    assert_eq!(writer.shutdown(Duration::from_mins(1)).await, 0);
    let (requests, taken) = seen.counts();
    assert_eq!(taken, 998);
    assert!(requests <= 2 * 2 * 10 + 1, "{requests} requests");
}

#[tokio::test]
async fn a_receiver_that_refuses_everything_is_not_flooded() {
    let (receiver, seen) = receiver(|_| true).await;
    let writer = writer([Endpoint {
        queue: QueueConfig {
            max_samples_per_send: 1000,
            ..endpoint("").queue
        },
        ..endpoint(&receiver.url())
    }]);
    let source = Source::new("m", 1000);
    for timestamp in 0..8 {
        drop(writer.accept(&source.at(timestamp)));
    }
    assert_eq!(writer.shutdown(Duration::from_mins(1)).await, 0);
    let splits = 32 + 16 + 8 + 4 + 2 + 1 + 1 + 1;
    assert_eq!(seen.counts(), (8 + 2 * splits, 0));
}

#[tokio::test]
async fn searching_can_be_switched_off() {
    let (receiver, seen) = receiver(|name| name == "m_3").await;
    let plain = endpoint(&receiver.url());
    let writer = writer([Endpoint {
        queue: QueueConfig {
            bisect_refused: false,
            ..plain.queue.clone()
        },
        ..plain
    }]);
    drop(writer.accept(&Source::new("m", 10).at(1)));
    assert_eq!(writer.shutdown(Duration::from_mins(1)).await, 0);
    assert_eq!(seen.counts(), (1, 0));
}
