//! Any files as a queue's folder, for the fuzz target `queue_files`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use ferroalloy_model::{Batch, Committed, LayoutBuilder, ManualClock, Row, Rows, SourceId};
use tokio::runtime::Runtime;

use super::fs::faulty::FaultyFs;
use super::inspect::{Found, QueueFolder};
use super::{DurableLog, LongClock};
use crate::config::{QueueLimits, Storage};
use crate::queue::{Log, Position, Reader};

static RUNTIME: LazyLock<Option<Runtime>> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(1).max_blocking_threads(1);
    builder.enable_time().build().ok()
});

/// Looks at a folder with these files, then opens a queue on them, reads all that there is, and adds something.
///
/// # Panics
/// When what must hold does not: looking fails at nothing, the queue opens, a reader comes to the end of it, gives nothing that was not
/// shown, and then gives what is new.
pub fn queue_files(files: &[(String, Vec<u8>)]) {
    let fs = FaultyFs::default();
    for (name, bytes) in files {
        fs.put(name, bytes);
    }
    let folder = QueueFolder::on(Arc::new(fs.clone()));
    let shown = folder
        .map_err(|error| error.to_string())
        .map(|folder| look(&folder));
    let shown = shown.unwrap_or_else(|error| panic!("{error}"));
    let Some(runtime) = &*RUNTIME else { return };
    // Twice: what the first has mended, the second must not stumble over.
    for _ in 0..2 {
        let storage = Storage {
            max_bytes: Some(1 << 30),
            sync_interval: Duration::from_hours(1),
            ..Storage::new("memory")
        };
        let limits = QueueLimits {
            max_age: Duration::MAX,
            ..QueueLimits::default()
        };
        let clock = Arc::new(LongClock(Arc::new(ManualClock::new(1_700_000_000_000))));
        let opened = DurableLog::open(
            Arc::new(fs.clone()),
            &storage,
            &limits,
            clock,
            runtime.handle().clone(),
        );
        let log = opened.unwrap_or_else(|error| panic!("it does not open: {error}"));
        for (endpoint, positions) in &shown {
            let mut reader = log.reader(endpoint);
            let _begun = reader.unfinished();
            // Positions that were given away but are not on disk are passed over once there is something behind them.
            drop(log.append(&something()));
            let end = log.shared.lock().end;
            for (position, value) in drain(runtime, &mut *reader, end) {
                let known = positions.contains(&position) || value == Some(VALUE);
                assert!(
                    known,
                    "batch {position} was not shown to be queued for {endpoint}"
                );
            }
        }
        let mut reader = log.reader("another");
        assert_eq!(runtime.block_on(log.append(&something())), Committed::Durable);
        let end = log.shared.lock().end;
        let given = drain(runtime, &mut *reader, end);
        assert_eq!(given.last().and_then(|(_, value)| *value), Some(VALUE));
        drop(log);
    }
}

/// What tells our batch from others.
const VALUE: u64 = 0x1234_5678_9abc_def0;

fn something() -> Batch {
    let mut layout = LayoutBuilder::new(SourceId::new(), "new");
    layout.push([("__name__", "new")], None);
    let row = Row {
        slot: 0,
        timestamp: 1,
        value: f64::from_bits(VALUE),
    };
    Rows {
        layout: layout.build(),
        rows: Arc::from([row]),
        sides: None,
    }
    .into()
}

/// The endpoints, and the batches that are queued for each.
fn look(folder: &QueueFolder) -> BTreeMap<String, BTreeSet<Position>> {
    let mut queued: BTreeMap<String, BTreeSet<Position>> = folder
        .keys()
        .map(|key| (key.to_owned(), BTreeSet::new()))
        .collect();
    for found in folder.contents() {
        match found.unwrap_or_else(|error| panic!("{error}")) {
            Found::Batch(batch) => {
                for (endpoint, positions) in &mut queued {
                    if folder.owed(endpoint, batch.position).is_some() {
                        positions.insert(batch.position);
                    }
                    folder.for_each_queued(&batch, Some(endpoint), |point| {
                        let _printed = (point.series.to_string(), point.exemplars.len());
                    });
                }
            }
            Found::Damage(damage) => assert!(!damage.to_string().is_empty()),
        }
    }
    assert!(folder.stats().is_ok());
    queued
}

/// All that a reader has: positions, and the value of the first sample.
fn drain(runtime: &Runtime, reader: &mut dyn Reader, end: Position) -> Vec<(Position, Option<u64>)> {
    let (wake, mut given) = (reader.wake(), Vec::new());
    runtime.block_on(async {
        loop {
            while let Some(entry) = reader.next() {
                let mut first = None;
                entry
                    .batch
                    .for_each_sample(|row| first = first.or(Some(row.value.to_bits())));
                given.push((entry.position, first));
            }
            while reader.evicted().is_some() {}
            let _backlog = reader.backlog();
            if reader.position() >= end {
                return;
            }
            let woken = tokio::time::timeout(Duration::from_secs(20), wake.notified()).await;
            assert!(woken.is_ok(), "the reader stands still at {}", reader.position());
        }
    });
    given
}
