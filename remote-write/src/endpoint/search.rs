//! How many requests are spent on finding the series that a receiver refuses.
//!
//! One bad series among n costs 2 log2(n) requests. When a search saves nothing, because everything is refused, the next one is allowed
//! less, so that a receiver that refuses for another reason is not sent many times as many requests as before.

use std::sync::atomic::{AtomicU32, Ordering};

/// Splits within one request, at most: enough to find three bad series among two thousand.
const MOST_SPLITS: u32 = 32;

/// What is allowed at present.
#[derive(Debug)]
pub(crate) struct Searches {
    allowed: AtomicU32,
}

/// One request's search.
#[derive(Debug)]
pub(super) struct Search {
    allowed: u32,
    splits: u32,
    saved: bool,
}

impl Searches {
    pub(super) fn begin(&self) -> Search {
        Search {
            allowed: self.allowed.load(Ordering::Relaxed),
            splits: 0,
            saved: false,
        }
    }

    pub(super) fn end(&self, search: &Search) {
        if search.saved {
            self.allowed.store(MOST_SPLITS, Ordering::Relaxed);
        } else if search.splits > 0 {
            self.allowed.store((search.allowed / 2).max(1), Ordering::Relaxed);
        }
    }
}

impl Search {
    /// Whether there may be one more split, which is counted.
    pub(super) fn split(&mut self) -> bool {
        let may = self.splits < self.allowed;
        self.splits += u32::from(may);
        may
    }

    /// Something was taken.
    pub(super) fn found(&mut self) {
        self.saved = true;
    }
}

impl Default for Searches {
    fn default() -> Self {
        Self {
            allowed: AtomicU32::new(MOST_SPLITS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(searches: &Searches, saves: bool) -> u32 {
        let mut search = searches.begin();
        while search.split() {}
        if saves {
            search.found();
        }
        searches.end(&search);
        search.splits
    }

    #[test]
    fn searches_that_save_nothing_become_shorter() {
        let searches = Searches::default();
        assert_eq!([(); 7].map(|()| run(&searches, false)), [32, 16, 8, 4, 2, 1, 1]);
        assert_eq!([run(&searches, true), run(&searches, true)], [1, 32]);
    }
}
