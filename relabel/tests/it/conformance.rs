//! Prometheus' and Alloy's own relabelling cases, as data: `relabel/cases.json` in `$FERROALLOY_CONFORMANCE`.

use std::path::PathBuf;

use relabel::{Action, Labels, NameScheme, Naming, Rule, Rules};
use serde_json::Value;

#[expect(
    clippy::print_stdout,
    reason = "whoever runs the tests is to see what was skipped"
)]
fn cases(list: &str) -> Option<Vec<Value>> {
    let Some(folder) = std::env::var_os("FERROALLOY_CONFORMANCE") else {
        println!("skipped: FERROALLOY_CONFORMANCE is not set");
        return None;
    };
    let path = PathBuf::from(folder).join("relabel/cases.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut file: Value = serde_json::from_str(&text).expect("JSON");
    let Value::Array(cases) = file[list].take() else {
        panic!("no list {list}")
    };
    assert!(!cases.is_empty());
    Some(cases)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn naming(case: &Value) -> Naming {
    match (text(&case["dialect"]), text(&case["validation"])) {
        ("alloy", _) => Naming::ALLOY_TARGETS,
        (_, "legacy") => Naming::LEGACY,
        _ => Naming::UTF8,
    }
}

/// A rule with the fields given. With `defaults` false those not given are empty, as the zero value of the Go struct is.
fn rule(config: &Value, defaults: bool) -> Result<Rule, String> {
    let mut rule = Rule::default();
    if !defaults {
        (rule.separator, rule.regex, rule.replacement) = Default::default();
    }
    for (field, value) in config.as_object().expect("object") {
        let owned = || text(value).to_owned();
        match field.as_str() {
            "source_labels" => {
                let names = value
                    .as_array()
                    .map(|names| names.iter().map(|name| text(name).to_owned()));
                rule.source_labels = names.into_iter().flatten().collect();
            }
            "separator" => rule.separator = owned(),
            "regex" => rule.regex = owned(),
            "modulus" => rule.modulus = value.as_u64().ok_or("modulus is unsigned")?,
            "target_label" => rule.target_label = owned(),
            "replacement" => rule.replacement = owned(),
            // Prometheus lowers the word first, see `Action`'s `FromStr`.
            "action" => {
                let action = text(value).to_lowercase().parse::<Action>();
                rule.action = action.map_err(|error| error.to_string())?;
            }
            other => return Err(format!("field {other} not found")),
        }
    }
    Ok(rule)
}

fn compile(config: &Value, defaults: bool, naming: Naming) -> Result<Rules, String> {
    Rules::new([rule(config, defaults)?], naming).map_err(|error| error.to_string())
}

fn labels(value: &Value) -> Labels {
    value
        .as_object()
        .expect("object")
        .iter()
        .map(|(name, value)| (name.as_str(), text(value)))
        .collect()
}

#[test]
fn label_sets() {
    for case in cases("relabel").unwrap_or_default() {
        let name = text(&case["name"]);
        let rules = case["configs"]
            .as_array()
            .expect("configs")
            .iter()
            .map(|config| rule(config, true));
        let rules = rules
            .collect::<Result<Vec<_>, _>>()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let rules = Rules::new(rules, naming(&case)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let expected = (!case["expected"].is_null()).then(|| labels(&case["expected"]));
        assert_eq!(rules.relabel(&labels(&case["input"])), expected, "{name}");
    }
}

#[test]
fn rules_with_every_field() {
    for case in cases("validate").unwrap_or_default() {
        let result = compile(&case["config"], false, naming(&case));
        check(&case, result.map(drop));
    }
}

#[test]
fn rules_that_are_refused() {
    for case in cases("invalid_authored").unwrap_or_default() {
        check(&case, compile(&case["config"], true, naming(&case)).map(drop));
    }
}

#[test]
fn files_that_are_refused_for_a_rule() {
    let mut checked = 0;
    for case in cases("invalid_files").unwrap_or_default() {
        // A rule that is null, or not readable, is the business of whoever reads the file.
        if case["config"].is_object() {
            check(&case, compile(&case["config"], true, naming(&case)).map(drop));
            checked += 1;
        }
    }
    assert!(checked > 20 || std::env::var_os("FERROALLOY_CONFORMANCE").is_none());
}

fn check(case: &Value, result: Result<(), String>) {
    let name = text(&case["name"]);
    match (case["valid"].as_bool().expect("valid"), result) {
        (true, result) => assert_eq!(result, Ok(()), "{name}"),
        (false, result) => {
            let error = result.expect_err(name);
            let wanted = text(&case["error_contains"]);
            assert!(error.contains(wanted), "{name}: {error:?} lacks {wanted:?}");
        }
    }
}

#[test]
fn legacy_templates() {
    for case in cases("legacy_target_label").unwrap_or_default() {
        let target_label = text(&case["target"]).to_owned();
        let valid = case["valid"].as_bool().expect("valid");
        let replace = Rule {
            target_label: target_label.clone(),
            ..Rule::default()
        };
        assert_eq!(
            replace.validate(Naming::LEGACY).is_ok(),
            valid,
            "target_label {target_label}"
        );
        let map = Rule {
            replacement: target_label.clone(),
            action: Action::LabelMap,
            ..Rule::default()
        };
        assert_eq!(
            map.validate(Naming::LEGACY).is_ok(),
            valid,
            "replacement {target_label}"
        );
    }
}

/// What the rules make of the labels of a target; the labels that come before and after are the scraper's.
#[test]
fn rules_of_targets() {
    for case in cases("populate").unwrap_or_default() {
        let Some(configs) = case["scrape_config"]["relabel_configs"].as_array() else {
            continue;
        };
        let rules = configs
            .iter()
            .map(|config| rule(config, true))
            .collect::<Result<Vec<_>, _>>()
            .expect("rules");
        let rules = Rules::new(rules, Naming::UTF8).expect("rules");
        let before = labels(&case["labels_before_relabel"]);
        let after = rules.relabel(&before).expect("kept");
        let expected = labels(&case["labels"]);
        let without_instance = |labels: &Labels| {
            labels
                .iter()
                .filter(|(n, _)| *n != "instance")
                .collect::<Labels>()
        };
        assert_eq!(after, without_instance(&expected), "{}", text(&case["name"]));
    }
}

#[test]
fn alloy_accepts_a_target_that_its_series_rules_then_do_not_write() {
    let rule = Rule {
        target_label: "a.b".into(),
        replacement: "x".into(),
        ..Rule::default()
    };
    let input = Labels::from_pairs([("__name__", "m")]);
    let with = |naming| {
        Rules::new([rule.clone()], naming)
            .expect("accepted")
            .relabel(&input)
            .expect("kept")
    };
    assert_eq!(with(Naming::ALLOY_SERIES), input);
    assert_eq!(with(Naming::ALLOY_TARGETS).get("a.b"), Some("x"));
    let scheme = Naming::new(NameScheme::Legacy, NameScheme::Legacy, NameScheme::Legacy);
    assert_eq!(scheme, Naming::LEGACY);
    assert!(Rules::new([rule], Naming::LEGACY).is_err());
}
