//! References: the dotted paths that a tree names.

use crate::ast::{Block, Body, Expr, ExprKind, Ident, Visitor, walk_expr};
use crate::source::Span;

/// A dotted path as long as the text has it: of `a.b.c[0].d` it is `a.b.c`.
///
/// How much of it names a thing and how much fields of that thing is the host's to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference<'t> {
    /// The names, the first one being the identifier; never empty.
    pub path: Vec<Ident<'t>>,
}

impl<'t> Reference<'t> {
    /// The path that an expression is, if it is an identifier or accesses on one.
    pub fn of(expr: Expr<'t>) -> Option<Reference<'t>> {
        let mut path = Vec::new();
        let mut expr = expr;
        loop {
            match expr.kind() {
                ExprKind::Access(inner, name) => {
                    path.push(name);
                    expr = inner;
                }
                ExprKind::Ident(name) => {
                    path.push(name);
                    path.reverse();
                    return Some(Reference { path });
                }
                _ => return None,
            }
        }
    }

    /// From the first name to the last.
    pub fn span(&self) -> Span {
        self.prefix_span(self.path.len())
    }

    /// From the first name to the `count`th.
    pub fn prefix_span(&self, count: usize) -> Span {
        let first = self.path.first().map(|name| name.span).unwrap_or_default();
        let last = self
            .path
            .get(count.saturating_sub(1))
            .map_or(first, |name| name.span);
        first.to(last)
    }

    /// The names as strings.
    pub fn names(&self) -> Vec<&'t str> {
        self.path.iter().map(|name| name.name).collect()
    }

    /// The path with its dots.
    pub fn text(&self) -> String {
        self.names().join(".")
    }
}

impl<'t> Expr<'t> {
    /// The references in this expression, in order of place; names of functions are among them.
    pub fn references(self) -> Vec<Reference<'t>> {
        let mut found = Collect::default();
        found.expr(self);
        found.0
    }
}

impl<'t> Body<'t> {
    /// The references in all expressions of this body and of the blocks in it, in order of place.
    pub fn references(self) -> Vec<Reference<'t>> {
        let mut found = Collect::default();
        found.body(self);
        found.0
    }
}

impl<'t> Block<'t> {
    /// The references in all expressions of this block, in order of place.
    pub fn references(self) -> Vec<Reference<'t>> {
        self.body().references()
    }
}

#[derive(Default)]
struct Collect<'t>(Vec<Reference<'t>>);

impl<'t> Visitor<'t> for Collect<'t> {
    fn expr(&mut self, expr: Expr<'t>) {
        match Reference::of(expr) {
            Some(reference) => self.0.push(reference),
            None => walk_expr(self, expr),
        }
    }
}
