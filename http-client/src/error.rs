//! The one error of this crate.

use std::error::Error as StdError;
use std::{fmt, io};

use http::Uri;

use crate::redact::redact;

/// Why there is no response. The message names the URL, with its secrets left out, and the cause.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    url: Option<String>,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What went wrong, coarsely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The configuration breaks a rule.
    Config,
    /// The URL cannot be asked: no host, a scheme that is neither `http` nor `https`.
    Url,
    /// A file with credentials or certificates cannot be read or is not what it should be, or a token is not to be had.
    Credentials,
    /// The host name has no address, or no address accepts a connection.
    Connect,
    /// The proxy gives no way to the host.
    Proxy,
    /// The TLS handshake failed.
    Tls,
    /// The connection ended or broke before the response was complete.
    Closed,
    /// What came is not HTTP, or its headers are larger than 64 KiB.
    Protocol,
    /// The body is larger than the caller's limit.
    BodyLimit,
    /// More than ten redirects, one without a usable target, or one that the policy refuses.
    Redirect,
}

pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;

// === impl Error ===

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            url: None,
            message: message.into(),
            source: None,
        }))
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    pub(crate) fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Names the URL that was asked, unless a redirect's has been named already.
    pub(crate) fn at(mut self, uri: &Uri) -> Self {
        self.0.url.get_or_insert_with(|| redact(uri));
        self
    }

    /// What went wrong, coarsely.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The operating system gave up waiting for the peer. Deadlines are the caller's own and end in no `Error`.
    pub fn is_timeout(&self) -> bool {
        self.io()
            .is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
    }

    /// No connection came about, proxies and TLS included: the peer saw no request.
    pub fn is_connect(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Connect | ErrorKind::Proxy | ErrorKind::Tls
        )
    }

    /// The body is larger than the caller's limit.
    pub fn is_body_limit(&self) -> bool {
        self.0.kind == ErrorKind::BodyLimit
    }

    /// A file with credentials or certificates cannot be used, or a token is not to be had.
    pub fn is_credentials(&self) -> bool {
        self.0.kind == ErrorKind::Credentials
    }

    /// The configuration or the URL is wrong: no retry will help.
    pub fn is_config(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Config | ErrorKind::Url)
    }

    /// A redirect could not be followed.
    pub fn is_redirect(&self) -> bool {
        self.0.kind == ErrorKind::Redirect
    }

    /// The connection ended or broke before the response was complete.
    pub fn is_closed(&self) -> bool {
        self.0.kind == ErrorKind::Closed
    }

    fn io(&self) -> Option<&io::Error> {
        let mut cause = self.source();
        while let Some(error) = cause {
            if let Some(io) = error.downcast_ref::<io::Error>() {
                return Some(io);
            }
            cause = error.source();
        }
        None
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(url) = &self.0.url {
            write!(f, "{url}: ")?;
        }
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("url", &self.0.url)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_ref()
            .map(|source| &**source as &(dyn StdError + 'static))
    }
}
