//! Against Prometheus itself, when the environment variable `FERROALLOY_PROMETHEUS` names its binary.
//!
//! Metadata cannot be asked of it: Prometheus tells what it has scraped alone, and takes what it is sent without a place for it.

#[cfg(feature = "durable")]
mod backlog;
#[cfg(feature = "durable")]
mod kill;

use std::sync::Arc;
use std::time::Duration;

use ferroalloy_model::{Batch, Clock, Labels, Receiver as _, SystemClock, stale_nan};
use remote_write::{Endpoint, Version, Writer};

use crate::peers::{Peer, millis};
use crate::source::Source;
use crate::versions::everything;
use crate::{config, endpoint, failing, status_when};

const VERSIONS: [Version; 2] = [Version::V1, Version::V2];

/// Sends the batches, and waits until all of them are delivered.
async fn deliver(prometheus: &Peer, version: Version, batches: &[Batch]) {
    let endpoint = Endpoint {
        version,
        ..endpoint(&prometheus.url("/api/v1/write"))
    };
    let writer = Writer::new(config([endpoint]), Arc::new(SystemClock)).unwrap();
    for batch in batches {
        drop(writer.accept(batch));
    }
    // Prometheus may still be starting: the first tries are refused connections.
    assert_eq!(writer.shutdown(Duration::from_mins(1)).await, 0);
}

#[tokio::test]
async fn prometheus_has_what_was_sent() {
    let Some(prometheus) = Peer::prometheus(true) else {
        return;
    };
    let mut config = config([endpoint(&prometheus.url("/api/v1/write"))]);
    config.external_labels = Labels::from_pairs([("cluster", "it")]);
    let clock = Arc::new(SystemClock);
    let writer = Writer::new(config, clock.clone()).unwrap();
    let source = Source::new("pushed", 100);
    let now = clock.wall();
    for step in 0..10 {
        drop(writer.accept(&source.at(now - 10_000 + step * 1000)));
    }
    assert_eq!(writer.shutdown(Duration::from_mins(1)).await, 0);

    // {cluster="it"}[1m]
    let series = prometheus.query("%7Bcluster%3D%22it%22%7D%5B1m%5D", now).await;
    assert_eq!(series.len(), 100);
    for series in series {
        let values = series["values"].as_array().unwrap();
        let times: Vec<i64> = values.iter().map(|value| millis(&value[0])).collect();
        let expected: Vec<i64> = (0..10).map(|step| now - 10_000 + step * 1000).collect();
        assert_eq!(times, expected, "{series}");
        for (value, time) in values.iter().zip(times) {
            assert_eq!(value[1].as_str().unwrap().parse::<i64>().unwrap(), time);
        }
    }
}

#[tokio::test]
async fn prometheus_without_the_receiver_is_explained() {
    let Some(prometheus) = Peer::prometheus(false) else {
        return;
    };
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

#[tokio::test]
async fn prometheus_has_every_value_as_it_was() {
    let Some(prometheus) = Peer::prometheus(true) else {
        return;
    };
    let now = SystemClock.wall();
    for (version, name) in VERSIONS.into_iter().zip(["one", "two"]) {
        let values = [
            0.0,
            -0.0,
            0.1 + 0.2,
            -273.15,
            1e300,
            5e-324,
            f64::MAX,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
            9_007_199_254_740_993.0,
        ];
        let source = Source::new(name, values.len());
        deliver(&prometheus, version, &[source.with(now, &values)]).await;
        for (index, value) in values.into_iter().enumerate() {
            let read = prometheus.value(&format!("{name}_{index}"), now).await.unwrap();
            assert!(
                read.to_bits() == value.to_bits() || read.is_nan() && value.is_nan(),
                "{version:?}: {read} for {value}"
            );
        }
    }
}

#[tokio::test]
async fn prometheus_takes_a_stale_series_for_gone() {
    let Some(prometheus) = Peer::prometheus(true) else {
        return;
    };
    let now = SystemClock.wall();
    for (version, name) in VERSIONS.into_iter().zip(["one", "two"]) {
        let source = Source::new(name, 2);
        let batches = [
            source.with(now - 10_000, &[5.0, 6.0]),
            source.with(now - 5_000, &[stale_nan(), 7.0]),
        ];
        deliver(&prometheus, version, &batches).await;
        let (gone, there) = (format!("{name}_0"), format!("{name}_1"));
        assert_eq!(prometheus.value(&gone, now - 5_001).await, Some(5.0));
        assert_eq!(prometheus.value(&gone, now - 5_000).await, None, "{version:?}");
        assert_eq!(prometheus.value(&gone, now).await, None);
        assert_eq!(prometheus.value(&there, now).await, Some(7.0));
    }
}

#[tokio::test]
async fn prometheus_has_histograms_and_exemplars_of_both_versions() {
    for (version, schema) in [(Version::V1, 3), (Version::V2, 3), (Version::V2, -53)] {
        let Some(prometheus) = Peer::prometheus(true) else {
            return;
        };
        let now = SystemClock.wall();
        deliver(&prometheus, version, &[everything(schema, now)]).await;
        assert_eq!(prometheus.value("requests_total", now).await, Some(7.0));
        let series = prometheus.query("latency", now).await;
        let histogram = &series[0]["histogram"][1];
        assert_eq!(
            (histogram["count"].as_str(), histogram["sum"].as_str()),
            (Some("3"), Some("3.5")),
            "{version:?} {schema}"
        );
        // Two buckets, with an observation in the first and two in the second.
        let buckets = histogram["buckets"].as_array().unwrap();
        let counts: Vec<&str> = buckets.iter().map(|bucket| bucket[3].as_str().unwrap()).collect();
        assert_eq!(counts, ["1", "2"], "{version:?} {schema}");
        let bounds: Vec<f64> = buckets
            .iter()
            .map(|bucket| bucket[2].as_str().unwrap().parse().unwrap())
            .collect();
        let expected = if schema == -53 {
            [1.0, 2.0]
        } else {
            [1.0, 2_f64.powf(0.125)]
        };
        for (bound, expected) in bounds.iter().zip(expected) {
            assert!(
                (bound - expected).abs() < 1e-9,
                "{version:?} {schema}: {bounds:?}"
            );
        }
        let path = "/api/v1/query_exemplars?query=requests_total&start=0&end=4000000000";
        let answer = prometheus.json(path).await;
        let exemplar = &answer["data"][0]["exemplars"][0];
        assert_eq!(
            exemplar["labels"]["trace_id"], "abc",
            "{version:?} {schema}: {answer}"
        );
        assert_eq!(exemplar["value"], "0.5");
        let timestamp = millis(&exemplar["timestamp"]);
        assert_eq!(timestamp, now - 1);
    }
}
