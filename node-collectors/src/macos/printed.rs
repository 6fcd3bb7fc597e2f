//! Every family that a real node_exporter printed on a Mac is given here: name, TYPE, HELP and names of labels.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ferroalloy_model::{Families, text};

use crate::set::NodeCollectors;
use crate::testing::Host;

/// Collectors whose own tests compare all that they give from recorded values with the inventory, both ways.
const COMPARED: [&str; 4] = ["diskstats", "meminfo", "netdev", "os"];

#[derive(Debug, Default, PartialEq)]
struct Family {
    kind: String,
    help: String,
    /// Of its samples, if there is one.
    labels: Option<BTreeSet<String>>,
}

impl Family {
    fn differs(&self, other: &Self) -> bool {
        let labels = self.labels.as_ref().zip(other.labels.as_ref());
        self.kind != other.kind || self.help != other.help || labels.is_some_and(|(one, other)| one != other)
    }
}

/// The families of a text in the exposition format whose label values have neither commas nor braces.
fn families(exposition: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for line in exposition.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            help.clone_into(&mut families.entry(name.to_owned()).or_default().help);
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            kind.clone_into(&mut families.entry(name.to_owned()).or_default().kind);
        } else {
            let series = line.rsplit_once(' ').unwrap_or_default().0;
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let labels = labels.trim_end_matches('}').split(',');
            let labels = labels.filter_map(|label| Some(label.split_once('=')?.0.to_owned()));
            families.entry(name.to_owned()).or_default().labels = Some(labels.collect());
        }
    }
    families
}

/// What the collectors give that are the same on every system, of files made by hand.
fn given() -> BTreeMap<String, Family> {
    let host = Host::new(&[
        ("proc/buddyinfo", "Node 0, zone DMA 1 0\n"),
        ("proc/net/xfrm_stat", "XfrmInError 1\n"),
        ("text/one.prom", "written 1\n"),
    ]);
    let folder = host.path().join("text").to_string_lossy().into_owned();
    let set = NodeCollectors::builder()
        .only(["buddyinfo", "textfile", "time", "xfrm"])
        .roots(host.roots())
        .configure(|options| options.textfile.directories = vec![folder])
        .build()
        .unwrap();
    let mut out = Families::new();
    let report = set.collect(&mut out);
    assert_eq!(report.failures().count(), 0);
    let mut exposition = Vec::new();
    text::write(&out, &mut exposition);
    families(std::str::from_utf8(&exposition).unwrap())
}

#[test]
fn families_as_a_real_node_exporter_printed_them() {
    let Some(folder) = std::env::var_os("FERROALLOY_CONFORMANCE") else {
        println!("skipped: FERROALLOY_CONFORMANCE is not set");
        return;
    };
    let folder = Path::new(&folder).join("node_exporter");
    let printed = std::fs::read_to_string(folder.join("expected/e2e-output-darwin.txt")).unwrap();
    let mut expected = families(&printed);
    // The word on the build is under each program's own name.
    expected.retain(|name, _| name.starts_with("node_") && name != "node_exporter_build_info");
    assert!(expected.len() > 40, "{}", expected.len());

    let mut given = given();
    let inventory = std::fs::read_to_string(folder.join("metrics-inventory.tsv")).unwrap();
    let rows = inventory.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    for row in rows.filter(|row| row[0] == "darwin" && COMPARED.contains(&row[1])) {
        let labels = row[4].split(',').filter(|label| !label.is_empty());
        let family = Family {
            kind: row[3].to_owned(),
            help: row[5].to_owned(),
            labels: Some(labels.map(str::to_owned).collect()),
        };
        given.insert(row[2].to_owned(), family);
    }
    let wrong: Vec<_> = expected
        .iter()
        .map(|(name, theirs)| (name, theirs, given.get(name)))
        .filter(|(_, theirs, ours)| ours.is_none_or(|ours| ours.differs(theirs)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
