//! Gives new series their slots, and with them the target its next layout.

use std::sync::Arc;

use ferroalloy_model::{Layout, LayoutBuilder, Presence};

use super::Scrape;

/// Slots whose series are gone are only given back for their own sake when there are so many more of them than
/// there are series, or when they are a fifth of the slots and have been for a while: two sets of series may take turns.
const TOO_MANY_IDLE: usize = 1024;

/// Scrapes after which a fifth is too many.
const A_WHILE: u32 = 10;

impl Scrape<'_> {
    /// Makes the next layout if one is needed, and moves samples of new series, which were behind the end of the
    /// old one, to their slots. `seen` is brought up to date.
    pub(super) fn place(&mut self, seen: &mut Presence) {
        let layout = Arc::clone(&self.state.layout);
        let idle = self.state.recognizer.missing();
        let series = layout.series_count();
        self.state.idle_for = if idle > TOO_MANY_IDLE && idle > series / 5 {
            self.state.idle_for + 1
        } else {
            0
        };
        let crowded = idle > TOO_MANY_IDLE && idle > series / 2 || self.state.idle_for >= A_WHILE;
        let tail = vacant_tail(&layout);
        if self.staged.is_empty() && self.described.is_empty() && !crowded && tail == 0 {
            self.state
                .recognizer
                .finish(|slot| seen.contains(slot), |slot| slot);
            return;
        }
        let slots = u32::try_from(layout.len()).unwrap_or(u32::MAX);
        let mut builder = LayoutBuilder::from_parent(&layout);
        let mut freed = Presence::default();
        let mut free = Vec::new();
        builder.truncate_vacant(layout.len() - tail);
        let kept = u32::try_from(builder.len()).unwrap_or(u32::MAX);
        for slot in 0..kept {
            let vacant = layout.is_vacant(slot as usize);
            // A series of the last scrape that is missing now still needs its slot for its marker.
            let held = seen.contains(slot)
                || self.state.live.contains(slot)
                || self.state.report.contains(&Some(slot));
            if vacant || !held {
                free.push(slot);
            }
            if !vacant && !held {
                builder.vacate(slot);
                freed.set(slot);
            }
        }
        free.reverse();
        let mut places = Vec::with_capacity(self.staged.len());
        for staged in self.staged.drain(..) {
            let metadata = staged.metadata.as_ref();
            let labels = self.staged_pairs[staged.labels].iter().cloned();
            places.push(match free.pop() {
                Some(slot) => {
                    builder.replace_pairs(slot, labels, metadata);
                    slot
                }
                None => builder.push_pairs(labels, metadata),
            });
        }
        for (slot, metadata) in self.described.drain(..) {
            builder.set_metadata(slot, Some(&metadata));
        }
        let place = |slot: u32| {
            slot.checked_sub(slots)
                .and_then(|new| places.get(new as usize))
                .copied()
                .unwrap_or(slot)
        };
        self.state.recognizer.finish(|slot| seen.contains(slot), place);
        self.state.recognizer.forget(|slot| freed.contains(slot));
        freed.for_each(|slot| {
            self.state.times.remove(&slot);
            self.state.exemplars.remove(&slot);
        });
        let slots_now = builder.len();
        for (new, to) in (slots..).zip(&places) {
            if new != *to {
                self.move_sample(new, *to);
            }
        }
        self.data.values.truncate(slots_now);
        if let Some(sides) = &mut self.data.sides {
            let times = sides.timestamps.iter_mut().chain(&mut sides.start_times);
            times.for_each(|(slot, _)| *slot = place(*slot));
            sides
                .exemplars
                .iter_mut()
                .for_each(|(slot, _)| *slot = place(*slot));
            sides
                .histograms
                .iter_mut()
                .for_each(|(slot, _)| *slot = place(*slot));
            sides.extra.iter_mut().for_each(|row| row.slot = place(row.slot));
        }
        self.explicit = self
            .explicit
            .drain()
            .map(|(slot, time)| (place(slot), time))
            .collect();
        self.exemplars = self
            .exemplars
            .drain()
            .map(|(slot, exemplar)| (place(slot), exemplar))
            .collect();
        self.seen_only.iter_mut().for_each(|slot| *slot = place(*slot));
        *seen = self.seen();
        self.state.layout = builder.build();
        self.retired = Some(layout);
    }

    fn move_sample(&mut self, from: u32, to: u32) {
        if self.data.presence.contains(from) {
            let value = self.data.values[from as usize];
            self.data.presence.unset(from);
            self.data.set(to, value);
        }
    }
}

/// How many vacant slots at the end are to go: all, if there are very many more than there are series.
fn vacant_tail(layout: &Layout) -> usize {
    let enough = TOO_MANY_IDLE.max(layout.series_count() / 2);
    if layout.len() - layout.series_count() <= enough {
        return 0;
    }
    let vacant = (0..layout.len()).rev().take_while(|slot| layout.is_vacant(*slot));
    Some(vacant.count()).filter(|tail| *tail > enough).unwrap_or(0)
}
