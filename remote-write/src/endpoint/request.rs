//! Filling one request from batches, within its limits.
//!
//! Invariant: a place within a batch only moves on, so that each sample is in one request or counted as dropped.

use ferroalloy_model::{Batch, Exemplar, Row};

use crate::encode::timeseries;
use crate::view::{Stage, View};

/// A message is not made larger than this, however few samples that is.
const MESSAGE_AT_MOST: usize = 8 << 20;

/// How far a batch has been put into requests: the next slot of columns, then the next of their extra samples; or the next row.
pub(super) type Place = usize;

/// What a message has taken so far.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub(super) bytes: Vec<u8>,
    pub(super) samples: usize,
    pub(super) exemplars: usize,
    /// Whether exemplars are sent.
    pub(super) with_exemplars: bool,
    /// Samples that the rules kept out.
    pub(super) dropped: usize,
    /// The time of the newest sample, in milliseconds since 1970.
    pub(super) newest: Option<i64>,
}

impl Message {
    /// Empties the message. Room that it has not needed by far is given back.
    pub(super) fn clear(&mut self) {
        let used = self.bytes.len();
        self.bytes.clear();
        if self.bytes.capacity() > 4 * used.max(64 << 10) {
            self.bytes.shrink_to(used.max(64 << 10));
        }
        (self.samples, self.exemplars, self.dropped, self.newest) = (0, 0, 0, None);
    }

    pub(super) fn is_full(&self, most_samples: usize) -> bool {
        self.samples >= most_samples || self.bytes.len() >= MESSAGE_AT_MOST
    }

    /// Takes samples of `batch` from `place` on, until the batch is at its end (`None`) or the message is full.
    pub(super) fn take(
        &mut self,
        batch: &Batch,
        stage: &Stage,
        place: Place,
        most_samples: usize,
    ) -> Option<Place> {
        let view = stage.view(batch.layout());
        let view = view.as_deref();
        match batch {
            Batch::Columns(columns) => {
                let (data, slots) = (
                    &*columns.data,
                    columns.layout.len().min(columns.data.values.len()),
                );
                let sides = data.sides.as_deref();
                let explicit = sides.map_or(&[][..], |sides| &sides.timestamps);
                let exemplars = sides
                    .filter(|_| self.with_exemplars)
                    .map_or(&[][..], |sides| &sides.exemplars);
                for slot in place..slots {
                    if !data.presence.contains(index(slot)) {
                        continue;
                    }
                    if self.is_full(most_samples) {
                        return Some(slot);
                    }
                    let timestamp = match explicit {
                        [] => data.timestamp,
                        _ => explicit
                            .binary_search_by_key(&index(slot), |(slot, _)| *slot)
                            .map_or(data.timestamp, |at| explicit[at].1),
                    };
                    let row = Row {
                        slot: index(slot),
                        timestamp,
                        value: data.values[slot],
                    };
                    self.put(batch, stage, view, row, of_slot(exemplars, row.slot));
                }
                let extra = sides.map_or(&[][..], |sides| &sides.extra);
                self.take_rows(
                    extra,
                    batch,
                    stage,
                    view,
                    place.saturating_sub(slots),
                    most_samples,
                )
                .map(|at| slots + at)
            }
            Batch::Rows(rows) => self.take_rows(&rows.rows, batch, stage, view, place, most_samples),
        }
    }

    fn take_rows(
        &mut self,
        rows: &[Row],
        batch: &Batch,
        stage: &Stage,
        view: Option<&View>,
        from: usize,
        most_samples: usize,
    ) -> Option<usize> {
        for (at, row) in rows.iter().enumerate().skip(from) {
            if self.is_full(most_samples) {
                return Some(at);
            }
            self.put(batch, stage, view, *row, &[]);
        }
        None
    }

    #[inline]
    fn put(
        &mut self,
        batch: &Batch,
        stage: &Stage,
        view: Option<&View>,
        row: Row,
        exemplars: &[(u32, Exemplar)],
    ) {
        let (layout, slot) = (batch.layout(), row.slot as usize);
        // The slots of a series that a stage before dropped are vacant: their samples are not ours to count.
        if layout.is_vacant(slot) {
            return;
        }
        let start = self.bytes.len();
        let mut sent = true;
        let labels = |out: &mut Vec<u8>| sent = stage.write(view, layout, slot, out);
        timeseries(&mut self.bytes, labels, row.timestamp, row.value, exemplars);
        if sent {
            self.samples += 1;
            self.exemplars += exemplars.len();
            self.newest = Some(
                self.newest
                    .map_or(row.timestamp, |newest| newest.max(row.timestamp)),
            );
        } else {
            self.bytes.truncate(start);
            self.dropped += 1;
        }
    }
}

/// The exemplars of one slot, of a list in order of slot.
fn of_slot(exemplars: &[(u32, Exemplar)], slot: u32) -> &[(u32, Exemplar)] {
    if exemplars.is_empty() {
        return exemplars;
    }
    let start = exemplars.partition_point(|(of, _)| *of < slot);
    let end = exemplars.partition_point(|(of, _)| *of <= slot);
    &exemplars[start..end]
}

