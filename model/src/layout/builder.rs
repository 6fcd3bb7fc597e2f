//! Makes layouts: from nothing, or from the one before.

use std::ops::Range;
use std::sync::{Arc, Weak};

use hashbrown::{HashMap, HashSet};

use super::attachments::Attachments;
use super::indexes::Indexes;
use super::{Layout, LayoutId, Slots, SourceId};
use crate::intern::Pair;
use crate::sample::Metadata;

/// Builds a [`Layout`], slot by slot.
#[derive(Debug)]
pub struct LayoutBuilder {
    source: SourceId,
    origin: Arc<str>,
    epoch: u64,
    parent: Weak<Layout>,
    parent_id: Option<LayoutId>,
    pairs: Vec<Pair>,
    /// From a pair's address to its index in `pairs`.
    index_of: HashMap<usize, u32, foldhash::fast::RandomState>,
    refs: Vec<u32>,
    /// Where in `refs` the series that was set last is.
    last_run: Range<usize>,
    slots: Vec<Slot>,
    families: Vec<Arc<Metadata>>,
    changed: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    start: u32,
    end: u32,
    family: u32,
}

/// A slot without metadata.
const NO_FAMILY: u32 = u32::MAX;

const VACANT: Slot = Slot {
    start: 0,
    end: 0,
    family: NO_FAMILY,
};

impl LayoutBuilder {
    /// Starts the first layout of a source; `origin` names it in messages.
    pub fn new(source: SourceId, origin: impl Into<Arc<str>>) -> Self {
        Self {
            source,
            origin: origin.into(),
            epoch: 0,
            parent: Weak::new(),
            parent_id: None,
            pairs: Vec::new(),
            index_of: HashMap::default(),
            refs: Vec::new(),
            last_run: 0..0,
            slots: Vec::new(),
            families: Vec::new(),
            changed: Vec::new(),
        }
    }

    /// Starts from `parent`: every slot keeps its series until it is replaced or vacated.
    pub fn from_parent(parent: &Arc<Layout>) -> Self {
        let mut start = 0;
        let slots = parent
            .ends
            .iter()
            .enumerate()
            .map(|(slot, end)| {
                let family = parent.family_of.get(slot);
                let family = family.filter(|family| (*family as usize) < parent.families.len());
                Slot {
                    start: std::mem::replace(&mut start, end),
                    end,
                    family: family.unwrap_or(NO_FAMILY),
                }
            })
            .collect();
        let index_of = (0_u32..)
            .zip(&parent.pairs)
            .map(|(index, pair)| (pair.address(), index))
            .collect();
        Self {
            source: parent.source,
            origin: Arc::clone(&parent.origin),
            epoch: parent.epoch + 1,
            parent: Arc::downgrade(parent),
            parent_id: Some(parent.id),
            pairs: parent.pairs.to_vec(),
            index_of,
            refs: parent.refs.iter().collect(),
            last_run: 0..0,
            slots,
            families: parent.families.to_vec(),
            changed: Vec::new(),
        }
    }

