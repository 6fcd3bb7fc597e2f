//! What is repeated, when, and what is not.

use std::time::Duration;

use ferroalloy_model::{ManualClock, Receiver as _};
use remote_write::{Endpoint, QueueConfig};
use tokio::net::TcpListener;

use crate::receiver::{Answer, OK, Receiver};
use crate::source::Source;
use crate::{endpoint, failing, metric, status_when, writer, writer_at};

/// With the default waits, and without waiting for more samples.
fn patient(url: &str) -> Endpoint {
    let queue = QueueConfig {
        batch_send_deadline: Duration::ZERO,
        ..QueueConfig::default()
    };
    Endpoint {
        queue,
        ..Endpoint::new(url)
    }
}

#[tokio::test]
async fn after_a_500_the_same_bytes_come_again_before_anything_else() {
    let mut receiver = Receiver::start(|request| match request.index {
        0..3 => Answer::Status(500, "", "out of memory"),
        _ => OK,
    })
    .await;
    let writer = writer([endpoint(&receiver.url())]);
    let source = Source::new("m", 3);
    drop(writer.accept(&source.at(1)));
    let first = receiver.next().await;
    assert!(!first.head.contains("retry-attempt"));
    for timestamp in 2..5 {
        drop(writer.accept(&source.at(timestamp)));
    }
    for attempt in 1..4 {
        let again = receiver.next().await;
        assert_eq!(again.body, first.body);
        assert!(
            again.head.contains(&format!("\r\nretry-attempt: {attempt}\r\n")),
            "{}",
            again.head
        );
    }
    let rest = receiver.next().await;
    assert_eq!(rest.timestamps(), [2, 3, 4, 2, 3, 4, 2, 3, 4]);
    status_when(&writer, |status| status.health.is_healthy()).await;
    assert_eq!(
        metric(&writer, "prometheus_remote_storage_samples_retried_total", ""),
        9.0
    );
}

#[tokio::test]
async fn retry_after_is_respected() {
    for (header, wait) in [
        ("Retry-After: 7\r\n", Duration::from_secs(7)),
        // The clock of the test stands at 1994-11-06 08:49:37.
        (
            "Retry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n",
            Duration::from_mins(1),
        ),
        ("Retry-After: 86400\r\n", Duration::from_mins(5)),
    ] {
        for status in [429, 503] {
            let mut receiver = Receiver::start(move |request| match request.index {
                0 => Answer::Status(status, header, "slow down"),
                _ => OK,
            })
            .await;
            let clock = ManualClock::new(784_111_777_000);
            let writer = writer_at(&clock, [patient(&receiver.url())]);
            drop(writer.accept(&Source::new("m", 1).at(1)));
            let first = receiver.next().await;
            assert!(
                failing(&writer)
                    .await
                    .ends_with(&format!("answers {status}: slow down"))
            );
            clock.wait_for_sleepers(1).await;
            assert_eq!(clock.advance_to_next(), Some(wait));
            assert_eq!(receiver.next().await.body, first.body);
        }
    }
}

#[tokio::test]
async fn what_is_refused_is_dropped_and_said() {
    let mut receiver = Receiver::start(|request| match request.index {
        0 => Answer::Status(400, "", "out of order sample\nfor m_0"),
        _ => OK,
    })
    .await;
    let mut named = endpoint(&receiver.url());
    named.name = Some("prometheus".into());
    named.queue.bisect_refused = false;
    let writer = writer([named]);
    let source = Source::new("m", 2);
    drop(writer.accept(&source.at(1)));
    let status = status_when(&writer, |status| status.last_refusal.is_some()).await;
    let refusal = status.last_refusal.unwrap();
    assert_eq!((refusal.status, refusal.samples), (400, 2));
    let said = "prometheus answers 400: out of order sample for m_0 — ";
    assert!(refusal.reason.starts_with(said), "{}", refusal.reason);
    assert!(
        refusal.reason.contains("out_of_order_time_window"),
        "{}",
        refusal.reason
    );
    assert!(status.health.is_healthy(), "it is the samples that are wrong");
    drop(writer.accept(&source.at(2)));
    assert_eq!(receiver.next().await.timestamps(), [1, 1]);
    assert_eq!(receiver.next().await.timestamps(), [2, 2]);
    assert_eq!(
        metric(&writer, "remote_write_samples_refused_total", "status=\"400\""),
        2.0
    );
    assert_eq!(
        metric(&writer, "prometheus_remote_storage_samples_failed_total", ""),
        2.0
    );
}

