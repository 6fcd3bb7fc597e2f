//! Strings that must not be shown.

use std::fmt;
use std::sync::Arc;

/// A string that never prints; [`Secret::expose`] is the only way to its text.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<Arc<str>>) -> Secret {
        Secret(text.into())
    }

    /// The text. Do not log it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// A string that may be a secret: a file's content, of which the user says whether it is one.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct OptionalSecret {
    secret: bool,
    text: Arc<str>,
}

impl OptionalSecret {
    /// A text that is to be hidden.
    pub fn secret(text: impl Into<Arc<str>>) -> OptionalSecret {
        OptionalSecret {
            secret: true,
            text: text.into(),
        }
    }

    /// A text that may be shown.
    pub fn plain(text: impl Into<Arc<str>>) -> OptionalSecret {
        OptionalSecret {
            secret: false,
            text: text.into(),
        }
    }

    /// Whether the text is to be hidden.
    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// The text. Do not log it unless it is not secret.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for OptionalSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.secret { "(secret)" } else { &self.text })
    }
}

impl fmt::Debug for OptionalSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.secret {
            f.write_str("(secret)")
        } else {
            fmt::Debug::fmt(&*self.text, f)
        }
    }
}
