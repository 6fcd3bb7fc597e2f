//! The log against a disk that tears, fills up, forgets and turns bits over.

mod disk;
mod model;

use std::sync::Arc;

use ferroalloy_model::histogram::{BucketSpan, Counts, ResetHint};
use ferroalloy_model::{
    ColumnData, Columns, Committed, Exemplar, Histogram, HistogramRow, Labels, Layout, LayoutBuilder,
    ManualClock, Metadata, MetricKind, Row, RowSides, Rows, SourceId,
};
use tokio::runtime::Runtime;

use super::fs::faulty::{Faults, FaultyFs};
use super::*;
use crate::queue::{Entry, Part};

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap()
}

fn open(fs: &FaultyFs, runtime: &Runtime, max_bytes: u64) -> Result<DurableLog, Error> {
    open_at(fs, runtime, max_bytes, &ManualClock::new(1_700_000_000_000))
}

fn open_at(
    fs: &FaultyFs,
    runtime: &Runtime,
    max_bytes: u64,
    clock: &ManualClock,
) -> Result<DurableLog, Error> {
    let storage = Storage {
        max_bytes: Some(max_bytes),
        sync_interval: Duration::from_hours(1),
        ..Storage::new("memory")
    };
    let limits = QueueLimits {
        max_age: Duration::MAX,
        ..QueueLimits::default()
    };
    let clock = Arc::new(LongClock(Arc::new(clock.clone())));
    DurableLog::open(
        Arc::new(fs.clone()),
        &storage,
        &limits,
        clock,
        runtime.handle().clone(),
    )
}

fn layout(origin: &str, names: &[&str]) -> Arc<Layout> {
    let mut builder = LayoutBuilder::new(SourceId::new(), origin);
    let help = Arc::new(Metadata {
        kind: MetricKind::Counter,
        help: "Helps.".into(),
        unit: "seconds".into(),
    });
    for name in names {
        builder.push([("__name__", *name), ("job", "j")], Some(&help));
    }
    builder.build()
}

fn batch(layout: &Arc<Layout>, value: f64) -> Batch {
    let mut data = ColumnData::default();
    data.reset(1000, layout.len());
    for slot in 0..u32::try_from(layout.len()).unwrap() {
        data.set(slot, value);
    }
    Columns {
        layout: layout.clone(),
        data: Arc::new(data),
    }
    .into()
}

/// Everything that a reader has, waiting for what must be read from disk; and what it counts as lost.
fn drain(runtime: &Runtime, reader: &mut dyn Reader) -> (Vec<Entry>, u64) {
    let (wake, mut entries, mut lost) = (reader.wake(), Vec::new(), 0);
    runtime.block_on(async {
        loop {
            entries.extend(std::iter::from_fn(|| reader.next()));
            while let Some((_, samples)) = reader.evicted() {
                lost += samples;
            }
            if reader.backlog().unread == 0 {
                return;
            }
            wake.notified().await;
        }
    });
    (entries, lost)
}

fn all_of(entry: &Entry) -> Arc<[Part]> {
    [Part {
        position: entry.position,
        from: entry.from,
        to: None,
    }]
    .into()
}

/// What a batch is, whatever it hangs on.
fn described(batch: &Batch) -> Vec<String> {
    let layout = batch.layout();
    let mut lines: Vec<String> = (0..layout.len())
        .map(|slot| format!("{:?} {:?}", layout.series(slot), layout.metadata(slot)))
        .collect();
    lines.push(match batch {
        Batch::Columns(columns) => format!(
            "{} {:?} {:?} {:?}",
            layout.origin(),
            columns.data.timestamp,
            batch.samples(),
            columns.data.sides
        ),
        Batch::Rows(rows) => format!("{} {:?} {:?}", layout.origin(), rows.rows, rows.sides),
    });
    lines
}

fn histogram(counts: Counts) -> Histogram {
    Histogram {
        schema: -53,
        zero_threshold: 0.5,
        sum: 9.5,
        counts,
        positive_spans: vec![BucketSpan {
            offset: -3,
            length: 2,
        }],
        negative_spans: vec![],
        custom_values: vec![1.0, 2.5],
        reset_hint: ResetHint::Gauge,
    }
}

fn exemplar() -> Exemplar {
    Exemplar {
        labels: Labels::from_pairs([("trace_id", "x")]),
        value: 0.25,
        timestamp: -5,
    }
}

