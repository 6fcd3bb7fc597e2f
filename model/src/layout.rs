//! The ordered series set of one source.
//!
//! A source (a scraped target, an exporter in the process, a push client) sends the same series again and
//! again. It names them once, in a [`Layout`], and from then on sends values by *slot*. Invariants:
//!
//! - A layout never changes. What changed makes a new one with the next epoch, in which a slot keeps its
//!   series unless it is listed in [`Layout::changed`]. So whoever keeps something per series patches it.
//! - A slot may be *vacant*: its series is gone, or a relabel rule dropped it. A derived layout therefore
//!   has the slots of the one it was derived from, and the columns of a batch fit both.
//! - A layout may have fewer slots than the one before: those at the end that were vacant there already.
//! - Whatever a stage keeps per series is [attached](Layout::attach) to the layout and dies with it. There is
//!   no table of all series.

mod attachments;
mod builder;
mod indexes;
mod slots;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

pub use attachments::StageKey;
pub use builder::LayoutBuilder;
pub use slots::Slots;

use crate::intern::Pair;
use crate::labels::Labels;
use crate::sample::Metadata;
use attachments::Attachments;
use indexes::{Indexes, Run};

/// Names a source within the process: the unit of order, and of sharding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(u64);

impl SourceId {
    /// A number no other source of this process has.
    #[expect(clippy::new_without_default, reason = "each call gives another number")]
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The number itself, for hashing to a shard.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Names a layout within the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LayoutId(u64);

impl LayoutId {
    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The number itself, for what is written down.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// The series of a source, by slot. See the [module](self) for what it promises.
pub struct Layout {
    id: LayoutId,
    source: SourceId,
    origin: Arc<str>,
    epoch: u64,
    /// Every pair that occurs, once.
    pairs: Box<[Pair]>,
    /// Indexes into `pairs`, series after series.
    refs: Indexes,
    /// End of each slot's run in `refs`; an empty run is a vacant slot.
    ends: Indexes,
    vacant: usize,
    families: Box<[Arc<Metadata>]>,
    /// By slot, an index into `families`, or one beyond its end; empty when no slot has metadata.
    family_of: Indexes,
    parent: Weak<Layout>,
    parent_id: Option<LayoutId>,
    changed: Slots,
    attachments: Attachments,
}

impl Layout {
    /// This layout's number.
    pub fn id(&self) -> LayoutId {
        self.id
    }

    /// Whose series these are.
    pub fn source(&self) -> SourceId {
        self.source
    }

    /// Names the source for messages: a target's URL, a component.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Rises by one from parent to child.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Number of slots, vacant ones included.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no slots.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of slots that hold a series.
    pub fn series_count(&self) -> usize {
        self.ends.len() - self.vacant
    }

    /// Whether any slot is vacant.
    pub fn has_vacant(&self) -> bool {
        self.vacant > 0
    }

    /// The series at `slot`; a slot beyond the end reads as vacant.
    pub fn series(&self, slot: usize) -> Series<'_> {
        let start = slot
            .checked_sub(1)
            .and_then(|s| self.ends.get(s))
            .map_or(0, |end| end as usize);
        let end = self.ends.get(slot).map_or(start, |end| end as usize);
        Series {
            pairs: &self.pairs,
            refs: self.refs.run(start..end),
        }
    }

    /// Whether `slot` holds no series.
    pub fn is_vacant(&self, slot: usize) -> bool {
        self.series(slot).is_vacant()
    }

    /// What is known of the family that the series at `slot` belongs to.
    pub fn metadata(&self, slot: usize) -> Option<&Arc<Metadata>> {
        self.family_of
            .get(slot)
            .and_then(|family| self.families.get(family as usize))
    }

    /// The layout this one was made from, if it was made from one.
    pub fn parent(&self) -> Option<LayoutId> {
        self.parent_id
    }

    /// The parent itself, while somebody still holds it. Producers hold it until the first batch with the
    /// child was delivered, so that stages can carry their attachments over.
    pub fn parent_layout(&self) -> Option<Arc<Layout>> {
        self.parent.upgrade()
    }

    /// The slots that differ from the parent's; all slots where there is no parent.
    pub fn changed(&self) -> &Slots {
        &self.changed
    }

    /// What the stage `key` attached to this layout.
    pub fn attachment<T: Send + Sync + 'static>(&self, key: &StageKey) -> Option<Arc<T>> {
        self.attachments.get(key)
    }

    /// Attaches what the stage `key` keeps per series, in place of what it attached before. Attachments of
    /// stages that are gone are dropped on the way.
    pub fn attach<T: Send + Sync + 'static>(&self, key: &StageKey, value: Arc<T>) {
        self.attachments.set(key, value);
    }

    /// Bytes on the heap, without the label pairs (which are shared) and without attachments.
    pub fn heap_bytes(&self) -> usize {
        size_of_val(&*self.pairs)
            + self.refs.heap_bytes()
            + self.ends.heap_bytes()
            + size_of_val(&*self.families)
            + self.family_of.heap_bytes()
            + self.changed.heap_bytes()
    }
}

impl fmt::Debug for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layout")
            .field("id", &self.id)
            .field("source", &self.source)
            .field("origin", &self.origin)
            .field("epoch", &self.epoch)
            .field("series", &self.series_count())
            .finish_non_exhaustive()
    }
}

/// One series of a layout: its label pairs in order of name.
#[derive(Clone, Copy)]
pub struct Series<'a> {
    pairs: &'a [Pair],
    refs: Run<'a>,
}

impl<'a> Series<'a> {
    /// The label pairs in order of name; none for a vacant slot.
    pub fn pairs(self) -> impl ExactSizeIterator<Item = &'a Pair> {
        self.refs.iter().map(move |index| &self.pairs[index as usize])
    }

    /// Names and values in order of name.
    pub fn iter(self) -> impl ExactSizeIterator<Item = (&'a str, &'a str)> {
        self.pairs().map(|pair| (pair.name(), pair.value()))
    }

    /// Whether the slot holds no series.
    pub fn is_vacant(self) -> bool {
        self.refs.is_empty()
    }

    /// The value of a label.
    pub fn get(self, name: &str) -> Option<&'a str> {
        self.iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// The metric name, which is the label `__name__`.
    pub fn name(self) -> Option<&'a str> {
        self.get("__name__")
    }

    /// The full label set.
    pub fn labels(self) -> Labels {
        self.iter().collect()
    }
}

impl fmt::Display for Series<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name().unwrap_or_default())?;
        let mut separator = "{";
        for (name, value) in self.iter().filter(|(name, _)| *name != "__name__") {
            write!(f, "{separator}{name}={value:?}")?;
            separator = ", ";
        }
        f.write_str(if separator == "{" { "" } else { "}" })
    }
}

impl fmt::Debug for Series<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
