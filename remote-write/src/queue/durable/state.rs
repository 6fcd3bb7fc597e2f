//! What the appending side, the readers and the thread that writes share.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use ferroalloy_model::{Batch, Clock, Commit, Committed, Layout, Promise};
use foldhash::fast::RandomState;
use tokio::sync::Notify;

use super::fs::Fs;
use super::places::{Change, Progress};
use super::segments::Catalog;
use crate::config::QueueLimits;
use crate::queue::weight::Weight;
use crate::queue::{DropReason, Entry, Evicted, Position, Trouble};

/// Batches that are on disk are kept in memory as well while they weigh less: a reader that is a little behind needs no disk.
const WINDOW: usize = 4 << 20;

/// Before this the host's clock was not set, in seconds since 1970.
const PLAUSIBLE: u32 = 1_500_000_000;

/// Everything that is shared.
pub(super) struct Shared {
    pub(super) fs: Arc<dyn Fs>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) run: u32,
    state: Mutex<State>,
    /// The thread that writes has something to do.
    work: Condvar,
    /// It has come to its end.
    end: Condvar,
    /// Layouts of this run that segments refer to.
    pub(super) layouts: Mutex<HashMap<u64, Weak<Layout>, RandomState>>,
}

pub(super) struct State {
    pub(super) catalog: Catalog,
    /// The newest batches, without a gap, up to the end of the log.
    tail: VecDeque<Tail>,
    weight: Weight,
    pub(super) end: Position,
    pub(super) end_samples: u64,
    /// Everything before is on disk, or gone.
    pub(super) written: Position,
    pub(super) limits: QueueLimits,
    pub(super) max_disk: u64,
    pub(super) sync_interval: Duration,
    pub(super) readers: BTreeMap<u64, Place>,
    next_reader: u64,
    /// For the thread that writes.
    jobs: Vec<Job>,
    closing: bool,
    ended: bool,
    pub(super) newest_timestamp: Option<i64>,
    pub(super) trouble: Option<Trouble>,
    pub(super) figures: Figures,
}

/// What is counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    pub(super) syncs: u64,
    pub(super) sync_time: Duration,
    pub(super) last_sync: Duration,
    pub(super) failures: u64,
    pub(super) damaged: u64,
    pub(super) written_bytes: u64,
    /// Everything before is synced.
    pub(super) synced_samples: u64,
}

/// A batch in memory.
struct Tail {
    entry: Entry,
    /// Samples before it, and in it.
    before: u64,
    samples: u64,
    promise: Option<Promise>,
}

/// Something for the thread that writes besides batches.
pub(super) enum Job {
    /// Note a change of a reader's places, and tell when that is done.
    Note(u64, Change, Option<Promise>),
    /// There is a reader with these places.
    Open(u64, String, Box<Progress>),
    /// Its endpoint is gone for good.
    Forget(u64),
    /// Make everything durable and tell.
    Sync(Promise),
}

/// Why a segment goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pop {
    /// All readers are done with it.
    Done,
    /// There is no room for it, or no time.
    Drop(DropReason),
}

/// Where a reader is.
pub(super) struct Place {
    pub(super) name: String,
    /// What it is given next, and the samples before that.
    pub(super) next: Position,
    pub(super) next_samples: u64,
    /// What was done before this run.
    pub(super) before: Progress,
    /// All before is done and on disk as such.
    pub(super) floor: Position,
    pub(super) lost: Vec<(DropReason, u64)>,
    pub(super) evicted: Option<Evicted>,
    pub(super) wake: Arc<Notify>,
}

/// What the thread that writes is given at a time.
#[derive(Default)]
pub(super) struct Work {
    pub(super) entries: Vec<Fresh>,
    pub(super) jobs: Vec<Job>,
    pub(super) closing: bool,
}

/// A batch to be written.
pub(super) struct Fresh {
    pub(super) position: Position,
    pub(super) before: u64,
    pub(super) samples: u64,
    pub(super) queued: Duration,
    pub(super) batch: Batch,
}