#[test]
fn what_was_written_is_read_as_it_was() {
    let (fs, runtime) = (FaultyFs::default(), runtime());
    let first = layout("a", &["one", "two", "three"]);
    let mut child = LayoutBuilder::from_parent(&first);
    child.vacate(1);
    child.replace(2, [("__name__", "other"), ("x", "ü")], None);
    child.push([("__name__", "four")], None);
    let child = child.build();
    let mut columns = ColumnData::default();
    columns.reset(77, 4);
    columns.set(0, f64::from_bits(0x7ff0_0000_0000_0002));
    columns.set(3, -0.0);
    let sides = columns.sides_mut();
    sides.timestamps.push((3, -1));
    sides.start_times.push((3, 5));
    sides.extra.push(Row {
        slot: 3,
        timestamp: 78,
        value: 2.0,
    });
    sides.exemplars.push((3, exemplar()));
    let integer = Counts::Integer {
        count: 7,
        zero: 1,
        positive: vec![3, -1],
        negative: vec![],
    };
    sides.histograms.push((2, histogram(integer)));
    let float = Counts::Float {
        count: 1.5,
        zero: 0.0,
        positive: vec![1.0, 0.5],
        negative: vec![2.0],
    };
    let rows = Rows {
        layout: layout("push", &["r"]),
        rows: Arc::from([Row {
            slot: 0,
            timestamp: i64::MIN,
            value: f64::INFINITY,
        }]),
        sides: Some(Arc::new(RowSides {
            start_times: vec![(0, 3)],
            histograms: vec![HistogramRow {
                slot: 0,
                timestamp: 4,
                start_time: 2,
                histogram: histogram(float),
            }],
            exemplars: vec![(0, exemplar())],
        })),
    };
    let batches: Vec<Batch> = vec![
        batch(&first, 1.0),
        Columns {
            layout: child.clone(),
            data: Arc::new(columns),
        }
        .into(),
        rows.into(),
        batch(&first, 2.0),
        batch(&child, 3.0),
    ];
    let expected: Vec<_> = batches.iter().map(described).collect();
    {
        let log = open(&fs, &runtime, 1 << 30).unwrap();
        let _reader = log.reader("e");
        for batch in &batches {
            assert_eq!(runtime.block_on(log.append(batch)), Committed::Durable);
        }
    }
    drop((batches, first, child));
    let log = open(&fs, &runtime, 1 << 30).unwrap();
    let (entries, lost) = drain(&runtime, &mut *log.reader("e"));
    let read: Vec<_> = entries.iter().map(|entry| described(&entry.batch)).collect();
    assert_eq!((read, lost), (expected, 0));
}

#[test]
fn a_layout_may_give_up_slots() {
    let (fs, runtime) = (FaultyFs::default(), runtime());
    let wide = layout("a", &["one", "two", "three"]);
    let mut emptied = LayoutBuilder::from_parent(&wide);
    emptied.vacate(1);
    emptied.vacate(2);
    let emptied = emptied.build();
    let mut narrow = LayoutBuilder::from_parent(&emptied);
    narrow.truncate_vacant(0);
    let narrow = narrow.build();
    assert_eq!(narrow.len(), 1);
    let batches = [&wide, &emptied, &narrow].map(|layout| batch(layout, 1.0));
    let expected: Vec<_> = batches.iter().map(described).collect();
    {
        let log = open(&fs, &runtime, 1 << 30).unwrap();
        let _reader = log.reader("e");
        for batch in &batches {
            assert_eq!(runtime.block_on(log.append(batch)), Committed::Durable);
        }
    }
    drop((batches, wide, emptied, narrow));
    let log = open(&fs, &runtime, 1 << 30).unwrap();
    let (entries, lost) = drain(&runtime, &mut *log.reader("e"));
    let read: Vec<_> = entries.iter().map(|entry| described(&entry.batch)).collect();
    assert_eq!((read, lost), (expected, 0));
}

#[test]
fn requests_that_were_begun_are_told_after_a_restart() {
    let (fs, runtime) = (FaultyFs::default(), runtime());
    let series = layout("a", &["m"]);
    let begun: Arc<[Part]> = {
        let log = open(&fs, &runtime, 1 << 30).unwrap();
        let mut reader = log.reader("e");
        for value in 0..4 {
            runtime.block_on(log.append(&batch(&series, f64::from(value))));
        }
        let (entries, _) = drain(&runtime, &mut *reader);
        let (ticket, noted) = reader.begin(&all_of(&entries[0]));
        assert_eq!(runtime.block_on(noted), Committed::Durable);
        reader.end(ticket, &all_of(&entries[0]));
        let parts: Arc<[Part]> = [
            Part {
                position: entries[1].position,
                from: 0,
                to: None,
            },
            Part {
                position: entries[2].position,
                from: 0,
                to: Some(1),
            },
        ]
        .into();
        let (_, noted) = reader.begin(&parts);
        assert_eq!(runtime.block_on(noted), Committed::Durable);
        parts
    };
    let log = open(&fs, &runtime, 1 << 30).unwrap();
    let mut reader = log.reader("e");
    let unfinished = reader.unfinished();
    assert_eq!(unfinished.len(), 1);
    assert_eq!(unfinished[0].1, begun);
    let (entries, lost) = drain(&runtime, &mut *reader);
    let positions: Vec<_> = entries.iter().map(|entry| entry.position).collect();
    assert_eq!((positions, lost), (vec![1, 2, 3], 0));
    reader.end(unfinished[0].0, &begun);
    drop((reader, log));
    let log = open(&fs, &runtime, 1 << 30).unwrap();
    let (entries, _) = drain(&runtime, &mut *log.reader("e"));
    let places: Vec<_> = entries.iter().map(|entry| (entry.position, entry.from)).collect();
    assert_eq!(places, [(2, 1), (3, 0)]);
}

