//! The evaluator: expressions to values.
//!
//! Names are the host's: a [`Scope`] resolves dotted paths, the longest known prefix first, and what it does not know
//! is looked up in the standard library. Evaluation does no I/O but what functions ask of the scope's [`Environment`],
//! and costs no more than its [`Budget`].

mod budget;
mod environment;
mod ops;
mod scope;

use std::sync::Arc;

use crate::ast::{Expr, ExprKind, List, Reference};
use crate::decode::describe_mismatch;
use crate::diag::Diagnostic;
use crate::source::Span;
use crate::stdlib;
use crate::value::{Call, CallError, Value};

pub use budget::{Budget, Exceeded};
pub use environment::{Environment, Isolated, Process};
pub(crate) use ops::equal;
pub use scope::{EmptyScope, Found, Nested, Scope, Variables};

/// Evaluates an expression; the error is the first one met.
pub fn evaluate(expr: Expr<'_>, scope: &dyn Scope) -> Result<Value, Diagnostic> {
    evaluate_within(expr, scope, &Budget::new())
}

/// Evaluates one of several expressions that share a budget.
pub(crate) fn evaluate_within(
    expr: Expr<'_>,
    scope: &dyn Scope,
    budget: &Budget,
) -> Result<Value, Diagnostic> {
    Evaluation { scope, budget }.value(expr)
}

/// What expressions are evaluated with.
#[derive(Clone, Copy)]
struct Evaluation<'a> {
    scope: &'a dyn Scope,
    budget: &'a Budget,
}

impl Evaluation<'_> {
    fn value(self, expr: Expr<'_>) -> Result<Value, Diagnostic> {
        match expr.kind() {
            ExprKind::Literal(literal) => Ok(literal.value()),
            ExprKind::Paren(inner) => self.value(inner),
            ExprKind::Array(items) => {
                let items: Result<Vec<Value>, Diagnostic> =
                    items.iter().map(|item| self.value(item)).collect();
                Ok(Value::Array(Arc::new(items?)))
            }
            ExprKind::Object(fields) => {
                let mut object = crate::value::Object::new();
                for field in fields {
                    object.insert(field.key().name.to_owned(), self.value(field.value())?);
                }
                Ok(Value::Object(Arc::new(object)))
            }
            ExprKind::Ident(_) => path(expr, self.scope),
            ExprKind::Access(inner, name) => {
                if Reference::of(expr).is_some() {
                    return path(expr, self.scope);
                }
                access(&self.value(inner)?, name.name, name.span, inner)
            }
            ExprKind::Index(owner, place) => index(&self.value(owner)?, &self.value(place)?, owner, place),
            ExprKind::Call(function, args) => self.call(function, &args, expr.span()),
            ExprKind::Unary(op, inner) => {
                ops::unary(op, &self.value(inner)?).map_err(|message| Diagnostic::error(expr.span(), message))
            }
            ExprKind::Binary(op, left, right) => {
                ops::binary(op, &self.value(left)?, &self.value(right)?, self.budget)
                    .map_err(|message| Diagnostic::error(expr.span(), message))
            }
        }
    }

    fn call(self, function: Expr<'_>, args: &List<'_, Expr<'_>>, span: Span) -> Result<Value, Diagnostic> {
        let callee = self.value(function)?;
        let Value::Function(callee) = callee else {
            let message = format!(
                "{function} is not a function: it is of type {}",
                callee.type_name()
            );
            return Err(Diagnostic::error(function.span(), message));
        };
        callee
            .params
            .check(args.len())
            .map_err(|message| Diagnostic::error(span, format!("{}: {message}", callee.name)))?;
        let values: Result<Vec<Value>, Diagnostic> = args.iter().map(|arg| self.value(arg)).collect();
        let values = values?;
        let looked_at: usize = values.iter().map(breadth).sum();
        let result = self
            .budget
            .look(looked_at)
            .map_err(CallError::from)
            .and_then(|()| {
                (callee.call)(&Call {
                    args: &values,
                    environment: self.scope.environment(),
                    budget: self.budget,
                })
            });
        result.map_err(|error| match error {
            CallError::Argument { at, mismatch } => match args.get(at) {
                Some(arg) => describe_mismatch(&mismatch, arg),
                None => Diagnostic::error(span, format!("{}: {}", callee.name, mismatch.message())),
            },
            CallError::Failed(message) => Diagnostic::error(span, format!("{}: {message}", callee.name)),
        })
    }
}

