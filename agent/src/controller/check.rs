//! Everything that can be said about a configuration without running it.
//!
//! Invariant: a fault in one place hides no fault in another. Names, the types of every block, and, where the
//! graph allows it, values are all looked at.

use std::collections::HashSet;
use std::sync::Arc;

use river_syntax::{Diagnostic, Span, Type, TypeScope};
use tokio::sync::mpsc::unbounded_channel;

use super::LiveById;
use super::plan::Plan;
use crate::component::Host;
use crate::config::Config;
use crate::graph::{Graph, Kind};

/// Checks a whole configuration: components are built from it, and none is run. Errors and warnings in the
/// order of the text.
pub fn check(config: &Config, host: &Arc<Host>) -> Vec<Diagnostic> {
    let (graph, mut found) = Graph::analyse(config, host.stability);
    let sound = !found.iter().any(Diagnostic::is_error);
    let types = ExportTypes(&graph);
    for node in graph.nodes() {
        found.extend(match node.kind {
            Kind::Component(descriptor) => (descriptor.check)(node.block.get(), &types),
            Kind::Setting(descriptor) => (descriptor.check)(node.block.get(), &types),
        });
    }
    for misfit in graph.misfits() {
        found.extend(match misfit.kind {
            Some(Kind::Component(descriptor)) => (descriptor.check)(misfit.block.get(), &types),
            Some(Kind::Setting(descriptor)) => (descriptor.check)(misfit.block.get(), &types),
            None => Vec::new(),
        });
    }
    let (changes, _) = unbounded_channel();
    let faults = Plan::make(&graph, &LiveById::new(), host, &changes).map(drop);
    // A value is told to be wrong once: what the types say of it comes first.
    let said: HashSet<Span> = found.iter().map(Diagnostic::span).collect();
    let further = faults.err().into_iter().flatten();
    found.extend(further.filter(|fault| !said.contains(&fault.span())));
    // With a block that was refused it is not known what is used.
    if sound {
        found.extend(unused(&graph));
    }
    found.sort_by_key(Diagnostic::span);
    found
}

/// Components that are only there for others, and that no other refers to.
fn unused(graph: &Graph) -> impl Iterator<Item = Diagnostic> {
    graph.nodes().iter().filter_map(|node| {
        let Kind::Component(descriptor) = node.kind else {
            return None;
        };
        let has_exports = matches!(descriptor.exports, Type::Object(fields) if !fields.is_empty());
        (has_exports && node.used_by.is_empty()).then(|| {
            Diagnostic::warning(
                node.block.get().header(),
                format!("nothing refers to {}, so it has no effect", node.id),
            )
        })
    })
}

/// The types of the exports of a graph's components.
struct ExportTypes<'a>(&'a Graph);

impl TypeScope for ExportTypes<'_> {
    fn type_of(&self, path: &[&str]) -> Option<(usize, Type)> {
        (1..=path.len()).rev().find_map(|segments| {
            let node = self.0.get(&path[..segments].join("."))?;
            match node.kind {
                Kind::Component(descriptor) => Some((segments, descriptor.exports)),
                Kind::Setting(_) => None,
            }
        })
    }
}
