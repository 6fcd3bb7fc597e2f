//! How long to wait before a request is repeated.
//!
//! The wait doubles from a lowest to a highest one. Each is shortened at random by up to a fifth, so that many senders that failed
//! together do not come back together, and so that one wait is still never much shorter than the one before.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use crate::ErrorKind;
use crate::config::QueueConfig;

/// The waits for what a user has to mend: as long as nobody has, asking often helps nobody.
const SLOW: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(1));

#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    random: RandomState,
    count: u64,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Self {
            next: Duration::ZERO,
            random: RandomState::new(),
            count: 0,
        }
    }

    /// The wait after another failure of this kind. What the receiver asks for is the least.
    pub(super) fn wait(
        &mut self,
        config: &QueueConfig,
        kind: ErrorKind,
        asked: Option<Duration>,
    ) -> Duration {
        let (least, most) = match kind {
            ErrorKind::Misconfigured => (config.min_backoff.max(SLOW.0), config.max_backoff.max(SLOW.1)),
            _ => (config.min_backoff, config.max_backoff),
        };
        let wait = self.next.clamp(least, most);
        self.next = wait.saturating_mul(2);
        self.count += 1;
        let fifths = (self.random.hash_one(self.count) % 1024) as f64 / (5.0 * 1024.0);
        wait.mul_f64(1.0 - fifths).max(asked.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: ErrorKind, expected_ms: &[u64]) {
        let mut backoff = Backoff::new();
        for expected in expected_ms {
            let wait = backoff.wait(&QueueConfig::default(), kind, None);
            let expected = Duration::from_millis(*expected);
            assert!(
                wait <= expected && wait >= expected.mul_f64(0.79),
                "{wait:?} for {expected:?}"
            );
        }
    }

    #[test]
    fn doubles_up_to_the_highest() {
        check(
            ErrorKind::Unavailable,
            &[30, 60, 120, 240, 480, 960, 1920, 3840, 5000, 5000],
        );
        check(
            ErrorKind::Misconfigured,
            &[5_000, 10_000, 20_000, 40_000, 60_000, 60_000],
        );
    }

    #[test]
    fn the_receiver_may_ask_for_more() {
        let mut backoff = Backoff::new();
        let asked = Some(Duration::from_secs(7));
        assert_eq!(
            backoff.wait(&QueueConfig::default(), ErrorKind::Unavailable, asked),
            Duration::from_secs(7)
        );
    }
}
