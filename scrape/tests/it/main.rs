//! Integration tests of the crate, in one binary.

mod conformance;
#[path = "../../examples/parse/json.rs"]
mod json;
mod parse;
