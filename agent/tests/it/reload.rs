//! A configuration that is loaded again.

use hyper::StatusCode;

use crate::support::{Agent, Sink, reply, serve};

fn config(target: &str, sink: &str, label: &str) -> String {
    format!(
        r#"
prometheus.scrape "t" {{
  targets         = [{{ __address__ = "{target}", l = "{label}" }}]
  forward_to      = [prometheus.remote_write.sink.receiver]
  scrape_interval = "100ms"
  scrape_timeout  = "100ms"
}}
prometheus.remote_write "sink" {{
  endpoint {{
    url = "{sink}"
    queue_config {{
      batch_send_deadline = "20ms"
    }}
  }}
}}
"#
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mistake_changes_nothing() {
    let mut sink = Sink::start().await;
    let target = serve(|_, _| reply(StatusCode::OK, "a 1\n")).await.to_string();
    let agent = Agent::start(&config(&target, &sink.url(), "one")).await;
    sink.wait_for("a{").await;

    for (wrong, message) in [
        ("prometheus.scrape \"t\" {", "config.alloy:1:"),
        (
            "prometheus.scrape \"t\" {\n  targets = []\n}\n",
            "missing required attribute \"forward_to\"",
        ),
        (
            "prometheus.relabel \"r\" {\n  forward_to = []\n  rule {\n    regex = \"(\"\n  }\n}\n",
            "config.alloy:4:13: error parsing regexp",
        ),
    ] {
        std::fs::write(agent.config_path(), wrong).unwrap();
        let (status, body) = agent.get("/-/reload").await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(body.contains(message), "{body}");
    }
    let (_, metrics) = agent.get("/metrics").await;
    assert!(
        metrics.contains("\nalloy_config_last_load_successful 0\n"),
        "{metrics}"
    );
    sink.wait_for("a{instance=").await;
    agent.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changed_is_taken_and_the_rest_goes_on() {
    let mut sink = Sink::start().await;
    let mut other = Sink::start().await;
    let target = serve(|_, _| reply(StatusCode::OK, "a 1\n")).await.to_string();
    let agent = Agent::start(&config(&target, &sink.url(), "one")).await;
    let first = sink.wait_until(|s| s.series.contains("l=\"one\"")).await;

    std::fs::write(agent.config_path(), config(&target, &sink.url(), "two")).unwrap();
    assert_eq!(
        agent.get("/-/reload").await,
        (StatusCode::OK, "config reloaded\n".to_owned())
    );
    let second = sink.wait_until(|s| s.series.contains("l=\"two\"")).await;
    assert!(second.timestamp > first.timestamp);

    std::fs::write(agent.config_path(), config(&target, &other.url(), "two")).unwrap();
    assert_eq!(agent.get("/-/reload").await.0, StatusCode::OK);
    other.wait_until(|s| s.series.contains("l=\"two\"")).await;

    std::fs::write(agent.config_path(), "logging { }\n").unwrap();
    assert_eq!(agent.get("/-/reload").await.0, StatusCode::OK);
    assert_eq!(agent.get("/api/v0/web/components").await.1, "[]");
    agent.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_that_change_rename_what_is_live_and_end_the_old_names() {
    let mut sink = Sink::start().await;
    let target = serve(|_, _| reply(StatusCode::OK, "a 1\n")).await.to_string();
    let relabelled = |label: &str| {
        config(&target, &sink.url(), "one").replace(
            "[prometheus.remote_write.sink.receiver]",
            "[prometheus.relabel.r.receiver]",
        ) + &format!(
            "prometheus.relabel \"r\" {{\n  forward_to = [prometheus.remote_write.sink.receiver]\n  rule {{\n    \
                 target_label = \"team\"\n    replacement  = \"{label}\"\n  }}\n}}\n"
        )
    };
    let (red, blue) = (relabelled("red"), relabelled("blue"));
    let agent = Agent::start(&red).await;
    sink.wait_until(|s| s.series.contains("team=\"red\"")).await;
    std::fs::write(agent.config_path(), blue).unwrap();
    assert_eq!(agent.get("/-/reload").await.0, StatusCode::OK);
    let marker = sink
        .wait_until(|s| s.series.starts_with("a{") && ferroalloy_model::is_stale(s.value))
        .await;
    assert!(marker.series.contains("team=\"red\""), "{}", marker.series);
    let renamed = sink.wait_until(|s| s.series.contains("team=\"blue\"")).await;
    assert!(renamed.timestamp >= marker.timestamp);
    agent.app.shutdown().await;
}
