//! The thread that writes: batches into segments, places into their files, and what is over out of the folder.
//!
//! Invariant: of one reader, what is written down is written in the order in which it was said; and a batch is written before a request
//! that has samples of it is noted.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use ferroalloy_model::{Batch, Committed, Layout, LayoutId, Promise};
use foldhash::fast::RandomState;

use super::codec::{encode_batch, encode_layout};
use super::frame::{Kind, Packer, put_frame};
use super::fs::FsFile;
use super::places::{Change, Places};
use super::segments::{Active, Segment};
use super::state::{Fresh, Job, Pop, Shared, Work};
use crate::queue::{DropReason, Position, Trouble};

/// How long the disk is left alone after it refused something.
const RETRY: Duration = Duration::from_secs(1);
/// Layouts that are changes of one another, at most.
const CHAIN: u8 = 64;
/// So much is encoded before it is written.
const CHUNK: usize = 1 << 20;
/// This much of the disk is left to others.
const LEAVE_FREE: u64 = 64 << 20;
/// Segments within a budget.
const SEGMENTS: u64 = 64;
/// How often the age of the oldest segment is looked at.
const LOOK_AFTER: Duration = Duration::from_mins(1);

pub(super) struct Worker {
    shared: Arc<Shared>,
    active: Option<Active>,
    /// Segments that were given up before they were synced.
    given_up: Vec<Arc<dyn FsFile>>,
    /// Layouts that the active segment has, with the number of others that each of them needs.
    defined: HashMap<LayoutId, u8, RandomState>,
    places: BTreeMap<u64, Places>,
    packer: Packer,
    buffer: Vec<u8>,
    payload: Vec<u8>,
    /// Something was written since the last sync.
    dirty: bool,
    synced: Duration,
    /// Until when the disk is left alone.
    held_off: Option<Duration>,
    waiting: Vec<Promise>,
}

