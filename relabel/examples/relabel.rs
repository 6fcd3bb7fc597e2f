//! Prints what a `replace` rule makes of a value.
//!
//! Usage: `relabel REGEX REPLACEMENT TARGET_LABEL VALUE`

use std::io::Write;
use std::process::ExitCode;

use relabel::{Labels, Naming, Rule, Rules};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut out = std::io::stdout().lock();
    let [regex, replacement, target_label, value] = &*arguments else {
        let _ = writeln!(out, "usage: relabel REGEX REPLACEMENT TARGET_LABEL VALUE");
        return ExitCode::FAILURE;
    };
    let rule = Rule {
        source_labels: vec!["value".into()],
        regex: regex.clone(),
        replacement: replacement.clone(),
        target_label: target_label.clone(),
        ..Rule::default()
    };
    match Rules::new([rule], Naming::UTF8) {
        Ok(rules) => {
            let labels = rules
                .relabel(&Labels::from_pairs([("value", value)]))
                .unwrap_or_default();
            let _ = writeln!(out, "{labels}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(out, "{error}");
            ExitCode::FAILURE
        }
    }
}
