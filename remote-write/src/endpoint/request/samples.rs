//! Putting the points of a batch into a message, one by one.

use ferroalloy_model::{Columns, Exemplar, Histogram, HistogramRow, Pair, Row, Rows};

use super::{MESSAGE_AT_MOST, Message, Place, Taking, index};
use crate::encode::{Point, Value, Version, v1, v2};
use crate::order::Order;

/// What a point has in a message beside its series' own labels, at most, as a rule: external labels, exemplars, metadata.
const POINT_AT_MOST: usize = 1 << 10;

impl Message {
    pub(super) fn take_columns<'a>(
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
        let put = |message: &mut Self, slot: usize| {
            let (timestamp, start_timestamp) = at(index(slot));
            let point = Point {
                timestamp,
                start_timestamp,
                value: Value::Float(data.values[slot]),
                metadata: None,
            };
            message.put(taking, slot, point, of_slot(exemplars, index(slot)));
        };
        let mut from = place;
        if let Some(order) = Order::of(&columns.layout) {
            let until = self.fits(columns, &order, place, most_samples);
            let here = |slot: &usize| (place..until).contains(slot) && data.presence.contains(index(*slot));
            order.slots().filter(here).for_each(|slot| put(self, slot));
            from = from.max(until);
        }
        for slot in from..slots {
            if !data.presence.contains(index(slot)) {
                continue;
            }
            if self.stops_at(slot, most_samples) {
                return Some(slot);
            }
            put(self, slot);
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

    /// The slot before which all samples from `place` on have room for certain.
    fn fits(&self, columns: &Columns, order: &Order, place: Place, most_samples: usize) -> Place {
        let slots = columns.slots();
        if let Some(until) = self.until {
            return until.min(slots);
        }
        let bytes = MESSAGE_AT_MOST.saturating_sub(self.bytes.len()) / (order.longest() + POINT_AT_MOST);
        let room = most_samples.saturating_sub(self.counts.size()).min(bytes);
        if columns.samples_from(place) <= room {
            return slots;
        }
        let presence = &columns.data.presence;
        let full = (place..slots)
            .filter(|slot| presence.contains(index(*slot)))
            .nth(room);
        full.unwrap_or(slots)
    }

    pub(super) fn take_rows<'a>(
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

    pub(super) fn put_row(&mut self, taking: &Taking<'_>, row: &Row, start_timestamp: i64) {
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

    pub(super) fn put_run(&mut self, taking: &Taking<'_>, slot: usize, run: &[(i64, f64)]) {
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
