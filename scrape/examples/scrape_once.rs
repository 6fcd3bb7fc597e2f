//! Scrapes a URL twice and prints what a receiver would get:
//!
//! ```text
//! cargo run -p scrape --example scrape_once -- http://localhost:9100/metrics
//! ```

#![allow(clippy::print_stdout, reason = "a command line program")]

use std::time::Duration;

use ferroalloy_model::Labels;
use ferroalloy_model::clock::{Clock, SystemClock};
use scrape::{Client, Config, HttpTarget, Page, Scraper};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("usage: scrape_once URL")?;
    let config = Config::default();
    let limit = Duration::from_secs(10);
    let target = HttpTarget::new(Client::new(&config.http)?, &url, limit, &config)?;
    let mut scraper = Scraper::new(&url, Labels::from_pairs([("job", "example"), ("instance", &url)]));
    let mut page = Page::new();
    for _ in 0..2 {
        let when = (SystemClock.wall(), limit);
        let outcome = scraper
            .scrape(&target, &config, &SystemClock, when, &mut page)
            .await;
        if let Some(error) = &outcome.error {
            println!("# failed: {}", scrape::chain(error));
        }
        println!(
            "# {} samples, {} bytes, {:?}",
            outcome.batch.sample_count(),
            outcome.body_size,
            outcome.duration
        );
        for row in outcome.batch.samples() {
            println!(
                "{} {} {}",
                outcome.batch.layout().series(row.slot as usize),
                row.value,
                row.timestamp
            );
        }
    }
    Ok(())
}
