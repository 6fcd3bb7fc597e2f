#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod budget;
mod config;
mod discover;
mod error;
mod failure_log;
mod fetch;
mod histogram;
mod ingest;
mod key;
mod merge;
mod metrics;
pub mod parse;
mod pool;
mod recognize;
mod report;
mod run;
mod schedule;
mod scraper;
mod series;
mod status;

pub use ferroalloy_http_client::{Client, Config as HttpConfig};
pub use relabel::{NameScheme, Rules};

pub use budget::Budget;
pub use config::{Config, Escaping};
pub use discover::{DiscoveredTarget, ScrapeTarget};
pub use error::{Error, ErrorKind, Position, chain};
pub use fetch::{Fetching, HttpTarget, InProcess, Page, Target};
pub use pool::{HttpOnly, Pool, Resolve, Synced};
pub use scraper::{Scraped, Scraper};
pub use status::{Health, TargetStatus};
