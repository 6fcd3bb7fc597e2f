//! Filling one request from batches, within its limits.
//!
//! Invariant: a place within a batch only moves on, so that each sample is in one request or counted as dropped.

use std::sync::Arc;

use ferroalloy_model::{Batch, Columns, Exemplar, Histogram, HistogramRow, Layout, Pair, Row, Rows};

use crate::encode::{Body, Compressor, Counts, Point, Symbols, Value, Version, v1, v2};
use crate::view::{Stage, View};

/// A message is not made larger than this, however few samples that is.
const MESSAGE_AT_MOST: usize = 8 << 20;

/// How far a batch has been put into requests: the next slot of columns, then the next of their extra samples, then of their histograms; or
/// the next row, then histogram, then exemplar.
///
/// It means the same whatever an endpoint wants of the batch, since it outlives the process.
pub(super) use crate::queue::Place;

/// What an endpoint wants of batches.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted {
    pub(super) version: Version,
    pub(super) exemplars: bool,
    pub(super) histograms: bool,
    /// Beside each point, which 2.0 alone has.
    pub(super) metadata: bool,
}

/// What a message has taken so far.
#[derive(Debug, Default)]
pub(super) struct Message {
    bytes: Vec<u8>,
    symbols: Symbols,
    wanted: Wanted,
    pub(super) counts: Counts,
    /// Samples that the rules kept out.
    pub(super) dropped: usize,
    /// Exemplars of series that the rules kept out.
    pub(super) dropped_exemplars: usize,
    /// Histograms that the endpoint does not want.
    pub(super) unwanted: usize,
    /// Histograms with custom buckets, for which 1.0 has no place.
    pub(super) custom: usize,
    /// The time of the newest sample, in milliseconds since 1970.
    pub(super) newest: Option<i64>,
    tells: bool,
    /// Where to stop, whatever is in the message by then.
    until: Option<Place>,
    /// The samples of the series that is being written.
    run: Vec<(i64, f64)>,
    /// What the symbols' pairs belong to, which must not be freed before the symbols are.
    held: Vec<(Arc<Layout>, Option<Arc<View>>)>,
}

/// Where a batch's points come from, and where they go.
struct Taking<'a> {
    layout: &'a Layout,
    stage: &'a Stage,
    view: Option<&'a View>,
}

impl Message {
    /// Empties the message. Room that it has not needed by far is given back.
    pub(super) fn clear(&mut self, wanted: Wanted) {
        let used = self.bytes.len();
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        if bytes.capacity() > 4 * used.max(64 << 10) {
            bytes.shrink_to(used.max(64 << 10));
        }
        let mut symbols = std::mem::take(&mut self.symbols);
        symbols.clear();
        let mut held = std::mem::take(&mut self.held);
        held.clear();
        *self = Self {
            bytes,
            symbols,
            wanted,
            held,
            run: std::mem::take(&mut self.run),
            ..Self::default()
        };
    }

    /// The body, once the message is filled.
    pub(super) fn body(&mut self, compressor: &mut Compressor) -> Body {
        if self.wanted.version == Version::V2 {
            self.bytes.splice(..0, self.symbols.encoded().iter().copied());
        }
        Body {
            bytes: compressor.compress(&self.bytes),
            version: self.wanted.version,
            counts: self.counts,
        }
    }

    pub(super) fn is_full(&self, most_samples: usize) -> bool {
        self.counts.size() >= most_samples || self.bytes.len() >= MESSAGE_AT_MOST
    }

    /// Whether so many samples that are not to be parted can be put in.
    pub(super) fn has_room(&self, samples: usize, most_samples: usize) -> bool {
        !self.is_full(most_samples) && (self.is_empty() || self.counts.size() + samples <= most_samples)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.counts.series == 0
    }

    /// How many things of batches were put into the message or dropped.
    pub(super) fn dealt_with(&self) -> usize {
        self.counts.size() + self.dropped + self.unwanted + self.custom
    }