// === impl Shared ===

impl Shared {
    pub(super) fn new(fs: Arc<dyn Fs>, clock: Arc<dyn Clock>, run: u32, state: State) -> Self {
        Self {
            fs,
            clock,
            run,
            state: Mutex::new(state),
            work: Condvar::new(),
            end: Condvar::new(),
            layouts: Mutex::default(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a batch into memory and tells the thread that writes.
    pub(super) fn append(&self, batch: &Batch) -> Commit {
        let samples = batch.upper_bound() as u64;
        if samples == 0 {
            return Commit::done(Committed::Memory);
        }
        let queued = self.clock.elapsed();
        let mut state = self.lock();
        state.newest_timestamp = state.newest_timestamp.max(Some(batch.timestamp()));
        if state.readers.is_empty() || state.closing {
            return Commit::done(Committed::Memory);
        }
        let (promise, commit) = if state.trouble.is_some() {
            (None, Commit::done(Committed::Memory))
        } else {
            let (promise, commit) = Commit::pending();
            (Some(promise), commit)
        };
        let tail = Tail {
            entry: Entry {
                position: state.end,
                run: self.run,
                queued,
                from: 0,
                batch: batch.clone(),
            },
            before: state.end_samples,
            samples,
            promise,
        };
        state.end += 1;
        state.end_samples += samples;
        state.weight.add(&tail.entry);
        state.tail.push_back(tail);
        state.trim_tail();
        for place in state.readers.values() {
            place.wake.notify_one();
        }
        drop(state);
        self.work.notify_one();
        commit
    }

    pub(super) fn job(&self, job: Job) {
        self.lock().jobs.push(job);
        self.work.notify_one();
    }

    /// A job whose end can be waited for.
    pub(super) fn noted(&self, reader: u64, change: Change) -> Commit {
        let (promise, commit) = Commit::pending();
        self.job(Job::Note(reader, change, Some(promise)));
        commit
    }

    /// Has the thread that writes look what there is to do.
    pub(super) fn nudge(&self) {
        self.work.notify_one();
    }

    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.work.notify_all();
    }

    /// The thread that writes is gone.
    pub(super) fn has_ended(&self) {
        self.lock().ended = true;
        self.end.notify_all();
    }

    /// Whether the thread that writes has come to its end in time.
    pub(super) fn wait_for_end(&self, at_most: Duration) -> bool {
        let state = self.lock();
        let waited = self.end.wait_timeout_while(state, at_most, |state| !state.ended);
        waited.unwrap_or_else(PoisonError::into_inner).0.ended
    }

    /// Waits until there is something to write, or for `at_most`. Batches alone do not end the wait while `held_off`.
    pub(super) fn wait(&self, at_most: Duration, held_off: bool) -> Work {
        let idle = |state: &mut State| {
            let fresh = !held_off && state.written < state.end;
            !fresh && state.jobs.is_empty() && !state.closing
        };
        let waited = self.work.wait_timeout_while(self.lock(), at_most, idle);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        let written = state.written;
        let fresh = state.tail.iter().skip_while(|tail| tail.entry.position < written);
        Work {
            entries: fresh
                .map(|tail| Fresh {
                    position: tail.entry.position,
                    before: tail.before,
                    samples: tail.samples,
                    queued: tail.entry.queued,
                    batch: tail.entry.batch.clone(),
                })
                .collect(),
            jobs: std::mem::take(&mut state.jobs),
            closing: state.closing,
        }
    }

    /// A layout of this run that is in use still.
    pub(super) fn live_layout(&self, id: u64) -> Option<Arc<Layout>> {
        let live = self.layouts.lock().unwrap_or_else(PoisonError::into_inner);
        live.get(&id)?.upgrade()
    }

    /// When something was accepted at `wall` (milliseconds since 1970), on the elapsed clock.
    pub(super) fn queued_at(&self, wall: i64) -> Duration {
        let now = self.clock.elapsed();
        if wall / 1000 < i64::from(PLAUSIBLE) {
            return now;
        }
        let age = u64::try_from(self.clock.wall().saturating_sub(wall)).unwrap_or(0);
        now.saturating_sub(Duration::from_millis(age))
    }

    /// The time on the host's clock at `queued` on the elapsed clock.
    pub(super) fn wall_of(&self, queued: Duration) -> i64 {
        let age = self.clock.elapsed().saturating_sub(queued);
        self.clock
            .wall()
            .saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX))
    }
}

