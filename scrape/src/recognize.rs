//! Recognises what a target said in its last scrape, without looking at labels.
//!
//! Bodies are stable from scrape to scrape, so what is next is guessed from its place: the [`Recognizer`] knows
//! the keys of the last scrape in their order. Where the guess fails it looks a few places ahead, and only then
//! builds a table, which lives until the end of the scrape.
//!
//! Invariants: a place costs 24 bytes; a scrape that fails changes nothing ([`abort`](Recognizer::abort)); a
//! series that was missing for a while is still recognised, until its slot is given away.

use hashbrown::HashTable;

use crate::key::{Class, Key};

/// Something seen before: the key and the length of its bytes, and what they stand for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) key: Key,
    pub(crate) length: u32,
    pub(crate) what: What,
}

/// What bytes stand for, in four bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct What(u32);

/// [`What`], spelled out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A series, by its slot.
    Slot(u32),
    /// A series that the rules drop.
    Dropped,
    /// A series that is reported by the scrape itself, so the target's is a duplicate.
    Shadowed,
    /// Lines of metadata, after which families are of that class.
    Metadata(Class),
}

const DROPPED: u32 = u32::MAX;
const SHADOWED: u32 = u32::MAX - 1;
const METADATA: u32 = u32::MAX - 8;

/// How many places ahead are tried before the table is asked.
const LOOK_AHEAD: usize = 8;

/// In the table: places of the last scrape, then series missing for a while, then what is new.
#[derive(Debug, Default)]
pub(crate) struct Recognizer {
    known: Vec<Known>,
    cursor: usize,
    /// From here on this scrape's order is not the last one's.
    diverged: Option<usize>,
    /// What takes the place of `known[diverged..]`.
    fresh: Vec<Known>,
    /// Series whose slots are still theirs, although they were missing.
    missing: Vec<Known>,
    /// Indexes into `known`, `missing` and `fresh` as if they were one list. Empty unless `indexed`.
    index: HashTable<u32>,
    indexed: bool,
}

impl What {
    pub(crate) const DROPPED: Self = Self(DROPPED);
    pub(crate) const SHADOWED: Self = Self(SHADOWED);

    pub(crate) fn slot(slot: u32) -> Self {
        debug_assert!(slot < METADATA);
        Self(slot)
    }

    pub(crate) fn metadata(class: Class) -> Self {
        Self(METADATA + class as u32)
    }

    #[inline]
    pub(crate) fn meaning(self) -> Meaning {
        match self.0 {
            DROPPED => Meaning::Dropped,
            SHADOWED => Meaning::Shadowed,
            METADATA => Meaning::Metadata(Class::Plain),
            slot if slot < METADATA => Meaning::Slot(slot),
            other if other == METADATA + Class::Histogram as u32 => Meaning::Metadata(Class::Histogram),
            _ => Meaning::Metadata(Class::Summary),
        }
    }
}

impl Recognizer {
    /// What is likely to come next.
    #[inline]
    pub(crate) fn expected(&self) -> Option<Known> {
        self.known.get(self.cursor).copied()
    }

    /// The expected came.
    #[inline]
    pub(crate) fn confirm(&mut self) {
        if self.diverged.is_some()
            && let Some(known) = self.known.get(self.cursor)
        {
            self.fresh.push(*known);
        }
        self.cursor += 1;
    }

    /// Looks for something that was not expected here, first nearby.
    pub(crate) fn find(&mut self, key: Key, length: u32) -> Option<What> {
        self.find_near(key, length).or_else(|| {
            self.build_index();
            self.find_indexed(key, length)
        })
    }

    /// Looks nearby, and in the table only if it was needed before.
    pub(crate) fn find_near(&mut self, key: Key, length: u32) -> Option<What> {
        let ahead = self.known.get(self.cursor..).unwrap_or_default();
        let found = ahead
            .iter()
            .take(LOOK_AHEAD)
            .position(|known| known.key == key && known.length == length);
        match found {
            Some(0) => {
                let what = ahead[0].what;
                self.confirm();
                Some(what)
            }
            Some(places) => {
                let known = ahead[places];
                self.diverge();
                self.fresh.push(known);
                self.cursor += places + 1;
                Some(known.what)
            }
            None if self.indexed => self.find_indexed(key, length),
            None => None,
        }
    }

