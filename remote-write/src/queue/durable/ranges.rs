//! Sets of positions, as ranges: what is done of a log is nearly always everything up to somewhere.

use std::collections::BTreeMap;

use crate::queue::Position;

/// A set of positions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ranges {
    /// From the start of each range to its end, which is not in it. They do not touch.
    ranges: BTreeMap<Position, Position>,
}

impl Ranges {
    pub(super) fn insert(&mut self, start: Position, end: Position) {
        if start >= end {
            return;
        }
        let (mut start, mut end) = (start, end);
        while let Some((&from, &to)) = self.ranges.range(..=end).next_back() {
            if to < start {
                break;
            }
            self.ranges.remove(&from);
            start = start.min(from);
            end = end.max(to);
        }
        self.ranges.insert(start, end);
    }

    pub(super) fn contains(&self, position: Position) -> bool {
        self.next_missing(position) > position
    }

    /// The first position from `position` on that is not in the set.
    pub(super) fn next_missing(&self, position: Position) -> Position {
        match self.ranges.range(..=position).next_back() {
            Some((_, end)) if *end > position => *end,
            _ => position,
        }
    }

    /// Everything before is in the set.
    pub(super) fn floor(&self) -> Position {
        self.next_missing(0)
    }

    pub(super) fn end(&self) -> Position {
        self.ranges.last_key_value().map_or(0, |(_, end)| *end)
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (Position, Position)> {
        self.ranges.iter().map(|(start, end)| (*start, *end))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn is_a_set(inserted in proptest::collection::vec((0_u64..60, 0_u64..12), 0..30)) {
            let (mut ranges, mut set) = (Ranges::default(), BTreeSet::new());
            for (start, len) in inserted {
                ranges.insert(start, start + len);
                set.extend(start..start + len);
                for position in 0..80 {
                    prop_assert_eq!(ranges.contains(position), set.contains(&position));
                    let missing = (position..100).find(|next| !set.contains(next)).unwrap();
                    prop_assert_eq!(ranges.next_missing(position), missing);
                }
                let apart: Vec<_> = ranges.iter().collect();
                prop_assert!(apart.windows(2).all(|two| two[0].1 < two[1].0));
                prop_assert_eq!(ranges.end(), set.last().map_or(0, |last| last + 1));
            }
        }
    }
}
