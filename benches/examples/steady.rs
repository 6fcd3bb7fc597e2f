//! Scrapes one body again and again, for counting instructions: the difference between two runs is what a scrape costs,
//! on a busy machine as well.
//!
//! `cargo run -p ferroalloy-benches --example steady -- text|openmetrics|protobuf|churn TIMES [new]`; with `new` every scrape is the
//! first of its target, with `churn` every scrape has other series in the place of a twentieth of those before.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ferroalloy_benches::churn::Churning;
use ferroalloy_benches::{exposition, openmetrics, protobuf};
use ferroalloy_model::{Labels, ManualClock};
use scrape::parse::{Format, Protocol};
use scrape::{Config, Error, Fetching, Page, Scraper, Target};

const SERIES: usize = 10_000;

#[derive(Debug)]
struct InMemory {
    body: Body,
    format: &'static Format,
}

#[derive(Debug)]
enum Body {
    Steady(Vec<u8>),
    Churning(Mutex<Churning>),
}

impl Target for InMemory {
    fn fetch<'a>(&'a self, _: Duration, page: &'a mut Page) -> Fetching<'a> {
        let body = page.body(self.format);
        match &self.body {
            Body::Steady(text) => body.extend_from_slice(text),
            Body::Churning(target) => {
                body.extend_from_slice(target.lock().unwrap_or_else(PoisonError::into_inner).turn());
            }
        }
        Box::pin(std::future::ready(Ok::<(), Error>(())))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (protocol, body) = match arguments.next().as_deref() {
        Some("text") => ("PrometheusText0.0.4", exposition(SERIES).into_bytes()),
        Some("openmetrics") => ("OpenMetricsText1.0.0", openmetrics(SERIES).into_bytes()),
        Some("protobuf") => ("PrometheusProto", protobuf(SERIES)),
        Some("churn") => ("PrometheusText0.0.4", Vec::new()),
        _ => return Err("which: text, openmetrics, protobuf or churn".into()),
    };
    let body = if body.is_empty() {
        Body::Churning(Mutex::new(Churning::new(SERIES)))
    } else {
        Body::Steady(body)
    };
    let times: i64 = arguments.next().unwrap_or_default().parse()?;
    let new = arguments.next().as_deref() == Some("new");
    let format = Protocol::named(protocol)?.format().ok_or("no parser")?;
    let target = InMemory { body, format };
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
