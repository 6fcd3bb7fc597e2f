//! The set as a program uses it: selection, options, change in place.

use ferroalloy_model::{Families, Reconfigured};
use node_collectors::{ErrorKind, NodeCollectors, Options, Roots, State, registry};

fn loads(roots: &Roots) -> NodeCollectors {
    NodeCollectors::builder()
        .roots(roots.clone())
        .only(["loadavg"])
        .build()
        .unwrap()
}

fn tree(content: &str) -> (tempfile::TempDir, Roots) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("loadavg"), content).unwrap();
    let roots = Roots {
        proc: folder.path().to_owned(),
        ..Roots::default()
    };
    (folder, roots)
}

#[test]
fn failures_are_reported_when_they_begin_and_when_they_end() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let (folder, roots) = tree("0.1 0.2 0.3 1/2 3\n");
    let set = loads(&roots);
    let mut out = Families::new();
    assert_eq!(set.collect(&mut out).changes().count(), 0);
    std::fs::write(folder.path().join("loadavg"), "?").unwrap();
    let report = set.collect(&mut out);
    let (status, error) = report.failures().next().unwrap();
    assert!(status.changed && error.kind() == ErrorKind::Parse, "{error}");
    assert_eq!(
        set.collect(&mut out).changes().count(),
        0,
        "the same failure is not news"
    );
    std::fs::write(folder.path().join("loadavg"), "1 2 3\n").unwrap();
    let report = set.collect(&mut out);
    assert!(matches!(report.changes().next().unwrap().state, State::Data));
}

#[test]
fn success_and_duration_are_in_the_metrics() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let (folder, roots) = tree("0.1 0.2 0.3 1/2 3\n");
    let set = loads(&roots);
    let text = String::from_utf8(set.to_text()).unwrap();
    assert!(
        text.contains("\nnode_scrape_collector_success{collector=\"loadavg\"} 1\n"),
        "{text}"
    );
    assert!(
        text.contains("\nnode_scrape_collector_duration_seconds{collector=\"loadavg\"} "),
        "{text}"
    );
    drop(folder);
    let text = String::from_utf8(set.to_text()).unwrap();
    assert!(
        text.contains("\nnode_scrape_collector_success{collector=\"loadavg\"} 0\n"),
        "{text}"
    );
}

#[test]
fn a_set_changes_in_place_and_keeps_what_it_had_on_a_mistake() {
    let set = NodeCollectors::builder().only(["loadavg"]).build().unwrap();
    let names = || {
        set.collectors()
            .iter()
            .map(|descriptor| descriptor.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        set.reconfigure(NodeCollectors::builder().only(["loadavg", "uname"]))
            .unwrap(),
        Reconfigured::Kept
    );
    assert_eq!(names(), ["loadavg", "uname"]);
    let error = set
        .reconfigure(NodeCollectors::builder().only(["loadavgg"]))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownCollector);
    assert_eq!(names(), ["loadavg", "uname"]);
    assert_eq!(
        set.collect_some(&mut Families::new(), |name| name == "uname")
            .statuses()
            .len(),
        1
    );
}

#[test]
fn every_option_takes_its_own_default() {
    let defaults = Options::default();
    for descriptor in registry() {
        for spec in descriptor.options {
            let value = spec.value(&defaults);
            if !value.is_empty() {
                let builder = NodeCollectors::builder().set(spec.name, &value);
                assert!(builder.is_ok(), "{}: {value}", spec.name);
            }
        }
    }
}

#[test]
fn sets_are_shared_between_threads() {
    let set = NodeCollectors::new().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut out = Families::new();
                for _ in 0..5 {
                    out.clear();
                    assert!(set.collect(&mut out).statuses().iter().all(|status| {
                        !matches!(&status.state, State::Failed(error) if error.kind() == ErrorKind::Panic)
                    }));
                }
            });
        }
    });
}

#[test]
fn the_summary_fits_on_a_screen() {
    let output = std::process::Command::new(crate::exporter::example("summary"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    for part in ["\nup ", "\nload ", "\nCPUs ", "\nmemory "] {
        assert!(text.contains(part) && !text.contains("NaN"), "{text}");
    }
    assert!(text.lines().count() <= 24, "{text}");
}
