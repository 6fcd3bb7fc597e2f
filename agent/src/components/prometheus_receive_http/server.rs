//! The server of `prometheus.receive_http`: one path, two messages.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use ferroalloy_model::clock::timeout;
use ferroalloy_model::{Clock, Committed, Families, Fanout, MetricKind, Receiver as _};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use remote_write::{Intake, Limits, Received, Version, decode_v1, decode_v2};
use tokio::sync::Semaphore;

/// Where requests go.
pub(super) const PATH: &str = "/api/v1/metrics/write";

/// Bytes of a compressed body, at most.
const BODY_AT_MOST: usize = 16 << 20;

/// Bytes of compressed bodies that are held at the same time, at most: clients that are slow on purpose are not to take all memory.
pub(super) const HELD_AT_MOST: usize = 128 << 20;

/// What requests share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) next: Fanout,
    pub(super) intake: Intake,
    pub(super) accepted: Mutex<Vec<Version>>,
    pub(super) counters: Counters,
    /// How many messages are decoded at the same time.
    pub(super) decoding: Semaphore,
    /// Bytes of the bodies that are being read or decoded.
    pub(super) held: AtomicUsize,
}

/// Messages that are decoded at the same time; the others wait.
const DECODED_AT_ONCE: usize = 2;

#[derive(Debug, Default)]
pub(super) struct Counters {
    requests: AtomicU64,
    refused: AtomicU64,
    samples: AtomicU64,
}

/// How long the parts of a request may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) read: Duration,
    pub(super) write: Duration,
}

/// Answers one request.
pub(super) async fn answer(
    request: Request<Incoming>,
    shared: &Shared,
    clock: &dyn Clock,
    times: Times,
) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    if head.uri.path() != PATH {
        return plain(StatusCode::NOT_FOUND, format!("samples are taken at {PATH}"));
    }
    if head.method != Method::POST {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, format!("{PATH} takes POST alone"));
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    let counters = &shared.counters;
    counters.requests.fetch_add(1, Ordering::Relaxed);
    let (status, words, received) = match whole(body, &shared.held, clock, times.read).await {
        Ok(body) => {
            let taken = timeout(clock, times.write, take(shared, &head.headers, &body.bytes));
            match taken.await {
                Ok(Ok(received)) => match &received.refused {
                    None => (StatusCode::NO_CONTENT, String::new(), received),
                    Some(error) => (StatusCode::BAD_REQUEST, error.to_string(), received),
                },
                Ok(Err((status, words))) => (status, words, Received::default()),
                Err(_) => {
                    let words = "passing the samples on took too long".to_owned();
                    (StatusCode::SERVICE_UNAVAILABLE, words, Received::default())
                }
            }
        }
        Err((status, words)) => (status, words, Received::default()),
    };
    if !status.is_success() {
        counters.refused.fetch_add(1, Ordering::Relaxed);
    }
    let written = (received.samples + received.histograms) as u64;
    counters.samples.fetch_add(written, Ordering::Relaxed);
    let mut response = plain(status, words);
    for (name, count) in [
        ("x-prometheus-remote-write-samples-written", received.samples),
        (
            "x-prometheus-remote-write-histograms-written",
            received.histograms,
        ),
        ("x-prometheus-remote-write-exemplars-written", received.exemplars),
    ] {
        response.headers_mut().insert(name, HeaderValue::from(count));
    }
    response
}

/// A body, and the room that it takes.
struct Whole<'a> {
    bytes: Vec<u8>,
    held: &'a AtomicUsize,
}

impl Drop for Whole<'_> {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}

/// Reads a body, or says why not.
async fn whole<'a>(
    body: Incoming,
    held: &'a AtomicUsize,
    clock: &dyn Clock,
    limit: Duration,
) -> Result<Whole<'a>, (StatusCode, String)> {
    if body.size_hint().lower() > BODY_AT_MOST as u64 {
        return Err(too_large());
    }
    let late = |_| {
        let words = "the body took too long to come".to_owned();
        (StatusCode::REQUEST_TIMEOUT, words)
    };
    timeout(clock, limit, read(body, held)).await.map_err(late)?
}

