//! Layout to layout: vacancies, increments, changed rules.

use std::sync::Arc;

use proptest::prelude::*;
use relabel::{Action, Layout, LayoutRelabeler, Naming, Rule, Rules};

use ferroalloy_model::{
    Batch, ColumnData, Columns, LayoutBuilder, Metadata, MetricKind, Reconfigured, SourceId,
};

fn drop_rule(label: &str, regex: &str) -> Rule {
    Rule {
        source_labels: vec![label.into()],
        regex: regex.into(),
        action: Action::Drop,
        ..Rule::default()
    }
}

fn set_rule(target: &str, value: &str) -> Rule {
    Rule {
        target_label: target.into(),
        replacement: value.into(),
        ..Rule::default()
    }
}

fn rules(rules: impl IntoIterator<Item = Rule>) -> Rules {
    Rules::new(rules, Naming::UTF8).expect("rules")
}

fn layout(names: &[&str]) -> Arc<Layout> {
    let metadata = Arc::new(Metadata {
        kind: MetricKind::Gauge,
        help: "h".into(),
        unit: String::new(),
    });
    let mut builder = LayoutBuilder::new(SourceId::new(), "test");
    for name in names {
        builder.push([("__name__", *name), ("job", "j")], Some(&metadata));
    }
    builder.build()
}

fn shown(layout: &Layout) -> Vec<String> {
    (0..layout.len())
        .map(|slot| layout.series(slot).to_string())
        .collect()
}

