//! From blocks to nodes: what each is, what it refers to, and everything that is wrong with either.

use std::collections::HashSet;
use std::sync::Arc;

use river_syntax::ast::{self, Statement};
use river_syntax::stdlib::{self, Lookup};
use river_syntax::{Diagnostic, Source, Span, Stability, Type};

use super::names::{self, NamedAs};
use super::{Graph, Kind, Misfit, Node, cycles, order};
use crate::component::Descriptor;
use crate::config::Config;

impl Graph {
    /// The nodes that can be told apart, with their references, and everything that is to be said about them.
    /// What is wrong with one leaves the others in their order.
    pub fn analyse(config: &Config, stability: Stability) -> (Self, Vec<Diagnostic>) {
        let mut graph = Self::default();
        let mut diagnostics = config.faults.clone();
        let mut refused = HashSet::new();
        for statement in config.files.iter().flat_map(|file| file.body().statements()) {
            match statement {
                Statement::Attribute(attribute) => diagnostics.push(Diagnostic::error(
                    attribute.name_span(),
                    format!("unrecognized attribute {}", attribute.name()),
                )),
                Statement::Block(block) => {
                    if let Err(diagnostic) = graph.add(block, stability) {
                        diagnostics.push(diagnostic);
                        // Without a label the name alone is a prefix of other components' names.
                        if block.label().is_some() {
                            refused.insert(block.id());
                        }
                    }
                }
            }
        }
        let mut known = Known {
            refused,
            unread: None,
            config,
            stability,
            suggestions: SUGGESTIONS,
        };
        for index in 0..graph.nodes.len() {
            graph.connect(index, &mut known, &mut diagnostics);
        }
        let mut misfits = std::mem::take(&mut graph.misfits);
        for misfit in &mut misfits {
            let references = graph.references(misfit.block.get(), None, &mut known, &mut diagnostics);
            (misfit.uses, misfit.faulty) = (references.uses, references.faulty);
        }
        graph.misfits = misfits;
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

    fn add(&mut self, block: ast::Block<'_>, stability: Stability) -> Result<(), Diagnostic> {
        let named = names::find(block.name());
        let kind = match named {
            NamedAs::Component(descriptor) => Some(Kind::Component(descriptor)),
            NamedAs::Setting(descriptor) => Some(Kind::Setting(descriptor)),
            NamedAs::AlloyBlock | NamedAs::AlloyNamespace(_) | NamedAs::Unknown => None,
        };
        let added = self.add_named(block, &named, stability);
        // The names in a block of Alloy's, such as a module, are its own.
        if added.is_err() && !matches!(named, NamedAs::AlloyBlock) {
            self.misfits.push(Misfit {
                kind,
                block: block.to_owned(),
                uses: Vec::new(),
                faulty: false,
            });
        }
        added
    }

    fn add_named(
        &mut self,
        block: ast::Block<'_>,
        named: &NamedAs,
        stability: Stability,
    ) -> Result<(), Diagnostic> {
        let kind = match *named {
            NamedAs::Component(descriptor) if block.label().is_none() => {
                return Err(Diagnostic::error(
                    block.header(),
                    format!("component {:?} must have a label", descriptor.name),
                )
                .note(format!("write {} \"default\" {{ … }}", descriptor.name)));
            }
            NamedAs::Component(descriptor) => Kind::Component(descriptor),
            NamedAs::Setting(descriptor) if block.label().is_some() => {
                return Err(Diagnostic::error(
                    block.header(),
                    format!("block {:?} does not support specifying labels", descriptor.name),
                ));
            }
            NamedAs::Setting(descriptor) => Kind::Setting(descriptor),
            NamedAs::AlloyBlock => {
                return Err(Diagnostic::error(
                    block.name_span(),
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
                    block.name_span(),
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
                block.name_span(),
                &what,
                descriptor.stability,
                stability,
            ));
        }
        let id: Arc<str> = block.id().into();
        if let Some(first) = self.get(&id) {
            return Err(
                Diagnostic::error(block.header(), format!("block {id} is already declared"))
                    .label(first.block.get().header(), "the first one is here"),
            );
        }
        self.by_id.insert(Arc::clone(&id), self.nodes.len());
        let block = block.to_owned();
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
        let block = self.nodes[index].block.clone();
        let references = self.references(block.get(), Some(index), known, diagnostics);
        for &target in &references.uses {
            self.nodes[target].used_by.push(index);
        }
        self.nodes[index].uses = references.uses;
        self.nodes[index].faulty = references.faulty;
    }

    /// What a block refers to, which is node `own` unless it is none.
    fn references(
        &self,
        block: ast::Block<'_>,
        own: Option<usize>,
        known: &mut Known<'_>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> References {
        let mut uses = Vec::new();
        let mut seen = HashSet::new();
        let mut faulty = false;
        let before = diagnostics.len();
        for reference in block.references() {
            let path = reference.names();
            let prefix = (1..=path.len())
                .rev()
                .find_map(|len| self.by_id.get(path[..len].join(".").as_str()));
            match prefix {
                Some(&target) if Some(target) == own => {
                    diagnostics.push(
                        Diagnostic::error(block.header(), "cannot reference self")
                            .label(reference.span(), "the reference is here"),
                    );
                }
                Some(&target) => {
                    if seen.insert(target) {
                        uses.push(target);
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
                    None if known.is_accounted_for(&path) => faulty = true,
                    None => diagnostics.push(self.nothing_there(&reference.text(), reference.span(), known)),
                },
            }
        }
        faulty |= diagnostics[before..].iter().any(Diagnostic::is_error)
            || known
                .config
                .faults
                .iter()
                .any(|fault| fault.is_error() && block.span().contains(fault.span()));
        References { uses, faulty }
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

/// What a block refers to.
struct References {
    /// Nodes, each once, in the order of the text.
    uses: Vec<usize>,
    /// Something is wrong with the block's text, or with what it refers to.
    faulty: bool,
}

/// References to nothing for which a likely one is looked for: each is compared with all there are, and who has that many
/// faults has another fault.
const SUGGESTIONS: u32 = 100;

/// What tells whether a reference to nothing has been explained already.
struct Known<'a> {
    /// Names of the blocks that were refused.
    refused: HashSet<String>,
    /// What follows a quote in files whose syntax is wrong: labels, perhaps, of blocks that were not understood.
    unread: Option<HashSet<&'a str>>,
    config: &'a Config,
    stability: Stability,
    /// How many more likely names are looked for.
    suggestions: u32,
}

impl Known<'_> {
    fn is_accounted_for(&mut self, path: &[&str]) -> bool {
        (1..=path.len()).any(|len| self.refused.contains(&path[..len].join(".")))
            || self.may_be_unreadable(path)
    }

    /// Whether a file whose syntax is wrong has one of the names as a label: its block may be there, and was not
    /// understood.
    fn may_be_unreadable(&mut self, path: &[&str]) -> bool {
        let config = self.config;
        let unread = self.unread.get_or_insert_with(|| {
            let texts = config.broken_sources().map(Source::text);
            texts
                .flat_map(|text| text.split('"').skip(1))
                .map(|rest| {
                    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                    &rest[..end.unwrap_or(rest.len())]
                })
                .collect()
        });
        path.iter().skip(1).any(|name| unread.contains(name))
    }
}

fn unknown_component(block: ast::Block<'_>) -> Diagnostic {
    Diagnostic::error(
        block.name_span(),
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
