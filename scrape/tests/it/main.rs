//! Integration tests of the crate, in one binary.

#![allow(clippy::print_stdout, reason = "a skipped test says so")]

mod conformance;
mod formats;
mod http;
#[path = "../../examples/parse/json.rs"]
mod json;
mod limits;
mod parse;
mod pool;
mod protobuf;
mod scrape;
mod staleness;
mod support;
