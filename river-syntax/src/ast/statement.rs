//! Statements and the bodies that hold them.

use std::sync::Arc;

use crate::ast::{
    AttributeNode, BlockNode, BodyNode, Expr, Ident, List, OwnedBlock, Range, StatementNode, Tree,
};
use crate::source::Span;

/// The statements of a file or of a block.
#[derive(Clone, Copy)]
pub struct Body<'t> {
    tree: &'t Arc<Tree>,
    node: &'t BodyNode,
}

impl<'t> Body<'t> {
    pub(super) fn new(tree: &'t Arc<Tree>, node: &'t BodyNode) -> Body<'t> {
        Body { tree, node }
    }

    /// The statements, in order.
    pub fn statements(self) -> List<'t, Statement<'t>> {
        List::new(self.tree, self.node.first, self.node.count, Statement::new)
    }

    /// From the first statement to the last; for a block, between its braces.
    pub fn span(self) -> Span {
        self.tree.span(self.node.range)
    }

    /// Whether a statement is left out because its syntax is wrong: what seems to be missing may be that.
    pub fn is_broken(self) -> bool {
        self.node.broken
    }

    /// The blocks among the statements.
    pub fn blocks(self) -> impl Iterator<Item = Block<'t>> {
        self.statements().iter().filter_map(|statement| match statement {
            Statement::Block(block) => Some(block),
            Statement::Attribute(_) => None,
        })
    }

    /// The attributes among the statements.
    pub fn attributes(self) -> impl Iterator<Item = Attribute<'t>> {
        self.statements().iter().filter_map(|statement| match statement {
            Statement::Attribute(attribute) => Some(attribute),
            Statement::Block(_) => None,
        })
    }
}

/// An attribute or a block.
#[derive(Clone, Copy, Debug)]
pub enum Statement<'t> {
    /// `name = value`
    Attribute(Attribute<'t>),
    /// `name "label" { … }`
    Block(Block<'t>),
}

impl<'t> Statement<'t> {
    pub(super) fn new(tree: &'t Arc<Tree>, at: u32) -> Statement<'t> {
        match tree.statements[at as usize] {
            StatementNode::Attribute(at) => Statement::Attribute(Attribute { tree, at }),
            StatementNode::Block(at) => Statement::Block(Block { tree, at }),
        }
    }

    /// The attribute's name or the block's name.
    pub fn name(self) -> &'t str {
        match self {
            Statement::Attribute(attribute) => attribute.name(),
            Statement::Block(block) => block.name(),
        }
    }

    /// The attribute, or the block from its name to its closing brace.
    pub fn span(self) -> Span {
        match self {
            Statement::Attribute(attribute) => attribute.span(),
            Statement::Block(block) => block.span(),
        }
    }
}

/// `name = value`
#[derive(Clone, Copy)]
pub struct Attribute<'t> {
    tree: &'t Arc<Tree>,
    at: u32,
}

impl<'t> Attribute<'t> {
    fn node(self) -> &'t AttributeNode {
        &self.tree.attributes[self.at as usize]
    }

    /// The name.
    pub fn name(self) -> &'t str {
        self.tree.text(self.node().name)
    }

    /// Where the name is.
    pub fn name_span(self) -> Span {
        self.tree.span(self.node().name)
    }

    /// The value.
    pub fn value(self) -> Expr<'t> {
        Expr::new(self.tree, self.node().value)
    }

    /// From the name to the end of the value.
    pub fn span(self) -> Span {
        self.name_span().to(self.value().span())
    }
}

/// `name "label" { … }`
#[derive(Clone, Copy)]
pub struct Block<'t> {
    tree: &'t Arc<Tree>,
    at: u32,
}

impl<'t> Block<'t> {
    pub(super) fn new(tree: &'t Arc<Tree>, at: u32) -> Block<'t> {
        Block { tree, at }
    }

    fn node(self) -> &'t BlockNode {
        &self.tree.blocks[self.at as usize]
    }

    /// The name: identifiers with dots between.
    pub fn name(self) -> &'t str {
        let node = self.node();
        match node.joined {
            Some(at) => &self.tree.joined[at as usize],
            None => self.tree.text(node.name),
        }
    }

    /// From the first part of the name to the last.
    pub fn name_span(self) -> Span {
        self.tree.span(self.node().name)
    }

    /// The label; an empty one counts as none.
    pub fn label(self) -> Option<&'t str> {
        self.label_ident().map(|label| label.name)
    }

    /// The label with its place, to which the quotes belong.
    pub fn label_ident(self) -> Option<Ident<'t>> {
        let range = self.node().label;
        let quoted = self.tree.text(range);
        let name = quoted.get(1..quoted.len().saturating_sub(1))?;
        Some(Ident {
            name,
            span: self.tree.span(range),
        })
    }

    /// What is between the braces.
    pub fn body(self) -> Body<'t> {
        Body::new(self.tree, &self.node().body)
    }

    /// The head, from the name to the opening brace.
    pub fn header(self) -> Span {
        self.up_to(self.node().opened)
    }

    /// From the name to the closing brace.
    pub fn span(self) -> Span {
        self.up_to(self.node().closed)
    }

    fn up_to(self, end: u32) -> Span {
        let start = self.node().name.start;
        self.tree.span(Range { start, end })
    }

    /// The name, and with a dot the label if there is one: `prometheus.scrape.local`.
    pub fn id(self) -> String {
        match self.label() {
            Some(label) => format!("{}.{label}", self.name()),
            None => self.name().to_owned(),
        }
    }

    /// The block with a share in the tree, which then lives as long as it does.
    pub fn to_owned(self) -> OwnedBlock {
        OwnedBlock::new(Arc::clone(self.tree), self.at)
    }
}