#[test]
fn a_full_disk_and_one_that_fails_keep_nothing_from_going_on() {
    let (fs, runtime) = (FaultyFs::default(), runtime());
    let series = layout("a", &["m"]);
    let log = open(&fs, &runtime, 1 << 30).unwrap();
    let mut reader = log.reader("e");
    assert_eq!(
        runtime.block_on(log.append(&batch(&series, 0.0))),
        Committed::Durable
    );
    fs.set(Faults {
        room: Some(30),
        ..Faults::default()
    });
    assert_eq!(
        runtime.block_on(log.append(&batch(&series, 1.0))),
        Committed::Memory
    );
    let trouble = log.figures().trouble.unwrap();
    assert!(
        trouble.reason.contains("cannot be written in memory"),
        "{trouble:?}"
    );
    assert_eq!(log.figures().disk.unwrap().not_written, 1);
    let (entries, lost) = drain(&runtime, &mut *reader);
    assert_eq!((entries.len(), lost), (2, 0));
    fs.set(Faults {
        no_sync: true,
        ..Faults::default()
    });
    assert_eq!(runtime.block_on(log.sync()), Committed::Memory);
    fs.set(Faults::default());
    drop((reader, log));
    // Both are there: what could not be written was written at the end.
    let log = open(&fs, &runtime, 1 << 30).unwrap();
    let (entries, lost) = drain(&runtime, &mut *log.reader("e"));
    assert_eq!((entries.len(), lost), (2, 0));
}

#[test]
fn the_oldest_goes_when_the_disk_budget_is_used_up() {
    let (fs, runtime) = (FaultyFs::default(), runtime());
    let names: Vec<String> = (0..20_000).map(|n| format!("m{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let series = layout("a", &names);
    let log = open(&fs, &runtime, 4 << 20).unwrap();
    let mut reader = log.reader("e");
    let mut random = 1_u64;
    for _ in 0..60 {
        let mut data = ColumnData::default();
        data.reset(0, series.len());
        for slot in 0..20_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            data.set(slot, f64::from_bits(random >> 12));
        }
        let batch = Columns {
            layout: series.clone(),
            data: Arc::new(data),
        };
        assert_eq!(runtime.block_on(log.append(&batch.into())), Committed::Durable);
    }
    runtime.block_on(log.sync());
    let disk = log.figures().disk.unwrap();
    assert!(disk.bytes <= 5 << 20, "{disk:?}");
    let (entries, lost) = drain(&runtime, &mut *reader);
    assert!(
        lost > 0 && lost + entries.len() as u64 * 20_000 == 60 * 20_000,
        "{lost}"
    );
    assert_eq!(entries.last().map(|entry| entry.position), Some(59));
    // What everybody has is deleted.
    for entry in &entries {
        reader.acknowledge(entry.position);
    }
    runtime.block_on(log.sync());
    assert_eq!(log.figures().disk.unwrap().segments, 1);
}

#[test]
fn an_endpoint_that_is_gone_holds_nothing_back() {
    let (fs, runtime) = (FaultyFs::default(), runtime());
    let log = open(&fs, &runtime, 1 << 30).unwrap();
    drop(log.reader("gone"));
    drop(log.reader("forgotten"));
    runtime.block_on(log.append(&batch(&layout("a", &["m"]), 0.0)));
    log.forget("forgotten");
    drop(log);
    let places = |fs: &FaultyFs| {
        fs.names()
            .into_iter()
            .filter(|name| name.strip_suffix(".pos").is_some())
            .count()
    };
    assert_eq!(places(&fs), 1);
    let log = open(&fs, &runtime, 1 << 30).unwrap();
    let _new = log.reader("new");
    log.settled();
    runtime.block_on(log.sync());
    assert_eq!(places(&fs), 1);
}
