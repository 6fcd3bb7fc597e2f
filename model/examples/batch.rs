//! A producer and a receiver without any of the other crates: one layout, two scrapes, a series that goes.
//!
//! ```text
//! cargo run -p ferroalloy-model --example batch
//! ```

#![allow(clippy::print_stdout, reason = "a command line program")]

use std::sync::Arc;

use ferroalloy_model::{
    Batch, ColumnData, Columns, Commit, Committed, Fanout, LayoutBuilder, Receiver, SourceId, stale_nan,
};

/// Prints what it is sent.
#[derive(Debug)]
struct Print;

impl Receiver for Print {
    fn accept(&self, batch: &Batch) -> Commit {
        for row in batch.samples() {
            let series = batch.layout().series(row.slot as usize);
            println!("{series} {} {}", row.value, row.timestamp);
        }
        Commit::done(Committed::Memory)
    }
}

fn main() {
    let receivers = Fanout::new(vec![Arc::new(Print)]);
    let mut series = LayoutBuilder::new(SourceId::new(), "example");
    let requests = series.push([("__name__", "requests_total"), ("code", "200")], None);
    let errors = series.push([("__name__", "requests_total"), ("code", "500")], None);
    let layout = series.build();

    for (timestamp, values) in [(1_000, [1.0, 0.0]), (16_000, [3.0, stale_nan()])] {
        let mut data = ColumnData::default();
        data.reset(timestamp, layout.len());
        data.set(requests, values[0]);
        data.set(errors, values[1]);
        let batch = Batch::from(Columns {
            layout: Arc::clone(&layout),
            data: Arc::new(data),
        });
        // Nothing here depends on how safe the batch is.
        drop(receivers.accept(&batch));
    }
}