// === impl State ===

impl State {
    pub(super) fn new(catalog: Catalog, end: Position, limits: &QueueLimits, max_disk: u64) -> Self {
        let end_samples = catalog.end_samples;
        Self {
            catalog,
            tail: VecDeque::new(),
            weight: Weight::default(),
            end,
            end_samples,
            written: end,
            limits: limits.clone(),
            max_disk,
            sync_interval: Duration::from_secs(1),
            readers: BTreeMap::new(),
            next_reader: 0,
            jobs: Vec::new(),
            closing: false,
            ended: false,
            newest_timestamp: None,
            trouble: None,
            figures: Figures {
                synced_samples: end_samples,
                ..Figures::default()
            },
        }
    }

    /// Its endpoint is gone for good; the samples that it was not given.
    pub(super) fn forget_reader(&mut self, name: &str) -> u64 {
        let found = self.readers.iter().find(|(_, place)| place.name == name);
        let Some((&id, place)) = found else { return 0 };
        let unread = self.end_samples.saturating_sub(place.next_samples);
        self.readers.remove(&id);
        self.jobs.push(Job::Forget(id));
        unread
    }

    pub(super) fn add_reader(&mut self, fs: &dyn Fs, name: &str, progress: Progress) -> (u64, Arc<Notify>) {
        let id = self.next_reader;
        self.next_reader += 1;
        let wake = Arc::new(Notify::new());
        let floor = progress.floor();
        let (next, next_samples) = self.place_of(fs, floor);
        let place = Place {
            name: name.to_owned(),
            next,
            next_samples,
            before: progress.clone(),
            floor,
            lost: Vec::new(),
            evicted: None,
            wake: wake.clone(),
        };
        self.readers.insert(id, place);
        self.jobs.push(Job::Open(id, name.to_owned(), Box::new(progress)));
        (id, wake)
    }

    /// Where reading begins that is to begin at `floor`, and the samples before.
    fn place_of(&self, fs: &dyn Fs, floor: Position) -> (Position, u64) {
        if floor >= self.end || floor >= self.catalog.end {
            return (floor.min(self.end).max(self.catalog.end), self.end_samples);
        }
        match self.catalog.locate(floor) {
            Some(located) => {
                let position = floor.max(located.segment.first);
                (position, located.samples_before(fs, position))
            }
            None => (self.end, self.end_samples),
        }
    }

    /// The batch at `position`, with the samples before it and in it, if it is in memory.
    pub(super) fn in_memory(&self, position: Position) -> Option<(Entry, u64, u64)> {
        let first = self.tail.front()?.entry.position;
        let index = usize::try_from(position.checked_sub(first)?).ok()?;
        let tail = self.tail.get(index)?;
        Some((tail.entry.clone(), tail.before, tail.samples))
    }

    /// The oldest batch in memory: its position, the samples before it, and when it was accepted.
    pub(super) fn memory_from(&self) -> Option<(Position, u64, Duration)> {
        let tail = self.tail.front()?;
        Some((tail.entry.position, tail.before, tail.entry.queued))
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.weight.bytes()
    }

    /// Has a reader go on at `position`, with `before` samples before it. What lies between is lost, unless it was dealt with in an
    /// earlier run, or there is nothing: positions without samples are where the runs of two processes meet.
    pub(super) fn move_reader(&mut self, id: u64, position: Position, before: u64, reason: DropReason) {
        let Some(place) = self.readers.get_mut(&id).filter(|place| place.next < position) else {
            return;
        };
        let samples = before.saturating_sub(place.next_samples);
        if samples > 0 && place.before.done.next_missing(place.next) < position {
            place.lost.push((reason, samples));
        }
        let change = Change::Done(place.next, position);
        place.next = position;
        place.next_samples = before;
        self.jobs.push(Job::Note(id, change, None));
    }

