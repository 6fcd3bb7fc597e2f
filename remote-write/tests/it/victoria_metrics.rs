//! Against VictoriaMetrics, when the environment variable `FERROALLOY_VICTORIA_METRICS` names its binary. It speaks 1.0 alone, so what is
//! configured as 2.0 arrives as 1.0.

use std::sync::Arc;
use std::time::Duration;

use ferroalloy_model::{Clock, Receiver as _, SystemClock, stale_nan};
use remote_write::{Endpoint, MetadataConfig, Version, Writer};

use crate::peers::Peer;
use crate::source::Source;
use crate::versions::everything;
use crate::{config, endpoint, metric};

const VERSIONS: [Version; 2] = [Version::V1, Version::V2];

fn writer(victoria: &Peer, version: Version) -> Writer {
    let endpoint = Endpoint {
        version,
        metadata: MetadataConfig {
            send_interval: Duration::from_millis(1),
            ..MetadataConfig::default()
        },
        ..endpoint(&victoria.url("/api/v1/write"))
    };
    Writer::new(config([endpoint]), Arc::new(SystemClock)).unwrap()
}

/// Waits until a series of this name can be found: what is taken is not found at once.
async fn found(victoria: &Peer, name: &str) -> serde_json::Value {
    loop {
        victoria.get("/internal/force_flush").await;
        let answer = victoria
            .get(&format!("/api/v1/export?match%5B%5D={name}&start=0"))
            .await;
        if let Some(line) = answer.lines().next() {
            return serde_json::from_str(line).unwrap();
        }
    }
}

#[tokio::test]
async fn victoria_metrics_has_every_value_as_it_was() {
    let Some(victoria) = Peer::victoria_metrics() else {
        return;
    };
    for (version, name) in VERSIONS.into_iter().zip(["first", "second"]) {
        let now = SystemClock.wall();
        // It keeps fifteen digits of them.
        let values = [0.0, 0.1, -273.15, 1e300, now as f64];
        let source = Source::new(name, values.len());
        let writer = writer(&victoria, version);
        drop(writer.accept(&source.with(now, &values)));
        assert_eq!(writer.shutdown(Duration::from_mins(1)).await, 0);
        for (index, value) in values.into_iter().enumerate() {
            let series = found(&victoria, &format!("{name}_{index}")).await;
            assert_eq!(series["values"][0].as_f64(), Some(value), "{version:?}: {series}");
            assert_eq!(
                series["timestamps"][0].as_i64(),
                Some(now),
                "{version:?}: {series}"
            );
            assert_eq!(series["metric"]["job"], "test");
        }
    }
}

#[tokio::test]
async fn victoria_metrics_takes_a_stale_series_for_gone() {
    let Some(victoria) = Peer::victoria_metrics() else {
        return;
    };
    for (version, name) in VERSIONS.into_iter().zip(["first", "second"]) {
        let now = SystemClock.wall();
        let source = Source::new(name, 2);
        let writer = writer(&victoria, version);
        drop(writer.accept(&source.with(now - 10_000, &[5.0, 6.0])));
        drop(writer.accept(&source.with(now - 5_000, &[stale_nan(), 7.0])));
        assert_eq!(writer.shutdown(Duration::from_mins(1)).await, 0);
        let (gone, there) = (format!("{name}_0"), format!("{name}_1"));
        found(&victoria, &there).await;
        assert_eq!(victoria.value(&gone, now - 6_000).await, Some(5.0));
        assert_eq!(victoria.value(&gone, now).await, None, "{version:?}");
        assert_eq!(victoria.value(&there, now).await, Some(7.0));
    }
}

#[tokio::test]
async fn victoria_metrics_has_metadata() {
    for version in VERSIONS {
        let Some(victoria) = Peer::victoria_metrics() else {
            return;
        };
        let writer = writer(&victoria, version);
        let batch = everything(3, SystemClock.wall());
        drop(writer.accept(&batch));
        // It is there, then, to be asked.
        while metric(&writer, "remote_write_samples_delivered_total", "") < 1.0 {
            tokio::task::yield_now().await;
        }
        let family = loop {
            let answer = victoria.json("/api/v1/metadata").await;
            if let Some(family) = answer["data"]["requests_total"].get(0) {
                break family.clone();
            }
        };
        assert_eq!(
            (
                family["type"].as_str(),
                family["help"].as_str(),
                family["unit"].as_str()
            ),
            (Some("counter"), Some("Requests served."), Some("requests")),
            "{version:?}"
        );
    }
}
