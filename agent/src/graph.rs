//! The component graph of a configuration: which blocks there are, what each refers to, and in which order
//! they can be evaluated. Pure: nothing is built or run here, and every fault of a configuration is found.

mod cycles;
mod names;
mod order;

use std::collections::BTreeMap;
use std::sync::Arc;

use river_syntax::ast::{self, Statement};
use river_syntax::stdlib::Lookup;
use river_syntax::{Diagnostic, Span, Stability, Type, stdlib};

use crate::component::Descriptor;
use crate::config::Config;
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
    /// Something is wrong with its text, what it refers to, or the cycle it is in: it cannot be evaluated.
    pub faulty: bool,
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

    /// The nodes that can be told apart, with their references, and everything that is to be said about them.
    /// What is wrong with one leaves the others in their order.
    pub fn analyse(config: &Config, stability: Stability) -> (Self, Vec<Diagnostic>) {
        let mut graph = Self::default();
        let mut diagnostics = config.faults.clone();
        let mut refused = Vec::new();
        for statement in config.files.iter().flat_map(|file| &file.body.statements) {
            match statement {
                Statement::Attribute(attribute) => diagnostics.push(Diagnostic::error(
                    attribute.name.span,
                    format!("unrecognized attribute {}", attribute.name.name),
                )),
                Statement::Block(block) => {
                    if let Err(diagnostic) = graph.add(block, stability) {
                        diagnostics.push(diagnostic);
                        // Without a label the name alone is a prefix of other components' names.
                        if block.label().is_some() {
                            refused.push(block.id());
                        }
                    }
                }
            }
        }
        let known = Known {
            refused,
            config,
            stability,
        };
        for index in 0..graph.nodes.len() {
            graph.connect(index, &known, &mut diagnostics);
        }
        let sorted = order::dependencies_first(&graph.nodes);
        graph.order = sorted.order;
        for cycle in &sorted.cycles {
            for &member in cycle {
                graph.nodes[member].faulty = true;
            }
            diagnostics.extend(cycles::describe(&graph.nodes, cycle));
        }
        (graph, diagnostics)
    }

    fn add(&mut self, block: &ast::Block, stability: Stability) -> Result<(), Diagnostic> {
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
            NamedAs::AlloyBlock => {
                return Err(Diagnostic::error(
                    block.name.span,
                    format!(
                        "the block {:?} is part of Alloy, but Ferroalloy does not have it",
                        block.name()
                    ),
                ));
            }
            NamedAs::AlloyNamespace(namespace) => {
                return Err(unknown_component(block).note(format!(
                    "Ferroalloy does not have this component of Alloy's {namespace}"
                )));
            }
            NamedAs::Unknown => {
                return Err(unknown_component(block).suggest_from(
                    block.name.span,
                    block.name(),
                    names::known(),
                ));
            }
        };
        if let Kind::Component(descriptor) = kind
            && descriptor.stability < stability
        {
            let what = format!("component {:?}", descriptor.name);
            return Err(too_unsettled(
                block.name.span,
                &what,
                descriptor.stability,
                stability,
            ));
        }
        let id: Arc<str> = block.id().into();
        if let Some(first) = self.get(&id) {
            return Err(
                Diagnostic::error(block.header, format!("block {id} is already declared"))
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
            faulty: false,
        });
        Ok(())
    }

    fn connect(&mut self, index: usize, known: &Known<'_>, diagnostics: &mut Vec<Diagnostic>) {
        let block = Arc::clone(&self.nodes[index].block);
        let before = diagnostics.len();
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
                None => match stdlib::lookup(&path) {
                    Some(Lookup::Member { member, segments, .. }) if member.stability() < known.stability => {
                        diagnostics.push(too_unsettled(
                            reference.prefix_span(segments),
                            member.name(),
                            member.stability(),
                            known.stability,
                        ));
                    }
                    Some(_) => diagnostics.extend(stdlib::check(&reference)),
                    // It has been said why the block that this refers to is not there.
                    None if known.is_accounted_for(&reference.text(), &path) => {
                        self.nodes[index].faulty = true;
                    }
                    None => diagnostics.push(self.nothing_there(&reference.text(), reference.span())),
                },
            }
        }
        self.nodes[index].faulty |= diagnostics[before..].iter().any(Diagnostic::is_error)
            || known
                .config
                .faults
                .iter()
                .any(|fault| fault.is_error() && block.span.contains(fault.span()));
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

/// What tells whether a reference to nothing has been explained already.
struct Known<'a> {
    /// Names of the blocks that were refused.
    refused: Vec<String>,
    config: &'a Config,
    stability: Stability,
}

