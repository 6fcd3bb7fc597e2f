//! Integration tests of the crate, in one binary.

#![allow(clippy::print_stdout, reason = "a skipped test says so")]

mod conformance;
#[path = "../../examples/parse/json.rs"]
mod json;
mod parse;
