//! Real receivers, which end with their values.

use std::env;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use ferroalloy_http_client as http_client;
use serde_json::Value;

/// A Prometheus or a VictoriaMetrics with a folder of its own.
pub(crate) struct Peer {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Peer {
    /// The Prometheus that `FERROALLOY_PROMETHEUS` names. `None`, and a line that says so, where it names none.
    pub(crate) fn prometheus(receiver: bool) -> Option<Self> {
        Self::start_prometheus("", receiver)
    }

    /// One with this configuration, which receives.
    #[cfg(feature = "durable")]
    pub(crate) fn prometheus_with(config: &str) -> Option<Self> {
        Self::start_prometheus(config, true)
    }

    fn start_prometheus(text: &str, receiver: bool) -> Option<Self> {
        Self::start("FERROALLOY_PROMETHEUS", |command, folder, port| {
            let config = folder.join("prometheus.yml");
            std::fs::write(&config, text).unwrap();
            command
                .arg(format!("--config.file={}", config.display()))
                .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
                .arg(format!("--web.listen-address=127.0.0.1:{port}"))
                .arg("--enable-feature=native-histograms,exemplar-storage");
            if receiver {
                command.arg("--web.enable-remote-write-receiver");
            }
        })
    }

    /// The VictoriaMetrics that `FERROALLOY_VICTORIA_METRICS` names.
    pub(crate) fn victoria_metrics() -> Option<Self> {
        Self::start("FERROALLOY_VICTORIA_METRICS", |command, folder, port| {
            command
                .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
                .arg(format!("-storageDataPath={}", folder.display()))
                .arg("-search.latencyOffset=0s");
        })
    }

    fn start(variable: &str, arguments: impl FnOnce(&mut Command, &Path, u16)) -> Option<Self> {
        let Some(binary) = env::var_os(variable).filter(|path| !path.is_empty()) else {
            #[expect(clippy::print_stdout, reason = "it says that it skips")]
            {
                println!("skipped: {variable} does not name a binary");
            }
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        // The port is free again when the listener is dropped, and nobody else is told of it.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let mut command = Command::new(binary);
        arguments(&mut command, folder.path(), port);
        let process = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Some(Self {
            process,
            port,
            _folder: folder,
        })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) async fn get(&self, path: &str) -> String {
        let request = http_client::Request {
            method: http::Method::GET,
            uri: self.url(path).parse().unwrap(),
            headers: http::HeaderMap::new(),
            body: Bytes::new(),
        };
        let client = http_client::Client::new(&http_client::Config::default()).unwrap();
        let answer = client.send(&request, 16 << 20).await.unwrap();
        String::from_utf8(answer.body.to_vec()).unwrap()
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{path}: {error}: {answer}"))
    }

    /// The series that an instant query gives, at a time in milliseconds since 1970.
    pub(crate) async fn query(&self, query: &str, at: i64) -> Vec<Value> {
        let time = at as f64 / 1_000.0;
        let path = format!("/api/v1/query?query={query}&time={time}&nocache=1");
        let mut answer = self.json(&path).await;
        match answer["data"]["result"].take() {
            Value::Array(series) => series,
            other => panic!("{query}: {other} in {answer}"),
        }
    }

    /// The value of the one series that an instant query gives; `None` if there is no series.
    pub(crate) async fn value(&self, query: &str, at: i64) -> Option<f64> {
        let series = self.query(query, at).await;
        assert!(series.len() < 2, "{query}: {series:?}");
        let text = series.first()?["value"][1].as_str().unwrap().to_owned();
        Some(text.parse().unwrap_or_else(|_| panic!("{query}: {text}")))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

/// Seconds, as both of them tell times, in milliseconds.
#[expect(clippy::cast_possible_truncation, reason = "it is a time of this century")]
pub(crate) fn millis(seconds: &Value) -> i64 {
    (seconds.as_f64().unwrap() * 1_000.0).round() as i64
}
