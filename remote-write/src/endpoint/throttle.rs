//! How often one thing is logged: at once when it is new, then at most every ten seconds, with the number of times it was not.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: Option<Duration>,
    unsaid: u64,
}

impl Throttle {
    /// Whether to log now, and how many times that was not so since the last time.
    pub(super) fn pass(&self, now: Duration, news: bool) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = state.last.is_none_or(|last| now.saturating_sub(last) >= EVERY);
        // Reasons may alternate: news are bounded too, but less.
        let soon = state
            .last
            .is_some_and(|last| now.saturating_sub(last) < EVERY / 10);
        if due || news && !soon {
            state.last = Some(now);
            return Some(std::mem::take(&mut state.unsaid));
        }
        state.unsaid += 1;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_in_ten_seconds_unless_it_is_new() {
        let throttle = Throttle::default();
        let pass = |seconds, news| throttle.pass(Duration::from_secs(seconds), news);
        assert_eq!(pass(0, false), Some(0));
        assert_eq!(pass(0, true), None);
        assert_eq!(pass(5, false), None);
        assert_eq!(pass(5, true), Some(2));
        assert_eq!(pass(14, false), None);
        assert_eq!(pass(15, false), Some(1));
    }
}
