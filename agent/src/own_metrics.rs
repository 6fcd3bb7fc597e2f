//! The program's own metrics, from all who have some. There is no global registry.

use std::sync::{Arc, OnceLock, Weak};

use ferroalloy_model::{Collect, Families};

use crate::memory::Memory;
use crate::process;
use crate::telemetry::Telemetry;

/// Everything that `/metrics` and `prometheus.exporter.self` show.
#[derive(Debug, Default)]
pub struct OwnMetrics {
    /// When the process started, in milliseconds since 1970.
    pub start_time: i64,
    /// What the controller did.
    pub telemetry: Telemetry,
    components: OnceLock<Components>,
    memory: OnceLock<Arc<Memory>>,
}

/// Held weakly: components hold the host, which holds this.
struct Components(Weak<dyn Collect>);

impl std::fmt::Debug for Components {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Components")
    }
}

impl OwnMetrics {
    /// For a process that started at `start_time` (milliseconds since 1970).
    pub fn new(start_time: i64) -> Self {
        Self {
            start_time,
            ..Self::default()
        }
    }

    /// Adds those of the memory budget. The first call counts.
    pub fn add_memory(&self, memory: &Arc<Memory>) {
        let _ = self.memory.set(Arc::clone(memory));
    }

    /// Adds the metrics of the components. The first call counts.
    pub fn add_components(&self, components: &Arc<dyn Collect>) {
        // A second controller in one process would be told apart by nothing.
        let _ = self.components.set(Components(Arc::downgrade(components)));
    }
}

impl Collect for OwnMetrics {
    fn collect(&self, out: &mut Families) {
        process::collect(self.start_time, out);
        self.telemetry.collect(out);
        if let Some(memory) = self.memory.get() {
            memory.collect(out);
        }
        if let Some(components) = self
            .components
            .get()
            .and_then(|components| components.0.upgrade())
        {
            components.collect(out);
        }
    }
}
