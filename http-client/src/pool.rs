//! Connections kept for the next request to the same origin.
//!
//! Invariant: a connection in the pool has no exchange under way (HTTP/1.1) or is shared (HTTP/2); it has not been idle
//! for much more than 90 seconds, and it is not older than ten minutes, so that a name that moves to another address and a renewed
//! certificate are noticed in the end.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::connection::{Birth, Connection, Http1, Http2};
use crate::origin::Origin;

/// Longer than the usual interval of a minute, and short enough that the memory of targets that are gone is soon free.
const IDLE_AT_MOST: Duration = Duration::from_secs(90);
const AGE_AT_MOST: Duration = Duration::from_mins(10);
const SWEEP_EVERY: Duration = Duration::from_secs(15);
const IDLE_PER_ORIGIN: usize = 16;

pub(crate) struct Pool(Mutex<State>);

struct State {
    origins: HashMap<Origin, Kept>,
    /// Rises when everything is renewed; connections of an older generation are not taken back.
    generation: u64,
    swept: Instant,
}

#[derive(Default)]
struct Kept {
    idle: Vec<Idle>,
    shared: Option<Http2>,
}

struct Idle {
    connection: Http1,
    since: Instant,
}

impl Pool {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State {
            origins: HashMap::new(),
            generation: 0,
            swept: now(),
        }))
    }

    pub(crate) fn birth(&self) -> Birth {
        Birth {
            at: now(),
            generation: self.lock().generation,
        }
    }

    /// A connection to `origin` that looks alive.
    pub(crate) async fn take(&self, origin: &Origin) -> Option<Connection> {
        loop {
            let mut connection = {
                let mut state = self.lock();
                let kept = state.origins.get_mut(origin)?;
                if let Some(shared) = kept
                    .shared
                    .as_ref()
                    .filter(|shared| shared.is_reusable() && young(shared.birth))
                {
                    return Some(Connection::Http2(shared.clone()));
                }
                kept.shared = None;
                // The last one used is the least likely to have been closed.
                kept.idle.pop()?.connection
            };
            if young(connection.birth) && connection.is_reusable().await {
                return Some(Connection::Http1(connection));
            }
        }
    }

    /// Shares an HTTP/2 connection that has just been made.
    pub(crate) fn share(&self, origin: &Origin, connection: &Http2) {
        let mut state = self.lock();
        if connection.birth.generation == state.generation {
            state.origins.entry(origin.clone()).or_default().shared = Some(connection.clone());
        }
    }

    /// Takes back a connection whose exchange is over.
    pub(crate) async fn put(&self, origin: &Origin, mut connection: Http1) {
        if !young(connection.birth) || !connection.is_reusable().await {
            return;
        }
        let mut state = self.lock();
        if connection.birth.generation != state.generation {
            return;
        }
        let since = now();
        state.sweep(since);
        if !state.origins.contains_key(origin) {
            state.origins.insert(origin.clone(), Kept::default());
        }
        if let Some(kept) = state.origins.get_mut(origin)
            && kept.idle.len() < IDLE_PER_ORIGIN
        {
            kept.idle.push(Idle { connection, since });
        }
    }

    /// Drops what is idle now, and what is in use as soon as it is not.
    pub(crate) fn renew(&self) {
        let mut state = self.lock();
        state.generation += 1;
        state.origins.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn sweep(&mut self, now: Instant) {
        if now.duration_since(self.swept) < SWEEP_EVERY {
            return;
        }
        self.swept = now;
        self.origins.retain(|_, kept| {
            kept.idle
                .retain(|idle| now.duration_since(idle.since) < IDLE_AT_MOST);
            kept.shared
                .take_if(|shared| !shared.is_reusable() || !young(shared.birth));
            !kept.idle.is_empty() || kept.shared.is_some()
        });
    }
}

fn young(birth: Birth) -> bool {
    now().duration_since(birth.at) < AGE_AT_MOST
}

/// The runtime's own clock: it only ever forgets connections, and after a suspend the owner renews them all.
fn now() -> Instant {
    Instant::now()
}
