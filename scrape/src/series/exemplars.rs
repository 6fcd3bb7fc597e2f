//! Takes exemplars in: those that are new, and small enough for every receiver.

use ferroalloy_model::Exemplar;

use super::Scrape;
use crate::key::Class;
use crate::parse::RawExemplar;

/// Characters of names and values together, as OpenMetrics allows.
const LONGEST: usize = 128;

impl Scrape<'_> {
    /// Takes exemplars of the sample in `slot`. One without a time has that of the scrape; the one the series had
    /// last, again, is passed over.
    pub(crate) fn record_exemplars(&mut self, slot: u32, exemplars: &mut Vec<RawExemplar>) {
        for raw in exemplars.drain(..) {
            let length: usize = raw
                .labels
                .iter()
                .map(|(name, value)| name.chars().count() + value.chars().count())
                .sum();
            if length > LONGEST {
                self.counts.exemplars_dropped += 1;
                continue;
            }
            let timestamp = raw.timestamp.unwrap_or(self.data.timestamp);
            let hash = self.exemplar_hash(&raw, timestamp);
            let last = self
                .exemplars
                .get(&slot)
                .or_else(|| self.state.exemplars.get(&slot));
            if last == Some(&hash) {
                continue;
            }
            self.exemplars.insert(slot, hash);
            let exemplar = Exemplar {
                labels: raw.labels,
                value: raw.value,
                timestamp,
            };
            self.data.sides_mut().exemplars.push((slot, exemplar));
        }
    }

    fn exemplar_hash(&mut self, exemplar: &RawExemplar, timestamp: i64) -> u64 {
        self.scratch.clear();
        self.scratch.extend_from_slice(&timestamp.to_le_bytes());
        self.scratch
            .extend_from_slice(&exemplar.value.to_bits().to_le_bytes());
        for (name, value) in exemplar.labels.iter() {
            for part in [name, value] {
                self.scratch.extend_from_slice(part.as_bytes());
                self.scratch.push(0xff);
            }
        }
        self.keys.key(Class::Plain, &self.scratch).short()
    }
}