    /// Samples that are in memory alone.
    pub(super) fn not_written(&self) -> u64 {
        let fresh = self.tail.iter().rev();
        fresh
            .take_while(|tail| tail.entry.position >= self.written)
            .map(|tail| tail.samples)
            .sum()
    }

    /// Batches up to `position` are on disk.
    pub(super) fn wrote(&mut self, position: Position) {
        self.written = self.written.max(position);
        for tail in &mut self.tail {
            if tail.entry.position >= position {
                break;
            }
            if let Some(promise) = tail.promise.take() {
                promise.settle(Committed::Durable);
            }
        }
        self.trim_tail();
    }

    /// The disk does not take anything: whoever waits for it is told that the batch is in memory.
    pub(super) fn keeps_in_memory(&mut self) {
        for tail in &mut self.tail {
            if let Some(promise) = tail.promise.take() {
                promise.settle(Committed::Memory);
            }
        }
    }

    /// Lets go from memory what readers do not need there.
    pub(super) fn trim_tail(&mut self) {
        let read = self.readers.values().map(|place| place.next).min();
        let read = read.unwrap_or(Position::MAX);
        while let Some(oldest) = self.tail.front() {
            let position = oldest.entry.position;
            let on_disk = position < self.written;
            let needless = on_disk && (position < read || self.weight.bytes() > WINDOW);
            let too_much = self.weight.bytes() > self.limits.max_bytes && self.tail.len() > 1;
            if !needless && !too_much {
                break;
            }
            if let Some(tail) = self.tail.pop_front() {
                self.weight.remove(&tail.entry);
                self.written = self.written.max(position + 1);
            }
        }
        if self.tail.len() * 4 < self.tail.capacity() && self.tail.capacity() > 1024 {
            self.tail.shrink_to(self.tail.len() * 2);
        }
    }

    /// Lets go of the oldest segment. Its number.
    pub(super) fn pop_segment(&mut self, why: Pop) -> Option<u64> {
        let oldest = self.catalog.oldest()?;
        self.catalog.segments.pop_front();
        let before = oldest.end;
        if let Pop::Drop(reason) = why {
            let mut jobs = Vec::new();
            for (id, place) in &mut self.readers {
                if place.next < before {
                    let samples = oldest.end_samples.saturating_sub(place.next_samples);
                    place.lost.push((reason, samples));
                    place.next = before;
                    place.next_samples = oldest.end_samples;
                }
                if place.floor < before {
                    place.evicted = Some(Evicted { before, reason });
                    place.wake.notify_one();
                    jobs.push(Job::Note(*id, Change::Done(0, before), None));
                }
            }
            self.jobs.append(&mut jobs);
        }
        Some(oldest.segment.number)
    }

    /// Why the oldest segment may go, if it may. The one that is written to never may.
    pub(super) fn may_pop(&self, now_wall: i64, now: Duration) -> Option<Pop> {
        let oldest = self.catalog.oldest()?;
        let next = self.catalog.segments.get(1)?;
        let floor = self.readers.values().map(|place| place.floor).min();
        if floor.is_none_or(|floor| floor >= oldest.end) {
            return Some(Pop::Done);
        }
        if self.catalog.bytes() > self.max_disk {
            return Some(Pop::Drop(DropReason::QueueFull));
        }
        // Its newest batch is no younger than the segment behind it.
        let age = match next.born {
            Some(born) => now.saturating_sub(born),
            None if next.wall < PLAUSIBLE => Duration::ZERO,
            None => {
                let seconds = u64::try_from(now_wall / 1000).unwrap_or(0);
                Duration::from_secs(seconds.saturating_sub(next.wall.into()))
            }
        };
        (age > self.limits.max_age).then_some(Pop::Drop(DropReason::TooOld))
    }
}
