//! `ferroalloy validate`: everything that is wrong, at its place, in one run.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::{ferroalloy, stderr};

/// `line:column` of each finding, with its severity and message.
fn findings(arguments: &[&str], path: &Path) -> Vec<(String, String, String)> {
    let output = ferroalloy(
        &[
            &["validate", "--format=json"],
            arguments,
            &[path.to_str().unwrap()],
        ]
        .concat(),
        None,
    );
    let report: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let found: Vec<(String, String, String)> = report
        .iter()
        .map(|entry| {
            let start = &entry["start"];
            (
                format!("{}:{}", start["line"], start["column"]),
                text(&entry["severity"]),
                text(&entry["message"]),
            )
        })
        .collect();
    let failed = found.iter().any(|(_, severity, _)| severity == "error");
    assert_eq!(output.status.code(), Some(i32::from(failed)));
    found
}

fn places(found: &[(String, String, String)]) -> Vec<&str> {
    found.iter().map(|(place, ..)| place.as_str()).collect()
}

#[test]
fn what_is_right_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("right.alloy");
    fs::write(&path, "logging {\n  level = \"warn\"\n}\n").unwrap();
    let output = ferroalloy(&["validate", path.to_str().unwrap()], None);
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn every_error_is_told_in_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.alloy");
    let text = "prometheus.scrap \"a\" { }\n\
                prometheus.exporter.self \"me\" { }\n\
                prometheus.scrape \"b\" {\n  targets = prometheus.exporter.self.me.target\n\
                \x20 forward_to = prometheus.exporter.self.me.targets\n  scrape_interval = \"soon\"\n}\n\
                prometheus.scrape \"c\" {\n  targets = [{ x = true, y = 1 }]\n  forward_to = [nothing.at.all]\n}\n";
    fs::write(&path, text).unwrap();
    let output = ferroalloy(&["validate", "--format=json", path.to_str().unwrap()], None);
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let lines: Vec<(&str, u64)> = report
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["severity"].as_str().unwrap(),
                entry["start"]["line"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            ("error", 1),
            ("error", 4),
            ("error", 5),
            ("error", 6),
            ("error", 10)
        ],
        "{report:#}"
    );
}

#[test]
fn what_has_no_effect_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.alloy");
    fs::write(&path, "prometheus.exporter.self \"me\" { }\n").unwrap();
    let path = path.to_str().unwrap();
    let output = ferroalloy(&["validate", path], None);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("nothing refers to prometheus.exporter.self.me"),
        "{}",
        stderr(&output)
    );
    let denied = ferroalloy(&["validate", "--deny-warnings", path], None);
    assert_eq!(denied.status.code(), Some(1));
    let missing = ferroalloy(&["validate", "--format=json", &format!("{path}.none")], None);
    assert_eq!(missing.status.code(), Some(1));
    assert!(stderr(&missing).contains("cannot read"), "{}", stderr(&missing));
}

#[test]
fn a_syntax_error_hides_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let a = "prometheus.scrape \"a\" {\n  targets = [\n  forward_to = []\n}\n\
             prometheus.scrape \"b\" {\n  tragets = []\n  forward_to = [prometheus.remote_write.gone.receiver]\n}\n\
             prometheus.relabel \"c\" {\n  forward_to = [prometheus.remote_write.broken.receiver]\n\
             \x20 rule {\n    regex = \"(\"\n  }\n}\n";
    let b = "prometheus.remote_write \"broken {\n  endpoint { url = \"http://h/\" }\n}\n\
             prometheus.exporter.unix \"d\" {\n  set_colectors = []\n}\n";
    fs::write(folder.path().join("a.alloy"), a).unwrap();
    fs::write(folder.path().join("b.alloy"), b).unwrap();
    let found = findings(&[], folder.path());
    let errors: Vec<_> = found
        .iter()
        .filter(|(_, severity, _)| severity == "error")
        .cloned()
        .collect();
    // The reference to `broken`, which was not understood, and what `a` may have, are not among them.
    assert_eq!(
        places(&errors),
        ["3:14", "5:1", "6:3", "7:17", "12:13", "1:25", "2:3", "3:1", "5:3"],
        "{errors:#?}"
    );
}

#[test]
fn what_is_not_settled_is_refused_unless_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.alloy");
    let text = "prometheus.scrape \"a\" {\n  targets    = array.combine_maps([], [], [\"k\"])\n  forward_to = []\n}\n";
    fs::write(&path, text).unwrap();
    let found = findings(&[], &path);
    assert_eq!(places(&found), ["2:16"]);
    assert!(found[0].2.contains("--stability.level"), "{found:?}");
    assert!(findings(&["--stability.level=experimental"], &path).is_empty());
    let unknown = ferroalloy(
        &["validate", "--stability.level=beta", path.to_str().unwrap()],
        None,
    );
    assert!(
        stderr(&unknown).contains("generally-available"),
        "{}",
        stderr(&unknown)
    );
}

