//! Receivers that answer with anything but what they should. Each costs a try at most, and a good receiver beside it nothing.

use std::sync::Arc;
use std::time::Duration;

use ferroalloy_model::{ManualClock, Receiver as _};
use remote_write::Endpoint;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, UnboundedReceiver};

use crate::receiver::{OK, Receiver};
use crate::source::Source;
use crate::{endpoint, failing, metric, status_when, writer, writer_at};

/// What is written for the first request on any connection; later ones are answered with 200.
#[derive(Clone)]
struct Says {
    first: Vec<u8>,
    /// Whether this is written again and again until the client has enough.
    without_end: bool,
    /// Whether the connection is closed behind it; otherwise it stays as it is.
    closes: bool,
}

impl Says {
    fn then_closes(first: &str) -> Self {
        Self {
            first: first.as_bytes().to_vec(),
            without_end: false,
            closes: true,
        }
    }

    fn then_hangs(first: &str) -> Self {
        Self {
            closes: false,
            ..Self::then_closes(first)
        }
    }

    fn for_ever(first: &str) -> Self {
        Self {
            without_end: true,
            ..Self::then_hangs(first)
        }
    }
}

/// A URL at which requests are answered so, and word of each request.
async fn raw(says: Says) -> (String, UnboundedReceiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/v1/write", listener.local_addr().unwrap());
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let says = Arc::new(says);
        for nth in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            let (says, tell) = (says.clone(), tell.clone());
            tokio::spawn(async move {
                // The client may have enough at any time.
                let _ended = serve(stream, nth == 0, &says, &tell).await;
            });
        }
    });
    (url, told)
}

async fn serve(
    mut stream: TcpStream,
    first: bool,
    says: &Says,
    tell: &mpsc::UnboundedSender<()>,
) -> std::io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let (head, length) = loop {
            if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let text = String::from_utf8_lossy(&buffer[..end]).to_lowercase();
                let length = text
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "));
                break (end + 4, length.unwrap().parse::<usize>().unwrap());
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        while buffer.len() < head + length {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
        buffer.clear();
        let _test_ended = tell.send(());
        if !first {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                .await?;
            continue;
        }
        stream.write_all(&says.first).await?;
        if says.without_end {
            loop {
                stream.write_all(b"x: all work and no play\r\n").await?;
            }
        }
        if says.closes {
            return stream.shutdown().await;
        }
        std::future::pending::<()>().await;
    }
}

/// The samples arrive with the next try, after a failure that is told in these words.
async fn costs_a_try(says: Says, words: &str) {
    let (url, mut told) = raw(says).await;
    let clock = ManualClock::new(0);
    let writer = writer_at(&clock, [endpoint(&url)]);
    let source = Source::new("m", 3);
    drop(writer.accept(&source.at(1)));
    told.recv().await.unwrap();
    let why = failing(&writer).await;
    assert!(why.contains(words) && why.len() < 400, "{why}");
    clock.wait_for_sleepers(1).await;
    clock.advance(Duration::from_millis(1));
    told.recv().await.unwrap();
    status_when(&writer, |status| status.health.is_healthy()).await;
    for (name, expected) in [
        ("remote_write_samples_delivered_total", 3.0),
        ("prometheus_remote_storage_samples_retried_total", 3.0),
        ("prometheus_remote_storage_samples_failed_total", 0.0),
    ] {
        assert_eq!(metric(&writer, name, ""), expected, "{name}");
    }
}

macro_rules! garbage {
    ($($name:ident: $says:expr, $words:expr;)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                costs_a_try($says, $words).await;
            }
        )*
    };
}

garbage! {
    nothing_at_all: Says::then_closes(""), "closed before the response was complete";
    what_is_no_http: Says::then_closes("220 mail.example ESMTP\r\n"), "the response is not HTTP";
    a_status_that_is_none: Says::then_closes("HTTP/1.1 99999 Very Good\r\n\r\n"), "invalid HTTP status-code";
    a_status_of_letters: Says::then_closes("HTTP/1.1 two hundred\r\n\r\n"), "invalid HTTP status-code";
    another_protocol: Says::then_closes("HTTP/2.0 200 OK\r\n\r\n"), "invalid HTTP version";
    half_a_head: Says::then_closes("HTTP/1.1 200 OK\r\nContent-Le"), "closed before the response was complete";
    a_length_that_is_none: Says::then_closes("HTTP/1.1 200 OK\r\nContent-Length: -7\r\n\r\n"), "invalid content-length";
    headers_without_end: Says::for_ever("HTTP/1.1 200 OK\r\n"), "message head is too large";
    interim_answers_and_an_end: Says::then_closes("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n"), "closed before the response was complete";
    a_retry_after_that_is_none: Says::then_closes("HTTP/1.1 503 No\r\nRetry-After: \u{1f600}\r\nContent-Length: 2\r\n\r\nno"), "503: no";
}

