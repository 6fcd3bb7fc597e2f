//! The log against a disk that tears, fills up, forgets and turns bits over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ferroalloy_model::histogram::{BucketSpan, Counts, ResetHint};
use ferroalloy_model::{
    ColumnData, Columns, Committed, Exemplar, Histogram, HistogramRow, Labels, Layout, LayoutBuilder,
    ManualClock, Metadata, MetricKind, Row, RowSides, Rows, SourceId,
};
use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::fs::faulty::{Faults, FaultyFs};
use super::inspect::{Found, QueueFolder};
use super::*;
use crate::queue::{Entry, Part, Place, Position, Ticket};

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap()
}

fn open(fs: &FaultyFs, runtime: &Runtime, max_bytes: u64) -> Result<DurableLog, Error> {
    let storage = Storage {
        max_bytes: Some(max_bytes),
        sync_interval: Duration::from_hours(1),
        ..Storage::new("memory")
    };
    let limits = QueueLimits {
        max_age: Duration::MAX,
        ..QueueLimits::default()
    };
    let clock = Arc::new(LongClock(Arc::new(ManualClock::new(1_700_000_000_000))));
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
fn files_that_are_not_ours_are_set_aside_and_strays_left_alone() {
    let (fs, runtime) = (FaultyFs::default(), runtime());
    fs.put(
        "0000000000000007.seg",
        b"somebody else's file, longer than a header would be",
    );
    let mut newer = frame::FileHeader {
        kind: frame::FileKind::Segment,
        run: 1,
        position: 0,
        samples: 0,
        wall: 0,
    }
    .encode();
    newer[8] = 9;
    fs.put("0000000000000008.seg", &newer);
    fs.put("0000000000000009.seg", b"FERROSEG");
    fs.put("notes.txt", b"mine");
    let log = open(&fs, &runtime, 1 << 30).unwrap();
    let mut reader = log.reader("e");
    runtime.block_on(log.append(&batch(&layout("a", &["m"]), 0.0)));
    assert_eq!(drain(&runtime, &mut *reader).0.len(), 1);
    assert_eq!(fs.aside(), ["0000000000000007.seg", "0000000000000008.seg"]);
    assert!(fs.names().contains(&"notes.txt".to_owned()));
    assert!(!fs.names().contains(&"0000000000000009.seg".to_owned()));
}

#[test]
fn one_at_a_time_and_only_where_it_can_be_written() {
    let (fs, runtime) = (FaultyFs::default(), runtime());
    let log = open(&fs, &runtime, 1 << 30).unwrap();
    let refused = open(&fs, &runtime, 1 << 30).unwrap_err();
    assert!(refused.to_string().contains("kept in memory: "), "{refused}");
    // A look from outside needs no hold.
    assert!(QueueFolder::on(Arc::new(fs.clone())).is_ok());
    drop(log);
    fs.set(Faults {
        no_create: true,
        ..Faults::default()
    });
    assert_eq!(
        open(&fs, &runtime, 1 << 30).unwrap_err().kind(),
        ErrorKind::Storage
    );
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

/// What a test does to a log.
#[derive(Clone, Debug)]
enum Step {
    /// A batch of this many series from one of three sources.
    Append(usize, usize),
    /// The series of a source change.
    Change(usize),
    /// The reader begins a request with this many batches.
    Begin(usize),
    /// The oldest request that is under way ends.
    End,
    Sync,
    /// The process is killed and started again.
    Kill,
    /// The power is cut; so much of what was not synced is on disk by chance.
    CutPower(usize),
    /// A bit of a file turns over while nothing runs.
    Flip(usize, usize),
    /// The disk is full after so many bytes.
    Fill(usize),
    Mend,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0_usize..3, 1_usize..40).prop_map(|(source, series)| Step::Append(source, series)),
        1 => (0_usize..3).prop_map(Step::Change),
        4 => (1_usize..4).prop_map(Step::Begin),
        3 => Just(Step::End),
        1 => Just(Step::Sync),
        2 => Just(Step::Kill),
        1 => (0_usize..1000).prop_map(Step::CutPower),
        1 => (0_usize..8, 0_usize..100_000).prop_map(|(file, at)| Step::Flip(file, at)),
        1 => (0_usize..3000).prop_map(Step::Fill),
        1 => Just(Step::Mend),
    ];
    proptest::collection::vec(step, 1..60)
}

