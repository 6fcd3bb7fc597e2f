//! The points of a batch from a place on, in the order in which requests take them.

use ferroalloy_model::layout::Series;
use ferroalloy_model::{Batch, Exemplar};

use crate::encode::{Point, Value};
use crate::queue::Place;

/// One point of a series.
#[derive(Clone, Copy, Debug)]
pub struct QueuedPoint<'a> {
    /// The series.
    pub series: Series<'a>,
    /// What was measured, and when.
    pub point: Point<'a>,
    /// What goes with it.
    pub exemplars: &'a [(u32, Exemplar)],
}

/// How many points there are.
pub(super) fn count(batch: &Batch, from: Place) -> u64 {
    let mut count = 0;
    for_each(batch, from, &mut |_| count += 1);
    count
}

/// Calls with each point from place `from` on.
pub(super) fn for_each(batch: &Batch, from: Place, each: &mut dyn FnMut(QueuedPoint<'_>)) {
    let layout = batch.layout();
    let mut put = |slot: u32, timestamp, start_timestamp, value, exemplars| {
        let series = layout.series(slot as usize);
        if series.is_vacant() {
            return;
        }
        let metadata = layout.metadata(slot as usize).map(|metadata| &**metadata);
        each(QueuedPoint {
            series,
            point: Point {
                timestamp,
                start_timestamp,
                value,
                metadata,
            },
            exemplars,
        });
    };
    match batch {
        Batch::Columns(columns) => {
            let data = &*columns.data;
            let sides = data.sides.as_deref();
            let slots = layout.len().min(data.values.len());
            let of = |slot| {
                let time = sides.and_then(|sides| by_slot(&sides.timestamps, slot));
                let start = sides.and_then(|sides| by_slot(&sides.start_times, slot));
                let exemplars = sides.map_or(&[][..], |sides| of_slot(&sides.exemplars, slot));
                (time.unwrap_or(data.timestamp), start.unwrap_or(0), exemplars)
            };
            for (slot, value) in (0_u32..).zip(&data.values).take(slots).skip(from) {
                if data.presence.contains(slot) {
                    let (time, start, exemplars) = of(slot);
                    put(slot, time, start, Value::Float(*value), exemplars);
                }
            }
            let Some(sides) = sides else { return };
            let mut rest = from.saturating_sub(slots);
            for row in sides.extra.iter().skip(rest) {
                let start = by_slot(&sides.start_times, row.slot).unwrap_or(0);
                put(row.slot, row.timestamp, start, Value::Float(row.value), &[]);
            }
            rest = rest.saturating_sub(sides.extra.len());
            for (slot, histogram) in sides.histograms.iter().skip(rest) {
                let (time, start, exemplars) = of(*slot);
                put(*slot, time, start, Value::Histogram(histogram), exemplars);
            }
        }
        Batch::Rows(rows) => {
            let sides = rows.sides.as_deref();
            for (nth, row) in (0_u32..).zip(&*rows.rows).skip(from) {
                let start = sides.and_then(|sides| by_slot(&sides.start_times, nth));
                put(
                    row.slot,
                    row.timestamp,
                    start.unwrap_or(0),
                    Value::Float(row.value),
                    &[],
                );
            }
            let Some(sides) = sides else { return };
            let mut rest = from.saturating_sub(rows.rows.len());
            for row in sides.histograms.iter().skip(rest) {
                put(
                    row.slot,
                    row.timestamp,
                    row.start_time,
                    Value::Histogram(&row.histogram),
                    &[],
                );
            }
            rest = rest.saturating_sub(sides.histograms.len());
            for exemplar in sides.exemplars.iter().skip(rest) {
                put(
                    exemplar.0,
                    exemplar.1.timestamp,
                    0,
                    Value::None,
                    std::slice::from_ref(exemplar),
                );
            }
        }
    }
}

fn by_slot(times: &[(u32, i64)], slot: u32) -> Option<i64> {
    let index = times.binary_search_by_key(&slot, |(slot, _)| *slot).ok()?;
    Some(times[index].1)
}

fn of_slot(exemplars: &[(u32, Exemplar)], slot: u32) -> &[(u32, Exemplar)] {
    let start = exemplars.partition_point(|(of, _)| *of < slot);
    let end = exemplars.partition_point(|(of, _)| *of <= slot);
    &exemplars[start..end]
}
