//! Which samples may go out next: a lane for each origin, and the order in which lanes have their turn.
//!
//! Sources of one origin share a lane: a target that is scraped anew after a reload or a restart is another source with the same series.
//!
//! Invariant: a lane that is in a request is not in another one, so no two requests under way have samples of one series, and a series'
//! samples go out in the order in which they came. A sample is in its lane until it is put into a request.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use ferroalloy_model::{Batch, Columns, Layout};
use foldhash::fast::RandomState;

use super::request::Message;
use super::told::Told;
use crate::queue::{Entry, Evicted, Part, Place, Position};
use crate::view::Stage;

/// As many batches are sent series by series at most. The names of a series are then some hundredths of what its samples take.
const MOST_IN_A_GROUP: usize = 64;

/// What a batch takes beside its samples, about.
const BATCH_ITSELF: usize = 256;

/// Names a lane: a hash of the origin. Origins that share one wait for one another, and nothing else.
pub(super) type LaneId = u64;

#[derive(Debug, Default)]
pub(super) struct Lanes {
    by_id: HashMap<LaneId, Lane, RandomState>,
    /// Lanes that have something to send and are in no request, by how long they have been so.
    ready: VecDeque<LaneId>,
    /// Samples in ready lanes, and in all of them.
    ready_samples: usize,
    samples: usize,
    /// Bytes of the batches in all lanes.
    bytes: usize,
    told: Told,
}

#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<Waiting>,
    samples: usize,
    busy: bool,
}

/// A batch of which samples are still to be put into a request.
#[derive(Debug)]
struct Waiting {
    entry: Entry,
    place: Place,
    /// Not more than this many samples are left of it.
    left: usize,
    bytes: usize,
    /// Whether its series' metadata goes with it, once that was asked.
    tell: Option<bool>,
}

/// On which terms a request is filled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) most_samples: usize,
    /// On the clock by which batches are accepted.
    pub(super) now: Duration,
    /// What was accepted longer ago is too old.
    pub(super) age_limit: Duration,
    /// How often the metadata of a lane's series goes with its samples.
    pub(super) metadata_every: Duration,
}

/// What a request has in it.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) lanes: Vec<LaneId>,
    /// What it has of each batch.
    pub(super) parts: Vec<Part>,
    /// When its newest batch was accepted.
    pub(super) queued: Duration,
}

impl Lanes {
    pub(super) fn push(&mut self, entry: Entry) {
        let id = lane_of(entry.batch.layout());
        // Places and samples are not the same, but what was dealt with before was at most that many.
        let left = entry.batch.upper_bound().saturating_sub(entry.from).max(1);
        let lane = self.by_id.entry(id).or_default();
        if lane.waiting.is_empty() && !lane.busy {
            self.ready.push_back(id);
        }
        if !lane.busy {
            self.ready_samples += left;
        }
        let bytes = entry.batch.heap_bytes() + BATCH_ITSELF;
        self.samples += left;
        self.bytes += bytes;
        lane.samples += left;
        lane.waiting.push_back(Waiting {
            place: entry.from,
            entry,
            left,
            bytes,
            tell: None,
        });
    }

    /// A request of an earlier run has samples of these lanes.
    pub(super) fn occupy(&mut self, lanes: &[LaneId]) {
        for id in lanes {
            let lane = self.by_id.entry(*id).or_default();
            if !lane.busy {
                lane.busy = true;
                self.ready_samples -= lane.samples;
            }
        }
        self.ready.retain(|id| !lanes.contains(id));
    }

    /// Samples that wait, those of lanes in a request included. An upper bound: batches may have samples of vacant slots.
    pub(super) fn samples(&self) -> usize {
        self.samples
    }

    /// Bytes of the batches that have samples which wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Samples that could be put into a request now.
    pub(super) fn ready_samples(&self) -> usize {
        self.ready_samples
    }

    /// When the batch was accepted that has waited longest among those that could be sent now.
    pub(super) fn oldest_ready(&self) -> Option<Duration> {
        // A lane that was busy comes to the end of the line with batches that may be older than those of the lanes before it.
        let front = |id: &LaneId| Some(self.by_id.get(id)?.waiting.front()?.entry.queued);
        self.ready.iter().filter_map(front).min()
    }

