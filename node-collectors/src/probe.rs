//! Asks many paths a question that may hang, such as statfs(2) of a dead NFS mount or reading what lies on it.
//!
//! One thread asks path after path. When it gets no answer for a short while, a second one takes over the rest, and so
//! on: a path that hangs costs one parked thread. After the timeout the path is marked, reported as [`TIMED_OUT`], and
//! not asked again until the call has returned. Threads are counted over the whole process; when they run out, paths
//! not yet asked are reported as timed out, too, but not marked.

use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::Error;
use crate::sys::unix::clock::monotonic;

/// The error of a path that did not answer in time.
pub(crate) const TIMED_OUT: &str = "mountpoint timeout";

/// Most threads of all sets in the process, parked ones included.
const MOST_THREADS: usize = 32;
/// Without an answer for this long, another thread takes over.
const PATIENCE: Duration = Duration::from_millis(50);
/// Enough for reading a folder, and for a few frames around it.
const STACK: usize = 128 << 10;

static THREADS: AtomicUsize = AtomicUsize::new(0);

/// The question put to a path; the error is a text for a label.
type Ask<T> = Box<dyn Fn(&Path) -> Result<T, String> + Send + Sync>;

/// Asks paths without ever waiting for one of them longer than the timeout.
pub(crate) struct Prober<T> {
    timeout: Duration,
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    ask: Ask<T>,
    work: Mutex<Work<T>>,
    wake: Condvar,
}

/// Locked after a batch's slots if both are needed, never before.
struct Work<T> {
    jobs: VecDeque<Job<T>>,
    /// Paths whose call has not returned since it timed out.
    stuck: BTreeSet<PathBuf>,
    /// Threads that wait for a job.
    idle: usize,
    closed: bool,
}

struct Job<T> {
    batch: Arc<Batch<T>>,
    index: usize,
}

/// The paths of one call of [`Prober::probe`].
struct Batch<T> {
    paths: Vec<PathBuf>,
    slots: Mutex<Vec<Slot<T>>>,
    answered: Condvar,
}

enum Slot<T> {
    Waiting,
    /// Being asked since this time.
    Asked(Duration),
    Done(Result<T, String>),
    /// Timed out while being asked: the path is marked until the call returns.
    Abandoned,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Send + 'static> Prober<T> {
    pub(crate) fn new(
        timeout: Duration,
        ask: impl Fn(&Path) -> Result<T, String> + Send + Sync + 'static,
    ) -> Self {
        let work = Work {
            jobs: VecDeque::new(),
            stuck: BTreeSet::new(),
            idle: 0,
            closed: false,
        };
        let shared = Shared {
            ask: Box::new(ask),
            work: Mutex::new(work),
            wake: Condvar::new(),
        };
        Self {
            timeout,
            shared: Arc::new(shared),
        }
    }

    /// The answers in the order of `paths`.
    pub(crate) fn probe(&self, paths: Vec<PathBuf>) -> Result<Vec<Result<T, String>>, Error> {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let batch = self.submit(paths)?;
        let start = monotonic();
        let mut progress = start;
        let mut slots = lock(&batch.slots);
        let mut open = usize::MAX;
        loop {
            let now = monotonic();
            self.expire(&batch, &mut slots, start, now);
            let still_open = slots.iter().filter(|slot| slot.is_open()).count();
            if still_open == 0 {
                break;
            }
            if still_open < open {
                open = still_open;
                progress = now;
            } else if now.saturating_sub(progress) >= PATIENCE {
                progress = now;
                drop(slots);
                self.shared.help()?;
                slots = lock(&batch.slots);
            }
            let pause = PATIENCE.min(self.timeout).max(Duration::from_millis(1));
            slots = batch
                .answered
                .wait_timeout(slots, pause)
                .map_or_else(|error| error.into_inner().0, |it| it.0);
        }
        Ok(slots.drain(..).map(Slot::into_answer).collect())
    }

    fn submit(&self, paths: Vec<PathBuf>) -> Result<Arc<Batch<T>>, Error> {
        let slots = paths.iter().map(|_| Slot::Waiting).collect();
        let batch = Arc::new(Batch {
            paths,
            slots: Mutex::new(slots),
            answered: Condvar::new(),
        });
        let mut slots = lock(&batch.slots);
        let mut work = lock(&self.shared.work);
        for (index, path) in batch.paths.iter().enumerate() {
            if work.stuck.contains(path) {
                slots[index] = Slot::Abandoned;
            } else {
                work.jobs.push_back(Job {
                    batch: Arc::clone(&batch),
                    index,
                });
            }
        }
        let short_of_threads = work.idle == 0 && !work.jobs.is_empty();
        drop(work);
        drop(slots);
        if short_of_threads {
            Shared::spawn(&self.shared)?;
        }
        self.shared.wake.notify_one();
        Ok(batch)
    }

    /// Gives up what takes too long: marks what is being asked, takes back what never was.
    fn expire(&self, batch: &Arc<Batch<T>>, slots: &mut [Slot<T>], start: Duration, now: Duration) {
        for (slot, path) in slots.iter_mut().zip(&batch.paths) {
            match slot {
                Slot::Asked(since) if now.saturating_sub(*since) >= self.timeout => {
                    lock(&self.shared.work).stuck.insert(path.clone());
                    *slot = Slot::Abandoned;
                }
                // Every job has been begun by then, unless threads ran out.
                Slot::Waiting if now.saturating_sub(start) >= self.timeout + PATIENCE * 2 => {
                    *slot = Slot::Done(Err(TIMED_OUT.to_owned()));
                }
                _ => {}
            }
        }
    }
}

