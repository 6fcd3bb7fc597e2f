//! Rules that are usual.

use relabel::{Action, Naming, Rule, Rules};

/// What is usual for a host's metrics: a set of names, prefixes that are too many, labels nobody wants, and a job.
pub fn node_rules() -> Result<Rules, relabel::Error> {
    let rule = |action, source: &str, regex: &str| Rule {
        source_labels: if source.is_empty() {
            vec![]
        } else {
            vec![source.to_owned()]
        },
        regex: regex.to_owned(),
        action,
        ..Rule::default()
    };
    Rules::new(
        [
            rule(Action::Keep, "__name__", "app_.*|node_.*|up"),
            rule(Action::Drop, "__name__", "app_(1|22|33)_total|go_gc_.+"),
            rule(Action::Drop, "route", "/debug/.*"),
            rule(Action::LabelDrop, "", "tmp_.*|pod_uid"),
            rule(Action::Keep, "job", "bench|integrations/node_exporter"),
        ],
        Naming::ALLOY_SERIES,
    )
}
