//! The log on disk: see `FORMAT.md` for what is in its folder and why.
//!
//! - Appending takes a batch into memory and wakes a thread, which writes it; the commit tells when that has been done.
//! - Readers are given batches from memory as long as they keep up, else from disk.
//! - What an endpoint is about to send is on disk before it is sent, and what became of it before its next request.
//!
//! Invariant: nobody but the thread that writes waits for the disk, and the threads on which readers catch up.

mod catch_up;
mod codec;
mod frame;
pub(crate) mod fs;
#[cfg(feature = "fuzz")]
pub mod fuzz;
pub mod inspect;
mod places;
mod ranges;
mod reader;
mod segment_reader;
mod segments;
mod state;
mod worker;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use ferroalloy_model::{Batch, Clock, Commit};
use tokio::runtime::Handle;

use self::frame::Foreign;
use self::fs::Fs;
use self::places::{Places, Progress, Read};
use self::reader::DurableReader;
use self::segments::{Catalog, Opened};
use self::state::{Job, Shared, State};
use self::worker::Worker;
use super::{DiskFigures, Log, LogFigures, Reader, Unfinished};
use crate::config::{QueueLimits, Storage};
use crate::{Error, ErrorKind};

/// Of the disk, unless more or less is asked for.
const SHARE: u64 = 10;
/// However large the disk.
const AT_MOST: u64 = 8 << 30;

/// The log on disk.
pub(crate) struct DurableLog {
    shared: Arc<Shared>,
    runtime: Handle,
    known: Mutex<Known>,
    /// The thread that writes.
    thread: Option<JoinHandle<()>>,
}

/// What is on disk of endpoints that have not asked for it yet.
#[derive(Debug, Default)]
struct Known {
    places: HashMap<String, Progress>,
    /// Files with places that cannot be read.
    damaged: Vec<String>,
}

// === impl DurableLog ===

impl DurableLog {
    /// Opens the log in the folder of `fs`, which is made if it is missing.
    ///
    /// # Errors
    /// That the folder cannot be made, read or written, or is in use. Whatever is in it is no error.
    pub(crate) fn open(
        fs: Arc<dyn Fs>,
        storage: &Storage,
        limits: &QueueLimits,
        clock: Arc<dyn Clock>,
        runtime: Handle,
    ) -> Result<Self, Error> {
        let folder = fs.folder().display().to_string();
        let failed = |error: io::Error| {
            Error::new(
                ErrorKind::Storage,
                format!("the queue cannot be kept in {folder}: {error}"),
            )
        };
        let hold = fs.hold().map_err(failed)?;
        let mut opened = Opened::default();
        let catalog = Catalog::open(&*fs, &mut opened).map_err(failed)?;
        let known = read_places(&*fs, &catalog, &mut opened).map_err(failed)?;
        report(&folder, &opened);
        probe(&*fs).map_err(failed)?;
        let max_disk = budget(&*fs, storage).map_err(failed)?;
        let mentioned = known.places.values().map(Progress::end).max().unwrap_or(0);
        let end = catalog.end.max(mentioned);
        let run = catalog.next_run();
        let mut state = State::new(catalog, end, limits, max_disk);
        state.sync_interval = storage.sync_interval;
        let shared = Arc::new(Shared::new(fs, clock, run, state));
        let worker = Worker::new(shared.clone());
        let ended = shared.clone();
        let thread = std::thread::Builder::new()
            .name("queue".into())
            .stack_size(512 << 10)
            .spawn(move || {
                worker.run();
                // Nobody else may have the folder before the last byte is written.
                drop(hold);
                ended.has_ended();
            })
            .map_err(failed)?;
        Ok(Self {
            shared,
            runtime,
            known: Mutex::new(known),
            thread: Some(thread),
        })
    }
}

/// The places of all endpoints that have some in the folder.
fn read_places(fs: &dyn Fs, catalog: &Catalog, opened: &mut Opened) -> io::Result<Known> {
    let mut known = Known::default();
    for file in fs.list()? {
        if file.strip_suffix(".pos").is_none() {
            continue;
        }
        match Places::read(fs, &file)? {
            Read::Known(name, mut progress, flaws) => {
                if !flaws.is_empty() {
                    tracing::error!(
                        endpoint = name,
                        records = flaws.len(),
                        "the endpoint's place in the queue is damaged: some samples may be sent twice"
                    );
                }
                // What is before the oldest segment is gone.
                progress.skip_to(catalog.first().map_or(catalog.end, |oldest| oldest.first));
                known.places.insert(name, progress);
            }
            Read::Foreign(Foreign::Version(_)) => {
                fs.set_aside(&file)?;
                opened.set_aside.push(file);
            }
            Read::Damaged(_) | Read::Foreign(Foreign::Short | Foreign::Unknown) => {
                fs.set_aside(&file)?;
                opened.set_aside.push(file.clone());
                known.damaged.push(file);
            }
        }
    }
    Ok(known)
}

fn report(folder: &str, opened: &Opened) {
    if opened.torn > 0 {
        tracing::warn!(
            folder,
            bytes = opened.torn,
            "the queue's end was torn and is cut off"
        );
    }
    for file in &opened.set_aside {
        tracing::error!(
            folder,
            file,
            "a file of the queue is damaged or of another version, and set aside"
        );
    }
}

