//! The component graph of a configuration: which blocks there are, what each refers to, and in which order
//! they can be evaluated. Pure: nothing is built or run here, and every fault of a configuration is found.

mod names;
mod order;

use std::collections::BTreeMap;
use std::sync::Arc;

use river_syntax::ast::{self, Statement};
use river_syntax::{Diagnostic, Span, Type};

use crate::component::Descriptor;
use crate::settings;
use names::NamedAs;

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
    pub block: Arc<ast::Block>,
    /// The nodes it refers to, in the order of the text.
    pub uses: Vec<usize>,
    /// The nodes that refer to it.
    pub used_by: Vec<usize>,
}

/// The blocks of a configuration with their references, free of cycles.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    by_id: BTreeMap<Arc<str>, usize>,
    order: Vec<usize>,
    warnings: Vec<Diagnostic>,
}

impl Graph {
    /// Makes the graph of a configuration that may lie in several files.
    ///
    /// # Errors
    /// Everything that is wrong with it: unknown blocks, missing labels, names used twice, references to
    /// nothing, cycles.
    pub fn build(files: &[ast::File]) -> Result<Self, Vec<Diagnostic>> {
        let (graph, diagnostics) = Self::analyse(files);
        if diagnostics.iter().any(Diagnostic::is_error) {
            return Err(diagnostics);
        }
        Ok(Self {
            warnings: diagnostics,
            ..graph
        })
    }

    /// The nodes that can be told apart, with their references, and everything that is to be said about them.
    /// With an error among that the graph is good for looking at only: it may be without an order.
    pub fn analyse(files: &[ast::File]) -> (Self, Vec<Diagnostic>) {
        let mut graph = Self::default();
        let mut diagnostics = Vec::new();
        let mut refused = Vec::new();
        for statement in files.iter().flat_map(|file| &file.body.statements) {
            match statement {
                Statement::Attribute(attribute) => diagnostics.push(Diagnostic::error(
                    attribute.name.span,
                    format!("unrecognized attribute {}", attribute.name.name),
                )),
                Statement::Block(block) => {
                    if let Err(diagnostic) = graph.add(block) {
                        diagnostics.push(diagnostic);
                        // Without a label the name alone is a prefix of other components' names.
                        if block.label().is_some() {
                            refused.push(block.id());
                        }
                    }
                }
            }
        }
        for index in 0..graph.nodes.len() {
            graph.connect(index, &refused, &mut diagnostics);
        }
        match order::dependencies_first(&graph.nodes) {
            Ok(order) => graph.order = order,
            Err(cycles) => diagnostics.extend(cycles),
        }
        (graph, diagnostics)
    }

    fn add(&mut self, block: &ast::Block) -> Result<(), Diagnostic> {
        let kind = match names::find(block.name()) {
            NamedAs::Component(descriptor) if block.label().is_none() => {
                return Err(Diagnostic::error(
                    block.header,
                    format!("component {:?} must have a label", descriptor.name),
                )
                .note(format!("write {} \"default\" {{ … }}", descriptor.name)));
            }
            NamedAs::Component(descriptor) => Kind::Component(descriptor),
            NamedAs::Setting(descriptor) if block.label().is_some() => {
                return Err(Diagnostic::error(
                    block.header,
                    format!("block {:?} does not support specifying labels", descriptor.name),
                ));
            }
            NamedAs::Setting(descriptor) => Kind::Setting(descriptor),
            NamedAs::Unsupported(what) => {
                return Err(Diagnostic::error(
                    block.name.span,
                    format!(
                        "{what} {:?} is part of Alloy, but Ferroalloy does not have it",
                        block.name()
                    ),
                ));
            }
            NamedAs::Unknown => {
                return Err(Diagnostic::error(
                    block.name.span,
                    format!("cannot find the definition of component name {:?}", block.name()),
                )
                .suggest_from(block.name.span, block.name(), names::known()));
            }
        };
        let id: Arc<str> = block.id().into();
        if let Some(first) = self.get(&id) {
            return Err(
                Diagnostic::error(block.header, format!("block {id} is declared twice"))
                    .label(first.block.header, "the first one is here"),
            );
        }
        self.by_id.insert(Arc::clone(&id), self.nodes.len());
        let block = Arc::new(block.clone());
        self.nodes.push(Node {
            id,
            kind,
            block,
            uses: Vec::new(),
            used_by: Vec::new(),
        });
        Ok(())
    }

    fn connect(&mut self, index: usize, refused: &[String], diagnostics: &mut Vec<Diagnostic>) {
        let block = Arc::clone(&self.nodes[index].block);
        for reference in block.references() {
            let path = reference.names();
            let prefix = (1..=path.len())
                .rev()
                .find_map(|len| self.by_id.get(path[..len].join(".").as_str()));
            match prefix {
                Some(&target) if target == index => {
                    diagnostics.push(Diagnostic::error(reference.span(), "cannot reference self"));
                }
                Some(&target) => {
                    if !self.nodes[index].uses.contains(&target) {
                        self.nodes[index].uses.push(target);
                        self.nodes[target].used_by.push(index);
                    }
                }
                None if river_syntax::stdlib::lookup(&path).is_some() => {
                    diagnostics.extend(river_syntax::stdlib::check(&reference));
                }
                // What was refused has been reported; that it cannot be referred to would say it twice.
                None if refused.iter().any(|id| names::starts_with(&reference.text(), id)) => {}
                None => diagnostics.push(self.nothing_there(&reference.text(), reference.span())),
            }
        }
    }

