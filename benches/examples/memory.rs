//! Counts the bytes that a target's series take between scrapes, beyond label pairs, of which each is there once in the
//! process; also after all of them were replaced several times.
//!
//! `cargo run --release -p ferroalloy-benches --example memory`

#![expect(clippy::print_stdout, reason = "a program for people")]

use std::alloc::System;
use std::time::Duration;

use cap::Cap;
use ferroalloy_benches::exposition;
use ferroalloy_benches::target::InMemory;
use ferroalloy_model::{Batch, Labels, ManualClock, Pair};
use scrape::{Config, Page, Scraper};

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

const SERIES: usize = 10_000;

struct Runs {
    runtime: tokio::runtime::Runtime,
    config: Config,
    clock: ManualClock,
    page: Page,
    time: i64,
}

impl Runs {
    fn scrape(&mut self, scraper: &mut Scraper, target: &InMemory) -> Batch {
        self.time += 15_000;
        let when = (self.time, Duration::from_secs(1));
        let scrape = scraper.scrape(target, &self.config, &self.clock, when, &mut self.page);
        self.runtime.block_on(scrape).batch
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (text, protocol) = (exposition(SERIES), "PrometheusText0.0.4");
    let target = InMemory::new(protocol, text.as_str())?;
    let others = (0..5)
        .map(|round| InMemory::new(protocol, text.replace("app_", &format!("ap{round}_"))))
        .collect::<Result<Vec<_>, _>>()?;
    let labels = Labels::from_pairs([("job", "bench"), ("instance", "host:1")]);
    let mut runs = Runs {
        runtime: tokio::runtime::Builder::new_current_thread().build()?,
        config: Config::default(),
        clock: ManualClock::new(0),
        page: Page::new(),
        time: 0,
    };
    // Label pairs are there from now on, and buffers that targets share.
    let batch = runs.scrape(&mut Scraper::new("bench", labels.clone()), &target);
    let layout = batch.layout();
    let held: Vec<Pair> = (0..layout.len())
        .flat_map(|slot| layout.series(slot).pairs().cloned())
        .collect();
    let series = layout.series_count();
    drop(batch);
    let before = HEAP.allocated();
    let per_series = || (HEAP.allocated() - before) as f64 / series as f64;

    let mut scraper = Scraper::new("bench", labels);
    for _ in 0..3 {
        runs.scrape(&mut scraper, &target);
    }
    println!(
        "{series} series of {:.1} labels",
        held.len() as f64 / series as f64
    );
    println!("at rest: {:.1} bytes a series", per_series());
    for other in &others {
        runs.scrape(&mut scraper, other);
    }
    for _ in 0..12 {
        runs.scrape(&mut scraper, &target);
    }
    println!(
        "after all were replaced five times, and came back: {:.1} bytes",
        per_series()
    );
    drop(scraper);
    println!("after the target: {:.1} bytes", per_series());
    Ok(())
}