/// Slots are counted in 32 bits by the layout itself.
fn index(slot: usize) -> u32 {
    u32::try_from(slot).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ferroalloy_model::{ColumnData, Columns, Labels, LayoutBuilder, Rows, SourceId};
    use prost::Message as _;
    use relabel::{Action, Naming, Rule, Rules};

    use super::*;
    use crate::proto;

    /// Takes the whole batch in messages of `most` samples; what each of them has.
    fn messages(batch: &Batch, stage: &Stage, most: usize) -> Vec<Vec<(String, i64, f64)>> {
        let mut messages = Vec::new();
        let mut place = Some(0);
        while let Some(from) = place {
            let mut message = Message::default();
            place = message.take(batch, stage, from, most);
            let decoded = proto::WriteRequest::decode(&*message.bytes).unwrap();
            assert_eq!(decoded.timeseries.len(), message.samples);
            let sample = |series: &proto::TimeSeries| {
                (
                    series.labels[0].value.clone(),
                    series.samples[0].timestamp,
                    series.samples[0].value,
                )
            };
            messages.push(decoded.timeseries.iter().map(sample).collect());
        }
        messages
    }

    fn batch() -> Batch {
        let mut builder = LayoutBuilder::new(SourceId::new(), "test");
        for name in ["a", "b", "c", "d"] {
            builder.push([("__name__", name)], None);
        }
        builder.vacate(1);
        let mut data = ColumnData::default();
        data.reset(1000, 4);
        for (slot, value) in [(0, 0.5), (1, 1.5), (2, 2.5)] {
            data.set(slot, value);
        }
        data.sides_mut().timestamps.push((2, 7));
        data.sides_mut().extra.push(Row {
            slot: 2,
            timestamp: 8,
            value: 3.5,
        });
        Columns {
            layout: builder.build(),
            data: Arc::new(data),
        }
        .into()
    }

    fn sample(name: &str, timestamp: i64, value: f64) -> (String, i64, f64) {
        (name.to_owned(), timestamp, value)
    }

    #[test]
    fn columns_come_in_pieces() {
        let stage = Stage::new(&Labels::empty(), &Rules::default());
        let (a, c, extra) = (sample("a", 1000, 0.5), sample("c", 7, 2.5), sample("c", 8, 3.5));
        assert_eq!(
            messages(&batch(), &stage, 9),
            [vec![a.clone(), c.clone(), extra.clone()]]
        );
        assert_eq!(
            messages(&batch(), &stage, 2),
            [vec![a.clone(), c.clone()], vec![extra.clone()]]
        );
        assert_eq!(messages(&batch(), &stage, 1), [vec![a], vec![c], vec![extra]]);
    }

    #[test]
    fn rows_come_in_pieces() {
        let layout = batch().layout().clone();
        let rows = [(0, 5), (2, 6), (0, 7)].map(|(slot, timestamp)| Row {
            slot,
            timestamp,
            value: 1.0,
        });
        let batch = Rows {
            layout,
            rows: Arc::from(rows),
        }
        .into();
        let stage = Stage::new(&Labels::empty(), &Rules::default());
        let all = [sample("a", 5, 1.0), sample("c", 6, 1.0), sample("a", 7, 1.0)];
        assert_eq!(messages(&batch, &stage, 2), [&all[..2], &all[2..]]);
    }

    #[test]
    fn exemplars_go_with_their_sample() {
        let mut batch = batch();
        let exemplar = |value| Exemplar {
            labels: Labels::from_pairs([("trace_id", "t")]),
            value,
            timestamp: 5,
        };
        if let Batch::Columns(columns) = &mut batch {
            let sides = Arc::make_mut(&mut columns.data).sides_mut();
            sides.exemplars = vec![
                (0, exemplar(0.1)),
                (1, exemplar(0.2)),
                (2, exemplar(0.3)),
                (2, exemplar(0.4)),
            ];
        }
        let stage = Stage::new(&Labels::empty(), &Rules::default());
        for (with_exemplars, expected) in [
            (true, vec![vec![0.1], vec![0.3, 0.4], vec![]]),
            (false, vec![vec![]; 3]),
        ] {
            let mut message = Message {
                with_exemplars,
                ..Message::default()
            };
            assert_eq!(message.take(&batch, &stage, 0, 9), None);
            let decoded = proto::WriteRequest::decode(&*message.bytes).unwrap();
            let values =
                |series: &proto::TimeSeries| series.exemplars.iter().map(|e| e.value).collect::<Vec<_>>();
            assert_eq!(
                decoded.timeseries.iter().map(values).collect::<Vec<_>>(),
                expected
            );
            assert_eq!(message.exemplars, expected.concat().len());
        }
    }

    #[test]
    fn what_rules_drop_is_counted() {
        let rule = Rule {
            source_labels: vec!["__name__".into()],
            regex: "c".into(),
            action: Action::Drop,
            ..Rule::default()
        };
        let stage = Stage::new(&Labels::empty(), &Rules::new([rule], Naming::UTF8).unwrap());
        let mut message = Message::default();
        assert_eq!(message.take(&batch(), &stage, 0, 9), None);
        assert_eq!(
            (message.samples, message.dropped, message.newest),
            (1, 2, Some(1000))
        );
    }
}
