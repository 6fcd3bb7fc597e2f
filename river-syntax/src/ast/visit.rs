//! Walking a tree.

use crate::ast::{Attribute, Block, Body, Expr, ExprKind, Statement};

/// Called for each node; the default goes on to what is inside.
pub trait Visitor<'t> {
    /// A body.
    fn body(&mut self, body: Body<'t>) {
        walk_body(self, body);
    }

    /// An attribute.
    fn attribute(&mut self, attribute: Attribute<'t>) {
        self.expr(attribute.value());
    }

    /// A block.
    fn block(&mut self, block: Block<'t>) {
        self.body(block.body());
    }

    /// An expression.
    fn expr(&mut self, expr: Expr<'t>) {
        walk_expr(self, expr);
    }
}

/// Visits the statements of a body.
pub fn walk_body<'t, V: Visitor<'t> + ?Sized>(visitor: &mut V, body: Body<'t>) {
    for statement in body.statements() {
        match statement {
            Statement::Attribute(attribute) => visitor.attribute(attribute),
            Statement::Block(block) => visitor.block(block),
        }
    }
}

/// Visits the operands of an expression.
pub fn walk_expr<'t, V: Visitor<'t> + ?Sized>(visitor: &mut V, expr: Expr<'t>) {
    match expr.kind() {
        ExprKind::Literal(_) | ExprKind::Ident(_) => {}
        ExprKind::Array(items) => items.iter().for_each(|item| visitor.expr(item)),
        ExprKind::Object(fields) => fields.iter().for_each(|field| visitor.expr(field.value())),
        ExprKind::Paren(inner) | ExprKind::Access(inner, _) | ExprKind::Unary(_, inner) => {
            visitor.expr(inner);
        }
        ExprKind::Index(inner, index) => {
            visitor.expr(inner);
            visitor.expr(index);
        }
        ExprKind::Call(function, args) => {
            visitor.expr(function);
            for arg in args {
                visitor.expr(arg);
            }
        }
        ExprKind::Binary(_, left, right) => {
            visitor.expr(left);
            visitor.expr(right);
        }
    }
}
