//! The host's clocks as facts to measure and to time collectors with.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// Time since an arbitrary point, which never goes back.
pub(crate) fn monotonic() -> Duration {
    now(ClockId::CLOCK_MONOTONIC)
}

/// Time since 1970 as the host's clock tells it.
pub(crate) fn realtime() -> Duration {
    now(ClockId::CLOCK_REALTIME)
}

/// Both clocks exist on every supported system; a zero would show in the output.
fn now(clock: ClockId) -> Duration {
    clock_gettime(clock).map(Duration::from).unwrap_or_default()
}
