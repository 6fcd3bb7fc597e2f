//! From the labels that a target exposes to the labels of the series: merging, relabelling, checking.
//!
//! Runs once for each series a target ever shows, not for each sample.

use ferroalloy_model::{Labels, LabelsBuilder};
use relabel::{Decision, NameScheme};

use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::parse::SeriesLabels;

const NAME: &str = "__name__";

/// Puts the final labels of a series into `out`. False: the rules drop it.
///
/// An error is one for the whole scrape: a label that comes twice, a series that ends up without a valid name,
/// a label limit.
pub(crate) fn merge(
    exposed: &SeriesLabels,
    target: &Labels,
    config: &Config,
    out: &mut LabelsBuilder,
) -> Result<bool, Error> {
    out.clear();
    out.set(NAME, exposed.name());
    let mut given = 1;
    for (name, value) in exposed.iter() {
        out.set(name, value);
        given += 1;
    }
    // Where there are as many as were given, none came twice.
    if out.len() != given {
        check_repeated(exposed)?;
    }
    if config.honor_labels {
        for (name, value) in target.iter() {
            // An exposed label without a value keeps the target's out, and is then no label.
            if !exposed.iter().any(|(exposed, _)| exposed == name) {
                out.set(name, value);
            }
        }
    } else {
        give_way(exposed, target, out);
    }
    if config.metric_relabel.apply(out) == Decision::Drop || out.is_empty() {
        return Ok(false);
    }
    check(exposed, config, out)?;
    Ok(true)
}

#[cold]
fn check_repeated(exposed: &SeriesLabels) -> Result<(), Error> {
    for (index, (name, _)) in exposed.iter().enumerate() {
        if name == NAME || exposed.iter().take(index).any(|(before, _)| before == name) {
            return Err(labels(format!(
                "series {} has the label {name:?} twice",
                exposed.name()
            )));
        }
    }
    Ok(())
}

/// Sets the target's labels and renames exposed labels of the same name, shortest name first.
fn give_way(exposed: &SeriesLabels, target: &Labels, out: &mut LabelsBuilder) {
    let mut clashes: Vec<(&str, &str)> = exposed
        .iter()
        .filter(|(name, value)| !value.is_empty() && target.get(name).is_some())
        .collect();
    for (name, value) in target.iter() {
        out.set(name, value);
    }
    clashes.sort_unstable();
    clashes.sort_by_key(|(name, _)| name.len());
    for (name, value) in clashes {
        let mut free = format!("exported_{name}");
        while out.get(&free).is_some() {
            free.insert_str(0, "exported_");
        }
        out.set(&free, value);
    }
}

fn check(exposed: &SeriesLabels, config: &Config, out: &LabelsBuilder) -> Result<(), Error> {
    let Some(name) = out.get(NAME) else {
        return Err(labels(format!(
            "series {} has no metric name after relabelling",
            exposed.name()
        )));
    };
    if config.name_scheme == NameScheme::Legacy {
        if !is_legacy_metric_name(name) {
            return Err(labels(format!(
                "metric name {name:?} is not valid in the legacy scheme"
            )));
        }
        if let Some((label, _)) = out
            .iter()
            .find(|(label, _)| !config.name_scheme.is_label_name(label))
        {
            return Err(labels(format!(
                "label name {label:?} of {name} is not valid in the legacy scheme"
            )));
        }
    }
    let over = |limit: usize, count: usize| limit > 0 && count > limit;
    if over(config.label_limit, out.len()) {
        return Err(limit(format!(
            "series {name} has {} labels, label_limit is {}",
            out.len(),
            config.label_limit
        )));
    }
    for (label, value) in out.iter() {
        if over(config.label_name_length_limit, label.len()) {
            let allowed = config.label_name_length_limit;
            return Err(limit(format!(
                "series {name} has a label name of {} bytes, label_name_length_limit is {allowed}",
                label.len()
            )));
        }
        if over(config.label_value_length_limit, value.len()) {
            let allowed = config.label_value_length_limit;
            return Err(limit(format!(
                "series {name} has a value of {} bytes in {label:?}, label_value_length_limit is {allowed}",
                value.len()
            )));
        }
    }
    Ok(())
}

