//! A process whose memory is used up: it says so, and what it has goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper::StatusCode;

use crate::support::{Agent, Sink, reply, serve};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_series_are_refused_and_that_is_told() {
    let mut sink = Sink::start().await;
    let empty = Arc::new(AtomicBool::new(true));
    let answer = Arc::clone(&empty);
    let target = serve(move |_, _| {
        let body = if answer.load(Ordering::Relaxed) {
            ""
        } else {
            "a 1\n"
        };
        reply(StatusCode::OK, body)
    })
    .await;
    let agent = Agent::start_within(
        &format!(
            "prometheus.scrape \"t\" {{\n  targets = [{{ __address__ = \"{target}\" }}]\n  forward_to = \
             [prometheus.remote_write.sink.receiver]\n  scrape_interval = \"100ms\"\n  scrape_timeout = \"100ms\"\n}}\n\
             prometheus.remote_write \"sink\" {{\n  endpoint {{\n    url = \"{}\"\n    queue_config {{\n      \
             batch_send_deadline = \"20ms\"\n    }}\n  }}\n}}\n",
            sink.url()
        ),
        // No process is so small.
        Some(1 << 20),
    )
    .await;
    // A scrape that adds nothing is good.
    sink.wait_until(|sample| sample.series.starts_with("up{") && sample.value == 1.0)
        .await;
    while !agent
        .get("/metrics")
        .await
        .1
        .contains("\nferroalloy_memory_budget_exhausted 1\n")
    {
        tokio::task::yield_now().await;
    }
    empty.store(false, Ordering::Relaxed);
    sink.wait_until(|sample| sample.series.starts_with("up{") && sample.value == 0.0)
        .await;
    let (_, components) = agent.get("/api/v0/web/components").await;
    assert!(
        components.contains("of 1MiB of memory are used: scrapes that would add series fail"),
        "{components}"
    );
    let (_, metrics) = agent.get("/metrics").await;
    assert!(
        metrics.contains("ferroalloy_scrapes_refused_memory_total{"),
        "{metrics}"
    );
    agent.app.shutdown().await;
}