/// What must be true of the log.
#[derive(Default)]
struct Model {
    /// Batches that are owed to the endpoint, by their value, with their number of samples.
    owed: BTreeMap<u64, u64>,
    /// Those that a power cut may lose.
    unsynced: BTreeSet<u64>,
    /// Those that need not be on disk.
    in_memory: BTreeSet<u64>,
    /// Those that were dealt with, which only a power cut or damage may bring back.
    ended: BTreeSet<u64>,
    may_repeat: bool,
    may_lose: bool,
    /// A bit was turned over at some time: the file may be there still.
    is_damaged: bool,
}

struct Run {
    log: DurableLog,
    reader: Box<dyn Reader>,
    read: Vec<Entry>,
    requests: Vec<(Ticket, Vec<Entry>)>,
}

impl Run {
    fn start(fs: &FaultyFs, runtime: &Runtime) -> Self {
        let log = open(fs, runtime, 1 << 30).unwrap();
        let reader = log.reader("e");
        Self {
            log,
            reader,
            read: Vec::new(),
            requests: Vec::new(),
        }
    }
}

fn value_of(entry: &Entry) -> u64 {
    entry.batch.samples()[0].value.to_bits()
}

/// Ends the run, starts another, and looks whether it has what it must have. Then everything is owed as before.
fn restart(fs: &FaultyFs, runtime: &Runtime, run: Run, model: &mut Model, cut: Option<usize>) -> Run {
    // The thread that writes is stopped where it is: what was appended is written, what is in memory for want of room is not.
    drop(run);
    if let Some(kept) = cut {
        fs.cut_power(kept);
        model.may_repeat = true;
    }
    fs.set(Faults::default());
    let shown = queued(fs, model.is_damaged || cut.is_some());
    let mut next = Run::start(fs, runtime);
    let (entries, lost) = drain(runtime, &mut *next.reader);
    let given: Vec<_> = entries.iter().map(|entry| (entry.position, entry.from)).collect();
    if let Some(shown) = shown {
        assert_eq!(shown, given, "what is shown is not what is there");
    }
    let mut seen = BTreeSet::new();
    let mut last = None;
    for entry in &entries {
        let value = value_of(entry);
        assert!(
            last.is_none_or(|last| last < value),
            "out of order: {last:?}, {value}"
        );
        assert!(
            model.may_repeat || !model.ended.contains(&value),
            "{value} is given again"
        );
        last = Some(value);
        seen.insert(value);
    }
    let mut missing = 0;
    for (value, samples) in &model.owed {
        let may_be_gone =
            model.in_memory.contains(value) || (cut.is_some() && model.unsynced.contains(value));
        if !seen.contains(value) && !may_be_gone {
            missing += samples;
        }
    }
    if model.may_lose || (model.is_damaged && model.may_repeat) {
        // A torn end has no counter behind it, so that what is missing there is not counted as lost; and that it was counted
        // may be forgotten, as what was done may.
    } else {
        assert_eq!((missing, lost), (0, 0));
    }
    model.owed.retain(|value, _| seen.contains(value));
    model.unsynced.clear();
    model.in_memory.clear();
    model.may_repeat = false;
    model.may_lose = false;
    for value in &seen {
        model.ended.remove(value);
    }
    next.read = entries;
    next
}

