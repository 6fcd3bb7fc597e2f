//! Runs a job over the addresses on the command line, with a receiver that counts:
//!
//! ```text
//! cargo run -p scrape --example pool -- localhost:9100 localhost:9090
//! ```

#![allow(clippy::print_stdout, reason = "a command line program")]

use std::sync::Arc;
use std::time::Duration;

use ferroalloy_model::clock::{Clock, SystemClock};
use ferroalloy_model::{Batch, Commit, Committed, Labels, Receiver};
use scrape::{Config, DiscoveredTarget, HttpOnly, Pool};

#[derive(Debug)]
struct Print;

impl Receiver for Print {
    fn accept(&self, batch: &Batch) -> Commit {
        println!(
            "{} {}: {} samples",
            batch.timestamp(),
            batch.layout().origin(),
            batch.sample_count()
        );
        Commit::done(Committed::Memory)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = Config {
        job_name: "example".to_owned(),
        interval: Duration::from_secs(5),
        timeout: Duration::from_secs(5),
        ..Config::default()
    };
    let pool = Pool::new(config, Arc::new(Print), Arc::new(SystemClock), Arc::new(HttpOnly))?;
    let targets = std::env::args().skip(1).map(|address| DiscoveredTarget {
        labels: Labels::from_pairs([("__address__", address)]),
    });
    for error in pool.sync(targets.collect()).refused {
        println!("refused: {error}");
    }
    SystemClock.sleep(Duration::from_secs(30)).await;
    for target in pool.targets() {
        println!(
            "{} is {} {}",
            target.url,
            target.health.as_str(),
            target.last_error
        );
    }
    pool.stop().await;
    Ok(())
}
