//! The exposition vectors in the folder that `FERROALLOY_CONFORMANCE` names.

use std::path::{Path, PathBuf};

use scrape::parse::{Options, Protocol, choose, formats};
use serde_json::Value;

use crate::json::{Entries, OPTIONS};

/// Cases where Prometheus does something else than the format document or a trustworthy agent, and where we
/// take the other side on purpose: what we do with them.
const OURS: [(&str, bool); 3] = [
    // A NUL at the start of a line would silently end the input.
    ("authored/text/nul-body", false),
    ("authored/text/nul-ends-input", false),
    // The format document's own example has a negative timestamp.
    ("authored/text/timestamp-negative", true),
];

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("FERROALLOY_CONFORMANCE").map(|root| Path::new(&root).join("exposition"));
    if folder.is_none() {
        println!("skipped: FERROALLOY_CONFORMANCE is not set");
    }
    folder
}

fn read(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn cases(folder: &Path, format: &str) -> Vec<Value> {
    let manifest = read(&folder.join("manifest.json"));
    let cases = manifest["cases"].as_array().expect("a list of cases");
    cases
        .iter()
        .filter(|case| case["format"] == format)
        .map(|case| read(&folder.join(case["case"].as_str().expect("a path"))))
        .collect()
}

/// Cases whose entries are not compared, since the vectors' own model gives what Go, and so Prometheus, does not.
const NOT_COMPARED: [&str; 2] = [
    // A bound of 1e+06, which the model writes as 1000000.0.
    "openmetrics/roundtrip",
    // A timestamp beyond 64 bits of milliseconds.
    "openmetrics/timestamps",
];

/// The options of a case; `None` where it asks for one that is not there.
fn options(case: &Value) -> Option<Options> {
    let mut options = Options::default();
    let asked = case["options"].as_object().into_iter().flatten();
    for (name, _) in asked.filter(|(_, value)| **value == true) {
        let (_, set) = OPTIONS.iter().find(|(known, _)| known == name)?;
        set(&mut options);
    }
    Some(options)
}

/// Parses an input of a case and tells what is wrong about the outcome.
fn check(case: &Value, input: &Path, accepts: bool) -> Option<String> {
    let id = case["id"].as_str().expect("an id");
    let body = std::fs::read(input).expect("input");
    let content_type = case["content_type"].as_str();
    let options = options(case).unwrap_or_else(|| panic!("{id}: options {}", case["options"]));
    let entries = match choose(content_type, None).and_then(|format| format.parse(&body, options, Entries)?) {
        Ok(_) if !accepts => return Some(format!("{id}: accepted")),
        Err(error) if accepts => return Some(format!("{id}: {error}")),
        Err(error) => {
            assert!(error.position().is_some(), "{id}: {error}");
            return None;
        }
        Ok(entries) => entries,
    };
    if NOT_COMPARED.contains(&id) {
        return None;
    }
    let expected = case["entries"].as_array()?;
    if case["expect"] != "prefix" && expected.len() != entries.len() {
        return Some(format!(
            "{id}: {} entries, not {}\n{entries:#?}",
            entries.len(),
            expected.len()
        ));
    }
    expected
        .iter()
        .zip(&entries)
        .find(|(expected, got)| !agrees(expected, got))
        .map(|(expected, got)| format!("{id}:\n  got  {got}\n  want {expected}"))
}

/// Whether an entry says all that is expected of it.
fn agrees(expected: &Value, got: &Value) -> bool {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => expected.iter().all(|(name, value)| {
            matches!(name.as_str(), "repr" | "duplicate_label_names")
                || got.get(name).is_some_and(|got| match name.as_str() {
                    "labels" => value == got,
                    _ => agrees(value, got),
                })
        }),
        (Value::Array(expected), Value::Array(got)) => {
            expected.len() == got.len() && expected.iter().zip(got).all(|(e, g)| agrees(e, g))
        }
        _ => expected == got,
    }
}

/// Runs the cases of a format; `cases` is how many there are at least.
fn run_cases(format: &str, at_least: usize) {
    let Some(folder) = folder() else { return };
    let (mut run, mut failures) = (0, Vec::new());
    for case in cases(&folder, format) {
        let id = case["id"].as_str().expect("an id");
        if options(&case).is_none() {
            println!("skipped: {id} asks for {}", case["options"]);
            continue;
        }
        run += 1;
        let theirs = case["anchor_accepts"]
            .as_bool()
            .unwrap_or(case["expect"] != "reject");
        let accepts = OURS
            .iter()
            .find(|(ours, _)| *ours == id)
            .map_or(theirs, |(_, accepts)| *accepts);
        for input in ["input", "input_unpacked"] {
            if let Some(input) = case[input].as_str() {
                failures.extend(check(&case, &folder.join(input), accepts));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {run}:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(run >= at_least, "only {run} cases were found");
}

#[test]
fn text_cases() {
    run_cases("text", 72);
}

#[test]
fn openmetrics_cases() {
    run_cases("openmetrics", 231);
}

#[test]
fn protobuf_cases() {
    run_cases("protobuf", 41);
}

#[test]
fn negotiation_cases() {
    let Some(folder) = folder() else { return };
    let mut run = 0;
    for case in cases(&folder, "negotiation") {
        run += 1;
        let id = case["id"].as_str().expect("an id");
        let fallback = case["fallback_scrape_protocol"].as_str();
        let known = fallback.map(Protocol::named).transpose();
        let chosen = known.and_then(|fallback| choose(case["response_content_type"].as_str(), fallback));
        match case["parser"].as_str() {
            Some(parser) if formats().iter().any(|format| format.name == parser) => {
                assert_eq!(
                    chosen.unwrap_or_else(|e| panic!("{id}: {e}")).name,
                    parser,
                    "{id}"
                );
            }
            _ => assert!(chosen.is_err(), "{id}: {chosen:?}"),
        }
    }
    assert!(run >= 19, "only {run} cases were found");
}

#[test]
fn corpora_have_the_counted_entries() {
    let Some(folder) = folder() else { return };
    let mut run = 0;
    for corpus in read(&folder.join("corpora/corpora.json"))["corpora"]
        .as_array()
        .expect("a list")
    {
        // The counts are those without `_created` lines.
        let options = Options {
            created_as_start: true,
            ..Options::default()
        };
        let content_type = match corpus["format"].as_str() {
            Some("text") => "text/plain",
            _ => "application/openmetrics-text",
        };
        run += 1;
        let body = std::fs::read(folder.join(corpus["input"].as_str().expect("a path"))).expect("input");
        let entries = choose(Some(content_type), None)
            .and_then(|format| format.parse(&body, options, Entries)?)
            .unwrap_or_else(|e| panic!("{}: {e}", corpus["input"]));
        for kind in ["type", "help", "comment", "series"] {
            let count = entries.iter().filter(|entry| entry["kind"] == kind).count();
            assert_eq!(
                Some(count as u64),
                corpus["entries"][kind].as_u64(),
                "{} {kind}",
                corpus["input"]
            );
        }
    }
    assert_eq!(run, 4);
}
