//! TestLabelValidation. That labels are in order of name, not empty and not repeated, and that there is a name, is asked of every request by
//! [`super::wire`]; here are the labels, external ones and rules that put it to the test.

use ferroalloy_model::{Batch, Labels};
use relabel::{Action, Naming, Rule, Rules};

use super::pushed::{NOW, Pushed};
use super::{VERSIONS, sent, sent_with};

fn with(labels: &[(&str, &str)]) -> Batch {
    let mut pushed = Pushed::new();
    let slot = pushed.series(labels);
    pushed.sample(slot, NOW, 1.0).batch()
}

async fn arrives(labels: &[(&str, &str)]) {
    for version in VERSIONS {
        let request = sent(version, &with(labels)).await;
        let arrived: Vec<(&str, &str)> = request.series[0]
            .labels
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(arrived, labels, "{version:?}");
    }
}

#[tokio::test]
async fn lexicographic_ordering_is_by_bytes() {
    arrives(&[("A", "1"), ("_", "2"), ("__name__", "m"), ("a", "3"), ("ä", "4")]).await;
}

#[tokio::test]
async fn metric_name_present() {
    arrives(&[("__name__", "m")]).await;
}

#[tokio::test]
async fn utf8_values() {
    arrives(&[
        ("__name__", "http.requests"),
        ("city", "Zürich"),
        ("emoji", "🦀"),
        ("kanji", "東京"),
    ])
    .await;
}

#[tokio::test]
async fn special_characters() {
    arrives(&[
        ("__name__", "m"),
        ("path", "C:\\DIR\\\"quoted\"\n\t\u{0}"),
        ("query", "{a=\"b\"}"),
    ])
    .await;
}

#[tokio::test]
async fn long_values() {
    let long = "x".repeat(100_000);
    arrives(&[("__name__", "m"), ("long", &long)]).await;
}

#[tokio::test]
async fn double_underscore_prefix_is_kept() {
    arrives(&[("__name__", "m"), ("__type__", "counter"), ("__unit__", "s")]).await;
}

#[tokio::test]
async fn many_labels() {
    let names: Vec<String> = (0..200).map(|n| format!("label_{n:03}")).collect();
    let mut labels = vec![("__name__", "m")];
    labels.extend(names.iter().map(|name| (name.as_str(), "v")));
    arrives(&labels).await;
}

#[tokio::test]
async fn external_labels_never_override_and_are_in_order() {
    for version in VERSIONS {
        let request = sent_with(version, &with(&[("__name__", "m"), ("job", "own")]), |config| {
            config.external_labels = Labels::from_pairs([
                ("Zone", "z"),
                ("cluster", "c"),
                ("job", "external"),
                ("zz", "last"),
            ]);
        })
        .await;
        let series = &request.series[0];
        assert_eq!(
            (series.label("job"), series.label("Zone"), series.label("cluster")),
            (Some("own"), Some("z"), Some("c"))
        );
        assert_eq!(series.labels.len(), 5);
    }
}

#[tokio::test]
async fn rules_make_no_bad_labels() {
    let rule = |target: &str, replacement: &str| Rule {
        target_label: target.into(),
        replacement: replacement.into(),
        ..Rule::default()
    };
    let map = Rule {
        action: Action::LabelMap,
        regex: "(one|two)".into(),
        replacement: "same".into(),
        ..Rule::default()
    };
    for version in VERSIONS {
        let batch = with(&[
            ("__name__", "m"),
            ("gone", "x"),
            ("kept", "y"),
            ("one", "1"),
            ("two", "2"),
        ]);
        let rules = [
            rule("gone", ""),
            rule("Added", "first"),
            rule("kept", "changed"),
            map.clone(),
        ];
        let request = sent_with(version, &batch, |config| {
            config.endpoints[0].write_relabel = Rules::new(rules, Naming::UTF8).unwrap();
        })
        .await;
        let series = &request.series[0];
        assert_eq!(
            (series.label("gone"), series.label("Added"), series.label("kept")),
            (None, Some("first"), Some("changed"))
        );
        assert!(series.label("same").is_some());
    }
}

#[tokio::test]
async fn a_series_that_rules_leave_without_a_name_is_not_sent() {
    for version in VERSIONS {
        let mut pushed = Pushed::new();
        let nameless = pushed.series(&[("__name__", "drop_me"), ("job", "test")]);
        let kept = pushed.series(&[("__name__", "kept"), ("job", "test")]);
        let batch = pushed.sample(nameless, NOW, 1.0).sample(kept, NOW, 2.0).batch();
        let rule = Rule {
            source_labels: vec!["__name__".into()],
            regex: "drop_me".into(),
            target_label: "__name__".into(),
            replacement: String::new(),
            ..Rule::default()
        };
        let request = sent_with(version, &batch, |config| {
            config.endpoints[0].write_relabel = Rules::new([rule], Naming::UTF8).unwrap();
        })
        .await;
        assert_eq!(request.series.len(), 1);
        assert_eq!(request.series("kept").value(), 2.0);
    }
}
