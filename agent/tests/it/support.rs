//! What several tests need: an agent in this process, a receiver, a target, and a plain HTTP client.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use ferroalloy::app::{App, Options};
use ferroalloy::config::ConfigSource;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use prost::Message;
use remote_write::proto::WriteRequest;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// An agent in this process, with a folder of its own.
pub(crate) struct Agent {
    pub(crate) app: App,
    pub(crate) folder: TempDir,
}

impl Agent {
    /// Starts an agent with a configuration.
    pub(crate) async fn start(config: &str) -> Self {
        Self::start_within(config, None).await
    }

    /// Starts one that may use so many bytes of memory.
    pub(crate) async fn start_within(config: &str, memory: Option<u64>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.alloy");
        std::fs::write(&path, config).unwrap();
        let mut options = options(&folder, ConfigSource::Path(path));
        options.memory_budget = memory.or(options.memory_budget);
        let app = App::start(options).await;
        Self {
            app: app.unwrap_or_else(|error| panic!("{error:?}")),
            folder,
        }
    }

    pub(crate) fn config_path(&self) -> PathBuf {
        self.folder.path().join("config.alloy")
    }

    /// Asks the agent's HTTP server.
    pub(crate) async fn get(&self, path: &str) -> (StatusCode, String) {
        let (status, _, body) = get(self.app.addresses()[0], path, &[]).await;
        (status, String::from_utf8_lossy(&body).into_owned())
    }
}

pub(crate) fn options(folder: &TempDir, config: ConfigSource) -> Options {
    Options {
        config,
        listen: "127.0.0.1:0".to_owned(),
        storage: folder.path().join("data"),
        stability: river_syntax::Stability::default(),
        memory_budget: Some(0),
    }
}

/// One GET over a connection of its own.
pub(crate) async fn get(
    address: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
) -> (StatusCode, hyper::HeaderMap, Bytes) {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let mut request = Request::builder().uri(path).header("host", address.to_string());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = sender
        .send_request(request.body(Full::<Bytes>::default()).unwrap())
        .await
        .unwrap();
    let (parts, body) = response.into_parts();
    (
        parts.status,
        parts.headers,
        body.collect().await.unwrap().to_bytes(),
    )
}

/// A server that answers each request by `answer`, until the test ends.
pub(crate) async fn serve<F>(answer: F) -> SocketAddr
where
    F: Fn(hyper::http::request::Parts, Bytes) -> Response<Full<Bytes>> + Send + Sync + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            let service = service_fn(move |request: Request<Incoming>| {
                let answer = Arc::clone(&answer);
                async move {
                    let (parts, body) = request.into_parts();
                    let body = body
                        .collect()
                        .await
                        .map(http_body_util::Collected::to_bytes)
                        .unwrap_or_default();
                    Ok::<_, Infallible>(answer(parts, body))
                }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    address
}

pub(crate) fn reply(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    Response::builder()
        .status(status)
        .header("content-type", "text/plain; version=0.0.4")
        .body(Full::new(body.into()))
        .unwrap()
}

/// A sample as it arrived.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Arrived {
    /// `name{label="value", ...}` in order of name.
    pub(crate) series: String,
    pub(crate) value: f64,
    pub(crate) timestamp: i64,
}

/// A remote-write 1.0 receiver that stores what it is sent.
pub(crate) struct Sink {
    pub(crate) address: SocketAddr,
    requests: mpsc::UnboundedReceiver<(hyper::HeaderMap, Vec<Arrived>)>,
    status: Arc<Mutex<StatusCode>>,
}

impl Sink {
    pub(crate) async fn start() -> Self {
        let (sender, requests) = mpsc::unbounded_channel();
        let status = Arc::new(Mutex::new(StatusCode::NO_CONTENT));
        let answer = Arc::clone(&status);
        let address = serve(move |parts, body| {
            let status = *answer.lock().unwrap();
            // What is refused has not arrived.
            if status.is_success() {
                let _ = sender.send((parts.headers, decode(&body)));
            }
            reply(
                status,
                if status.is_success() {
                    ""
                } else {
                    "refused by the test"
                },
            )
        })
        .await;
        Self {
            address,
            requests,
            status,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/api/v1/write", self.address)
    }

    /// What it answers from now on.
    pub(crate) fn answer(&self, status: StatusCode) {
        *self.status.lock().unwrap() = status;
    }

    pub(crate) async fn next(&mut self) -> (hyper::HeaderMap, Vec<Arrived>) {
        self.requests.recv().await.unwrap()
    }

    /// Waits for a sample whose series starts so.
    pub(crate) async fn wait_for(&mut self, series: &str) -> Arrived {
        self.wait_until(|sample| sample.series.starts_with(series)).await
    }

    pub(crate) async fn wait_until(&mut self, wanted: impl Fn(&Arrived) -> bool) -> Arrived {
        loop {
            let (_, samples) = self.next().await;
            if let Some(found) = samples.into_iter().find(&wanted) {
                return found;
            }
        }
    }
}

fn decode(body: &[u8]) -> Vec<Arrived> {
    let raw = snap::raw::Decoder::new().decompress_vec(body).unwrap();
    let request = WriteRequest::decode(&*raw).unwrap();
    let samples = request.timeseries.into_iter().flat_map(|series| {
        let mut name = String::new();
        let mut labels = Vec::new();
        for label in &series.labels {
            if label.name == "__name__" {
                name.clone_from(&label.value);
            } else {
                labels.push(format!("{}={:?}", label.name, label.value));
            }
        }
        let series_text = format!("{name}{{{}}}", labels.join(", "));
        series.samples.into_iter().map(move |sample| Arrived {
            series: series_text.clone(),
            value: sample.value,
            timestamp: sample.timestamp,
        })
    });
    samples.collect()
}
