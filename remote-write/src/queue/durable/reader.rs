//! One endpoint's side of the durable log.
//!
//! Invariant: what is asked for is in memory or was read before; what has to be read is read elsewhere, and the endpoint is woken.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ferroalloy_model::Commit;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::catch_up::{CatchUp, Chunk, Loaded};
use super::places::Change;
use super::state::{Job, Shared, State};
use crate::queue::{Backlog, DropReason, Entry, Evicted, Part, Position, Reader, Ticket, Unfinished};

/// How long a disk that cannot be read is left alone.
const RETRY: Duration = Duration::from_secs(1);

pub(super) struct DurableReader {
    shared: Arc<Shared>,
    runtime: Handle,
    id: u64,
    wake: Arc<Notify>,
    /// What was given and is not dealt with before the first that is not.
    given: VecDeque<Given>,
    loaded: VecDeque<Loaded>,
    /// Where the last chunk ended.
    upto: Option<(Position, u64)>,
    loading: Arc<Mutex<Loading>>,
    unfinished: Vec<Unfinished>,
    next_ticket: u64,
}

struct Given {
    position: Position,
    queued: Duration,
    done: bool,
}

enum Loading {
    Idle(CatchUp),
    Running,
    Ready(CatchUp, Chunk),
}

// === impl DurableReader ===

impl DurableReader {
    pub(super) fn new(
        shared: Arc<Shared>,
        runtime: Handle,
        id: u64,
        wake: Arc<Notify>,
        unfinished: Vec<Unfinished>,
    ) -> Self {
        let next_ticket = unfinished.iter().map(|(ticket, _)| ticket + 1).max().unwrap_or(0);
        Self {
            shared,
            runtime,
            id,
            wake,
            given: VecDeque::new(),
            loaded: VecDeque::new(),
            upto: None,
            loading: Arc::new(Mutex::new(Loading::Idle(CatchUp::default()))),
            unfinished,
            next_ticket,
        }
    }

    /// What was read meanwhile, or else another chunk is read.
    fn load(&mut self, from: Position) -> bool {
        let mut loading = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *loading, Loading::Running) {
            Loading::Running => false,
            Loading::Ready(catch_up, chunk) => {
                *loading = Loading::Idle(catch_up);
                drop(loading);
                self.take(chunk);
                true
            }
            Loading::Idle(catch_up) => {
                drop(loading);
                self.start(catch_up, from);
                false
            }
        }
    }

    fn take(&mut self, chunk: Chunk) {
        if chunk.damaged > 0 {
            self.shared.lock().figures.damaged += chunk.damaged;
            tracing::error!(
                folder = %self.shared.fs.folder().display(),
                records = chunk.damaged,
                err = chunk.error.as_ref().map(ToString::to_string),
                "damage in the queue is passed over"
            );
        }
        self.upto = Some((chunk.upto, chunk.upto_samples));
        self.loaded = chunk.entries.into();
    }

    fn start(&self, mut catch_up: CatchUp, from: Position) {
        let (shared, loading, wake) = (self.shared.clone(), self.loading.clone(), self.wake.clone());
        let read = move || {
            let chunk = catch_up.read(&shared, from);
            (catch_up, chunk)
        };
        let runtime = self.runtime.clone();
        let clock = self.shared.clock.clone();
        self.runtime.spawn(async move {
            // A panic in reading is a defect; the reader begins anew rather than wait for ever.
            let (catch_up, chunk) = runtime.spawn_blocking(read).await.unwrap_or_default();
            if chunk.error.is_some() {
                clock.sleep(RETRY).await;
            }
            *loading.lock().unwrap_or_else(PoisonError::into_inner) = Loading::Ready(catch_up, chunk);
            wake.notify_one();
        });
    }

    /// Gives out a batch, unless it was dealt with in an earlier run.
    fn give(&mut self, state: &mut State, loaded: Loaded) -> Option<Entry> {
        let mut entry = loaded.entry;
        state.move_reader(self.id, entry.position, loaded.before, DropReason::Damaged);
        let place = state.readers.get_mut(&self.id)?;
        place.next = entry.position + 1;
        place.next_samples = loaded.before + loaded.samples;
        if place.before.done.contains(entry.position) {
            return None;
        }
        entry.from = place.before.parts.get(&entry.position).copied().unwrap_or(0);
        self.given.push_back(Given {
            position: entry.position,
            queued: entry.queued,
            done: false,
        });
        Some(entry)
    }

    fn finish(&mut self, position: Position) {
        let index = self.given.binary_search_by_key(&position, |given| given.position);
        if let Ok(index) = index {
            self.given[index].done = true;
        }
        while self.given.pop_front_if(|given| given.done).is_some() {}
    }
}

