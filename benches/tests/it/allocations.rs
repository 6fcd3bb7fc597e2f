//! Allocations are counted while many samples and while few go the same way: the numbers must be equal.

use std::time::Duration;

use allocation_counter::measure;
use ferroalloy_benches::relabel::node_rules;
use ferroalloy_benches::target::InMemory;
use ferroalloy_benches::{exposition, openmetrics, protobuf, write};
use ferroalloy_model::{Labels, ManualClock};
use relabel::LayoutRelabeler;
use remote_write::{Encoder, Version};
use scrape::{Config, Page, Scraper};
use tokio::runtime::{Builder, Runtime};

const FEW: usize = 100;
const MANY: usize = 1_000;

fn runtime() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime")
}

/// Allocations of a thousand scrapes of a target that says the same each time, after some to get warm, with their batches
/// relabelled by rules.
fn scrapes(protocol: &str, body: Vec<u8>) -> u64 {
    let target = InMemory::new(protocol, body).expect("a parser");
    let (config, clock, runtime) = (Config::default(), ManualClock::new(0), runtime());
    let relabeler = LayoutRelabeler::new(node_rules().expect("rules"));
    let mut scraper = Scraper::new(
        "test",
        Labels::from_pairs([("instance", "host:1"), ("job", "bench")]),
    );
    let mut page = Page::new();
    let mut run = |times: std::ops::Range<i64>| {
        for turn in times {
            let when = (turn * 1000, Duration::from_secs(1));
            let scraped = runtime.block_on(scraper.scrape(&target, &config, &clock, when, &mut page));
            assert!(scraped.error.is_none(), "{:?}", scraped.error);
            let batch = relabeler.relabel_batch(&scraped.batch);
            assert!(batch.sample_count() > 0);
        }
    };
    run(0..10);
    measure(|| run(10..1010)).count_total
}

#[test]
fn known_samples_allocate_nothing() {
    for (protocol, make) in [
        (
            "PrometheusText0.0.4",
            (|series| exposition(series).into_bytes()) as fn(usize) -> Vec<u8>,
        ),
        ("OpenMetricsText1.0.0", |series| openmetrics(series).into_bytes()),
        ("PrometheusProto", protobuf),
    ] {
        let (few, many) = (scrapes(protocol, make(FEW)), scrapes(protocol, make(MANY)));
        assert_eq!(few, many, "{protocol}: {MANY} series against {FEW}");
        assert!(many <= 20 * 1000, "{protocol}: {many} in 1000 scrapes");
    }
}

#[test]
fn messages_allocate_nothing_per_sample() {
    for version in [Version::V1, Version::V2] {
        let allocations = |samples| {
            let layout = write::series(samples);
            let mut encoder = Encoder::for_version(version);
            for _ in 0..3 {
                drop(write::body(&mut encoder, &layout));
            }
            measure(|| drop(write::body(&mut encoder, &layout))).count_total
        };
        let (few, many) = (allocations(FEW), allocations(2 * MANY));
        assert_eq!(few, many, "{version:?}");
    }
}
