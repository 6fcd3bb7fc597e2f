//! Samples on their way from targets, over rules, to receivers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ferroalloy_model::{Clock, SystemClock};
use hyper::StatusCode;

use crate::support::{Agent, Sink, reply, serve};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_and_a_target_reach_two_receivers() {
    let (mut one, mut two) = (Sink::start().await, Sink::start().await);
    let target = serve(|_, _| {
        reply(
            StatusCode::OK,
            "# TYPE requests_total counter\nrequests_total{code=\"200\"} 7\nsecret 1\n",
        )
    })
    .await;
    let agent = Agent::start(&format!(
        r#"
prometheus.exporter.unix "local" {{ }}

prometheus.scrape "host" {{
  targets         = prometheus.exporter.unix.local.targets
  forward_to      = [prometheus.remote_write.all.receiver]
  scrape_interval = "200ms"
  scrape_timeout  = "200ms"
}}

discovery.relabel "named" {{
  targets = [{{ __address__ = "{target}", __meta_x = "y" }}]
  rule {{
    source_labels = ["__meta_x"]
    target_label  = "x"
  }}
}}

prometheus.scrape "target" {{
  targets         = discovery.relabel.named.output
  forward_to      = [prometheus.relabel.drop.receiver]
  scrape_interval = "200ms"
  scrape_timeout  = "200ms"
}}

prometheus.relabel "drop" {{
  forward_to = [prometheus.remote_write.all.receiver]
  rule {{
    source_labels = ["__name__"]
    regex         = "secret"
    action        = "drop"
  }}
}}

prometheus.remote_write "all" {{
  external_labels = {{ cluster = "c1" }}
  endpoint {{
    url     = "{}"
    headers = {{ "X-Scope-OrgID" = "demo" }}
    queue_config {{
      batch_send_deadline = "50ms"
    }}
  }}
  endpoint {{
    url = "{}"
    queue_config {{
      batch_send_deadline = "50ms"
    }}
  }}
}}
"#,
        one.url(),
        two.url()
    ))
    .await;

    let (headers, _) = one.next().await;
    assert_eq!(headers["x-scope-orgid"], "demo");
    assert_eq!(headers["content-encoding"], "snappy");
    assert_eq!(headers["x-prometheus-remote-write-version"], "0.1.0");
    for sink in [&mut one, &mut two] {
        let up = sink.wait_for("up{cluster=\"c1\", instance=").await;
        assert_eq!(up.value, 1.0);
        let cpu = sink
            .wait_for("node_scrape_collector_success{cluster=\"c1\"")
            .await;
        assert!(cpu.series.contains("job=\"integrations/unix\""), "{cpu:?}");
        let requests = sink.wait_for("requests_total").await;
        assert_eq!(
            requests.series,
            format!(
                "requests_total{{cluster=\"c1\", code=\"200\", instance=\"{target}\", job=\"prometheus.scrape.target\", x=\"y\"}}"
            )
        );
        assert_eq!(requests.value, 7.0);
    }
    let dropped =
        |samples: &[crate::support::Arrived]| samples.iter().any(|s| s.series.starts_with("secret"));
    for _ in 0..3 {
        assert!(!dropped(&one.next().await.1), "a series that is dropped was sent");
    }
    agent.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_refuses_for_a_while_gets_everything_in_order() {
    let mut sink = Sink::start().await;
    sink.answer(StatusCode::SERVICE_UNAVAILABLE);
    let agent = Agent::start(&format!(
        r#"
prometheus.exporter.self "me" {{ }}
prometheus.scrape "me" {{
  targets         = prometheus.exporter.self.me.targets
  forward_to      = [prometheus.remote_write.sink.receiver]
  scrape_interval = "100ms"
  scrape_timeout  = "100ms"
}}
prometheus.remote_write "sink" {{
  endpoint {{
    url = "{}"
    queue_config {{
      batch_send_deadline = "20ms"
    }}
  }}
}}
"#,
        sink.url()
    ))
    .await;
    // The endpoint's word comes into the component's health, which is the event to wait for.
    loop {
        let (status, body) = agent.get("/-/healthy").await;
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            assert!(
                body.contains("prometheus.remote_write.sink") && body.contains("503"),
                "{body}"
            );
            break;
        }
        tokio::task::yield_now().await;
    }
    let healed = SystemClock.wall();
    sink.answer(StatusCode::NO_CONTENT);
    let mut times = Vec::new();
    while times.len() < 10 {
        times.push(sink.wait_for("up{").await.timestamp);
    }
    assert!(
        times.is_sorted_by(|a, b| a < b),
        "out of order or twice: {times:?}"
    );
    assert!(
        times[0] < healed,
        "what was scraped while the receiver refused did not arrive: {times:?}, {healed}"
    );
    agent.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_series_that_is_gone_is_marked_stale() {
    let mut sink = Sink::start().await;
    let there = Arc::new(AtomicBool::new(true));
    let shown = Arc::clone(&there);
    let target = serve(move |_, _| {
        reply(
            StatusCode::OK,
            if shown.load(Ordering::Relaxed) {
                "a 1\nb 2\n"
            } else {
                "a 1\n"
            },
        )
    })
    .await;
    let agent = Agent::start(&format!(
        r#"
prometheus.scrape "t" {{
  targets         = [{{ __address__ = "{target}" }}]
  forward_to      = [prometheus.remote_write.sink.receiver]
  scrape_interval = "100ms"
  scrape_timeout  = "100ms"
}}
prometheus.remote_write "sink" {{
  endpoint {{
    url = "{}"
    queue_config {{
      batch_send_deadline = "20ms"
    }}
  }}
}}
"#,
        sink.url()
    ))
    .await;
    sink.wait_for("b{").await;
    there.store(false, Ordering::Relaxed);
    let marker = sink
        .wait_until(|s| s.series.starts_with("b{") && s.value.is_nan())
        .await;
    assert_eq!(marker.value.to_bits(), ferroalloy_model::sample::STALE_NAN_BITS);
    agent.app.shutdown().await;
}
