//! What the program is told by signals: SIGTERM and SIGINT end it, SIGHUP reloads.

use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::app::Shared;
use crate::error::Error;

/// The signals that are listened for, from the moment this is made: before the program starts anything that
/// a signal should end in good order.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Begins to listen. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// That the system does not let the process listen.
    pub(crate) fn listen() -> Result<Self, Error> {
        let listen = |kind| signal(kind).map_err(|error| Error::caused("cannot listen for signals", error));
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    /// Reloads when it is told to, and returns when it is told to stop.
    pub(crate) async fn until_told_to_stop(&mut self, shared: &Arc<Shared>) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => break,
                _ = self.interrupt.recv() => break,
                _ = self.hangup.recv() => {
                    let shared = Arc::clone(shared);
                    // A task of its own, so that the program can be stopped meanwhile. The outcome is logged.
                    tokio::spawn(async move { shared.reload().await });
                }
            }
        }
        tracing::info!("told to stop");
    }
}
