//! Slots without a series, and which of them new series get.
//!
//! What stands together in a body is sent together, and compresses the better the more alike neighbours are: the buckets
//! of a histogram, say. So a run of new series gets the shortest run of vacant slots that is long enough.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Runs of vacant slots: their beginnings by their length.
#[derive(Debug, Default)]
pub(super) struct Vacancies(BTreeMap<u32, BTreeSet<u32>>);

impl Vacancies {
    /// Of slots that come ascending.
    pub(super) fn new(slots: impl IntoIterator<Item = u32>) -> Self {
        let mut vacancies = Self::default();
        let mut run: Option<Range<u32>> = None;
        for slot in slots {
            match &mut run {
                Some(run) if run.end == slot => run.end += 1,
                _ => vacancies.put(run.replace(slot..slot + 1)),
            }
        }
        vacancies.put(run);
        vacancies
    }

    fn put(&mut self, run: Option<Range<u32>>) {
        if let Some(run) = run.filter(|run| !run.is_empty()) {
            self.0.entry(run.end - run.start).or_default().insert(run.start);
        }
    }

    /// Slots for `wanted` neighbours, or for as many of them as there are neighbouring slots. `None`: there are none.
    pub(super) fn take(&mut self, wanted: u32) -> Option<Range<u32>> {
        let enough = self.0.range(wanted..).next().map(|(length, _)| *length);
        let length = enough.or_else(|| self.0.last_key_value().map(|(length, _)| *length))?;
        let starts = self.0.get_mut(&length)?;
        let start = starts.pop_first()?;
        if starts.is_empty() {
            self.0.remove(&length);
        }
        let end = start + length.min(wanted);
        self.put(Some(end..start + length));
        Some(start..end)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_shortest_that_is_long_enough() {
        let mut vacancies = Vacancies::new([1, 2, 3, 4, 10, 11, 12, 20]);
        assert_eq!(vacancies.take(2), Some(10..12));
        assert_eq!(vacancies.take(1), Some(12..13));
        assert_eq!(vacancies.take(9), Some(1..5));
        assert_eq!(vacancies.take(9), Some(20..21));
        assert_eq!(vacancies.take(9), None);
    }

    proptest! {
        #[test]
        fn every_slot_is_given_once(slots in proptest::collection::btree_set(0_u32..60, 0..40), wants in proptest::collection::vec(1_u32..8, 60)) {
            let mut vacancies = Vacancies::new(slots.iter().copied());
            let mut given = BTreeSet::new();
            for wanted in wants {
                let Some(run) = vacancies.take(wanted) else { break };
                prop_assert!(!run.is_empty() && run.len() <= wanted as usize);
                for slot in run {
                    prop_assert!(slots.contains(&slot) && given.insert(slot));
                }
            }
            prop_assert!(vacancies.take(1).is_some() || given == slots);
        }
    }
}
