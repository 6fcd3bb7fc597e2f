//! The exposition vectors in the folder that `FERROALLOY_CONFORMANCE` names.

use std::path::{Path, PathBuf};

use scrape::parse::{Protocol, choose, formats};
use serde_json::Value;

use crate::json::Entries;

/// Cases where Prometheus does something else than the format document or a trustworthy agent, and where we
/// take the other side on purpose: what we do with them.
const OURS: [(&str, bool); 3] = [
    // A NUL at the start of a line would silently end the input.
    ("authored/text/nul-body", false),
    ("authored/text/nul-ends-input", false),
    // The format document's own example has a negative timestamp.
    ("authored/text/timestamp-negative", true),
];

/// Options of cases that ask for what no parser here does.
const UNSUPPORTED: [&str; 2] = ["convert_classic_to_nhcb", "type_and_unit_labels"];

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

/// An entry without what the case says not to compare.
fn comparable(entry: &Value) -> Value {
    let mut entry = entry.clone();
    if let Some(value) = entry.get_mut("value").and_then(Value::as_object_mut) {
        value.remove("repr");
    }
    if entry.get("duplicate_label_names").is_some()
        && let Some(object) = entry.as_object_mut()
    {
        object.remove("duplicate_label_names");
    }
    entry
}

#[test]
fn text_cases() {
    let Some(folder) = folder() else { return };
    let (mut run, mut failures) = (0, Vec::new());
    for case in cases(&folder, "text") {
        let id = case["id"].as_str().expect("an id");
        if UNSUPPORTED.iter().any(|option| case["options"][*option] == true) {
            println!("skipped: {id} asks for {}", case["options"]);
            continue;
        }
        run += 1;
        let body = std::fs::read(folder.join(case["input"].as_str().expect("a path"))).expect("input");
        let content_type = case["content_type"].as_str();
        let result = choose(content_type, None).and_then(|format| format.parse(&body, Entries)?);
        let accepts = OURS
            .iter()
            .find(|(ours, _)| *ours == id)
            .map_or(case["expect"] != "reject", |(_, accepts)| *accepts);
        match result {
            Ok(_) if !accepts => failures.push(format!("{id}: accepted")),
            Err(error) if accepts => failures.push(format!("{id}: {error}")),
            Err(error) => assert!(error.position().is_some(), "{id}: {error}"),
            Ok(entries) => {
                let Some(expected) = case["entries"].as_array() else {
                    continue;
                };
                let expected: Vec<_> = expected.iter().map(comparable).collect();
                let entries: Vec<_> = entries.iter().map(comparable).collect();
                if entries != expected {
                    failures.push(format!("{id}:\n  got  {entries:?}\n  want {expected:?}"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(run >= 65, "only {run} cases were found");
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
        if corpus["format"] != "text" {
            continue;
        }
        run += 1;
        let body = std::fs::read(folder.join(corpus["input"].as_str().expect("a path"))).expect("input");
        let entries = choose(Some("text/plain"), None)
            .and_then(|format| format.parse(&body, Entries)?)
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
    assert_eq!(run, 2);
}
