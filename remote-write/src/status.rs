//! How an endpoint fares, in words and figures for people.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::StatusCode;
use tokio::sync::watch;

/// How an endpoint fares at the moment it was asked.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Status {
    /// The endpoint's name, or its URL.
    pub name: String,
    /// Its URL, without secrets.
    pub url: String,
    /// Whether requests get through.
    pub health: Health,
    /// The last request that the receiver refused for good, so that its samples were dropped.
    pub last_refusal: Option<Refusal>,
    /// Samples that wait or are in a request. An upper bound: rules may drop some of them.
    pub pending_samples: u64,
    /// How long the oldest samples wait that are neither delivered nor dropped. `None` when there are none.
    pub oldest_unsent: Option<Duration>,
    /// By how much the newest sample delivered is older than the newest one accepted.
    pub lag: Duration,
}

/// How a writer's queue fares at the moment it was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueStatus {
    /// Whether it is kept on disk.
    pub durable: bool,
    /// Bytes on disk.
    pub disk_bytes: u64,
    /// Bytes that it may have there.
    pub max_disk_bytes: u64,
    /// Samples that are in memory alone though the queue is kept on disk.
    pub not_written: u64,
    /// Why the disk does not take anything, and since when, in milliseconds since 1970.
    pub trouble: Option<(i64, String)>,
}

/// Whether an endpoint's requests get through.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Health {
    /// The last request was answered, or there was none yet.
    #[default]
    Healthy,
    /// Requests fail and are repeated.
    Failing {
        /// When that began, in milliseconds since 1970.
        since: i64,
        /// Why the last one failed, in words.
        reason: String,
    },
}

/// A request that was refused for good.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// The answer's status.
    pub status: u16,
    /// What the receiver said.
    pub reason: String,
    /// How many samples were dropped for it.
    pub samples: usize,
}

/// What requests report and statuses are made from.
#[derive(Debug)]
pub(crate) struct Board {
    state: Mutex<State>,
    changes: watch::Sender<u64>,
}

#[derive(Clone, Debug, Default)]
struct State {
    health: Health,
    last_refusal: Option<Refusal>,
}

impl Health {
    /// Whether requests get through.
    pub fn is_healthy(&self) -> bool {
        *self == Self::Healthy
    }
}

// === impl Board ===

impl Board {
    /// `changes` is told when what people see has changed.
    pub(crate) fn new(changes: watch::Sender<u64>) -> Self {
        Self {
            state: Mutex::default(),
            changes,
        }
    }

    pub(crate) fn read(&self) -> (Health, Option<Refusal>) {
        let state = self.lock();
        (state.health.clone(), state.last_refusal.clone())
    }

    pub(crate) fn is_healthy(&self) -> bool {
        self.lock().health.is_healthy()
    }

    /// The receiver took a request, or refused it, which needs a receiver that works.
    pub(crate) fn answered(&self) {
        let mut state = self.lock();
        if !state.health.is_healthy() {
            state.health = Health::Healthy;
            drop(state);
            self.tell();
        }
    }

    /// A request failed and is to be repeated. True when this is news: the first failure, or another reason.
    pub(crate) fn failing(&self, now: i64, why: &str) -> bool {
        let mut state = self.lock();
        let since = match &state.health {
            Health::Failing { reason, .. } if reason == why => return false,
            Health::Failing { since, .. } => *since,
            Health::Healthy => now,
        };
        state.health = Health::Failing {
            since,
            reason: why.to_owned(),
        };
        drop(state);
        self.tell();
        true
    }

    pub(crate) fn refused(&self, now: i64, status: Option<StatusCode>, why: &str, samples: usize) {
        let status = status.map_or(0, |status| status.as_u16());
        self.lock().last_refusal = Some(Refusal {
            at: now,
            status,
            reason: why.to_owned(),
            samples,
        });
        self.tell();
    }

    fn tell(&self) {
        self.changes.send_modify(|version| *version += 1);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