    /// Fills `message` with what is ready. The samples of what is too old are counted in the second result, and it is finished with this
    /// request.
    pub(super) fn fill(&mut self, message: &mut Message, stage: &Stage, terms: &Terms) -> (Contents, usize) {
        let most_samples = terms.most_samples;
        let expired = |queued| terms.now.saturating_sub(queued) > terms.age_limit;
        let mut contents = Contents::default();
        let mut too_old = 0;
        'lanes: while !message.is_full(most_samples)
            && let Some(id) = self.ready.front().copied()
            && let Some(lane) = self.by_id.get_mut(&id)
        {
            if !message.has_room(lane.group(most_samples, expired), most_samples) {
                break;
            }
            self.ready.pop_front();
            lane.busy = true;
            self.ready_samples -= lane.samples;
            contents.lanes.push(id);
            let before = lane.samples;
            while !message.is_full(most_samples)
                && let Some(front) = lane.waiting.front()
            {
                if expired(front.entry.queued) {
                    too_old += front.left;
                    self.bytes -= lane.finish_front(1, None, 0, &mut contents);
                    continue;
                }
                let group = lane.group(most_samples, expired);
                if !message.has_room(group, most_samples) {
                    self.samples -= before - lane.samples;
                    break 'lanes;
                }
                let told = &mut self.told;
                let tell = || told.is_due(id, terms.now, terms.metadata_every);
                let tell = lane
                    .waiting
                    .front_mut()
                    .is_some_and(|front| *front.tell.get_or_insert_with(tell));
                message.tell(tell);
                for waiting in lane.waiting.range_mut(..group) {
                    waiting.tell = Some(tell);
                }
                for waiting in lane.waiting.range(..group) {
                    contents.queued = contents.queued.max(waiting.entry.queued);
                }
                let (rest, dealt_with) = lane.put_front(group, message, stage, most_samples);
                self.bytes -= lane.finish_front(group, rest, dealt_with, &mut contents);
                if rest.is_some() {
                    self.samples -= before - lane.samples;
                    break 'lanes;
                }
            }
            self.samples -= before - lane.samples;
        }
        (contents, too_old)
    }

    /// The request is over: its lanes may be in another one.
    pub(super) fn release(&mut self, contents: &Contents) {
        for id in &contents.lanes {
            let Some(lane) = self.by_id.get_mut(id) else {
                continue;
            };
            lane.busy = false;
            if lane.waiting.is_empty() {
                self.by_id.remove(id);
            } else {
                self.ready_samples += lane.samples;
                self.ready.push_back(*id);
            }
        }
    }

    /// Drops what the log has thrown away, and is not in a request yet. The positions of the batches, and the samples that go with
    /// them.
    pub(super) fn evict(&mut self, evicted: Evicted) -> (Vec<Position>, usize) {
        let mut finished = Vec::new();
        let mut dropped = 0;
        self.by_id.retain(|_, lane| {
            while let Some(waiting) = lane
                .waiting
                .pop_front_if(|waiting| waiting.entry.position < evicted.before)
            {
                finished.push(waiting.entry.position);
                dropped += waiting.left;
                lane.samples -= waiting.left;
                self.samples -= waiting.left;
                self.bytes -= waiting.bytes;
                if !lane.busy {
                    self.ready_samples -= waiting.left;
                }
            }
            lane.busy || !lane.waiting.is_empty()
        });
        self.ready.retain(|id| self.by_id.contains_key(id));
        (finished, dropped)
    }
}

impl Lane {
    /// How many of the first batches can be sent series by series, so that what names a series is there once for all its samples: scrapes
    /// of the same series, one after the other in time, that have nothing but samples and are at the same place. A series of all of them
    /// fits into an empty message.
    fn group(&self, most_samples: usize, expired: impl Fn(Duration) -> bool) -> usize {
        let mut last: Option<(&Columns, Place)> = None;
        let mut joined = 0;
        for waiting in self.waiting.iter().take(MOST_IN_A_GROUP.min(most_samples)) {
            let Some(columns) = waiting.plain_columns() else {
                break;
            };
            let follows = last.is_none_or(|(before, place)| {
                Arc::ptr_eq(&before.layout, &columns.layout)
                    && before.data.timestamp < columns.data.timestamp
                    && place == waiting.place
            });
            if !follows || expired(waiting.entry.queued) {
                break;
            }
            last = Some((columns, waiting.place));
            joined += 1;
        }
        joined.max(1)
    }

    /// Puts what it can of the first `group` batches into `message`: where they are left, and how much was dealt with if that is within
    /// a batch that is alone.
    fn put_front(
        &self,
        group: usize,
        message: &mut Message,
        stage: &Stage,
        most_samples: usize,
    ) -> (Option<Place>, usize) {
        let Some(front) = self.waiting.front() else {
            return (None, 0);
        };
        if group > 1 {
            let columns = self.waiting.range(..group).filter_map(Waiting::plain_columns);
            let columns: Vec<&Columns> = columns.collect();
            return (message.take_group(&columns, stage, front.place, most_samples), 0);
        }
        let before = message.dealt_with();
        let rest = message.take(&front.entry.batch, stage, front.place, most_samples);
        (rest, message.dealt_with() - before)
    }

