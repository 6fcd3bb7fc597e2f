//! The host's clocks, with tokio's timers for waiting.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use super::{Clock, Sleep};

/// Linux' clock that goes on in suspend.
#[cfg(target_os = "linux")]
const ELAPSED: ClockId = ClockId::CLOCK_BOOTTIME;
/// On macOS the monotonic clock goes on in sleep (the one that stops is `CLOCK_UPTIME_RAW`).
#[cfg(not(target_os = "linux"))]
const ELAPSED: ClockId = ClockId::CLOCK_MONOTONIC;

/// The real clock. [`sleep`](Clock::sleep) must be called within a tokio runtime.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

fn read(clock: ClockId) -> Duration {
    // Both clocks exist on every kernel that Rust supports; a refusal reads as zero rather than ending the process.
    clock_gettime(clock).map(Duration::from).unwrap_or_default()
}

impl Clock for SystemClock {
    fn wall(&self) -> i64 {
        i64::try_from(read(ClockId::CLOCK_REALTIME).as_millis()).unwrap_or(i64::MAX)
    }

    fn elapsed(&self) -> Duration {
        read(ELAPSED)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that all others are to use"
    )]
    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_host() {
        let clock = SystemClock;
        assert!(clock.wall() > 1_700_000_000_000);
        let before = clock.elapsed();
        assert!(clock.elapsed() >= before && before > Duration::ZERO);
    }
}
