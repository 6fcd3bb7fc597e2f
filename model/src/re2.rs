//! Regular expressions as Go's `regexp` package reads them: the RE2 dialect that every Prometheus-like configuration
//! is written in.
//!
//! The dialect differs from Rust's `regex` crate where users notice: `\d`, `\w`, `\s` and `\b` are ASCII, `\Q…\E` and
//! octal escapes exist, `&&` in a class is two characters, a brace that starts no count is a literal, and much that
//! Rust accepts is refused. So the pattern is parsed here and handed to the `regex-automata` engine as a finished
//! tree; the engine's own parser never sees it.
//!
//! Invariants: [`Regex`] construction is total (any string gives a value or an [`Error`], in time and memory bounded
//! by the pattern's length and the limits below), and matching is linear in the text.
//!
//! Limits: counts up to 1,000, nested counts multiplied included, as in Go; 1,000 levels of nesting for groups and 250 for the
//! finished tree (Go: 1,000); a compiled program of at most 16 MiB (Go: about 128 MiB).
//!
//! ```
//! use ferroalloy_model::re2::Regex;
//!
//! let devices = Regex::unanchored(r"^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$")?;
//! assert!(devices.is_match("loop12"));
//! assert!(!devices.is_match("sda"));
//!
//! // As Prometheus does it: the whole text, and the dot matches a newline too.
//! let anchored = Regex::anchored("a.*")?;
//! assert!(anchored.is_match("a\nb"));
//! assert!(!anchored.is_match("ba"));
//! # Ok::<(), ferroalloy_model::re2::Error>(())
//! ```

mod class;
mod error;
mod parse;
mod regex;
mod shape;
#[cfg(test)]
mod tests;

pub use error::{Error, ErrorKind};
pub use regex::{Captures, Regex};
