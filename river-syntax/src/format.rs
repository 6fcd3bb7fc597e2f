//! The formatter: the canonical layout of a file, as `alloy fmt` writes it.
//!
//! It works on tokens and comments, not on the tree, and writes each as it stands. What it may change is white space, commas
//! before closing brackets, an empty label (dropped) and backticks around an object key that needs none (quotes). So the
//! result parses to the same tree, and formatting it again changes nothing.

mod align;
mod items;
mod layout;
mod sequence;

use crate::ast::Body;
use crate::diag::Diagnostic;
use crate::parser::parse;
use crate::source::{Source, SourceMap};

/// Formats a text. The error is what is wrong with its syntax; its spans are of the first source of a map, so that
/// `SourceMap::add(name, text)` on an empty map gives what is needed to render it.
///
/// ```
/// let text = "a \"b\" { c=[1,2]\n}\n";
/// assert_eq!(river_syntax::format(text).unwrap(), "a \"b\" {\n\tc = [1, 2]\n}\n");
/// ```
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    format_source(&SourceMap::new().add("", text))
}

/// Formats a source, whose spans the error has.
pub fn format_source(source: &Source) -> Result<String, Vec<Diagnostic>> {
    let (_, diagnostics) = parse(source);
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    let items = sequence::Sequence::new(items::items(source));
    let lines = layout::lines(&items);
    Ok(align::write(&lines))
}

/// Formats a body that a program made.
pub fn format_body(body: Body<'_>) -> Result<String, Vec<Diagnostic>> {
    format(&body.to_string())
}
