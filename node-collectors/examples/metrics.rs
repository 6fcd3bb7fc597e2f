//! Prints what node_exporter's `/metrics` would say, once, and takes its flags for paths and collectors:
//!
//! ```sh
//! cargo run -p node-collectors --example metrics -- --collector.disable-defaults --collector.loadavg
//! ```

#![allow(clippy::print_stderr, reason = "a command-line program")]

use std::io::Write;
use std::process::ExitCode;

use ferroalloy_model::{Families, text};
use node_collectors::{BuildInfo, NodeCollectors};

fn main() -> ExitCode {
    let set = match NodeCollectors::builder()
        .args(std::env::args().skip(1))
        .and_then(node_collectors::Builder::build)
    {
        Ok(set) => set,
        Err(error) => {
            eprintln!("metrics: {}", error.to_line());
            return ExitCode::FAILURE;
        }
    };
    let mut families = Families::new();
    let report = set.collect(&mut families);
    for (status, error) in report.failures() {
        eprintln!("metrics: collector {}: {}", status.collector, error.to_line());
    }
    let version = env!("CARGO_PKG_VERSION").to_owned();
    BuildInfo {
        version,
        ..BuildInfo::default()
    }
    .write("node_exporter", &mut families);
    let mut body = Vec::new();
    text::write(&families, &mut body);
    match std::io::stdout().write_all(&body) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("metrics: {error}");
            ExitCode::FAILURE
        }
    }
}
