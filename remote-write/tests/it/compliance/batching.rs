//! TestBatchingBehavior.

use std::time::Duration;

use ferroalloy_model::{ManualClock, Receiver as _};

use super::wire::Request;
use super::{VERSIONS, endpoint_of, taken, writer};
use crate::receiver::Receiver;
use crate::source::Source;
use crate::writer_at;

#[tokio::test]
async fn a_request_has_max_samples_per_send_at_most() {
    for version in VERSIONS {
        let mut receiver = Receiver::start(move |_| taken(version)).await;
        let mut endpoint = endpoint_of(version, &receiver.url());
        endpoint.queue.max_samples_per_send = 100;
        let writer = writer([endpoint]);
        drop(writer.accept(&Source::new("m", 250).at(1)));
        let mut sizes = Vec::new();
        while sizes.iter().sum::<usize>() < 250 {
            sizes.push(Request::read(&receiver.next().await).series.len());
        }
        assert_eq!(sizes, [100, 100, 50]);
    }
}

#[tokio::test]
async fn several_scrapes_fill_one_request() {
    for version in VERSIONS {
        let clock = ManualClock::new(0);
        let mut receiver = Receiver::start(move |_| taken(version)).await;
        let mut endpoint = endpoint_of(version, &receiver.url());
        endpoint.queue.batch_send_deadline = Duration::from_secs(5);
        endpoint.queue.max_samples_per_send = 30;
        let writer = writer_at(&clock, [endpoint]);
        let sources: Vec<Source> = (0..3).map(|n| Source::new(&format!("s{n}"), 10)).collect();
        drop(writer.accept(&sources[0].at(1)));
        receiver.next().await;
        for source in &sources {
            drop(writer.accept(&source.at(2)));
        }
        // Full, so it does not wait for the deadline of a clock that stands still.
        assert_eq!(Request::read(&receiver.next().await).series.len(), 30);
    }
}

#[tokio::test]
async fn the_deadline_flushes_what_there_is() {
    for version in VERSIONS {
        let clock = ManualClock::new(0);
        let mut receiver = Receiver::start(move |_| taken(version)).await;
        let mut endpoint = endpoint_of(version, &receiver.url());
        endpoint.queue.batch_send_deadline = Duration::from_secs(5);
        let writer = writer_at(&clock, [endpoint]);
        let source = Source::new("m", 10);
        // The first request waits for nothing.
        drop(writer.accept(&source.at(1)));
        assert_eq!(Request::read(&receiver.next().await).series.len(), 10);
        drop(writer.accept(&source.at(2)));
        clock.wait_for_sleepers(1).await;
        clock.advance(Duration::from_millis(4_999));
        tokio::task::yield_now().await;
        assert!(receiver.is_quiet());
        clock.advance(Duration::from_millis(1));
        assert_eq!(Request::read(&receiver.next().await).series.len(), 10);
    }
}
