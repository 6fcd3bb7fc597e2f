//! What a sample costs on its way, stage by stage: read for the first time, read again, relabelled.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ferroalloy_benches::relabel::node_rules;
use ferroalloy_benches::target::InMemory;
use ferroalloy_benches::write::series;
use ferroalloy_benches::{exposition, openmetrics, protobuf};
use ferroalloy_model::clock::Sleep;
use ferroalloy_model::{Clock, Labels, LabelsBuilder, Pair, SystemClock};
use relabel::{Action, Decision, LayoutRelabeler, Naming, Rule, Rules};
use scrape::{Config, Page, Scraper};

const SERIES: usize = 10_000;

/// The real time, without timers: nothing here waits.
#[derive(Debug)]
struct NoTimer;

impl Clock for NoTimer {
    fn wall(&self) -> i64 {
        SystemClock.wall()
    }

    fn elapsed(&self) -> Duration {
        SystemClock.elapsed()
    }

    fn sleep(&self, _: Duration) -> Sleep {
        Box::pin(std::future::pending())
    }
}

fn scrape(criterion: &mut Criterion) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else {
        return;
    };
    let (config, labels) = (
        Config::default(),
        Labels::from_pairs([("job", "bench"), ("instance", "host:1")]),
    );
    for (protocol, body) in [
        ("PrometheusText0.0.4", exposition(SERIES).into_bytes()),
        ("OpenMetricsText1.0.0", openmetrics(SERIES).into_bytes()),
        ("PrometheusProto", protobuf(SERIES)),
    ] {
        let mut group = criterion.benchmark_group(format!("scrape {protocol}"));
        group.throughput(Throughput::Bytes(body.len() as u64));
        let Ok(target) = InMemory::new(protocol, body) else {
            return;
        };
        let scrape_once = |scraper: &mut Scraper, page: &mut Page, time: i64| {
            let limit = Duration::from_secs(1);
            runtime.block_on(scraper.scrape(&target, &config, &NoTimer, (time, limit), page))
        };
        group.bench_function("first sight", |bencher| {
            bencher.iter(|| {
                let (mut scraper, mut page) = (Scraper::new("bench", labels.clone()), Page::new());
                black_box(scrape_once(&mut scraper, &mut page, 1_000));
                scraper
            });
        });
        group.bench_function("known series", |bencher| {
            let (mut scraper, mut page) = (Scraper::new("bench", labels.clone()), Page::new());
            let mut time = 0;
            bencher.iter(|| {
                time += 1_000;
                black_box(scrape_once(&mut scraper, &mut page, time));
            });
        });
        group.finish();
    }
}

fn relabel(criterion: &mut Criterion) {
    let drop = Rule {
        source_labels: vec!["__name__".to_owned()],
        regex: "app_1.*".to_owned(),
        action: Action::Drop,
        ..Rule::default()
    };
    let host = Rule {
        source_labels: vec!["instance".to_owned()],
        regex: "([^:]+):.*".to_owned(),
        target_label: "host".to_owned(),
        ..Rule::default()
    };
    let Ok(rules) = Rules::new([drop, host], Naming::ALLOY_SERIES) else {
        return;
    };
    let mut group = criterion.benchmark_group("relabel");
    group.throughput(Throughput::Elements(SERIES as u64));
    let input = series(SERIES);
    group.bench_function("new layout", |bencher| {
        bencher.iter(|| LayoutRelabeler::new(rules.clone()).relabel(&input));
    });
    let Ok(node) = node_rules() else { return };
    group.bench_function("new layout, node rules", |bencher| {
        bencher.iter(|| LayoutRelabeler::new(node.clone()).relabel(&input));
    });
    let sets: Vec<_> = (0..input.len())
        .map(|slot| {
            let mut labels = LabelsBuilder::new();
            labels.reset_pairs(input.series(slot).iter());
            labels
        })
        .collect();
    // Rules that decide and leave labels alone, so that a set may be asked again.
    group.bench_function("node rules alone", |bencher| {
        let mut sets = sets.clone();
        bencher.iter(|| {
            let mut kept = 0;
            for labels in &mut sets {
                kept += usize::from(node.apply(labels) == Decision::Keep);
            }
            kept
        });
    });
    let relabeler = LayoutRelabeler::new(rules);
    group.bench_function("known layout", |bencher| {
        bencher.iter(|| relabeler.relabel(&input));
    });
    group.finish();
}

fn intern(criterion: &mut Criterion) {
    criterion.bench_function("intern/a pair that is known", |bencher| {
        let held = Pair::intern("job", "bench");
        bencher.iter(|| Pair::intern(held.name(), held.value()));
    });
}

criterion_group!(benches, scrape, relabel, intern);
criterion_main!(benches);
