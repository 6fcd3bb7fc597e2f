//! The server as clients see it, good ones and bad.

use std::net::SocketAddr;

use ferroalloy_http_client::TlsConfig;
use ferroalloy_model::{Batch, Commit, Labels, ManualClock, Receiver, SystemClock};
use rcgen::{CertificateParams, KeyPair};
use remote_write::{Client, Encoder, Endpoint, ErrorKind};
use river_syntax::{EmptyScope, SourceMap};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::super::arguments::Http;
use super::super::listen;
use super::*;
use crate::error::Error;

/// Keeps what it is given, in words.
#[derive(Debug, Default)]
struct Kept(Mutex<Vec<String>>);

impl Receiver for Kept {
    fn accept(&self, batch: &Batch) -> Commit {
        let mut kept = self.0.lock().unwrap();
        batch.for_each_sample(|row| {
            let series = batch.layout().series(row.slot as usize);
            kept.push(format!("{series} {} {}", row.value, row.timestamp));
        });
        Commit::done(Committed::Memory)
    }
}

/// A server, and what it has passed on.
struct Server {
    address: SocketAddr,
    kept: Arc<Kept>,
    shared: Arc<Shared>,
    stop: CancellationToken,
    serving: JoinHandle<Result<(), Error>>,
}

impl Server {
    /// `http` is what stands in the block `http`.
    async fn start(http: &str, clock: Arc<dyn Clock>) -> Self {
        let kept = Arc::new(Kept::default());
        let shared = Arc::new(Shared::new(
            vec![Arc::clone(&kept) as _],
            "test",
            vec![Version::V1, Version::V2],
        ));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let (http, serves, stops) = (decoded(http), Arc::clone(&shared), stop.clone());
        let serving = tokio::spawn(async move {
            let deadline = Duration::from_secs(10);
            listen::serve(listener, &http, serves, stops, deadline, clock).await
        });
        Self {
            address,
            kept,
            shared,
            stop,
            serving,
        }
    }

    async fn real(http: &str) -> Self {
        Self::start(http, Arc::new(SystemClock)).await
    }

