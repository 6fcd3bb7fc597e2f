//! What a tree is made of. Nodes are in the order in which they were understood, so what a node is made of lies before it.
//!
//! Invariant: a node names nodes of its own tree, and its places are offsets of the tree's source.

use crate::ast::{BinaryOp, UnaryOp};
use crate::source::{Source, Span};
use crate::token::{Comment, TokenKind};

/// A tree.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) source: Source,
    pub(crate) root: BodyNode,
    pub(crate) statements: Vec<StatementNode>,
    pub(crate) attributes: Vec<AttributeNode>,
    pub(crate) blocks: Vec<BlockNode>,
    pub(crate) exprs: Vec<ExprNode>,
    pub(crate) fields: Vec<FieldNode>,
    /// Names of blocks that have blanks or comments between their parts in the source.
    pub(crate) joined: Vec<Box<str>>,
    pub(crate) comments: Vec<Comment>,
}

impl Tree {
    pub(crate) fn new(source: Source) -> Tree {
        Tree {
            source,
            root: BodyNode::default(),
            statements: Vec::new(),
            attributes: Vec::new(),
            blocks: Vec::new(),
            exprs: Vec::new(),
            fields: Vec::new(),
            joined: Vec::new(),
            comments: Vec::new(),
        }
    }

    pub(super) fn span(&self, range: Range) -> Span {
        Span::new(self.source.id(), range.start, range.end)
    }

    pub(super) fn text(&self, range: Range) -> &str {
        let (start, end) = (range.start as usize, range.end as usize);
        self.source.text().get(start..end).unwrap_or_default()
    }
}

/// A span without its source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Range {
    /// From the start of this one to the end of the other.
    pub(crate) fn to(self, other: Range) -> Range {
        Range {
            start: self.start,
            end: other.end,
        }
    }

    pub(crate) fn len(self) -> usize {
        (self.end - self.start) as usize
    }
}

/// Statements that lie beside one another.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BodyNode {
    pub(crate) first: u32,
    pub(crate) count: u32,
    pub(crate) range: Range,
    pub(crate) broken: bool,
}

/// The number of an attribute or of a block.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StatementNode {
    Attribute(u32),
    Block(u32),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct AttributeNode {
    pub(crate) name: Range,
    pub(crate) value: u32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockNode {
    pub(crate) name: Range,
    /// Where among the joined names the name is, if it is not as in the source.
    pub(crate) joined: Option<u32>,
    /// With its quotes; empty if there is none.
    pub(crate) label: Range,
    pub(crate) body: BodyNode,
    /// The ends of the opening and of the closing brace.
    pub(crate) opened: u32,
    pub(crate) closed: u32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldNode {
    pub(crate) key: Range,
    pub(crate) value: u32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct ExprNode {
    pub(crate) kind: NodeKind,
    pub(crate) range: Range,
    /// The height of the tree that it is the top of.
    pub(crate) height: u32,
}

/// What an expression is, with the numbers of what it is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NodeKind {
    /// The kind is that of its token.
    Literal(TokenKind),
    Ident,
    Array {
        first: u32,
        count: u32,
    },
    /// Of fields.
    Object {
        first: u32,
        count: u32,
    },
    Paren(u32),
    /// The name ends where the expression does.
    Access {
        inner: u32,
        name: u32,
    },
    Index {
        inner: u32,
        index: u32,
    },
    /// The arguments follow the function.
    Call {
        function: u32,
        count: u32,
    },
    Unary(UnaryOp, u32),
    /// The right operand follows the left one.
    Binary(BinaryOp, u32),
}
