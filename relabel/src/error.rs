//! Why a rule is refused.

use std::fmt;

use ferroalloy_model::re2;

/// A rule that cannot be used.
#[derive(Debug, Clone)]
pub struct Error {
    rule: Option<usize>,
    inner: Inner,
}

#[derive(Debug, Clone, thiserror::Error)]
enum Inner {
    #[error("{0}")]
    Invalid(String),
    #[error("{0}")]
    Regex(re2::Error),
}

/// What kind of mistake it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A field that the action needs is missing, one that it does not know is given, or a name is not allowed.
    Invalid,
    /// The regular expression does not compile.
    Regex,
}

impl Error {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self {
            rule: None,
            inner: Inner::Invalid(message.into()),
        }
    }

    pub(crate) fn in_rule(mut self, index: usize) -> Self {
        self.rule = Some(index);
        self
    }

    /// What kind of mistake it is.
    pub fn kind(&self) -> ErrorKind {
        match self.inner {
            Inner::Invalid(_) => ErrorKind::Invalid,
            Inner::Regex(_) => ErrorKind::Regex,
        }
    }

    /// The position of the rule in its list, from zero, where it was checked as one of a list.
    pub fn rule(&self) -> Option<usize> {
        self.rule
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(index) = self.rule {
            write!(f, "relabel rule {}: ", index + 1)?;
        }
        fmt::Display::fmt(&self.inner, f)
    }
}

impl std::error::Error for Error {}

impl From<re2::Error> for Error {
    fn from(error: re2::Error) -> Self {
        Self {
            rule: None,
            inner: Inner::Regex(error),
        }
    }
}