    fn nothing_there(&self, path: &str, span: Span) -> Diagnostic {
        let diagnostic = Diagnostic::error(
            span,
            format!("component {path:?} does not exist or is out of scope"),
        );
        // The export's name stays; the component's is what is misspelt.
        let candidates: Vec<String> = self
            .nodes
            .iter()
            .flat_map(|node| {
                let exports = match node.kind {
                    Kind::Component(Descriptor {
                        exports: Type::Object(fields),
                        ..
                    }) => *fields,
                    _ => &[],
                };
                exports
                    .iter()
                    .map(|export| format!("{}.{}", node.id, export.name))
            })
            .collect();
        diagnostic.suggest_from(span, path, candidates.iter().map(String::as_str))
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
mod tests {
    use std::fmt::Write;

    use river_syntax::SourceMap;

    use super::*;

    fn build(text: &str) -> (SourceMap, Result<Graph, Vec<Diagnostic>>) {
        let mut sources = SourceMap::new();
        let source = sources.add("t.alloy", text);
        let (file, faults) = river_syntax::parse(&source);
        assert!(faults.is_empty(), "{faults:?}");
        (sources, Graph::build(&[file]))
    }

    /// `line:column: message` of every fault.
    fn faults(text: &str) -> Vec<String> {
        let (sources, outcome) = build(text);
        let faults = outcome.map(drop).unwrap_err();
        faults
            .iter()
            .map(|fault| format!("{}: {fault}", sources.locate(fault.span())))
            .collect()
    }

    #[test]
    fn what_is_referred_to_comes_first() {
        let (_, graph) = build(
            "discovery.relabel \"b\" { targets = discovery.relabel.a.output }\n\
             discovery.relabel \"a\" { targets = array.concat([{ x = constants.hostname }]) }\n",
        );
        let graph = graph.unwrap();
        let order: Vec<&str> = graph.in_order().map(|node| &*node.id).collect();
        assert_eq!(order, ["discovery.relabel.a", "discovery.relabel.b"]);
        assert_eq!(graph.dependants("discovery.relabel.a").len(), 1);
        let levels: Vec<String> = graph.users_first().iter().map(|level| level.join(" ")).collect();
        assert_eq!(levels, ["discovery.relabel.b", "discovery.relabel.a"]);
    }

    #[test]
    fn every_fault_is_found_at_its_place() {
        let found = faults(
            "x = 1\n\
             prometheus.scrap \"a\" { }\n\
             loki.write \"l\" { }\n\
             discovery.relabel { }\n\
             logging \"x\" { }\n\
             discovery.relabel \"d\" { targets = discovery.relabel.e.output }\n\
             discovery.relabel \"d\" { targets = [] }\n\
             prometheus.relabel \"r\" { forward_to = [loki.write.l.receiver] }\n",
        );
        assert_eq!(
            found,
            [
                "t.alloy:1:1: unrecognized attribute x",
                "t.alloy:2:1: cannot find the definition of component name \"prometheus.scrap\"",
                "t.alloy:3:1: the component \"loki.write\" is part of Alloy, but Ferroalloy does not have it",
                "t.alloy:4:1: component \"discovery.relabel\" must have a label",
                "t.alloy:5:1: block \"logging\" does not support specifying labels",
                "t.alloy:7:1: block discovery.relabel.d is declared twice",
                "t.alloy:6:35: component \"discovery.relabel.e.output\" does not exist or is out of scope",
            ]
        );
    }

    #[test]
    fn a_cycle_is_shown_whole() {
        let found = faults(
            "discovery.relabel \"a\" { targets = discovery.relabel.b.output }\n\
             discovery.relabel \"b\" { targets = discovery.relabel.c.output }\n\
             discovery.relabel \"c\" { targets = discovery.relabel.a.output }\n",
        );
        assert_eq!(
            found,
            ["t.alloy:1:1: cycle detected: discovery.relabel.a, discovery.relabel.b, discovery.relabel.c"]
        );
        let found = faults("discovery.relabel \"a\" { targets = discovery.relabel.a.output }\n");
        assert_eq!(found, ["t.alloy:1:35: cannot reference self"]);
    }

    #[test]
    fn a_long_chain_is_no_deep_recursion() {
        let mut text = String::from("discovery.relabel \"n0\" { targets = [] }\n");
        for n in 1..5_000 {
            let before = n - 1;
            let _ = writeln!(
                text,
                "discovery.relabel \"n{n}\" {{ targets = discovery.relabel.n{before}.output }}"
            );
        }
        let (_, graph) = build(&text);
        assert_eq!(
            graph.unwrap().in_order().last().map(|node| node.id.to_string()),
            Some("discovery.relabel.n4999".into())
        );
    }
}
