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
        self.with(timestamp, &vec![timestamp as f64; self.layout.len()])
    }

    /// A sample of each series, with a value for each.
    pub(crate) fn with(&self, timestamp: i64, values: &[f64]) -> Batch {
        let mut data = ColumnData::default();
        data.reset(timestamp, self.layout.len());
        for (slot, value) in (0..).zip(values) {
            data.set(slot, *value);
        }
        Columns {
            layout: self.layout.clone(),
            data: Arc::new(data),
        }
        .into()
    }
}
