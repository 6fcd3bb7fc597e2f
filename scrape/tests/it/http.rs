//! Targets over HTTP, against a server that says exactly what it is told.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferroalloy_model::{Labels, ManualClock};
use flate2::Compression;
use flate2::write::GzEncoder;
use scrape::parse::Protocol;
use scrape::{Client, Config, ErrorKind, Escaping, HttpTarget, NameScheme, Page, Scraped, Scraper, chain};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::support::{lines, numbered, report};

/// A server that gives the same bytes to every request, and tells what it was asked.
struct Server {
    url: String,
    requests: mpsc::UnboundedReceiver<String>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    async fn start(response: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/metrics", listener.local_addr().expect("an address"));
        let (asked, requests) = mpsc::unbounded_channel();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::Relaxed);
                let (asked, response) = (asked.clone(), response.clone());
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while let Ok(byte) = stream.read_u8().await {
                        head.push(byte);
                        if !head.ends_with(b"\r\n\r\n") {
                            continue;
                        }
                        let _ = asked.send(String::from_utf8_lossy(&head).to_ascii_lowercase());
                        head.clear();
                        if stream.write_all(&response).await.is_err() {
                            return;
                        }
                        if response.starts_with(b"HTTP/1.1 200 CUT") {
                            return;
                        }
                    }
                });
            }
        });
        Self {
            url,
            requests,
            connections,
        }
    }
}

fn response(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        out.extend([name, ": ", value, "\r\n"]);
    }
    out.push_str("\r\n");
    [out.as_bytes(), body].concat()
}

const TEXT: (&str, &str) = ("Content-Type", "text/plain; version=0.0.4");

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).expect("memory");
    encoder.finish().expect("memory")
}

struct Scraping {
    target: HttpTarget,
    scraper: Scraper,
    config: Config,
    clock: ManualClock,
    page: Page,
}

impl Scraping {
    fn new(url: &str, config: Config) -> Self {
        let client = Client::new(&config.http).expect("a client");
        let target = HttpTarget::new(client, url, Duration::from_millis(1500), &config).expect("a target");
        let scraper = Scraper::new(url, Labels::empty());
        Self {
            target,
            scraper,
            config,
            clock: ManualClock::new(1_000_000),
            page: Page::new(),
        }
    }

    async fn once(&mut self) -> Scraped {
        let when = (1_000_000, Duration::from_secs(10));
        self.scraper
            .scrape(&self.target, &self.config, &self.clock, when, &mut self.page)
            .await
    }
}

async fn scrape(response: Vec<u8>, config: Config) -> Scraped {
    let server = Server::start(response).await;
    Scraping::new(&server.url, config).once().await
}

#[tokio::test]
async fn the_request_says_what_is_wanted() {
    let mut server = Server::start(response("200 OK", &[TEXT], b"a 1\n")).await;
    let mut scraping = Scraping::new(
        &server.url,
        Config {
            name_scheme: NameScheme::Legacy,
            escaping: Escaping::Underscores,
            ..Config::default()
        },
    );
    for _ in 0..3 {
        let outcome = scraping.once().await;
        assert_eq!(lines(&outcome.batch), ["a 1"]);
        assert_eq!(outcome.body_size, 4);
    }
    let head = server.requests.recv().await.expect("a request");
    assert!(head.starts_with("get /metrics http/1.1\r\n"), "{head}");
    for header in [
        "accept: application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.6,\
         application/openmetrics-text;version=0.0.1;q=0.5,\
         text/plain;version=1.0.0;escaping=underscores;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
        "accept-encoding: gzip",
        "user-agent: ferroalloy-scrape/",
        "x-prometheus-scrape-timeout-seconds: 1.5",
    ] {
        assert!(head.contains(&format!("\r\n{header}")), "{header}\n{head}");
    }
    assert_eq!(
        server.connections.load(Ordering::Relaxed),
        1,
        "connections are kept"
    );
}

#[tokio::test]
async fn names_are_asked_for_as_configured() {
    for escaping in [
        Escaping::AllowUtf8,
        Escaping::Underscores,
        Escaping::Dots,
        Escaping::Values,
    ] {
        let mut server = Server::start(response("200 OK", &[TEXT], b"a 1\n")).await;
        let config = Config {
            escaping,
            ..Config::default()
        };
        assert!(Scraping::new(&server.url, config).once().await.error.is_none());
        let head = server.requests.recv().await.expect("a request");
        let wanted = format!("text/plain;version=1.0.0;escaping={};", escaping.as_str());
        assert!(head.contains(&wanted), "{head}");
    }
}

