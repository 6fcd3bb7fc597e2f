//! What the formats say besides samples, from body to batch.

use ferroalloy_model::histogram::{BucketSpan, Counts, Histogram, ResetHint};
use ferroalloy_model::{Batch, Labels, MetricKind, Sides};
use scrape::parse::Options;
use scrape::{Config, ErrorKind};

use crate::protobuf::Field::{Double, Message, Text, Varint};
use crate::protobuf::delimited;
use crate::support::{Answer, Bench, lines};

fn sides(batch: &Batch) -> Sides {
    let Batch::Columns(columns) = batch else {
        panic!("a scrape is columns")
    };
    columns.data.sides.as_deref().cloned().unwrap_or_default()
}

fn slot(batch: &Batch, series: &str) -> u32 {
    let found = (0..batch.layout().len()).find(|slot| batch.layout().series(*slot).to_string() == series);
    let slot = found.unwrap_or_else(|| panic!("no series {series}"));
    u32::try_from(slot).expect("few series")
}

/// The batch of a good scrape.
fn scrape(bench: &mut Bench, protocol: &'static str, body: &[u8]) -> Batch {
    let outcome = bench.answer(Answer::Body(protocol, body.to_vec()));
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    outcome.batch
}

fn with(parse: Options) -> Bench {
    let config = Config {
        parse,
        ..Config::default()
    };
    Bench::new(&[("job", "j")], config)
}

const OPENMETRICS: &str = "OpenMetricsText1.0.0";
const PROTOBUF: &str = "PrometheusProto";

#[test]
fn openmetrics_brings_exemplars_units_and_kinds() {
    let mut bench = with(Options::default());
    let body = b"# TYPE a_seconds counter\n# UNIT a_seconds seconds\n# HELP a_seconds Time.\n\
        a_seconds_total 1 # {id=\"x\"} 0.5 7.5\nb 1 # {id=\"y\"} 2\n# EOF\n";
    let batch = scrape(&mut bench, OPENMETRICS, body);
    assert_eq!(lines(&batch), ["a_seconds_total{job=\"j\"} 1", "b{job=\"j\"} 1"]);
    let a = slot(&batch, "a_seconds_total{job=\"j\"}");
    let metadata = batch.layout().metadata(a as usize).expect("described");
    let told = (metadata.kind, &*metadata.unit, &*metadata.help);
    assert_eq!(told, (MetricKind::Counter, "seconds", "Time."));
    let exemplars = sides(&batch).exemplars;
    let of = |slot: u32| {
        exemplars
            .iter()
            .find(|(at, _)| *at == slot)
            .map(|(_, exemplar)| exemplar)
    };
    let exemplar = of(a).expect("an exemplar");
    assert_eq!(exemplar.labels, Labels::from_pairs([("id", "x")]));
    assert_eq!((exemplar.value, exemplar.timestamp), (0.5, 7500));
    let untimed = of(slot(&batch, "b{job=\"j\"}")).expect("an exemplar");
    assert_eq!(untimed.timestamp, batch.timestamp());

    // Known series, the same exemplar: it is not told again. One without a time is another each time.
    let batch = scrape(&mut bench, OPENMETRICS, body);
    let again: Vec<_> = sides(&batch)
        .exemplars
        .into_iter()
        .map(|(slot, _)| slot)
        .collect();
    assert_eq!(again, [slot(&batch, "b{job=\"j\"}")]);
}

#[test]
fn exemplars_too_long_for_receivers_are_left_out() {
    let long = "x".repeat(126);
    for (id, taken) in [("id", 1), ("iid", 0)] {
        let body = format!("a 1 # {{{id}=\"{long}\"}} 1\n# EOF\n");
        let batch = scrape(&mut with(Options::default()), OPENMETRICS, body.as_bytes());
        assert_eq!(sides(&batch).exemplars.len(), taken, "{id}");
    }
}

#[test]
fn created_lines_become_start_times_when_asked_for() {
    let body = b"# TYPE a counter\na_total 1\na_created 5\n# EOF\n";
    let batch = scrape(&mut with(Options::default()), OPENMETRICS, body);
    assert_eq!(lines(&batch).len(), 2);
    let mut bench = with(Options {
        created_as_start: true,
        ..Options::default()
    });
    for _ in 0..2 {
        let batch = scrape(&mut bench, OPENMETRICS, body);
        assert_eq!(lines(&batch), ["a_total{job=\"j\"} 1"]);
        let start = (slot(&batch, "a_total{job=\"j\"}"), 5000);
        assert_eq!(sides(&batch).start_times, [start]);
    }
}

fn native(count: u64) -> Vec<u8> {
    let histogram = vec![
        Varint(1, count),
        Double(2, 1.5),
        Varint(5, 6),
        Double(6, 0.25),
        Varint(7, count - 3),
        Message(12, vec![Varint(1, 3), Varint(2, 2)]),
        Varint(13, 4),
        Varint(13, 1),
        Message(3, vec![Varint(1, count), Double(2, 1.0)]),
        Message(15, vec![Varint(1, 9)]),
        Message(
            16,
            vec![
                Message(1, vec![Text(1, "id"), Text(2, "x")]),
                Double(2, 1.0),
                Message(3, vec![Varint(1, 7)]),
            ],
        ),
    ];
    let metric = vec![
        Message(1, vec![Text(1, "a"), Text(2, "b")]),
        Message(7, histogram),
    ];
    delimited(&[Text(1, "h"), Text(2, "Help."), Varint(3, 4), Message(4, metric)])
}

