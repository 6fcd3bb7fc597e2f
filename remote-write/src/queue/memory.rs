//! The log in memory: a deque of batches, which are reference-counted, and a place in it for each reader.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ferroalloy_model::{Batch, Clock, Commit, Committed};
use foldhash::fast::RandomState;
use tokio::sync::Notify;

use super::weight::Weight;
use super::{
    Backlog, DropReason, Entry, Evicted, Log, LogFigures, Part, Position, Reader, Ticket, Unfinished,
};
use crate::config::QueueLimits;

/// The log in memory. A batch is in it until every reader is done with it.
pub(crate) struct MemoryLog {
    state: Arc<Mutex<State>>,
    clock: Arc<dyn Clock>,
}

struct State {
    entries: VecDeque<Entry>,
    /// Position of the first entry.
    first: Position,
    limits: QueueLimits,
    weight: Weight,
    newest_timestamp: Option<i64>,
    evicted: Option<Evicted>,
    readers: HashMap<u64, Place, RandomState>,
    next_reader: u64,
}

/// Where a reader stands.
struct Place {
    /// What it is given next.
    next: Position,
    /// Everything before is acknowledged.
    done: Position,
    /// From `done` to `next`: which ones are acknowledged.
    acknowledged: VecDeque<bool>,
    unread: u64,
    lost: u64,
    /// The eviction that the reader was told about.
    told: Position,
    wake: Arc<Notify>,
}

struct MemoryReader {
    state: Arc<Mutex<State>>,
    clock: Arc<dyn Clock>,
    id: u64,
    wake: Arc<Notify>,
}

// === impl MemoryLog ===

impl MemoryLog {
    pub(crate) fn new(limits: &QueueLimits, clock: Arc<dyn Clock>) -> Self {
        let state = State {
            entries: VecDeque::new(),
            first: 0,
            limits: limits.clone(),
            weight: Weight::default(),
            newest_timestamp: None,
            evicted: None,
            readers: HashMap::default(),
            next_reader: 0,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            clock,
        }
    }
}

impl Log for MemoryLog {
    fn append(&self, batch: &Batch) -> Commit {
        let queued = self.clock.elapsed();
        let samples = batch.upper_bound() as u64;
        if samples == 0 {
            return Commit::done(Committed::Memory);
        }
        let mut state = lock(&self.state);
        let timestamp = batch.timestamp();
        state.newest_timestamp = Some(
            state
                .newest_timestamp
                .map_or(timestamp, |newest| newest.max(timestamp)),
        );
        if state.readers.is_empty() {
            return Commit::done(Committed::Memory);
        }
        let position = state.end();
        state.push(Entry {
            position,
            run: 0,
            queued,
            from: 0,
            batch: batch.clone(),
        });
        state.evict(queued);
        for place in state.readers.values_mut() {
            place.unread += samples;
            place.wake.notify_one();
        }
        Commit::done(Committed::Memory)
    }

    fn reader(&self, _endpoint: &str) -> Box<dyn Reader> {
        let mut state = lock(&self.state);
        let (id, end) = (state.next_reader, state.end());
        state.next_reader += 1;
        let wake = Arc::new(Notify::new());
        let place = Place {
            next: end,
            done: end,
            acknowledged: VecDeque::new(),
            unread: 0,
            lost: 0,
            told: state.first,
            wake: wake.clone(),
        };
        state.readers.insert(id, place);
        Box::new(MemoryReader {
            state: self.state.clone(),
            clock: self.clock.clone(),
            id,
            wake,
        })
    }

    fn set_limits(&self, limits: &QueueLimits) {
        let mut state = lock(&self.state);
        state.limits = limits.clone();
        state.evict(self.clock.elapsed());
    }

    fn forget(&self, _endpoint: &str) {}

    fn settled(&self) {}

    #[cfg(feature = "durable")]
    fn set_storage(&self, _storage: &crate::config::Storage) {}

    fn figures(&self) -> LogFigures {
        LogFigures {
            memory_bytes: lock(&self.state).weight.bytes(),
            ..LogFigures::default()
        }
    }

    fn sync(&self) -> Commit {
        Commit::done(Committed::Memory)
    }

    fn newest_timestamp(&self) -> Option<i64> {
        lock(&self.state).newest_timestamp
    }
}

impl fmt::Debug for MemoryLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLog")
            .field("figures", &self.figures())
            .finish_non_exhaustive()
    }
}

// === impl State ===

impl State {
    fn end(&self) -> Position {
        self.first + self.entries.len() as u64
    }

    fn push(&mut self, entry: Entry) {
        self.weight.add(&entry);
        self.entries.push_back(entry);
    }

    fn pop(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.first += 1;
        self.weight.remove(&entry);
        // After a spike the room goes back.
        if self.entries.len() * 4 < self.entries.capacity() && self.entries.capacity() > 1024 {
            self.entries.shrink_to(self.entries.len() * 2);
        }
        Some(entry)
    }

