//! Runs the component graph: loads a configuration, applies another one as a difference, and evaluates again
//! what depends on exports that changed.
//!
//! Invariants: a configuration that does not evaluate changes nothing; what a reload does not change keeps
//! running with its queues and timers; loads and evaluations happen one after another.

mod check;
mod evaluate;
mod live;
mod plan;
mod view;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use ferroalloy_model::{Collect, Families, MetricKind, Reconfigured, clock};
use river_syntax::{Diagnostic, SourceMap};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::component::{Context, Host};
use crate::config::Config;
use crate::error::chain;
use crate::graph::{Graph, Kind, Node};
use crate::health::State as HealthState;
use crate::telemetry::CONTROLLER;
use evaluate::Names;
use live::Live;
use plan::{Plan, Step};

pub use check::check;
pub use view::{ComponentDetail, ComponentView};

type LiveById = BTreeMap<Arc<str>, Arc<Live>>;

/// The controller. Clones share everything.
#[derive(Debug, Clone)]
pub struct Controller {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    host: Arc<Host>,
    changes: UnboundedSender<Arc<str>>,
    /// Held over a whole load or evaluation.
    turn: tokio::sync::Mutex<()>,
    running: Mutex<Running>,
}

/// What runs at present.
#[derive(Debug, Default)]
struct Running {
    sources: Arc<SourceMap>,
    graph: Arc<Graph>,
    live: LiveById,
    loaded: bool,
}

