//! The committed reference is what the declarations say.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use river_syntax::reference;

use crate::cli::{ferroalloy, stderr};

/// Some defaults are the system's.
#[cfg(target_os = "linux")]
#[test]
fn pages_are_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("reference");
    let mut pages: BTreeMap<String, String> = ferroalloy::reference::entries()
        .iter()
        .map(|entry| (format!("{}.md", entry.name), reference::page(entry)))
        .collect();
    pages.insert("stdlib.md".to_owned(), reference::functions_page());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        for (name, text) in &pages {
            fs::write(folder.join(name), text).unwrap();
        }
    }
    for (name, text) in &pages {
        let committed = fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(
            committed == *text,
            "{name} is out of date: UPDATE_GOLDEN=1 cargo test -p ferroalloy writes it anew"
        );
    }
    for file in fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(pages.contains_key(&name), "{name} is about nothing");
    }
}

#[test]
fn one_page_or_all_as_text_or_data() {
    let page = ferroalloy(&["reference", "prometheus.relabel"], None);
    let page = String::from_utf8(page.stdout).unwrap();
    assert!(page.starts_with("# prometheus.relabel\n"), "{page}");
    assert!(page.contains("| `receiver` | metrics.receiver |"), "{page}");

    let all = ferroalloy(&["reference", "--format=json"], None);
    let all: serde_json::Value = serde_json::from_slice(&all.stdout).unwrap();
    let blocks = all["blocks"].as_array().unwrap();
    let scrape = blocks
        .iter()
        .find(|block| block["name"] == "prometheus.scrape")
        .unwrap();
    let attributes = scrape["attributes"].as_array().unwrap();
    let targets = attributes
        .iter()
        .find(|known| known["name"] == "targets")
        .unwrap();
    assert_eq!(targets["required"], true);
    assert!(
        all["functions"]
            .as_array()
            .unwrap()
            .iter()
            .any(|f| f["name"] == "string.join")
    );

    let none = ferroalloy(&["reference", "prometheus.relable"], None);
    assert_eq!(none.status.code(), Some(1));
    assert_eq!(
        stderr(&none),
        "Error: there is no prometheus.relable, did you mean prometheus.relabel?\n"
    );
}