/// The status has told everything: what comes behind it is read for a second at most.
#[tokio::test]
async fn a_body_that_does_not_end() {
    for (head, taken) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nsome", true),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\nsome",
            true,
        ),
        (
            "HTTP/1.1 400 Bad\r\nContent-Length: 99999999\r\n\r\nbad sample",
            false,
        ),
    ] {
        let (url, mut told) = raw(Says::then_hangs(head)).await;
        let clock = ManualClock::new(0);
        let writer = writer_at(&clock, [endpoint(&url)]);
        let source = Source::new("m", 1);
        drop(writer.accept(&source.at(1)));
        told.recv().await.unwrap();
        // The deadline of the try, and that of the rest of the answer.
        clock.wait_for_sleepers(2).await;
        clock.advance(Duration::from_secs(1));
        if taken {
            while metric(&writer, "remote_write_samples_delivered_total", "") < 1.0 {
                tokio::task::yield_now().await;
            }
        } else {
            let status = status_when(&writer, |status| status.last_refusal.is_some()).await;
            let reason = status.last_refusal.unwrap().reason;
            assert!(reason.ends_with("answers 400: bad sample"), "{reason}");
        }
        // The next request is not held up by it.
        drop(writer.accept(&source.at(2)));
        told.recv().await.unwrap();
    }
}

#[tokio::test]
async fn an_error_that_goes_on_for_ever_is_shown_in_part() {
    let (url, _told) = raw(Says::for_ever(
        "HTTP/1.1 400 Bad\r\nContent-Length: 9999999999\r\n\r\n",
    ))
    .await;
    let writer = writer([endpoint(&url)]);
    drop(writer.accept(&Source::new("m", 1).at(1)));
    let status = status_when(&writer, |status| status.last_refusal.is_some()).await;
    let reason = status.last_refusal.unwrap().reason;
    assert!(
        reason.contains("answers 400: x: all work and no play"),
        "{reason}"
    );
    assert!(reason.len() < 500, "{reason}");
}

#[tokio::test]
async fn control_characters_do_not_reach_the_log() {
    let (url, _told) = raw(Says::then_closes(
        "HTTP/1.1 400 Bad\r\nContent-Length: 16\r\n\r\n\u{1b}[31mred\r\nlevel=",
    ))
    .await;
    let writer = writer([endpoint(&url)]);
    drop(writer.accept(&Source::new("m", 1).at(1)));
    let status = status_when(&writer, |status| status.last_refusal.is_some()).await;
    let reason = status.last_refusal.unwrap().reason;
    assert!(reason.ends_with("answers 400: [31mred level="), "{reason}");
}

/// It takes the connection and reads nothing: a request that does not fit the socket's buffers is given up in time.
#[tokio::test]
async fn a_receiver_that_does_not_read() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/v1/write", listener.local_addr().unwrap());
    let mut good = Receiver::start(|_| OK).await;
    let clock = ManualClock::new(0);
    let mut deaf = endpoint(&url);
    deaf.queue.max_samples_per_send = 1_000_000;
    let writer = writer_at(
        &clock,
        [
            deaf,
            Endpoint {
                name: Some("good".into()),
                ..endpoint(&good.url())
            },
        ],
    );
    let source = Source::new(&"long".repeat(3_000), 500);
    drop(writer.accept(&source.at(1)));
    let (_stream, _) = listener.accept().await.unwrap();
    assert_eq!(good.next().await.timestamps().len(), 500);
    clock.wait_for_sleepers(1).await;
    clock.advance(Duration::from_secs(30));
    let why = failing(&writer).await;
    assert!(why.ends_with("has not answered within 30s"), "{why}");
    drop(writer.accept(&Source::new("other", 1).at(2)));
    assert_eq!(good.next().await.timestamps(), [2]);
}

/// What a user can mend is waited for, but not longer than samples are kept.
#[tokio::test]
async fn retention_bounds_what_is_repeated() {
    let mut receiver = Receiver::start(|_| crate::receiver::Answer::Status(401, "", "who are you?")).await;
    let clock = ManualClock::new(0);
    let mut limited = endpoint(&receiver.url());
    limited.queue.sample_age_limit = Duration::from_mins(10);
    let writer = writer_at(&clock, [limited]);
    drop(writer.accept(&Source::new("m", 2).at(1)));
    receiver.next().await;
    let (mut tries, mut dropped) = (1, false);
    while !dropped {
        let tried = f64::from(tries * 2);
        while metric(&writer, "prometheus_remote_storage_samples_retried_total", "") < tried {
            tokio::task::yield_now().await;
        }
        clock.wait_for_sleepers(1).await;
        clock.advance_to_next();
        while receiver.is_quiet() && !dropped {
            let name = "prometheus_remote_storage_samples_dropped_total";
            dropped = metric(&writer, name, "too_old") == 2.0;
            tokio::task::yield_now().await;
        }
        if !dropped {
            receiver.next().await;
            tries += 1;
        }
    }
    assert!((10..20).contains(&tries), "{tries} tries");
    assert!(receiver.is_quiet());
}
