//! A tree as text: one statement a line, expressions on one line. What is printed parses to a tree that prints the same.
//!
//! This is for messages and for configuration made by programs; [`format`](crate::format()) is for files people write.

use std::fmt;

use crate::ast::{Attribute, Block, Body, Expr, ExprKind, Field, File, OwnedBlock, OwnedExpr, Statement};

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.body().fmt(f)
    }
}

impl fmt::Display for OwnedBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl fmt::Display for OwnedExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl fmt::Display for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        body(f, *self, 0)
    }
}

impl fmt::Display for Block<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        block(f, *self, 0)
    }
}

impl fmt::Display for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.name(), self.value())
    }
}

fn body(f: &mut fmt::Formatter<'_>, body: Body<'_>, depth: usize) -> fmt::Result {
    for statement in body.statements() {
        write!(f, "{:\t<depth$}", "")?;
        match statement {
            Statement::Attribute(attribute) => fmt::Display::fmt(&attribute, f)?,
            Statement::Block(inner) => block(f, inner, depth)?,
        }
        writeln!(f)?;
    }
    Ok(())
}

fn block(f: &mut fmt::Formatter<'_>, block: Block<'_>, depth: usize) -> fmt::Result {
    f.write_str(block.name())?;
    if let Some(label) = block.label() {
        write!(f, " \"{label}\"")?;
    }
    if block.body().statements().is_empty() {
        return f.write_str(" { }");
    }
    f.write_str(" {\n")?;
    body(f, block.body(), depth + 1)?;
    write!(f, "{:\t<depth$}}}", "")
}

impl fmt::Display for Expr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            ExprKind::Literal(literal) => f.write_str(literal.text()),
            ExprKind::Ident(name) => f.write_str(name.name),
            ExprKind::Array(items) => {
                f.write_str("[")?;
                list(f, items)?;
                f.write_str("]")
            }
            ExprKind::Object(fields) => {
                f.write_str("{")?;
                list(f, fields)?;
                f.write_str("}")
            }
            ExprKind::Paren(inner) => write!(f, "({inner})"),
            // A point right after digits would be read as part of the number.
            ExprKind::Access(inner, name) if matches!(inner.kind(), ExprKind::Literal(_)) => {
                write!(f, "{inner} .{}", name.name)
            }
            ExprKind::Access(inner, name) => write!(f, "{inner}.{}", name.name),
            ExprKind::Index(inner, index) => write!(f, "{inner}[{index}]"),
            ExprKind::Call(function, args) => {
                write!(f, "{function}(")?;
                list(f, args)?;
                f.write_str(")")
            }
            ExprKind::Unary(op, inner) => write!(f, "{}{inner}", op.symbol()),
            ExprKind::Binary(op, left, right) => write!(f, "{left} {} {right}", op.symbol()),
        }
    }
}

impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.text(), self.value())
    }
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: impl IntoIterator<Item = T>) -> fmt::Result {
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            f.write_str(", ")?;
        }
        item.fmt(f)?;
    }
    Ok(())
}

/// A tree is shown by its text, which says more than its numbers.
macro_rules! debug_as_text {
    ($($view:ty),*) => {
        $(impl fmt::Debug for $view {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($view).trim_end_matches("<'_>"))
            }
        })*
    };
}

debug_as_text!(
    File,
    OwnedBlock,
    OwnedExpr,
    Body<'_>,
    Block<'_>,
    Attribute<'_>,
    Expr<'_>,
    Field<'_>
);
