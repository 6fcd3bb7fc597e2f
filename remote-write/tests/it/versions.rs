//! Remote write 2.0, and receivers that do not speak it.

use std::sync::Arc;
use std::time::Duration;

use ferroalloy_model::histogram::{BucketSpan, Counts, ResetHint};
use ferroalloy_model::{
    Batch, ColumnData, Columns, Exemplar, Histogram, Labels, LayoutBuilder, ManualClock, Metadata,
    MetricKind, Receiver as _, SourceId,
};
use remote_write::{Endpoint, MetadataConfig, Version};

use crate::receiver::{Answer, OK, Received, Receiver};
use crate::source::Source;
use crate::{endpoint, metric, status_when, writer, writer_at};

/// A 2.0 endpoint that sends at once.
fn endpoint_v2(url: &str) -> Endpoint {
    Endpoint {
        version: Version::V2,
        ..endpoint(url)
    }
}

const WRITTEN_1: Answer = Answer::Status(204, "X-Prometheus-Remote-Write-Samples-Written: 1\r\n", "");

/// One of everything.
pub(crate) const WRITTEN_ALL: Answer = Answer::Status(
    204,
    "X-Prometheus-Remote-Write-Samples-Written: 1\r\n\
     X-Prometheus-Remote-Write-Histograms-Written: 1\r\n\
     X-Prometheus-Remote-Write-Exemplars-Written: 1\r\n",
    "",
);

fn only_v1(received: &Received) -> Answer {
    if received.is_v2() {
        Answer::Status(415, "", "unsupported")
    } else {
        OK
    }
}

/// Everything that a batch may have.
pub(crate) fn everything(schema: i32, timestamp: i64) -> Batch {
    let mut builder = LayoutBuilder::new(SourceId::new(), "test");
    let metadata = Arc::new(Metadata {
        kind: MetricKind::Counter,
        help: "Requests served.".into(),
        unit: "requests".into(),
    });
    builder.push([("__name__", "requests_total"), ("job", "t")], Some(&metadata));
    builder.push([("__name__", "latency"), ("job", "t")], None);
    let mut data = ColumnData::default();
    data.reset(timestamp, 2);
    data.set(0, 7.0);
    let sides = data.sides_mut();
    sides
        .start_times
        .extend([(0, timestamp - 60_000), (1, timestamp - 60_000)]);
    sides.exemplars.push((
        0,
        Exemplar {
            labels: Labels::from_pairs([("trace_id", "abc")]),
            value: 0.5,
            timestamp: timestamp - 1,
        },
    ));
    sides.histograms.push((
        1,
        Histogram {
            schema,
            zero_threshold: 0.0,
            sum: 3.5,
            counts: Counts::Integer {
                count: 3,
                zero: 0,
                positive: vec![1, 1],
                negative: Vec::new(),
            },
            positive_spans: vec![BucketSpan { offset: 0, length: 2 }],
            negative_spans: Vec::new(),
            custom_values: if schema == -53 { vec![1.0, 2.0] } else { Vec::new() },
            reset_hint: ResetHint::Unknown,
        },
    ));
    Columns {
        layout: builder.build(),
        data: Arc::new(data),
    }
    .into()
}