    /// Takes samples of `batch` from `place` on, until the batch is at its end (`None`) or the message is full.
    pub(super) fn take(
        &mut self,
        batch: &Batch,
        stage: &Stage,
        place: Place,
        most_samples: usize,
    ) -> Option<Place> {
        let layout = batch.layout();
        let view = stage.view(layout);
        let taking = Taking {
            layout,
            stage,
            view: view.as_deref(),
        };
        let rest = match batch {
            Batch::Columns(columns) => self.take_columns(columns, &taking, place, most_samples),
            Batch::Rows(rows) => self.take_rows(rows, &taking, place, most_samples),
        };
        if self.wanted.version == Version::V2 {
            self.held.push((layout.clone(), view));
        }
        rest
    }

    /// Takes samples of scrapes of the same series, series by series, from `place` of each of them on, until all are at their end or the
    /// message is full. The scrapes are in order of time and have nothing but samples; those of one series are never parted.
    pub(super) fn take_group(
        &mut self,
        group: &[&Columns],
        stage: &Stage,
        place: Place,
        most_samples: usize,
    ) -> Option<Place> {
        let first = group.first()?;
        let view = stage.view(&first.layout);
        let taking = Taking {
            layout: &first.layout,
            stage,
            view: view.as_deref(),
        };
        let slots = group.iter().map(|columns| columns.slots()).max().unwrap_or(0);
        let mut run = std::mem::take(&mut self.run);
        let mut rest = None;
        for slot in place..slots {
            run.clear();
            run.extend(group.iter().filter_map(|columns| {
                let data = &*columns.data;
                let here = data.presence.contains(index(slot));
                Some((data.timestamp, *data.values.get(slot).filter(|_| here)?))
            }));
            if run.is_empty() {
                continue;
            }
            if !self.has_room(run.len(), most_samples) {
                rest = Some(slot);
                break;
            }
            self.put_run(&taking, slot, &run);
        }
        self.run = run;
        if self.wanted.version == Version::V2 {
            self.held.push((first.layout.clone(), view));
        }
        rest
    }

    /// Takes what is between two places of `batch`, however much that is: a request of an earlier run again.
    pub(super) fn take_part(&mut self, batch: &Batch, stage: &Stage, from: Place, to: Option<Place>) {
        self.tells = true;
        self.until = Some(to.unwrap_or(Place::MAX));
        self.take(batch, stage, from, usize::MAX);
        self.until = None;
    }

    /// Whether what is taken from now on says what is known of its series, if that is wanted at all.
    pub(super) fn tell(&mut self, tell: bool) {
        self.tells = tell;
    }

    /// Whether nothing is taken from `place` of a batch on.
    fn stops_at(&self, place: Place, most_samples: usize) -> bool {
        match self.until {
            Some(until) => place >= until,
            None => self.is_full(most_samples),
        }
    }