#[test]
fn native_histograms_pass_as_they_are() {
    let mut bench = with(Options::default());
    for count in [3, 300] {
        let batch = scrape(&mut bench, PROTOBUF, &native(count));
        assert_eq!(lines(&batch), [""; 0], "it is no sample");
        let slot = slot(&batch, "h{a=\"b\", job=\"j\"}");
        let sides = sides(&batch);
        let expected = Histogram {
            schema: 3,
            zero_threshold: 0.25,
            sum: 1.5,
            counts: Counts::Integer {
                count,
                zero: count - 3,
                positive: vec![2, -1],
                negative: vec![],
            },
            positive_spans: vec![BucketSpan {
                offset: -2,
                length: 2,
            }],
            negative_spans: vec![],
            custom_values: vec![],
            reset_hint: ResetHint::Unknown,
        };
        assert_eq!(sides.histograms, [(slot, expected)]);
        assert_eq!(sides.start_times, [(slot, 9000)]);
        assert_eq!(
            sides.exemplars.len(),
            usize::from(count == 3),
            "the same one again"
        );
        let metadata = batch.layout().metadata(slot as usize).expect("described");
        assert_eq!((metadata.kind, &*metadata.help), (MetricKind::Histogram, "Help."));
    }
    let batch = scrape(&mut bench, PROTOBUF, b"");
    assert_eq!(lines(&batch), ["h{a=\"b\", job=\"j\"} stale"]);
}

#[test]
fn native_histograms_are_checked_and_made_coarser() {
    let mut bench = with(Options::default());
    scrape(&mut bench, PROTOBUF, &native(3));
    bench.config.native_histogram_bucket_limit = 1;
    let batch = scrape(&mut bench, PROTOBUF, &native(3));
    let (_, coarse) = &sides(&batch).histograms[0];
    assert_eq!((coarse.schema, coarse.positive_spans.len()), (1, 1));
    // Three observations in buckets, and two altogether.
    let mut wrong = native(3);
    let at = wrong
        .windows(2)
        .position(|pair| pair == [8, 3])
        .expect("the count");
    wrong[at + 1] = 2;
    let outcome = bench.answer(Answer::Body(PROTOBUF, wrong));
    assert_eq!(outcome.error.map(|error| error.kind()), Some(ErrorKind::Parse));
    assert_eq!(lines(&outcome.batch), ["h{a=\"b\", job=\"j\"} stale"]);
}

#[test]
fn metadata_is_left_out_on_request() {
    let mut bench = with(Options::default());
    bench.config.metadata = false;
    let batch = scrape(&mut bench, PROTOBUF, &native(3));
    let slot = slot(&batch, "h{a=\"b\", job=\"j\"}");
    assert_eq!(batch.layout().metadata(slot as usize), None);
}

#[test]
fn classic_and_native_are_chosen_by_options() {
    let classic = [
        "h_bucket{a=\"b\", job=\"j\", le=\"+Inf\"} 3",
        "h_bucket{a=\"b\", job=\"j\", le=\"1.0\"} 3",
        "h_count{a=\"b\", job=\"j\"} 3",
        "h_sum{a=\"b\", job=\"j\"} 1.5",
    ];
    for (ignore_native, keep_classic, samples, histograms) in
        [(false, false, 0, 1), (false, true, 4, 1), (true, false, 4, 0)]
    {
        let mut bench = with(Options {
            ignore_native,
            keep_classic,
            ..Options::default()
        });
        for _ in 0..2 {
            let batch = scrape(&mut bench, PROTOBUF, &native(3));
            assert_eq!(lines(&batch), classic[..samples]);
            assert_eq!(sides(&batch).histograms.len(), histograms);
        }
    }
    assert!(Config::default().parse.ignore_native, "as Prometheus does it");
}

#[test]
fn converted_histograms_keep_their_slots() {
    let mut bench = with(Options {
        convert_classic: true,
        ..Options::default()
    });
    let body = |last: u32| {
        format!(
            "# HELP h Help.\n# TYPE h histogram\nh_bucket{{le=\"1\"}} 2\nh_bucket{{le=\"+Inf\"}} {last}\nh_sum 4\n\
             h_count {last}\nh_bucket{{a=\"b\",le=\"+Inf\"}} 1\n# TYPE g gauge\ng 1\n# EOF\n"
        )
    };
    let mut layouts = Vec::new();
    for last in [3, 5] {
        let batch = scrape(&mut bench, OPENMETRICS, body(last).as_bytes());
        assert_eq!(lines(&batch), ["g{job=\"j\"} 1"]);
        let sides = sides(&batch);
        let slots: Vec<_> = sides.histograms.iter().map(|(slot, _)| *slot).collect();
        let mut expected = [
            slot(&batch, "h{job=\"j\"}"),
            slot(&batch, "h{a=\"b\", job=\"j\"}"),
        ];
        expected.sort_unstable();
        assert_eq!(slots, expected);
        let metadata = batch.layout().metadata(slots[0] as usize).expect("described");
        assert_eq!(&*metadata.help, "Help.");
        assert_eq!(sides.histograms[0].1.custom_values, [1.0]);
        layouts.push(batch.layout().id());
    }
    assert_eq!(layouts[0], layouts[1]);
}

#[test]
fn a_change_of_type_is_another_series_with_type_labels() {
    let mut bench = with(Options {
        type_and_unit_labels: true,
        ..Options::default()
    });
    for (kind, label) in [("gauge", "gauge"), ("counter", "counter"), ("counter", "counter")] {
        let body = format!("# TYPE a {kind}\na 1\n# EOF\n");
        let batch = scrape(&mut bench, OPENMETRICS, body.as_bytes());
        let wanted = format!("a{{__type__=\"{label}\", job=\"j\"}} 1");
        assert!(lines(&batch).contains(&wanted), "{:?}", lines(&batch));
    }
}
