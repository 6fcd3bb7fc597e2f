//! The program's error: what failed, with its causes.

use std::error::Error as StdError;
use std::fmt::{self, Write};

/// What a component, a setting or the command line could not do.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error without a cause of its own.
    pub fn new(message: impl fmt::Display) -> Self {
        Self {
            message: message.to_string(),
            source: None,
        }
    }

    /// An error that another one caused; `message` says what was being done.
    pub fn caused(message: impl fmt::Display, source: impl StdError + Send + Sync + 'static) -> Self {
        Self {
            message: message.to_string(),
            source: Some(Box::new(source)),
        }
    }
}

/// An error with its causes on one line, each once.
pub fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            // Writing to a String cannot fail.
            let _ = write!(text, ": {message}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_names_each_cause_once() {
        let io = std::io::Error::other("refused");
        let error = Error::caused("cannot listen on [::1]:1", Error::caused("refused", io));
        assert_eq!(chain(&error), "cannot listen on [::1]:1: refused");
    }
}
