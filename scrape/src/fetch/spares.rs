//! The buffers of batches, used again when every receiver is done with them.

use std::sync::Arc;

use ferroalloy_model::{Batch, ColumnData, Columns};

/// How many batches are looked after: as many as may be under way to a receiver at once.
const MOST: usize = 8;

/// Larger buffers are not kept: what they save is little beside the values in them.
const LARGEST: usize = 1 << 20;

/// The data of the last batches, whatever target they are of: a target that kept its own would hold eight bytes a series
/// from scrape to scrape.
#[derive(Debug, Default)]
pub(crate) struct Spares(Vec<Arc<ColumnData>>);

impl Spares {
    /// Data that nobody uses any more, or new one.
    pub(crate) fn take(&mut self) -> ColumnData {
        let free = self.0.iter().position(|data| Arc::strong_count(data) == 1);
        free.and_then(|at| Arc::try_unwrap(self.0.swap_remove(at)).ok())
            .unwrap_or_default()
    }

    /// Looks after the data of a batch.
    pub(crate) fn keep(&mut self, batch: &Batch) {
        if let Batch::Columns(Columns { data, .. }) = batch
            && batch.heap_bytes() <= LARGEST
        {
            if self.0.len() == MOST {
                self.0.remove(0);
            }
            self.0.push(Arc::clone(data));
        }
    }
}

#[cfg(test)]
mod tests {
    use ferroalloy_model::{LayoutBuilder, SourceId};

    use super::*;

    fn batch(slots: usize) -> Batch {
        let mut data = ColumnData::default();
        data.reset(0, slots);
        let layout = LayoutBuilder::new(SourceId::new(), "test").build();
        Columns {
            layout,
            data: Arc::new(data),
        }
        .into()
    }

    #[test]
    fn a_buffer_comes_back_once_nobody_has_it() {
        let mut spares = Spares::default();
        let batch = batch(100);
        spares.keep(&batch);
        assert_eq!(spares.take().values.capacity(), 0, "somebody has it");
        drop(batch);
        assert_eq!(spares.take().values.capacity(), 100);
        assert_eq!(spares.take().values.capacity(), 0, "it was taken");
    }

    #[test]
    fn they_are_few_and_not_large() {
        let mut spares = Spares::default();
        for _ in 0..20 {
            spares.keep(&batch(10));
        }
        assert_eq!(spares.0.len(), MOST);
        let mut spares = Spares::default();
        spares.keep(&batch(LARGEST));
        assert!(spares.0.is_empty());
    }
}
