//! What a component is given: its name, the host program, and a place for its exports.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use ferroalloy_model::Clock;
use river_syntax::{Stability, ToValue, Value};
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::in_process::InProcess;
use crate::memory::Memory;
use crate::own_metrics::OwnMetrics;

/// What all components of a program share.
#[derive(Debug)]
pub struct Host {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The host's name, for `instance`.
    pub hostname: String,
    /// What the program calls itself towards targets and receivers.
    pub user_agent: String,
    /// The exporters of this process, which are scraped without a socket.
    pub in_process: Arc<InProcess>,
    /// The program's own metrics.
    pub own_metrics: Arc<OwnMetrics>,
    /// What it may use of memory.
    pub memory: Arc<Memory>,
    /// Cancelled when the whole program is told to stop, before its components are.
    pub stopping: CancellationToken,
    /// Where components keep files; nowhere when a configuration is only checked.
    pub storage: Option<PathBuf>,
    /// How settled what the configuration uses must be.
    pub stability: Stability,
}

/// What one component is given when it is built.
#[derive(Debug, Clone)]
pub struct Context {
    /// The component's full name: `prometheus.scrape.unix_metrics`.
    pub id: Arc<str>,
    /// The program.
    pub host: Arc<Host>,
    /// Where its exports are published.
    pub exports: Arc<Exports>,
}

/// The exports of one component. Publishing other values than before has its dependants evaluated again.
#[derive(Debug)]
pub struct Exports {
    id: Arc<str>,
    value: Mutex<Value>,
    changes: UnboundedSender<Arc<str>>,
}

impl Exports {
    /// A place without exports yet; `changes` is told the component's name when they change.
    pub fn new(id: Arc<str>, changes: UnboundedSender<Arc<str>>) -> Self {
        Self {
            id,
            value: Mutex::new(Value::object::<String>([])),
            changes,
        }
    }

    /// Publishes exports. Equal ones are no change.
    pub fn publish(&self, exports: &impl ToValue) {
        let exports = exports.to_value();
        let mut value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        if *value != exports {
            *value = exports;
            drop(value);
            // The controller ends before its components only when the program does.
            let _ = self.changes.send(Arc::clone(&self.id));
        }
    }

    /// The exports as they stand.
    pub fn value(&self) -> Value {
        self.value.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