async fn read(mut body: Incoming, held: &AtomicUsize) -> Result<Whole<'_>, (StatusCode, String)> {
    let mut whole = Whole {
        bytes: Vec::new(),
        held,
    };
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            let words = format!("the body cannot be read: {error}");
            (StatusCode::BAD_REQUEST, words)
        })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if whole.bytes.len() + data.len() > BODY_AT_MOST {
            return Err(too_large());
        }
        let before = held.fetch_add(data.len(), Ordering::Relaxed);
        whole.bytes.extend_from_slice(&data);
        if before + data.len() > HELD_AT_MOST {
            let words = "too much is being received at present".to_owned();
            return Err((StatusCode::SERVICE_UNAVAILABLE, words));
        }
    }
    Ok(whole)
}

fn too_large() -> (StatusCode, String) {
    let words = format!("the body has more than {BODY_AT_MOST} bytes");
    (StatusCode::PAYLOAD_TOO_LARGE, words)
}

/// A response with some words, and a line break behind them.
fn plain(status: StatusCode, mut words: String) -> Response<Full<Bytes>> {
    if !words.is_empty() {
        words.push('\n');
    }
    let mut response = Response::new(Full::new(Bytes::from(words)));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

impl Shared {
    pub(super) fn new(
        next: Vec<Arc<dyn ferroalloy_model::Receiver>>,
        origin: &str,
        accepted: Vec<Version>,
    ) -> Self {
        Self {
            next: Fanout::new(next),
            intake: Intake::new(origin),
            accepted: Mutex::new(accepted),
            counters: Counters::default(),
            decoding: Semaphore::new(DECODED_AT_ONCE),
            held: AtomicUsize::new(0),
        }
    }
}

/// Takes a request, or says with which status it is refused and why.
async fn take(shared: &Shared, headers: &HeaderMap, body: &[u8]) -> Result<Received, (StatusCode, String)> {
    let header = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let encoding = header("content-encoding");
    if !matches!(encoding, "" | "snappy") {
        let words = format!("the content encoding {encoding:?} is not supported, snappy is");
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, words));
    }
    let version = version(header("content-type"));
    let accepted = shared
        .accepted
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    let Some(version) = version.filter(|version| accepted.contains(version)) else {
        let words = format!(
            "the content type {:?} is not accepted here",
            header("content-type")
        );
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, words));
    };
    // A message may be some hundred times as large as its body.
    let _decoding = shared.decoding.acquire().await;
    let limits = Limits::default();
    let received = match version {
        Version::V1 => decode_v1(body, &limits).and_then(|request| shared.intake.v1(&request)),
        Version::V2 => decode_v2(body, &limits).map(|request| shared.intake.v2(&request)),
    };
    let received = received.map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    for batch in &received.batches {
        if shared.next.accept(batch).await == Committed::Refused {
            let words = "what the samples are passed on to does not take them now".to_owned();
            return Err((StatusCode::SERVICE_UNAVAILABLE, words));
        }
    }
    Ok(received)
}

/// The message that a content type names.
fn version(content_type: &str) -> Option<Version> {
    let mut parts = content_type.split(';').map(str::trim);
    if parts.next()? != "application/x-protobuf" {
        return None;
    }
    match parts.find_map(|part| part.strip_prefix("proto=")) {
        None | Some("prometheus.WriteRequest") => Some(Version::V1),
        Some("io.prometheus.write.v2.Request") => Some(Version::V2),
        Some(_) => None,
    }
}

impl Counters {
    pub(super) fn collect(&self, out: &mut Families) {
        for (name, help, value) in [
            (
                "prometheus_receive_http_requests_total",
                "Requests to the remote-write path.",
                &self.requests,
            ),
            (
                "prometheus_receive_http_requests_refused_total",
                "Requests that were refused, whole or in part.",
                &self.refused,
            ),
            (
                "prometheus_receive_http_samples_total",
                "Samples and native histograms that were passed on.",
                &self.samples,
            ),
        ] {
            let value = value.load(Ordering::Relaxed) as f64;
            out.single(name, help, MetricKind::Counter, value);
        }
    }
}

#[cfg(test)]
mod tests;
