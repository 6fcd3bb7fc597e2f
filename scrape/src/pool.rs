//! One scrape job: a changing list of targets, a loop for each.
//!
//! Invariants: a target that stays in the list keeps its loop, its grid and its series, whatever else changes; a
//! target that leaves gets its markers, unless it comes back first; options change while loops run.

mod sync;

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferroalloy_http_client::Client;
use ferroalloy_model::clock::Clock;
use ferroalloy_model::{Collect, Families, Receiver, Reconfigured};
use tokio::runtime::Handle;

use self::sync::Members;
use crate::budget::Budget;
use crate::config::Config;
use crate::discover::{DiscoveredTarget, ScrapeTarget};
use crate::error::{Error, ErrorKind};
use crate::fetch::Target;
use crate::metrics::add;
use crate::run::{Command, Shared};
use crate::status::TargetStatus;

/// Tells which targets are exporters in this process, so that they are scraped without a socket.
pub trait Resolve: Send + Sync {
    /// The exporter behind a target's URL, or `None` for one to be asked over HTTP.
    fn resolve(&self, target: &ScrapeTarget) -> Option<Arc<dyn Target>>;
}

/// Resolves nothing: all targets are asked over HTTP.
#[derive(Debug, Clone, Copy, Default)]
pub struct HttpOnly;

impl Resolve for HttpOnly {
    fn resolve(&self, _: &ScrapeTarget) -> Option<Arc<dyn Target>> {
        None
    }
}

/// A scrape job. Dropping it stops its loops, without markers.
pub struct Pool {
    shared: Arc<Shared>,
    resolver: Arc<dyn Resolve>,
    runtime: Handle,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: Arc<Config>,
    client: Client,
    discovered: Vec<DiscoveredTarget>,
    members: Members,
}

/// What became of a list of targets.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Synced {
    /// Targets that are scraped now.
    pub active: usize,
    /// Why others are not, one error each.
    pub refused: Vec<Error>,
}

impl Pool {
    /// A job without targets. Its loops run as tasks of the tokio runtime that this is called in.
    ///
    /// Batches go to `receiver`, of which the loops wait for each commit for at most a second.
    pub fn new(
        config: Config,
        receiver: Arc<dyn Receiver>,
        clock: Arc<dyn Clock>,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, Error> {
        config.validate()?;
        let runtime = Handle::try_current().map_err(|error| {
            Error::new(ErrorKind::Config, "a pool needs a tokio runtime").with_source(error)
        })?;
        let client = client(&config)?;
        let shared = Arc::new(Shared::new(receiver, clock));
        shared.set_failure_log(&config)?;
        shared
            .metrics
            .target_limit
            .store(config.target_limit as u64, Ordering::Relaxed);
        let inner = Inner {
            config: Arc::new(config),
            client,
            discovered: Vec::new(),
            members: Members::default(),
        };
        Ok(Self {
            shared,
            resolver,
            runtime,
            inner: Mutex::new(inner),
        })
    }

    /// Refuses new series while `budget` is used up. To be called before there are targets.
    #[must_use]
    pub fn with_budget(self, budget: Arc<Budget>) -> Self {
        // Of two budgets the first counts.
        let _ = self.shared.budget.set(budget);
        self
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over a list of targets: starts loops for new ones, retires those that are gone, leaves the others alone.
    pub fn sync(&self, targets: Vec<DiscoveredTarget>) -> Synced {
        let mut inner = self.lock();
        inner.discovered = targets;
        self.apply(&mut inner)
    }

    /// Takes over a configuration. Loops go on; series are named anew where the rules that name them have changed.
    pub fn reconfigure(&self, config: Config) -> Result<Reconfigured, Error> {
        let mut inner = self.lock();
        let applied = self.exchange(&mut inner, config);
        add(
            if applied.is_ok() {
                &self.shared.metrics.reloads
            } else {
                &self.shared.metrics.reloads_failed
            },
            1,
        );
        applied
    }

    fn exchange(&self, inner: &mut Inner, config: Config) -> Result<Reconfigured, Error> {
        config.validate()?;
        if *inner.config == config {
            return Ok(Reconfigured::Kept);
        }
        self.shared.set_failure_log(&config)?;
        if inner.config.http != config.http {
            inner.client = client(&config)?;
        }
        self.shared
            .metrics
            .target_limit
            .store(config.target_limit as u64, Ordering::Relaxed);
        inner.config = Arc::new(config);
        self.apply(inner);
        Ok(Reconfigured::Kept)
    }

    /// A snapshot of the targets that are scraped, in order of URL and labels.
    pub fn targets(&self) -> Vec<TargetStatus> {
        let mut targets = self.lock().members.statuses();
        targets.sort_by(|a, b| (&a.url, &a.labels).cmp(&(&b.url, &b.labels)));
        targets
    }

    /// Stops all loops and waits for them. A scrape that is under way is given up; no markers are sent, since a
    /// process that ends is expected back.
    pub async fn stop(&self) {
        let members = self.leave();
        members.end(Command::Stop).await;
    }

    /// Retires all targets and waits until their markers are sent, for a bit more than two intervals: for a job that
    /// is gone for good.
    pub async fn retire(&self) {
        let members = self.leave();
        members.end(Command::Retire).await;
    }

    /// Gives up all targets: later changes of the configuration start none.
    fn leave(&self) -> Members {
        let mut inner = self.lock();
        inner.discovered.clear();
        self.shared.metrics.targets.store(0, Ordering::Relaxed);
        std::mem::take(&mut inner.members)
    }

    /// Writes the pool's own metrics, each with the labels `labels` and the label `scrape_job`.
    pub fn collect_with(&self, labels: &[(&str, &str)], out: &mut Families) {
        let config = Arc::clone(&self.lock().config);
        let labels: Vec<_> = labels
            .iter()
            .copied()
            .chain([("scrape_job", config.job_name.as_str())])
            .collect();
        self.shared.metrics.collect(&labels, out);
    }
}

impl Collect for Pool {
    fn collect(&self, out: &mut Families) {
        self.collect_with(&[], out);
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.lock();
        f.debug_struct("Pool")
            .field("job", &inner.config.job_name)
            .field("targets", &inner.members.active())
            .finish_non_exhaustive()
    }
}

fn client(config: &Config) -> Result<Client, Error> {
    Client::new(&config.http)
        .map_err(|error| Error::new(ErrorKind::Config, "HTTP client options").with_source(error))
}
