//! What must hold for any rules and any labels.

use proptest::prelude::*;
use relabel::{Action, Decision, Labels, LabelsBuilder, NameScheme, Naming, Rule, Rules};

fn rule() -> impl Strategy<Value = Rule> {
    let label = "[a-c]{1,2}";
    (
        (
            proptest::sample::select(Action::ALL.to_vec()),
            proptest::collection::vec(label, 0..3),
            "[;,]?",
        ),
        (
            prop_oneof!["[abc.*+()|?]{0,6}", Just("(.*)".to_owned())],
            0..5_u64,
        ),
        (
            prop_oneof![label.prop_map(String::from), "[a${}1]{0,5}"],
            prop_oneof!["[a-c${}12]{0,6}", Just("$1".to_owned())],
        ),
    )
        .prop_map(
            |((action, source_labels, separator), (regex, modulus), (target_label, replacement))| Rule {
                source_labels,
                separator,
                regex,
                modulus,
                target_label,
                replacement,
                action,
            },
        )
}

fn some_labels() -> impl Strategy<Value = Labels> {
    proptest::collection::vec(("[a-c]{1,2}", "[a-cÀß;]{0,4}"), 0..6).prop_map(Labels::from_pairs)
}

proptest! {
    #[test]
    fn rules_are_deterministic_and_keep_the_set_well_formed(
        candidates in proptest::collection::vec(rule(), 1..6),
        labels in some_labels(),
    ) {
        let accepted: Vec<Rule> =
            candidates.into_iter().filter(|rule| Rules::new([rule.clone()], Naming::UTF8).is_ok()).collect();
        let rules = Rules::new(accepted.clone(), Naming::UTF8).expect("each was accepted");
        let first = rules.relabel(&labels);
        prop_assert_eq!(&first, &rules.relabel(&labels));

        // One rule after another gives the same, as long as no rule looks at the order of adding.
        if !accepted.iter().any(|rule| rule.action == Action::LabelMap) {
            let mut builder = LabelsBuilder::new();
            builder.reset(&labels);
            let kept = accepted.iter().all(|rule| {
                Rules::new([rule.clone()], Naming::UTF8).expect("accepted").apply(&mut builder) == Decision::Keep
            });
            prop_assert_eq!(first.clone(), kept.then(|| builder.labels()));
        }
        for (name, value) in first.iter().flat_map(Labels::iter) {
            prop_assert!(!name.is_empty() && !value.is_empty());
        }
    }

    #[test]
    fn replace_writes_legal_names_only(rule in rule(), labels in some_labels()) {
        let rule = Rule { action: Action::Replace, ..rule };
        let Ok(rules) = Rules::new([rule], Naming::LEGACY) else { return Ok(()) };
        for (name, _) in rules.relabel(&labels).iter().flat_map(Labels::iter) {
            prop_assert!(NameScheme::Legacy.is_label_name(name));
        }
    }

    #[test]
    fn any_text_in_any_field_is_accepted_or_refused(
        action in proptest::sample::select(Action::ALL.to_vec()),
        texts in proptest::collection::vec(any::<String>(), 5),
        modulus in any::<u64>(),
        labels in some_labels(),
    ) {
        let [source, separator, regex, target_label, replacement] = <[String; 5]>::try_from(texts).expect("five");
        let rule = Rule { source_labels: vec![source], separator, regex, modulus, target_label, replacement, action };
        for naming in [Naming::UTF8, Naming::LEGACY, Naming::ALLOY_SERIES, Naming::ALLOY_TARGETS] {
            if let Ok(rules) = Rules::new([rule.clone()], naming) {
                let _ = rules.relabel(&labels);
            }
        }
    }
}

#[test]
fn labelmap_visits_added_labels_last_and_in_order_of_adding() {
    let set = |target: &str| Rule {
        target_label: target.into(),
        replacement: target.into(),
        ..Rule::default()
    };
    let map = Rule {
        regex: "._(.+)".into(),
        action: Action::LabelMap,
        ..Rule::default()
    };
    let input = Labels::from_pairs([("b_x", "old"), ("z_x", "zed")]);
    let rules = Rules::new([set("y_x"), set("a_x"), set("b_x"), map], Naming::UTF8).expect("rules");
    assert_eq!(rules.relabel(&input).expect("kept").get("x"), Some("b_x"));
    let unset = Rule {
        target_label: "b_x".into(),
        replacement: String::new(),
        ..Rule::default()
    };
    let map = rules.configured()[3].clone();
    let rules = Rules::new([set("y_x"), set("a_x"), set("b_x"), unset, map], Naming::UTF8).expect("rules");
    assert_eq!(rules.relabel(&input).expect("kept").get("x"), Some("a_x"));
}

#[test]
fn an_error_names_the_rule_and_keeps_prometheus_words() {
    let bad = Rule {
        regex: "a**".into(),
        action: Action::Keep,
        ..Rule::default()
    };
    let good = Rule {
        target_label: "t".into(),
        ..Rule::default()
    };
    let error = Rules::new([good, bad], Naming::UTF8).expect_err("refused");
    assert_eq!(error.rule(), Some(1));
    assert_eq!(error.kind(), relabel::ErrorKind::Regex);
    assert_eq!(
        error.to_string(),
        "relabel rule 2: error parsing regexp: invalid nested repetition operator: `**`"
    );
}
