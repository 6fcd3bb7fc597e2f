//! Which series get a marker, and when.

use std::collections::{BTreeMap, BTreeSet};

use ferroalloy_model::Batch;
use proptest::prelude::*;
use scrape::{Config, ErrorKind};

use crate::support::{Answer, Bench, lines, numbered, report, text};

fn layout(batch: &Batch) -> u64 {
    batch.layout().epoch()
}

#[test]
fn a_series_that_is_missing_gets_one_marker_and_keeps_its_slot() {
    let mut bench = Bench::plain();
    let first = bench.answer(text("a 1\nb 2\nc 3\n")).batch;
    assert_eq!(bench.body("a 4\nc 5\n"), ["a 4", "b stale", "c 5"]);
    assert_eq!(bench.body("a 4\nc 5\n"), ["a 4", "c 5"]);
    let back = bench.answer(text("a 6\nb 7\nc 8\n")).batch;
    assert_eq!(lines(&back), ["a 6", "b 7", "c 8"]);
    // Coming and going needs no new layout.
    assert_eq!(layout(&back), layout(&first));
    assert_eq!(report(&back, "scrape_series_added"), Some(1.0));
}

#[test]
fn slots_of_gone_series_are_given_to_new_ones() {
    let mut bench = Bench::plain();
    bench.body("a 1\nb 2\n");
    // `b` still needs its slot for the marker.
    let second = bench.answer(text("a 1\nc 3\n")).batch;
    assert_eq!(lines(&second), ["a 1", "b stale", "c 3"]);
    let third = bench.answer(text("a 1\nc 3\nd 4\n")).batch;
    assert_eq!(lines(&third), ["a 1", "c 3", "d 4"]);
    assert_eq!(third.layout().len(), second.layout().len());
    assert_eq!(third.layout().changed().len(), 1);
    assert_eq!(third.layout().parent(), Some(second.layout().id()));
    assert_eq!(bench.body("d 5\nc 6\na 7\nb 8\n"), ["a 7", "b 8", "c 6", "d 5"]);
}

#[test]
fn slots_of_very_many_gone_series_are_given_back() {
    let mut bench = Bench::plain();
    bench.body(&(numbered(3000) + "a 1\n"));
    assert_eq!(bench.body("a 1\n").len(), 3001);
    let small = bench.answer(text("a 1\n")).batch;
    assert_eq!(small.layout().series_count(), 1 + 5);
    assert_eq!(bench.body(&(numbered(3000) + "a 1\n")).len(), 3001);
}

#[test]
fn a_spike_leaves_no_slots_behind() {
    let mut bench = Bench::plain();
    let before = bench.answer(text("a 1\nb 2\n")).batch;
    bench.body(&format!("a 1\nb 2\n{}", numbered(5000)));
    // The markers, the slots of those they were for, and then the slots themselves.
    bench.body("a 1\nb 2\n");
    let vacated = bench.answer(text("a 1\nb 2\n")).batch;
    assert_eq!(vacated.layout().len(), before.layout().len() + 5000);
    // A new series comes at that very moment.
    let small = bench.answer(text("a 1\nc 3\nb 2\n")).batch;
    assert_eq!(lines(&small), ["a 1", "b 2", "c 3"]);
    assert_eq!(small.layout().len(), before.layout().len() + 1);
    assert_eq!(small.layout().parent(), Some(vacated.layout().id()));
    assert_eq!(small.layout().changed().len(), 1);
    assert_eq!(bench.body("b 2\nc 3\n"), ["a stale", "b 2", "c 3"]);
    assert_eq!(bench.body(&format!("c 3\n{}", numbered(5000))).len(), 5002);
}

#[test]
fn what_churn_took_is_given_back_after_some_scrapes() {
    let mut bench = Bench::plain();
    let (one, other) = (numbered(3000), numbered(3000).replace("m{", "n{"));
    bench.body(&one);
    assert_eq!(bench.body(&other).len(), 6000);
    // While the sets take turns, both keep their slots.
    for body in [&one, &other, &one, &other] {
        assert_eq!(bench.answer(text(body)).batch.layout().series_count(), 6000 + 5);
    }
    let mut scrapes = 0;
    while bench.answer(text(&other)).batch.layout().series_count() > 3000 + 5 {
        scrapes += 1;
    }
    assert!(scrapes < 10, "{scrapes}");
    assert_eq!(bench.body(&one).len(), 6000);
}

