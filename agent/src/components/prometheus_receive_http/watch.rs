//! How long a connection may be quiet, and how long it may take for the head of a request.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use ferroalloy_model::Clock;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The limits, of which zero is none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) read: Duration,
    pub(super) idle: Duration,
}

/// What one connection is at.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    state: Arc<Mutex<State>>,
    clock: Arc<dyn Clock>,
    limits: Limits,
}

#[derive(Debug)]
struct State {
    /// Requests whose heads are there and that are not answered.
    active: usize,
    /// Since when there has been none.
    quiet_since: Duration,
    /// When the first byte came of a request whose head is not there yet.
    begun: Option<Duration>,
    /// On a connection of several requests at a time bytes may also be something else.
    bytes_begin_requests: bool,
}

/// A request that is under way, until it is dropped.
#[derive(Debug)]
pub(super) struct Active(Watch);

/// A stream whose bytes are noticed.
#[derive(Debug)]
pub(super) struct Watched<S> {
    pub(super) stream: S,
    pub(super) watch: Watch,
}

impl Watch {
    pub(super) fn new(clock: Arc<dyn Clock>, limits: Limits, bytes_begin_requests: bool) -> Self {
        let now = clock.elapsed();
        let state = State {
            active: 0,
            quiet_since: now,
            // The first request is waited for no longer than any request.
            begun: Some(now),
            bytes_begin_requests,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            clock,
            limits,
        }
    }

    /// The head of a request is there.
    pub(super) fn request(&self) -> Active {
        let mut state = self.lock();
        state.active += 1;
        state.begun = None;
        drop(state);
        Active(self.clone())
    }

    /// Resolves when a limit has passed.
    pub(super) async fn overdue(&self) {
        loop {
            let now = self.clock.elapsed();
            let left = self.left(now);
            match left {
                Some(Duration::ZERO) => return,
                Some(left) => self.clock.sleep(left).await,
                None => std::future::pending().await,
            }
        }
    }

    /// What is left until a limit may have passed; `None` if there is no limit at all.
    fn left(&self, now: Duration) -> Option<Duration> {
        let state = self.lock();
        let shortest = [self.limits.read, self.limits.idle]
            .into_iter()
            .filter(|limit| !limit.is_zero())
            .min()?;
        let (since, limit) = match (state.active, state.begun) {
            (0, Some(begun)) => (begun, self.limits.read),
            (0, None) => (state.quiet_since, self.limits.idle),
            // Looked at again when it may matter.
            _ => return Some(shortest),
        };
        if limit.is_zero() {
            return Some(shortest);
        }
        // A shorter limit may begin to count while this one is slept for.
        Some((since + limit).saturating_sub(now).min(shortest))
    }

    fn bytes_came(&self) {
        let mut state = self.lock();
        if state.bytes_begin_requests && state.active == 0 && state.begun.is_none() {
            state.begun = Some(self.clock.elapsed());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        let now = self.0.clock.elapsed();
        let mut state = self.0.lock();
        state.active -= 1;
        if state.active == 0 {
            state.quiet_since = now;
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if polled.is_ready() && buffer.filled().len() > before {
            self.watch.bytes_came();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use ferroalloy_model::ManualClock;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn each_phase_has_its_limit() {
        let clock = ManualClock::new(0);
        let limits = Limits {
            read: 30 * SECOND,
            idle: 120 * SECOND,
        };
        let watch = Watch::new(Arc::new(clock.clone()), limits, true);
        let left = || watch.left(clock.elapsed()).unwrap();
        clock.advance(29 * SECOND);
        assert_eq!(left(), SECOND, "for the first request");

        let active = watch.request();
        clock.advance(1000 * SECOND);
        assert_eq!(left(), 30 * SECOND, "a request has limits of its own");
        drop(active);
        clock.advance(119 * SECOND);
        assert_eq!(left(), SECOND, "idle");

        watch.bytes_came();
        clock.advance(10 * SECOND);
        watch.bytes_came();
        assert_eq!(left(), 20 * SECOND, "byte after byte does not help");
        clock.advance(20 * SECOND);
        assert_eq!(left(), Duration::ZERO);
    }

    #[test]
    fn without_limits() {
        let clock = ManualClock::new(0);
        let limits = Limits {
            read: Duration::ZERO,
            idle: Duration::ZERO,
        };
        let watch = Watch::new(Arc::new(clock.clone()), limits, true);
        assert_eq!(watch.left(clock.elapsed()), None);
        let limits = Limits {
            read: Duration::ZERO,
            idle: SECOND,
        };
        let watch = Watch::new(Arc::new(clock.clone()), limits, true);
        clock.advance(100 * SECOND);
        assert_eq!(
            watch.left(clock.elapsed()),
            Some(SECOND),
            "the first request may take its time"
        );
        drop(watch.request());
        assert_eq!(watch.left(clock.elapsed()), Some(SECOND));
        clock.advance(SECOND);
        assert_eq!(watch.left(clock.elapsed()), Some(Duration::ZERO));
    }
}