impl Controller {
    /// A controller that runs nothing yet. Must be called within a tokio runtime.
    pub fn new(host: Arc<Host>) -> Self {
        let (changes, changed) = unbounded_channel();
        let shared = Arc::new(Shared {
            host,
            changes,
            turn: tokio::sync::Mutex::default(),
            running: Mutex::default(),
        });
        tokio::spawn(Self::follow_changes(Arc::downgrade(&shared), changed));
        Self { shared }
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.shared.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a configuration into force.
    ///
    /// # Errors
    /// Everything that is wrong with it; what ran before still runs then, unchanged.
    pub async fn load(&self, config: &Config) -> Result<(), Vec<Diagnostic>> {
        let _turn = self.shared.turn.lock().await;
        let host = &self.shared.host;
        let outcome = self.load_in_turn(config).await;
        host.own_metrics
            .telemetry
            .loaded(outcome.is_ok(), host.clock.wall());
        outcome
    }

    async fn load_in_turn(&self, config: &Config) -> Result<(), Vec<Diagnostic>> {
        let host = &self.shared.host;
        if host.stopping.is_cancelled() {
            // A reload that waited for its turn must not start anything in a program that ends.
            return Ok(());
        }
        let graph = Arc::new(Graph::build(config, host.stability)?);
        for warning in graph.warnings() {
            tracing::warn!(at = config.sources.locate(warning.span()), "{warning}");
        }
        let before = self.running().live.clone();
        let started = host.clock.elapsed();
        host.own_metrics.telemetry.evaluation_started();
        let plan = Plan::make(&graph, &before, host, &self.shared.changes);
        host.own_metrics
            .telemetry
            .evaluation_ended(host.clock.elapsed().saturating_sub(started));
        let plan = plan?;

        let gone = before
            .iter()
            .filter(|(id, _)| !plan.keeps(id))
            .map(|(_, live)| Arc::clone(live));
        live::stop_all(gone.collect(), host.clock.as_ref(), STOP_DEADLINE).await;
        for setting in plan.settings {
            setting.apply();
        }
        let mut live = LiveById::new();
        let mut kept = Vec::new();
        for step in plan.steps {
            match step {
                Step::Start(new) => {
                    new.start(host);
                    live.insert(Arc::clone(&new.id), new);
                }
                Step::Keep(old, arguments) => {
                    live.insert(Arc::clone(&old.id), Arc::clone(&old));
                    kept.push((old, arguments));
                }
            }
        }
        {
            let mut running = self.running();
            running.sources = Arc::new(config.sources.clone());
            running.graph = Arc::clone(&graph);
            running.live = live;
            running.loaded = true;
        }
        for (old, arguments) in kept {
            let outcome = old.reconfigure(arguments);
            if let Some(node) = graph.get(&old.id) {
                self.settle(node, &old, outcome).await;
            }
        }
        Ok(())
    }

    /// Notes what a component made of its new arguments, and builds it anew where it asks for that.
    async fn settle(&self, node: &Node, live: &Arc<Live>, outcome: Result<Reconfigured, String>) {
        let host = &self.shared.host;
        let outcome = match outcome {
            Ok(Reconfigured::Kept) => Ok(()),
            Ok(Reconfigured::Restart) => self.rebuild(node, live).await,
            Err(message) => Err(message),
        };
        if let Err(message) = &outcome {
            tracing::error!(
                component_id = &*node.id,
                error = message.as_str(),
                "component keeps its old arguments"
            );
        }
        // A component that was built anew has an entry of its own by now.
        let current = self.running().live.get(&node.id).cloned();
        if let Some(current) = current {
            current.evaluated(outcome, host.clock.wall());
        }
    }

    async fn rebuild(&self, node: &Node, old: &Arc<Live>) -> Result<(), String> {
        let host = &self.shared.host;
        let Kind::Component(descriptor) = node.kind else {
            return Ok(());
        };
        let (names, sources) = self.names();
        let arguments = live::contained(|| (descriptor.decode)(node.block.get(), &names))?
            .map_err(|faults| in_words(&sources, &faults))?;
        let exports = Arc::clone(&old.exports);
        let context = Context {
            id: Arc::clone(&node.id),
            host: Arc::clone(host),
            exports: Arc::clone(&exports),
        };
        // Built before the old one is stopped: where it cannot be built, the old one runs on.
        let component =
            live::contained(|| (descriptor.build)(context, arguments))?.map_err(|error| chain(&error))?;
        live::stop_all(vec![Arc::clone(old)], host.clock.as_ref(), STOP_DEADLINE).await;
        let new = Arc::new(Live::new(Arc::clone(&node.id), descriptor, component, exports));
        new.start(host);
        self.running().live.insert(Arc::clone(&node.id), new);
        Ok(())
    }

    /// The names that expressions can refer to at present.
    fn names(&self) -> (Names, Arc<SourceMap>) {
        let running = self.running();
        let exports = running
            .live
            .iter()
            .map(|(id, live)| (Arc::clone(id), Arc::clone(&live.exports)));
        let names = Names::new(&self.shared.host.hostname, exports.collect());
        (names, Arc::clone(&running.sources))
    }

    /// Ends with the controller, which it does not keep alive.
    async fn follow_changes(shared: Weak<Shared>, mut changed: UnboundedReceiver<Arc<str>>) {
        while let Some(first) = changed.recv().await {
            let mut ids = vec![first];
            while let Ok(next) = changed.try_recv() {
                if !ids.contains(&next) {
                    ids.push(next);
                }
            }
            let Some(shared) = shared.upgrade() else { return };
            let controller = Self { shared };
            let _turn = controller.shared.turn.lock().await;
            for id in ids {
                controller.evaluate_dependants(&id).await;
            }
        }
    }

    async fn evaluate_dependants(&self, id: &str) {
        let graph = Arc::clone(&self.running().graph);
        let host = &self.shared.host;
        for node in graph.dependants(id) {
            let Kind::Component(descriptor) = node.kind else {
                continue;
            };
            let Some(live) = self.running().live.get(&node.id).cloned() else {
                continue;
            };
            let (names, sources) = self.names();
            let started = host.clock.elapsed();
            host.own_metrics.telemetry.evaluation_started();
            let outcome = live::contained(|| (descriptor.decode)(node.block.get(), &names))
                .and_then(|decoded| decoded.map_err(|faults| in_words(&sources, &faults)))
                .and_then(|arguments| live.reconfigure(arguments));
            host.own_metrics
                .telemetry
                .evaluation_ended(host.clock.elapsed().saturating_sub(started));
            self.settle(node, &live, outcome).await;
        }
    }

    /// Whether a configuration has been put into force.
    pub fn is_ready(&self) -> bool {
        self.running().loaded
    }

    /// The components as they are, in the order of the text.
    pub fn components(&self) -> Vec<ComponentView> {
        let (graph, live) = {
            let running = self.running();
            (Arc::clone(&running.graph), running.live.clone())
        };
        view::all(&graph, &live)
    }

    /// One component as it is.
    pub fn component(&self, id: &str) -> Option<ComponentDetail> {
        let (graph, live) = {
            let running = self.running();
            (Arc::clone(&running.graph), running.live.get(id).cloned()?)
        };
        let (names, _) = self.names();
        Some(view::detail(&graph, graph.get(id)?, &live, &names))
    }

    /// Stops every component, those that nothing refers to first, within `deadline`.
    pub async fn shutdown(&self, deadline: Duration) {
        let clock = self.shared.host.clock.as_ref();
        let begun = clock.elapsed();
        // A load that is under way does not hold up the end beyond the deadline.
        let _turn = clock::timeout(clock, deadline, self.shared.turn.lock()).await;
        let (graph, live) = {
            let mut running = self.running();
            (Arc::clone(&running.graph), std::mem::take(&mut running.live))
        };
        for level in graph.users_first() {
            let level = level.iter().filter_map(|id| live.get(id).cloned()).collect();
            let left = deadline.saturating_sub(clock.elapsed().saturating_sub(begun));
            live::stop_all(level, clock, left).await;
        }
    }
}

/// How long a reload waits for a component that it takes out.
const STOP_DEADLINE: Duration = Duration::from_secs(5);

/// Faults on one line, each with its place.
fn in_words(sources: &SourceMap, faults: &[Diagnostic]) -> String {
    let faults: Vec<String> = faults
        .iter()
        .map(|fault| format!("{}: {fault}", sources.locate(fault.span())))
        .collect();
    faults.join("; ")
}

impl Collect for Controller {
    fn collect(&self, out: &mut Families) {
        let live: Vec<Arc<Live>> = self.running().live.values().cloned().collect();
        let mut own = Families::new();
        let mut counts = [
            HealthState::Healthy,
            HealthState::Unhealthy,
            HealthState::Unknown,
            HealthState::Exited,
        ]
        .map(|state| (state, 0_u32));
        for live in live {
            own.clear();
            live.component.collect(&mut own);
            out.append_labelled(&own, &[("component_path", "/"), ("component_id", &live.id)]);
            let state = live.health().state;
            if let Some((_, count)) = counts.iter_mut().find(|(known, _)| *known == state) {
                *count += 1;
            }
        }
        let mut components = out.family(
            "alloy_component_controller_running_components",
            "Total number of running components.",
            MetricKind::Gauge,
        );
        for (state, count) in counts {
            let labels = [CONTROLLER[0], CONTROLLER[1], ("health_type", state.name())];
            components.sample(&labels, f64::from(count));
        }
    }
}

/// Waits for `future` as long as `stop` is not cancelled.
pub(crate) async fn unless_stopped<F: Future>(stop: &CancellationToken, future: F) -> Option<F::Output> {
    tokio::select! {
        () = stop.cancelled() => None,
        output = future => Some(output),
    }
}

/// Waits on the clock as long as `stop` is not cancelled.
pub(crate) async fn pause(stop: &CancellationToken, clock: &dyn clock::Clock, duration: Duration) {
    unless_stopped(stop, clock.sleep(duration)).await;
}
