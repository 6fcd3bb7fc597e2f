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
// What a process uses is measured there only.
#[cfg(target_os = "linux")]
mod memory;
mod pipeline;
mod real_prometheus;
mod reference;
mod reload;
mod side_by_side;
mod support;
mod tools;
mod validate;
