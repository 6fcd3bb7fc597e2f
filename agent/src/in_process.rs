//! Exporters that run in this process: found by the address that their targets carry, scraped without a
//! socket, and remembered for the page.

mod target;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use ferroalloy_model::{Clock, Collect, Families, Labels};

use tokio::sync::Notify;

use crate::arguments::{Target, TargetsExports};
use crate::component::Context;
use target::InProcessTarget;

/// The address of targets that are in this process. Alloy's is `alloy.internal:12345`, and rules that people
/// have written match it.
pub const ADDRESS: &str = "alloy.internal:12345";

/// The exporters by the path of their metrics.
#[derive(Debug, Default)]
pub struct InProcess {
    exporters: Arc<Exporters>,
    /// What scrapes ask, by path: the same object for as long as somebody scrapes it.
    targets: Mutex<BTreeMap<String, Weak<InProcessTarget>>>,
}

#[derive(Debug, Default)]
struct Exporters {
    by_path: RwLock<BTreeMap<String, Arc<Exporter>>>,
    added: Notify,
}

/// The one target of an exporter, with the labels that Alloy gives it.
pub(crate) fn targets(context: &Context, job: &str, component: &str) -> TargetsExports {
    let path = metrics_path(&context.id);
    let labels = [
        ("__address__", ADDRESS),
        ("__scheme__", "http"),
        ("__metrics_path__", &path),
        ("job", job),
        ("instance", &context.host.hostname),
        ("__meta_component_name", component),
        ("__meta_component_id", &context.id),
    ];
    TargetsExports {
        targets: vec![Target(Labels::from_pairs(labels))],
    }
}

/// The path under which a component's metrics are found, here and at the HTTP server.
pub fn metrics_path(component_id: &str) -> String {
    format!("/api/v0/component/{component_id}/metrics")
}

impl InProcess {
    /// Adds the exporter of a component, in place of the one it had.
    pub fn add(&self, component_id: &str, exporter: &Arc<Exporter>) {
        let path = metrics_path(component_id);
        self.exporters
            .by_path
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(path, Arc::clone(exporter));
        self.exporters.added.notify_waiters();
    }

    /// Takes the exporter of a component out, if it is still this one.
    pub fn remove(&self, component_id: &str, exporter: &Arc<Exporter>) {
        let mut exporters = self
            .exporters
            .by_path
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let path = metrics_path(component_id);
        if exporters
            .get(&path)
            .is_some_and(|held| Arc::ptr_eq(held, exporter))
        {
            exporters.remove(&path);
        }
    }

    /// The exporter at a path.
    pub fn find(&self, path: &str) -> Option<Arc<Exporter>> {
        self.exporters.find(path)
    }

    /// All exporters, by path.
    pub fn all(&self) -> Vec<(String, Arc<Exporter>)> {
        let exporters = self
            .exporters
            .by_path
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        exporters
            .iter()
            .map(|(path, exporter)| (path.clone(), Arc::clone(exporter)))
            .collect()
    }
}

impl Exporters {
    fn find(&self, path: &str) -> Option<Arc<Exporter>> {
        self.by_path
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(path)
            .map(Arc::clone)
    }
}

/// Metrics as they were at a time.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Milliseconds since 1970.
    pub at: i64,
    /// The metrics.
    pub families: Arc<Families>,
}

/// The last two collections: two, because rates need two.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The one before the latest.
    pub previous: Option<Snapshot>,
    /// The latest.
    pub latest: Option<Snapshot>,
}

/// An exporter of this process.
pub struct Exporter {
    source: Box<dyn Collect>,
    clock: Arc<dyn Clock>,
    seen: Mutex<Seen>,
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exporter")
    }
}

impl Exporter {
    /// An exporter of what `source` collects.
    pub fn new(source: Box<dyn Collect>, clock: Arc<dyn Clock>) -> Self {
        Self {
            source,
            clock,
            seen: Mutex::default(),
        }
    }

    /// Collects, and remembers what was collected. Blocks as long as the source does.
    pub fn collect_now(&self) -> Arc<Families> {
        let mut families = self.spare();
        self.source.collect(&mut families);
        let families = Arc::new(families);
        let latest = Snapshot {
            at: self.clock.wall(),
            families: Arc::clone(&families),
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.previous = seen.latest.replace(latest);
        families
    }

    /// The buffers of the collection before the latest, unless somebody still looks at it.
    fn spare(&self) -> Families {
        let previous = self
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .previous
            .take();
        let mut spare = previous
            .and_then(|previous| Arc::try_unwrap(previous.families).ok())
            .unwrap_or_default();
        spare.clear();
        spare
    }

    /// What the last collections gave.
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Collect for Exporter {
    /// Blocks as long as its source does.
    fn collect(&self, out: &mut Families) {
        out.append(&self.collect_now());
    }
}

#[cfg(test)]
mod tests {
    use ferroalloy_model::{ManualClock, MetricKind};

    use super::*;

    struct One;
    impl Collect for One {
        fn collect(&self, out: &mut Families) {
            out.single("one", "", MetricKind::Gauge, 1.0);
        }
    }

    #[test]
    fn exporters_are_found_by_path_and_remember() {
        let clock = ManualClock::new(5);
        let exporter = Arc::new(Exporter::new(Box::new(One), Arc::new(clock)));
        let exporters = InProcess::default();
        exporters.add("prometheus.exporter.unix.a", &exporter);
        let found = exporters
            .find("/api/v0/component/prometheus.exporter.unix.a/metrics")
            .unwrap();
        let mut out = Families::new();
        found.collect(&mut out);
        assert_eq!(out.sample_count(), 1);
        assert!(found.seen().previous.is_none());
        assert_eq!(found.seen().latest.map(|snapshot| snapshot.at), Some(5));
        exporters.remove("prometheus.exporter.unix.a", &exporter);
        assert!(exporters.all().is_empty());
    }
}
