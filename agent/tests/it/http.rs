//! The HTTP server's paths.

use std::io::Read;

use hyper::StatusCode;

use crate::support::{Agent, get};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probes_metrics_and_components() {
    let agent = Agent::start("prometheus.exporter.unix \"local\" { }\n").await;
    assert_eq!(agent.get("/-/ready").await.0, StatusCode::OK);
    let (status, body) = agent.get("/-/healthy").await;
    assert_eq!(
        (status, body.as_str()),
        (StatusCode::OK, "All Ferroalloy components are healthy.\n")
    );

    let (status, own) = agent.get("/metrics").await;
    assert_eq!(status, StatusCode::OK);
    for line in [
        "alloy_config_last_load_successful 1",
        "# TYPE process_cpu_seconds_total counter",
    ] {
        assert!(own.lines().any(|l| l == line), "{line} is not in\n{own}");
    }

    let (_, json) = agent.get("/api/v0/web/components").await;
    let components: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(components[0]["localID"], "prometheus.exporter.unix.local");
    assert_eq!(components[0]["health"]["state"], "healthy");
    let (_, json) = agent
        .get("/api/v0/web/components/prometheus.exporter.unix.local")
        .await;
    let detail: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(detail["localID"], "prometheus.exporter.unix.local");
    let named = |list: &serde_json::Value, name: &str| {
        let found = list
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry["name"] == name);
        found.unwrap_or_else(|| panic!("{name} is not in {list}")).clone()
    };
    assert_eq!(
        named(&detail["arguments"], "procfs_path")["value"]["value"],
        "/proc"
    );
    assert_eq!(named(&detail["exports"], "targets")["value"]["type"], "array");
    let (status, _) = agent
        .get("/api/v0/web/components/prometheus.exporter.unix.other")
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    agent.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exporters_are_served_and_the_page_shows_them() {
    let agent = Agent::start("prometheus.exporter.unix \"local\" { }\n").await;
    let path = "/api/v0/component/prometheus.exporter.unix.local/metrics";
    let (status, headers, body) = get(agent.app.addresses()[0], path, &[("accept-encoding", "gzip")]).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        headers["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*body)
        .read_to_string(&mut text)
        .unwrap();
    assert!(
        text.contains("# TYPE node_scrape_collector_success gauge"),
        "{text}"
    );

    let (status, page) = agent.get("/").await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("node_scrape_collector_success"), "{page}");
    assert!(
        page.contains("component/prometheus.exporter.unix.local"),
        "{page}"
    );
    for path in [
        "/component/prometheus.exporter.unix.local",
        "/style.css",
        "/page.js",
    ] {
        assert_eq!(agent.get(path).await.0, StatusCode::OK, "{path}");
    }
    assert_eq!(
        agent.get("/api/v0/component/none/metrics").await.0,
        StatusCode::NOT_FOUND
    );
    agent.app.shutdown().await;
}