#[test]
fn files_for_clusters_and_of_old_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.alloy");
    let text = "prometheus.scrape \"a\" {\n  targets    = []\n  forward_to = []\n\
                \x20 enable_protobuf_negotiation = true\n  clustering {\n    enabled = true\n  }\n}\n";
    fs::write(&path, text).unwrap();
    assert_eq!(findings(&[], &path), []);
    fs::write(
        &path,
        text.replace(
            "forward_to = []",
            "forward_to = []\n  scrape_protocols = [\"PrometheusProto\"]",
        ),
    )
    .unwrap();
    let found = findings(&[], &path);
    assert_eq!(places(&found), ["1:1"]);
    assert!(found[0].2.contains("exclude each other"), "{found:?}");
}

#[test]
fn the_plain_form_is_alloys() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.alloy");
    fs::write(&path, "logging {\n\tlevle = \"warn\"\n}\n").unwrap();
    let name = path.to_str().unwrap();
    let expected = format!(
        "Error: {name}:2:2: unrecognized attribute name \"levle\"\n\n\
         1 | logging {{\n2 |     levle = \"warn\"\n  |     ^^^^^^^^^^^^^^\n3 | }}\n"
    );
    let plain = ferroalloy(&["validate", "--format=plain", name], None);
    assert_eq!(stderr(&plain), format!("{expected}\nError: validation failed\n"));
    let full = ferroalloy(&["validate", name], None);
    assert_eq!(
        stderr(&full),
        format!("{expected}\n  help: did you mean `level`?\n\nError: validation failed\n")
    );
}

#[test]
fn what_the_exporter_is_told_wrong_is_told_at_each_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.alloy");
    let text = r#"prometheus.exporter.unix "h" {
  set_collectors     = ["uname", "unam"]
  disable_collectors = ["wifi", "wify"]
  filesystem {
    mount_points_exclude = "["
    mount_timeout        = "5"
  }
  disk {
    device_exclude = "("
  }
}
"#;
    fs::write(&path, text).unwrap();
    let errors: Vec<_> = findings(&[], &path)
        .into_iter()
        .filter(|(_, severity, _)| severity == "error")
        .collect();
    assert_eq!(
        places(&errors),
        ["2:34", "3:33", "5:28", "6:28", "9:22"],
        "{errors:#?}"
    );
    assert!(errors[0].2.contains("did you mean \"uname\"?"), "{errors:#?}");
}

#[test]
fn blocks_of_collectors_that_do_not_exist_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.alloy");
    for (block, argument) in [
        ("ethtool", "metrics_include = \".*\""),
        ("perf", "cpus = \"0-3\""),
        ("systemd", "enable_restarts = true"),
    ] {
        let text = format!(
            "prometheus.exporter.unix \"h\" {{\n  runit {{\n    service_dir = \"/s\"\n  }}\n\
             \x20 {block} {{\n    {argument}\n  }}\n}}\n"
        );
        fs::write(&path, text).unwrap();
        let errors: Vec<_> = findings(&[], &path)
            .into_iter()
            .filter(|(_, severity, _)| severity == "error")
            .collect();
        assert_eq!(places(&errors), ["5:3"], "{errors:#?}");
        assert!(errors[0].2.contains(&format!("{block:?}")), "{errors:#?}");
    }
}

/// A rule between fields of a block within one is told at that block, whatever else is wrong with the component.
#[test]
fn rules_of_blocks_are_told_at_the_block() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.alloy");
    let text = "prometheus.remote_write \"a\" {\n  endpoint {\n    url = \"http://h\"\n    bearer_token = \"t\"\n\
                \x20   basic_auth { username = \"u\" }\n  }\n  endpoint {\n    url = \"http://h\"\n\
                \x20   basic_auth { username = \"a:b\" }\n  }\n  external_labels = nothing.at.all\n}\n";
    fs::write(&path, text).unwrap();
    let found = findings(&[], &path);
    assert_eq!(places(&found), ["2:3", "7:3", "11:21"], "{found:#?}");
}

