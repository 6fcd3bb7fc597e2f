//! The conformance files: `valid` ones parse, `invalid` ones are refused at the given line.

use std::path::{Path, PathBuf};

use river_syntax::{SourceMap, diag, parse};
use serde_json::Value as Json;

/// The folder of the River cases, if there is one.
pub(crate) fn folder() -> Option<PathBuf> {
    let root = std::env::var_os("FERROALLOY_CONFORMANCE");
    if root.is_none() {
        println!("skipped: FERROALLOY_CONFORMANCE is not set");
    }
    root.map(|root| Path::new(&root).join("river"))
}

/// The records of the manifest whose files are in a folder.
pub(crate) fn records(folder: &Path, kind: &str) -> Vec<Json> {
    let text = std::fs::read_to_string(folder.join("manifest.json")).unwrap();
    let manifest: Json = serde_json::from_str(&text).unwrap();
    let prefix = format!("{kind}/");
    let found = manifest["records"].as_array().unwrap().iter();
    let found: Vec<Json> = found
        .filter(|record| record["file"].as_str().unwrap().starts_with(&prefix))
        .cloned()
        .collect();
    assert!(!found.is_empty(), "no records of {kind}");
    found
}

#[test]
fn valid_files_parse() {
    let Some(folder) = folder() else { return };
    let mut sources = SourceMap::new();
    let mut problems = String::new();
    for record in records(&folder, "valid") {
        let name = record["file"].as_str().unwrap();
        let source = sources.add(name, std::fs::read(folder.join(name)).unwrap());
        let (_, diagnostics) = parse(&source);
        problems += &diag::render_all(&diagnostics, &sources);
    }
    assert!(problems.is_empty(), "{problems}");
}

#[test]
fn invalid_files_are_refused_where_they_are_wrong() {
    let Some(folder) = folder() else { return };
    let mut sources = SourceMap::new();
    let mut problems = Vec::new();
    for record in records(&folder, "invalid") {
        let name = record["file"].as_str().unwrap();
        let source = sources.add(name, std::fs::read(folder.join(name)).unwrap());
        let (_, diagnostics) = parse(&source);
        let line = diagnostics
            .first()
            .map(|d| source.position(d.span().start()).line as u64);
        let expected = record["diags"][0]["line"].as_u64();
        if line != expected {
            let rendered = diag::render_all(&diagnostics, &sources);
            problems.push(format!(
                "{name}: expected {}, got\n{rendered}",
                record["diags"][0]
            ));
        }
    }
    assert!(
        problems.is_empty(),
        "{} files:\n{}",
        problems.len(),
        problems.join("\n")
    );
}
