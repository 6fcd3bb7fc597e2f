//! What lies between accepting a batch and sending it: one log for a writer, and a reader for each endpoint.
//!
//! - The log holds batches as they were accepted, before any endpoint's rules, in one order.
//! - A reader gives its endpoint the batches in that order, and is told of each one whose samples are dealt with: delivered or
//!   dropped, in any order. What all readers have done is let go.
//! - A log is bounded. When it is full, its oldest batches go first, wherever its readers are: what a reader had not been
//!   given yet it counts as lost; what it had been given its endpoint drops, unless it is in a request already.
//! - A reader that stands still costs the others nothing.

#[cfg(feature = "durable")]
pub(crate) mod durable;
mod figures;
mod memory;
mod weight;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ferroalloy_model::{Batch, Clock, Commit};
use tokio::runtime::Handle;
use tokio::sync::Notify;

pub(crate) use self::figures::LogFigures;
#[cfg(feature = "durable")]
pub(crate) use self::figures::{DiskFigures, Trouble};
use self::memory::MemoryLog;
use crate::Error;
use crate::config::{Config, QueueLimits};

/// A batch's place in its log. Rises by one from batch to batch.
pub(crate) type Position = u64;

/// A batch with its place in the log.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) position: Position,
    /// In which run of the process it was accepted: sources of two runs may have the same series.
    pub(crate) run: u32,
    /// When it was accepted, on the clock that goes on in suspend.
    pub(crate) queued: Duration,
    /// What is before this place was dealt with in an earlier run.
    pub(crate) from: Place,
    pub(crate) batch: Batch,
}

/// How far a batch has been put into requests: see `endpoint::request`.
pub(crate) type Place = usize;

/// What a request has of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) position: Position,
    pub(crate) from: Place,
    /// `None` for the batch's end.
    pub(crate) to: Option<Place>,
}

/// Names a request that was begun.
pub(crate) type Ticket = u64;

/// A request that an earlier run began and did not see the end of.
pub(crate) type Unfinished = (Ticket, Arc<[Part]>);

/// Why samples were dropped without a receiver's word. The order is that of [`DropReason::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DropReason {
    /// They waited longer than the age limit of the queue or the endpoint.
    TooOld,
    /// The queue was full.
    QueueFull,
    /// The disk lost them.
    Damaged,
    /// The endpoint's rules drop their series.
    DroppedSeries,
    /// They are native histograms, which the endpoint does not want.
    HistogramsOff,
    /// They are native histograms with custom buckets, and the endpoint speaks 1.0.
    CustomBuckets,
}

/// What a log has thrown away of its oldest end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Evicted {
    /// Every batch before this one is gone.
    pub(crate) before: Position,
    pub(crate) reason: DropReason,
}

/// Where a reader stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Backlog {
    /// Samples that the reader has not been given yet.
    pub(crate) unread: u64,
    /// When the oldest batch was accepted that is not acknowledged.
    pub(crate) oldest: Option<Duration>,
}

/// The appending side.
pub(crate) trait Log: Send + Sync + fmt::Debug {
    /// Takes a batch. The commit tells when it is as safe as this log makes it.
    fn append(&self, batch: &Batch) -> Commit;

    /// A reader for the endpoint of this name. In memory it starts at the end.
    fn reader(&self, endpoint: &str) -> Box<dyn Reader>;

    /// Changes the bounds; what is too much by the new ones goes at once.
    fn set_limits(&self, limits: &QueueLimits);

    /// The endpoint of this name is gone for good.
    fn forget(&self, endpoint: &str);

    /// All endpoints have asked for their readers: what is kept for others is dropped.
    fn settled(&self);

    /// Changes how much may be kept on disk, and how often it is synced. Nothing to a log in memory.
    #[cfg(feature = "durable")]
    fn set_storage(&self, storage: &crate::config::Storage);

    /// What is held.
    fn figures(&self) -> LogFigures;

    /// Makes what there is as safe as this log makes it.
    fn sync(&self) -> Commit;

    /// The time of the newest sample accepted, in milliseconds since 1970.
    fn newest_timestamp(&self) -> Option<i64>;
}

/// One endpoint's side.
pub(crate) trait Reader: Send + fmt::Debug {
    /// The next batch, if there is one.
    fn next(&mut self) -> Option<Entry>;

    /// The position from which `next` goes on.
    fn position(&self) -> Position;

    /// Requests that an earlier run began and did not see the end of, once. Their batches are among those that `next` gives.
    fn unfinished(&mut self) -> Vec<Unfinished>;

    /// A request with these parts is about to be sent for the first time; the commit tells when that has been noted.
    fn begin(&mut self, parts: &Arc<[Part]>) -> (Ticket, Commit);

    /// The request is over: what it had is dealt with.
    fn end(&mut self, ticket: Ticket, parts: &[Part]);

    /// All samples of the batch are dealt with, by no request.
    fn acknowledge(&mut self, position: Position);

    /// What the log has thrown away, most recently; and how many samples of that this reader had not been given.
    fn evicted(&mut self) -> Option<(Evicted, u64)>;

    /// Where this reader stands.
    fn backlog(&self) -> Backlog;

    /// Notified when there is another batch.
    fn wake(&self) -> Arc<Notify>;
}

/// A log, and the time that its users must go by.
#[derive(Debug)]
pub(crate) struct OpenLog {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Opens the log that `config` asks for.
#[cfg(feature = "durable")]
pub(crate) fn open(config: &Config, clock: Arc<dyn Clock>, runtime: &Handle) -> Result<OpenLog, Error> {
    use self::durable::fs::HostFs;
    use self::durable::{DurableLog, LongClock};
    let Some(storage) = &config.storage else {
        return Ok(in_memory(config, clock));
    };
    let clock: Arc<dyn Clock> = Arc::new(LongClock(clock));
    let fs = Arc::new(HostFs::new(&storage.folder));
    let log = DurableLog::open(fs, storage, &config.queue, clock.clone(), runtime.clone())?;
    Ok(OpenLog {
        log: Arc::new(log),
        clock,
    })
}

/// Opens the log that `config` asks for.
#[cfg(not(feature = "durable"))]
#[allow(clippy::unnecessary_wraps, reason = "as with the feature")]
pub(crate) fn open(config: &Config, clock: Arc<dyn Clock>, _runtime: &Handle) -> Result<OpenLog, Error> {
    Ok(in_memory(config, clock))
}

fn in_memory(config: &Config, clock: Arc<dyn Clock>) -> OpenLog {
    OpenLog {
        log: Arc::new(MemoryLog::new(&config.queue, clock.clone())),
        clock,
    }
}

// === impl DropReason ===

impl DropReason {
    pub(crate) const ALL: [Self; 6] = [
        Self::TooOld,
        Self::QueueFull,
        Self::Damaged,
        Self::DroppedSeries,
        Self::HistogramsOff,
        Self::CustomBuckets,
    ];

    /// Whether it is about native histograms alone.
    pub(crate) fn of_histograms(self) -> bool {
        matches!(self, Self::HistogramsOff | Self::CustomBuckets)
    }

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::TooOld => "too_old",
            Self::QueueFull => "queue_full",
            Self::Damaged => "queue_damaged",
            Self::DroppedSeries => "dropped_series",
            Self::HistogramsOff => "native_histograms_off",
            Self::CustomBuckets => "nhcb_in_rw1_not_supported",
        }
    }
}
