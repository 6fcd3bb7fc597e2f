//! Expressions.

use std::sync::Arc;

use crate::ast::{BinaryOp, ExprNode, FieldNode, List, Literal, NodeKind, Range, Tree, UnaryOp};
use crate::source::Span;

/// A name with its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ident<'t> {
    /// The name.
    pub name: &'t str,
    /// Where it is; for a label or a key, with its quotes.
    pub span: Span,
}

/// An expression.
#[derive(Clone, Copy)]
pub struct Expr<'t> {
    tree: &'t Arc<Tree>,
    at: u32,
}

/// The kinds of expressions.
#[derive(Clone, Debug)]
pub enum ExprKind<'t> {
    /// A number, string, bool or `null`.
    Literal(Literal<'t>),
    /// A bare name.
    Ident(Ident<'t>),
    /// `[a, b]`
    Array(List<'t, Expr<'t>>),
    /// `{a = 1, "b" = 2}`
    Object(List<'t, Field<'t>>),
    /// `(a)`
    Paren(Expr<'t>),
    /// `a.name`
    Access(Expr<'t>, Ident<'t>),
    /// `a[i]`
    Index(Expr<'t>, Expr<'t>),
    /// `f(a, b)`
    Call(Expr<'t>, List<'t, Expr<'t>>),
    /// `!a`, `-a`
    Unary(UnaryOp, Expr<'t>),
    /// `a + b`
    Binary(BinaryOp, Expr<'t>, Expr<'t>),
}

impl<'t> Expr<'t> {
    pub(super) fn new(tree: &'t Arc<Tree>, at: u32) -> Expr<'t> {
        Expr { tree, at }
    }

    fn node(self) -> &'t ExprNode {
        &self.tree.exprs[self.at as usize]
    }

    /// What it is.
    pub fn kind(self) -> ExprKind<'t> {
        let tree = self.tree;
        let part = |at: u32| Expr { tree, at };
        let ExprNode { kind, range, .. } = *self.node();
        match kind {
            NodeKind::Literal(kind) => ExprKind::Literal(Literal {
                text: tree.text(range),
                kind,
            }),
            NodeKind::Ident => ExprKind::Ident(self.ident(range)),
            NodeKind::Array { first, count } => ExprKind::Array(List::new(tree, first, count, Expr::new)),
            NodeKind::Object { first, count } => ExprKind::Object(List::new(tree, first, count, Field::new)),
            NodeKind::Paren(inner) => ExprKind::Paren(part(inner)),
            NodeKind::Access { inner, name } => {
                let range = Range {
                    start: name,
                    end: range.end,
                };
                ExprKind::Access(part(inner), self.ident(range))
            }
            NodeKind::Index { inner, index } => ExprKind::Index(part(inner), part(index)),
            NodeKind::Call { function, count } => {
                ExprKind::Call(part(function), List::new(tree, function + 1, count, Expr::new))
            }
            NodeKind::Unary(op, inner) => ExprKind::Unary(op, part(inner)),
            NodeKind::Binary(op, left) => ExprKind::Binary(op, part(left), part(left + 1)),
        }
    }

    fn ident(self, range: Range) -> Ident<'t> {
        Ident {
            name: self.tree.text(range),
            span: self.tree.span(range),
        }
    }

    /// Where it is.
    pub fn span(self) -> Span {
        self.tree.span(self.node().range)
    }

    /// The expression without the parentheses around it.
    #[must_use]
    pub fn inner(self) -> Expr<'t> {
        let mut expr = self;
        while let ExprKind::Paren(inner) = expr.kind() {
            expr = inner;
        }
        expr
    }

    /// Whether it is written out: a literal, or an array or object (whatever is in it), rather than computed.
    pub fn is_literal(self) -> bool {
        matches!(
            self.node().kind,
            NodeKind::Literal(_) | NodeKind::Array { .. } | NodeKind::Object { .. }
        )
    }
}

/// A field of an object.
#[derive(Clone, Copy)]
pub struct Field<'t> {
    tree: &'t Arc<Tree>,
    node: &'t FieldNode,
}

impl<'t> Field<'t> {
    pub(super) fn new(tree: &'t Arc<Tree>, at: u32) -> Field<'t> {
        Field {
            tree,
            node: &tree.fields[at as usize],
        }
    }

    /// The key as written, with its quotes.
    pub fn text(self) -> &'t str {
        self.tree.text(self.node.key)
    }

    /// The key: the name, or what is between the quotes, which is not unescaped. An empty one keeps its quotes, as in Alloy.
    pub fn key(self) -> Ident<'t> {
        let text = self.text();
        let name = match text.as_bytes() {
            [b'"' | b'`', _, .., _] => &text[1..text.len() - 1],
            _ => text,
        };
        Ident {
            name,
            span: self.tree.span(self.node.key),
        }
    }

    /// The value.
    pub fn value(self) -> Expr<'t> {
        Expr::new(self.tree, self.node.value)
    }
}
