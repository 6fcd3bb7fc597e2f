//! TestRetryBehavior, TestBackoffBehavior, and what the suite leaves open: that a repetition is the identical request, with nothing of its
//! series in between.

use std::time::Duration;

use ferroalloy_model::{ManualClock, Receiver as _};
use remote_write::{QueueConfig, Version};

use super::wire::Request;
use super::{VERSIONS, endpoint_of, taken, writer};
use crate::receiver::{Answer, Receiver};
use crate::source::Source;
use crate::{metric, status_when, writer_at};

async fn is_repeated(status: u16) {
    for version in VERSIONS {
        let mut receiver = Receiver::start(move |request| match request.index {
            0 | 1 => Answer::Status(status, "", "later"),
            _ => taken(version),
        })
        .await;
        let writer = writer([endpoint_of(version, &receiver.url())]);
        let source = Source::new("m", 3);
        drop(writer.accept(&source.at(1)));
        let first = receiver.next().await;
        drop(writer.accept(&source.at(2)));
        for attempt in ["1", "2"] {
            let again = receiver.next().await;
            assert_eq!(again.body, first.body, "{version:?}");
            assert_eq!(Request::read(&again).header("retry-attempt"), attempt);
        }
        let next = Request::read(&receiver.next().await);
        assert_eq!(next.series("m_0").samples[0].timestamp, 2);
    }
}

async fn is_not_repeated(status: u16) {
    for version in VERSIONS {
        let mut receiver = Receiver::start(move |request| match request.index {
            0 => Answer::Status(status, "", "no"),
            _ => taken(version),
        })
        .await;
        let writer = writer([endpoint_of(version, &receiver.url())]);
        drop(writer.accept(&Source::new("a", 1).at(1)));
        receiver.next().await;
        status_when(&writer, |status| status.last_refusal.is_some()).await;
        drop(writer.accept(&Source::new("b", 1).at(2)));
        let next = Request::read(&receiver.next().await);
        assert_eq!((next.series.len(), next.series("b_0").value()), (1, 2.0));
        let label = format!("status=\"{status}\"");
        assert_eq!(metric(&writer, "remote_write_samples_refused_total", &label), 1.0);
    }
}

macro_rules! statuses {
    ($($name:ident: $check:ident($status:literal),)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                $check($status).await;
            }
        )*
    };
}

statuses! {
    retry_on_500: is_repeated(500),
    retry_on_502: is_repeated(502),
    retry_on_503: is_repeated(503),
    retry_on_504: is_repeated(504),
    retry_on_429: is_repeated(429),
    no_retry_on_400: is_not_repeated(400),
    no_retry_on_409: is_not_repeated(409),
    no_retry_on_413: is_not_repeated(413),
    no_retry_on_422: is_not_repeated(422),
}

#[tokio::test]
async fn no_retry_on_429_if_so_configured() {
    let mut receiver = Receiver::start(|request| match request.index {
        0 => Answer::Status(429, "", "slow down"),
        _ => taken(Version::V1),
    })
    .await;
    let mut endpoint = endpoint_of(Version::V1, &receiver.url());
    endpoint.queue.retry_on_http_429 = false;
    let writer = writer([endpoint]);
    drop(writer.accept(&Source::new("a", 1).at(1)));
    receiver.next().await;
    status_when(&writer, |status| status.last_refusal.is_some()).await;
    assert!(receiver.is_quiet());
}

#[tokio::test]
async fn backoff_grows_within_its_bounds() {
    const TRIES: usize = 12;
    let mut receiver = Receiver::start(|_| Answer::Status(503, "", "away")).await;
    let clock = ManualClock::new(0);
    let mut endpoint = endpoint_of(Version::V1, &receiver.url());
    endpoint.queue = QueueConfig {
        batch_send_deadline: Duration::ZERO,
        ..QueueConfig::default()
    };
    let writer = writer_at(&clock, [endpoint]);
    drop(writer.accept(&Source::new("m", 1).at(1)));
    let mut waits = Vec::new();
    for _ in 0..TRIES {
        receiver.next().await;
        // The deadline of the request is a sleeper too, until it is answered.
        while metric(&writer, "prometheus_remote_storage_samples_retried_total", "") <= waits.len() as f64 {
            tokio::task::yield_now().await;
        }
        clock.wait_for_sleepers(1).await;
        waits.push(clock.advance_to_next().unwrap());
    }
    let (least, most) = (Duration::from_millis(15), Duration::from_secs(5));
    assert!(
        waits.iter().all(|wait| (least..=most).contains(wait)),
        "{waits:?}"
    );
    // With jitter one may be no longer than the one before, but never by more than a fifth.
    for pair in waits.windows(2) {
        assert!(pair[1].as_secs_f64() / pair[0].as_secs_f64() >= 0.8, "{waits:?}");
    }
    assert!(waits[TRIES - 1] > 50 * waits[0], "{waits:?}");
}
