//! Against Prometheus itself, when the environment variable `FERROALLOY_PROMETHEUS` names its binary.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use ferroalloy_http_client as http_client;
use ferroalloy_model::{Clock, Labels, Receiver as _, SystemClock};
use remote_write::Writer;

use crate::source::Source;
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
