//! Three hours of backlog, into a Prometheus that has newer samples already.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ferroalloy_model::{Clock, Receiver as _, SystemClock};
use remote_write::{Config, Endpoint, Storage, Version, Writer};

use super::deliver;
use crate::peers::Peer;
use crate::source::Source;
use crate::{config, endpoint, metric};

const SERIES: usize = 20;
const STEP: i64 = 15_000;
const STEPS: i64 = 3 * 3_600_000 / STEP;
const ALL: u64 = SERIES as u64 * STEPS as u64;

fn stored(folder: &Path, url: &str) -> Config {
    Config {
        storage: Some(Storage::new(folder)),
        ..config([Endpoint {
            name: Some("e".into()),
            ..endpoint(url)
        }])
    }
}

/// Has the backlog kept while nobody is there, and then sends it to `prometheus`. The writer that has done so.
async fn send_backlog(prometheus: &Peer, now: i64) -> Writer {
    let folder = tempfile::tempdir().unwrap();
    let away = Writer::new(
        stored(folder.path(), "http://127.0.0.1:1/"),
        Arc::new(SystemClock),
    );
    let (away, source) = (away.unwrap(), Source::new("late", SERIES));
    for step in 1..=STEPS {
        drop(away.accept(&source.at(now + (step - STEPS) * STEP)));
    }
    assert_eq!(away.shutdown(Duration::ZERO).await, ALL);
    drop(away);
    // What is there already makes the backlog late.
    deliver(prometheus, Version::V1, &[Source::new("live", 1).at(now)]).await;
    let url = prometheus.url("/api/v1/write");
    let writer = Writer::new(stored(folder.path(), &url), Arc::new(SystemClock)).unwrap();
    // The endpoint looks what there is once it runs.
    for waits in [true, false] {
        while (writer.status()[0].pending_samples > 0) != waits {
            tokio::task::yield_now().await;
        }
    }
    writer
}

/// How many samples of the backlog there are.
async fn count(prometheus: &Peer, now: i64) -> u64 {
    // {job="test",__name__=~"late.*"}[4h]
    let query = "%7Bjob%3D%22test%22%2C__name__%3D~%22late.%2A%22%7D%5B4h%5D";
    let series = prometheus.query(query, now).await;
    let samples = series
        .iter()
        .map(|series| series["values"].as_array().unwrap().len() as u64);
    samples.sum()
}

#[tokio::test]
async fn with_a_window_all_of_a_backlog_is_stored() {
    let Some(prometheus) = Peer::prometheus_with("storage:\n  tsdb:\n    out_of_order_time_window: 6h\n")
    else {
        return;
    };
    let now = SystemClock.wall();
    let writer = send_backlog(&prometheus, now).await;
    assert_eq!(count(&prometheus, now).await, ALL);
    assert_eq!(writer.status().remove(0).last_refusal, None);
}

#[tokio::test]
async fn without_a_window_what_is_refused_is_counted_and_the_setting_is_named() {
    let Some(prometheus) = Peer::prometheus(true) else {
        return;
    };
    let now = SystemClock.wall();
    let writer = send_backlog(&prometheus, now).await;
    let there = count(&prometheus, now).await;
    // Its head goes back an hour before its newest sample.
    assert!(there > 0 && there < ALL, "{there} of {ALL}");
    let refused = metric(&writer, "prometheus_remote_storage_samples_failed_total", "e");
    // What was under way when nobody was there is sent again as it was, and may have been taken for all that is known.
    let unsure = metric(&writer, "remote_write_samples_possibly_delivered_total", "e");
    assert!(refused > unsure, "{refused}, {unsure}");
    assert_eq!(refused + unsure, (ALL - there) as f64);
    let told = writer.status().remove(0).last_refusal.unwrap().reason;
    assert!(
        told.contains("out_of_order_time_window") && told.contains("-ingester.out-of-order-time-window"),
        "{told}"
    );
}
