//! The writer's own metrics: Prometheus' names, with the values that they have there.

use std::collections::BTreeSet;

use ferroalloy_model::{Collect, Families, Receiver as _};
use remote_write::{Endpoint, Version, Writer};

use crate::receiver::{Answer, OK, Receiver};
use crate::source::Source;
use crate::versions::everything;
use crate::{endpoint, metric, writer};

/// All of them but those that have no value before something has happened.
const NAMES: [&str; 35] = [
    "prometheus_remote_storage_bytes_total",
    "prometheus_remote_storage_exemplars_dropped_total",
    "prometheus_remote_storage_exemplars_failed_total",
    "prometheus_remote_storage_exemplars_in_total",
    "prometheus_remote_storage_exemplars_retried_total",
    "prometheus_remote_storage_exemplars_total",
    "prometheus_remote_storage_highest_timestamp_in_seconds",
    "prometheus_remote_storage_histograms_dropped_total",
    "prometheus_remote_storage_histograms_failed_total",
    "prometheus_remote_storage_histograms_in_total",
    "prometheus_remote_storage_histograms_retried_total",
    "prometheus_remote_storage_histograms_total",
    "prometheus_remote_storage_max_samples_per_send",
    "prometheus_remote_storage_metadata_bytes_total",
    "prometheus_remote_storage_metadata_failed_total",
    "prometheus_remote_storage_metadata_retried_total",
    "prometheus_remote_storage_metadata_total",
    "prometheus_remote_storage_queue_highest_sent_timestamp_seconds",
    "prometheus_remote_storage_queue_highest_timestamp_seconds",
    "prometheus_remote_storage_samples_dropped_total",
    "prometheus_remote_storage_samples_failed_total",
    "prometheus_remote_storage_samples_in_total",
    "prometheus_remote_storage_samples_pending",
    "prometheus_remote_storage_samples_retried_total",
    "prometheus_remote_storage_samples_total",
    "prometheus_remote_storage_sent_batch_duration_seconds",
    "prometheus_remote_storage_shard_capacity",
    "prometheus_remote_storage_shards",
    "prometheus_remote_storage_shards_desired",
    "prometheus_remote_storage_shards_max",
    "prometheus_remote_storage_shards_min",
    "prometheus_remote_write_wal_exemplars_appended_total",
    "prometheus_remote_write_wal_samples_appended_total",
    "prometheus_remote_write_wal_storage_active_series",
    "remote_write_lag_seconds",
];