impl<T: Send + 'static> Shared<T> {
    /// Another thread for the jobs that wait, if there are any and threads are left.
    fn help(self: &Arc<Self>) -> Result<(), Error> {
        let work = lock(&self.work);
        if work.jobs.is_empty() || work.idle > 0 {
            return Ok(());
        }
        drop(work);
        Self::spawn(self)
    }

    /// Starts a thread unless there are too many.
    fn spawn(self: &Arc<Self>) -> Result<(), Error> {
        let counted = THREADS.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
            (count < MOST_THREADS).then_some(count + 1)
        });
        if counted.is_err() {
            return Ok(());
        }
        let shared = Arc::clone(self);
        let thread = std::thread::Builder::new()
            .name("probe".to_owned())
            .stack_size(STACK);
        let started = thread.spawn(move || {
            shared.run();
            THREADS.fetch_sub(1, Ordering::Relaxed);
        });
        if let Err(error) = started {
            THREADS.fetch_sub(1, Ordering::Relaxed);
            return Err(Error::system("starting a thread", error));
        }
        Ok(())
    }

    /// Does jobs until there are none and another thread is there to wait for the next.
    fn run(&self) {
        while let Some(job) = self.next_job() {
            let path = &job.batch.paths[job.index];
            let answer = (self.ask)(path);
            let mut slots = lock(&job.batch.slots);
            // The batch has been taken when its call has ended.
            match slots.get_mut(job.index) {
                Some(slot @ Slot::Asked(_)) => *slot = Slot::Done(answer),
                _ => {
                    lock(&self.work).stuck.remove(path);
                }
            }
            drop(slots);
            job.batch.answered.notify_one();
        }
    }

    fn next_job(&self) -> Option<Job<T>> {
        loop {
            let mut work = lock(&self.work);
            let job = loop {
                if work.closed {
                    return None;
                }
                if let Some(job) = work.jobs.pop_front() {
                    break job;
                }
                if work.idle > 0 {
                    return None;
                }
                work.idle += 1;
                work = self.wake.wait(work).unwrap_or_else(PoisonError::into_inner);
                work.idle -= 1;
            };
            drop(work);
            let mut slots = lock(&job.batch.slots);
            if let Some(slot @ Slot::Waiting) = slots.get_mut(job.index) {
                *slot = Slot::Asked(monotonic());
                drop(slots);
                return Some(job);
            }
        }
    }
}

impl<T> Drop for Prober<T> {
    fn drop(&mut self) {
        lock(&self.shared.work).closed = true;
        self.shared.wake.notify_all();
    }
}

impl<T> Slot<T> {
    fn is_open(&self) -> bool {
        matches!(self, Self::Waiting | Self::Asked(_))
    }

    fn into_answer(self) -> Result<T, String> {
        match self {
            Self::Done(answer) => answer,
            Self::Waiting | Self::Asked(_) | Self::Abandoned => Err(TIMED_OUT.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// A prober whose path "stuck…" answers when the sender says so or is dropped, and tells when it has.
    fn prober() -> (Prober<usize>, Sender<()>, Receiver<()>) {
        let (release, released) = channel::<()>();
        let (tell, returned) = channel();
        let released = Mutex::new(released);
        let tell = Mutex::new(tell);
        let prober = Prober::new(Duration::from_millis(20), move |path| {
            if path.starts_with("stuck") {
                let _ = lock(&released).recv();
                let _ = lock(&tell).send(());
            }
            Ok(path.as_os_str().len())
        });
        (prober, release, returned)
    }

    fn paths(names: &[&str]) -> Vec<PathBuf> {
        names.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn answers_come_in_order_and_one_thread_is_enough() {
        let (prober, _release, _) = prober();
        for _ in 0..20 {
            assert_eq!(
                prober.probe(paths(&["a", "bcd", "ef"])).unwrap(),
                [Ok(1), Ok(3), Ok(2)]
            );
        }
        assert!(prober.probe(Vec::new()).unwrap().is_empty());
        assert!(lock(&prober.shared.work).idle <= 1);
    }

    #[test]
    fn a_stuck_path_is_marked_until_it_answers_and_others_go_on() {
        let (prober, release, returned) = prober();
        let timed_out = || Err(TIMED_OUT.to_owned());
        assert_eq!(
            prober.probe(paths(&["a", "stuck", "bc"])).unwrap(),
            [Ok(1), timed_out(), Ok(2)]
        );
        assert_eq!(lock(&prober.shared.work).stuck, BTreeSet::from(["stuck".into()]));
        assert_eq!(
            prober.probe(paths(&["stuck", "bc"])).unwrap(),
            [timed_out(), Ok(2)]
        );
        drop(release);
        returned.recv().unwrap();
        // The mark goes after the call has returned: ask until it is asked again.
        while prober.probe(paths(&["stuck"])).unwrap() != [Ok(5)] {}
        assert!(lock(&prober.shared.work).stuck.is_empty());
    }

    #[test]
    fn an_end_does_not_wait_for_what_is_stuck() {
        let (prober, release, returned) = prober();
        assert!(prober.probe(paths(&["stuck"])).unwrap()[0].is_err());
        drop(prober);
        drop(release);
        returned.recv().unwrap();
    }
}