/// `[a-zA-Z_:][a-zA-Z0-9_:]*`.
fn is_legacy_metric_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':'))
}

fn labels(message: String) -> Error {
    Error::new(ErrorKind::Labels, message)
}

fn limit(message: String) -> Error {
    Error::new(ErrorKind::Limit, message)
}

#[cfg(test)]
mod tests {
    use ferroalloy_model::MetricKind;

    use super::*;

    fn exposed(labels: &[(&str, &str)]) -> SeriesLabels {
        let mut out = SeriesLabels::new();
        out.set_name("m");
        for (name, value) in labels {
            out.push(MetricKind::Gauge, name, value);
        }
        out
    }

    #[track_caller]
    fn check(
        honor_labels: bool,
        series: &[(&str, &str)],
        target: &[(&str, &str)],
        expected: &[(&str, &str)],
    ) {
        let config = Config {
            honor_labels,
            ..Config::default()
        };
        let mut out = LabelsBuilder::new();
        let target = Labels::from_pairs(target.iter().copied());
        assert!(merge(&exposed(series), &target, &config, &mut out).expect("merges"));
        let got: Vec<_> = out.iter().filter(|(name, _)| *name != NAME).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn labels_of_the_target_win_and_exposed_ones_are_renamed() {
        check(
            false,
            &[("a", "1"), ("job", "x")],
            &[("job", "j")],
            &[("a", "1"), ("exported_job", "x"), ("job", "j")],
        );
        check(false, &[("job", "")], &[("job", "j")], &[("job", "j")]);
        // The chain goes on until a name is free, the shorter names first.
        check(
            false,
            &[
                ("foo", "1"),
                ("exported_foo", "2"),
                ("exported_exported_foo", "3"),
            ],
            &[("foo", "t")],
            &[
                ("exported_exported_exported_foo", "1"),
                ("exported_exported_foo", "3"),
                ("exported_foo", "2"),
                ("foo", "t"),
            ],
        );
        check(
            false,
            &[("foo", "1"), ("exported_foo", "2")],
            &[("foo", "t"), ("exported_foo", "u")],
            &[
                ("exported_exported_exported_foo", "2"),
                ("exported_exported_foo", "1"),
                ("exported_foo", "u"),
                ("foo", "t"),
            ],
        );
    }

    #[test]
    fn honoured_labels_stay_and_keep_the_targets_out() {
        check(
            true,
            &[("job", "x")],
            &[("job", "j"), ("instance", "i")],
            &[("instance", "i"), ("job", "x")],
        );
        check(true, &[("job", "")], &[("job", "j")], &[]);
    }

    #[test]
    fn what_no_receiver_takes_is_an_error() {
        let mut out = LabelsBuilder::new();
        let none = Labels::empty();
        let config = Config {
            label_limit: 2,
            label_name_length_limit: 8,
            label_value_length_limit: 3,
            ..Config::default()
        };
        for (series, kind) in [
            (exposed(&[("a", "1"), ("a", "2")]), ErrorKind::Labels),
            (exposed(&[(NAME, "1")]), ErrorKind::Labels),
            (exposed(&[("a", "1"), ("b", "2")]), ErrorKind::Limit),
            (exposed(&[("abcdefghi", "1")]), ErrorKind::Limit),
            (exposed(&[("a", "1234")]), ErrorKind::Limit),
            (SeriesLabels::new(), ErrorKind::Labels),
        ] {
            let mut series = series;
            if kind == ErrorKind::Labels && series.iter().next().is_none() {
                series.push(MetricKind::Gauge, "a", "1");
            }
            assert_eq!(
                merge(&series, &none, &config, &mut out).map_err(|e| e.kind()),
                Err(kind),
                "{series:?}"
            );
        }
        let legacy = Config {
            name_scheme: NameScheme::Legacy,
            ..Config::default()
        };
        assert!(merge(&exposed(&[("a.b", "1")]), &none, &legacy, &mut out).is_err());
        assert!(merge(&exposed(&[("a.b", "1")]), &none, &Config::default(), &mut out).is_ok());
    }
}
