//! The whole path against a real Prometheus, named by `FERROALLOY_PROMETHEUS`.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use hyper::StatusCode;
use tokio::net::TcpListener;

use crate::support::{Agent, Sink, get};

/// A Prometheus of its own, which ends with the value.
struct Prometheus {
    process: Child,
    binary: String,
    address: SocketAddr,
    folder: tempfile::TempDir,
}

impl Prometheus {
    /// `None`, and a line that says so, where no binary is named.
    async fn start() -> Option<Self> {
        Self::configured(|_| "global: {}\n".to_owned()).await
    }

    /// With a configuration that may name its own address.
    async fn configured(config: impl FnOnce(SocketAddr) -> String) -> Option<Self> {
        let Some(binary) = std::env::var("FERROALLOY_PROMETHEUS")
            .ok()
            .filter(|path| !path.is_empty())
        else {
            println!("skipped: FERROALLOY_PROMETHEUS does not name a prometheus binary");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let address = free_address().await;
        std::fs::write(folder.path().join("prometheus.yml"), config(address)).unwrap();
        let process = Self::spawn(&binary, &folder, address);
        let prometheus = Self {
            process,
            binary,
            address,
            folder,
        };
        prometheus.ready().await;
        Some(prometheus)
    }

    fn spawn(binary: &str, folder: &tempfile::TempDir, address: SocketAddr) -> Child {
        Command::new(binary)
            .arg(format!(
                "--config.file={}",
                folder.path().join("prometheus.yml").display()
            ))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .arg("--web.enable-remote-write-receiver")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    async fn ready(&self) {
        loop {
            if tokio::net::TcpStream::connect(self.address).await.is_ok()
                && get(self.address, "/-/ready", &[]).await.0 == StatusCode::OK
            {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    async fn start_again(&mut self) {
        self.process = Self::spawn(&self.binary, &self.folder, self.address);
        self.ready().await;
    }

    fn url(&self) -> String {
        format!("http://{}/api/v1/write", self.address)
    }

    /// The result of an instant query.
    async fn query(&self, query: &str) -> Vec<serde_json::Value> {
        let (_, _, body) = get(self.address, &format!("/api/v1/query?query={query}"), &[]).await;
        let mut answer: serde_json::Value = serde_json::from_slice(&body).unwrap();
        match answer["data"]["result"].take() {
            serde_json::Value::Array(result) => result,
            other => panic!("{query}: {other}: {answer}"),
        }
    }

    async fn wait_for(
        &self,
        query: &str,
        wanted: impl Fn(&[serde_json::Value]) -> bool,
    ) -> Vec<serde_json::Value> {
        loop {
            let result = self.query(query).await;
            if wanted(&result) {
                return result;
            }
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The port is free again when the listener is dropped, and nobody else is told of it.
async fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

fn config(prometheus: &Prometheus, second: &str) -> String {
    format!(
        r#"
prometheus.exporter.unix "local" {{ }}

prometheus.scrape "unix_metrics" {{
  targets         = prometheus.exporter.unix.local.targets
  forward_to      = [prometheus.remote_write.prometheus.receiver]
  scrape_interval = "500ms"
}}

prometheus.scrape "prometheus_metrics" {{
  targets         = [{{ __address__ = "{}" }}]
  forward_to      = [prometheus.remote_write.prometheus.receiver]
  scrape_interval = "500ms"
}}

prometheus.remote_write "prometheus" {{
  endpoint {{
    url = "{}"
    queue_config {{
      batch_send_deadline = "100ms"
    }}
  }}
  endpoint {{
    url     = "{second}"
    headers = {{ "X-Scope-OrgID" = "demo" }}
    queue_config {{
      batch_send_deadline = "100ms"
    }}
  }}
}}
"#,
        prometheus.address,
        prometheus.url()
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_prometheus_answers_with_what_was_scraped() {
    let Some(prometheus) = Prometheus::start().await else {
        return;
    };
    let mut tenant = Sink::start().await;
    let agent = Agent::start(&config(&prometheus, &tenant.url())).await;

    let up = prometheus.wait_for("up==1", |result| result.len() == 2).await;
    let jobs: Vec<&str> = up
        .iter()
        .filter_map(|series| series["metric"]["job"].as_str())
        .collect();
    assert!(
        jobs.contains(&"integrations/unix") && jobs.contains(&"prometheus.scrape.prometheus_metrics"),
        "{jobs:?}"
    );
    let cpu = prometheus
        .wait_for("node_cpu_seconds_total", |result| !result.is_empty())
        .await;
    assert!(
        cpu.iter().any(|series| series["metric"]["mode"] == "idle"),
        "{cpu:?}"
    );
    if cfg!(target_os = "linux") {
        prometheus
            .wait_for("node_memory_MemAvailable_bytes", |result| result.len() == 1)
            .await;
    }
    let (headers, _) = tenant.next().await;
    assert_eq!(headers["x-scope-orgid"], "demo");
    tenant.wait_for("up{").await;
    agent.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_prometheus_that_was_away_gets_what_it_missed() {
    let Some(mut prometheus) = Prometheus::start().await else {
        return;
    };
    let mut tenant = Sink::start().await;
    let agent = Agent::start(&config(&prometheus, &tenant.url())).await;
    prometheus.wait_for("up==1", |result| result.len() == 2).await;

    prometheus.stop();
    // The other endpoint goes on, and says how far: ten scrapes while Prometheus is away.
    let mut missed = Vec::new();
    while missed.len() < 10 {
        let up = tenant
            .wait_until(|s| s.series.starts_with("up{") && s.series.contains("integrations/unix"))
            .await;
        missed.push(up.timestamp);
    }
    prometheus.start_again().await;
    let (first, last) = (missed[1], missed[9]);
    let range = format!(
        "/api/v1/query?query=up%7Bjob=%22integrations/unix%22%7D%5B{}ms%5D&time={}.{:03}",
        last - first + 1,
        last / 1000,
        last % 1000
    );
    loop {
        let (_, _, body) = get(prometheus.address, &range, &[]).await;
        let answer: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let values = answer["data"]["result"][0]["values"]
            .as_array()
            .map_or(0, Vec::len);
        if values >= 9 {
            break;
        }
        tokio::task::yield_now().await;
    }
    agent.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_prometheus_sends_to_receive_http() {
    for message in ["prometheus.WriteRequest", "io.prometheus.write.v2.Request"] {
        let mut sink = Sink::start().await;
        let receiver = free_address().await;
        let agent = Agent::start(&format!(
            r#"
prometheus.receive_http "in" {{
  forward_to = [prometheus.remote_write.out.receiver]
  accepted_remote_write_protobuf_messages = ["{message}"]
  http {{
    listen_address = "127.0.0.1"
    listen_port    = {}
  }}
}}
prometheus.remote_write "out" {{
  endpoint {{
    url = "{}"
    queue_config {{
      batch_send_deadline = "20ms"
    }}
  }}
}}
"#,
            receiver.port(),
            sink.url()
        ))
        .await;
        let config = |own: SocketAddr| {
            format!(
                "global:\n  scrape_interval: 200ms\n  scrape_timeout: 200ms\n\
                 scrape_configs:\n- job_name: own\n  static_configs:\n  - targets: ['{own}']\n\
                 remote_write:\n- url: http://{receiver}/api/v1/metrics/write\n  protobuf_message: {message}\n  \
                 queue_config:\n    batch_send_deadline: 100ms\n"
            )
        };
        let Some(prometheus) = Prometheus::configured(config).await else {
            return;
        };
        let up = sink.wait_for("up{").await;
        assert_eq!(
            (up.series, up.value),
            (
                format!("up{{instance=\"{}\", job=\"own\"}}", prometheus.address),
                1.0
            )
        );
        let bucket = |sample: &crate::support::Arrived| {
            sample
                .series
                .starts_with("prometheus_http_request_duration_seconds_bucket{")
                && sample.series.contains("le=\"+Inf\"")
        };
        sink.wait_until(bucket).await;
        let (_, own) = agent.get("/metrics").await;
        let refused = own
            .lines()
            .find(|line| line.starts_with("prometheus_receive_http_requests_refused_total"));
        assert!(refused.unwrap().ends_with(" 0"), "{refused:?}");
        agent.app.shutdown().await;
    }
}