    fn find_indexed(&mut self, key: Key, length: u32) -> Option<What> {
        let found = self.index.find(key.short(), |at| {
            self.at(*at)
                .is_some_and(|known| known.key == key && known.length == length)
        });
        let at = *found?;
        let known = *self.at(at)?;
        self.diverge();
        self.fresh.push(known);
        if (at as usize) < self.known.len() {
            self.cursor = at as usize + 1;
        }
        Some(known.what)
    }

    /// Remembers something new at this place.
    pub(crate) fn learn(&mut self, known: Known) {
        self.diverge();
        self.fresh.push(known);
        if self.indexed {
            let at = self.known.len() + self.missing.len() + self.fresh.len() - 1;
            self.insert(known.key, at);
        }
    }

    fn diverge(&mut self) {
        self.diverged.get_or_insert(self.cursor);
    }

    fn at(&self, at: u32) -> Option<&Known> {
        at_of(&self.known, &self.missing, &self.fresh, at)
    }

    fn build_index(&mut self) {
        if self.indexed {
            return;
        }
        self.indexed = true;
        self.index.reserve(self.known.len() + self.missing.len(), |_| 0);
        for at in 0..self.known.len() + self.missing.len() + self.fresh.len() {
            // What is in `fresh` by now came from elsewhere or is new; either way its last entry serves.
            if let Some(known) = u32::try_from(at).ok().and_then(|at| self.at(at)) {
                let key = known.key;
                self.insert(key, at);
            }
        }
    }

    fn insert(&mut self, key: Key, at: usize) {
        let Self {
            known,
            missing,
            fresh,
            index,
            ..
        } = self;
        if let Ok(at) = u32::try_from(at) {
            index.insert_unique(key.short(), at, |at| {
                at_of(known, missing, fresh, *at).map_or(0, |known| known.key.short())
            });
        }
    }

    /// The scrape was good. `seen` tells which slots it had; `place` gives the final slot of what was learned.
    pub(crate) fn finish(&mut self, seen: impl Fn(u32) -> bool, place: impl Fn(u32) -> u32) {
        let Self {
            known,
            fresh,
            missing,
            ..
        } = self;
        if self.diverged.is_some() || self.cursor < known.len() {
            let from = self.diverged.unwrap_or(self.cursor).min(known.len());
            missing.retain(|known| matches!(known.what.meaning(), Meaning::Slot(slot) if !seen(slot)));
            missing.extend(
                known
                    .drain(from..)
                    .filter(|known| matches!(known.what.meaning(), Meaning::Slot(slot) if !seen(slot))),
            );
            known.extend(fresh.drain(..).map(|known| match known.what.meaning() {
                Meaning::Slot(slot) => Known {
                    what: What::slot(place(slot)),
                    ..known
                },
                _ => known,
            }));
            if known.capacity() > known.len() + known.len() / 4 + 16 {
                known.shrink_to(known.len());
            }
        }
        self.rewind();
    }

    /// The scrape failed: all is as it was before.
    pub(crate) fn abort(&mut self) {
        self.rewind();
    }

    fn rewind(&mut self) {
        self.cursor = 0;
        self.diverged = None;
        self.fresh = Vec::new();
        self.index = HashTable::new();
        self.indexed = false;
    }

    /// Slots were given away: who held them is not known any more.
    pub(crate) fn forget(&mut self, gone: impl Fn(u32) -> bool) {
        self.missing
            .retain(|known| !matches!(known.what.meaning(), Meaning::Slot(slot) if gone(slot)));
        if self.missing.capacity() > 2 * self.missing.len() + 16 {
            self.missing.shrink_to(self.missing.len());
        }
    }

    /// Number of series that were missing and still have their slots.
    pub(crate) fn missing(&self) -> usize {
        self.missing.len()
    }

    /// Forgets everything: the rules that gave labels to bytes have changed.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Bytes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        (self.known.capacity() + self.missing.capacity() + self.fresh.capacity()) * size_of::<Known>()
            + self.index.allocation_size()
    }
}

