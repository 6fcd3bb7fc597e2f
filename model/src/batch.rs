//! What passes between stages: the samples of one source at one time.
//!
//! A batch is the unit of locks, channels and counters; nothing on the way is done per sample that can be
//! done per batch. Cloning one is reference counting.

mod presence;

use std::sync::Arc;

pub use presence::Presence;

use crate::histogram::Histogram;
use crate::layout::Layout;
use crate::sample::Exemplar;

/// Samples of one source.
#[derive(Debug, Clone)]
pub enum Batch {
    /// One scrape: at most one sample a series, all of one time.
    Columns(Columns),
    /// What a push client sent: samples with a time each, in the order of arrival.
    Rows(Rows),
}

/// The samples of one scrape, by slot of its layout.
#[derive(Debug, Clone)]
pub struct Columns {
    /// The series.
    pub layout: Arc<Layout>,
    /// The values. The same data serves under every layout derived from the first one.
    pub data: Arc<ColumnData>,
}

/// The values of a scrape. A producer that keeps its `Arc` gets the buffers back with [`Arc::get_mut`] once
/// every receiver is done.
#[derive(Debug, Default, Clone)]
pub struct ColumnData {
    /// Milliseconds since 1970; holds for all samples without a time of their own.
    pub timestamp: i64,
    /// Which slots have a sample.
    pub presence: Presence,
    /// Values by slot; without meaning where no sample is present.
    pub values: Vec<f64>,
    /// What few scrapes have.
    pub sides: Option<Box<Sides>>,
}

/// The parts of a scrape that few scrapes have.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Sides {
    /// Explicit timestamps by slot, ascending; they take the place of the scrape's.
    pub timestamps: Vec<(u32, i64)>,
    /// Second and later samples of a series within one scrape, in order of arrival.
    pub extra: Vec<Row>,
    /// Exemplars by slot, ascending.
    pub exemplars: Vec<(u32, Exemplar)>,
    /// Native histograms by slot, ascending. Such a slot is not in `presence`.
    pub histograms: Vec<(u32, Histogram)>,
    /// When a counter began, by slot, ascending; milliseconds since 1970.
    pub start_times: Vec<(u32, i64)>,
}

/// Samples with a time each, in the order in which they arrived.
#[derive(Debug, Clone)]
pub struct Rows {
    /// The series.
    pub layout: Arc<Layout>,
    /// The samples.
    pub rows: Arc<[Row]>,
    /// What few push clients send.
    pub sides: Option<Arc<RowSides>>,
}

/// The parts of pushed samples that few clients send.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct RowSides {
    /// When a counter began, by index of its row, ascending; milliseconds since 1970.
    pub start_times: Vec<(u32, i64)>,
    /// Native histograms in the order in which they arrived.
    pub histograms: Vec<HistogramRow>,
    /// Exemplars by slot, in the order in which they arrived.
    pub exemplars: Vec<(u32, Exemplar)>,
}

/// One native histogram of a push client.
#[derive(Debug, Clone, PartialEq)]
pub struct HistogramRow {
    /// Slot of its series.
    pub slot: u32,
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// When it began, in milliseconds since 1970; 0 where that is not known.
    pub start_time: i64,
    /// The histogram.
    pub histogram: Histogram,
}

/// One sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Slot of its series.
    pub slot: u32,
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// The value; the stale NaN marks the series as gone.
    pub value: f64,
}

impl Batch {
    /// The series that the samples belong to.
    pub fn layout(&self) -> &Arc<Layout> {
        match self {
            Self::Columns(columns) => &columns.layout,
            Self::Rows(rows) => &rows.layout,
        }
    }

    /// The same samples under a layout with the same slots.
    #[must_use]
    pub fn with_layout(&self, layout: Arc<Layout>) -> Self {
        match self {
            Self::Columns(columns) => Self::Columns(Columns {
                layout,
                data: Arc::clone(&columns.data),
            }),
            Self::Rows(rows) => Self::Rows(Rows {
                layout,
                rows: Arc::clone(&rows.rows),
                sides: rows.sides.clone(),
            }),
        }
    }