    /// Number of slots so far.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are no slots.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Appends a series and gives its slot. Labels come in order of name, without empty values; a series
    /// without labels is a vacant slot.
    pub fn push<'a>(
        &mut self,
        labels: impl IntoIterator<Item = (&'a str, &'a str)>,
        metadata: Option<&Arc<Metadata>>,
    ) -> u32 {
        self.push_pairs(
            labels.into_iter().map(|(name, value)| Pair::intern(name, value)),
            metadata,
        )
    }

    /// [`push`](Self::push) for labels that are interned already.
    pub fn push_pairs(
        &mut self,
        pairs: impl IntoIterator<Item = Pair>,
        metadata: Option<&Arc<Metadata>>,
    ) -> u32 {
        let slot = self.push_vacant();
        self.set_slot(slot, pairs, metadata);
        slot
    }

    /// Appends a slot that holds no series.
    pub fn push_vacant(&mut self) -> u32 {
        let slot = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.slots.push(VACANT);
        self.changed.push(slot);
        slot
    }

    /// Puts a series into a slot that exists, in place of what it held.
    pub fn replace<'a>(
        &mut self,
        slot: u32,
        labels: impl IntoIterator<Item = (&'a str, &'a str)>,
        metadata: Option<&Arc<Metadata>>,
    ) {
        self.replace_pairs(
            slot,
            labels.into_iter().map(|(name, value)| Pair::intern(name, value)),
            metadata,
        );
    }

    /// [`replace`](Self::replace) for labels that are interned already.
    pub fn replace_pairs(
        &mut self,
        slot: u32,
        pairs: impl IntoIterator<Item = Pair>,
        metadata: Option<&Arc<Metadata>>,
    ) {
        self.changed.push(slot);
        self.set_slot(slot, pairs, metadata);
    }

    /// Empties a slot.
    pub fn vacate(&mut self, slot: u32) {
        if let Some(held) = self.slots.get_mut(slot as usize) {
            *held = VACANT;
            self.changed.push(slot);
        }
    }

    /// Gives up vacant slots at the end, as long as there are more than `len` of them all. One that was emptied in this
    /// very layout stays, since [`changed`](Layout::changed) has to tell of it.
    pub fn truncate_vacant(&mut self, len: usize) {
        // Nearly always there is nothing to give up, and `changed` may be every slot.
        if self.slots.len() <= len {
            return;
        }
        let emptied: HashSet<u32, foldhash::fast::RandomState> = self.changed.iter().copied().collect();
        while self.slots.len() > len
            && self.slots.last().is_some_and(|slot| slot.start == slot.end)
            && !emptied.contains(&index(self.slots.len() - 1))
        {
            self.slots.pop();
        }
    }

    /// Gives a slot other metadata and leaves its series.
    pub fn set_metadata(&mut self, slot: u32, metadata: Option<&Arc<Metadata>>) {
        let family = self.family(metadata);
        if let Some(held) = self.slots.get_mut(slot as usize) {
            held.family = family;
            self.changed.push(slot);
        }
    }

    fn set_slot(
        &mut self,
        slot: u32,
        pairs: impl IntoIterator<Item = Pair>,
        metadata: Option<&Arc<Metadata>>,
    ) {
        let start = index(self.refs.len());
        let mut before = self.last_run.clone();
        for pair in pairs {
            // Most pairs are those of the series before, at the same place.
            if let Some(at) = before.next().map(|place| self.refs[place])
                && self.pairs[at as usize] == pair
            {
                self.refs.push(at);
                continue;
            }
            let next = index(self.pairs.len());
            let at = *self.index_of.entry(pair.address()).or_insert(next);
            if at == next {
                self.pairs.push(pair);
            }
            self.refs.push(at);
        }
        self.last_run = start as usize..self.refs.len();
        let family = self.family(metadata);
        if let Some(held) = self.slots.get_mut(slot as usize) {
            *held = Slot {
                start,
                end: index(self.refs.len()),
                family,
            };
        }
    }

    fn family(&mut self, metadata: Option<&Arc<Metadata>>) -> u32 {
        let Some(metadata) = metadata else {
            return NO_FAMILY;
        };
        // Series of a family come one after another: the newest family is nearly always the one.
        let known = self
            .families
            .iter()
            .rposition(|m| Arc::ptr_eq(m, metadata) || m == metadata);
        index(known.unwrap_or_else(|| {
            self.families.push(Arc::clone(metadata));
            self.families.len() - 1
        }))
    }

    /// Finishes the layout. Pairs and families that no slot uses any more are let go.
    pub fn build(self) -> Arc<Layout> {
        let mut pairs = Vec::with_capacity(self.pairs.len());
        let mut families = Vec::with_capacity(self.families.len());
        let mut refs = Vec::with_capacity(self.refs.len());
        let mut ends = Vec::with_capacity(self.slots.len());
        let mut family_of = Vec::new();
        let mut new_pair = vec![u32::MAX; self.pairs.len()];
        let mut new_family = vec![NO_FAMILY; self.families.len()];
        let mut vacant = 0;
        for (slot, held) in self.slots.iter().enumerate() {
            for &old in &self.refs[held.start as usize..held.end as usize] {
                let new = &mut new_pair[old as usize];
                if *new == u32::MAX {
                    *new = index(pairs.len());
                    pairs.push(self.pairs[old as usize].clone());
                }
                refs.push(*new);
            }
            ends.push(index(refs.len()));
            vacant += usize::from(held.start == held.end);
            if let Some(metadata) = self.families.get(held.family as usize) {
                let new = &mut new_family[held.family as usize];
                if *new == NO_FAMILY {
                    *new = index(families.len());
                    families.push(Arc::clone(metadata));
                }
                family_of.resize(self.slots.len(), NO_FAMILY);
                family_of[slot] = *new;
            }
        }
        let none = index(families.len());
        for family in &mut family_of {
            *family = none.min(*family);
        }
        Arc::new(Layout {
            id: LayoutId::next(),
            source: self.source,
            origin: self.origin,
            epoch: self.epoch,
            pairs: pairs.into(),
            refs: Indexes::new(refs),
            ends: Indexes::new(ends),
            vacant,
            families: families.into(),
            family_of: Indexes::new(family_of),
            parent: self.parent,
            parent_id: self.parent_id,
            changed: Slots::new(self.changed),
            attachments: Attachments::default(),
        })
    }
}

