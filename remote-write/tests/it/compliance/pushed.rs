//! Batches made by hand.

use std::sync::Arc;

use ferroalloy_model::{
    Batch, Exemplar, Histogram, HistogramRow, Labels, LayoutBuilder, Metadata, MetricKind, Row, RowSides,
    Rows, SourceId,
};

/// What a push client would send.
pub(super) struct Pushed {
    layout: LayoutBuilder,
    rows: Vec<Row>,
    sides: RowSides,
}

/// A time that is as good as any.
pub(super) const NOW: i64 = 1_795_427_000_123;

impl Pushed {
    pub(super) fn new() -> Self {
        Self {
            layout: LayoutBuilder::new(SourceId::new(), "test"),
            rows: Vec::new(),
            sides: RowSides::default(),
        }
    }

    pub(super) fn series(&mut self, labels: &[(&str, &str)]) -> u32 {
        self.layout.push(labels.iter().copied(), None)
    }

    pub(super) fn series_of(&mut self, name: &str, kind: MetricKind, help: &str, unit: &str) -> u32 {
        let metadata = Arc::new(Metadata {
            kind,
            help: help.into(),
            unit: unit.into(),
        });
        self.layout.push([("__name__", name)], Some(&metadata))
    }

    /// A sample of the series `slot`.
    pub(super) fn sample(mut self, slot: u32, timestamp: i64, value: f64) -> Self {
        self.rows.push(Row {
            slot,
            timestamp,
            value,
        });
        self
    }

    /// When the series of the last sample began.
    pub(super) fn since(mut self, start: i64) -> Self {
        let row = u32::try_from(self.rows.len() - 1).unwrap();
        self.sides.start_times.push((row, start));
        self
    }

    pub(super) fn histogram(mut self, slot: u32, timestamp: i64, histogram: Histogram) -> Self {
        self.sides.histograms.push(HistogramRow {
            slot,
            timestamp,
            start_time: 0,
            histogram,
        });
        self
    }

    pub(super) fn exemplar(mut self, slot: u32, labels: &[(&str, &str)], value: f64, timestamp: i64) -> Self {
        let exemplar = Exemplar {
            labels: Labels::from_pairs(labels.iter().copied()),
            value,
            timestamp,
        };
        self.sides.exemplars.push((slot, exemplar));
        self
    }

    pub(super) fn batch(self) -> Batch {
        let sides = Some(self.sides).filter(|sides| *sides != RowSides::default());
        Rows {
            layout: self.layout.build(),
            rows: self.rows.into(),
            sides: sides.map(Arc::new),
        }
        .into()
    }
}

/// A series of this name with one sample.
pub(super) fn one(name: &str, value: f64) -> Batch {
    let mut pushed = Pushed::new();
    let slot = pushed.series(&[("__name__", name), ("instance", "h:1"), ("job", "test")]);
    pushed.sample(slot, NOW, value).batch()
}
