//! Everything that fails a scrape: whatever it is, each series of the last good scrape gets one marker, nothing of
//! the failed one is kept, and the next good scrape goes on.

use relabel::{Action, Naming, Rule, Rules};
use scrape::{Config, ErrorKind, NameScheme};

use crate::protobuf::Field::{Double, Message, Text, Varint};
use crate::protobuf::delimited;
use crate::support::{Answer, Bench, lines, report, text};

/// The series of a good scrape under any of the options here.
const GOOD: &str = "a 1\nb 2\n";

/// One way to fail, met after a good scrape.
#[track_caller]
fn check(change: impl FnOnce(&mut Config), answer: &Answer, kind: ErrorKind, message: &str) {
    let mut bench = Bench::plain();
    assert_eq!(bench.body(GOOD), ["a 1", "b 2"]);
    let before = bench.config.clone();
    change(&mut bench.config);
    for markers in [&["a stale", "b stale"][..], &[]] {
        let failed = bench.answer(answer.clone());
        let error = failed.error.expect(message);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!(lines(&failed.batch), markers, "{message}");
        assert_eq!(report(&failed.batch, "up"), Some(0.0));
    }
    bench.config = before;
    let good = bench.answer(text(GOOD));
    assert_eq!(lines(&good.batch), ["a 1", "b 2"]);
    assert_eq!(report(&good.batch, "up"), Some(1.0));
}

#[test]
fn a_target_that_does_not_answer() {
    check(|_| {}, &Answer::Fail, ErrorKind::Exporter, "scripted");
}

#[test]
fn a_line_that_is_not_one() {
    // `a` was read before the fault: Prometheus leaves it without sample and marker.
    check(|_| {}, &text("a 1\nb two\n"), ErrorKind::Parse, "number");
}

#[test]
fn a_series_without_a_name_after_the_rules() {
    let rule = Rule {
        action: Action::LabelDrop,
        regex: "__name__".into(),
        ..Rule::default()
    };
    let rules = Rules::new([rule], Naming::default()).expect("rules");
    check(
        |config| config.metric_relabel = rules,
        &text("a{x=\"1\"} 1\n"),
        ErrorKind::Labels,
        "no metric name",
    );
}

#[test]
fn a_name_that_is_not_valid() {
    check(
        |config| config.name_scheme = NameScheme::Legacy,
        &text("a 1\n{\"b.c\"} 1\n"),
        ErrorKind::Labels,
        "not valid in the legacy scheme",
    );
}

#[test]
fn a_label_that_comes_twice() {
    check(
        |_| {},
        &text("a{x=\"1\",x=\"2\"} 1\n"),
        ErrorKind::Labels,
        "twice",
    );
}

#[test]
fn more_samples_than_allowed() {
    check(
        |config| config.sample_limit = 2,
        &text("a 1\nb 2\nc 3\n"),
        ErrorKind::Limit,
        "sample_limit is 2",
    );
}

#[test]
fn markers_count_towards_no_limit() {
    let mut bench = Bench::plain();
    bench.body("a 1\nb 2\nc 3\n");
    bench.config.sample_limit = 1;
    assert_eq!(bench.body("d 4\n"), ["a stale", "b stale", "c stale", "d 4"]);
}

#[test]
fn more_labels_than_allowed() {
    check(
        |config| config.label_limit = 2,
        &text("a 1\nc{x=\"1\",y=\"2\"} 1\n"),
        ErrorKind::Limit,
        "label_limit is 2",
    );
}

#[test]
fn longer_labels_than_allowed() {
    check(
        |config| config.label_name_length_limit = 8,
        &text("a 1\nc{long_name=\"1\"} 1\n"),
        ErrorKind::Limit,
        "label_name_length_limit is 8",
    );
    check(
        |config| config.label_value_length_limit = 3,
        &text("a 1\nc{x=\"1234\"} 1\n"),
        ErrorKind::Limit,
        "label_value_length_limit is 3",
    );
}

#[test]
fn more_buckets_than_allowed() {
    // Three buckets at the coarsest schema there is.
    let histogram = vec![
        Varint(1, 3),
        Double(2, 1.5),
        Varint(5, 7),
        Message(12, vec![Varint(1, 0), Varint(2, 3)]),
        Varint(13, 2),
        Varint(13, 0),
        Varint(13, 0),
    ];
    let family = delimited(&[
        Text(1, "h"),
        Varint(3, 4),
        Message(4, vec![Message(7, histogram)]),
    ]);
    check(
        |config| {
            config.parse.ignore_native = false;
            config.native_histogram_bucket_limit = 2;
        },
        &Answer::Body("PrometheusProto", family),
        ErrorKind::BucketLimit,
        "native_histogram_bucket_limit is 2",
    );
}
