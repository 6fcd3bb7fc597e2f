//! What a request looks like.

use ferroalloy_model::{Commit, Committed, Labels, Receiver as _, stale_nan};
use relabel::{Action, Naming, Rule, Rules};
use remote_write::Writer;
use std::sync::Arc;

use crate::receiver::{OK, Receiver};
use crate::source::Source;
use crate::{config, endpoint, metric, status_when, writer};

#[tokio::test]
async fn headers_and_labels() {
    let mut receiver = Receiver::start(|_| OK).await;
    let mut endpoint = endpoint(&receiver.url());
    endpoint.headers = vec![("X-Scope-OrgID".into(), "team".into())];
    let mut config = config([endpoint]);
    config.external_labels = Labels::from_pairs([("cluster", "c1"), ("job", "loses")]);
    let writer = Writer::new(config, Arc::new(ferroalloy_model::SystemClock)).unwrap();
    let commit: Commit = writer.accept(&Source::new("m", 1).at(1_000));
    assert_eq!(commit.await, Committed::Memory);
    let request = receiver.next().await;
    let (address, length) = (receiver.address, request.body.len());
    let mut lines: Vec<_> = request.head.trim_end().lines().collect();
    assert_eq!(lines.remove(0), "POST /api/v1/write HTTP/1.1");
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            &format!("content-length: {length}"),
            "content-encoding: snappy",
            "content-type: application/x-protobuf",
            &format!("host: {address}"),
            "user-agent: test/1.0",
            "x-prometheus-remote-write-version: 0.1.0",
            "x-scope-orgid: team",
        ]
        .map(str::to_owned)
        .into_iter()
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect::<Vec<_>>()
    );
    let series = &request.message().timeseries[0];
    let labels: Vec<_> = series
        .labels
        .iter()
        .map(|label| (label.name.as_str(), label.value.as_str()))
        .collect();
    assert_eq!(labels, [("__name__", "m_0"), ("cluster", "c1"), ("job", "test")]);
    assert_eq!(
        (series.samples[0].timestamp, series.samples[0].value),
        (1_000, 1_000.0)
    );
}

#[tokio::test]
async fn a_staleness_marker_keeps_its_bits() {
    let mut receiver = Receiver::start(|_| OK).await;
    let writer = writer([endpoint(&receiver.url())]);
    let source = Source::new("m", 1);
    let row = ferroalloy_model::Row {
        slot: 0,
        timestamp: 5,
        value: stale_nan(),
    };
    drop(
        writer.accept(
            &ferroalloy_model::Rows {
                layout: source.layout,
                rows: Arc::from([row]),
                sides: None,
            }
            .into(),
        ),
    );
    let sample = receiver.next().await.message().timeseries[0].samples[0];
    assert_eq!(sample.value.to_bits(), 0x7ff0_0000_0000_0002);
}

#[tokio::test]
async fn requests_have_a_size() {
    let mut receiver = Receiver::start(|_| OK).await;
    let mut endpoint = endpoint(&receiver.url());
    endpoint.queue.max_samples_per_send = 4;
    let writer = writer([endpoint]);
    drop(writer.accept(&Source::new("m", 10).at(1)));
    let sizes = [
        receiver.next().await,
        receiver.next().await,
        receiver.next().await,
    ]
    .map(|request| request.message().timeseries.len());
    assert_eq!(sizes, [4, 4, 2]);
}

#[tokio::test]
async fn rules_are_the_endpoints_own() {
    let mut everything = Receiver::start(|_| OK).await;
    let mut some = Receiver::start(|_| OK).await;
    let rule = Rule {
        source_labels: vec!["__name__".into()],
        regex: "m_1".into(),
        action: Action::Drop,
        ..Rule::default()
    };
    let mut picky = endpoint(&some.url());
    picky.write_relabel = Rules::new([rule], Naming::UTF8).unwrap();
    let writer = writer([picky, endpoint(&everything.url())]);
    drop(writer.accept(&Source::new("m", 3).at(1)));
    assert_eq!(everything.next().await.message().timeseries.len(), 3);
    assert_eq!(some.next().await.message().timeseries.len(), 2);
    let label = format!("reason=\"dropped_series\",remote_name=\"{}\"", some.url());
    assert_eq!(
        metric(&writer, "prometheus_remote_storage_samples_dropped_total", &label),
        1.0
    );
    let label = format!("url=\"{}\"", everything.url());
    assert_eq!(
        metric(&writer, "prometheus_remote_storage_samples_total", &label),
        3.0
    );
    let status = status_when(&writer, |status| status.health.is_healthy()).await;
    assert_eq!(status.name, some.url());
}
