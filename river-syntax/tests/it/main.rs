//! Integration tests by area.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "the functions that tests share are tests too"
)]

mod bounds;
mod conformance;
mod decode;
mod eval;
mod format;
mod golden;
mod json;
mod parse;
mod properties;