impl Reader for DurableReader {
    fn next(&mut self) -> Option<Entry> {
        let shared = self.shared.clone();
        loop {
            let mut state = shared.lock();
            let place = state.readers.get(&self.id)?;
            let next = place.next;
            if let Some((entry, before, samples)) = state.in_memory(next) {
                self.loaded.clear();
                self.upto = None;
                let loaded = Loaded {
                    entry,
                    before,
                    samples,
                };
                let given = self.give(&mut state, loaded);
                state.trim_tail();
                if given.is_some() {
                    return given;
                }
                continue;
            }
            if next >= state.end {
                return None;
            }
            if next >= state.catalog.end {
                // Between what is on disk and what is in memory there was more than memory may hold.
                let (position, before, _) = state.memory_from()?;
                if position <= next {
                    return None;
                }
                state.move_reader(self.id, position, before, DropReason::QueueFull);
                continue;
            }
            match self.loaded.pop_front() {
                Some(loaded) if loaded.entry.position < next => {}
                Some(loaded) => {
                    let given = self.give(&mut state, loaded);
                    if given.is_some() {
                        return given;
                    }
                }
                None => {
                    if let Some((upto, samples)) = self.upto.take()
                        && upto > next
                    {
                        state.move_reader(self.id, upto, samples, DropReason::Damaged);
                        continue;
                    }
                    drop(state);
                    if !self.load(next) {
                        return None;
                    }
                }
            }
        }
    }

    fn position(&self) -> Position {
        let state = self.shared.lock();
        state.readers.get(&self.id).map_or(0, |place| place.next)
    }

    fn unfinished(&mut self) -> Vec<Unfinished> {
        std::mem::take(&mut self.unfinished)
    }

    fn begin(&mut self, parts: &Arc<[Part]>) -> (Ticket, Commit) {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let commit = self.shared.noted(self.id, Change::Begin(ticket, parts.clone()));
        (ticket, commit)
    }

    fn end(&mut self, ticket: Ticket, parts: &[Part]) {
        self.shared.job(Job::Note(self.id, Change::End(ticket), None));
        for part in parts.iter().filter(|part| part.to.is_none()) {
            self.finish(part.position);
        }
    }

    fn acknowledge(&mut self, position: Position) {
        let change = Change::Done(position, position + 1);
        self.shared.job(Job::Note(self.id, change, None));
        self.finish(position);
    }

    fn evicted(&mut self) -> Option<(Evicted, u64)> {
        let mut state = self.shared.lock();
        let place = state.readers.get_mut(&self.id)?;
        if let Some((reason, samples)) = place.lost.pop() {
            let evicted = place.evicted.take().filter(|evicted| evicted.reason == reason);
            return Some((evicted.unwrap_or(Evicted { before: 0, reason }), samples));
        }
        Some((place.evicted.take()?, 0))
    }

    fn backlog(&self) -> Backlog {
        let state = self.shared.lock();
        let Some(place) = state.readers.get(&self.id) else {
            return Backlog::default();
        };
        let on_disk = || {
            let located = state.catalog.locate(place.next)?;
            let wall = i64::from(located.segment.wall) * 1000;
            Some(
                located
                    .segment
                    .born
                    .unwrap_or_else(|| self.shared.queued_at(wall)),
            )
        };
        let next = || {
            let loaded = self.loaded.front().map(|loaded| loaded.entry.queued);
            let in_memory = || {
                let (position, _, queued) = state.memory_from()?;
                (position >= place.next).then_some(queued)
            };
            match loaded {
                Some(queued) => Some(queued),
                None if place.next < state.catalog.end => on_disk(),
                None if place.next < state.end => in_memory(),
                None => None,
            }
        };
        Backlog {
            unread: state.end_samples.saturating_sub(place.next_samples),
            oldest: self.given.front().map(|given| given.queued).or_else(next),
        }
    }

    fn wake(&self) -> Arc<Notify> {
        self.wake.clone()
    }
}

impl fmt::Debug for DurableReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DurableReader")
            .field("id", &self.id)
            .field("backlog", &self.backlog())
            .finish_non_exhaustive()
    }
}
