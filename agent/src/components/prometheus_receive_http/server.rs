//! The server of `prometheus.receive_http`: one path, two messages.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use ferroalloy_model::{Clock, Committed, Families, Fanout, MetricKind, Receiver as _};
use remote_write::{Intake, Limits, Received, Version, decode_v1, decode_v2};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Where requests go.
pub(super) const PATH: &str = "/api/v1/metrics/write";

/// Bytes of a compressed body, at most.
const BODY_AT_MOST: usize = 16 << 20;

/// What requests share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) next: Fanout,
    pub(super) intake: Intake,
    pub(super) accepted: Mutex<Vec<Version>>,
    pub(super) counters: Counters,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    requests: AtomicU64,
    refused: AtomicU64,
    samples: AtomicU64,
}

/// Serves until `stop`, and then until requests have finished or `deadline` is over.
pub(super) async fn serve(
    listener: TcpListener,
    shared: Arc<Shared>,
    stop: CancellationToken,
    deadline: Duration,
    clock: Arc<dyn Clock>,
) -> std::io::Result<()> {
    let router = Router::new()
        .route(PATH, post(write))
        .layer(DefaultBodyLimit::max(BODY_AT_MOST))
        .with_state(shared);
    let serving = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    let late = async {
        stop.cancelled().await;
        clock.sleep(deadline).await;
    };
    tokio::select! {
        ended = serving => ended,
        () = late => Ok(()),
    }
}

async fn write(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let counters = &shared.counters;
    counters.requests.fetch_add(1, Ordering::Relaxed);
    let (status, words, received) = match take(&shared, &headers, &body).await {
        Ok(received) => match &received.refused {
            None => (StatusCode::NO_CONTENT, String::new(), received),
            Some(error) => (StatusCode::BAD_REQUEST, format!("{error}\n"), received),
        },
        Err((status, words)) => (status, format!("{words}\n"), Received::default()),
    };
    if !status.is_success() {
        counters.refused.fetch_add(1, Ordering::Relaxed);
    }
    let written = (received.samples + received.histograms) as u64;
    counters.samples.fetch_add(written, Ordering::Relaxed);
    let counts = [
        ("X-Prometheus-Remote-Write-Samples-Written", received.samples),
        (
            "X-Prometheus-Remote-Write-Histograms-Written",
            received.histograms,
        ),
        ("X-Prometheus-Remote-Write-Exemplars-Written", received.exemplars),
    ];
    let counts = counts.map(|(name, count)| (name, count.to_string()));
    (status, counts, words).into_response()
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
mod tests {
    use ferroalloy_model::{Batch, Commit, Labels, Receiver, SystemClock};
    use remote_write::{Client, Encoder, Endpoint, ErrorKind};

    use super::*;

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

    #[tokio::test]
    async fn what_a_client_sends_is_passed_on_in_order() {
        let kept = Arc::new(Kept::default());
        let shared = Arc::new(Shared {
            next: Fanout::new(vec![Arc::clone(&kept) as _]),
            intake: Intake::new("test"),
            accepted: Mutex::new(vec![Version::V1]),
            counters: Counters::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}{PATH}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let clock = Arc::new(SystemClock);
        let serving = tokio::spawn(serve(
            listener,
            Arc::clone(&shared),
            stop.clone(),
            Duration::from_secs(1),
            Arc::clone(&clock) as _,
        ));
        let client = Client::new(&Endpoint::new(url), "test/1.0", clock).unwrap();
        let labels = Labels::from_pairs([("__name__", "m"), ("a", "b")]);
        let body = |version| {
            let mut encoder = Encoder::for_version(version);
            // The order of arrival is the client's matter.
            encoder.sample(&labels, 2, 1.5).sample(&labels, 1, 2.5).finish()
        };
        client.send(&body(Version::V1)).await.unwrap();
        let error = client.send(&body(Version::V2)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::VersionNotSpoken, "{error}");
        shared.accepted.lock().unwrap().push(Version::V2);
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
        assert_eq!(*kept.0.lock().unwrap(), [twice, twice].concat());
        stop.cancel();
        serving.await.unwrap().unwrap();
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
}
