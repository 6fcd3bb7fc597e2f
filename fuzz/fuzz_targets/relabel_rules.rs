//! Any texts as the fields of two rules, run over a few labels: no panic, and the set stays well formed.
//!
//! The input's lines are the fields: of each rule the action's number, source labels, separator, pattern, target label and
//! replacement.

#![no_main]

use libfuzzer_sys::fuzz_target;
use relabel::{Action, Labels, Naming, Rule, Rules};

fuzz_target!(|data: &[u8]| {
    let Ok(input) = std::str::from_utf8(data) else {
        return;
    };
    let mut fields = input.split('\n');
    let mut field = || fields.next().unwrap_or_default();
    let mut rule = || {
        let number = field().bytes().next().unwrap_or_default();
        Rule {
            action: Action::ALL[usize::from(number) % Action::ALL.len()],
            source_labels: field().split(',').map(str::to_owned).collect(),
            separator: field().to_owned(),
            regex: field().to_owned(),
            modulus: u64::from(number),
            target_label: field().to_owned(),
            replacement: field().to_owned(),
        }
    };
    let rules = [rule(), rule()];
    let labels = Labels::from_pairs([("__name__", "up"), ("a", "x;y"), ("b", "É1"), ("c", "a\nb")]);
    for naming in [Naming::UTF8, Naming::LEGACY] {
        let accepted: Vec<Rule> = rules
            .iter()
            .filter(|rule| rule.validate(naming).is_ok())
            .cloned()
            .collect();
        let Ok(rules) = Rules::new(accepted, naming) else {
            continue;
        };
        let once = rules.relabel(&labels);
        assert_eq!(once, rules.relabel(&labels));
        for (name, value) in once.iter().flat_map(Labels::iter) {
            assert!(!name.is_empty() && !value.is_empty());
        }
    }
});
