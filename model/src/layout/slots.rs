//! A set of slots that mostly come in runs.

use std::ops::RangeInclusive;

/// Some slots of a layout, ascending. Runs of neighbours take no more room than one slot.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Slots {
    runs: Box<[(u32, u32)]>,
    len: usize,
}

impl Slots {
    /// The slots in `slots`, which may come in any order and more than once.
    pub(super) fn new(mut slots: Vec<u32>) -> Self {
        slots.sort_unstable();
        slots.dedup();
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for slot in &slots {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == *slot => *last = *slot,
                _ => runs.push((*slot, *slot)),
            }
        }
        Self {
            runs: runs.into(),
            len: slots.len(),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether `slot` is one of them.
    pub fn contains(&self, slot: u32) -> bool {
        let behind = self.runs.partition_point(|(first, _)| *first <= slot);
        behind
            .checked_sub(1)
            .and_then(|at| self.runs.get(at))
            .is_some_and(|(_, last)| slot <= *last)
    }

    /// All of them, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.runs().flatten()
    }

    fn runs(&self) -> impl Iterator<Item = RangeInclusive<u32>> + '_ {
        self.runs.iter().map(|(first, last)| *first..=*last)
    }

    /// Bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.runs)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_set_is_what_was_put_in(slots in proptest::collection::vec(prop_oneof![0_u32..30, u32::MAX - 3..=u32::MAX], 0..40)) {
            let expected: BTreeSet<u32> = slots.iter().copied().collect();
            let slots = Slots::new(slots);
            prop_assert_eq!(slots.len(), expected.len());
            prop_assert!(slots.iter().eq(expected.iter().copied()));
            for slot in (0..32).chain(u32::MAX - 5..=u32::MAX) {
                prop_assert_eq!(slots.contains(slot), expected.contains(&slot));
            }
        }
    }

    #[test]
    fn neighbours_take_the_room_of_one() {
        assert_eq!(Slots::new((0..10_000).collect()).heap_bytes(), 8);
    }
}
