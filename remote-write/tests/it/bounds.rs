//! What is kept while a receiver is away, and what is dropped.

use std::sync::Arc;
use std::time::Duration;

use ferroalloy_model::{Clock, ManualClock, Receiver as _};
use remote_write::{QueueLimits, Writer};

use crate::receiver::{Receiver, later};
use crate::source::Source;
use crate::{config, endpoint, metric};

#[tokio::test]
async fn a_full_queue_drops_its_oldest() {
    let (tell, script) = later();
    let mut receiver = Receiver::start(script).await;
    let source = Source::new("m", 1000);
    let mut config = config([endpoint(&receiver.url())]);
    // Room for the series and some ten batches.
    let max_bytes = source.layout.heap_bytes() + 10 * source.at(0).heap_bytes();
    config.queue = QueueLimits {
        max_bytes,
        ..QueueLimits::default()
    };
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(0));
    let writer = Writer::new(config, clock).unwrap();
    drop(writer.accept(&source.at(1)));
    assert_eq!(receiver.next().await.timestamps()[0], 1);
    for timestamp in 2..=100 {
        drop(writer.accept(&source.at(timestamp)));
    }
    // The first request was under way and is not touched; of the rest the oldest are gone.
    tell.send(200).unwrap();
    let next = receiver.next().await.timestamps();
    assert!(next[0] > 85 && next[0] < 95, "{}", next[0]);
    let dropped = metric(
        &writer,
        "prometheus_remote_storage_samples_dropped_total",
        "queue_full",
    );
    assert_eq!(dropped, (next[0] - 2) as f64 * 1000.0);
    assert!(metric(&writer, "remote_write_queue_bytes", "") <= max_bytes as f64);
}

#[tokio::test]
async fn samples_that_have_waited_too_long_are_not_sent() {
    let (tell, script) = later();
    let mut receiver = Receiver::start(script).await;
    let mut limited = endpoint(&receiver.url());
    limited.queue.sample_age_limit = Duration::from_secs(20);
    limited.remote_timeout = Duration::from_hours(1);
    let clock = ManualClock::new(0);
    let writer = crate::writer_at(&clock, [limited]);
    let source = Source::new("m", 1);
    drop(writer.accept(&source.at(1)));
    receiver.next().await;
    drop(writer.accept(&source.at(2)));
    clock.advance(Duration::from_secs(15));
    drop(writer.accept(&source.at(3)));
    clock.advance(Duration::from_secs(10));
    tell.send(200).unwrap();
    assert_eq!(receiver.next().await.timestamps(), [3]);
    assert_eq!(
        metric(
            &writer,
            "prometheus_remote_storage_samples_dropped_total",
            "too_old"
        ),
        1.0
    );
}
