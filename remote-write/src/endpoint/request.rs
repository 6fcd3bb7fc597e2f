//! Filling one request from batches, within its limits.
//!
//! Invariant: a place within a batch only moves on, so that each sample is in one request or counted as dropped.

mod samples;

use std::sync::Arc;

use ferroalloy_model::{Batch, Columns, Layout};

use crate::encode::{Body, Compressor, Counts, Symbols, Version};
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
}

/// Slots are counted in 32 bits by the layout itself.
fn index(slot: usize) -> u32 {
    u32::try_from(slot).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