/// The bytes of a text, or of the elements of a list or object without what they hold.
fn breadth(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len() * size_of::<Value>(),
        Value::Object(fields) => fields.len() * size_of::<Value>(),
        Value::Secret(secret) => secret.expose().len(),
        Value::OptionalSecret(secret) => secret.expose().len(),
        Value::String(text) => text.len(),
        _ => size_of::<Value>(),
    }
}

/// The value of a dotted path: the host's longest prefix or the standard library's, then fields.
fn path(expr: Expr<'_>, scope: &dyn Scope) -> Result<Value, Diagnostic> {
    let reference = Reference::of(expr).unwrap_or(Reference { path: Vec::new() });
    let names = reference.names();
    let found = match scope.resolve(&names) {
        Ok(found) => found,
        Err(message) => return Err(Diagnostic::error(reference.span(), message)),
    };
    let (used, mut value) = match found {
        Some(found) => (found.segments.clamp(1, names.len().max(1)), found.value),
        None => stdlib::resolve(&reference, scope.environment())?,
    };
    for (at, name) in reference.path.iter().enumerate().skip(used) {
        value = field(&value, name.name).map_err(|fault| {
            let owner = names[..at].join(".");
            fault.diagnostic(name.span, name.name, &owner)
        })?;
    }
    Ok(value)
}

/// Why a field could not be taken.
enum FieldFault {
    /// The value has fields, but not this one.
    Missing(Vec<String>),
    /// The value has no fields.
    NotObject(String),
}

impl FieldFault {
    fn diagnostic(&self, span: Span, name: &str, owner: &str) -> Diagnostic {
        match self {
            FieldFault::Missing(fields) => {
                let fields = fields.iter().map(String::as_str);
                Diagnostic::error(span, format!("field \"{name}\" does not exist"))
                    .suggest_from(span, name, fields)
            }
            FieldFault::NotObject(kind) => Diagnostic::error(
                span,
                format!("cannot access field \"{name}\" of {owner}: it is of type {kind}"),
            ),
        }
    }
}

fn field(value: &Value, name: &str) -> Result<Value, FieldFault> {
    match value.view() {
        Value::Object(fields) => fields
            .get(name)
            .cloned()
            .ok_or_else(|| FieldFault::Missing(fields.keys().cloned().collect())),
        _ => Err(FieldFault::NotObject(value.type_name())),
    }
}

fn access(value: &Value, name: &str, span: Span, owner: Expr<'_>) -> Result<Value, Diagnostic> {
    field(value, name).map_err(|fault| fault.diagnostic(span, name, &owner.to_string()))
}

/// `value[at]`: a missing key gives `null`, an index out of range is an error.
fn index(value: &Value, at: &Value, owner: Expr<'_>, place: Expr<'_>) -> Result<Value, Diagnostic> {
    match (value.view(), at) {
        (Value::Array(items), Value::Number(number)) => {
            let found = number
                .to_integer()
                .and_then(|at| items.get(usize::try_from(at).ok()?).cloned());
            found.ok_or_else(|| {
                let message = format!(
                    "index {number} is out of range of array with length {}",
                    items.len()
                );
                Diagnostic::error(place.span(), message)
            })
        }
        (Value::Array(_), other) => {
            let message = format!(
                "expected a number as index of an array, got {}",
                other.type_name()
            );
            Err(Diagnostic::error(place.span(), message))
        }
        (Value::Object(fields), key) => {
            let wrong = || {
                let message = format!("expected a string as key of an object, got {}", key.type_name());
                Diagnostic::error(place.span(), message)
            };
            Ok(fields
                .get(key.as_str().ok_or_else(wrong)?)
                .cloned()
                .unwrap_or_default())
        }
        _ => {
            let message = format!("cannot index {owner}: it is of type {}", value.type_name());
            Err(Diagnostic::error(owner.span(), message))
        }
    }
}