    fn take_columns<'a>(
        &mut self,
        columns: &'a Columns,
        taking: &Taking<'a>,
        place: Place,
        most_samples: usize,
    ) -> Option<Place> {
        let data = &*columns.data;
        let slots = columns.slots();
        let sides = data.sides.as_deref();
        let explicit = sides.map_or(&[][..], |sides| &sides.timestamps);
        let starts = sides.map_or(&[][..], |sides| &sides.start_times);
        let exemplars = sides
            .filter(|_| self.wanted.exemplars)
            .map_or(&[][..], |sides| &sides.exemplars);
        let at = |slot| {
            (
                by_slot(explicit, slot).unwrap_or(data.timestamp),
                start_of(starts, slot),
            )
        };
        for slot in place..slots {
            if !data.presence.contains(index(slot)) {
                continue;
            }
            if self.stops_at(slot, most_samples) {
                return Some(slot);
            }
            let (timestamp, start_timestamp) = at(index(slot));
            let point = Point {
                timestamp,
                start_timestamp,
                value: Value::Float(data.values[slot]),
                metadata: None,
            };
            self.put(taking, slot, point, of_slot(exemplars, index(slot)));
        }
        let extra = sides.map_or(&[][..], |sides| &sides.extra);
        for (nth, row) in extra.iter().enumerate().skip(place.saturating_sub(slots)) {
            if self.stops_at(slots + nth, most_samples) {
                return Some(slots + nth);
            }
            self.put_row(taking, row, start_of(starts, row.slot));
        }
        let histograms = sides.map_or(&[][..], |sides| &sides.histograms);
        let before = slots + extra.len();
        for (nth, (slot, histogram)) in histograms.iter().enumerate().skip(place.saturating_sub(before)) {
            if self.stops_at(before + nth, most_samples) {
                return Some(before + nth);
            }
            let of_it = of_slot(exemplars, *slot);
            self.put_histogram(taking, *slot, histogram, at(*slot), of_it);
        }
        None
    }

    fn take_rows<'a>(
        &mut self,
        rows: &'a Rows,
        taking: &Taking<'a>,
        place: Place,
        most_samples: usize,
    ) -> Option<Place> {
        let sides = rows.sides.as_deref();
        let starts = sides.map_or(&[][..], |sides| &sides.start_times);
        for (nth, row) in rows.rows.iter().enumerate().skip(place) {
            if self.stops_at(nth, most_samples) {
                return Some(nth);
            }
            self.put_row(taking, row, start_of(starts, index(nth)));
        }
        let sides = sides?;
        let before = rows.rows.len();
        for (nth, row) in sides
            .histograms
            .iter()
            .enumerate()
            .skip(place.saturating_sub(before))
        {
            if self.stops_at(before + nth, most_samples) {
                return Some(before + nth);
            }
            let HistogramRow {
                slot,
                timestamp,
                start_time,
                histogram,
            } = row;
            self.put_histogram(taking, *slot, histogram, (*timestamp, *start_time), &[]);
        }
        if !self.wanted.exemplars {
            return None;
        }
        let before = before + sides.histograms.len();
        for (nth, exemplar) in sides
            .exemplars
            .iter()
            .enumerate()
            .skip(place.saturating_sub(before))
        {
            if self.stops_at(before + nth, most_samples) {
                return Some(before + nth);
            }
            let only = std::slice::from_ref(exemplar);
            self.put(taking, exemplar.0 as usize, Point::default(), only);
        }
        None
    }

    fn put_row(&mut self, taking: &Taking<'_>, row: &Row, start_timestamp: i64) {
        let point = Point {
            timestamp: row.timestamp,
            start_timestamp,
            value: Value::Float(row.value),
            metadata: None,
        };
        self.put(taking, row.slot as usize, point, &[]);
    }

    fn put_histogram<'a>(
        &mut self,
        taking: &Taking<'a>,
        slot: u32,
        histogram: &'a Histogram,
        (timestamp, start_timestamp): (i64, i64),
        exemplars: &[(u32, Exemplar)],
    ) {
        if !self.wanted.histograms {
            self.unwanted += 1;
            return;
        }
        if self.wanted.version == Version::V1 && histogram.schema == crate::encode::CUSTOM {
            self.custom += 1;
            return;
        }
        let point = Point {
            timestamp,
            start_timestamp,
            value: Value::Histogram(histogram),
            metadata: None,
        };
        self.put(taking, slot as usize, point, exemplars);
    }

    fn put_run(&mut self, taking: &Taking<'_>, slot: usize, run: &[(i64, f64)]) {
        if taking.layout.is_vacant(slot) {
            return;
        }
        let labels =
            |label: &mut dyn FnMut(&Pair)| taking.stage.labels(taking.view, taking.layout, slot, label);
        let sent = match self.wanted.version {
            Version::V1 => v1::run(&mut self.bytes, labels, run),
            Version::V2 => {
                let metadata = taking
                    .layout
                    .metadata(slot)
                    .filter(|_| self.wanted.metadata && self.tells);
                let metadata = metadata.map(|metadata| &**metadata);
                v2::run(&mut self.bytes, &mut self.symbols, labels, run, metadata)
            }
        };
        if sent {
            self.counts.add_run(run.len());
            self.newest = self.newest.max(run.last().map(|(timestamp, _)| *timestamp));
        } else {
            self.dropped += run.len();
        }
    }

    #[inline]
    fn put<'a>(
        &mut self,
        taking: &Taking<'a>,
        slot: usize,
        mut point: Point<'a>,
        exemplars: &[(u32, Exemplar)],
    ) {
        // The slots of a series that a stage before dropped are vacant: their samples are not ours to count.
        if taking.layout.is_vacant(slot) {
            return;
        }
        let labels =
            |label: &mut dyn FnMut(&Pair)| taking.stage.labels(taking.view, taking.layout, slot, label);
        let of_it = exemplars.iter().map(|(_, exemplar)| exemplar);
        let sent = match self.wanted.version {
            Version::V1 => v1::timeseries(&mut self.bytes, labels, &point, of_it),
            Version::V2 => {
                if self.wanted.metadata && self.tells {
                    point.metadata = taking.layout.metadata(slot).map(|metadata| &**metadata);
                }
                v2::timeseries(&mut self.bytes, &mut self.symbols, labels, &point, of_it)
            }
        };
        if sent {
            self.counts.add(&point, exemplars.len());
            if !matches!(point.value, Value::None) {
                self.newest = self.newest.max(Some(point.timestamp));
            }
        } else {
            self.dropped += 1;
            self.dropped_exemplars += exemplars.len();
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

/// The time of a slot, of a list in order of slot.
fn by_slot(times: &[(u32, i64)], slot: u32) -> Option<i64> {
    let at = times.binary_search_by_key(&slot, |(slot, _)| *slot).ok()?;
    Some(times[at].1)
}

/// When counting began. A start of zero would not be one on the wire: the next millisecond is sent for it.
fn start_of(starts: &[(u32, i64)], slot: u32) -> i64 {
    match by_slot(starts, slot) {
        Some(0) => 1,
        start => start.unwrap_or(0),
    }
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
            assert_eq!(decoded.timeseries.len(), message.counts.samples);
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
    fn a_group_is_in_pieces_at_series() {
        let Batch::Columns(Columns { layout, .. }) = batch() else {
            unreachable!("made of columns");
        };
        let scrapes = [(1000, [0, 2]), (2000, [1, 2]), (3000, [2, 3])].map(|(timestamp, slots)| {
            let mut data = ColumnData::default();
            data.reset(timestamp, 4);
            for slot in slots {
                data.set(slot, f64::from(slot));
            }
            Columns {
                layout: layout.clone(),
                data: Arc::new(data),
            }
        });
        let group: Vec<&Columns> = scrapes.iter().collect();
        let stage = Stage::new(&Labels::empty(), &Rules::default());
        let (mut place, mut messages) = (Some(0), Vec::new());
        while let Some(from) = place {
            let mut message = Message::default();
            place = message.take_group(&group, &stage, from, 4);
            let decoded = proto::WriteRequest::decode(&*message.bytes).unwrap();
            let times = |series: &proto::TimeSeries| {
                let times = series.samples.iter().map(|sample| sample.timestamp).collect();
                (series.labels[0].value.clone(), times)
            };
            messages.push(decoded.timeseries.iter().map(times).collect::<Vec<_>>());
        }
        // The slot of `b` is vacant.
        let run = |name: &str, times: &[i64]| (name.to_owned(), times.to_vec());
        assert_eq!(
            messages,
            [
                vec![run("a", &[1000]), run("c", &[1000, 2000, 3000])],
                vec![run("d", &[3000])]
            ]
        );
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
            sides: None,
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
            let mut message = Message::default();
            message.clear(Wanted {
                exemplars: with_exemplars,
                ..Wanted::default()
            });
            assert_eq!(message.take(&batch, &stage, 0, 9), None);
            let decoded = proto::WriteRequest::decode(&*message.bytes).unwrap();
            let values =
                |series: &proto::TimeSeries| series.exemplars.iter().map(|e| e.value).collect::<Vec<_>>();
            assert_eq!(
                decoded.timeseries.iter().map(values).collect::<Vec<_>>(),
                expected
            );
            assert_eq!(message.counts.exemplars, expected.concat().len());
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
            (message.counts.samples, message.dropped, message.newest),
            (1, 2, Some(1000))
        );
    }
}
