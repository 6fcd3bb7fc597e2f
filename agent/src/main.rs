//! The program `ferroalloy`.

use std::process::ExitCode;

use clap::Parser;
use ferroalloy::cli::Cli;

fn main() -> ExitCode {
    Cli::parse().execute()
}
