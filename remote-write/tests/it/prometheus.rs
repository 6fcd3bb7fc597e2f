//! Against Prometheus itself, when the environment variable `FERROALLOY_PROMETHEUS` names its binary.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use ferroalloy_http_client as http_client;
use ferroalloy_model::{Clock, Labels, Receiver as _, SystemClock};
use remote_write::{Endpoint, Version, Writer};

use crate::source::Source;
use crate::versions::everything;
use crate::{config, endpoint, failing, status_when};

struct Prometheus {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    fn start(binary: &PathBuf, receiver: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("prometheus.yml");
        std::fs::write(&config, "").unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut command = Command::new(binary);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.path().join("data").display()
            ))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--enable-feature=native-histograms,exemplar-storage")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if receiver {
            command.arg("--web.enable-remote-write-receiver");
        }
        Self {
            process: command.spawn().unwrap(),
            port,
            _folder: folder,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

#[tokio::test]
async fn prometheus_has_what_was_sent() {
    let Some(binary) = std::env::var_os("FERROALLOY_PROMETHEUS").map(PathBuf::from) else {
        println!("skipped: FERROALLOY_PROMETHEUS does not name a Prometheus binary");
        return;
    };
    let prometheus = Prometheus::start(&binary, true);
    let mut config = config([endpoint(&prometheus.url("/api/v1/write"))]);
    config.external_labels = Labels::from_pairs([("cluster", "it")]);
    let clock = Arc::new(SystemClock);
    let writer = Writer::new(config, clock.clone()).unwrap();
    let source = Source::new("pushed", 100);
    let now = clock.wall();
    for step in 0..10 {
        drop(writer.accept(&source.at(now - 10_000 + step * 1000)));
    }
    // Prometheus is still starting: the first tries are refused connections.
    assert_eq!(writer.shutdown(std::time::Duration::from_mins(1)).await, 0);

    // {cluster="it"}[1m]
    let query = "/api/v1/query?query=%7Bcluster%3D%22it%22%7D%5B1m%5D";
    let request = http_client::Request {
        method: http::Method::GET,
        uri: prometheus.url(query).parse().unwrap(),
        headers: http::HeaderMap::new(),
        body: Bytes::new(),
    };
    let client = http_client::Client::new(&http_client::Config::default()).unwrap();
    let answer = client.send(&request, 1 << 20).await.unwrap();
    let answer = String::from_utf8(answer.body.to_vec()).unwrap();
    assert_eq!(answer.matches("\"cluster\":\"it\"").count(), 100, "{answer}");
    assert_eq!(
        answer.matches("],[").count(),
        100 * 9,
        "ten samples of each series: {answer}"
    );
}

#[tokio::test]
async fn prometheus_without_the_receiver_is_explained() {
    let Some(binary) = std::env::var_os("FERROALLOY_PROMETHEUS").map(PathBuf::from) else {
        println!("skipped: FERROALLOY_PROMETHEUS does not name a Prometheus binary");
        return;
    };
    let prometheus = Prometheus::start(&binary, false);
    let writer = Writer::new(
        config([endpoint(&prometheus.url("/api/v1/write"))]),
        Arc::new(SystemClock),
    )
    .unwrap();
    drop(writer.accept(&Source::new("m", 1).at(1)));
    failing(&writer).await;
    let told = "--web.enable-remote-write-receiver";
    status_when(&writer, |status| format!("{:?}", status.health).contains(told)).await;
}

async fn get(url: &str) -> String {
    let request = http_client::Request {
        method: http::Method::GET,
        uri: url.parse().unwrap(),
        headers: http::HeaderMap::new(),
        body: Bytes::new(),
    };
    let client = http_client::Client::new(&http_client::Config::default()).unwrap();
    let answer = client.send(&request, 1 << 20).await.unwrap();
    String::from_utf8(answer.body.to_vec()).unwrap()
}

#[tokio::test]
async fn prometheus_has_histograms_and_exemplars_of_both_versions() {
    let Some(binary) = std::env::var_os("FERROALLOY_PROMETHEUS").map(PathBuf::from) else {
        println!("skipped: FERROALLOY_PROMETHEUS does not name a Prometheus binary");
        return;
    };
    for (version, schema) in [(Version::V1, 3), (Version::V2, 3), (Version::V2, -53)] {
        let prometheus = Prometheus::start(&binary, true);
        let clock = Arc::new(SystemClock);
        let writer = Writer::new(
            config([Endpoint {
                version,
                ..endpoint(&prometheus.url("/api/v1/write"))
            }]),
            clock.clone(),
        )
        .unwrap();
        drop(writer.accept(&everything(schema, clock.wall())));
        assert_eq!(writer.shutdown(std::time::Duration::from_mins(1)).await, 0);
        for (query, value) in [
            ("requests_total", "7"),
            ("histogram_count(latency)", "3"),
            ("histogram_sum(latency)", "3.5"),
        ] {
            let answer = get(&prometheus.url(&format!("/api/v1/query?query={query}"))).await;
            assert!(
                answer.contains(&format!(",\"{value}\"]")),
                "{version:?} {schema} {query}: {answer}"
            );
        }
        let query = "/api/v1/query_exemplars?query=requests_total&start=0&end=4000000000";
        let answer = get(&prometheus.url(query)).await;
        assert!(
            answer.contains("\"trace_id\":\"abc\""),
            "{version:?} {schema}: {answer}"
        );
    }
}

#[tokio::test]
async fn victoria_metrics_has_what_was_sent() {
    let Some(binary) = std::env::var_os("FERROALLOY_VICTORIA_METRICS").map(PathBuf::from) else {
        println!("skipped: FERROALLOY_VICTORIA_METRICS does not name a VictoriaMetrics binary");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let process = Command::new(binary)
        .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
        .arg(format!("-storageDataPath={}", folder.path().display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let victoria = Prometheus {
        process,
        port,
        _folder: folder,
    };
    let clock = Arc::new(SystemClock);
    for (version, name) in [(Version::V1, "first"), (Version::V2, "second")] {
        let writer = Writer::new(
            config([Endpoint {
                version,
                ..endpoint(&victoria.url("/api/v1/write"))
            }]),
            clock.clone(),
        )
        .unwrap();
        let now = clock.wall();
        drop(writer.accept(&Source::new(name, 1).at(now)));
        assert_eq!(writer.shutdown(std::time::Duration::from_mins(1)).await, 0);
        // What is flushed can be found, but not at once.
        let mut answer = String::new();
        while answer.is_empty() {
            get(&victoria.url("/internal/force_flush")).await;
            answer = get(&victoria.url(&format!("/api/v1/export?match%5B%5D={name}_0&start=0"))).await;
        }
        assert!(
            answer.contains(&format!("\"values\":[{now}]")),
            "{version:?}: {answer}"
        );
        assert!(
            answer.contains(&format!("\"timestamps\":[{now}]")),
            "{version:?}: {answer}"
        );
    }
}