impl Worker {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let synced = shared.clock.elapsed();
        Self {
            shared,
            active: None,
            given_up: Vec::new(),
            defined: HashMap::default(),
            places: BTreeMap::new(),
            packer: Packer::new(),
            buffer: Vec::new(),
            payload: Vec::new(),
            dirty: false,
            synced,
            held_off: None,
            waiting: Vec::new(),
        }
    }

    pub(super) fn run(mut self) {
        loop {
            let now = self.shared.clock.elapsed();
            let work = self.shared.wait(self.patience(now), self.held_off.is_some());
            let closing = work.closing;
            self.step(work);
            if closing {
                self.sync();
                return;
            }
        }
    }

    /// How long to wait for work.
    fn patience(&self, now: Duration) -> Duration {
        let interval = self.shared.lock().sync_interval;
        let sync = self.dirty.then(|| (self.synced + interval).saturating_sub(now));
        let retry = self.held_off.map(|until| until.saturating_sub(now));
        let first = [sync, retry]
            .into_iter()
            .flatten()
            .fold(LOOK_AFTER, Duration::min);
        // A clock that a test has stopped must not make this thread spin.
        first.max(Duration::from_millis(1))
    }

    /// One round: write, note, sync if it is time, tidy up.
    fn step(&mut self, work: Work) {
        let now = self.shared.clock.elapsed();
        if self.held_off.is_some_and(|until| until <= now) || work.closing {
            self.held_off = None;
        }
        let (opened, jobs): (Vec<Job>, Vec<Job>) = work
            .jobs
            .into_iter()
            .partition(|job| matches!(job, Job::Open(..)));
        for job in opened {
            if let Job::Open(reader, name, progress) = job {
                self.places.insert(reader, Places::new(&name, *progress));
            }
        }
        let mut result = Ok(());
        if self.held_off.is_none() {
            // A reader's place is on disk before any batch that it is owed.
            result = self.write_places().and_then(|()| self.write(&work.entries));
        }
        drop(work.entries);
        result = self.note(jobs).and(result);
        match result {
            Ok(()) => self.healed(),
            Err(error) => self.failed("written", &error, now),
        }
        self.tidy();
        if !self.waiting.is_empty()
            || (self.dirty && now.saturating_sub(self.synced) >= self.shared.lock().sync_interval)
        {
            self.sync();
        }
    }

    /// Writes places of which there is no file that can be relied on.
    fn write_places(&mut self) -> io::Result<()> {
        for places in self.places.values_mut().filter(|places| places.is_without_file()) {
            places.rewrite(&*self.shared.fs, &mut self.packer)?;
        }
        Ok(())
    }

    fn write(&mut self, entries: &[Fresh]) -> io::Result<()> {
        let mut rest = entries;
        while !rest.is_empty() {
            self.make_room()?;
            let Some(active) = &self.active else { break };
            let (limit, start) = (self.segment_bytes(), active.len);
            let mut taken = 0;
            self.buffer.clear();
            for fresh in rest {
                self.encode(fresh);
                taken += 1;
                if self.buffer.len() >= CHUNK || start + self.buffer.len() as u64 >= limit {
                    break;
                }
            }
            let (written, later) = rest.split_at(taken);
            let Some(active) = &mut self.active else { break };
            active.file.write_at(&self.buffer, active.len)?;
            active.len += self.buffer.len() as u64;
            self.dirty = true;
            if let Some(last) = written.last() {
                self.publish(last.position + 1, last.before + last.samples);
            }
            rest = later;
        }
        // What a large layout needed is not needed for its batches.
        if self.buffer.capacity() > 2 * CHUNK {
            self.buffer.clear();
            self.buffer.shrink_to(CHUNK);
        }
        if self.payload.capacity() > CHUNK / 4 {
            self.payload = Vec::new();
        }
        self.packer.trim();
        Ok(())
    }

    /// How large a segment becomes.
    fn segment_bytes(&self) -> u64 {
        (self.shared.lock().max_disk / SEGMENTS).clamp(1 << 20, 64 << 20)
    }

    /// Sees to it that there is a segment with room.
    fn make_room(&mut self) -> io::Result<()> {
        if self
            .active
            .as_ref()
            .is_some_and(|active| active.len < self.segment_bytes())
        {
            return Ok(());
        }
        let space = self.shared.fs.space()?;
        if space.free < LEAVE_FREE.min(space.size / 20) {
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                format!("only {} MiB of the disk are free", space.free >> 20),
            ));
        }
        if let Some(active) = self.active.take() {
            active.file.sync()?;
        }
        self.defined.clear();
        let segment = {
            let state = self.shared.lock();
            Segment {
                number: state.catalog.next_number(),
                run: self.shared.run,
                first: state.written,
                first_samples: state.catalog.end_samples,
                wall: u32::try_from(self.shared.clock.wall() / 1000).unwrap_or(0),
                born: Some(self.shared.clock.elapsed()),
                len: super::frame::FILE_HEADER as u64,
            }
        };
        let active = Active::create(&*self.shared.fs, &segment)?;
        self.shared.fs.sync_names()?;
        self.active = Some(active);
        self.shared.lock().catalog.segments.push_back(segment);
        Ok(())
    }

    /// Appends a batch to the buffer, and before it its layout if the segment has that not yet.
    fn encode(&mut self, fresh: &Fresh) {
        let layout = fresh.batch.layout();
        if !self.defined.contains_key(&layout.id()) {
            self.define(layout, fresh);
        }
        self.payload.clear();
        encode_batch(&mut self.payload, &fresh.batch, self.shared.wall_of(fresh.queued));
        // Columns are short already.
        if matches!(fresh.batch, Batch::Columns(_)) {
            let place = (fresh.position, fresh.before);
            put_frame(&mut self.buffer, Kind::Batch, place, false, &self.payload);
            return;
        }
        self.packer.frame(
            &mut self.buffer,
            Kind::Batch,
            fresh.position,
            fresh.before,
            &self.payload,
        );
    }

    fn define(&mut self, layout: &Arc<Layout>, fresh: &Fresh) {
        let parent = layout.parent().and_then(|parent| self.defined.get(&parent));
        let depth = parent.map(|depth| depth + 1).filter(|depth| *depth <= CHAIN);
        self.payload.clear();
        encode_layout(&mut self.payload, layout, depth.is_some());
        self.packer.frame(
            &mut self.buffer,
            Kind::Layout,
            fresh.position,
            fresh.before,
            &self.payload,
        );
        self.defined.insert(layout.id(), depth.unwrap_or(0));
        let mut live = self.shared.layouts.lock().unwrap_or_else(PoisonError::into_inner);
        // What nobody has any more is let go now and then, which costs a look at each for as many new ones.
        if live.len() == live.capacity() {
            live.retain(|_, layout| layout.strong_count() > 0);
        }
        live.insert(layout.id().get(), Arc::downgrade(layout));
    }

    /// Everything before `end` is in the file.
    fn publish(&self, end: Position, end_samples: u64) {
        let mut state = self.shared.lock();
        if let (Some(segment), Some(active)) = (state.catalog.segments.back_mut(), &self.active) {
            segment.len = active.len;
        }
        state.catalog.end = end;
        state.catalog.end_samples = end_samples;
        state.figures.written_bytes += self.buffer.len() as u64;
        state.wrote(end);
    }

    fn note(&mut self, jobs: Vec<Job>) -> io::Result<()> {
        let mut result = Ok(());
        let mut changes: BTreeMap<u64, Vec<Change>> = BTreeMap::new();
        let mut told = Vec::new();
        for job in jobs {
            match job {
                Job::Note(reader, change, promise) => {
                    changes.entry(reader).or_default().push(change);
                    told.extend(promise);
                }
                // They came first.
                Job::Open(..) => {}
                Job::Forget(reader) => {
                    changes.remove(&reader);
                    if let Some(places) = self.places.remove(&reader) {
                        // One that is not there need not be removed.
                        let _gone = self.shared.fs.remove(&Places::file_name(places.name()));
                    }
                }
                Job::Sync(promise) => self.waiting.push(promise),
            }
        }
        for (reader, changes) in changes {
            if let Some(places) = self.places.get_mut(&reader) {
                result = places
                    .change(&*self.shared.fs, &mut self.packer, &changes)
                    .and(result);
                self.dirty |= places.dirty;
                let floor = places.progress.floor();
                if let Some(place) = self.shared.lock().readers.get_mut(&reader) {
                    place.floor = floor;
                }
            }
        }
        let outcome = if result.is_ok() {
            Committed::Durable
        } else {
            Committed::Memory
        };
        for promise in told {
            promise.settle(outcome);
        }
        result
    }

    fn sync(&mut self) {
        let start = self.shared.clock.elapsed();
        let mut result = Ok(());
        if self.dirty {
            let active = self.active.as_ref().map(|active| &active.file);
            // One that cannot be synced is not tried again: the kernel may have thrown away what it could not write.
            for file in std::mem::take(&mut self.given_up).iter().chain(active) {
                result = file.sync().and(result);
            }
            for places in self.places.values_mut() {
                result = places.sync().and(result);
            }
            result = self.shared.fs.sync_names().and(result);
        }
        let now = self.shared.clock.elapsed();
        self.synced = now;
        match &result {
            Ok(()) => {
                self.dirty = false;
                let took = now.saturating_sub(start);
                let mut state = self.shared.lock();
                state.figures.syncs += 1;
                state.figures.sync_time += took;
                state.figures.last_sync = took;
                state.figures.synced_samples = state.catalog.end_samples;
            }
            // What the kernel could not write it may have thrown away: a new segment is begun, and the places are written anew.
            Err(error) => {
                self.failed("synced", error, now);
                self.places.values_mut().for_each(Places::forget_file);
            }
        }
        let outcome = if result.is_ok() {
            Committed::Durable
        } else {
            Committed::Memory
        };
        for promise in self.waiting.drain(..) {
            promise.settle(outcome);
        }
    }

    fn healed(&mut self) {
        if self.held_off.is_some() {
            return;
        }
        if let Some(trouble) = self.shared.lock().trouble.take() {
            tracing::info!(
                folder = %self.shared.fs.folder().display(),
                after = ?self.shared.clock.elapsed().saturating_sub(trouble.since),
                "the queue is written to disk again"
            );
        }
    }

    fn failed(&mut self, what: &str, error: &io::Error, now: Duration) {
        self.held_off = Some(now + RETRY);
        // What was written in part is cut off; if that fails as well it is passed over when it is read.
        if let Some(active) = self.active.take() {
            let _torn = active.file.cut(active.len);
            self.given_up.push(active.file);
        }
        self.defined.clear();
        let reason = format!(
            "the queue cannot be {what} in {}: {error}",
            self.shared.fs.folder().display()
        );
        let mut state = self.shared.lock();
        state.keeps_in_memory();
        state.figures.failures += 1;
        let since = state.trouble.as_ref().map_or(now, |trouble| trouble.since);
        let news = state
            .trouble
            .as_ref()
            .is_none_or(|trouble| trouble.reason != reason);
        state.trouble = Some(Trouble {
            since,
            reason: reason.clone(),
        });
        drop(state);
        if news {
            tracing::error!(err = reason, "samples are kept in memory alone");
        }
    }

    /// Deletes segments that are over.
    fn tidy(&self) {
        loop {
            let now = self.shared.clock.elapsed();
            let popped = {
                let mut state = self.shared.lock();
                let Some(why) = state.may_pop(self.shared.clock.wall(), now) else {
                    return;
                };
                state.pop_segment(why).map(|number| (number, why))
            };
            let Some((number, why)) = popped else { return };
            if let Err(error) = self.shared.fs.remove(&Segment::name(number))
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(
                    folder = %self.shared.fs.folder().display(),
                    segment = Segment::name(number),
                    err = %error,
                    "a segment of the queue cannot be deleted"
                );
            }
            if let Pop::Drop(reason) = why {
                tracing::warn!(
                    folder = %self.shared.fs.folder().display(),
                    segment = Segment::name(number),
                    reason = DropReason::label(reason),
                    "the oldest segment of the queue is dropped"
                );
            }
        }
    }
}
