//! Runs the set over node_exporter's own fixture tree and compares with its expected text, line by line, for the
//! families of the collectors that exist here.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use ferroalloy_model::Families;
use node_collectors::{Mode, NodeCollectors, Platform, Support, registry};

use crate::tar;

/// The folder of the conformance data, if this machine has it.
fn folder() -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("FERROALLOY_CONFORMANCE") else {
        println!("skipped: FERROALLOY_CONFORMANCE is not set");
        return None;
    };
    Some(Path::new(&folder).join("node_exporter"))
}

fn unpacked(folder: &Path) -> tempfile::TempDir {
    let packed = std::fs::read(folder.join("fixtures.tar.gz")).unwrap();
    let mut archive = Vec::new();
    flate2::read::GzDecoder::new(&packed[..])
        .read_to_end(&mut archive)
        .unwrap();
    let target = tempfile::tempdir().unwrap();
    tar::unpack(&archive, target.path()).unwrap();
    target
}

fn exists(collector: &str) -> bool {
    registry().iter().any(|descriptor| {
        descriptor.name == collector && descriptor.support(Platform::Linux) != Support::Absent
    })
}

/// Family to collector.
fn owners(folder: &Path) -> BTreeMap<String, String> {
    let table = std::fs::read_to_string(folder.join("metrics-inventory.tsv")).unwrap();
    table
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .filter(|row| row[0] == "linux")
        .map(|row| (row[2].to_owned(), row[1].to_owned()))
        .collect()
}

/// Whether a line's content depends on the machine or the moment.
fn varies(line: &str) -> bool {
    let name = line
        .strip_prefix("# HELP ")
        .or_else(|| line.strip_prefix("# TYPE "))
        .unwrap_or(line);
    [
        "go_",
        "process_",
        "promhttp_",
        "node_exporter_build_info",
        "node_scrape_collector_duration_seconds",
        "node_textfile_mtime_seconds",
        "node_time_zone",
        "node_time_seconds",
        "node_network_receive_bytes_total",
        "node_network_receive_packets_total",
        "node_network_transmit_bytes_total",
        "node_network_transmit_packets_total",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
}

fn family(line: &str) -> &str {
    let name = line
        .strip_prefix("# HELP ")
        .or_else(|| line.strip_prefix("# TYPE "))
        .unwrap_or(line);
    name.split(['{', ' ']).next().unwrap()
}

/// The lines of `text` that concern collectors which exist here.
fn concerned<'a>(text: &'a str, owners: &BTreeMap<String, String>) -> Vec<&'a str> {
    text.lines()
        .filter(|line| !varies(line))
        .filter(|line| {
            if let Some(rest) = line.strip_prefix("node_scrape_collector_success{collector=\"") {
                return exists(rest.split('"').next().unwrap());
            }
            let name = family(line);
            name == "node_scrape_collector_success" || owners.get(name).is_none_or(|owner| exists(owner))
        })
        .collect()
}

/// The first differences of two texts, as a message.
fn difference(expected: &[&str], actual: &[&str]) -> Option<String> {
    let missing: Vec<_> = expected.iter().filter(|line| !actual.contains(line)).collect();
    let extra: Vec<_> = actual.iter().filter(|line| !expected.contains(line)).collect();
    if !missing.is_empty() || !extra.is_empty() {
        let most = 40;
        return Some(format!(
            "{} lines missing: {:#?}\n{} lines too many: {:#?}",
            missing.len(),
            &missing[..missing.len().min(most)],
            extra.len(),
            &extra[..extra.len().min(most)]
        ));
    }
    let at = expected
        .iter()
        .zip(actual)
        .position(|(expected, actual)| expected != actual)?;
    Some(format!(
        "order: expected {:?}, got {:?}",
        expected[at], actual[at]
    ))
}

/// node_exporter's flags as given, without those of collectors that do not exist here, paths below `target`.
fn flags(text: &str, target: &Path) -> Vec<String> {
    text.lines()
        .filter(|flag| {
            let name = flag.trim_start_matches("--no-").trim_start_matches("--");
            match name.strip_prefix("collector.") {
                Some(rest) => {
                    let collector = rest.split(['.', '=']).next().unwrap();
                    exists(collector) || flag.starts_with("--no-") && !rest.contains('.')
                }
                None => name.starts_with("path."),
            }
        })
        .map(|flag| flag.replace("=collector/", &format!("={}/collector/", target.display())))
        .collect()
}

/// Each collector gives only families that its descriptor names.
fn every_family_is_described(set: &NodeCollectors) {
    for descriptor in set.collectors() {
        let mut out = Families::new();
        set.collect_some(&mut out, |name| name == descriptor.name);
        for family in out
            .iter()
            .filter(|family| !family.name().starts_with("node_scrape_"))
        {
            let described = descriptor.families.iter().any(|pattern| {
                pattern
                    .strip_suffix('*')
                    .map_or(*pattern == family.name(), |start| {
                        family.name().starts_with(start)
                    })
            });
            assert!(described, "{}: {}", descriptor.name, family.name());
        }
    }
}

