//! Markers for series that a change of the rules has renamed or dropped: nobody else would end them.

use std::collections::HashSet;
use std::sync::Arc;

use ferroalloy_model::{Batch, ColumnData, Columns, Layout, Slots, stale_nan};

/// Markers for the series of `batch` that `before` names otherwise than `now`, under the names of `before`. `None`: there
/// are none, or the batch is one of rows, whose series come and go without markers. `reassigned` are slots that
/// had other series when `before` was made, which had their markers since.
pub(super) fn markers(
    batch: &Batch,
    before: &Arc<Layout>,
    now: &Layout,
    reassigned: Option<&Slots>,
) -> Option<Batch> {
    let Batch::Columns(columns) = batch else {
        return None;
    };
    let native = columns.data.sides.iter().flat_map(|sides| &sides.histograms);
    let mut slots: Vec<u32> = native.map(|(slot, _)| *slot).collect();
    batch.for_each_sample(|row| slots.push(row.slot));
    // A series that another slot goes on with needs no end.
    let alive: HashSet<Vec<(&str, &str)>> = slots
        .iter()
        .map(|slot| now.series(*slot as usize).iter().collect())
        .collect();
    let mut data = ColumnData::default();
    data.reset(batch.timestamp(), before.len());
    let mut found = false;
    for slot in slots {
        let series = before.series(slot as usize);
        let gone = !series.is_vacant()
            && reassigned.is_none_or(|slots| !slots.contains(slot))
            && !alive.contains(&series.iter().collect::<Vec<_>>());
        if gone {
            data.set(slot, stale_nan());
            found = true;
        }
    }
    found.then(|| {
        Batch::from(Columns {
            layout: Arc::clone(before),
            data: Arc::new(data),
        })
    })
}