    /// Calls `each` with every sample whose slot is not vacant, in order of slot (extra samples of columns
    /// last) or of arrival.
    pub fn for_each_sample(&self, mut each: impl FnMut(Row)) {
        match self {
            Self::Columns(columns) => columns.for_each_sample(each),
            Self::Rows(rows) => {
                for row in &*rows.rows {
                    if !rows.layout.is_vacant(row.slot as usize) {
                        each(*row);
                    }
                }
            }
        }
    }

    /// The samples as a list, for tests and for receivers that are not in a hurry.
    pub fn samples(&self) -> Vec<Row> {
        let mut samples = Vec::with_capacity(self.upper_bound());
        self.for_each_sample(|row| samples.push(row));
        samples
    }

    /// Number of samples, native histograms included, whose slot is not vacant.
    pub fn sample_count(&self) -> usize {
        if !self.layout().has_vacant() {
            return self.floats() + self.histogram_slots().count();
        }
        let mut count = 0;
        self.for_each_sample(|_| count += 1);
        let layout = self.layout();
        count
            + self
                .histogram_slots()
                .filter(|slot| !layout.is_vacant(*slot as usize))
                .count()
    }

    /// Number of things to be dealt with, at most: samples, native histograms and the exemplars of push clients, those of vacant
    /// slots included. Zero only when there is nothing in the batch.
    pub fn upper_bound(&self) -> usize {
        let exemplars = match self {
            Self::Columns(_) => 0,
            Self::Rows(rows) => rows.sides.as_ref().map_or(0, |sides| sides.exemplars.len()),
        };
        self.floats() + self.histogram_slots().count() + exemplars
    }

    fn floats(&self) -> usize {
        match self {
            Self::Columns(Columns { data, .. }) => {
                data.presence.count() + data.sides.as_ref().map_or(0, |sides| sides.extra.len())
            }
            Self::Rows(rows) => rows.rows.len(),
        }
    }

    fn histogram_slots(&self) -> impl Iterator<Item = u32> + '_ {
        let (columns, rows) = match self {
            Self::Columns(Columns { data, .. }) => (
                data.sides.as_ref().map_or(&[][..], |sides| &sides.histograms),
                &[][..],
            ),
            Self::Rows(rows) => (
                &[][..],
                rows.sides.as_ref().map_or(&[][..], |sides| &sides.histograms),
            ),
        };
        columns
            .iter()
            .map(|(slot, _)| *slot)
            .chain(rows.iter().map(|row: &HistogramRow| row.slot))
    }

    /// The time of the newest sample, or of the scrape.
    pub fn timestamp(&self) -> i64 {
        match self {
            Self::Columns(columns) => columns.data.timestamp,
            Self::Rows(rows) => {
                let histograms = rows.sides.iter().flat_map(|sides| &sides.histograms);
                rows.rows
                    .iter()
                    .map(|row| row.timestamp)
                    .chain(histograms.map(|row| row.timestamp))
                    .max()
                    .unwrap_or_default()
            }
        }
    }

    /// Bytes on the heap of the samples alone; the layout is shared with other batches.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Columns(Columns { data, .. }) => {
                data.values.capacity() * size_of::<f64>()
                    + data.presence.heap_bytes()
                    + data.sides.as_ref().map_or(0, |sides| sides.heap_bytes())
            }
            Self::Rows(rows) => {
                size_of_val(&*rows.rows) + rows.sides.as_ref().map_or(0, |sides| sides.heap_bytes())
            }
        }
    }
}

impl Columns {
    /// Slots that may have a sample.
    pub fn slots(&self) -> usize {
        self.layout.len().min(self.data.values.len())
    }

    /// Samples of the slots from `slot` on, those of vacant slots included.
    pub fn samples_from(&self, slot: usize) -> usize {
        u32::try_from(slot).map_or(0, |slot| self.data.presence.count_from(slot))
    }

    fn for_each_sample(&self, mut each: impl FnMut(Row)) {
        let data = &*self.data;
        let mut explicit = data.sides.as_deref().map_or(&[][..], |sides| &sides.timestamps);
        let some_vacant = self.layout.has_vacant();
        data.presence.for_each(|slot| {
            while explicit.first().is_some_and(|(at, _)| *at < slot) {
                explicit = &explicit[1..];
            }
            let timestamp = match explicit.first() {
                Some((at, timestamp)) if *at == slot => *timestamp,
                _ => data.timestamp,
            };
            if some_vacant && self.layout.is_vacant(slot as usize) {
                return;
            }
            if let Some(value) = data.values.get(slot as usize) {
                each(Row {
                    slot,
                    timestamp,
                    value: *value,
                });
            }
        });
        for row in data.sides.as_deref().map_or(&[][..], |sides| &sides.extra) {
            if !self.layout.is_vacant(row.slot as usize) {
                each(*row);
            }
        }
    }
}

