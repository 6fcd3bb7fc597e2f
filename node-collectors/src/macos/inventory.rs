//! Compares what a macOS collector gives with the recorded inventory of node_exporter's families on Darwin: names,
//! types, HELP texts and labels, both ways.

use std::collections::BTreeMap;
use std::path::Path;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Outcome};

/// Type, labels and HELP.
type Shape = (String, String, String);

/// Runs `collector`, which has to give exactly the families that the inventory has for `name`, apart from `added` ones
/// of our own and `absent` ones.
pub(crate) fn check(name: &str, collector: &dyn Collector, added: &[&str], absent: &[&str]) {
    let Some(folder) = std::env::var_os("FERROALLOY_CONFORMANCE") else {
        println!("skipped: FERROALLOY_CONFORMANCE is not set");
        return;
    };
    let table = Path::new(&folder).join("node_exporter/metrics-inventory.tsv");
    let mut expected = BTreeMap::new();
    for line in std::fs::read_to_string(table).unwrap().lines() {
        let row: Vec<&str> = line.split('\t').collect();
        if row[0] == "darwin" && row[1] == name && !absent.contains(&row[2]) {
            expected.insert(
                row[2].to_owned(),
                (row[3].to_owned(), row[4].to_owned(), row[5].to_owned()),
            );
        }
    }
    assert!(!expected.is_empty(), "the inventory knows {name}");
    let mut given = families(collector);
    for name in added {
        assert!(given.remove(*name).is_some(), "{name} is given");
        assert!(!expected.contains_key(*name), "{name} is not node_exporter's");
    }
    assert_eq!(given, expected);
}

fn families(collector: &dyn Collector) -> BTreeMap<String, Shape> {
    let mut out = Families::new();
    assert_eq!(collector.update(&mut out).unwrap(), Outcome::Data);
    let mut families = BTreeMap::new();
    for family in out.sorted() {
        // A family without series is not written.
        let Some(sample) = family.samples().next() else {
            continue;
        };
        let kind = match family.kind() {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            other => panic!("{}: {other:?}", family.name()),
        };
        let mut labels: Vec<&str> = sample.labels().map(|(name, _)| name).collect();
        labels.sort_unstable();
        let shape = (kind.to_owned(), labels.join(","), family.help().to_owned());
        families.insert(family.name().to_owned(), shape);
    }
    families
}
