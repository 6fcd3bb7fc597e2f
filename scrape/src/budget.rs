//! Whether there is memory for more series.

use std::sync::atomic::{AtomicBool, Ordering};

/// Tells pools whether the process has memory for new series. Whoever knows the process sets it; while it is used up, a
/// scrape that would add series fails, and those that add none go on.
#[derive(Debug, Default)]
pub struct Budget {
    used_up: AtomicBool,
}

impl Budget {
    /// Sets whether it is used up.
    pub fn set_used_up(&self, used_up: bool) {
        self.used_up.store(used_up, Ordering::Relaxed);
    }

    /// Whether it is used up.
    pub fn is_used_up(&self) -> bool {
        self.used_up.load(Ordering::Relaxed)
    }
}
