//! How many results there are, and how many there were.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a relabeler counts of its results.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    held: AtomicU64,
    given_up: AtomicU64,
}

/// The results for so many series: counted until it is dropped.
#[derive(Debug)]
pub(super) struct Held {
    series: u64,
    ledger: Arc<Ledger>,
}

impl Ledger {
    pub(super) fn held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    pub(super) fn given_up(&self) -> u64 {
        self.given_up.load(Ordering::Relaxed)
    }
}

impl Held {
    pub(super) fn new(ledger: &Arc<Ledger>, series: u64) -> Self {
        ledger.held.fetch_add(series, Ordering::Relaxed);
        Self {
            series,
            ledger: Arc::clone(ledger),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.ledger.held.fetch_sub(self.series, Ordering::Relaxed);
        self.ledger.given_up.fetch_add(self.series, Ordering::Relaxed);
    }
}