#[test]
fn a_failed_scrape_marks_everything_once() {
    let mut bench = Bench::plain();
    let first = bench.answer(text("a 1\nb 2\n")).batch;
    let failed = bench.answer(Answer::Fail);
    assert_eq!(failed.error.map(|e| e.kind()), Some(ErrorKind::Exporter));
    assert_eq!(lines(&failed.batch), ["a stale", "b stale"]);
    assert_eq!(report(&failed.batch, "up"), Some(0.0));
    assert_eq!(report(&failed.batch, "scrape_samples_scraped"), Some(0.0));
    assert_eq!(lines(&bench.answer(Answer::Fail).batch), [""; 0]);
    let back = bench.answer(text("a 3\n")).batch;
    // `b` had its marker when the target failed.
    assert_eq!(lines(&back), ["a 3"]);
    assert_eq!(layout(&back), layout(&first));
    assert_eq!(report(&back, "up"), Some(1.0));
}

#[test]
fn a_body_that_breaks_off_marks_what_was_read_too() {
    let mut bench = Bench::plain();
    bench.body("a 1\nb 2\n");
    let failed = bench.answer(text("a 1\nnew 1\nb x\n"));
    assert!(
        failed
            .error
            .is_some_and(|e| e.position().is_some_and(|p| p.line == 3))
    );
    assert_eq!(lines(&failed.batch), ["a stale", "b stale"]);
    assert_eq!(report(&failed.batch, "scrape_samples_scraped"), Some(2.0));
    assert_eq!(bench.body("a 1\nb 2\n"), ["a 1", "b 2"]);
}

#[test]
fn an_empty_answer_is_a_good_scrape() {
    let mut bench = Bench::plain();
    bench.body("a 1\n");
    let empty = bench.answer(text("")).batch;
    assert_eq!(lines(&empty), ["a stale"]);
    assert_eq!(report(&empty, "up"), Some(1.0));
}

#[test]
fn explicit_timestamps_are_not_tracked_unless_asked_for() {
    let mut bench = Bench::plain();
    assert_eq!(bench.body("a 1 999000\nb 2\n"), ["a 1 @999000", "b 2"]);
    assert_eq!(bench.body(""), ["b stale"]);

    bench = Bench::new(
        &[],
        Config {
            track_timestamps_staleness: true,
            ..Config::default()
        },
    );
    bench.body("a 1 999000\nb 2\n");
    assert_eq!(bench.body("b 2\n"), ["a stale", "b 2"]);

    bench = Bench::new(
        &[],
        Config {
            honor_timestamps: false,
            ..Config::default()
        },
    );
    assert_eq!(bench.body("a 1 999000\n"), ["a 1"]);
    assert_eq!(bench.body(""), ["a stale"]);
}

#[test]
fn a_target_that_is_gone_leaves_markers_for_all_its_series() {
    let mut bench = Bench::plain();
    assert!(bench.retire().is_none());
    bench.body("a 1\nb 2\n");
    bench.body("a 1\n");
    let last = bench.retire().expect("markers");
    assert_eq!(lines(&last), ["a stale"]);
    assert!(report(&last, "up").is_some_and(ferroalloy_model::is_stale));
    assert_eq!(last.sample_count(), 6);
    assert!(bench.retire().is_none());
}

/// What a scrape does: which of ten series it has, in which order, and whether it fails half-way.
type Step = (Vec<u8>, bool);

proptest! {
    /// Whatever a target does, a receiver sees each series exactly as a simple model of staleness says.
    #[test]
    fn markers_follow_the_model(steps in prop::collection::vec((prop::collection::vec(0_u8..10, 0..12), prop::bool::weighted(0.2)), 1..12)) {
        let steps: Vec<Step> = steps;
        let mut bench = Bench::plain();
        let mut live = BTreeSet::new();
        for (step, (names, fails)) in steps.iter().enumerate() {
            let mut body = String::new();
            let mut expected: BTreeMap<u8, String> = live.iter().map(|name| (*name, "stale".to_owned())).collect();
            let mut now = BTreeSet::new();
            for (line, name) in names.iter().enumerate() {
                use std::fmt::Write as _;
                let value = step * 100 + line;
                if name.is_multiple_of(3) {
                    let kind = if step % 4 == 3 { "gauge" } else { "counter" };
                    writeln!(body, "# TYPE s{name} {kind}").expect("memory");
                }
                writeln!(body, "s{name} {value}").expect("memory");
                if now.insert(*name) && !fails {
                    expected.insert(*name, value.to_string());
                }
            }
            if *fails {
                body.push_str("bad line\n");
                now.clear();
            }
            let outcome = bench.answer(text(&body));
            prop_assert_eq!(outcome.error.is_some(), *fails);
            let expected: Vec<_> = expected.iter().map(|(name, value)| format!("s{name} {value}")).collect();
            prop_assert_eq!(lines(&outcome.batch), expected);
            live = now;
        }
    }
}
