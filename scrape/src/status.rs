//! What is known of a target, for a status page.

use std::time::Duration;

use ferroalloy_model::Labels;

/// Whether a target's last scrape was good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Health {
    /// Not scraped yet.
    #[default]
    Unknown,
    /// It was.
    Up,
    /// It was not.
    Down,
}

/// A snapshot of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetStatus {
    /// What is scraped.
    pub url: String,
    /// The labels that its series get.
    pub labels: Labels,
    /// The labels that discovery gave it.
    pub discovered: Labels,
    /// Whether the last scrape was good.
    pub health: Health,
    /// Why it was not, with all causes; empty if it was.
    pub last_error: String,
    /// When the last scrape was; milliseconds since 1970.
    pub last_scrape: Option<i64>,
    /// How long it took.
    pub last_scrape_duration: Duration,
    /// Time between scrapes.
    pub interval: Duration,
    /// How long a scrape may take.
    pub timeout: Duration,
}

impl Health {
    /// The word that Prometheus and Alloy use for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// The part of a status that scrapes change.
#[derive(Debug, Default)]
pub(crate) struct LastScrape {
    pub(crate) health: Health,
    pub(crate) error: String,
    pub(crate) time: Option<i64>,
    pub(crate) duration: Duration,
}