fn at_of<'a>(known: &'a [Known], missing: &'a [Known], fresh: &'a [Known], at: u32) -> Option<&'a Known> {
    let at = at as usize;
    known
        .get(at)
        .or_else(|| missing.get(at.checked_sub(known.len())?))
        .or_else(|| fresh.get(at.checked_sub(known.len() + missing.len())?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::key::Keys;

    /// One scrape of the series `names`, each of which stands for itself as a slot; tells which were new.
    fn scrape(recognizer: &mut Recognizer, names: &[u32]) -> Vec<u32> {
        let keys = Keys::new();
        let mut new = Vec::new();
        for name in names {
            let key = keys.key(Class::Plain, &name.to_le_bytes());
            if recognizer.expected().is_some_and(|known| known.key == key) {
                recognizer.confirm();
                continue;
            }
            if let Some(what) = recognizer.find(key, 4) {
                assert_eq!(what.meaning(), Meaning::Slot(*name));
            } else {
                new.push(*name);
                recognizer.learn(Known {
                    key,
                    length: 4,
                    what: What::slot(*name),
                });
            }
        }
        recognizer.finish(|slot| names.contains(&slot), |slot| slot);
        new
    }

    #[test]
    fn a_place_takes_24_bytes() {
        assert_eq!(size_of::<Known>(), 24);
        let mut recognizer = Recognizer::default();
        let names: Vec<u32> = (0..1000).collect();
        scrape(&mut recognizer, &names);
        assert!(
            recognizer.heap_bytes() <= 2 * 1000 * 24,
            "{}",
            recognizer.heap_bytes()
        );
        assert!(scrape(&mut recognizer, &names).is_empty());
        assert!(!recognizer.indexed && recognizer.index.is_empty());
    }

    #[test]
    fn order_may_change_and_series_may_pause() {
        let mut recognizer = Recognizer::default();
        assert_eq!(scrape(&mut recognizer, &[1, 2, 3, 4]), [1, 2, 3, 4]);
        assert!(scrape(&mut recognizer, &[4, 3, 2, 1]).is_empty());
        assert_eq!(scrape(&mut recognizer, &[4, 9, 2]), [9]);
        assert_eq!(recognizer.missing(), 2);
        assert!(scrape(&mut recognizer, &[3, 1, 4, 9, 2]).is_empty());
        assert_eq!(recognizer.missing(), 0);
    }

    #[test]
    fn a_failed_scrape_changes_nothing() {
        let mut recognizer = Recognizer::default();
        scrape(&mut recognizer, &[1, 2, 3]);
        let key = Keys::new().key(Class::Plain, &7_u32.to_le_bytes());
        recognizer.learn(Known {
            key,
            length: 4,
            what: What::slot(7),
        });
        recognizer.abort();
        assert!(scrape(&mut recognizer, &[1, 2, 3]).is_empty());
        assert_eq!(scrape(&mut recognizer, &[7]), [7]);
    }

    #[test]
    fn meanings_survive_packing() {
        for meaning in [
            Meaning::Slot(0),
            Meaning::Slot(METADATA - 1),
            Meaning::Dropped,
            Meaning::Shadowed,
            Meaning::Metadata(Class::Plain),
            Meaning::Metadata(Class::Histogram),
            Meaning::Metadata(Class::Summary),
        ] {
            let what = match meaning {
                Meaning::Slot(slot) => What::slot(slot),
                Meaning::Dropped => What::DROPPED,
                Meaning::Shadowed => What::SHADOWED,
                Meaning::Metadata(class) => What::metadata(class),
            };
            assert_eq!(what.meaning(), meaning);
        }
    }

    proptest! {
        #[test]
        fn only_what_was_never_seen_is_new(scrapes in proptest::collection::vec(proptest::collection::vec(0_u32..30, 0..40), 1..8)) {
            let mut recognizer = Recognizer::default();
            let mut ever = std::collections::BTreeSet::new();
            for names in &scrapes {
                let mut expected = Vec::new();
                for name in names {
                    if ever.insert(*name) {
                        expected.push(*name);
                    }
                }
                prop_assert_eq!(scrape(&mut recognizer, names), expected);
            }
        }
    }
}