#[tokio::test]
async fn compressed_bodies_are_inflated() {
    let body = numbered(1000);
    let encoded = gzip(body.as_bytes());
    let good = response("200 OK", &[TEXT, ("Content-Encoding", "gzip")], &encoded);
    let outcome = scrape(
        good.clone(),
        Config {
            extra_metrics: true,
            ..Config::default()
        },
    )
    .await;
    assert_eq!(lines(&outcome.batch).len(), 1000);
    assert_eq!(
        report(&outcome.batch, "scrape_body_size_bytes"),
        Some(body.len() as f64)
    );

    // Exactly the limit fails, and says so.
    let limited = |limit| Config {
        body_size_limit: limit,
        extra_metrics: true,
        ..Config::default()
    };
    let outcome = scrape(good.clone(), limited(body.len())).await;
    assert_eq!(outcome.error.map(|e| e.kind()), Some(ErrorKind::BodySize));
    assert_eq!(report(&outcome.batch, "scrape_body_size_bytes"), Some(-1.0));
    assert!(
        scrape(good.clone(), limited(body.len() + 1))
            .await
            .error
            .is_none()
    );

    let cut = response(
        "200 OK",
        &[TEXT, ("Content-Encoding", "gzip")],
        &encoded[..encoded.len() / 2],
    );
    assert_eq!(
        scrape(cut, Config::default()).await.error.map(|e| e.kind()),
        Some(ErrorKind::Encoding)
    );
    let unasked = scrape(
        good,
        Config {
            enable_compression: false,
            ..Config::default()
        },
    )
    .await;
    assert_eq!(unasked.error.map(|e| e.kind()), Some(ErrorKind::Encoding));
}

#[tokio::test]
async fn what_is_not_a_good_answer_fails_with_the_reason() {
    let html = ("Content-Type", "text/html");
    let openmetrics = ("Content-Type", "application/openmetrics-text; version=1.0.0");
    let fallback = Config {
        fallback_protocol: Protocol::named("PrometheusText0.0.4").ok(),
        ..Config::default()
    };
    for (response, config, kind, message) in [
        (
            response("500 Oops", &[TEXT], b"a 1\n"),
            Config::default(),
            ErrorKind::Status,
            "500",
        ),
        (
            response("206 Partial", &[TEXT], b"a 1\n"),
            Config::default(),
            ErrorKind::Status,
            "206",
        ),
        (
            response("200 OK", &[], b"a 1\n"),
            Config::default(),
            ErrorKind::ContentType,
            "no Content-Type",
        ),
        (
            response("200 OK", &[html], b"<html>"),
            Config::default(),
            ErrorKind::ContentType,
            "text/html",
        ),
        (
            response("200 OK", &[html], b"<html>"),
            fallback.clone(),
            ErrorKind::Parse,
            "line 1, column 1",
        ),
        (
            response("200 OK", &[TEXT, ("Content-Encoding", "br")], b"x"),
            Config::default(),
            ErrorKind::Encoding,
            "br",
        ),
        (
            response("200 CUT", &[TEXT], b"a 1\n").replacen_length(),
            Config::default(),
            ErrorKind::Transport,
            "scraped",
        ),
        (
            response("200 OK", &[TEXT], b"a 12345\n"),
            Config {
                body_size_limit: 8,
                ..Config::default()
            },
            ErrorKind::BodySize,
            "larger",
        ),
    ] {
        let outcome = scrape(response, config).await;
        let error = outcome.error.expect(message);
        assert_eq!(error.kind(), kind, "{}", chain(&error));
        assert!(chain(&error).contains(message), "{}", chain(&error));
        assert_eq!(report(&outcome.batch, "up"), Some(0.0));
    }
    for good in [
        scrape(response("200 OK", &[], b"a 1\n"), fallback.clone()).await,
        scrape(response("200 OK", &[html], b""), Config::default()).await,
    ] {
        assert!(good.error.is_none(), "{:?}", good.error);
    }
    let named = response("200 OK", &[openmetrics], b"a 1\n# EOF\n");
    let outcome = scrape(named, fallback).await;
    assert_eq!(lines(&outcome.batch), ["a 1"], "{:?}", outcome.error);
}

trait Damage {
    /// The same response with a Content-Length larger than its body.
    fn replacen_length(self) -> Self;
}

impl Damage for Vec<u8> {
    fn replacen_length(self) -> Self {
        String::from_utf8(self)
            .expect("text")
            .replace("Content-Length: 4", "Content-Length: 99")
            .into_bytes()
    }
}

#[tokio::test]
async fn a_target_that_stalls_runs_into_the_deadline() {
    // The head promises a body that never comes.
    let server = Server::start(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\na 1\n".to_vec(),
    )
    .await;
    let mut scraping = Scraping::new(&server.url, Config::default());
    let clock = scraping.clock.clone();
    let ((), outcome) = tokio::join!(
        async {
            clock.wait_for_sleepers(1).await;
            clock.advance(Duration::from_secs(10));
        },
        scraping.once(),
    );
    assert!(outcome.error.is_some_and(|error| error.is_timeout()));
    assert_eq!(report(&outcome.batch, "scrape_duration_seconds"), Some(10.0));
}

#[tokio::test]
async fn nobody_there_is_an_error_with_its_cause() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/metrics", listener.local_addr().expect("an address"));
    drop(listener);
    let outcome = Scraping::new(&url, Config::default()).once().await;
    let error = outcome.error.expect("refused");
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(chain(&error).contains("127.0.0.1"), "{}", chain(&error));
}
