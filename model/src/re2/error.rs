//! Why a pattern is refused, in the words of Go's `regexp/syntax`, which users of Prometheus know and search for.

/// What is wrong with a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A class range whose end is before its start, or an unknown class name.
    InvalidCharRange,
    /// An escape the dialect does not have; back-references and `\C` are among them.
    InvalidEscape,
    /// A group name that is empty or has other characters than ASCII letters, digits and `_`.
    InvalidNamedCapture,
    /// A `(?…)` the dialect does not have, look-around among them.
    InvalidPerlOp,
    /// Two repetition operators in a row.
    InvalidRepeatOp,
    /// A count over 1,000 (nested counts are multiplied), or a minimum over the maximum.
    InvalidRepeatSize,
    /// A class is not closed.
    MissingBracket,
    /// A group is not closed.
    MissingParen,
    /// A repetition operator with nothing before it.
    MissingRepeatArgument,
    /// The pattern ends in a backslash.
    TrailingBackslash,
    /// A group is closed that was never opened.
    UnexpectedParen,
    /// Groups or operators are nested too deeply.
    NestingDepth,
    /// The pattern or its compiled program is too large.
    TooLarge,
}

impl ErrorKind {
    fn message(self) -> &'static str {
        match self {
            Self::InvalidCharRange => "invalid character class range",
            Self::InvalidEscape => "invalid escape sequence",
            Self::InvalidNamedCapture => "invalid named capture",
            Self::InvalidPerlOp => "invalid or unsupported Perl syntax",
            Self::InvalidRepeatOp => "invalid nested repetition operator",
            Self::InvalidRepeatSize => "invalid repeat count",
            Self::MissingBracket => "missing closing ]",
            Self::MissingParen => "missing closing )",
            Self::MissingRepeatArgument => "missing argument to repetition operator",
            Self::TrailingBackslash => "trailing backslash at end of expression",
            Self::UnexpectedParen => "unexpected )",
            Self::NestingDepth => "expression nests too deeply",
            Self::TooLarge => "expression too large",
        }
    }
}

/// A pattern that Go would refuse, or that is over a limit of this module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {}: `{fragment}`", kind.message())]
pub struct Error {
    kind: ErrorKind,
    fragment: String,
}

impl Error {
    pub(super) fn new(kind: ErrorKind, fragment: impl Into<String>) -> Self {
        Self {
            kind,
            fragment: fragment.into(),
        }
    }

    /// What is wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The part of the pattern that is wrong. For an anchored pattern it may include the anchors, as in Go.
    pub fn fragment(&self) -> &str {
        &self.fragment
    }
}
