//! Values that do not fit, and how to say so at the right place.

use std::fmt;

use crate::ast::{Expr, ExprKind, Field};
use crate::diag::Diagnostic;
use crate::value::Value;

/// A step into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Index(usize),
    Key(String),
}

/// Why a value cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    /// Where in the value, innermost step first.
    path: Vec<Step>,
    problem: Problem,
    suggestion: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Problem {
    Type { expected: String, got: String },
    Message(String),
}

impl Mismatch {
    fn of(problem: Problem) -> Mismatch {
        Mismatch(Box::new(Inner {
            path: Vec::new(),
            problem,
            suggestion: None,
        }))
    }

    /// The value has another type than `expected`.
    pub fn wrong_type(expected: impl Into<String>, got: &Value) -> Mismatch {
        Mismatch::of(Problem::Type {
            expected: expected.into(),
            got: got.type_name(),
        })
    }

    /// The value has the right type, but does not do.
    pub fn invalid(message: impl fmt::Display) -> Mismatch {
        Mismatch::of(Problem::Message(message.to_string()))
    }

    /// The text is none of `choices`; the nearest is suggested.
    pub fn not_one_of(text: &str, choices: &[&str]) -> Mismatch {
        let list = choices
            .iter()
            .map(|choice| format!("\"{choice}\""))
            .collect::<Vec<_>>()
            .join(", ");
        let mut mismatch = Mismatch::invalid(format!("unknown value \"{text}\", expected one of {list}"));
        let suggestion = crate::diag::closest(text, choices.iter().copied());
        mismatch.0.suggestion = suggestion.map(|choice| format!("\"{choice}\""));
        mismatch
    }

    /// The mismatch is in the element at a place.
    #[must_use]
    pub fn at_index(mut self, at: usize) -> Mismatch {
        self.0.path.push(Step::Index(at));
        self
    }

    /// The mismatch is in the field of a name.
    #[must_use]
    pub fn at_key(mut self, key: &str) -> Mismatch {
        self.0.path.push(Step::Key(key.to_owned()));
        self
    }

    /// What is wrong, without the place.
    pub fn message(&self) -> String {
        match &self.0.problem {
            Problem::Type { expected, got } => format!("expected {expected}, got {got}"),
            Problem::Message(message) => message.clone(),
        }
    }
}

impl fmt::Display for Mismatch {
    /// What is wrong, with the place in the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.path.is_empty() {
            f.write_str("value")?;
            write_path(f, self.0.path.iter().rev())?;
            f.write_str(": ")?;
        }
        f.write_str(&self.message())
    }
}

fn write_path<'a>(f: &mut dyn fmt::Write, path: impl Iterator<Item = &'a Step>) -> fmt::Result {
    for step in path {
        match step {
            Step::Index(at) => write!(f, "[{at}]")?,
            Step::Key(key) => write!(f, "[\"{key}\"]")?,
        }
    }
    Ok(())
}

/// The diagnostic for an expression whose value does not fit, at the innermost part of it that is written out.
pub(crate) fn describe(mismatch: &Mismatch, expr: Expr<'_>) -> Diagnostic {
    let mut expr = expr.inner();
    let mut path = mismatch.0.path.iter().rev().peekable();
    while let Some(step) = path.peek() {
        let part = match (step, expr.kind()) {
            (Step::Index(at), ExprKind::Array(items)) => items.get(*at),
            // The last field of a name is the one that counts.
            (Step::Key(key), ExprKind::Object(fields)) => fields
                .iter()
                .rfind(|field| field.key().name == key.as_str())
                .map(Field::value),
            _ => None,
        };
        let Some(part) = part else { break };
        expr = part.inner();
        path.next();
    }
    let mut place = String::new();
    // Writing to a string does not fail.
    let _ = write_path(&mut place, path);
    let message = match &mismatch.0.problem {
        Problem::Type { expected, got } if expr.is_literal() && place.is_empty() => {
            format!("expected {expected}, got {got}")
        }
        Problem::Type { expected, got } => {
            format!("{}{place} should be {expected}, got {got}", shorten(expr))
        }
        Problem::Message(message) if place.is_empty() => message.clone(),
        Problem::Message(message) => format!("{}{place}: {message}", shorten(expr)),
    };
    let diagnostic = Diagnostic::error(expr.span(), message);
    match &mismatch.0.suggestion {
        Some(suggestion) if matches!(expr.kind(), ExprKind::Literal(_)) => {
            diagnostic.suggest(expr.span(), suggestion)
        }
        _ => diagnostic,
    }
}

/// The text of an expression for a message, cut if it is long.
fn shorten(expr: Expr<'_>) -> String {
    const MOST: usize = 80;
    let text = expr.to_string().replace('\n', " ");
    if text.chars().count() <= MOST {
        return text;
    }
    text.chars().take(MOST).chain("…".chars()).collect()
}
