//! Layouts: whole, or as what differs from another one.

use std::collections::HashMap;
use std::sync::Arc;

use ferroalloy_model::{Layout, LayoutBuilder, Metadata, MetricKind, Pair, SourceId};
use foldhash::fast::RandomState;

use super::{Input, put, put_len, put_text};

/// What a layout's payload begins with: enough to know what it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LayoutHead<'a> {
    pub(crate) id: u64,
    pub(crate) source: u64,
    /// The layout that it changes.
    pub(crate) parent: Option<u64>,
    slots: u32,
    pub(crate) origin: &'a str,
}

const KINDS: [MetricKind; 8] = [
    MetricKind::Unknown,
    MetricKind::Counter,
    MetricKind::Gauge,
    MetricKind::Histogram,
    MetricKind::GaugeHistogram,
    MetricKind::Summary,
    MetricKind::Info,
    MetricKind::StateSet,
];

/// Writes `layout`: the slots that differ from its parent's if `with_parent`, else all.
pub(crate) fn encode_layout(out: &mut Vec<u8>, layout: &Layout, with_parent: bool) {
    let parent = layout.parent().filter(|_| with_parent);
    put(out, layout.id().get());
    put(out, layout.source().get());
    put(out, parent.map_or(0, |parent| parent.get().saturating_add(1)));
    put_len(out, layout.len());
    put_text(out, layout.origin());
    let mut pairs = Table::default();
    let mut families = Table::default();
    let mut changes = Vec::new();
    let mut last = 0;
    let mut change = |slot: usize| {
        put_len(&mut changes, slot - last);
        last = slot;
        let family = layout.metadata(slot).map(|family| {
            families.index(Arc::as_ptr(family) as usize, |out| {
                let kind = KINDS.iter().position(|kind| *kind == family.kind);
                put_len(out, kind.unwrap_or(0));
                put_text(out, &family.help);
                put_text(out, &family.unit);
            })
        });
        put(&mut changes, family.map_or(0, |index| index + 1));
        let series = layout.series(slot).pairs();
        put_len(&mut changes, series.len());
        for pair in series {
            let index = pairs.index(pair.wire().as_ptr() as usize, |out| {
                put_text(out, pair.name());
                put_text(out, pair.value());
            });
            put(&mut changes, index);
        }
    };
    let count = if parent.is_some() {
        let slots = layout.changed();
        for slot in slots.iter() {
            change(slot as usize);
        }
        slots.len()
    } else {
        (0..layout.len()).for_each(&mut change);
        layout.len()
    };
    pairs.write(out);
    families.write(out);
    put_len(out, count);
    out.extend_from_slice(&changes);
}

/// Things that are written once and referred to by number.
#[derive(Default)]
struct Table {
    index_of: HashMap<usize, u64, RandomState>,
    written: Vec<u8>,
}

impl Table {
    /// The number of the thing at this address, which `write` writes if it is new.
    fn index(&mut self, address: usize, write: impl FnOnce(&mut Vec<u8>)) -> u64 {
        let next = self.index_of.len() as u64;
        *self.index_of.entry(address).or_insert_with(|| {
            write(&mut self.written);
            next
        })
    }

    fn write(self, out: &mut Vec<u8>) {
        put_len(out, self.index_of.len());
        out.extend_from_slice(&self.written);
    }
}

impl<'a> LayoutHead<'a> {
    pub(crate) fn read(input: &mut Input<'a>) -> Option<Self> {
        Some(Self {
            id: input.number()?,
            source: input.number()?,
            parent: input.number()?.checked_sub(1),
            slots: input.u32()?,
            origin: input.text()?,
        })
    }
}

/// Makes the layout whose payload is `input`, of `source`; `parent` is the layout that it changes, if it changes one.
pub(crate) fn decode_layout(
    input: &mut Input<'_>,
    parent: Option<&Arc<Layout>>,
    source: SourceId,
) -> Option<Arc<Layout>> {
    let head = LayoutHead::read(input)?;
    if head.parent.is_some() != parent.is_some() {
        return None;
    }
    let mut builder = match parent {
        Some(parent) => LayoutBuilder::from_parent(parent),
        None => LayoutBuilder::new(source, head.origin),
    };
    let pairs = input.list(|input| Some(Pair::intern(input.text()?, input.text()?)))?;
    let families = input.list(|input| {
        let kind = usize::try_from(input.number()?).ok()?;
        Some(Arc::new(Metadata {
            kind: KINDS.get(kind).copied()?,
            help: input.text()?.to_owned(),
            unit: input.text()?.to_owned(),
        }))
    })?;
    let (mut slot, mut labels) = (0_u32, Vec::new());
    // A slot is at least two bytes in the payload, so that a wrong number cannot have many made.
    let changes = input.number()?;
    for nth in 0..changes {
        let step = input.u32()?;
        slot = slot.checked_add(step)?;
        if slot >= head.slots || (nth > 0 && step == 0) {
            return None;
        }
        let family = match input.number()?.checked_sub(1) {
            Some(index) => Some(families.get(usize::try_from(index).ok()?)?),
            None => None,
        };
        labels.clear();
        labels.extend(input.list(|input| {
            let index = usize::try_from(input.number()?).ok()?;
            pairs.get(index).cloned()
        })?);
        let len = u32::try_from(builder.len()).ok()?;
        if slot > len {
            return None;
        }
        match (slot == len, labels.is_empty()) {
            (true, true) => drop(builder.push_vacant()),
            (true, false) => drop(builder.push_pairs(labels.drain(..), family)),
            (false, true) => builder.vacate(slot),
            (false, false) => builder.replace_pairs(slot, labels.drain(..), family),
        }
    }
    builder.truncate_vacant(head.slots as usize);
    (input.is_at_end() && builder.len() == head.slots as usize).then(|| builder.build())
}
