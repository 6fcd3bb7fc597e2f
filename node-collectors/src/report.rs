//! What came of one run of the set: per collector how it ended, how long it took, and whether that is news.

use std::time::Duration;

use crate::error::Error;

/// How a collector's run ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum State {
    /// It succeeded.
    Data,
    /// What it measures is not there; no fault.
    NoData,
    /// It failed or panicked.
    Failed(Error),
}

/// One collector's part of a [`Report`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Status {
    /// The collector's name.
    pub collector: &'static str,
    /// Wall time of the run.
    pub duration: Duration,
    /// How it ended.
    pub state: State,
    /// What it met that a user should hear of, though it may have succeeded: one line each.
    pub warnings: Vec<String>,
    /// Whether it ended otherwise, or with another message or other warnings, than in the last run: log then, and
    /// only then.
    pub changed: bool,
}

/// What came of one run. It is also in the metrics, as `node_scrape_collector_success` and `…_duration_seconds`.
#[derive(Debug, Default)]
pub struct Report {
    pub(crate) statuses: Vec<Status>,
}

impl Report {
    /// Every collector that ran, in order of name.
    pub fn statuses(&self) -> &[Status] {
        &self.statuses
    }

    /// The collectors that failed.
    pub fn failures(&self) -> impl Iterator<Item = (&Status, &Error)> {
        self.statuses.iter().filter_map(|status| match &status.state {
            State::Failed(error) => Some((status, error)),
            _ => None,
        })
    }

    /// Those whose end differs from the last run's: one line each for a log.
    pub fn changes(&self) -> impl Iterator<Item = &Status> {
        self.statuses.iter().filter(|status| status.changed)
    }
}
