//! What is left of a target's hundred thousand series once they are gone.

use std::time::Duration;

use allocation_counter::measure;
use ferroalloy_benches::exposition;
use ferroalloy_benches::relabel::node_rules;
use ferroalloy_benches::target::InMemory;
use ferroalloy_model::{Labels, ManualClock};
use relabel::LayoutRelabeler;
use scrape::{Config, Page, Scraper};
use tokio::runtime::Builder;

#[test]
fn memory_comes_back_after_a_spike() {
    let target = |series| InMemory::new("PrometheusText0.0.4", exposition(series)).expect("a parser");
    let (usual, spike) = (target(1_000), target(100_000));
    let (config, clock) = (Config::default(), ManualClock::new(0));
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let relabeler = LayoutRelabeler::new(node_rules().expect("rules"));
    let mut scraper = Scraper::new("test", Labels::from_pairs([("job", "bench")]));
    let mut time = 0;
    let mut run = |target: &InMemory, times: usize| {
        for _ in 0..times {
            time += 1000;
            // Pages are shared by the targets of a pool, which gives up those that are too large.
            let mut page = Page::new();
            let when = (time, Duration::from_secs(1));
            let scraped = runtime.block_on(scraper.scrape(target, &config, &clock, when, &mut page));
            assert!(scraped.error.is_none(), "{:?}", scraped.error);
            assert!(relabeler.relabel_batch(&scraped.batch).sample_count() > 0);
        }
    };
    run(&usual, 10);
    let mut peak = 0;
    let left = measure(|| {
        peak = measure(|| run(&spike, 2)).bytes_max;
        run(&usual, 10);
    });
    assert!(peak > 100_000 * 40, "{peak} bytes at the peak");
    assert!(
        left.bytes_current < 64 * 1024,
        "{} of {peak} bytes are left",
        left.bytes_current
    );
}