    /// Notes in `contents` that the first `count` batches were taken up to `rest`, and lets them go if that is their end: the bytes let go.
    fn finish_front(
        &mut self,
        count: usize,
        rest: Option<Place>,
        dealt_with: usize,
        contents: &mut Contents,
    ) -> usize {
        for waiting in self.waiting.range_mut(..count) {
            contents.parts.push(Part {
                position: waiting.entry.position,
                from: waiting.place,
                to: rest,
            });
            let left = match (rest, waiting.plain_columns()) {
                (None, _) => 0,
                (Some(place), Some(columns)) => columns.samples_from(place),
                (Some(_), None) => waiting.left.saturating_sub(dealt_with),
            };
            let left = left.min(waiting.left);
            self.samples -= waiting.left - left;
            waiting.left = left;
            waiting.place = rest.unwrap_or(waiting.place);
        }
        match rest {
            None => self.waiting.drain(..count).map(|waiting| waiting.bytes).sum(),
            Some(_) => 0,
        }
    }
}

impl Waiting {
    /// The batch, if it has samples by slot and nothing else.
    fn plain_columns(&self) -> Option<&Columns> {
        match &self.entry.batch {
            Batch::Columns(columns) if columns.data.sides.is_none() => Some(columns),
            _ => None,
        }
    }
}

impl Contents {
    /// The batches whose last sample is in it.
    pub(super) fn finished(&self) -> impl Iterator<Item = Position> {
        let ended = self.parts.iter().filter(|part| part.to.is_none());
        ended.map(|part| part.position)
    }
}

