//! Series that were not there before: their labels, whether they are kept, and which known series they may be in other words.

use std::ops::Range;
use std::sync::Arc;

use ferroalloy_model::{Metadata, Pair};

use super::Scrape;
use crate::error::{Error, ErrorKind};
use crate::key::{Class, Key, Keys};
use crate::merge;
use crate::parse::SeriesLabels;
use crate::recognize::{Known, Meaning, What};

/// A series to be added to the layout.
#[derive(Debug)]
pub(in crate::series) struct Staged {
    /// Where its labels are among those of all.
    pub(super) labels: Range<usize>,
    pub(super) metadata: Option<Arc<Metadata>>,
}

impl Scrape<'_> {
    /// Takes in a series whose bytes were never seen before. `None`: the scrape is over its limit, so its samples are
    /// only counted.
    pub(crate) fn learn(
        &mut self,
        (key, length): (Key, u32),
        labels: &SeriesLabels,
        metadata: impl FnOnce() -> Option<Arc<Metadata>>,
    ) -> Result<Option<What>, Error> {
        let kept = merge::merge(labels, &self.state.target, self.config, &mut self.builder)?;
        let wanted = self.config.metadata;
        let metadata = || if wanted { metadata() } else { None };
        let what = match kept {
            false => What::DROPPED,
            true if self.over_limit => {
                self.counts.scraped += 1;
                self.counts.kept += 1;
                return Ok(None);
            }
            true => self.identify(metadata)?,
        };
        self.state.recognizer.learn(Known { key, length, what });
        Ok(Some(what))
    }

    /// The slot of the series whose labels are in `builder`: its old one, if the layout has it.
    fn identify(&mut self, metadata: impl FnOnce() -> Option<Arc<Metadata>>) -> Result<What, Error> {
        let labels = self.intern();
        let state = &*self.state;
        let (keys, scratch) = (self.keys, &mut self.scratch);
        let identities = self.identities.get_or_insert_with(|| {
            (0_u32..)
                .zip((0..state.layout.len()).map(|slot| state.layout.series(slot)))
                .filter(|(_, series)| !series.is_vacant())
                .map(|(slot, series)| (identity(keys, series.pairs(), scratch), slot))
                .collect()
        });
        let next = u32::try_from(self.data.values.len()).unwrap_or(u32::MAX);
        let pairs = &self.staged_pairs[labels.clone()];
        let slot = *identities
            .entry(identity(keys, pairs.iter(), scratch))
            .or_insert(next);
        if slot == next {
            if self.full {
                let name = self.builder.get("__name__").unwrap_or_default();
                return Err(Error::new(
                    ErrorKind::Memory,
                    format!("the memory budget is used up, and {name} would be a new series"),
                ));
            }
            self.data.values.push(0.0);
            self.staged.push(Staged {
                labels,
                metadata: metadata(),
            });
            return Ok(What::slot(slot));
        }
        self.staged_pairs.truncate(labels.start);
        if state.report.contains(&Some(slot)) {
            return Ok(What::SHADOWED);
        }
        if let Some(metadata) = metadata() {
            self.describe(slot, &metadata);
        }
        Ok(What::slot(slot))
    }

    /// Interns the labels in `builder`. Most are those of the series before, at the same place.
    fn intern(&mut self) -> Range<usize> {
        let before = self.staged.last().map_or(0..0, |staged| staged.labels.clone());
        let start = self.staged_pairs.len();
        for (place, (name, value)) in self.builder.iter().enumerate() {
            let same = self.staged_pairs[before.clone()]
                .get(place)
                .filter(|pair| pair.is(name, value));
            let pair = same.cloned().unwrap_or_else(|| Pair::intern(name, value));
            self.staged_pairs.push(pair);
        }
        start..self.staged_pairs.len()
    }

    /// A known series came in a family whose metadata was not seen before.
    pub(crate) fn redescribe(&mut self, what: What, metadata: impl FnOnce(&str) -> Option<Arc<Metadata>>) {
        let Meaning::Slot(slot) = what.meaning() else {
            return;
        };
        if !self.config.metadata {
            return;
        }
        let Some(name) = self.state.layout.series(slot as usize).name() else {
            return;
        };
        if let Some(metadata) = metadata(name) {
            self.describe(slot, &metadata);
        }
    }

    fn describe(&mut self, slot: u32, metadata: &Arc<Metadata>) {
        let layout = &self.state.layout;
        if (slot as usize) < layout.len() && layout.metadata(slot as usize) != Some(metadata) {
            self.described.push((slot, Arc::clone(metadata)));
        }
    }
}

/// The labels of a series as a number. Equal labels are one pair each, so where the pairs are tells them apart; 128 bits
/// under random seeds decide alone, as they do for raw bytes.
fn identity<'a>(keys: Keys, labels: impl Iterator<Item = &'a Pair>, scratch: &mut Vec<u8>) -> (u64, u64) {
    scratch.clear();
    labels.for_each(|pair| scratch.extend_from_slice(&pair.address().to_ne_bytes()));
    keys.key(Class::Plain, scratch).parts()
}
