//! Walking a tree.

use crate::ast::{Attribute, Block, Body, Expr, ExprKind, Statement};

/// Called for each node; the default goes on to what is inside.
pub trait Visitor {
    /// A body.
    fn body(&mut self, body: &Body) {
        walk_body(self, body);
    }

    /// An attribute.
    fn attribute(&mut self, attribute: &Attribute) {
        self.expr(&attribute.value);
    }

    /// A block.
    fn block(&mut self, block: &Block) {
        self.body(&block.body);
    }

    /// An expression.
    fn expr(&mut self, expr: &Expr) {
        walk_expr(self, expr);
    }
}

/// Visits the statements of a body.
pub fn walk_body<V: Visitor + ?Sized>(visitor: &mut V, body: &Body) {
    for statement in &body.statements {
        match statement {
            Statement::Attribute(attribute) => visitor.attribute(attribute),
            Statement::Block(block) => visitor.block(block),
        }
    }
}

/// Visits the operands of an expression.
pub fn walk_expr<V: Visitor + ?Sized>(visitor: &mut V, expr: &Expr) {
    match &expr.kind {
        ExprKind::Literal(_) | ExprKind::Ident(_) => {}
        ExprKind::Array(items) => items.iter().for_each(|item| visitor.expr(item)),
        ExprKind::Object(fields) => fields.iter().for_each(|field| visitor.expr(&field.value)),
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