    fn client(&self, scheme: &str, tls: TlsConfig) -> Client {
        let mut endpoint = Endpoint::new(format!("{scheme}://{}{PATH}", self.address));
        endpoint.http.tls = tls;
        Client::new(&endpoint, "test/1.0", Arc::new(SystemClock)).unwrap()
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn stopped(self) {
        self.stop.cancel();
        self.serving.await.unwrap().unwrap();
    }
}

fn decoded(http: &str) -> Http {
    let mut sources = SourceMap::new();
    let source = sources.add("test", http);
    let (file, diagnostics) = river_syntax::parse(&source);
    assert_eq!(diagnostics, []);
    river_syntax::decode_body(file.body(), &EmptyScope).unwrap()
}

fn body(version: Version) -> remote_write::Body {
    let labels = Labels::from_pairs([("__name__", "m"), ("a", "b")]);
    let mut encoder = Encoder::for_version(version);
    // The order of arrival is the client's matter.
    encoder.sample(&labels, 2, 1.5).sample(&labels, 1, 2.5).finish()
}

/// What a plain client reads until the server has closed.
async fn exchange(stream: &mut TcpStream, request: &[u8]) -> String {
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    // A server that has said enough may close without reading the rest.
    let _reset = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

fn head(more: &str) -> String {
    format!(
        "POST {PATH} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Encoding: snappy\r\n\
         Content-Type: application/x-protobuf\r\n{more}\r\n"
    )
}

#[tokio::test]
async fn what_a_client_sends_is_passed_on_in_order() {
    let server = Server::real("").await;
    let client = server.client("http", TlsConfig::default());
    *server.shared.accepted.lock().unwrap() = vec![Version::V1];
    client.send(&body(Version::V1)).await.unwrap();
    let error = client.send(&body(Version::V2)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::VersionNotSpoken, "{error}");
    server.shared.accepted.lock().unwrap().push(Version::V2);
    let written = client.send(&body(Version::V2)).await.unwrap();
    assert_eq!(written.samples, 2);
    let nameless = Encoder::new()
        .sample(&Labels::from_pairs([("a", "b")]), 1, 1.0)
        .finish();
    let error = client.send(&nameless).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("400: the series {a=\"b\"} has no name"),
        "{error}"
    );
    let twice = ["m{a=\"b\"} 1.5 2", "m{a=\"b\"} 2.5 1"];
    assert_eq!(*server.kept.0.lock().unwrap(), [twice, twice].concat());
    server.stopped().await;
}

#[tokio::test]
async fn a_success_is_204_with_counts() {
    let server = Server::real("").await;
    let body = body(Version::V1);
    let request = [
        head(&format!("Content-Length: {}\r\n", body.bytes().len())).as_bytes(),
        body.bytes(),
    ]
    .concat();
    let answer = exchange(&mut server.connect().await, &request).await;
    assert!(answer.starts_with("HTTP/1.1 204 No Content\r\n"), "{answer}");
    assert!(
        answer.contains("x-prometheus-remote-write-samples-written: 2\r\n"),
        "{answer}"
    );
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    server.stopped().await;
}

#[tokio::test]
async fn refusals_say_why() {
    let server = Server::real("").await;
    for (request, status, words) in [
        (
            b"POST /other HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".to_vec(),
            404,
            "samples are taken at /api/v1/metrics/write",
        ),
        (
            format!("GET {PATH} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").into_bytes(),
            405,
            "takes POST alone",
        ),
        (
            head("Content-Length: 99999999999\r\n").into_bytes(),
            413,
            "the body has more than 16777216 bytes",
        ),
        (
            [head("Content-Length: 3\r\n").as_bytes(), b"\xff\xff\xff"].concat(),
            400,
            "the body is not a snappy block",
        ),
        (
            [
                head("Content-Length: 6\r\n").as_bytes(),
                b"\xff\xff\xff\xff\x0f\0",
            ]
            .concat(),
            400,
            "the message would have 4294967295 bytes, the limit is 33554432",
        ),
        (
            head("Content-Length: 0\r\n")
                .replace("application/x-protobuf", "application/json")
                .into_bytes(),
            415,
            "the content type \"application/json\" is not accepted here",
        ),
        (
            head("Content-Length: 0\r\n")
                .replace("snappy", "gzip")
                .into_bytes(),
            415,
            "the content encoding \"gzip\" is not supported, snappy is",
        ),
    ] {
        let answer = exchange(&mut server.connect().await, &request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains(words), "{answer}");
    }
    server.stopped().await;
}

#[tokio::test]
async fn a_body_without_an_end_is_given_up_at_the_limit() {
    let server = Server::real("").await;
    let mut stream = server.connect().await;
    stream
        .write_all(head("Transfer-Encoding: chunked\r\n").as_bytes())
        .await
        .unwrap();
    let chunk = [b"10000\r\n", vec![0; 0x10000].as_slice(), b"\r\n"].concat();
    while stream.write_all(&chunk).await.is_ok() {}
    // The server has answered and closed.
    server.stopped().await;
}

#[tokio::test]
async fn bodies_share_what_room_there_is() {
    let server = Server::real("").await;
    let held = &server.shared.held;
    // Others have brought all but two bytes of it.
    held.store(HELD_AT_MOST - 2, Ordering::Relaxed);
    let request = [head("Content-Length: 3\r\n").as_bytes(), b"\xff\xff\xff"].concat();
    let answer = exchange(&mut server.connect().await, &request).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(
        answer.ends_with("too much is being received at present\n"),
        "{answer}"
    );
    assert_eq!(held.load(Ordering::Relaxed), HELD_AT_MOST - 2);
    held.store(0, Ordering::Relaxed);
    server
        .client("http", TlsConfig::default())
        .send(&body(Version::V1))
        .await
        .unwrap();
    assert_eq!(held.load(Ordering::Relaxed), 0);
    server.stopped().await;
}

#[tokio::test]
async fn connections_beyond_the_limit_wait() {
    let server = Server::real("conn_limit = 1").await;
    let client = server.client("http", TlsConfig::default());
    client.send(&body(Version::V1)).await.unwrap();
    // The first client's connection is idle, and the only one.
    let mut second = server.connect().await;
    second
        .write_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    client.send(&body(Version::V1)).await.unwrap();
    let mut nothing = [0; 1];
    assert!(
        second.try_read(&mut nothing).is_err(),
        "it is not served before the other has ended"
    );
    drop(client);
    let answer = exchange(&mut second, b"").await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    server.stopped().await;
}

#[tokio::test]
async fn slow_clients_are_cut_off() {
    let clock = ManualClock::new(0);
    let limits = "server_read_timeout = \"5s\"\nserver_idle_timeout = \"60s\"";
    let server = Server::start(limits, Arc::new(clock.clone())).await;
    // Half a head.
    let mut stream = server.connect().await;
    stream.write_all(b"POST /").await.unwrap();
    clock.wait_for_sleepers(1).await;
    clock.advance(Duration::from_secs(5));
    assert_eq!(exchange(&mut stream, b"").await, "");
    // Half a body.
    let mut stream = server.connect().await;
    let half = [head("Content-Length: 10\r\n").as_bytes(), b"12345"].concat();
    stream.write_all(&half).await.unwrap();
    // Its connection's and its request's.
    clock.wait_for_sleepers(2).await;
    clock.advance(Duration::from_secs(5));
    let answer = exchange(&mut stream, b"").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.ends_with("the body took too long to come\n"), "{answer}");
    server.stopped().await;
}