    /// Throws away the oldest until the rest is within bounds. The newest batch stays whatever its size.
    fn evict(&mut self, now: Duration) {
        loop {
            let Some(oldest) = self.entries.front() else {
                return;
            };
            let reason = if now.saturating_sub(oldest.queued) > self.limits.max_age {
                DropReason::TooOld
            } else if self.weight.bytes() > self.limits.max_bytes && self.entries.len() > 1 {
                DropReason::QueueFull
            } else {
                return;
            };
            let Some(entry) = self.pop() else { return };
            let samples = entry.batch.upper_bound() as u64;
            let before = entry.position + 1;
            self.evicted = Some(Evicted { before, reason });
            for place in self.readers.values_mut() {
                if place.next < before {
                    place.next = before;
                    place.done = before;
                    place.acknowledged.clear();
                    place.unread = place.unread.saturating_sub(samples);
                    place.lost += samples;
                } else if place.done < before {
                    place.done = before;
                    place.acknowledged.pop_front();
                    place.advance();
                }
            }
        }
    }

    /// Lets go what every reader is done with.
    fn trim(&mut self) {
        let done = self
            .readers
            .values()
            .map(|place| place.done)
            .min()
            .unwrap_or(self.end());
        while self.first < done && self.pop().is_some() {}
    }
}

impl Place {
    fn advance(&mut self) {
        while self.acknowledged.front() == Some(&true) {
            self.acknowledged.pop_front();
            self.done += 1;
        }
    }
}

// === impl MemoryReader ===

impl Reader for MemoryReader {
    fn next(&mut self) -> Option<Entry> {
        let state = &mut *lock(&self.state);
        let place = state.readers.get_mut(&self.id)?;
        let index = usize::try_from(place.next.checked_sub(state.first)?).ok()?;
        let entry = state.entries.get(index)?.clone();
        place.next += 1;
        place.acknowledged.push_back(false);
        place.unread = place.unread.saturating_sub(entry.batch.upper_bound() as u64);
        Some(entry)
    }

    fn position(&self) -> Position {
        lock(&self.state)
            .readers
            .get(&self.id)
            .map_or(0, |place| place.next)
    }

    fn unfinished(&mut self) -> Vec<Unfinished> {
        Vec::new()
    }

    fn begin(&mut self, _parts: &Arc<[Part]>) -> (Ticket, Commit) {
        (0, Commit::done(Committed::Memory))
    }

    fn end(&mut self, _ticket: Ticket, parts: &[Part]) {
        for part in parts.iter().filter(|part| part.to.is_none()) {
            self.acknowledge(part.position);
        }
    }

    fn acknowledge(&mut self, position: Position) {
        let mut state = lock(&self.state);
        let Some(place) = state.readers.get_mut(&self.id) else {
            return;
        };
        let index = position
            .checked_sub(place.done)
            .and_then(|index| usize::try_from(index).ok());
        // What was thrown away meanwhile is before `done`.
        let Some(slot) = index.and_then(|index| place.acknowledged.get_mut(index)) else {
            return;
        };
        *slot = true;
        place.advance();
        state.trim();
    }

    fn evicted(&mut self) -> Option<(Evicted, u64)> {
        let mut state = lock(&self.state);
        state.evict(self.clock.elapsed());
        let evicted = state.evicted?;
        let place = state.readers.get_mut(&self.id)?;
        if place.told >= evicted.before {
            return None;
        }
        place.told = evicted.before;
        Some((evicted, std::mem::take(&mut place.lost)))
    }

    fn backlog(&self) -> Backlog {
        let state = lock(&self.state);
        let Some(place) = state.readers.get(&self.id) else {
            return Backlog::default();
        };
        let index = place
            .done
            .checked_sub(state.first)
            .and_then(|index| usize::try_from(index).ok());
        let oldest = index.and_then(|index| state.entries.get(index));
        Backlog {
            unread: place.unread,
            oldest: oldest.map(|entry| entry.queued),
        }
    }

    fn wake(&self) -> Arc<Notify> {
        self.wake.clone()
    }
}

impl Drop for MemoryReader {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        state.readers.remove(&self.id);
        state.trim();
    }
}

