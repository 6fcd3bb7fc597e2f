//! The crate's error: one opaque type that always names the file, option or collector concerned.

use std::fmt;
use std::io;
use std::path::Path;

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A collector name that does not exist here.
    UnknownCollector,
    /// A collector that exists, but not on this operating system.
    UnsupportedCollector,
    /// An option whose value cannot be used, or two options that exclude each other.
    InvalidOption,
    /// A file or folder could not be read.
    Read,
    /// A file was read, but its content is not what the kernel documents.
    Parse,
    /// A system call other than reading a file failed.
    System,
    /// A collector panicked.
    Panic,
}

/// An error of this crate. [`Error::kind`] tells the class; the message names path, option or collector.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<io::Error>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    pub(crate) fn option(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidOption, message)
    }

    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        let message = format!("cannot read {}", path.display());
        Self {
            kind: ErrorKind::Read,
            message,
            source: Some(source),
        }
    }

    pub(crate) fn parse(path: &Path, what: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Parse, format!("{}: {what}", path.display()))
    }

    pub(crate) fn system(call: &str, source: impl Into<io::Error>) -> Self {
        let message = format!("{call} failed");
        Self {
            kind: ErrorKind::System,
            message,
            source: Some(source.into()),
        }
    }

    /// The class of the error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether a file or folder was absent.
    pub fn is_not_found(&self) -> bool {
        self.io_kind() == Some(io::ErrorKind::NotFound)
    }

    /// Whether the process lacks the right to read a file or make a call.
    pub fn is_permission_denied(&self) -> bool {
        self.io_kind() == Some(io::ErrorKind::PermissionDenied)
    }

    /// The operating system's error number, if one was behind it.
    pub fn raw_os_error(&self) -> Option<i32> {
        self.source.as_ref().and_then(io::Error::raw_os_error)
    }

    fn io_kind(&self) -> Option<io::ErrorKind> {
        self.source.as_ref().map(io::Error::kind)
    }

    /// The message with that of its cause behind a colon: one line for a log.
    pub fn to_line(&self) -> String {
        match &self.source {
            Some(source) => format!("{}: {source}", self.message),
            None => self.message.clone(),
        }
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