impl Known<'_> {
    fn is_accounted_for(&self, text: &str, path: &[&str]) -> bool {
        self.refused.iter().any(|id| names::starts_with(text, id)) || self.may_be_unreadable(path)
    }

    /// Whether a file whose syntax is wrong has one of the names as a label: its block may be there, and was not
    /// understood.
    fn may_be_unreadable(&self, path: &[&str]) -> bool {
        self.config.broken_sources().any(|source| {
            let text = source.text();
            path.iter()
                .skip(1)
                .any(|name| text.contains(&format!("\"{name}")))
        })
    }
}

fn unknown_component(block: &ast::Block) -> Diagnostic {
    Diagnostic::error(
        block.name.span,
        format!("cannot find the definition of component name {:?}", block.name()),
    )
}

fn too_unsettled(span: Span, what: &str, level: Stability, least: Stability) -> Diagnostic {
    Diagnostic::error(
        span,
        format!(
            "{what} is at stability level \"{level}\", which is below the minimum allowed stability level \
             \"{least}\". Use --stability.level command-line flag to enable \"{level}\" features"
        ),
    )
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use river_syntax::SourceMap;

    use super::*;

    fn build(text: &str) -> (SourceMap, Result<Graph, Vec<Diagnostic>>) {
        let config = Config::of("t.alloy", text);
        assert!(config.faults.is_empty(), "{:?}", config.faults);
        let graph = Graph::build(&config, Stability::GenerallyAvailable);
        (config.sources, graph)
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
                "t.alloy:3:1: cannot find the definition of component name \"loki.write\"",
                "t.alloy:4:1: component \"discovery.relabel\" must have a label",
                "t.alloy:5:1: block \"logging\" does not support specifying labels",
                "t.alloy:7:1: block discovery.relabel.d is already declared",
                "t.alloy:6:35: component \"discovery.relabel.e.output\" does not exist or is out of scope",
            ]
        );
    }

    #[test]
    fn a_cycle_is_told_at_each_of_its_blocks() {
        let found = faults(
            "discovery.relabel \"a\" { targets = discovery.relabel.b.output }\n\
             discovery.relabel \"b\" { targets = discovery.relabel.c.output }\n\
             discovery.relabel \"c\" { targets = discovery.relabel.a.output }\n\
             discovery.relabel \"d\" { targets = discovery.relabel.a.output }\n",
        );
        let message = "cycle detected: discovery.relabel.a, discovery.relabel.b, discovery.relabel.c";
        assert_eq!(
            found,
            [1, 2, 3].map(|line| format!("t.alloy:{line}:1: {message}"))
        );
        let found = faults("discovery.relabel \"a\" { targets = discovery.relabel.a.output }\n");
        assert_eq!(found, ["t.alloy:1:35: cannot reference self"]);
    }

    #[test]
    fn a_fault_in_one_block_leaves_the_others_sound() {
        let config = Config::of(
            "t.alloy",
            "discovery.relabel \"a\" { targets = discovery.relabel.b.output }\n\
             discovery.relabel \"b\" { targets = discovery.relabel.a.output }\n\
             discovery.relabel \"c\" {\n  targets = [\n}\n\
             discovery.relabel \"d\" { targets = discovery.relabel.e.output }\n\
             discovery.relabel \"e\" { targets = [] }\n\
             discovery.relabel \"f g {\n  targets = []\n}\n\
             discovery.relabel \"h\" { targets = discovery.relabel.f.output }\n",
        );
        let (graph, found) = Graph::analyse(&config, Stability::GenerallyAvailable);
        let faulty: Vec<(&str, bool)> = graph.nodes().iter().map(|n| (&*n.id, n.faulty)).collect();
        let expected = [
            ("a", true),
            ("b", true),
            ("c", true),
            ("d", false),
            ("e", false),
            ("h", true),
        ];
        assert_eq!(
            faulty
                .iter()
                .map(|(id, faulty)| (id.rsplit('.').next().unwrap_or_default(), *faulty))
                .collect::<Vec<_>>(),
            expected
        );
        let dangling = found
            .iter()
            .filter(|fault| fault.message().contains("does not exist"));
        assert_eq!(dangling.count(), 0, "{found:?}");
    }

    #[test]
    fn what_is_not_settled_must_be_asked_for() {
        let text = "discovery.relabel \"a\" { targets = array.combine_maps([], [], []) }\n";
        assert_eq!(
            faults(text),
            [
                "t.alloy:1:35: array.combine_maps is at stability level \"experimental\", which is below the minimum \
              allowed stability level \"generally-available\". Use --stability.level command-line flag to enable \
              \"experimental\" features"
            ]
        );
        let config = Config::of("t.alloy", text);
        assert!(Graph::build(&config, Stability::Experimental).is_ok());
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