#[tokio::test]
async fn a_2_0_request_has_everything() {
    let mut receiver = Receiver::start(|_| WRITTEN_ALL).await;
    let writer = writer([endpoint_v2(&receiver.url())]);
    drop(writer.accept(&everything(-53, 100_000)));
    let received = receiver.next().await;
    for header in [
        "content-type: application/x-protobuf;proto=io.prometheus.write.v2.request",
        "content-encoding: snappy",
        "x-prometheus-remote-write-version: 2.0.0",
        "user-agent: test/1.0",
    ] {
        assert!(
            received
                .head
                .to_lowercase()
                .contains(&format!("\r\n{header}\r\n")),
            "{}",
            received.head
        );
    }
    let message = received.message_v2();
    assert_eq!(message.symbols[0], "");
    let [counter, histogram] = &message.timeseries[..] else {
        panic!("{message:?}");
    };
    let labels = |refs: &[u32]| message.labels(refs).unwrap().to_string();
    assert_eq!(
        labels(&counter.labels_refs),
        r#"{__name__="requests_total", job="t"}"#
    );
    let sample = counter.samples[0];
    assert_eq!(
        (sample.value, sample.timestamp, sample.start_timestamp),
        (7.0, 100_000, 40_000)
    );
    assert_eq!(labels(&counter.exemplars[0].labels_refs), r#"{trace_id="abc"}"#);
    let metadata = counter.metadata.unwrap();
    let symbol = |index: u32| message.symbols[index as usize].as_str();
    assert_eq!(
        (
            metadata.r#type,
            symbol(metadata.help_ref),
            symbol(metadata.unit_ref)
        ),
        (1, "Requests served.", "requests")
    );
    let histogram = &histogram.histograms[0];
    assert_eq!(
        (histogram.schema, &histogram.custom_values[..]),
        (-53, &[1.0, 2.0][..])
    );
    assert_eq!(
        (histogram.timestamp, histogram.start_timestamp),
        (100_000, 40_000)
    );
    assert_eq!(writer.shutdown(Duration::from_secs(10)).await, 0);
}

#[tokio::test]
async fn a_1_0_request_has_all_but_custom_buckets() {
    let mut receiver = Receiver::start(|_| OK).await;
    let writer = writer([endpoint(&receiver.url())]);
    drop(writer.accept(&everything(-53, 100_000)));
    let message = receiver.next().await.message();
    assert_eq!(message.timeseries.len(), 1);
    assert_eq!(message.timeseries[0].exemplars[0].value, 0.5);
    drop(writer.accept(&everything(3, 100_000)));
    let message = receiver.next().await.message();
    assert_eq!(message.timeseries[1].histograms[0].schema, 3);
    let name = "prometheus_remote_storage_histograms_dropped_total";
    assert_eq!(metric(&writer, name, "nhcb_in_rw1_not_supported"), 1.0);
    assert_eq!(
        metric(&writer, "prometheus_remote_storage_histograms_total", ""),
        1.0
    );
}

#[tokio::test]
async fn nothing_is_sent_that_is_switched_off() {
    let mut receiver = Receiver::start(|_| WRITTEN_1).await;
    let writer = writer([Endpoint {
        send_exemplars: false,
        send_native_histograms: false,
        metadata: MetadataConfig {
            send: false,
            ..MetadataConfig::default()
        },
        ..endpoint_v2(&receiver.url())
    }]);
    drop(writer.accept(&everything(3, 100_000)));
    let message = receiver.next().await.message_v2();
    assert_eq!(message.timeseries.len(), 1);
    assert_eq!(message.timeseries[0].exemplars, []);
    assert_eq!(message.timeseries[0].metadata, None);
    let name = "prometheus_remote_storage_histograms_dropped_total";
    assert_eq!(metric(&writer, name, "native_histograms_off"), 1.0);
}

#[tokio::test]
async fn a_1_0_receiver_is_sent_1_0_for_a_day() {
    // One says that it does not know the message, the other takes it for an empty one.
    let silent: fn(&Received) -> Answer = |_| OK;
    for script in [only_v1, silent] {
        let clock = ManualClock::new(0);
        let mut receiver = Receiver::start(script).await;
        let writer = writer_at(&clock, [endpoint_v2(&receiver.url())]);
        let source = Source::new("m", 2);
        drop(writer.accept(&source.at(1)));
        assert!(receiver.next().await.is_v2());
        let again = receiver.next().await;
        assert!(
            !again.is_v2() && again.head.contains("-version: 0.1.0"),
            "{}",
            again.head
        );
        assert_eq!(again.timestamps(), [1, 1]);
        drop(writer.accept(&source.at(2)));
        assert_eq!(receiver.next().await.timestamps(), [2, 2]);
        // A request that is still under way would run out of time.
        while writer.status()[0].pending_samples > 0 {
            tokio::task::yield_now().await;
        }
        clock.advance(Duration::from_hours(25));
        drop(writer.accept(&source.at(3)));
        assert!(receiver.next().await.is_v2(), "asked again");
        assert_eq!(receiver.next().await.timestamps(), [3, 3]);
    }
}

#[tokio::test]
async fn a_refused_1_0_message_is_not_a_matter_of_versions() {
    let mut receiver = Receiver::start(|_| Answer::Status(415, "", "no")).await;
    let writer = writer([endpoint(&receiver.url())]);
    drop(writer.accept(&Source::new("m", 1).at(1)));
    receiver.next().await;
    let status = status_when(&writer, |status| status.last_refusal.is_some()).await;
    assert_eq!(status.last_refusal.unwrap().status, 415);
    assert!(receiver.is_quiet());
}

#[tokio::test]
async fn what_is_written_in_part_is_counted_and_not_sent_again() {
    for (status, counted_as) in [(204, "status=\"0\""), (400, "status=\"400\"")] {
        let mut receiver = Receiver::start(move |_| {
            Answer::Status(
                status,
                "X-Prometheus-Remote-Write-Samples-Written: 1\r\n",
                "too old",
            )
        })
        .await;
        let writer = writer([endpoint_v2(&receiver.url())]);
        drop(writer.accept(&Source::new("m", 3).at(1)));
        receiver.next().await;
        let refusal = status_when(&writer, |status| status.last_refusal.is_some())
            .await
            .last_refusal
            .unwrap();
        assert_eq!(refusal.samples, 2, "{}", refusal.reason);
        assert_eq!(metric(&writer, "remote_write_samples_delivered_total", ""), 1.0);
        assert_eq!(
            metric(&writer, "remote_write_samples_refused_total", counted_as),
            2.0
        );
        assert!(receiver.is_quiet());
    }
}

#[tokio::test]
async fn families_are_told_to_a_1_0_receiver_every_minute() {
    let clock = ManualClock::new(0);
    let mut receiver = Receiver::start(|_| OK).await;
    let writer = writer_at(&clock, [endpoint(&receiver.url())]);
    let batch = everything(3, 100_000);
    drop(writer.accept(&batch));
    assert_eq!(receiver.next().await.message().metadata, []);
    while writer.status()[0].pending_samples > 0 {
        tokio::task::yield_now().await;
    }
    clock.advance(Duration::from_mins(1));
    let message = receiver.next().await.message();
    assert!(message.timeseries.is_empty());
    let [family] = &message.metadata[..] else {
        panic!("{message:?}");
    };
    assert_eq!(family.metric_family_name, "requests_total");
    assert_eq!((family.r#type, family.unit.as_str()), (1, "requests"));
    assert_eq!(
        metric(&writer, "prometheus_remote_storage_metadata_total", ""),
        1.0
    );
}
