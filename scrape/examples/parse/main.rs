//! Parses an exposition from standard input and prints its entries as JSON:
//!
//! ```text
//! cargo run -p scrape --example parse -- --content-type 'text/plain;version=0.0.4' < metrics.txt
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line program")]

mod json;

use std::io::Read as _;
use std::process::ExitCode;

use scrape::parse::{Protocol, choose};

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
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{flag} needs a value"))?;
        match flag.as_str() {
            "--content-type" => content_type = Some(value),
            "--fallback" => fallback = Some(Protocol::named(&value)?),
            _ => {
                return Err(format!(
                    "unknown flag {flag}; there are --content-type TYPE and --fallback PROTOCOL"
                )
                .into());
            }
        }
    }
    let format = choose(content_type.as_deref(), fallback)?;
    let mut body = Vec::new();
    std::io::stdin().lock().read_to_end(&mut body)?;
    let entries = format.parse(&body, json::Entries)??;
    Ok(serde_json::to_string_pretty(
        &serde_json::json!({ "parser": format.name, "entries": entries }),
    )?)
}
