//! Diagnostics: what is wrong, where, and what would be right.
//!
//! One type serves the parser, the evaluator, the decoder and the host. A diagnostic holds no text of the source:
//! renderers take a [`SourceMap`](crate::SourceMap).

mod json;
mod render;
mod suggest;

use std::fmt;

use crate::source::Span;

pub use json::to_json;
pub use render::{Renderer, render, render_all};
pub use suggest::closest;

/// As many diagnostics the parser gives for one file; a last one says that there are more.
pub const MOST_DIAGNOSTICS: usize = 1_000;

/// The first of the diagnostics, in order of place, and if that leaves some out one that says so.
pub(crate) fn first(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by_key(Diagnostic::span);
    if let Some(next) = diagnostics.get(MOST_DIAGNOSTICS).map(Diagnostic::span) {
        diagnostics.truncate(MOST_DIAGNOSTICS);
        let message = "too many problems; what is wrong from here on is not shown";
        diagnostics.push(Diagnostic::error(next, message));
    }
    diagnostics
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Works, but should be looked at.
    Warning,
    /// Does not work.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Warning => "Warning",
            Severity::Error => "Error",
        })
    }
}

/// A second place that has to do with a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is there.
    pub message: String,
}

/// Text that, put in place of a span, is likely what was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// What to replace.
    pub span: Span,
    /// What with.
    pub replacement: String,
}

/// One finding.
#[derive(Clone, PartialEq, Eq)]
pub struct Diagnostic(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    severity: Severity,
    message: String,
    span: Span,
    labels: Vec<Label>,
    notes: Vec<String>,
    suggestion: Option<Suggestion>,
}

impl Diagnostic {
    fn new(severity: Severity, span: Span, message: String) -> Diagnostic {
        let (labels, notes, suggestion) = (Vec::new(), Vec::new(), None);
        Diagnostic(Box::new(Inner {
            severity,
            message,
            span,
            labels,
            notes,
            suggestion,
        }))
    }

    /// An error at a span. The message is lower case and has no full stop.
    pub fn error(span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Error, span, message.into())
    }

    /// A warning at a span.
    pub fn warning(span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Warning, span, message.into())
    }

    /// Adds a second place.
    #[must_use]
    pub fn label(mut self, span: Span, message: impl Into<String>) -> Diagnostic {
        self.0.labels.push(Label {
            span,
            message: message.into(),
        });
        self
    }

    /// Adds a sentence that explains or helps.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Diagnostic {
        self.0.notes.push(note.into());
        self
    }

    /// Says what to put in place of `span`.
    #[must_use]
    pub fn suggest(mut self, span: Span, replacement: impl Into<String>) -> Diagnostic {
        self.0.suggestion = Some(Suggestion {
            span,
            replacement: replacement.into(),
        });
        self
    }

    /// Suggests the candidate that is closest to `name`, if one is close.
    #[must_use]
    pub fn suggest_from<'a>(
        self,
        span: Span,
        name: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Diagnostic {
        match closest(name, candidates) {
            Some(found) => self.suggest(span, found),
            None => self,
        }
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.0.severity
    }

    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        self.0.severity == Severity::Error
    }

    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where.
    pub fn span(&self) -> Span {
        self.0.span
    }

    /// Other places that have to do with it.
    pub fn labels(&self) -> &[Label] {
        &self.0.labels
    }

    /// Explanations.
    pub fn notes(&self) -> &[String] {
        &self.0.notes
    }

    /// What was likely meant.
    pub fn suggestion(&self) -> Option<&Suggestion> {
        self.0.suggestion.as_ref()
    }
}

impl fmt::Debug for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Diagnostic {
    /// The message alone: a place can only be shown with a [`SourceMap`](crate::SourceMap).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Diagnostic {}
