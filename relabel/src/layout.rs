//! Relabelling of whole layouts: once per series, not once per sample.
//!
//! A layout is mapped to a derived layout with the same slots, where a dropped series is a vacant slot, so the columns of
//! a batch fit both. The result hangs on the input layout. A child of an input whose result is known costs only its
//! changed slots.
//!
//! Invariant: what a derived layout holds depends on the input layout and the rules alone, not on how it came about.

mod held;
mod superseded;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use ferroalloy_model::layout::Series;
use ferroalloy_model::{Batch, LabelsBuilder, Layout, LayoutBuilder, Pair, Reconfigured, StageKey};

use self::held::{Held, Ledger};
use self::superseded::markers;
use crate::rules::{Decision, Rules};

/// A stage that relabels layouts: `metric_relabel_configs`, `prometheus.relabel`, `write_relabel_config`.
#[derive(Debug)]
pub struct LayoutRelabeler {
    key: StageKey,
    current: RwLock<Current>,
    /// One source's layout is worked out once, even if two threads ask at the same time; sources share a few locks.
    working: [Mutex<()>; 16],
    worked_out: AtomicU64,
    ledger: Arc<Ledger>,
}

#[derive(Debug, Clone)]
struct Current {
    rules: Rules,
    /// Rises with each change of the rules, so that results of earlier ones are told apart.
    generation: u64,
}

/// What is attached to an input layout. It must not hold the input itself, which would never be freed.
#[derive(Debug)]
struct Derived {
    generation: u64,
    /// None: the rules change nothing, and the result is the input.
    layout: Option<Arc<Layout>>,
    /// Slots whose series differs from the input's.
    differing: usize,
    unnamed: Box<[u32]>,
    /// Series that the rules were run over for it.
    worked_out: u64,
    _held: Held,
}

/// A layout as the rules leave it.
#[derive(Debug, Clone)]
pub struct Relabeled {
    input: Arc<Layout>,
    derived: Arc<Derived>,
    /// What earlier rules made of it or of its parent, if these are the first results of the rules.
    superseded: Option<Superseded>,
}

#[derive(Debug, Clone)]
enum Superseded {
    Input(Arc<Layout>),
    Parent(Arc<Layout>),
}

impl Relabeled {
    /// The layout to go on with. It is the input itself if the rules change nothing.
    pub fn layout(&self) -> &Arc<Layout> {
        self.derived.layout.as_ref().unwrap_or(&self.input)
    }

    /// The slots whose series came out with labels but without a metric name, ascending. They are vacant in
    /// [`layout`](Self::layout). A scrape that meets one fails as a whole (Prometheus does so); other stages count them
    /// as dropped.
    pub fn unnamed(&self) -> &[u32] {
        &self.derived.unnamed
    }

    /// How many series of the input the rules dropped, those without a name included.
    pub fn dropped(&self) -> usize {
        self.input
            .series_count()
            .saturating_sub(self.layout().series_count())
    }
}

impl LayoutRelabeler {
    /// A stage with these rules.
    pub fn new(rules: Rules) -> Self {
        Self {
            key: StageKey::new(),
            current: RwLock::new(Current { rules, generation: 0 }),
            working: Default::default(),
            worked_out: AtomicU64::new(0),
            ledger: Arc::default(),
        }
    }

    /// The rules in force.
    pub fn rules(&self) -> Rules {
        self.current().rules
    }

