//! Which slots of a layout have a sample: a bit each.

/// A set of slots.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Presence {
    words: Vec<u64>,
}

impl Presence {
    /// Empties the set and makes room for `slots` slots.
    pub fn reset(&mut self, slots: usize) {
        self.words.clear();
        self.words.resize(slots.div_ceil(64), 0);
    }

    /// Adds a slot. Slots beyond the room made by [`reset`](Self::reset) make their own.
    pub fn set(&mut self, slot: u32) {
        let word = slot as usize / 64;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (slot % 64);
    }

    /// Takes a slot out.
    pub fn unset(&mut self, slot: u32) {
        if let Some(word) = self.words.get_mut(slot as usize / 64) {
            *word &= !(1 << (slot % 64));
        }
    }

    /// Whether a slot is in the set.
    pub fn contains(&self, slot: u32) -> bool {
        self.words
            .get(slot as usize / 64)
            .is_some_and(|word| word & (1 << (slot % 64)) != 0)
    }

    /// Number of slots in the set.
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Number of slots in the set from `slot` on.
    pub fn count_from(&self, slot: u32) -> usize {
        let (word, bit) = (slot as usize / 64, slot % 64);
        let rest = self.words.get(word..).unwrap_or_default();
        let first = rest.first().map_or(0, |word| (word >> bit).count_ones() as usize);
        let behind = rest.iter().skip(1).map(|word| word.count_ones() as usize);
        first + behind.sum::<usize>()
    }

    /// Calls `each` with every slot, ascending.
    pub fn for_each(&self, mut each: impl FnMut(u32)) {
        for (base, word) in (0_u32..).step_by(64).zip(&self.words) {
            let mut rest = *word;
            while rest != 0 {
                each(base + rest.trailing_zeros());
                rest &= rest - 1;
            }
        }
    }

    /// Calls `each` with every slot that is here and not in `other`, ascending.
    pub fn for_each_missing(&self, other: &Self, mut each: impl FnMut(u32)) {
        for (index, word) in self.words.iter().enumerate() {
            let mut rest = word & !other.words.get(index).copied().unwrap_or(0);
            let base = u32::try_from(index * 64).unwrap_or(u32::MAX);
            while rest != 0 {
                each(base + rest.trailing_zeros());
                rest &= rest - 1;
            }
        }
    }

    /// The set as words of 64 slots, the lowest slot in the lowest bit.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// The set that these words are.
    pub fn from_words(words: Vec<u64>) -> Self {
        Self { words }
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.words.capacity() * size_of::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn is_a_set_of_slots(here in proptest::collection::btree_set(0_u32..300, 0..60),
                             there in proptest::collection::btree_set(0_u32..300, 0..60)) {
            let make = |slots: &BTreeSet<u32>| {
                let mut presence = Presence::default();
                presence.reset(200);
                for slot in slots {
                    presence.set(*slot);
                }
                presence
            };
            let (a, b) = (make(&here), make(&there));
            let mut seen = Vec::new();
            a.for_each(|slot| seen.push(slot));
            prop_assert_eq!(&seen, &here.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(a.count(), here.len());
            for slot in [0, 1, 63, 64, 150, 299, 1000] {
                prop_assert_eq!(a.count_from(slot), here.range(slot..).count());
            }
            let mut missing = Vec::new();
            a.for_each_missing(&b, |slot| missing.push(slot));
            prop_assert_eq!(missing, here.difference(&there).copied().collect::<Vec<_>>());
        }
    }
}
