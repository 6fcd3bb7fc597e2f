//! The component graph of a configuration: which blocks there are, what each refers to, and in which order
//! they can be evaluated. Pure: nothing is built or run here, and every fault of a configuration is found.

mod build;
mod cycles;
mod names;
mod order;

use std::collections::BTreeMap;
use std::sync::Arc;

use river_syntax::ast::OwnedBlock;
use river_syntax::{Diagnostic, Stability};

use crate::component::Descriptor;
use crate::config::Config;
use crate::settings;

/// What a node of the graph is.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A component.
    Component(&'static Descriptor),
    /// A block that sets something of the whole program.
    Setting(&'static settings::Descriptor),
}

/// One block of the configuration.
#[derive(Debug, Clone)]
pub struct Node {
    /// Name and label: `prometheus.scrape.unix_metrics`.
    pub id: Arc<str>,
    /// What it is.
    pub kind: Kind,
    /// The block.
    pub block: OwnedBlock,
    /// The nodes it refers to, in the order of the text.
    pub uses: Vec<usize>,
    /// The nodes that refer to it.
    pub used_by: Vec<usize>,
    /// Something is wrong with its text, what it refers to, or the cycle it is in: it cannot be evaluated.
    pub faulty: bool,
}

/// A block that cannot be in the graph. What else is wrong with it is told all the same.
#[derive(Debug, Clone)]
pub struct Misfit {
    /// What it is; `None` if nothing here has its name.
    pub kind: Option<Kind>,
    /// The block.
    pub block: OwnedBlock,
    /// The nodes it refers to.
    pub uses: Vec<usize>,
    /// Something is wrong with its text or with what it refers to.
    pub faulty: bool,
}

/// The blocks of a configuration with their references, free of cycles.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    by_id: BTreeMap<Arc<str>, usize>,
    order: Vec<usize>,
    misfits: Vec<Misfit>,
    warnings: Vec<Diagnostic>,
}

impl Graph {
    /// Makes the graph of a configuration that may lie in several files.
    ///
    /// # Errors
    /// Everything that is wrong with it: syntax, unknown blocks, missing labels, names used twice, references to
    /// nothing, cycles, and what is less settled than `stability`.
    pub fn build(config: &Config, stability: Stability) -> Result<Self, Vec<Diagnostic>> {
        let (graph, diagnostics) = Self::analyse(config, stability);
        if diagnostics.iter().any(Diagnostic::is_error) {
            return Err(diagnostics);
        }
        Ok(Self {
            warnings: diagnostics,
            ..graph
        })
    }

    /// What works but should be looked at.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The node of a name.
    pub fn get(&self, id: &str) -> Option<&Node> {
        self.by_id.get(id).map(|index| &self.nodes[*index])
    }

    /// The nodes in the order of the text.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Blocks that are not in the graph, since their names are unknown, missing or taken; none in a graph that was built.
    pub fn misfits(&self) -> &[Misfit] {
        &self.misfits
    }

    /// The nodes, each after all that it refers to.
    pub fn in_order(&self) -> impl DoubleEndedIterator<Item = &Node> {
        self.order.iter().map(|index| &self.nodes[*index])
    }

    /// The nodes that refer to `id`, directly, in an order in which they can be evaluated.
    pub fn dependants(&self, id: &str) -> Vec<&Node> {
        let Some(&index) = self.by_id.get(id) else {
            return Vec::new();
        };
        self.in_order()
            .filter(|node| node.uses.contains(&index))
            .collect()
    }

    /// The names of all nodes by distance from those that nothing refers to: the order of shutting down, in
    /// which every level can be stopped at once.
    pub fn users_first(&self) -> Vec<Vec<Arc<str>>> {
        let mut depth = vec![0_usize; self.nodes.len()];
        // Users come after what they use, so from the end every user's depth is known.
        for &index in self.order.iter().rev() {
            depth[index] = self.nodes[index]
                .used_by
                .iter()
                .map(|user| depth[*user] + 1)
                .max()
                .unwrap_or(0);
        }
        let mut levels = Vec::new();
        for (node, depth) in self.nodes.iter().zip(depth) {
            if levels.len() <= depth {
                levels.resize_with(depth + 1, Vec::new);
            }
            levels[depth].push(Arc::clone(&node.id));
        }
        levels
    }

    /// Names of the nodes at `indexes`.
    pub fn ids(&self, indexes: &[usize]) -> Vec<Arc<str>> {
        indexes
            .iter()
            .filter_map(|index| self.nodes.get(*index))
            .map(|node| Arc::clone(&node.id))
            .collect()
    }
}

#[cfg(test)]
mod tests;
