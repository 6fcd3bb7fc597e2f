//! Whatever happens to the disk: the log beside a model of what it must have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ferroalloy_model::{Committed, Layout, LayoutBuilder};
use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::super::fs::faulty::{Faults, FaultyFs};
use super::super::inspect::{Found, QueueFolder};
use super::super::*;
use super::{all_of, batch, drain, layout, open, runtime};
use crate::queue::{Entry, Part, Place, Position, Ticket};

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
    if !model.may_lose {
        assert_eq!(missing, 0);
        // What is damaged stays so, and is counted again where the note that it was is gone.
        assert!(lost == 0 || model.is_damaged, "{lost} are counted as lost");
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
