//! Scrapes one body again and again, for counting instructions: the difference between two runs is what a scrape costs,
//! on a busy machine as well.
//!
//! `cargo run -p ferroalloy-benches --example steady -- text|openmetrics|protobuf|churn TIMES [new]`; with `new` every scrape is the
//! first of its target, with `churn` every scrape has other series in the place of a twentieth of those before.

use std::time::Duration;

use ferroalloy_benches::target::InMemory;
use ferroalloy_benches::{exposition, openmetrics, protobuf};
use ferroalloy_model::{Labels, ManualClock};
use scrape::{Config, Page, Scraper};

const SERIES: usize = 10_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let target = match arguments.next().as_deref() {
        Some("text") => InMemory::new("PrometheusText0.0.4", exposition(SERIES))?,
        Some("openmetrics") => InMemory::new("OpenMetricsText1.0.0", openmetrics(SERIES))?,
        Some("protobuf") => InMemory::new("PrometheusProto", protobuf(SERIES))?,
        Some("churn") => InMemory::churning(SERIES)?,
        _ => return Err("which: text, openmetrics, protobuf or churn".into()),
    };
    let times: i64 = arguments.next().unwrap_or_default().parse()?;
    let new = arguments.next().as_deref() == Some("new");
    let (config, clock) = (Config::default(), ManualClock::new(0));
    let labels = Labels::from_pairs([("job", "bench"), ("instance", "host:1")]);
    let mut scraper = Scraper::new("bench", labels.clone());
    let mut page = Page::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    for time in 0..times {
        if new {
            scraper = Scraper::new("bench", labels.clone());
        }
        let when = (time * 1000, Duration::from_secs(1));
        let scraped = runtime.block_on(scraper.scrape(&target, &config, &clock, when, &mut page));
        if let Some(error) = scraped.error {
            return Err(error.into());
        }
    }
    Ok(())
}