#[test]
fn end_to_end() {
    let Some(folder) = folder() else { return };
    if cfg!(not(target_arch = "x86_64")) {
        println!("skipped: cpuinfo is parsed as x86_64 writes it");
        return;
    }
    let fixtures = unpacked(&folder);
    let flags = flags(
        &std::fs::read_to_string(folder.join("e2e-flags-linux-x86_64.txt")).unwrap(),
        fixtures.path(),
    );
    let set = NodeCollectors::builder()
        .mode(Mode::Compat)
        .args(&flags)
        .unwrap()
        .build()
        .unwrap();
    every_family_is_described(&set);
    let text = String::from_utf8(set.to_text()).unwrap();
    let text = text.replace(&format!("{}/", fixtures.path().display()), "");
    let expected = std::fs::read_to_string(folder.join("expected/e2e-output.txt")).unwrap();
    let owners = owners(&folder);
    let (expected, actual) = (concerned(&expected, &owners), concerned(&text, &owners));
    assert!(expected.len() > 40, "only {} lines to compare", expected.len());
    if let Some(difference) = difference(&expected, &actual) {
        panic!("{difference}");
    }
}

/// The series of a text as name, labels by name, value: the textfile collector writes `le` and `quantile` in order of
/// name, the reference last.
fn series(text: &str) -> Vec<(String, Vec<String>, String)> {
    let mut series: Vec<_> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            let mut labels: Vec<_> = labels
                .trim_end_matches('}')
                .split("\",")
                .map(|label| label.trim_end_matches('"').to_owned())
                .collect();
            labels.sort();
            (name.to_owned(), labels, value.to_owned())
        })
        .collect();
    series.sort();
    series
}

/// HELP and TYPE, in order of name: one of the expected texts is not. `end_to_end` looks at our own order.
fn comments(text: &str) -> Vec<&str> {
    let mut comments: Vec<_> = text.lines().filter(|line| line.starts_with('#')).collect();
    comments.sort_unstable();
    comments
}

/// Unit cases of the upstream project: name, flags, expected text.
#[test]
fn unit_cases() {
    let Some(folder) = folder() else { return };
    let fixtures = unpacked(&folder);
    let cases = std::fs::read_to_string(folder.join("unit/cases.json")).unwrap();
    let cases: serde_json::Value = serde_json::from_str(&cases).unwrap();
    let mut done = 0;
    for case in cases["cases"].as_array().unwrap() {
        let flags: Vec<&str> = case["flags"]
            .as_array()
            .unwrap()
            .iter()
            .map(|flag| flag.as_str().unwrap())
            .collect();
        let collector = flags[0].strip_prefix("--collector.").unwrap();
        if !exists(collector) {
            continue;
        }
        let folder_of = |path: &str| match path.strip_prefix("fixtures:") {
            Some(path) => fixtures.path().join(path),
            None => folder.join(path),
        };
        let expected = std::fs::read_to_string(folder_of(case["expected"].as_str().unwrap())).unwrap();
        let prefix = format!("{}/{}/", fixtures.path().display(), case["cwd"].as_str().unwrap());
        let flags: Vec<_> = flags
            .iter()
            .map(|flag| flag.replace("=fixtures/", &format!("={prefix}fixtures/")))
            .collect();
        let set = NodeCollectors::builder()
            .mode(Mode::Compat)
            .disable_defaults()
            .args(&flags)
            .unwrap()
            .build()
            .unwrap();
        let actual = String::from_utf8(set.to_text()).unwrap().replace(&prefix, "");
        // Of some cases only a few families are told.
        let only: Vec<String> = case["only"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|pattern| pattern.as_str().unwrap().trim_matches(['^', '$']).to_owned())
            .collect();
        let told = |name: &str| {
            only.is_empty()
                || only.iter().any(|pattern| {
                    let (start, ends) = pattern.split_once('(').unwrap_or((pattern, ""));
                    let rest = name.strip_prefix(start);
                    rest.is_some_and(|rest| ends.trim_end_matches(')').split('|').any(|end| end == rest))
                })
        };
        let kept = |text: &str| -> String {
            let dropped = |line: &&str| {
                let name = family(line);
                let is_remark =
                    line.starts_with('#') && !line.starts_with("# HELP ") && !line.starts_with("# TYPE ");
                !line.is_empty()
                    && !is_remark
                    && told(name)
                    && !name.starts_with("node_scrape_collector_")
                    && (line.starts_with('#') || name != "node_textfile_mtime_seconds")
            };
            text.lines()
                .filter(dropped)
                .flat_map(|line| [line, "\n"])
                .collect()
        };
        let (expected, actual) = (kept(&expected), kept(&actual));
        let name = &case["name"];
        assert_eq!(comments(&actual), comments(&expected), "{name}");
        assert_eq!(series(&actual), series(&expected), "{name}");
        done += 1;
    }
    assert!(done >= 18, "only {done} cases were run");
}