/// What a look from outside shows as queued for the endpoint; `None` if it cannot tell, which is only where something `may_be_damaged`.
fn queued(fs: &FaultyFs, may_be_damaged: bool) -> Option<Vec<(Position, Place)>> {
    let before = fs.files();
    let folder = QueueFolder::on(Arc::new(fs.clone())).unwrap();
    let (mut shown, mut damage) = (Vec::new(), Vec::new());
    for found in folder.contents() {
        match found.unwrap() {
            Found::Batch(batch) => {
                let place = folder.owed("e", batch.position);
                shown.extend(place.map(|place| (batch.position, place)));
            }
            Found::Damage(found) => damage.extend((!found.is_torn_end()).then_some(found)),
        }
    }
    assert!(may_be_damaged || damage.is_empty(), "{damage:?}");
    assert_eq!(before, fs.files(), "looking has changed something");
    let known = folder.endpoints().len() == 1 && damage.is_empty();
    known.then_some(shown)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn whatever_happens_to_the_disk(steps in steps()) {
        let (fs, runtime) = (FaultyFs::default(), runtime());
        let mut run = Run::start(&fs, &runtime);
        let names: Vec<String> = (0..40).map(|n| format!("m{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut layouts: Vec<Vec<Arc<Layout>>> = (0..3)
            .map(|source| (0..=40).map(|count| layout(&format!("s{source}"), &names[..count])).collect())
            .collect();
        let mut model = Model::default();
        let mut next_value = 1_u64;
        for step in steps {
            match step {
                Step::Append(source, series) => {
                    let batch = batch(&layouts[source][series], f64::from_bits(next_value));
                    let committed = runtime.block_on(run.log.append(&batch));
                    model.owed.insert(next_value, series as u64);
                    model.unsynced.insert(next_value);
                    if committed != Committed::Durable {
                        model.in_memory.insert(next_value);
                    }
                    next_value += 1;
                }
                Step::Change(source) => {
                    let mut child = LayoutBuilder::from_parent(&layouts[source][40]);
                    child.replace(7, [("__name__", format!("n{next_value}").as_str())], None);
                    layouts[source][40] = child.build();
                }
                Step::Begin(count) => {
                    let (fresh, lost) = drain(&runtime, &mut *run.reader);
                    prop_assert_eq!(lost, 0);
                    run.read.extend(fresh);
                    let count = count.min(run.read.len());
                    if count > 0 {
                        let entries: Vec<Entry> = run.read.drain(..count).collect();
                        let parts: Vec<Part> = entries.iter().flat_map(|entry| all_of(entry).to_vec()).collect();
                        let (ticket, noted) = run.reader.begin(&parts.into());
                        runtime.block_on(noted);
                        run.requests.push((ticket, entries));
                    }
                }
                Step::End => {
                    if !run.requests.is_empty() {
                        let (ticket, entries) = run.requests.remove(0);
                        let parts: Vec<Part> = entries.iter().flat_map(|entry| all_of(entry).to_vec()).collect();
                        run.reader.end(ticket, &parts);
                        for entry in &entries {
                            let value = value_of(entry);
                            model.owed.remove(&value);
                            model.ended.insert(value);
                        }
                    }
                }
                Step::Sync => {
                    if runtime.block_on(run.log.sync()) == Committed::Durable {
                        let in_memory = &model.in_memory;
                        model.unsynced.retain(|value| in_memory.contains(value));
                    }
                }
                Step::Kill => run = restart(&fs, &runtime, run, &mut model, None),
                Step::CutPower(kept) => run = restart(&fs, &runtime, run, &mut model, Some(kept)),
                Step::Flip(file, at) => {
                    drop(run);
                    fs.flip(file, at);
                    model.may_repeat = true;
                    model.may_lose = true;
                    model.is_damaged = true;
                    run = Run::start(&fs, &runtime);
                    run = restart(&fs, &runtime, run, &mut model, None);
                }
                Step::Fill(room) => {
                    fs.set(Faults { room: Some(room), ..Faults::default() });
                    // Places that could not be written down bring back what is done.
                    model.may_repeat = true;
                }
                Step::Mend => fs.set(Faults::default()),
            }
        }
        restart(&fs, &runtime, run, &mut model, None);
    }
}
