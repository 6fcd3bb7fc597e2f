//! Time, behind a trait, so that tests can stop it and make it jump.
//!
//! Two clocks are kept apart: the *wall* clock names the time of samples and may jump; the *elapsed* clock
//! measures ages and intervals, never goes back, and goes on while the machine sleeps, since a Mac sleeps.

mod manual;
#[cfg(feature = "tokio")]
mod system;

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

pub use manual::ManualClock;
#[cfg(feature = "tokio")]
pub use system::SystemClock;

/// A future that ends when the time has come.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A source of time.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Milliseconds since 1970, as the host believes.
    fn wall(&self) -> i64;

    /// Time since some fixed point of this boot. Never goes back, and counts the time that the machine slept.
    fn elapsed(&self) -> Duration;

    /// Ends after `duration`. Time in which the machine sleeps may or may not count: whoever cares looks at
    /// [`elapsed`](Clock::elapsed) afterwards.
    fn sleep(&self, duration: Duration) -> Sleep;
}

/// The time was up before the future was ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("timed out")]
pub struct Elapsed;

/// Runs `future` for at most `limit`.
///
/// # Errors
/// [`Elapsed`] when the time was up first; the future is dropped then.
pub async fn timeout<F: Future>(clock: &dyn Clock, limit: Duration, future: F) -> Result<F::Output, Elapsed> {
    let mut future = std::pin::pin!(future);
    let mut sleep = clock.sleep(limit);
    std::future::poll_fn(move |context: &mut Context<'_>| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        sleep.as_mut().poll(context).map(|()| Err(Elapsed))
    })
    .await
}
