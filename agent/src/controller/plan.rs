//! A configuration evaluated whole, before any of it takes effect.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use river_syntax::Diagnostic;
use tokio::sync::mpsc::UnboundedSender;

use super::LiveById;
use super::evaluate::Names;
use super::live::{self, Live};
use crate::component::{Arguments, Context, Descriptor, Exports, Host};
use crate::error::chain;
use crate::graph::{Graph, Kind, Node};
use crate::settings::{self, Setting};

/// What is to be done, dependencies first.
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    pub(super) settings: Vec<Box<dyn Setting>>,
}

pub(super) enum Step {
    /// A component that is new.
    Start(Arc<Live>),
    /// A component that runs on, with these arguments.
    Keep(Arc<Live>, Arguments),
}

impl Plan {
    /// Decodes the arguments of every node and builds the components that are new.
    pub(super) fn make(
        graph: &Graph,
        before: &LiveById,
        host: &Arc<Host>,
        changes: &UnboundedSender<Arc<str>>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut plan = Self {
            steps: Vec::new(),
            settings: Vec::new(),
        };
        let mut names = Names::new(&host.hostname, BTreeMap::new());
        let mut failed = BTreeSet::new();
        let mut set = BTreeSet::new();
        let mut diagnostics = Vec::new();
        for node in graph.in_order() {
            // What is wrong with it has been said; what refers to a failed component would fail for that alone.
            if node.faulty || graph.ids(&node.uses).iter().any(|used| failed.contains(used)) {
                failed.insert(Arc::clone(&node.id));
                continue;
            }
            let outcome = match node.kind {
                Kind::Setting(descriptor) => {
                    set.insert(descriptor.name);
                    (descriptor.decode)(node.block.get(), &names).map(|setting| plan.settings.push(setting))
                }
                Kind::Component(descriptor) => {
                    step(node, descriptor, before.get(&node.id), &names, host, changes).map(|step| {
                        names.add(Arc::clone(&node.id), Arc::clone(&step.live().exports));
                        plan.steps.push(step);
                    })
                }
            };
            if let Err(faults) = outcome {
                failed.insert(Arc::clone(&node.id));
                diagnostics.extend(faults);
            }
        }
        for misfit in graph.misfits() {
            let waits = graph.ids(&misfit.uses).iter().any(|used| failed.contains(used));
            if misfit.faulty || waits {
                continue;
            }
            let faults = match misfit.kind {
                Some(Kind::Setting(descriptor)) => (descriptor.decode)(misfit.block.get(), &names).err(),
                Some(Kind::Component(descriptor)) => (descriptor.decode)(misfit.block.get(), &names).err(),
                None => None,
            };
            diagnostics.extend(faults.into_iter().flatten());
        }
        let unset = settings::ALL
            .iter()
            .filter(|descriptor| !set.contains(descriptor.name));
        plan.settings
            .extend(unset.map(|descriptor| (descriptor.default)()));
        if diagnostics.is_empty() {
            Ok(plan)
        } else {
            Err(diagnostics)
        }
    }

    /// Whether the component of this name runs on.
    pub(super) fn keeps(&self, id: &str) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(step, Step::Keep(live, _) if &*live.id == id))
    }
}

impl Step {
    fn live(&self) -> &Arc<Live> {
        match self {
            Self::Start(live) | Self::Keep(live, _) => live,
        }
    }
}

fn step(
    node: &Node,
    descriptor: &'static Descriptor,
    before: Option<&Arc<Live>>,
    names: &Names,
    host: &Arc<Host>,
    changes: &UnboundedSender<Arc<str>>,
) -> Result<Step, Vec<Diagnostic>> {
    let fault = |message: String| vec![Diagnostic::error(node.block.get().header(), message)];
    let arguments = live::contained(|| (descriptor.decode)(node.block.get(), names)).map_err(fault)??;
    if let Some(live) = before {
        return Ok(Step::Keep(Arc::clone(live), arguments));
    }
    let exports = Arc::new(Exports::new(Arc::clone(&node.id), changes.clone()));
    let context = Context {
        id: Arc::clone(&node.id),
        host: Arc::clone(host),
        exports: Arc::clone(&exports),
    };
    match live::contained(|| (descriptor.build)(context, arguments)).map_err(fault)? {
        Ok(component) => Ok(Step::Start(Arc::new(Live::new(
            Arc::clone(&node.id),
            descriptor,
            component,
            exports,
        )))),
        Err(error) => Err(fault(chain(&error))),
    }
}
