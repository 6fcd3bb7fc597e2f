//! Formats a file, or standard input, to standard output: `cargo run --example fmt [FILE]`.

use std::io::Read as _;
use std::process::ExitCode;

use river_syntax::{SourceMap, diag, format_source};

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "this is a program")]
fn main() -> ExitCode {
    let name = std::env::args().nth(1);
    let mut bytes = Vec::new();
    let read = match &name {
        Some(name) => std::fs::read(name).map(|read| bytes = read),
        None => std::io::stdin().read_to_end(&mut bytes).map(drop),
    };
    let name = name.as_deref().unwrap_or("<stdin>");
    if let Err(error) = read {
        eprintln!("Error: {name}: {error}");
        return ExitCode::FAILURE;
    }
    let mut sources = SourceMap::new();
    match format_source(&sources.add(name, bytes)) {
        Ok(text) => print!("{text}"),
        Err(problems) => {
            eprint!("{}", diag::render_all(&problems, &sources));
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
