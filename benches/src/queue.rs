//! What the benches of the queue on disk put into it.

use std::path::Path;
use std::sync::Arc;

use ferroalloy_model::{
    Batch, ColumnData, Columns, Layout, LayoutBuilder, Receiver as _, SourceId, SystemClock,
};
use remote_write::{Config, Endpoint, Storage, Writer};

/// Disk that a queue may have: its segments then have 64 MiB.
const MAX_DISK: u64 = 4 << 30;

/// A target: a third of its series are counters, a third gauges, and a third hardly ever change.
#[derive(Debug)]
pub struct Source {
    layout: Arc<Layout>,
    values: Vec<f64>,
    time: i64,
    random: u64,
}

impl Source {
    /// A target of so many series, with five labels each.
    pub fn new(series: usize) -> Self {
        let mut layout = LayoutBuilder::new(SourceId::new(), "target");
        for index in 0..series {
            let (name, route) = (
                format!("app_requests_{}_total", index / 100),
                format!("/api/v1/resource/{}", index % 100),
            );
            layout.push(
                [
                    ("__name__", name.as_str()),
                    ("instance", "host-1:9100"),
                    ("job", "app"),
                    ("method", ["GET", "POST", "PUT", "DELETE"][index % 4]),
                    ("route", route.as_str()),
                ],
                None,
            );
        }
        Self {
            layout: layout.build(),
            values: vec![0.0; series],
            time: 1_795_000_000_000,
            random: 0x9e37_79b9_7f4a_7c15,
        }
    }

    /// What it answers next, 15 seconds later.
    pub fn batch(&mut self) -> Batch {
        let mut data = ColumnData::default();
        self.time += 15_000;
        data.reset(self.time, self.values.len());
        for (slot, value) in (0_u32..).zip(&mut self.values) {
            self.random ^= self.random << 13;
            self.random ^= self.random >> 7;
            self.random ^= self.random << 17;
            match slot % 3 {
                0 => *value += (self.random % 1_000) as f64,
                1 => *value = (self.random % 1_000_000) as f64 / 1_000.0,
                _ => {}
            }
            data.set(slot, *value);
        }
        Columns {
            layout: self.layout.clone(),
            data: Arc::new(data),
        }
        .into()
    }
}

/// A writer with a queue in `folder`.
///
/// # Panics
/// When the folder cannot be used.
#[expect(clippy::expect_used, reason = "a bench without a queue measures nothing")]
pub fn writer(folder: &Path, url: &str) -> Writer {
    let config = Config {
        endpoints: vec![Endpoint {
            name: Some("endpoint".into()),
            ..Endpoint::new(url)
        }],
        storage: Some(Storage {
            max_bytes: Some(MAX_DISK),
            ..Storage::new(folder)
        }),
        ..Config::default()
    };
    Writer::new(config, Arc::new(SystemClock)).expect("the folder can be used")
}

/// Puts so many batches of so many series into the queue in `folder`, for an endpoint that cannot be reached.
pub async fn fill(folder: &Path, url: &str, series: usize, batches: usize) {
    let (writer, mut source) = (writer(folder, url), Source::new(series));
    for _ in 0..batches {
        let _durable = writer.accept(&source.batch()).await;
    }
    let _unsent = writer.shutdown(std::time::Duration::ZERO).await;
}
