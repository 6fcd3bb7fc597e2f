//! TestExemplarEncoding.

use ferroalloy_model::{Batch, ColumnData, Columns, Exemplar, Labels, LayoutBuilder, SourceId};
use std::sync::Arc;

use super::pushed::{NOW, Pushed};
use super::{VERSIONS, sent, sent_with};

/// A scrape of one counter with these exemplars.
fn scraped(exemplars: &[Exemplar]) -> Batch {
    let mut layout = LayoutBuilder::new(SourceId::new(), "test");
    layout.push([("__name__", "m_total")], None);
    let mut data = ColumnData::default();
    data.reset(NOW, 1);
    data.set(0, 9.0);
    data.sides_mut()
        .exemplars
        .extend(exemplars.iter().map(|exemplar| (0, exemplar.clone())));
    Columns {
        layout: layout.build(),
        data: Arc::new(data),
    }
    .into()
}

fn exemplar(labels: &[(&str, &str)], value: f64, timestamp: i64) -> Exemplar {
    Exemplar {
        labels: Labels::from_pairs(labels.iter().copied()),
        value,
        timestamp,
    }
}

#[tokio::test]
async fn exemplar_labels_value_and_timestamp() {
    for version in VERSIONS {
        let batch = scraped(&[exemplar(
            &[("span_id", "5"), ("trace_id", "abc")],
            0.067,
            NOW - 1_500,
        )]);
        let request = sent(version, &batch).await;
        let series = request.series("m_total");
        assert_eq!(
            series.value(),
            9.0,
            "the sample is beside its exemplar: {series:?}"
        );
        let [arrived] = &series.exemplars[..] else {
            panic!("{series:?}");
        };
        assert_eq!((arrived.value, arrived.timestamp), (0.067, NOW - 1_500));
        let labels: Vec<(&str, &str)> = arrived
            .labels
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(labels, [("span_id", "5"), ("trace_id", "abc")]);
    }
}

#[tokio::test]
async fn multiple_exemplars() {
    for version in VERSIONS {
        let batch = scraped(&[
            exemplar(&[("trace_id", "a")], 1.0, NOW - 2),
            exemplar(&[("trace_id", "b")], 2.0, NOW - 1),
        ]);
        let request = sent(version, &batch).await;
        let values: Vec<f64> = request
            .series("m_total")
            .exemplars
            .iter()
            .map(|exemplar| exemplar.value)
            .collect();
        assert_eq!(values, [1.0, 2.0]);
    }
}

#[tokio::test]
async fn an_exemplar_without_labels() {
    for version in VERSIONS {
        let request = sent(version, &scraped(&[exemplar(&[], -1.5, NOW)])).await;
        let series = request.series("m_total");
        assert_eq!(
            (series.exemplars[0].labels.len(), series.exemplars[0].value),
            (0, -1.5)
        );
    }
}

#[tokio::test]
async fn special_values_of_exemplars() {
    for version in VERSIONS {
        for value in [0.0, f64::INFINITY, f64::NAN] {
            let request = sent(version, &scraped(&[exemplar(&[("trace_id", "a")], value, NOW)])).await;
            let arrived = &request.series("m_total").exemplars[0];
            assert_eq!(arrived.value.to_bits(), value.to_bits());
        }
    }
}

#[tokio::test]
async fn exemplar_only_series() {
    for version in VERSIONS {
        let mut pushed = Pushed::new();
        let slot = pushed.series(&[("__name__", "m_total")]);
        let batch = pushed.exemplar(slot, &[("trace_id", "a")], 1.0, NOW).batch();
        let request = sent(version, &batch).await;
        let series = request.series("m_total");
        assert_eq!((series.samples.len(), series.exemplars.len()), (0, 1));
    }
}

#[tokio::test]
async fn exemplars_can_be_switched_off() {
    for version in VERSIONS {
        let batch = scraped(&[exemplar(&[("trace_id", "a")], 1.0, NOW)]);
        let request = sent_with(version, &batch, |config| {
            config.endpoints[0].send_exemplars = false;
        })
        .await;
        assert_eq!(request.series("m_total").exemplars, []);
    }
}
