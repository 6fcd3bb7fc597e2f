//! Types of expressions, without evaluating anything.
//!
//! What cannot be known is [`Type::Any`], which fits everywhere: the checker never refuses what would evaluate.

use crate::ast::{Expr, ExprKind, List, Reference};
use crate::diag::Diagnostic;
use crate::source::Span;
use crate::stdlib::{self, Lookup, Member};
use crate::token::TokenKind;
use crate::types::{Type, operators};

/// The static types of the names that expressions can refer to.
pub trait TypeScope {
    /// The type of the longest prefix of `path` that is known, and how many names that is; `None` when no prefix is, and
    /// then the standard library is asked. That a name is unknown is for the host to report.
    fn type_of(&self, path: &[&str]) -> Option<(usize, Type)>;
}

/// A scope of types without names.
#[derive(Clone, Copy, Debug, Default)]
pub struct UnknownTypes;

impl TypeScope for UnknownTypes {
    fn type_of(&self, _path: &[&str]) -> Option<(usize, Type)> {
        None
    }
}

/// Reports where an expression cannot give what is expected.
pub(crate) fn check(expr: Expr<'_>, expected: &Type, scope: &dyn TypeScope) -> Vec<Diagnostic> {
    let mut checker = Checker {
        scope,
        diagnostics: Vec::new(),
    };
    checker.expect(expr, expected);
    checker.diagnostics
}

struct Checker<'a> {
    scope: &'a dyn TypeScope,
    diagnostics: Vec<Diagnostic>,
}

impl Checker<'_> {
    fn expect(&mut self, expr: Expr<'_>, expected: &Type) {
        match (expr.kind(), expected) {
            (ExprKind::Paren(inner), _) => return self.expect(inner, expected),
            (ExprKind::Array(items), Type::List(inner)) => {
                return items.iter().for_each(|item| self.expect(item, inner));
            }
            (ExprKind::Object(fields), Type::Map(inner)) => {
                return fields.iter().for_each(|field| self.expect(field.value(), inner));
            }
            (ExprKind::Literal(literal), _) if literal.kind() == TokenKind::Null => return,
            _ => {}
        }
        let Some(found) = self.infer(expr) else { return };
        if !found.may_become(expected) {
            let message = if expr.is_literal() {
                format!("expected {expected}, got {found}")
            } else {
                format!("{expr} should be {expected}, got {found}")
            };
            self.diagnostics.push(Diagnostic::error(expr.span(), message));
        }
    }

    /// The type of an expression; `None` when it is wrong in itself, which has been reported.
    fn infer(&mut self, expr: Expr<'_>) -> Option<Type> {
        match expr.kind() {
            ExprKind::Literal(literal) => Some(type_of_literal(literal.kind())),
            ExprKind::Paren(inner) => self.infer(inner),
            ExprKind::Array(items) => {
                for item in items {
                    self.expect(item, &Type::Any);
                }
                Some(Type::List(&Type::Any))
            }
            ExprKind::Object(fields) => {
                for field in fields {
                    self.expect(field.value(), &Type::Any);
                }
                Some(Type::Map(&Type::Any))
            }
            ExprKind::Ident(_) => self.path(expr),
            ExprKind::Access(inner, name) => {
                if Reference::of(expr).is_some() {
                    return self.path(expr);
                }
                let owner = self.infer(inner)?;
                self.field(&owner, name.name, name.span, &inner.to_string())
            }
            ExprKind::Index(inner, index) => {
                let owner = self.infer(inner);
                self.infer(index)?;
                self.element(owner?, inner)
            }
            ExprKind::Call(function, args) => self.call(function, &args, expr.span()),
            ExprKind::Unary(op, inner) => {
                let operand = self.infer(inner)?;
                self.judge(operators::unary(op, &operand), expr.span())
            }
            ExprKind::Binary(op, left, right) => {
                let left = self.infer(left);
                let right = self.infer(right);
                self.judge(operators::binary(op, left?, right?), expr.span())
            }
        }
    }

    fn path(&mut self, expr: Expr<'_>) -> Option<Type> {
        let Some(reference) = Reference::of(expr) else {
            return Some(Type::Any);
        };
        let names = reference.names();
        let (used, mut ty) = match self.scope.type_of(&names) {
            Some((used, ty)) => (used.clamp(1, names.len().max(1)), ty),
            None => match stdlib::lookup(&names) {
                Some(Lookup::Member { member, segments, .. }) => (segments, member.ty()),
                _ => return Some(Type::Any),
            },
        };
        for (at, name) in reference.path.iter().enumerate().skip(used) {
            ty = self.field(&ty, name.name, name.span, &names[..at].join("."))?;
        }
        Some(ty)
    }

    fn field(&mut self, owner: &Type, name: &str, span: Span, text: &str) -> Option<Type> {
        if let Some(ty) = owner.field(name) {
            return Some(ty);
        }
        let diagnostic = match owner {
            Type::Object(fields) => Diagnostic::error(span, format!("field \"{name}\" does not exist"))
                .suggest_from(span, name, fields.iter().map(|field| field.name)),
            owner => {
                let message = format!("cannot access field \"{name}\" of {text}: it is of type {owner}");
                Diagnostic::error(span, message)
            }
        };
        self.diagnostics.push(diagnostic);
        None
    }

    /// The type of what an index gives.
    fn element(&mut self, owner: Type, expr: Expr<'_>) -> Option<Type> {
        Some(match owner {
            Type::List(inner) | Type::Map(inner) => *inner,
            Type::Capsule { view: Some(view), .. } => return self.element(*view, expr),
            Type::Any | Type::Object(_) => Type::Any,
            owner => {
                let message = format!("cannot index {expr}: it is of type {owner}");
                self.diagnostics.push(Diagnostic::error(expr.span(), message));
                return None;
            }
        })
    }

    fn judge(&mut self, outcome: Result<Type, String>, span: Span) -> Option<Type> {
        outcome
            .map_err(|message| self.diagnostics.push(Diagnostic::error(span, message)))
            .ok()
    }

    fn call(&mut self, function: Expr<'_>, args: &List<'_, Expr<'_>>, span: Span) -> Option<Type> {
        let known = Reference::of(function).and_then(|reference| {
            let names = reference.names();
            if self.scope.type_of(&names).is_some() {
                return None;
            }
            match stdlib::lookup(&names) {
                Some(Lookup::Member {
                    member: Member::Function(found),
                    segments,
                    ..
                }) if segments == names.len() => Some(found),
                _ => None,
            }
        });
        let Some(known) = known else {
            for arg in args {
                self.expect(arg, &Type::Any);
            }
            let callee = self.infer(function)?;
            if !callee.may_become(&Type::Function) {
                let message = format!("{function} is not a function: it is of type {callee}");
                self.diagnostics.push(Diagnostic::error(function.span(), message));
                return None;
            }
            return Some(Type::Any);
        };
        if let Err(message) = known.params.check(args.len()) {
            self.diagnostics
                .push(Diagnostic::error(span, format!("{}: {message}", known.name)));
            return None;
        }
        for (at, arg) in args.iter().enumerate() {
            self.expect(arg, known.params.type_at(at));
        }
        Some(known.result)
    }
}

fn type_of_literal(kind: TokenKind) -> Type {
    match kind {
        TokenKind::Number | TokenKind::Float => Type::Number,
        TokenKind::String => Type::String,
        TokenKind::Bool => Type::Bool,
        _ => Type::Any,
    }
}