/// Slots, pairs and references are counted in 32 bits: a source of four billion labels is not met.
fn index(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::StageKey;
    use crate::sample::MetricKind;

    fn two_series() -> Arc<Layout> {
        let mut builder = LayoutBuilder::new(SourceId::new(), "test");
        let help = Arc::new(Metadata {
            kind: MetricKind::Gauge,
            help: "h".into(),
            unit: String::new(),
        });
        builder.push([("__name__", "a"), ("job", "j")], Some(&help));
        builder.push([("__name__", "b"), ("job", "j")], None);
        builder.build()
    }

    #[test]
    fn series_come_back_and_pairs_are_shared() {
        let layout = two_series();
        assert_eq!(layout.len(), 2);
        assert_eq!(layout.series(0).to_string(), r#"a{job="j"}"#);
        assert_eq!(layout.series(1).name(), Some("b"));
        assert_eq!(layout.pairs.len(), 3);
        assert_eq!(layout.metadata(0).map(|m| m.kind), Some(MetricKind::Gauge));
        assert_eq!(layout.metadata(1), None);
        assert!(layout.changed().iter().eq([0, 1]));
        assert!(layout.series(7).is_vacant());
    }

    #[test]
    fn a_child_lists_what_changed_and_forgets_unused_pairs() {
        let parent = two_series();
        let mut builder = LayoutBuilder::from_parent(&parent);
        builder.vacate(0);
        let slot = builder.push([("__name__", "c")], None);
        let child = builder.build();
        assert_eq!(slot, 2);
        assert!(child.changed().iter().eq([0, 2]));
        assert_eq!((child.epoch(), child.parent()), (1, Some(parent.id())));
        assert!(child.series(0).is_vacant());
        assert_eq!(child.series(1).to_string(), r#"b{job="j"}"#);
        assert_eq!(child.series_count(), 2);
        assert_eq!(child.pairs.len(), 3);
        assert!(child.families.is_empty());

        let mut builder = LayoutBuilder::from_parent(&child);
        builder.replace(0, [("__name__", "d")], None);
        assert_eq!(builder.build().series(0).name(), Some("d"));
    }

    #[test]
    fn vacant_slots_at_the_end_go_once_everybody_knows_that_they_are_vacant() {
        let mut builder = LayoutBuilder::from_parent(&two_series());
        builder.push_vacant();
        builder.vacate(1);
        builder.truncate_vacant(0);
        let emptied = builder.build();
        assert_eq!((emptied.len(), emptied.series_count()), (3, 1));

        let mut builder = LayoutBuilder::from_parent(&emptied);
        builder.truncate_vacant(2);
        assert_eq!(builder.len(), 2);
        builder.truncate_vacant(0);
        let child = builder.build();
        assert_eq!((child.len(), child.series_count()), (1, 1));
        assert!(child.changed().is_empty());
        assert_eq!(child.series(0).name(), Some("a"));
    }

    #[test]
    fn attachments_live_with_layout_and_stage() {
        let layout = two_series();
        let (one, two) = (StageKey::new(), StageKey::new());
        let kept = Arc::new(1_u32);
        layout.attach(&one, Arc::clone(&kept));
        assert_eq!(layout.attachment::<u32>(&one).as_deref(), Some(&1));
        assert_eq!(layout.attachment::<u32>(&two), None);
        drop(one);
        layout.attach(&two, Arc::new(2_u32));
        assert_eq!(
            Arc::strong_count(&kept),
            1,
            "the attachment of a stage that is gone was swept"
        );
        drop(layout);
    }
}
