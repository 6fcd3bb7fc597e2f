//! A source of batches: some series, and a sample of each at a time.

use std::sync::Arc;

use ferroalloy_model::{Batch, ColumnData, Columns, Layout, LayoutBuilder, SourceId};

pub(crate) struct Source {
    pub(crate) layout: Arc<Layout>,
}

impl Source {
    /// Series `<name>_0`, `<name>_1`, ... with a label.
    pub(crate) fn new(name: &str, series: usize) -> Self {
        let mut builder = LayoutBuilder::new(SourceId::new(), name);
        for index in 0..series {
            builder.push(
                [("__name__", format!("{name}_{index}").as_str()), ("job", "test")],
                None,
            );
        }
        Self {
            layout: builder.build(),
        }
    }

    /// A sample of each series, with the timestamp as its value.
    pub(crate) fn at(&self, timestamp: i64) -> Batch {
        let mut data = ColumnData::default();
        data.reset(timestamp, self.layout.len());
        for slot in 0..u32::try_from(self.layout.len()).unwrap() {
            data.set(slot, timestamp as f64);
        }
        Columns {
            layout: self.layout.clone(),
            data: Arc::new(data),
        }
        .into()
    }
}