    fn current(&self) -> Current {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Changes the rules. Layouts are worked out again when they are next asked for; a derived layout made then is the
    /// child of the one made before, so that later stages go on with what did not change.
    pub fn reconfigure(&self, rules: Rules) -> Reconfigured {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.rules != rules {
            current.rules = rules;
            current.generation += 1;
        }
        Reconfigured::Kept
    }

    /// The batch with the relabelled layout; its samples are shared, not copied.
    pub fn relabel_batch(&self, batch: &Batch) -> Batch {
        batch.with_layout(Arc::clone(self.relabel(batch.layout()).layout()))
    }

    /// As [`relabel_batch`](Self::relabel_batch). Where the rules have changed since the source's last batch, there is a
    /// batch of staleness markers to be sent before it: for the series that now have another name, or none.
    pub fn relabel_batch_with_markers(&self, batch: &Batch) -> (Option<Batch>, Batch) {
        let relabeled = self.relabel(batch.layout());
        let markers = match &relabeled.superseded {
            Some(Superseded::Input(before)) => markers(batch, before, relabeled.layout(), None),
            Some(Superseded::Parent(before)) => {
                markers(batch, before, relabeled.layout(), Some(batch.layout().changed()))
            }
            None => None,
        };
        (markers, batch.with_layout(Arc::clone(relabeled.layout())))
    }

    /// How many series the rules were run over so far.
    pub fn worked_out(&self) -> u64 {
        self.worked_out.load(Ordering::Relaxed)
    }

    /// Of how many series it is known at present what the rules make of them. A layout that follows another one counts beside it as long as
    /// somebody has both.
    pub fn held(&self) -> u64 {
        self.ledger.held()
    }

    /// Of how many series it was given up, because nobody has their layout any more.
    pub fn given_up(&self) -> u64 {
        self.ledger.given_up()
    }

    /// What the rules make of a layout. A series that the rules drop, or that has no labels left, or no `__name__`, is a
    /// vacant slot.
    ///
    /// A lookup, unless the layout or the rules are new.
    pub fn relabel(&self, input: &Arc<Layout>) -> Relabeled {
        let current = self.current();
        let known = |derived: &Arc<Derived>| derived.generation == current.generation;
        if let Some(derived) = input.attachment::<Derived>(&self.key).filter(known) {
            return Relabeled {
                input: Arc::clone(input),
                derived,
                superseded: None,
            };
        }
        let lock = usize::try_from(input.source().get()).unwrap_or(0) % self.working.len();
        let _working = self.working[lock].lock().unwrap_or_else(PoisonError::into_inner);
        let before = input.attachment::<Derived>(&self.key);
        if let Some(derived) = before.clone().filter(known) {
            return Relabeled {
                input: Arc::clone(input),
                derived,
                superseded: None,
            };
        }
        let mut superseded = None;
        let held = Held::new(&self.ledger, input.series_count() as u64);
        let run = |derivation: Derivation<'_>, held| derivation.run_all(&current, held);
        let derived = Arc::new(match (before, input.parent_layout()) {
            // The same layout under other rules.
            (Some(before), _) => {
                let layout = before.layout.clone().unwrap_or_else(|| Arc::clone(input));
                let derived = run(Derivation::from_layout(input, &layout), held);
                superseded = Some(Superseded::Input(layout));
                derived
            }
            (None, Some(parent)) => match parent.attachment::<Derived>(&self.key) {
                Some(before) => {
                    let layout = before.layout.clone().unwrap_or_else(|| Arc::clone(&parent));
                    let derivation = Derivation::from_layout(input, &layout);
                    if known(&before) {
                        derivation.run_changed(&current, &parent, &before, held)
                    } else {
                        let derived = run(derivation, held);
                        superseded = Some(Superseded::Parent(layout));
                        derived
                    }
                }
                None => run(Derivation::fresh(input), held),
            },
            (None, None) => run(Derivation::fresh(input), held),
        });
        self.worked_out.fetch_add(derived.worked_out, Ordering::Relaxed);
        input.attach(&self.key, Arc::clone(&derived));
        Relabeled {
            input: Arc::clone(input),
            derived,
            superseded,
        }
    }
}

/// A derived layout being made.
struct Derivation<'a> {
    input: &'a Layout,
    /// The derived layout that the new one is the child of, if there is one.
    before: Option<&'a Layout>,
    builder: LayoutBuilder,
    labels: LabelsBuilder,
    unnamed: Vec<u32>,
    recent: Recent,
    worked_out: u64,
}

impl<'a> Derivation<'a> {
    fn fresh(input: &'a Layout) -> Self {
        let builder = LayoutBuilder::new(input.source(), input.origin());
        Self {
            input,
            before: None,
            builder,
            labels: LabelsBuilder::new(),
            unnamed: Vec::new(),
            recent: Recent::default(),
            worked_out: 0,
        }
    }

    fn from_layout(input: &'a Layout, before: &'a Arc<Layout>) -> Self {
        let builder = LayoutBuilder::from_parent(before);
        Self {
            input,
            before: Some(before),
            builder,
            labels: LabelsBuilder::new(),
            unnamed: Vec::new(),
            recent: Recent::default(),
            worked_out: 0,
        }
    }