/// A component's rules need not know what it is given: what it refers to may be wrong.
#[test]
fn rules_are_told_whatever_is_wrong_with_what_is_referred_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.alloy");
    let text = "prometheus.exporter.self \"me\" { }\n\
                prometheus.scrape \"a\" {\n  targets = prometheus.exporter.self.me.targets\n\
                \x20 forward_to = [prometheus.remote_write.a.receiver]\n\
                \x20 scrape_interval = \"1s\"\n  scrape_timeout = \"10s\"\n}\n\
                prometheus.remote_write \"a\" {\n  endpoint {\n    url = 5\n  }\n}\n";
    fs::write(&path, text).unwrap();
    let found = findings(&[], &path);
    assert_eq!(places(&found), ["2:1", "10:11"], "{found:#?}");
}

#[test]
fn a_block_without_a_place_is_checked_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.alloy");
    let text = r#"prometheus.scrape {
  targets         = prometheus.remote_write.x.receiver
  forward_to      = [nothing.there]
  scrape_interval = "soon"
}
prometheus.remote_write "x" {
  endpoint { url = "http://h/" }
}
prometheus.remote_write "x" {
  endpoint { ulr = "http://h/" }
}
logging {
  level = "warn"
}
logging "l" {
  level = "loud"
}
prometheus.echo "e" {
  format = "tekst"
}
prometheus.scrap "y" {
  forward_to = [prometheus.remote_write.z.receiver]
}
prometheus.scrape {
  targets         = array.concat([{ a = string.format("%s", "b") }])
  forward_to      = [prometheus.remote_write.x.receiver]
  scrape_interval = string.join(["1", "x"], "")
  scrape_timeout  = prometheus.remote_write.x.receiver == 1
}
"#;
    fs::write(&path, text).unwrap();
    let found = findings(&[], &path);
    assert_eq!(
        places(&found),
        [
            "1:1", "2:21", "3:22", "4:21", "9:1", "10:3", "10:14", "15:1", "16:11", "19:12", "21:1", "22:17",
            "24:1", "27:21", "28:21"
        ],
        "{found:#?}"
    );
}

/// The blocks that are referred to cannot be evaluated, so only types tell.
#[test]
fn an_export_of_another_type_is_refused_where_it_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.alloy");
    let text = r#"prometheus.remote_write "x" {
  endpoint { }
}
prometheus.relabel "r" {
  forward_to = [prometheus.remote_write.x.receiver]
}
discovery.relabel "d" {
  targets = []
  targets = []
}
prometheus.scrape "a" {
  targets    = prometheus.remote_write.x.receiver
  forward_to = prometheus.remote_write.x.receiver
}
prometheus.scrape "b" {
  targets    = [prometheus.remote_write.x.receiver]
  forward_to = [prometheus.relabel.r.rules]
}
prometheus.scrape "c" {
  targets    = array.concat(discovery.relabel.d.output, prometheus.relabel.r.receiver)
  forward_to = [prometheus.relabel.r.receiver, "http://h/", discovery.relabel.d.rules]
}
prometheus.scrape "d" {
  targets         = discovery.relabel.d.output
  forward_to      = discovery.relabel.d.output
  job_name        = prometheus.remote_write.x.receiver.name
  scrape_interval = prometheus.remote_write.x.receiver[0]
  metrics_path    = "/" + prometheus.relabel.r.rules
  scheme          = prometheus.relabel.r.receiver()
}
prometheus.scrape "e" {
  targets    = [{ job = prometheus.relabel.r.receiver }]
  forward_to = ["http://h/"]
}
"#;
    fs::write(&path, text).unwrap();
    let found: Vec<_> = findings(&[], &path)
        .into_iter()
        .filter(|(_, severity, _)| severity == "error")
        .map(|(place, _, message)| format!("{place} {message}"))
        .collect();
    let receiver = "capsule(\"metrics.receiver\")";
    let rules = "capsule(\"relabel.rules\")";
    let expected = [
        "2:3 missing required attribute \"url\"".to_owned(),
        "9:3 attribute \"targets\" may only be provided once".to_owned(),
        format!("12:16 prometheus.remote_write.x.receiver should be list(map(scalar)), got {receiver}"),
        format!("13:16 prometheus.remote_write.x.receiver should be list({receiver}), got {receiver}"),
        format!("16:17 prometheus.remote_write.x.receiver should be map(scalar), got {receiver}"),
        format!("17:17 prometheus.relabel.r.rules should be {receiver}, got {rules}"),
        format!("20:57 prometheus.relabel.r.receiver should be list(any), got {receiver}"),
        format!("21:48 expected {receiver}, got string"),
        format!("21:61 discovery.relabel.d.rules should be {receiver}, got {rules}"),
        format!("25:21 discovery.relabel.d.output should be list({receiver}), got list(map(string))"),
        format!(
            "26:56 cannot access field \"name\" of prometheus.remote_write.x.receiver: it is of type {receiver}"
        ),
        format!("27:21 cannot index prometheus.remote_write.x.receiver: it is of type {receiver}"),
        format!("28:21 operator + needs two numbers or two strings, got string and {rules}"),
        format!("29:21 prometheus.relabel.r.receiver is not a function: it is of type {receiver}"),
        format!("32:25 prometheus.relabel.r.receiver should be scalar, got {receiver}"),
        format!("33:17 expected {receiver}, got string"),
    ];
    assert_eq!(found, expected);
}