/// Whether the folder can be written.
fn probe(fs: &dyn Fs) -> io::Result<()> {
    const NAME: &str = "probe";
    let _left_by_a_killed_process = fs.remove(NAME);
    match fs.create(NAME) {
        Ok(_) => fs.remove(NAME),
        // A full disk is no reason not to start: samples are kept in memory, and that is said.
        Err(error) if error.kind() == io::ErrorKind::StorageFull => Ok(()),
        Err(error) => Err(error),
    }
}

/// How many bytes the log may have on disk.
fn budget(fs: &dyn Fs, storage: &Storage) -> io::Result<u64> {
    match storage.max_bytes {
        Some(bytes) => Ok(bytes),
        None => Ok((fs.space()?.size / SHARE).min(AT_MOST)),
    }
}

impl Log for DurableLog {
    fn append(&self, batch: &Batch) -> Commit {
        self.shared.append(batch)
    }

    fn reader(&self, endpoint: &str) -> Box<dyn Reader> {
        let (known, damaged) = {
            let mut known = self.known();
            let damaged = known.damaged.contains(&Places::file_name(endpoint));
            (known.places.remove(endpoint), damaged)
        };
        let mut state = self.shared.lock();
        let progress = known.unwrap_or_else(|| {
            // A new endpoint begins with what comes from now on; one whose place is not known, with the oldest there is.
            let oldest = state.catalog.first().map(|oldest| oldest.first);
            let mut progress = Progress::default();
            progress.skip_to(oldest.filter(|_| damaged).unwrap_or(state.end));
            progress
        });
        let unfinished: Vec<Unfinished> = progress
            .requests
            .iter()
            .map(|(ticket, parts)| (*ticket, parts.clone()))
            .collect();
        let (id, wake) = state.add_reader(&*self.shared.fs, endpoint, progress);
        drop(state);
        self.shared.nudge();
        let (shared, runtime) = (self.shared.clone(), self.runtime.clone());
        Box::new(DurableReader::new(shared, runtime, id, wake, unfinished))
    }

    fn forget(&self, endpoint: &str) {
        self.shared.lock().forget_reader(endpoint);
        self.shared.nudge();
    }

    fn settled(&self) {
        let known = std::mem::take(&mut *self.known());
        for (name, progress) in known.places {
            let mut state = self.shared.lock();
            state.add_reader(&*self.shared.fs, &name, progress);
            let samples = state.forget_reader(&name);
            drop(state);
            tracing::warn!(
                endpoint = name,
                samples,
                "the endpoint is not configured any more, what the queue has for it is dropped"
            );
        }
        self.shared.nudge();
    }

    fn set_limits(&self, limits: &QueueLimits) {
        let mut state = self.shared.lock();
        state.limits = limits.clone();
        state.trim_tail();
        drop(state);
        self.shared.nudge();
    }

    fn set_storage(&self, storage: &Storage) {
        // Where the disk cannot be asked its share stays what it was.
        let max_disk = budget(&*self.shared.fs, storage).ok();
        let mut state = self.shared.lock();
        state.max_disk = max_disk.unwrap_or(state.max_disk);
        state.sync_interval = storage.sync_interval;
        drop(state);
        self.shared.nudge();
    }

    fn newest_timestamp(&self) -> Option<i64> {
        self.shared.lock().newest_timestamp
    }

    fn figures(&self) -> LogFigures {
        let state = self.shared.lock();
        let figures = state.figures;
        let not_written = state.not_written();
        LogFigures {
            memory_bytes: state.memory_bytes(),
            disk: Some(DiskFigures {
                bytes: state.catalog.bytes(),
                max_bytes: state.max_disk,
                segments: state.catalog.segments.len(),
                written_bytes: figures.written_bytes,
                not_written,
                not_synced: state.end_samples.saturating_sub(figures.synced_samples),
                syncs: figures.syncs,
                sync_time: figures.sync_time,
                last_sync: figures.last_sync,
                failures: figures.failures,
                damaged: figures.damaged,
            }),
            trouble: state.trouble.clone(),
        }
    }

    fn sync(&self) -> Commit {
        let (promise, commit) = Commit::pending();
        self.shared.job(Job::Sync(promise));
        commit
    }
}

impl DurableLog {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for DurableLog {
    fn drop(&mut self) {
        // What is left is written, unless the disk stands still.
        const PATIENCE: Duration = Duration::from_secs(2);
        self.shared.close();
        let thread = self.thread.take().filter(|_| self.shared.wait_for_end(PATIENCE));
        // A panic in it has been reported where it happened.
        let _panicked = thread.map(JoinHandle::join);
    }
}

impl fmt::Debug for DurableLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DurableLog")
            .field("folder", &self.shared.fs.folder())
            .field("figures", &self.figures())
            .finish_non_exhaustive()
    }
}

/// Time that has gone on long enough that what was accepted before the host was started has a place in it.
#[derive(Debug)]
pub(crate) struct LongClock(pub(crate) Arc<dyn Clock>);

impl Clock for LongClock {
    fn wall(&self) -> i64 {
        self.0.wall()
    }

    fn elapsed(&self) -> Duration {
        const TEN_YEARS: Duration = Duration::from_hours(24 * 3653);
        self.0.elapsed() + TEN_YEARS
    }

    fn sleep(&self, duration: Duration) -> ferroalloy_model::clock::Sleep {
        self.0.sleep(duration)
    }
}

#[cfg(test)]
mod tests;
