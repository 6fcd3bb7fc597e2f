//! From blocks to nodes: what each is, what it refers to, and everything that is wrong with either.

use std::sync::Arc;

use river_syntax::ast::{self, Statement};
use river_syntax::stdlib::{self, Lookup};
use river_syntax::{Diagnostic, Span, Stability, Type};

use super::names::{self, NamedAs};
use super::{Graph, Kind, Node, cycles, order};
use crate::component::Descriptor;
use crate::config::Config;

impl Graph {
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
        let mut known = Known {
            refused,
            config,
            stability,
            suggestions: SUGGESTIONS,
        };
        for index in 0..graph.nodes.len() {
            graph.connect(index, &mut known, &mut diagnostics);
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
                    "Ferroalloy does not have this one of Alloy's {namespace} components"
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

    fn connect(&mut self, index: usize, known: &mut Known<'_>, diagnostics: &mut Vec<Diagnostic>) {
        let block = Arc::clone(&self.nodes[index].block);
        let before = diagnostics.len();
        for reference in block.references() {
            let path = reference.names();
            let prefix = (1..=path.len())
                .rev()
                .find_map(|len| self.by_id.get(path[..len].join(".").as_str()));
            match prefix {
                Some(&target) if target == index => {
                    diagnostics.push(
                        Diagnostic::error(block.header, "cannot reference self")
                            .label(reference.span(), "the reference is here"),
                    );
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
                    None => diagnostics.push(self.nothing_there(&reference.text(), reference.span(), known)),
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

    fn nothing_there(&self, path: &str, span: Span, known: &mut Known<'_>) -> Diagnostic {
        let diagnostic = Diagnostic::error(
            span,
            format!("component {path:?} does not exist or is out of scope"),
        );
        if known.suggestions == 0 {
            return diagnostic;
        }
        known.suggestions -= 1;
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
}

/// References to nothing for which a likely one is looked for: each is compared with all there are, and who has that many
/// faults has another fault.
const SUGGESTIONS: u32 = 100;

/// What tells whether a reference to nothing has been explained already.
struct Known<'a> {
    /// Names of the blocks that were refused.
    refused: Vec<String>,
    config: &'a Config,
    stability: Stability,
    /// How many more likely names are looked for.
    suggestions: u32,
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
