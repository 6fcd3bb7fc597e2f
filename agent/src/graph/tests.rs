//! Graphs of small configurations.

use std::fmt::Write;

use river_syntax::SourceMap;

use super::*;

fn build(text: &str) -> (SourceMap, Result<Graph, Vec<Diagnostic>>) {
    let config = Config::of("t.alloy", text);
    assert!(config.faults.is_empty(), "{:?}", config.faults);
    let graph = Graph::build(&config, Stability::GenerallyAvailable);
    (config.sources, graph)
}

/// `line:column: message` of every fault.
fn faults(text: &str) -> Vec<String> {
    let (sources, outcome) = build(text);
    let faults = outcome.map(drop).unwrap_err();
    faults
        .iter()
        .map(|fault| format!("{}: {fault}", sources.locate(fault.span())))
        .collect()
}

#[test]
fn what_is_referred_to_comes_first() {
    let (_, graph) = build(
        "discovery.relabel \"b\" { targets = discovery.relabel.a.output }\n\
         discovery.relabel \"a\" { targets = array.concat([{ x = constants.hostname }]) }\n",
    );
    let graph = graph.unwrap();
    let order: Vec<&str> = graph.in_order().map(|node| &*node.id).collect();
    assert_eq!(order, ["discovery.relabel.a", "discovery.relabel.b"]);
    assert_eq!(graph.dependants("discovery.relabel.a").len(), 1);
    let levels: Vec<String> = graph.users_first().iter().map(|level| level.join(" ")).collect();
    assert_eq!(levels, ["discovery.relabel.b", "discovery.relabel.a"]);
}

#[test]
fn every_fault_is_found_at_its_place() {
    let found = faults(
        "x = 1\n\
         prometheus.scrap \"a\" { }\n\
         loki.write \"l\" { }\n\
         discovery.relabel { }\n\
         logging \"x\" { }\n\
         discovery.relabel \"d\" { targets = discovery.relabel.e.output }\n\
         discovery.relabel \"d\" { targets = [] }\n\
         prometheus.relabel \"r\" { forward_to = [loki.write.l.receiver] }\n",
    );
    assert_eq!(
        found,
        [
            "t.alloy:1:1: unrecognized attribute x",
            "t.alloy:2:1: cannot find the definition of component name \"prometheus.scrap\"",
            "t.alloy:3:1: cannot find the definition of component name \"loki.write\"",
            "t.alloy:4:1: component \"discovery.relabel\" must have a label",
            "t.alloy:5:1: block \"logging\" does not support specifying labels",
            "t.alloy:7:1: block discovery.relabel.d is already declared",
            "t.alloy:6:35: component \"discovery.relabel.e.output\" does not exist or is out of scope",
        ]
    );
}

#[test]
fn a_cycle_is_told_at_each_of_its_blocks() {
    let found = faults(
        "discovery.relabel \"a\" { targets = discovery.relabel.b.output }\n\
         discovery.relabel \"b\" { targets = discovery.relabel.c.output }\n\
         discovery.relabel \"c\" { targets = discovery.relabel.a.output }\n\
         discovery.relabel \"d\" { targets = discovery.relabel.a.output }\n",
    );
    let message = "cycle detected: discovery.relabel.a, discovery.relabel.b, discovery.relabel.c";
    assert_eq!(
        found,
        [1, 2, 3].map(|line| format!("t.alloy:{line}:1: {message}"))
    );
    let found = faults("discovery.relabel \"a\" { targets = discovery.relabel.a.output }\n");
    assert_eq!(found, ["t.alloy:1:1: cannot reference self"]);
}

#[test]
fn a_fault_in_one_block_leaves_the_others_sound() {
    let config = Config::of(
        "t.alloy",
        "discovery.relabel \"a\" { targets = discovery.relabel.b.output }\n\
         discovery.relabel \"b\" { targets = discovery.relabel.a.output }\n\
         discovery.relabel \"c\" {\n  targets = [\n}\n\
         discovery.relabel \"d\" { targets = discovery.relabel.e.output }\n\
         discovery.relabel \"e\" { targets = [] }\n\
         discovery.relabel \"f g {\n  targets = []\n}\n\
         discovery.relabel \"h\" { targets = discovery.relabel.f.output }\n",
    );
    let (graph, found) = Graph::analyse(&config, Stability::GenerallyAvailable);
    let faulty: Vec<(&str, bool)> = graph.nodes().iter().map(|n| (&*n.id, n.faulty)).collect();
    let expected = [
        ("a", true),
        ("b", true),
        ("c", true),
        ("d", false),
        ("e", false),
        ("h", true),
    ];
    assert_eq!(
        faulty
            .iter()
            .map(|(id, faulty)| (id.rsplit('.').next().unwrap_or_default(), *faulty))
            .collect::<Vec<_>>(),
        expected
    );
    let dangling = found
        .iter()
        .filter(|fault| fault.message().contains("does not exist"));
    assert_eq!(dangling.count(), 0, "{found:?}");
}

#[test]
fn what_is_not_settled_must_be_asked_for() {
    let text = "discovery.relabel \"a\" { targets = array.combine_maps([], [], []) }\n";
    assert_eq!(
        faults(text),
        [
            "t.alloy:1:35: array.combine_maps is at stability level \"experimental\", which is below the minimum \
          allowed stability level \"generally-available\". Use --stability.level command-line flag to enable \
          \"experimental\" features"
        ]
    );
    let config = Config::of("t.alloy", text);
    assert!(Graph::build(&config, Stability::Experimental).is_ok());
}

#[test]
fn a_long_chain_is_no_deep_recursion() {
    let mut text = String::from("discovery.relabel \"n0\" { targets = [] }\n");
    for n in 1..5_000 {
        let before = n - 1;
        let _ = writeln!(
            text,
            "discovery.relabel \"n{n}\" {{ targets = discovery.relabel.n{before}.output }}"
        );
    }
    let (_, graph) = build(&text);
    assert_eq!(
        graph.unwrap().in_order().last().map(|node| node.id.to_string()),
        Some("discovery.relabel.n4999".into())
    );
}
