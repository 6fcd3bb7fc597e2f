//! Parses an exposition from standard input and prints its entries as JSON:
//!
//! ```text
//! cargo run -p scrape --example parse -- --content-type 'text/plain;version=0.0.4' < metrics.txt
//! ```
//!
//! `--fallback PROTOCOL` says what to assume where the content type does not; `--option NAME`, any number of times,
//! changes how the body is read.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line program")]

mod json;

use std::io::Read as _;
use std::process::ExitCode;

use scrape::parse::{Options, Protocol, choose};

fn main() -> ExitCode {
    match run() {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("parse: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<String, Box<dyn std::error::Error>> {
    let (mut content_type, mut fallback) = (None, None);
    let mut options = Options::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{flag} needs a value"))?;
        match flag.as_str() {
            "--content-type" => content_type = Some(value),
            "--fallback" => fallback = Some(Protocol::named(&value)?),
            "--option" => match json::OPTIONS.iter().find(|(name, _)| *name == value) {
                Some((_, set)) => set(&mut options),
                None => {
                    let known: Vec<_> = json::OPTIONS.iter().map(|(name, _)| *name).collect();
                    return Err(format!("unknown option {value:?}; there are {}", known.join(", ")).into());
                }
            },
            _ => {
                return Err(format!(
                    "unknown flag {flag}; there are --content-type TYPE, --fallback PROTOCOL and --option NAME"
                )
                .into());
            }
        }
    }
    let format = choose(content_type.as_deref(), fallback)?;
    let mut body = Vec::new();
    std::io::stdin().lock().read_to_end(&mut body)?;
    let entries = format.parse(&body, options, json::Entries)??;
    Ok(serde_json::to_string_pretty(
        &serde_json::json!({ "parser": format.name, "entries": entries }),
    )?)
}
