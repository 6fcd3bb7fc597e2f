//! Single scrapes: labels, limits, timestamps, layouts, and that both kinds of targets agree.

use std::sync::Arc;

use ferroalloy_model::{Batch, Families, MetricKind};
use relabel::{Action, Naming, Rule, Rules};
use scrape::{Config, ErrorKind};

use crate::support::{Answer, Bench, lines, numbered, report, rows, text};

#[test]
fn series_get_the_labels_of_the_target() {
    let labels = [("instance", "h:1"), ("job", "j")];
    let mut bench = Bench::new(&labels, Config::default());
    assert_eq!(
        bench.body("m{job=\"x\",a=\"1\"} 1\n"),
        [r#"m{a="1", exported_job="x", instance="h:1", job="j"} 1"#]
    );
    let mut bench = Bench::new(
        &labels,
        Config {
            honor_labels: true,
            ..Config::default()
        },
    );
    assert_eq!(
        bench.body("m{job=\"x\",a=\"1\"} 1\n"),
        [r#"m{a="1", instance="h:1", job="x"} 1"#]
    );
    // A change of the option names the series anew, with a marker for the old name.
    bench.config.honor_labels = false;
    let batch = bench.answer(text("m{job=\"x\",a=\"1\"} 1\n")).batch;
    assert_eq!(
        lines(&batch),
        [
            r#"m{a="1", exported_job="x", instance="h:1", job="j"} 1"#,
            r#"m{a="1", instance="h:1", job="x"} stale"#
        ]
    );
    assert_eq!(
        rows(&batch)[r#"up{instance="h:1", job="j"}"#],
        [("1".to_owned(), batch.timestamp())]
    );
}

fn rules(action: Action, source: &str, regex: &str) -> Rules {
    let rule = Rule {
        action,
        source_labels: vec![source.to_owned()],
        regex: regex.to_owned(),
        ..Rule::default()
    };
    Rules::new([rule], Naming::UTF8).expect("rules")
}

#[test]
fn rules_run_once_a_series_and_a_change_of_rules_keeps_what_stays_the_same() {
    let mut bench = Bench::new(
        &[],
        Config {
            metric_relabel: rules(Action::Drop, "__name__", "b"),
            ..Config::default()
        },
    );
    let first = bench.answer(text("a 1\nb 2\nc 3\n")).batch;
    assert_eq!(lines(&first), ["a 1", "c 3"]);
    assert_eq!(report(&first, "scrape_samples_scraped"), Some(3.0));
    assert_eq!(report(&first, "scrape_samples_post_metric_relabeling"), Some(2.0));
    bench.config.metric_relabel = rules(Action::Drop, "__name__", "c");
    let second = bench.answer(text("a 1\nb 2\nc 3\n")).batch;
    assert_eq!(lines(&second), ["a 1", "b 2", "c stale"]);
    assert_eq!(second.layout().changed().len(), 1);
}

#[test]
fn spelling_does_not_make_a_series() {
    let mut bench = Bench::plain();
    let first = bench.answer(text("m{a=\"1\",b=\"2\"} 1\n")).batch;
    let second = bench.answer(text("m { b=\"2\" , a=\"1\", c=\"\" } 2\n")).batch;
    assert_eq!(lines(&second), [r#"m{a="1", b="2"} 2"#]);
    assert_eq!(second.layout().id(), first.layout().id());
    assert_eq!(report(&second, "scrape_series_added"), Some(0.0));
}

#[test]
fn of_duplicates_the_first_wins() {
    let mut bench = Bench::plain();
    for _ in 0..2 {
        let batch = bench.answer(text("a 1\na 2\nb 3\na{} 4\n")).batch;
        assert_eq!(lines(&batch), ["a 1", "b 3"]);
        assert_eq!(report(&batch, "scrape_samples_post_metric_relabeling"), Some(4.0));
    }
    // What the scrape reports of itself is not the target's to say.
    let batch = bench.answer(text("up 0\na 1\n")).batch;
    assert_eq!(report(&batch, "up"), Some(1.0));
    assert_eq!(rows(&batch)["up"].len(), 1);
}

#[test]
fn timestamps_in_the_future_and_in_the_past_are_dropped() {
    let mut bench = Bench::plain();
    assert_eq!(
        bench.body("a 1 1000500\na 2 1000700\nb 1 -5\n"),
        ["a 1 @1000500", "a 2 @1000700", "b 1 @-5"]
    );
    // The same times again, an older one, and one too far ahead.
    assert_eq!(bench.body("a 1 1000700\nb 1 -6\nc 1 9999999999\n"), [""; 0]);
    assert_eq!(
        bench.body("a 1 1000701\nb 1 1620000\n"),
        ["a 1 @1000701", "b 1 @1620000"]
    );
}

#[test]
fn limits_fail_the_scrape() {
    let mut bench = Bench::new(
        &[("job", "j")],
        Config {
            sample_limit: 2,
            extra_metrics: true,
            ..Config::default()
        },
    );
    assert_eq!(bench.body("a 1\nb 2\n"), [r#"a{job="j"} 1"#, r#"b{job="j"} 2"#]);
    let over = bench.answer(text("a 1\nb 2\nc 3\nd 4\n"));
    assert_eq!(
        over.error.map(|e| e.to_string()),
        Some("4 samples, sample_limit is 2".to_owned())
    );
    assert_eq!(lines(&over.batch), [r#"a{job="j"} stale"#, r#"b{job="j"} stale"#]);
    assert_eq!(report(&over.batch, "scrape_samples_scraped"), Some(4.0));
    assert_eq!(report(&over.batch, "scrape_sample_limit"), Some(2.0));
    assert_eq!(report(&over.batch, "scrape_timeout_seconds"), Some(10.0));
    assert_eq!(report(&over.batch, "scrape_body_size_bytes"), Some(0.0));

    bench.config = Config {
        label_limit: 2,
        ..Config::default()
    };
    let over = bench.answer(text("a{x=\"1\"} 1\n"));
    assert_eq!(over.error.map(|e| e.kind()), Some(ErrorKind::Limit));
    // Extra series are no longer reported, and say so once.
    assert!(report(&over.batch, "scrape_sample_limit").is_some_and(ferroalloy_model::is_stale));
    assert_eq!(
        report(&bench.answer(text("a 1\n")).batch, "scrape_sample_limit"),
        None
    );
    bench.config.extra_metrics = true;
    assert_eq!(
        report(&bench.answer(text("a 1\n")).batch, "scrape_body_size_bytes"),
        Some(4.0)
    );
}

#[test]
fn a_label_set_that_nobody_takes_fails_the_scrape() {
    let mut bench = Bench::plain();
    for body in ["a{x=\"1\",x=\"2\"} 1\n", "{\"\",a=\"1\"} 1\n"] {
        let outcome = bench.answer(text(body));
        assert_eq!(outcome.error.map(|e| e.kind()), Some(ErrorKind::Labels), "{body}");
        assert_eq!(report(&outcome.batch, "up"), Some(0.0));
    }
}

#[test]
fn a_change_of_type_changes_bounds_and_nothing_else() {
    let mut bench = Bench::plain();
    let body = |kind: &str| format!("# TYPE h {kind}\nh_bucket{{le=\"1\"}} 1\nh_sum 2\n");
    let first = bench.answer(text(&body("histogram"))).batch;
    assert_eq!(lines(&first), [r#"h_bucket{le="1.0"} 1"#, "h_sum 2"]);
    let second = bench.answer(text(&body("untyped"))).batch;
    assert_eq!(
        lines(&second),
        [r#"h_bucket{le="1"} 1"#, r#"h_bucket{le="1.0"} stale"#, "h_sum 2"]
    );
    assert_eq!(report(&second, "scrape_series_added"), Some(1.0));
}

fn metadata(batch: &Batch, name: &str) -> Option<(MetricKind, String)> {
    let layout = batch.layout();
    let slot = (0..layout.len()).find(|slot| layout.series(*slot).name() == Some(name))?;
    layout
        .metadata(slot)
        .map(|metadata| (metadata.kind, metadata.help.clone()))
}

#[test]
fn metadata_goes_with_the_series_of_its_family() {
    let mut bench = Bench::plain();
    let body =
        "# HELP h one\\ntwo\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_count 1\nother 1\n# HELP c a\nc 1\n";
    let first = bench.answer(text(body)).batch;
    let histogram = Some((MetricKind::Histogram, "one\ntwo".to_owned()));
    assert_eq!(metadata(&first, "h_bucket"), histogram);
    assert_eq!(metadata(&first, "h_count"), histogram);
    assert_eq!(metadata(&first, "other"), None);
    assert_eq!(metadata(&first, "c"), Some((MetricKind::Unknown, "a".to_owned())));
    // A new series under lines that are not new.
    let second = bench
        .answer(text(&body.replace("h_count 1", "h_count 1\nh_sum 1")))
        .batch;
    assert_eq!(metadata(&second, "h_sum"), histogram);
    let third = bench.answer(text(&body.replace("HELP c a", "HELP c b"))).batch;
    assert_eq!(metadata(&third, "c"), Some((MetricKind::Unknown, "b".to_owned())));
    assert_eq!(third.layout().changed().len(), 1);
    let fourth = bench.answer(text(&body.replace("HELP c a", "HELP c b"))).batch;
    assert_eq!(fourth.layout().id(), third.layout().id());
}

#[test]
fn an_unchanged_target_uses_its_buffers_again() {
    let mut bench = Bench::plain();
    let body = numbered(100);
    let address = |batch: &Batch| match batch {
        Batch::Columns(columns) => columns.data.values.as_ptr(),
        Batch::Rows(_) => panic!("a scrape is columns"),
    };
    bench.body(&body);
    let first = bench.answer(text(&body)).batch;
    let held = address(&first);
    let layout = Arc::clone(first.layout());
    drop(first);
    let second = bench.answer(text(&body)).batch;
    assert_eq!(address(&second), held);
    assert!(Arc::ptr_eq(second.layout(), &layout));
    // A receiver that still holds the batch is left in peace.
    let third = bench.answer(text(&body)).batch;
    assert_ne!(address(&third), held);
}

/// Families with everything that differs between the two ways: escapes, bounds, times, empty labels.
fn families(step: u32) -> Families {
    let mut families = Families::new();
    let value = f64::from(step);
    families
        .family("requests", "a \\ help\ntext", MetricKind::Counter)
        .sample(&[("code", "200"), ("path", "a\"b\\c\n")], value)
        .sample(&[("code", ""), ("job", "x")], f64::NAN);
    families.family("latency", "", MetricKind::Histogram).histogram(
        &[("a", "1")],
        [(1.0, 2), (2.5, 3)],
        value,
        5,
    );
    families
        .family("quantiles", "q", MetricKind::Summary)
        .sample(&[("quantile", "1")], value)
        .sample_suffix("_sum", &[], 2.0);
    families
        .family("timed", "", MetricKind::Gauge)
        .sample_at(&[], value, 1_000_000 + i64::from(step));
    if step.is_multiple_of(2) {
        families.single("sometimes", "", MetricKind::Gauge, 1.0);
    }
    families
}

#[test]
fn both_kinds_of_targets_give_equal_series() {
    let labels = [("instance", "i"), ("job", "j")];
    let (mut in_process, mut over_text) = (
        Bench::new(&labels, Config::default()),
        Bench::new(&labels, Config::default()),
    );
    for step in 0..5 {
        let families = families(step);
        let mut body = Vec::new();
        ferroalloy_model::text::write(&families, &mut body);
        let body = String::from_utf8(body).expect("text");
        let direct = in_process.answer(Answer::Families(families));
        let parsed = over_text.answer(text(&body));
        assert!(
            direct.error.is_none() && parsed.error.is_none(),
            "{:?} {:?}",
            direct.error,
            parsed.error
        );
        assert_eq!(lines(&direct.batch), lines(&parsed.batch));
        assert_eq!(
            report(&direct.batch, "scrape_samples_scraped"),
            report(&parsed.batch, "scrape_samples_scraped")
        );
        for name in ["requests", "latency_bucket", "quantiles_sum", "timed"] {
            let (direct, parsed) = (metadata(&direct.batch, name), metadata(&parsed.batch, name));
            assert_eq!(direct.map(|m| m.0), parsed.map(|m| m.0), "{name}");
        }
    }
}