#[tokio::test]
async fn what_is_too_large_is_sent_in_halves() {
    let mut receiver = Receiver::start(|request| match request.message().timeseries.len() {
        0..=25 => OK,
        _ => Answer::Status(413, "", "too much"),
    })
    .await;
    let writer = writer([endpoint(&receiver.url())]);
    let source = Source::new("m", 90);
    drop(writer.accept(&source.at(1)));
    let mut taken = Vec::new();
    while taken.len() < 90 {
        let series = receiver.next().await.message().timeseries;
        if series.len() <= 25 {
            taken.extend(series.into_iter().map(|series| series.labels[0].value.clone()));
        }
    }
    let expected: Vec<_> = (0..90).map(|n| format!("m_{n}")).collect();
    assert_eq!(taken, expected);
    // A receiver that takes nothing at all is not asked for each sample.
    let mut receiver = Receiver::start(|_| Answer::Status(413, "", "no")).await;
    let writer = crate::writer([endpoint(&receiver.url())]);
    drop(writer.accept(&Source::new("m", 20).at(1)));
    let sizes = [
        receiver.next().await,
        receiver.next().await,
        receiver.next().await,
    ]
    .map(|request| request.message().timeseries.len());
    assert_eq!(sizes, [20, 10, 10]);
    let status = status_when(&writer, |status| status.last_refusal.is_some()).await;
    assert_eq!(status.last_refusal.unwrap().status, 413);
}

#[tokio::test]
async fn what_a_user_can_mend_is_repeated_slowly() {
    for (status, said, reason) in [
        (
            404,
            "remote write receiver needs to be enabled with --web.enable-remote-write-receiver",
            "remote write receiver needs to be enabled with --web.enable-remote-write-receiver",
        ),
        (401, "", "— are the credentials right?"),
        (403, "", "— may these credentials write?"),
        (408, "", "answers 408 Request Timeout"),
    ] {
        let mut receiver = Receiver::start(move |request| match request.index {
            0 => Answer::Status(status, "", said),
            _ => OK,
        })
        .await;
        let clock = ManualClock::new(0);
        let writer = writer_at(&clock, [patient(&receiver.url())]);
        drop(writer.accept(&Source::new("m", 1).at(1)));
        let first = receiver.next().await;
        let why = failing(&writer).await;
        assert!(
            why.contains(&format!("answers {status}")) && why.ends_with(reason),
            "{why}"
        );
        clock.wait_for_sleepers(1).await;
        let waited = clock.advance_to_next().unwrap();
        assert!(
            (Duration::from_secs(4)..=Duration::from_secs(5)).contains(&waited),
            "{waited:?}"
        );
        assert_eq!(receiver.next().await.body, first.body);
        status_when(&writer, |status| status.health.is_healthy()).await;
    }
}

#[tokio::test]
async fn a_receiver_that_is_not_there_yet() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let writer = writer([endpoint(&format!("http://{address}/api/v1/write"))]);
    drop(writer.accept(&Source::new("m", 1).at(1)));
    let why = failing(&writer).await;
    assert!(why.contains("refused"), "{why}");
    let mut receiver = Receiver::at(address, |_| OK).await;
    assert_eq!(receiver.next().await.timestamps(), [1]);
    status_when(&writer, |status| status.health.is_healthy()).await;
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_is_given_up_and_asked_again() {
    let mut receiver = Receiver::start(|request| match request.index {
        0 => Answer::Hang,
        _ => OK,
    })
    .await;
    let clock = ManualClock::new(0);
    let writer = writer_at(&clock, [patient(&receiver.url())]);
    drop(writer.accept(&Source::new("m", 1).at(1)));
    let first = receiver.next().await;
    clock.advance(Duration::from_secs(30));
    assert!(failing(&writer).await.ends_with("has not answered within 30s"));
    clock.wait_for_sleepers(1).await;
    clock.advance_to_next();
    assert_eq!(receiver.next().await.body, first.body);
}

#[tokio::test]
async fn a_redirect_elsewhere_is_not_followed() {
    let receiver =
        Receiver::start(|_| Answer::Status(307, "Location: http://elsewhere.example/?key=secret\r\n", ""))
            .await;
    let writer = writer([endpoint(&receiver.url())]);
    drop(writer.accept(&Source::new("m", 1).at(1)));
    let why = failing(&writer).await;
    assert!(
        why.contains("another host, http://elsewhere.example/?key=xxxxx"),
        "{why}"
    );
}

#[tokio::test]
async fn after_a_long_silence_connections_are_new() {
    let clock = ManualClock::new(0);
    let mut receiver = Receiver::start(|_| OK).await;
    let writer = writer_at(&clock, [endpoint(&receiver.url())]);
    let source = Source::new("m", 1);
    for (timestamp, connection, then) in [(1, 0, 60), (2, 0, 3600), (3, 1, 0)] {
        drop(writer.accept(&source.at(timestamp)));
        assert_eq!(receiver.next().await.connection, connection);
        // The answer has come when nothing is under way.
        while metric(&writer, "remote_write_samples_delivered_total", "") < timestamp as f64 {
            tokio::task::yield_now().await;
        }
        clock.advance(Duration::from_secs(then));
    }
}