/// Waits until that many samples are delivered and nothing is under way.
async fn delivered(writer: &Writer, samples: f64) {
    while metric(writer, "remote_write_samples_delivered_total", "") < samples
        || metric(writer, "prometheus_remote_storage_shards", "") > 0.0
    {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn they_have_prometheus_names() {
    let receiver = Receiver::start(|_| Answer::Hang).await;
    let writer = writer([endpoint(&receiver.url())]);
    let mut families = Families::new();
    writer.collect(&mut families);
    let mut text = Vec::new();
    ferroalloy_model::text::write(&families, &mut text);
    let text = String::from_utf8(text).unwrap();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let given: BTreeSet<&str> = types.filter_map(|line| line.split(' ').next()).collect();
    let wanted: BTreeSet<&str> = NAMES.into_iter().collect();
    let missing: Vec<&&str> = wanted.difference(&given).collect();
    assert_eq!(missing, Vec::<&&str>::new());
    let unknown: Vec<&&str> = given
        .difference(&wanted)
        .filter(|name| name.starts_with("prometheus_"))
        .collect();
    assert_eq!(
        unknown,
        Vec::<&&str>::new(),
        "under Prometheus' names is what it has"
    );
    assert!(
        text.contains(&format!(
            "remote_write_lag_seconds{{remote_name=\"{0}\",url=\"{0}\"}} 0\n",
            receiver.url()
        )),
        "{text}"
    );
}

#[tokio::test]
async fn each_kind_is_counted() {
    // Takes the sample, says that the rest is wrong.
    let mut receiver = Receiver::start(|_| {
        Answer::Status(
            400,
            "X-Prometheus-Remote-Write-Samples-Written: 1\r\n",
            "histogram out of order",
        )
    })
    .await;
    let writer = writer([Endpoint {
        version: Version::V2,
        ..endpoint(&receiver.url())
    }]);
    drop(writer.accept(&everything(3, 100_000)));
    let bytes = receiver.next().await.body.len();
    delivered(&writer, 1.0).await;

    let value = |name: &str| metric(&writer, &format!("prometheus_remote_storage_{name}"), "");
    for (kind, failed) in [("samples", 0.0), ("histograms", 1.0), ("exemplars", 1.0)] {
        for (what, expected) in [
            ("_in_total", 1.0),
            ("_total", 1.0),
            ("_failed_total", failed),
            ("_retried_total", 0.0),
        ] {
            assert_eq!(value(&format!("{kind}{what}")), expected, "{kind}{what}");
        }
    }
    assert_eq!(value("bytes_total"), bytes as f64);
    assert_eq!(value("sent_batch_duration_seconds_count"), 1.0);
    assert_eq!(value("highest_timestamp_in_seconds"), 100.0);
    assert_eq!(value("queue_highest_timestamp_seconds"), 100.0);
    assert_eq!(
        metric(&writer, "prometheus_remote_write_wal_samples_appended_total", ""),
        2.0
    );
    assert_eq!(
        metric(&writer, "remote_write_samples_refused_total", "status=\"400\""),
        1.0
    );
}

#[tokio::test]
async fn a_receiver_without_room_for_exemplars_is_no_trouble() {
    let receiver = Receiver::start(|_| {
        Answer::Status(
            204,
            "X-Prometheus-Remote-Write-Samples-Written: 1\r\n\
             X-Prometheus-Remote-Write-Histograms-Written: 1\r\n",
            "",
        )
    })
    .await;
    let writer = writer([Endpoint {
        version: Version::V2,
        ..endpoint(&receiver.url())
    }]);
    drop(writer.accept(&everything(3, 100_000)));
    delivered(&writer, 2.0).await;
    assert_eq!(
        metric(&writer, "prometheus_remote_storage_exemplars_failed_total", ""),
        1.0
    );
    assert_eq!(
        metric(
            &writer,
            "prometheus_remote_storage_queue_highest_sent_timestamp_seconds",
            ""
        ),
        100.0
    );
    assert_eq!(writer.status()[0].last_refusal, None);
}

#[tokio::test]
async fn what_rules_drop_is_counted() {
    let mut receiver = Receiver::start(|_| OK).await;
    let drop_it = relabel::Rule {
        source_labels: vec!["__name__".into()],
        regex: "requests_total".into(),
        action: relabel::Action::Drop,
        ..relabel::Rule::default()
    };
    let writer = writer([Endpoint {
        write_relabel: relabel::Rules::new([drop_it], relabel::Naming::UTF8).unwrap(),
        ..endpoint(&receiver.url())
    }]);
    drop(writer.accept(&everything(3, 100_000)));
    assert_eq!(receiver.next().await.message().timeseries.len(), 1);
    for kind in ["samples", "exemplars"] {
        let name = format!("prometheus_remote_storage_{kind}_dropped_total");
        assert_eq!(metric(&writer, &name, "dropped_series"), 1.0, "{kind}");
    }
}

#[tokio::test]
async fn what_waits_and_what_there_is() {
    let mut receiver = Receiver::start(|_| Answer::Hang).await;
    let mut one_at_a_time = endpoint(&receiver.url());
    one_at_a_time.queue.max_samples_per_send = 4;
    one_at_a_time.queue.max_shards = 1;
    let writer = writer([one_at_a_time]);
    let (many, few) = (Source::new("many", 10), Source::new("few", 1));
    drop(writer.accept(&many.at(1)));
    receiver.next().await;
    drop(writer.accept(&few.at(2_000)));
    let value = |name: &str| metric(&writer, &format!("prometheus_remote_storage_{name}"), "");
    // The task notices in its own time.
    while value("samples_pending") < 11.0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(value("shards"), 1.0);
    assert_eq!(value("shards_desired"), 3.0);
    assert_eq!((value("shards_min"), value("shards_max")), (0.0, 1.0));
    let series = || metric(&writer, "prometheus_remote_write_wal_storage_active_series", "");
    assert_eq!(series(), 11.0);
}