impl fmt::Debug for MemoryReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryReader")
            .field("backlog", &self.backlog())
            .finish_non_exhaustive()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use ferroalloy_model::{Layout, LayoutBuilder, ManualClock, Row, Rows, SourceId};

    use super::*;

    struct Setup {
        log: MemoryLog,
        clock: ManualClock,
        layout: Arc<Layout>,
    }

    fn setup(max_bytes: usize) -> Setup {
        let clock = ManualClock::new(0);
        let limits = QueueLimits {
            max_bytes,
            max_age: Duration::from_mins(1),
        };
        let mut builder = LayoutBuilder::new(SourceId::new(), "test");
        builder.push([("__name__", "m")], None);
        Setup {
            log: MemoryLog::new(&limits, Arc::new(clock.clone())),
            clock,
            layout: builder.build(),
        }
    }

    impl Setup {
        fn append(&self, timestamp: i64) {
            let rows = Arc::from([Row {
                slot: 0,
                timestamp,
                value: 0.0,
            }]);
            let commit = self.log.append(
                &Rows {
                    layout: self.layout.clone(),
                    rows,
                    sides: None,
                }
                .into(),
            );
            drop(commit);
        }

        fn batch_bytes() -> usize {
            size_of::<Entry>() + size_of::<Row>()
        }
    }

    fn times(reader: &mut dyn Reader) -> Vec<i64> {
        std::iter::from_fn(|| reader.next())
            .map(|entry| entry.batch.timestamp())
            .collect()
    }

    #[test]
    fn each_reader_has_its_own_place() {
        let setup = setup(1 << 20);
        setup.append(1);
        let mut first = setup.log.reader("a");
        setup.append(2);
        let mut second = setup.log.reader("b");
        setup.append(3);
        assert_eq!(times(&mut *first), [2, 3]);
        assert_eq!(times(&mut *second), [3]);
        assert!(first.next().is_none());
        assert_eq!(setup.log.newest_timestamp(), Some(3));
    }

    #[test]
    fn what_all_have_done_is_let_go() {
        let setup = setup(1 << 20);
        let (mut first, mut second) = (setup.log.reader("a"), setup.log.reader("b"));
        for timestamp in 0..3 {
            setup.append(timestamp);
        }
        let full = setup.log.figures().memory_bytes;
        assert_eq!(full, 3 * Setup::batch_bytes() + setup.layout.heap_bytes());
        times(&mut *first);
        times(&mut *second);
        for position in [2, 0, 1] {
            first.acknowledge(position);
        }
        assert_eq!(setup.log.figures().memory_bytes, full);
        second.acknowledge(1);
        assert_eq!(
            setup.log.figures().memory_bytes,
            full,
            "the oldest is still wanted"
        );
        second.acknowledge(0);
        assert_eq!(setup.log.figures().memory_bytes, full - 2 * Setup::batch_bytes());
        drop(second);
        assert_eq!(setup.log.figures().memory_bytes, 0);
    }

    #[test]
    fn a_full_log_drops_its_oldest_and_counts_them() {
        let mut setup = setup(0);
        let limit = 2 * Setup::batch_bytes() + setup.layout.heap_bytes();
        setup.log.set_limits(&QueueLimits {
            max_bytes: limit,
            max_age: Duration::from_mins(1),
        });
        let (mut quick, mut slow) = (setup.log.reader("a"), setup.log.reader("b"));
        setup.append(0);
        assert_eq!(quick.next().unwrap().position, 0);
        for timestamp in 1..4 {
            setup.append(timestamp);
        }
        let evicted = Evicted {
            before: 2,
            reason: DropReason::QueueFull,
        };
        assert_eq!(slow.evicted(), Some((evicted, 2)));
        assert_eq!(slow.evicted(), None);
        assert_eq!(slow.backlog().unread, 2);
        assert_eq!(times(&mut *slow), [2, 3]);
        // One had been given to its endpoint, which is to drop it.
        assert_eq!(quick.evicted(), Some((evicted, 1)));
        assert_eq!(times(&mut *quick), [2, 3]);
        for position in 0..4 {
            quick.acknowledge(position);
            slow.acknowledge(position);
        }
        assert_eq!(setup.log.figures().memory_bytes, 0);
        setup.layout = LayoutBuilder::from_parent(&setup.layout).build();
        setup.append(4);
        assert_eq!(
            setup.log.figures().memory_bytes,
            Setup::batch_bytes() + setup.layout.heap_bytes()
        );
    }

    #[test]
    fn samples_have_an_age() {
        let setup = setup(1 << 20);
        let mut reader = setup.log.reader("a");
        setup.append(0);
        setup.clock.advance(Duration::from_secs(40));
        setup.append(1);
        assert_eq!(reader.backlog().oldest, Some(Duration::ZERO));
        setup.clock.advance(Duration::from_secs(30));
        assert_eq!(
            reader.evicted(),
            Some((
                Evicted {
                    before: 1,
                    reason: DropReason::TooOld
                },
                1
            ))
        );
        assert_eq!(
            reader.backlog(),
            Backlog {
                unread: 1,
                oldest: Some(Duration::from_secs(40))
            }
        );
        assert_eq!(times(&mut *reader), [1]);
    }

    #[test]
    fn without_readers_nothing_is_kept() {
        let setup = setup(1 << 20);
        setup.append(0);
        assert_eq!(setup.log.figures().memory_bytes, 0);
        let mut reader = setup.log.reader("a");
        assert!(reader.next().is_none());
    }
}