impl ColumnData {
    /// Empties the data for the next scrape and keeps the buffers.
    pub fn reset(&mut self, timestamp: i64, slots: usize) {
        self.timestamp = timestamp;
        self.presence.reset(slots);
        self.values.resize(slots, 0.0);
        self.sides = None;
    }

    /// Puts a sample into a slot.
    pub fn set(&mut self, slot: u32, value: f64) {
        if let Some(held) = self.values.get_mut(slot as usize) {
            *held = value;
            self.presence.set(slot);
        }
    }

    /// The rare parts, made when first asked for.
    pub fn sides_mut(&mut self) -> &mut Sides {
        self.sides.get_or_insert_default()
    }
}

impl Sides {
    fn heap_bytes(&self) -> usize {
        let histograms = self
            .histograms
            .iter()
            .map(|(_, histogram)| histogram.heap_bytes())
            .sum::<usize>();
        self.timestamps.capacity() * size_of::<(u32, i64)>()
            + self.extra.capacity() * size_of::<Row>()
            + self.exemplars.capacity() * size_of::<(u32, Exemplar)>()
            + self.histograms.capacity() * size_of::<(u32, Histogram)>()
            + histograms
            + self.start_times.capacity() * size_of::<(u32, i64)>()
    }
}

impl RowSides {
    fn heap_bytes(&self) -> usize {
        let histograms = self.histograms.iter().map(|row| row.histogram.heap_bytes());
        self.start_times.capacity() * size_of::<(u32, i64)>()
            + self.histograms.capacity() * size_of::<HistogramRow>()
            + histograms.sum::<usize>()
            + self.exemplars.capacity() * size_of::<(u32, Exemplar)>()
    }
}

impl From<Columns> for Batch {
    fn from(columns: Columns) -> Self {
        Self::Columns(columns)
    }
}

impl From<Rows> for Batch {
    fn from(rows: Rows) -> Self {
        Self::Rows(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{LayoutBuilder, SourceId};

    fn layout(names: &[&str]) -> Arc<Layout> {
        let mut builder = LayoutBuilder::new(SourceId::new(), "test");
        for name in names {
            builder.push([("__name__", *name)], None);
        }
        builder.build()
    }

    #[test]
    fn columns_give_present_slots_with_their_times() {
        let layout = layout(&["a", "b", "c"]);
        let mut data = ColumnData::default();
        data.reset(1000, 3);
        data.set(0, 1.0);
        data.set(2, 3.0);
        data.sides_mut().timestamps.push((2, 777));
        data.sides_mut().extra.push(Row {
            slot: 2,
            timestamp: 778,
            value: 4.0,
        });
        let batch = Batch::from(Columns {
            layout: Arc::clone(&layout),
            data: Arc::new(data),
        });
        let expected = [(0, 1000, 1.0), (2, 777, 3.0), (2, 778, 4.0)].map(|(slot, timestamp, value)| Row {
            slot,
            timestamp,
            value,
        });
        assert_eq!(batch.samples(), expected);
        assert_eq!(batch.sample_count(), 3);

        let mut builder = LayoutBuilder::from_parent(&layout);
        builder.vacate(2);
        let narrowed = batch.with_layout(builder.build());
        assert_eq!(narrowed.samples(), expected[..1]);
        assert_eq!(narrowed.sample_count(), 1);
    }

    #[test]
    fn buffers_come_back_when_receivers_are_done() {
        let layout = layout(&["a"]);
        let mut data = Arc::new(ColumnData::default());
        let batch = Batch::from(Columns {
            layout,
            data: Arc::clone(&data),
        });
        assert!(Arc::get_mut(&mut data).is_none());
        drop(batch);
        assert!(Arc::get_mut(&mut data).is_some());
    }
}
