//! A clock that stands still until a test moves it.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::{Clock, Sleep};

/// A clock for tests: time passes only by [`advance`](Self::advance). Clones share the time.
#[derive(Debug, Clone, Default)]
pub struct ManualClock {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    wall: i64,
    elapsed: Duration,
    next_sleeper: u64,
    /// Who waits, by the time it is to be woken.
    sleepers: BTreeMap<(Duration, u64), Option<Waker>>,
    /// Who waits for sleepers to come.
    watchers: Vec<Waker>,
}

impl ManualClock {
    /// A clock that shows `wall` (milliseconds since 1970).
    pub fn new(wall: i64) -> Self {
        let clock = Self::default();
        clock.lock().wall = wall;
        clock
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets time pass on both clocks and wakes who waited for it.
    pub fn advance(&self, duration: Duration) {
        let woken = {
            let mut state = self.lock();
            state.wall += i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
            state.elapsed += duration;
            let now = state.elapsed;
            let later = state.sleepers.split_off(&(now, u64::MAX));
            std::mem::replace(&mut state.sleepers, later)
        };
        woken.into_values().flatten().for_each(Waker::wake);
    }

    /// Lets time pass until the next sleeper wakes, and tells how long that was; `None` when nobody sleeps.
    pub fn advance_to_next(&self) -> Option<Duration> {
        let (due, now) = {
            let state = self.lock();
            (state.sleepers.keys().next()?.0, state.elapsed)
        };
        let duration = due.saturating_sub(now);
        self.advance(duration);
        Some(duration)
    }

    /// Sets the wall clock alone, as an administrator does.
    pub fn set_wall(&self, wall: i64) {
        self.lock().wall = wall;
    }

    /// How many futures wait on this clock.
    pub fn sleepers(&self) -> usize {
        self.lock().sleepers.len()
    }

    /// Waits until at least `count` futures wait on this clock: the event to await before time is moved.
    pub async fn wait_for_sleepers(&self, count: usize) {
        std::future::poll_fn(|context| {
            let mut state = self.lock();
            if state.sleepers.len() >= count {
                return Poll::Ready(());
            }
            state.watchers.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl Clock for ManualClock {
    fn wall(&self) -> i64 {
        self.lock().wall
    }

    fn elapsed(&self) -> Duration {
        self.lock().elapsed
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let mut state = self.lock();
        if duration.is_zero() {
            return Box::pin(std::future::ready(()));
        }
        let key = (state.elapsed + duration, state.next_sleeper);
        state.next_sleeper += 1;
        state.sleepers.insert(key, None);
        let watchers = std::mem::take(&mut state.watchers);
        drop(state);
        watchers.into_iter().for_each(Waker::wake);
        Box::pin(Sleeper {
            clock: self.clone(),
            key,
        })
    }
}

struct Sleeper {
    clock: ManualClock,
    key: (Duration, u64),
}

impl Future for Sleeper {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.lock();
        match state.sleepers.get_mut(&self.key) {
            Some(waker) => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.clock.lock().sleepers.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Elapsed, timeout};

    fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
        Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn sleepers_wake_when_their_time_has_come() {
        let clock = ManualClock::new(1_000);
        let mut sleep = clock.sleep(Duration::from_secs(2));
        assert_eq!(clock.sleepers(), 1);
        clock.advance(Duration::from_millis(1_999));
        assert_eq!(poll(&mut sleep), Poll::Pending);
        assert_eq!(clock.advance_to_next(), Some(Duration::from_millis(1)));
        assert_eq!(poll(&mut sleep), Poll::Ready(()));
        assert_eq!((clock.wall(), clock.elapsed()), (3_000, Duration::from_secs(2)));
        drop(clock.sleep(Duration::from_secs(1)));
        assert_eq!(clock.sleepers(), 0);
    }

    #[test]
    fn a_timeout_drops_its_future() {
        let clock = ManualClock::new(0);
        let mut limited = Box::pin(timeout(
            &clock,
            Duration::from_secs(1),
            std::future::pending::<()>(),
        ));
        assert_eq!(poll(&mut limited), Poll::Pending);
        clock.advance(Duration::from_secs(1));
        assert_eq!(poll(&mut limited), Poll::Ready(Err(Elapsed)));
    }
}