    fn run_all(mut self, current: &Current, held: Held) -> Derived {
        let mut differing = 0;
        for slot in 0..self.input.len() {
            differing += usize::from(self.slot(slot, &current.rules));
        }
        self.finish(current, differing, held)
    }

    /// Goes over the slots that the input changed against `parent`, whose result was `before`.
    fn run_changed(mut self, current: &Current, parent: &Layout, before: &Derived, held: Held) -> Derived {
        let mut differing = before.differing;
        let changed = self.input.changed();
        self.unnamed
            .extend(before.unnamed.iter().filter(|slot| !changed.contains(**slot)));
        for slot in changed.iter() {
            let slot = slot as usize;
            let differed = before
                .layout
                .as_ref()
                .is_some_and(|layout| !same_series(layout.series(slot), parent.series(slot)));
            differing -= usize::from(differed);
            differing += usize::from(self.slot(slot, &current.rules));
        }
        self.finish(current, differing, held)
    }

    /// Works out one slot, and says whether its series differs from the input's.
    fn slot(&mut self, slot: usize, rules: &Rules) -> bool {
        let series = self.input.series(slot);
        let number = u32::try_from(slot).unwrap_or(u32::MAX);
        self.labels.reset_pairs(series.iter());
        self.worked_out += u64::from(!series.is_vacant());
        let kept =
            !series.is_vacant() && rules.apply(&mut self.labels) == Decision::Keep && !self.labels.is_empty();
        let named = kept && self.labels.get("__name__").is_some();
        if kept && !named {
            self.unnamed.push(number);
        }
        if !named {
            self.labels.clear();
        }
        let metadata = self.input.metadata(slot).filter(|_| named);
        match self.before.filter(|before| slot < before.len()) {
            Some(before) if has_labels(before.series(slot), &self.labels) => {
                if before.metadata(slot) != metadata {
                    self.builder.set_metadata(number, metadata);
                }
            }
            Some(_) if named => {
                self.builder
                    .replace_pairs(number, pairs(series, &self.labels, &mut self.recent), metadata);
            }
            Some(_) => self.builder.vacate(number),
            None if named => {
                self.builder
                    .push_pairs(pairs(series, &self.labels, &mut self.recent), metadata);
            }
            None => {
                self.builder.push_vacant();
            }
        }
        !has_labels(series, &self.labels)
    }

    fn finish(mut self, current: &Current, differing: usize, held: Held) -> Derived {
        self.unnamed.sort_unstable();
        self.builder.truncate_vacant(self.input.len());
        Derived {
            generation: current.generation,
            layout: (differing > 0).then(|| self.builder.build()),
            differing,
            unnamed: self.unnamed.into(),
            worked_out: self.worked_out,
            _held: held,
        }
    }
}

/// Whether a series has exactly these labels.
fn has_labels(series: Series<'_>, labels: &LabelsBuilder) -> bool {
    let mut pairs = series.pairs();
    labels
        .iter()
        .all(|(name, value)| pairs.next().is_some_and(|pair| pair.is(name, value)))
        && pairs.next().is_none()
}

fn same_series(one: Series<'_>, other: Series<'_>) -> bool {
    one.pairs().eq(other.pairs())
}

/// Pairs that rules made last. Most rules make the same few labels for series after series.
#[derive(Default)]
struct Recent {
    pairs: Vec<Pair>,
    next: usize,
}

impl Recent {
    const MOST: usize = 4;

    fn intern(&mut self, name: &str, value: &str) -> Pair {
        if let Some(pair) = self.pairs.iter().find(|pair| pair.is(name, value)) {
            return pair.clone();
        }
        let pair = Pair::intern(name, value);
        if self.pairs.len() < Self::MOST {
            self.pairs.push(pair.clone());
        } else {
            self.pairs[self.next] = pair.clone();
            self.next = (self.next + 1) % Self::MOST;
        }
        pair
    }
}

/// The pairs of a label set; those that the series has too are not interned again.
fn pairs<'a>(
    series: Series<'a>,
    labels: &'a LabelsBuilder,
    recent: &'a mut Recent,
) -> impl Iterator<Item = Pair> + use<'a> {
    let mut own = series.pairs().peekable();
    labels.iter().map(move |(name, value)| {
        while own.next_if(|pair| pair.cmp_name(name).is_lt()).is_some() {}
        match own.peek() {
            Some(pair) if pair.is(name, value) => (*pair).clone(),
            _ => recent.intern(name, value),
        }
    })
}
