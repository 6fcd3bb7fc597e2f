//! The program `ferroalloy`.

use std::process::ExitCode;

use clap::Parser;
use ferroalloy::cli::Cli;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    Cli::parse().execute()
}
