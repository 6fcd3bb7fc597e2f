//! In which order the series of a layout stand in a message.
//!
//! A target lists like series together, and then what compresses as well as it can is the order of slots. Series that come
//! later get whatever slots are vacant, between series that are nothing like them: a message of a target that replaces a
//! twentieth of its series at every scrape then takes a sixteenth more on the wire. So where a layout was filled piece by
//! piece, its slots are put in order of labels.
//!
//! Only the order within one message follows from this. Places in a batch are counted in slots, as ever.

use std::cmp::Ordering;
use std::sync::{Arc, LazyLock};

use ferroalloy_model::layout::Series;
use ferroalloy_model::{Layout, StageKey};

/// All endpoints have it from the layout.
static KEY: LazyLock<StageKey> = LazyLock::new(StageKey::new);

/// The slots of a layout that hold a series, in order of labels.
#[derive(Debug, Default)]
pub(crate) struct Order {
    /// Empty: the order of slots is good enough.
    slots: Box<[u32]>,
    /// Bytes of the labels of the longest series, in a 1.0 message.
    longest: usize,
}

// === impl Order ===

impl Order {
    /// The order of `layout`, unless it is that of slots.
    pub(crate) fn of(layout: &Arc<Layout>) -> Option<Arc<Self>> {
        let order = layout.attachment::<Self>(&KEY).unwrap_or_else(|| {
            let order = Arc::new(Self::new(layout));
            layout.attach(&KEY, Arc::clone(&order));
            order
        });
        (!order.slots.is_empty()).then_some(order)
    }

    fn new(layout: &Layout) -> Self {
        let changed = layout.changed();
        let parent = layout
            .parent_layout()
            .and_then(|parent| parent.attachment::<Self>(&KEY))
            .filter(|parent| !parent.slots.is_empty());
        // Of a first layout, and of one that hardly has anything of the one before, the order is the target's own.
        if layout.parent().is_none() || (parent.is_none() && changed.len() * 2 >= layout.len()) {
            return Self::default();
        }
        let like = |a: &u32, b: &u32| compare(layout.series(*a as usize), layout.series(*b as usize));
        let holds = |slot: &u32| !layout.is_vacant(*slot as usize);
        let longest = |slots: &[u32]| slots.iter().map(|slot| length(layout, *slot)).max();
        if let Some(parent) = parent {
            let mut new: Vec<u32> = changed.iter().filter(holds).collect();
            new.sort_unstable_by(like);
            let kept = parent.slots.iter().copied();
            let kept = kept.filter(|slot| !changed.contains(*slot) && holds(slot));
            return Self {
                // What is gone may have been longer: the bound holds.
                longest: parent.longest.max(longest(&new).unwrap_or(0)),
                slots: merge(kept, new.into_iter(), like),
            };
        }
        let all = 0..u32::try_from(layout.len()).unwrap_or(u32::MAX);
        let mut slots: Vec<u32> = all.filter(holds).collect();
        slots.sort_unstable_by(like);
        Self {
            longest: longest(&slots).unwrap_or(0),
            slots: slots.into(),
        }
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = usize> + '_ {
        self.slots.iter().map(|slot| *slot as usize)
    }

    pub(crate) fn longest(&self) -> usize {
        self.longest
    }
}

fn length(layout: &Layout, slot: u32) -> usize {
    layout
        .series(slot as usize)
        .pairs()
        .map(|pair| pair.wire().len())
        .sum()
}

/// By the first label that is not the same. Labels are compared as they stand on the wire, so shorter ones are first.
fn compare(a: Series<'_>, b: Series<'_>) -> Ordering {
    let differing = a.pairs().zip(b.pairs()).find(|(a, b)| a != b);
    match differing {
        Some((a, b)) => a.wire().cmp(b.wire()),
        None => a.pairs().len().cmp(&b.pairs().len()),
    }
}

/// Puts two ordered lists together.
fn merge(
    kept: impl Iterator<Item = u32>,
    new: impl Iterator<Item = u32>,
    like: impl Fn(&u32, &u32) -> Ordering,
) -> Box<[u32]> {
    let (mut kept, mut new) = (kept.peekable(), new.peekable());
    std::iter::from_fn(|| match (kept.peek(), new.peek()) {
        (Some(a), Some(b)) if like(b, a).is_lt() => new.next(),
        (Some(_), _) => kept.next(),
        (None, _) => new.next(),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use ferroalloy_model::{LayoutBuilder, SourceId};
    use proptest::prelude::*;

    use super::*;

    fn labels(number: u32) -> [(&'static str, String); 2] {
        [
            ("__name__", format!("m{}", number / 10)),
            ("le", (number % 10).to_string()),
        ]
    }

    fn push(builder: &mut LayoutBuilder, number: u32) {
        let labels = labels(number);
        builder.push(labels.iter().map(|(name, value)| (*name, value.as_str())), None);
    }

    fn first(numbers: std::ops::Range<u32>) -> Arc<Layout> {
        let mut builder = LayoutBuilder::new(SourceId::new(), "test");
        numbers.for_each(|number| push(&mut builder, number));
        builder.build()
    }

    #[test]
    fn a_target_keeps_its_own_order_until_series_are_put_in() {
        let layout = first(0..20);
        assert!(Order::of(&layout).is_none());
        let mut builder = LayoutBuilder::from_parent(&layout);
        push(&mut builder, 5);
        let child = builder.build();
        let order = Order::of(&child).expect("one");
        let at = |slot: usize| order.slots().position(|other| other == slot);
        assert_eq!(at(20).zip(at(5)).map(|(a, b)| a.abs_diff(b)), Some(1));
        // What began with the series of the scrape itself, and got the target's, is not mixed.
        let mut builder = LayoutBuilder::from_parent(&first(0..5));
        (100..200).for_each(|number| push(&mut builder, number));
        assert!(Order::of(&builder.build()).is_none());
    }

    proptest! {
        #[test]
        fn every_series_once_and_in_order(changes in proptest::collection::vec(proptest::collection::vec((0_u32..30, proptest::option::of(0_u32..500)), 0..6), 0..6), keep in any::<bool>()) {
            let mut layout = first(0..24);
            let mut held = vec![Arc::clone(&layout)];
            for change in changes {
                let mut builder = LayoutBuilder::from_parent(&layout);
                for (slot, number) in change {
                    let known = (slot as usize) < builder.len();
                    match number.map(labels) {
                        Some(labels) if known => builder.replace(slot, labels.iter().map(|(name, value)| (*name, value.as_str())), None),
                        Some(_) => push(&mut builder, slot),
                        None if known => builder.vacate(slot),
                        None => {}
                    }
                }
                layout = builder.build();
                if let Some(order) = Order::of(&layout) {
                    let slots: Vec<usize> = order.slots().collect();
                    let mut expected: Vec<usize> = (0..layout.len()).filter(|slot| !layout.is_vacant(*slot)).collect();
                    prop_assert!(slots.is_sorted_by(|a, b| compare(layout.series(*a), layout.series(*b)).is_le()));
                    let mut sorted = slots.clone();
                    sorted.sort_unstable();
                    expected.sort_unstable();
                    prop_assert_eq!(sorted, expected);
                    prop_assert!(slots.iter().all(|slot| length(&layout, u32::try_from(*slot).unwrap()) <= order.longest()));
                }
                // Sometimes nobody holds the parent any more.
                if keep {
                    held.push(Arc::clone(&layout));
                }
            }
        }
    }
}
