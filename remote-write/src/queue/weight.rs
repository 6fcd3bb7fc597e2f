//! What batches weigh that are kept: their samples, and each layout once.

use std::collections::HashMap;

use ferroalloy_model::LayoutId;
use foldhash::fast::RandomState;

use super::Entry;

/// The bytes of a set of entries.
#[derive(Debug, Default)]
pub(crate) struct Weight {
    bytes: usize,
    /// Layouts that entries hold, with the number of those entries and the layout's bytes.
    layouts: HashMap<LayoutId, (usize, usize), RandomState>,
}

impl Weight {
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn add(&mut self, entry: &Entry) {
        let layout = entry.batch.layout();
        let held = self
            .layouts
            .entry(layout.id())
            .or_insert_with(|| (0, layout.heap_bytes()));
        held.0 += 1;
        if held.0 == 1 {
            self.bytes += held.1;
        }
        self.bytes += entry_bytes(entry);
    }

    pub(crate) fn remove(&mut self, entry: &Entry) {
        self.bytes = self.bytes.saturating_sub(entry_bytes(entry));
        let layout = entry.batch.layout().id();
        if let Some(held) = self.layouts.get_mut(&layout) {
            held.0 -= 1;
            if held.0 == 0 {
                self.bytes = self.bytes.saturating_sub(held.1);
                self.layouts.remove(&layout);
            }
        }
    }
}

/// What an entry holds besides its layout. Columns that a producer still has are counted as well: it waits for them to come
/// back, and makes others meanwhile.
fn entry_bytes(entry: &Entry) -> usize {
    size_of::<Entry>() + entry.batch.heap_bytes()
}
