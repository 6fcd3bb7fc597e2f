//! The program as a whole: its command line, its HTTP paths, reloads, and samples from target to receiver.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot get ready has failed, and says when it skips"
)]

mod cli;
mod compliance;
mod fmt;
mod http;
mod http_client;
mod pipeline;
mod real_prometheus;
mod reference;
mod reload;
mod support;
mod validate;