#[tokio::test]
async fn a_stop_lets_requests_finish_and_closes_what_is_idle() {
    let server = Server::real("").await;
    let client = server.client("http", TlsConfig::default());
    client.send(&body(Version::V1)).await.unwrap();
    let body = body(Version::V2);
    let request = [
        head(&format!("Content-Length: {}\r\n", body.bytes().len()))
            .replace(
                "application/x-protobuf",
                "application/x-protobuf;proto=io.prometheus.write.v2.Request",
            )
            .as_bytes(),
        body.bytes(),
    ]
    .concat();
    let mut stream = server.connect().await;
    let (first, rest) = request.split_at(request.len() - 1);
    stream.write_all(first).await.unwrap();
    // The head has been read once the request is counted.
    while server.shared.counters.requests.load(Ordering::Relaxed) < 2 {
        tokio::task::yield_now().await;
    }
    server.stop.cancel();
    let answer = exchange(&mut stream, rest).await;
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
    let kept = Arc::clone(&server.kept);
    server.stopped().await;
    assert_eq!(kept.0.lock().unwrap().len(), 4);
}

struct Identity {
    cert: String,
    key: String,
}

fn identity(name: &str) -> Identity {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    Identity {
        cert: certificate.pem(),
        key: key.serialize_pem(),
    }
}

#[tokio::test]
async fn tls_with_clients_certificates_and_files_that_change() {
    let (old, new, agent) = (identity("localhost"), identity("localhost"), identity("agent"));
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("cert"), &old.cert).unwrap();
    std::fs::write(path("key"), &old.key).unwrap();
    let server = Server::real(&format!(
        "tls {{\n  cert_file = {:?}\n  key_file = {:?}\n  client_auth_type = \"RequireAndVerifyClientCert\"\n  \
         client_ca = {:?}\n  min_version = \"TLS13\"\n}}",
        path("cert"),
        path("key"),
        agent.cert
    ))
    .await;
    let tls = |ca: &Identity, own: Option<&Identity>| TlsConfig {
        ca_pem: Some(ca.cert.clone()),
        server_name: Some("localhost".into()),
        cert_pem: own.map(|own| own.cert.clone()),
        key_pem: own.map(|own| own.key.as_str().into()),
        ..TlsConfig::default()
    };
    let body = body(Version::V2);
    let known = server.client("https", tls(&old, Some(&agent)));
    assert_eq!(known.send(&body).await.unwrap().samples, 2);
    for own in [None, Some(&new)] {
        let stranger = server.client("https", tls(&old, own));
        stranger.send(&body).await.unwrap_err();
    }
    // Half of the change is no reason to stop.
    std::fs::write(path("cert"), &new.cert).unwrap();
    let again = server.client("https", tls(&old, Some(&agent)));
    again.send(&body).await.unwrap();
    std::fs::write(path("key"), &new.key).unwrap();
    let renewed = server.client("https", tls(&new, Some(&agent)));
    renewed.send(&body).await.unwrap();
    server.stopped().await;
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_an_error_at_the_start() {
    let tls = "tls {\n  cert_file = \"/nowhere\"\n  key_pem = \"\"\n}";
    let server = Server::real(tls).await;
    let error = server.serving.await.unwrap().unwrap_err();
    assert!(error.to_string().contains("cannot read /nowhere"), "{error}");
}

#[test]
fn a_content_type_names_the_message() {
    for (content_type, expected) in [
        ("application/x-protobuf", Some(Version::V1)),
        (
            "application/x-protobuf;proto=prometheus.WriteRequest",
            Some(Version::V1),
        ),
        (
            "application/x-protobuf; proto=io.prometheus.write.v2.Request",
            Some(Version::V2),
        ),
        ("application/x-protobuf;proto=other", None),
        ("text/plain", None),
        ("", None),
    ] {
        assert_eq!(version(content_type), expected, "{content_type}");
    }
}