#[test]
fn slots_and_metadata_are_kept_and_a_dropped_series_is_vacant() {
    let input = layout(&["a", "b"]);
    let stage = LayoutRelabeler::new(rules([drop_rule("__name__", "a"), set_rule("x", "1")]));
    let output = stage.relabel(&input);
    assert_eq!(shown(output.layout()), ["", r#"b{job="j", x="1"}"#]);
    assert_eq!((output.dropped(), output.unnamed()), (1, &[][..]));
    assert_eq!(output.layout().metadata(0), None);
    assert_eq!(output.layout().metadata(1).map(|m| m.help.as_str()), Some("h"));
    assert_eq!(output.layout().source(), input.source());
    assert!(
        Arc::ptr_eq(output.layout(), stage.relabel(&input).layout()),
        "worked out once"
    );

    let mut data = ColumnData::default();
    data.reset(7, 2);
    data.set(0, 1.0);
    data.set(1, 2.0);
    let batch = Batch::from(Columns {
        layout: input,
        data: Arc::new(data),
    });
    let samples = stage.relabel_batch(&batch).samples();
    assert_eq!(
        samples
            .iter()
            .map(|row| (row.slot, row.value))
            .collect::<Vec<_>>(),
        [(1, 2.0)]
    );
}

#[test]
fn rules_that_change_nothing_give_the_input_and_hold_no_cycle() {
    for list in [vec![], vec![drop_rule("job", "other")]] {
        let input = layout(&["a"]);
        let stage = LayoutRelabeler::new(rules(list));
        let output = stage.relabel(&input);
        assert!(Arc::ptr_eq(output.layout(), &input));
        let weak = Arc::downgrade(&input);
        drop((output, input));
        assert!(weak.upgrade().is_none());
    }
}

#[test]
fn a_series_without_a_name_or_without_labels_is_vacant() {
    let input = layout(&["a", "b"]);
    let unname = Rule {
        regex: "__name__".into(),
        action: Action::LabelDrop,
        ..Rule::default()
    };
    let output = LayoutRelabeler::new(rules([drop_rule("__name__", "b"), unname.clone()])).relabel(&input);
    assert_eq!(
        (shown(output.layout()), output.unnamed()),
        (vec![String::new(); 2], &[0][..])
    );

    let all = Rule {
        regex: ".*".into(),
        action: Action::LabelDrop,
        ..Rule::default()
    };
    let output = LayoutRelabeler::new(rules([all])).relabel(&input);
    assert_eq!((output.layout().series_count(), output.unnamed()), (0, &[][..]));
    assert_eq!(output.dropped(), 2);
}

#[test]
fn a_child_costs_its_changed_slots_and_derives_from_the_parents_result() {
    let parent = layout(&["a", "b"]);
    let stage = LayoutRelabeler::new(rules([drop_rule("__name__", "a|c"), set_rule("x", "1")]));
    let first = stage.relabel(&parent);
    let mut builder = LayoutBuilder::from_parent(&parent);
    builder.replace(0, [("__name__", "d")], None);
    builder.push([("__name__", "c")], None);
    let child = builder.build();
    let second = stage.relabel(&child);
    assert_eq!(
        shown(second.layout()),
        [r#"d{x="1"}"#, r#"b{job="j", x="1"}"#, ""]
    );
    assert_eq!(second.layout().parent(), Some(first.layout().id()));
    assert!(second.layout().changed().iter().eq([0, 2]));
}

#[test]
fn changed_rules_take_effect_and_unchanged_series_stay() {
    let input = layout(&["a", "b"]);
    let stage = LayoutRelabeler::new(rules([drop_rule("__name__", "a"), set_rule("x", "1")]));
    let before = stage.relabel(&input);
    let _ = stage.reconfigure(rules([drop_rule("__name__", "a"), set_rule("x", "1")]));
    assert!(
        Arc::ptr_eq(before.layout(), stage.relabel(&input).layout()),
        "equal rules change nothing"
    );
    let _ = stage.reconfigure(rules([set_rule("x", "1")]));
    let after = stage.relabel(&input);
    assert_eq!(
        shown(after.layout()),
        [r#"a{job="j", x="1"}"#, r#"b{job="j", x="1"}"#]
    );
    assert_eq!(after.layout().parent(), Some(before.layout().id()));
    assert!(after.layout().changed().iter().eq([0]));
}

/// A step of an input's life: replace a slot, vacate one, add one.
fn steps() -> impl Strategy<Value = Vec<(usize, &'static str)>> {
    let name = prop_oneof![Just("a"), Just("b"), Just("c"), Just("")];
    proptest::collection::vec((0..6_usize, name), 0..6)
}

proptest! {
    #[test]
    fn increments_give_what_a_fresh_start_gives(lives in proptest::collection::vec((steps(), 0..5_usize), 1..6)) {
        let unname = Rule {
            source_labels: vec!["__name__".into()],
            regex: "b".into(),
            target_label: "__name__".into(),
            replacement: String::new(),
            ..Rule::default()
        };
        let lists = [
            rules([]),
            rules([drop_rule("__name__", "a")]),
            rules([set_rule("x", "1")]),
            rules([unname]),
            rules([drop_rule("job", "j"), set_rule("y", "2")]),
        ];
        let stage = LayoutRelabeler::new(lists[0].clone());
        let mut input = layout(&["a", "b", "c"]);
        for (steps, list) in lives {
            let mut builder = LayoutBuilder::from_parent(&input);
            builder.truncate_vacant(1);
            for (slot, name) in steps {
                let labels = [("__name__", name), ("k", "v")];
                match u32::try_from(slot).expect("small") {
                    slot if slot as usize >= builder.len() => { builder.push(labels, None); }
                    slot if name.is_empty() => builder.vacate(slot),
                    slot => builder.replace(slot, labels, None),
                }
            }
            let child = builder.build();
            let _ = stage.reconfigure(lists[list].clone());
            let grown = stage.relabel(&child);
            let fresh = LayoutRelabeler::new(lists[list].clone()).relabel(&child);
            prop_assert_eq!(shown(grown.layout()), shown(fresh.layout()));
            prop_assert_eq!(grown.unnamed(), fresh.unnamed());
            prop_assert_eq!(grown.dropped(), fresh.dropped());
            let (grown, fresh) = (grown.layout(), fresh.layout());
            for slot in 0..child.len() {
                prop_assert_eq!(grown.metadata(slot), fresh.metadata(slot));
            }
            prop_assert_eq!(Arc::ptr_eq(grown, &child), Arc::ptr_eq(fresh, &child));
            input = child;
        }
    }
}

fn batch(layout: &Arc<Layout>, time: i64, present: &[u32]) -> Batch {
    let mut data = ColumnData::default();
    data.reset(time, layout.len());
    for slot in present {
        data.set(*slot, 1.0);
    }
    Batch::from(Columns {
        layout: Arc::clone(layout),
        data: Arc::new(data),
    })
}

/// The series of a batch, with `stale` for markers.
fn sent(batch: &Batch) -> Vec<String> {
    let rows = batch.samples();
    let shown = rows.iter().map(|row| {
        let stale = if ferroalloy_model::is_stale(row.value) {
            " stale"
        } else {
            ""
        };
        format!(
            "{}{stale} @{}",
            batch.layout().series(row.slot as usize),
            row.timestamp
        )
    });
    shown.collect()
}

#[test]
fn series_that_a_change_of_rules_renames_get_markers_once() {
    let input = layout(&["a", "b", "c"]);
    let stage = LayoutRelabeler::new(rules([set_rule("x", "1")]));
    let (markers, first) = stage.relabel_batch_with_markers(&batch(&input, 1, &[0, 1]));
    assert!(markers.is_none());
    assert_eq!(
        sent(&first),
        [r#"a{job="j", x="1"} @1"#, r#"b{job="j", x="1"} @1"#]
    );

    // `a` is renamed, `b` dropped; `c` has no sample, so it has nothing to end.
    assert_eq!(
        stage.reconfigure(rules([drop_rule("__name__", "b"), set_rule("x", "2")])),
        Reconfigured::Kept
    );
    let (markers, second) = stage.relabel_batch_with_markers(&batch(&input, 2, &[0, 1]));
    assert_eq!(
        sent(&markers.expect("markers")),
        [r#"a{job="j", x="1"} stale @2"#, r#"b{job="j", x="1"} stale @2"#]
    );
    assert_eq!(sent(&second), [r#"a{job="j", x="2"} @2"#]);
    assert!(
        stage
            .relabel_batch_with_markers(&batch(&input, 3, &[0, 1]))
            .0
            .is_none()
    );

    // The layout changes together with the rules: `b` comes back, and slot 0 is another series.
    let mut builder = LayoutBuilder::from_parent(&input);
    builder.replace(0, [("__name__", "d")], None);
    let child = builder.build();
    assert_eq!(stage.reconfigure(rules([])), Reconfigured::Kept);
    let (markers, third) = stage.relabel_batch_with_markers(&batch(&child, 4, &[0, 1]));
    assert!(markers.is_none(), "{:?}", markers.map(|markers| sent(&markers)));
    assert_eq!(sent(&third), ["d @4", r#"b{job="j"} @4"#]);
}

#[test]
fn a_series_that_another_one_becomes_gets_no_marker() {
    let input = layout(&["a", "b"]);
    let swap = |from: &str, to: &str| Rule {
        source_labels: vec!["__name__".into()],
        regex: from.into(),
        target_label: "__name__".into(),
        replacement: to.into(),
        ..Rule::default()
    };
    let stage = LayoutRelabeler::new(rules([]));
    stage.relabel_batch(&batch(&input, 1, &[0, 1]));
    assert_eq!(
        stage.reconfigure(rules([swap("a", "x"), swap("b", "a"), swap("x", "b")])),
        Reconfigured::Kept
    );
    let (markers, swapped) = stage.relabel_batch_with_markers(&batch(&input, 2, &[0, 1]));
    assert!(markers.is_none());
    assert_eq!(sent(&swapped), [r#"b{job="j"} @2"#, r#"a{job="j"} @2"#]);
    assert_eq!(stage.worked_out(), 4);
}

#[test]
fn results_are_held_as_long_as_their_layout() {
    let stage = LayoutRelabeler::new(rules([]));
    let (first, second) = (layout(&["a", "b"]), layout(&["c"]));
    stage.relabel(&first);
    stage.relabel(&first);
    stage.relabel(&second);
    assert_eq!((stage.held(), stage.given_up()), (3, 0));
    drop(first);
    assert_eq!((stage.held(), stage.given_up()), (1, 2));
}