/// What Alloy says of a configuration is said here too, at the same place: of blocks that are known here; the others
/// are refused at their heads.
#[test]
fn conformance() {
    let Some(folder) = std::env::var_os("FERROALLOY_CONFORMANCE") else {
        eprintln!("skipped: FERROALLOY_CONFORMANCE is not set");
        return;
    };
    let folder = PathBuf::from(folder).join("river/validate");
    let mut cases = 0;
    for case in fs::read_dir(folder).unwrap() {
        let case = case.unwrap().path();
        if !case.is_dir() {
            continue;
        }
        cases += 1;
        let level = fs::read_to_string(case.join("level")).unwrap();
        let level = format!("--stability.level={}", level.trim());
        let found = findings(&[&level], &case.join("src"));
        let found: BTreeSet<&str> = places(&found).into_iter().collect();
        for expected in expected_places(&case) {
            assert!(
                found.contains(&*expected),
                "{}: nothing at {expected}: {found:?}",
                case.display()
            );
        }
        let expects_errors = !fs::read_to_string(case.join("expected.diags"))
            .unwrap()
            .is_empty();
        assert_eq!(expects_errors, !found.is_empty(), "{}", case.display());
    }
    assert!(cases > 0);
}

fn expected_places(case: &Path) -> BTreeSet<String> {
    let diags = fs::read_to_string(case.join("expected.diags")).unwrap();
    let mut sources = river_syntax::SourceMap::new();
    let mut trees = Vec::new();
    for file in fs::read_dir(case.join("src")).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        let source = sources.add(name, fs::read(file.path()).unwrap());
        trees.push((source.clone(), river_syntax::parse(&source).0));
    }
    let heads = diags
        .lines()
        .filter_map(|line| line.strip_prefix("Error: ").or(line.strip_prefix("Warning: ")));
    heads
        .filter_map(|head| {
            let mut parts = head.splitn(4, ':');
            let (name, line, column) = (parts.next()?, parts.next()?, parts.next()?);
            let number: usize = line.parse().unwrap();
            let (source, tree) = trees.iter().find(|(source, _)| source.name() == name)?;
            let lines = |block: river_syntax::ast::Block<'_>| {
                let at = |offset: usize| source.position(offset).line;
                at(block.span().start())..=at(block.span().end())
            };
            let block = tree.body().blocks().find(|block| lines(*block).contains(&number));
            let unknown = block.filter(|block| {
                ferroalloy::components::find(block.name()).is_none()
                    && ferroalloy::settings::find(block.name()).is_none()
            });
            Some(match unknown {
                Some(block) => source.position(block.name_span().start()).to_string(),
                None => format!("{line}:{column}"),
            })
        })
        .collect()
}

#[test]
fn nothing_is_made_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let config = "prometheus.remote_write \"w\" {\n\tendpoint {\n\t\turl = \"http://localhost:1/\"\n\t}\n}\n";
    fs::write(folder.path().join("config.alloy"), config).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_ferroalloy"))
        .args(["validate", "config.alloy"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let names = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["config.alloy"]);
}

#[test]
fn supervisord_is_where_the_environment_says_unless_the_block_does() {
    let folder = tempfile::tempdir().unwrap();
    let said = |block: &str| {
        let config = format!(
            "prometheus.exporter.unix \"u\" {{\n\tenable_collectors = [\"supervisord\"]\n{block}}}\n"
        );
        fs::write(folder.path().join("config.alloy"), config).unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_ferroalloy"))
            .args(["validate", "config.alloy"])
            .current_dir(folder.path())
            .env("SUPERVISORD_URL", "odd://of-environment")
            .output()
            .unwrap();
        [output.stdout, output.stderr]
            .map(|text| String::from_utf8(text).unwrap())
            .concat()
    };
    assert!(said("").contains("odd://of-environment"), "{}", said(""));
    let block = "\n\tsupervisord {\n\t\turl = \"http://localhost:9001/RPC2\"\n\t}\n";
    assert!(!said(block).contains("odd:"), "{}", said(block));
}
