//! The one error of this crate.

use std::fmt;

use ferroalloy_http_client as http_client;

/// Why a configuration is refused or a request was not delivered.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<http_client::Error>,
}

/// What went wrong, coarsely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The configuration breaks a rule.
    Config,
    /// Nothing is known of the request: no connection, no answer in time, a connection that broke. Sending it again is
    /// right.
    Unreachable,
    /// The receiver cannot take the request now (5xx, 429). Sending it again is right.
    Unavailable,
    /// The receiver, or the way to it, wants another configuration (401, 403, 404, 408, a redirect, credentials that cannot be
    /// read). The same request may be taken once that is mended.
    Misconfigured,
    /// The receiver will never take this request (400 and the other statuses).
    Refused,
    /// The receiver does not know remote write 2.0 (415, or a 2xx that does not say what was written). 1.0 may work.
    VersionNotSpoken,
    /// The folder of the queue cannot be used.
    Storage,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    /// What went wrong, coarsely.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The configuration breaks a rule.
    pub fn is_config(&self) -> bool {
        self.kind == ErrorKind::Config
    }

    /// Without an answer: whether the request may have come to the receiver.
    pub(crate) fn may_have_been_sent(&self) -> bool {
        let on_the_way = |error: &http_client::Error| {
            matches!(
                error.kind(),
                http_client::ErrorKind::Closed
                    | http_client::ErrorKind::Protocol
                    | http_client::ErrorKind::BodyLimit
            )
        };
        self.kind == ErrorKind::Unreachable && self.source.as_ref().is_none_or(on_the_way)
    }

    /// Sending the same request again may succeed.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Unreachable | ErrorKind::Unavailable | ErrorKind::Misconfigured
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

impl From<http_client::Error> for Error {
    fn from(error: http_client::Error) -> Self {
        let kind = match error.kind() {
            http_client::ErrorKind::Config | http_client::ErrorKind::Url => ErrorKind::Config,
            http_client::ErrorKind::Credentials | http_client::ErrorKind::Redirect => {
                ErrorKind::Misconfigured
            }
            _ => ErrorKind::Unreachable,
        };
        Self {
            kind,
            message: error.to_string(),
            source: Some(error),
        }
    }
}
