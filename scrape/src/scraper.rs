//! One target, scraped whenever the caller says so: the unit below the pool.

use std::sync::Arc;
use std::time::Duration;

use ferroalloy_model::clock::{Clock, timeout};
use ferroalloy_model::{Batch, Labels, Layout};
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::fetch::{Page, Target};
use crate::report::{Counts, Report};
use crate::series::SeriesState;

/// Scrapes one target again and again, and remembers its series from scrape to scrape.
#[derive(Debug)]
pub struct Scraper {
    state: SeriesState,
    full: bool,
    /// Whether this runs on a worker of a runtime that can do without it for a while.
    on_worker: bool,
}

/// Bodies of this size and more take so long to read that the worker's other tasks go to another thread meanwhile. Series that
/// are known are read at some GB/s, those that are new at a hundred MB/s.
const LARGE: usize = 1 << 20;

/// A scrape, good or not: either way it has a batch.
#[derive(Debug)]
#[non_exhaustive]
pub struct Scraped {
    /// The samples, the staleness markers and the report series.
    pub batch: Batch,
    /// Why the scrape failed, if it did.
    pub error: Option<Error>,
    /// How long it took.
    pub duration: Duration,
    /// Bytes of the decompressed body.
    pub body_size: usize,
    pub(crate) counts: Counts,
    /// Held until the batch is delivered, so that stages can carry over what they keep per series.
    pub(crate) retired: Option<Arc<Layout>>,
}

impl Scraper {
    /// A scraper for a target whose series get the labels `target`; `origin` names it in messages.
    pub fn new(origin: &str, target: Labels) -> Self {
        Self {
            state: SeriesState::new(origin, target),
            full: false,
            on_worker: false,
        }
    }

    /// For a task of its own, which the runtime was given by `spawn`.
    pub(crate) fn with_state(state: SeriesState) -> Self {
        Self {
            state,
            full: false,
            on_worker: matches!(
                Handle::try_current().map(|runtime| runtime.runtime_flavor()),
                Ok(RuntimeFlavor::MultiThread)
            ),
        }
    }

    pub(crate) fn into_state(self) -> SeriesState {
        self.state
    }

    /// Whether scrapes that would add series fail, because there is no memory for them.
    pub fn set_full(&mut self, full: bool) {
        self.full = full;
    }

    /// Scrapes once. `time` is the timestamp of the samples, in milliseconds since 1970.
    ///
    /// Fetching takes at most `limit`; `page` is only a buffer, which scrapes of other targets may share.
    pub async fn scrape(
        &mut self,
        target: &dyn Target,
        config: &Config,
        clock: &dyn Clock,
        (time, limit): (i64, Duration),
        page: &mut Page,
    ) -> Scraped {
        let start = clock.elapsed();
        page.clear();
        let fetched = match timeout(clock, limit, target.fetch(limit, page)).await {
            Ok(fetched) => fetched,
            Err(_) => Err(Error::new(
                ErrorKind::Timeout,
                format!("no complete answer within {limit:?}"),
            )),
        };
        let took = || clock.elapsed().saturating_sub(start);
        self.take(page, fetched, config, time, limit, took)
    }

    /// Makes a scrape of an error that kept it from being tried.
    pub(crate) fn refuse(
        &mut self,
        error: Error,
        config: &Config,
        (time, limit): (i64, Duration),
    ) -> Scraped {
        self.take(&mut Page::new(), Err(error), config, time, limit, || {
            Duration::ZERO
        })
    }

    fn take(
        &mut self,
        page: &mut Page,
        fetched: Result<(), Error>,
        config: &Config,
        time: i64,
        limit: Duration,
        took: impl FnOnce() -> Duration,
    ) -> Scraped {
        let mut scrape = self.state.begin(config, time, self.full, page.spares.take());
        let large = self.on_worker && page.body_size() >= LARGE;
        let outcome = fetched.and_then(|()| aside(large, || page.ingest(&mut scrape)));
        let duration = took();
        let body_size_bytes = match &outcome {
            Ok(()) => page.body_size() as f64,
            Err(error) if error.kind() == ErrorKind::BodySize => -1.0,
            Err(_) => 0.0,
        };
        let report = Report {
            duration_seconds: duration.as_secs_f64(),
            timeout_seconds: limit.as_secs_f64(),
            sample_limit: config.sample_limit as f64,
            body_size_bytes,
        };
        let delivery = match outcome {
            Ok(()) => scrape.finish(&report),
            Err(_) => scrape.fail(&report),
        };
        page.spares.keep(&delivery.batch);
        Scraped {
            batch: delivery.batch,
            error: outcome.err(),
            duration,
            body_size: page.body_size(),
            counts: delivery.counts,
            retired: delivery.retired,
        }
    }

    /// The staleness markers of a target that is gone; `None` where nothing of it was ever sent.
    pub fn retire(&mut self, time: i64) -> Option<Batch> {
        self.state.retire(time)
    }

    /// The labels that the series get.
    pub fn target(&self) -> &Labels {
        self.state.target()
    }

    /// Bytes kept between scrapes, without label pairs, which are shared.
    pub fn heap_bytes(&self) -> usize {
        self.state.heap_bytes()
    }
}

/// Does what takes long without holding up other tasks of this worker.
fn aside<T>(long: bool, work: impl FnOnce() -> T) -> T {
    if long {
        tokio::task::block_in_place(work)
    } else {
        work()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_worker_is_not_held_up() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .expect("a runtime");
        let (sender, receiver) = std::sync::mpsc::channel();
        let (started, begun) = tokio::sync::oneshot::channel();
        let long = runtime.spawn(async move {
            aside(true, || {
                let _ = started.send(());
                receiver.recv()
            })
        });
        let short = runtime.spawn(async move {
            begun.await.expect("it began");
            sender.send(7)
        });
        assert_eq!(runtime.block_on(long).expect("it ended"), Ok(7));
        assert!(runtime.block_on(short).expect("it ended").is_ok());
    }
}
