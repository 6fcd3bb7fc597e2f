//! What can go wrong between a target and its samples.
//!
//! One opaque error for the crate: the kind says who has to act, the message says what happened where, and the
//! position, for bodies that do not parse, says at which byte.

use std::error::Error as StdError;
use std::fmt;

/// An error of this crate.
///
/// `Display` gives this level only; what caused it is in [`source`](StdError::source).
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    position: Option<Position>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Why a scrape, a target or a configuration was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The body is not what its format allows.
    Parse,
    /// The response's content type names no format that is parsed here, and no fallback is set.
    ContentType,
    /// The response's content encoding is unknown or the encoded bytes are damaged.
    Encoding,
    /// The target could not be reached, or the exchange broke off.
    Transport,
    /// The target answered with another status than 200.
    Status,
    /// The target did not answer completely within the scrape timeout.
    Timeout,
    /// The decompressed body is larger than `body_size_limit` allows.
    BodySize,
    /// A label set that no receiver takes: without a name, or with a name twice.
    Labels,
    /// `sample_limit`, `label_limit` or one of the length limits was exceeded.
    Limit,
    /// A native histogram has more buckets than `native_histogram_bucket_limit` allows, and cannot be made coarser.
    BucketLimit,
    /// `target_limit` was exceeded, which fails all targets of a job.
    TargetLimit,
    /// New series were refused because the process has no memory for them.
    Memory,
    /// A target's labels describe no target: no address, an interval that is not one, and so on.
    Target,
    /// A configuration that cannot work.
    Config,
    /// An in-process exporter failed.
    Exporter,
}

/// A place in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// Bytes from the start of the body.
    pub offset: usize,
    /// Line, from 1.
    pub line: usize,
    /// Byte in the line, from 1.
    pub column: usize,
}

impl Position {
    /// The position of byte `offset` of `body`.
    pub(crate) fn locate(body: &[u8], offset: usize) -> Self {
        let before = &body[..offset.min(body.len())];
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        let column = before.len() - memchr::memrchr(b'\n', before).map_or(0, |at| at + 1) + 1;
        Self {
            offset: before.len(),
            line,
            column,
        }
    }
}

// === impl Error ===

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            position: None,
            source: None,
        }))
    }

    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn with_position(mut self, position: Position) -> Self {
        self.0.position = Some(position);
        self
    }

    /// An error of an in-process exporter, for implementors of [`Target`](crate::Target).
    pub fn exporter(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Exporter, message)
    }

    /// Who has to act.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Where in the body, for errors of a parser.
    pub fn position(&self) -> Option<Position> {
        self.0.position
    }

    /// Whether the target was too slow.
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::Timeout
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Position { offset, line, column }) = self.0.position {
            write!(f, "line {line}, column {column} (byte {offset}): ")?;
        }
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            kind,
            message,
            position,
            source,
        } = &*self.0;
        let mut out = f.debug_struct("Error");
        out.field("kind", kind).field("message", message);
        if let Some(position) = position {
            out.field("position", position);
        }
        if let Some(source) = source {
            out.field("source", source);
        }
        out.finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// The message of an error with those of its causes, for a status page or a log line.
pub fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_bytes_from_one() {
        let body = b"a 1\nbc x\n";
        assert_eq!(
            Position::locate(body, 0),
            Position {
                offset: 0,
                line: 1,
                column: 1
            }
        );
        assert_eq!(
            Position::locate(body, 7),
            Position {
                offset: 7,
                line: 2,
                column: 4
            }
        );
        assert_eq!(
            Position::locate(body, 99),
            Position {
                offset: 9,
                line: 3,
                column: 1
            }
        );
    }

    #[test]
    fn the_chain_names_every_cause() {
        let error = Error::new(ErrorKind::Transport, "cannot connect").with_source("refused");
        assert_eq!(chain(&error), "cannot connect: refused");
        assert_eq!(error.to_string(), "cannot connect");
    }
}
