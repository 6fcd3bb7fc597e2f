//! The door between stages: a receiver takes a batch at once and tells later what became of it.
//!
//! [`Receiver::accept`] never blocks, so that a slow disk or a dead endpoint cannot hold up a scrape. A
//! producer that cares waits for the [`Commit`], for as long as it likes.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::task::{Context, Poll, Waker};

use crate::batch::Batch;

/// A stage that takes batches.
pub trait Receiver: Send + Sync + fmt::Debug {
    /// Takes a batch. Never blocks; what it keeps it clones, which is reference counting.
    fn accept(&self, batch: &Batch) -> Commit;
}

/// How safe a batch is. Ordered: the least safe of several counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Committed {
    /// It survives a crash of the process.
    Durable,
    /// It is held in memory.
    Memory,
    /// It was not taken; the receiver has counted it.
    Refused,
}

/// What became of a batch, once it is known. A future; needs no runtime.
#[derive(Debug)]
#[must_use = "a commit that nobody waits for is fine, but say so"]
pub struct Commit {
    settled: Committed,
    waiting: Vec<Arc<Pending>>,
}

/// The other end of a pending [`Commit`]. Dropping it unsettled counts as [`Committed::Refused`].
#[derive(Debug)]
pub struct Promise {
    pending: Arc<Pending>,
}

#[derive(Debug, Default)]
struct Pending {
    state: Mutex<(Option<Committed>, Option<Waker>)>,
}

impl Commit {
    /// A commit whose outcome is known already.
    pub const fn done(outcome: Committed) -> Self {
        Self {
            settled: outcome,
            waiting: Vec::new(),
        }
    }

    /// A commit that is settled later, by its promise.
    pub fn pending() -> (Promise, Self) {
        let pending = Arc::new(Pending::default());
        let commit = Self {
            settled: Committed::Durable,
            waiting: vec![Arc::clone(&pending)],
        };
        (Promise { pending }, commit)
    }

    /// One commit for both: ready when both are, and as safe as the less safe one.
    pub fn join(mut self, mut other: Self) -> Self {
        self.settled = self.settled.max(other.settled);
        self.waiting.append(&mut other.waiting);
        self
    }
}

impl Future for Commit {
    type Output = Committed;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Committed> {
        let mut settled = self.settled;
        self.waiting.retain(|pending| {
            let mut state = pending.state.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(outcome) = state.0 {
                settled = settled.max(outcome);
                return false;
            }
            state.1 = Some(context.waker().clone());
            true
        });
        self.settled = settled;
        if self.waiting.is_empty() {
            Poll::Ready(settled)
        } else {
            Poll::Pending
        }
    }
}

impl Promise {
    /// Tells the outcome.
    pub fn settle(self, outcome: Committed) {
        self.pending.settle(outcome);
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.pending.settle(Committed::Refused);
    }
}

impl Pending {
    fn settle(&self, outcome: Committed) {
        let waker = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.0.is_some() {
                return;
            }
            state.0 = Some(outcome);
            state.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// A receiver that hands every batch to several others, which can be exchanged while batches flow.
#[derive(Debug, Default)]
pub struct Fanout {
    receivers: RwLock<Arc<[Arc<dyn Receiver>]>>,
}

impl Fanout {
    /// A fan-out to `receivers`. Without any, batches are dropped, as by an empty `forward_to`.
    pub fn new(receivers: Vec<Arc<dyn Receiver>>) -> Self {
        Self {
            receivers: RwLock::new(receivers.into()),
        }
    }

    /// Exchanges the receivers.
    pub fn set(&self, receivers: Vec<Arc<dyn Receiver>>) {
        *self.receivers.write().unwrap_or_else(PoisonError::into_inner) = receivers.into();
    }
}

impl Receiver for Fanout {
    fn accept(&self, batch: &Batch) -> Commit {
        let receivers = Arc::clone(&self.receivers.read().unwrap_or_else(PoisonError::into_inner));
        receivers
            .iter()
            .map(|receiver| receiver.accept(batch))
            .fold(Commit::done(Committed::Durable), Commit::join)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(commit: &mut Commit) -> Poll<Committed> {
        Pin::new(commit).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn the_least_safe_outcome_counts() {
        let (promise, pending) = Commit::pending();
        let mut commit = Commit::done(Committed::Memory).join(pending);
        assert_eq!(poll(&mut commit), Poll::Pending);
        promise.settle(Committed::Durable);
        assert_eq!(poll(&mut commit), Poll::Ready(Committed::Memory));
    }

    #[test]
    fn a_dropped_promise_refuses() {
        let (promise, mut commit) = Commit::pending();
        drop(promise);
        assert_eq!(poll(&mut commit), Poll::Ready(Committed::Refused));
    }
}