/// The lane of a layout's samples.
pub(super) fn lane_of(layout: &Layout) -> LaneId {
    let origin = layout.origin().as_bytes();
    origin.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use ferroalloy_model::{ColumnData, Labels, LayoutBuilder, Row, Rows, SourceId};
    use relabel::Rules;

    use super::*;
    use crate::queue::DropReason;

    fn source(origin: &str) -> Arc<Layout> {
        let mut builder = LayoutBuilder::new(SourceId::new(), origin);
        builder.push([("__name__", "m")], None);
        builder.build()
    }

    /// A batch of `samples` samples, accepted at as many seconds as its position.
    fn entry(layout: &Arc<Layout>, position: Position, samples: i64) -> Entry {
        let rows = (0..samples)
            .map(|timestamp| Row {
                slot: 0,
                timestamp,
                value: 0.0,
            })
            .collect();
        let queued = Duration::from_secs(position);
        Entry {
            position,
            run: 0,
            queued,
            from: 0,
            batch: Rows {
                layout: layout.clone(),
                rows,
                sides: None,
            }
            .into(),
        }
    }

    /// A scrape at `timestamp` of the slots whose bit is set.
    fn scrape(layout: &Arc<Layout>, position: Position, timestamp: i64, slots: u8) -> Entry {
        let mut data = ColumnData::default();
        data.reset(timestamp, layout.len());
        for slot in (0..layout.len()).filter(|slot| slots & (1 << slot) != 0) {
            data.set(u32::try_from(slot).unwrap(), 1.0);
        }
        Entry {
            batch: Columns {
                layout: layout.clone(),
                data: Arc::new(data),
            }
            .into(),
            ..entry(layout, position, 0)
        }
    }

    fn fill(lanes: &mut Lanes, most: usize) -> (Contents, usize) {
        let mut message = Message::default();
        let stage = Stage::new(&Labels::empty(), &Rules::default());
        let terms = Terms {
            most_samples: most,
            now: Duration::from_secs(100),
            // What was accepted at zero is too old.
            age_limit: Duration::from_millis(99_999),
            metadata_every: Duration::from_mins(1),
        };
        let (contents, _) = lanes.fill(&mut message, &stage, &terms);
        (contents, message.counts.samples)
    }

    fn finished(contents: &Contents) -> Vec<Position> {
        contents.finished().collect()
    }

    #[test]
    fn a_source_is_in_one_request_at_a_time() {
        let (a, b) = (source("a"), source("b"));
        let mut lanes = Lanes::default();
        lanes.push(entry(&a, 1, 5));
        lanes.push(entry(&b, 2, 1));
        let (first, samples) = fill(&mut lanes, 3);
        assert_eq!((first.lanes.as_slice(), samples), ([lane_of(&a)].as_slice(), 3));
        assert_eq!((lanes.ready_samples(), lanes.samples()), (1, 3));
        lanes.push(entry(&a, 3, 1));
        let (second, samples) = fill(&mut lanes, 3);
        assert_eq!((second.lanes.as_slice(), samples), ([lane_of(&b)].as_slice(), 1));
        assert_eq!(finished(&second), [2]);
        assert_eq!((lanes.ready_samples(), lanes.oldest_ready()), (0, None));
        lanes.release(&first);
        lanes.release(&second);
        assert_eq!(lanes.oldest_ready(), Some(Duration::from_secs(1)));
        let (third, samples) = fill(&mut lanes, 9);
        assert_eq!((finished(&third).as_slice(), samples), ([1, 3].as_slice(), 3));
        lanes.release(&third);
        assert_eq!((lanes.samples(), lanes.by_id.len()), (0, 0));
    }

    #[test]
    fn scrapes_of_the_same_series_go_together() {
        let mut builder = LayoutBuilder::new(SourceId::new(), "a");
        for name in ["a", "b", "c"] {
            builder.push([("__name__", name)], None);
        }
        let layout = builder.build();
        let mut lanes = Lanes::default();
        for (position, slots) in [(1, 0b111), (2, 0b101), (3, 0b110)] {
            lanes.push(scrape(&layout, position, position.cast_signed(), slots));
        }
        // A time that does not rise begins anew.
        lanes.push(scrape(&layout, 4, 3, 0b111));
        let places = |contents: &Contents| -> Vec<(Position, Place, Option<Place>)> {
            let parts = contents.parts.iter();
            parts.map(|part| (part.position, part.from, part.to)).collect()
        };
        // `a` has two samples, `b` as many: a series is not parted from its samples, and there is no room for those of `c`.
        let (first, samples) = fill(&mut lanes, 5);
        assert_eq!(samples, 4);
        assert_eq!(
            places(&first),
            [(1, 0, Some(2)), (2, 0, Some(2)), (3, 0, Some(2))]
        );
        assert_eq!((lanes.samples(), finished(&first).len()), (6, 0));
        lanes.release(&first);
        let (second, samples) = fill(&mut lanes, 4);
        assert_eq!(samples, 4);
        assert_eq!(
            places(&second),
            [(1, 2, None), (2, 2, None), (3, 2, None), (4, 0, Some(1))]
        );
        lanes.release(&second);
        let (third, samples) = fill(&mut lanes, 9);
        assert_eq!((samples, finished(&third).as_slice()), (2, [4].as_slice()));
        lanes.release(&third);
        assert_eq!((lanes.samples(), lanes.bytes()), (0, 0));
    }

    #[test]
    fn a_request_is_never_larger_than_it_may_be() {
        let mut builder = LayoutBuilder::new(SourceId::new(), "a");
        for name in ["a", "b", "c"] {
            builder.push([("__name__", name)], None);
        }
        let layout = builder.build();
        for most in 1..=12 {
            let mut lanes = Lanes::default();
            for position in 1..=7 {
                lanes.push(scrape(&layout, position, position.cast_signed(), 0b111));
            }
            let mut sent = 0;
            while lanes.samples() > 0 {
                let (contents, samples) = fill(&mut lanes, most);
                assert!((1..=most).contains(&samples), "{samples} of {most}");
                sent += samples;
                lanes.release(&contents);
            }
            assert_eq!(sent, 21, "{most}");
        }
    }

    #[test]
    fn what_is_too_old_is_finished_without_being_sent() {
        let a = source("a");
        let mut lanes = Lanes::default();
        lanes.push(entry(&a, 0, 5));
        lanes.push(entry(&a, 1, 2));
        let (contents, samples) = fill(&mut lanes, 9);
        assert_eq!((finished(&contents).as_slice(), samples), ([0, 1].as_slice(), 2));
        assert_eq!(lanes.samples(), 0);
    }

    #[test]
    fn what_is_thrown_away_is_dropped_unless_it_is_on_its_way() {
        let (a, b) = (source("a"), source("b"));
        let mut lanes = Lanes::default();
        for position in 0..3 {
            lanes.push(entry(&a, position + 1, 2));
        }
        lanes.push(entry(&b, 4, 2));
        let (first, _) = fill(&mut lanes, 2);
        assert_eq!(finished(&first), [1]);
        let evicted = Evicted {
            before: 5,
            reason: DropReason::QueueFull,
        };
        let (mut finished, dropped) = lanes.evict(evicted);
        finished.sort_unstable();
        assert_eq!((finished.as_slice(), dropped), ([2, 3, 4].as_slice(), 6));
        assert_eq!(
            (lanes.samples(), lanes.ready_samples(), lanes.ready.len()),
            (0, 0, 0)
        );
        lanes.release(&first);
        assert!(lanes.by_id.is_empty());
    }
}
