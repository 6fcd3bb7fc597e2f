//! The loop of one target: waits for its tick, scrapes, hands over the batch, and listens to its pool meanwhile.
//!
//! Invariants: one scrape at a time; stopping sends no markers, retiring does; whatever ends a loop, its series can
//! go on in another one.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use ferroalloy_model::clock::{Clock, timeout};
use ferroalloy_model::{Batch, Committed, Receiver};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::budget::Budget;
use crate::config::Config;
use crate::error::{Error, ErrorKind, chain};
use crate::failure_log::FailureLog;
use crate::fetch::{Page, Target};
use crate::metrics::{Metrics, add};
use crate::schedule::{Schedule, Tick};
use crate::scraper::Scraper;
use crate::series::SeriesState;
use crate::status::{Health, LastScrape};

/// How long a scrape waits for its batch to be durable.
const COMMIT: Duration = Duration::from_secs(1);

/// How many page buffers a pool keeps.
const PAGES: usize = 4;

/// What the loops of a pool share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) receiver: Arc<dyn Receiver>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Metrics,
    pages: Mutex<Vec<Page>>,
    failures: Mutex<Option<FailureLog>>,
    /// Set at most once, before there are loops.
    pub(crate) budget: OnceLock<Arc<Budget>>,
}

/// What a loop is to do.
#[derive(Debug, Clone)]
pub(crate) enum Command {
    /// Scrape.
    Run(Arc<Settings>),
    /// The target is gone: send markers when their time has come, and end.
    Retire,
    /// End at once, without markers.
    Stop,
}

/// How a loop scrapes.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) config: Arc<Config>,
    pub(crate) target: Arc<dyn Target>,
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
    /// The target's place within the interval.
    pub(crate) offset: Duration,
    /// The job has more targets than it may, so all fail.
    pub(crate) refused: bool,
}

/// Where the series of a new loop come from.
pub(crate) enum Origin {
    /// They are new.
    New(SeriesState),
    /// A loop that is ending had the same labels.
    Successor(JoinHandle<Option<SeriesState>>, SeriesState),
}

pub(crate) struct Loop {
    pub(crate) shared: Arc<Shared>,
    pub(crate) control: watch::Receiver<Command>,
    pub(crate) last: Arc<Mutex<LastScrape>>,
    pub(crate) origin: Origin,
}

// === impl Shared ===

impl Shared {
    pub(crate) fn new(receiver: Arc<dyn Receiver>, clock: Arc<dyn Clock>) -> Self {
        Self {
            receiver,
            clock,
            metrics: Metrics::default(),
            pages: Mutex::default(),
            failures: Mutex::default(),
            budget: OnceLock::new(),
        }
    }

    fn page(&self) -> Page {
        self.pages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
            .unwrap_or_default()
    }

    fn give_back(&self, mut page: Page) {
        page.trim();
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if pages.len() < PAGES {
            pages.push(page);
        }
    }

    /// Opens the failure log that the options name, unless it is the one that is open.
    pub(crate) fn set_failure_log(&self, config: &Config) -> Result<(), Error> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.as_ref().map(FailureLog::path) != config.failure_log.as_deref() {
            *failures = config.failure_log.as_deref().map(FailureLog::open).transpose()?;
        }
        Ok(())
    }

    fn log_failure(&self, time: i64, job: &str, target: &str, error: &str) {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(failures) = &*failures
            && !failures.write(time, job, target, error)
        {
            add(&self.metrics.failure_log_dropped, 1);
        }
    }

    /// Hands a batch over and waits a little for it to be safe.
    async fn deliver(&self, batch: &Batch) {
        match timeout(&*self.clock, COMMIT, self.receiver.accept(batch)).await {
            Ok(Committed::Refused) => add(&self.metrics.commits_refused, 1),
            Ok(Committed::Durable | Committed::Memory) => {}
            Err(_) => add(&self.metrics.commits_late, 1),
        }
    }
}

// === impl Loop ===

impl Loop {
    /// Runs until told to end. What it kept of the series is given back, for a successor, unless they have had their markers.
    pub(crate) async fn run(self) -> Option<SeriesState> {
        let Self {
            shared,
            mut control,
            last,
            origin,
        } = self;
        let state = match origin {
            Origin::New(state) => state,
            Origin::Successor(before, fresh) => before.await.ok().flatten().unwrap_or(fresh),
        };
        let mut scraper = Scraper::with_state(state);
        let mut grid: Option<(Schedule, Duration)> = None;
        let mut held_bytes = 0;
        let mut over = false;
        loop {
            let command = control.borrow_and_update().clone();
            match command {
                Command::Stop => break,
                Command::Retire => {
                    let Some((schedule, _)) = &mut grid else { break };
                    match retire(&shared, &mut control, schedule).await {
                        Retired::At(time) => {
                            if let Some(batch) = scraper.retire(time) {
                                shared.deliver(&batch).await;
                            }
                            over = true;
                            break;
                        }
                        Retired::Closed => break,
                        Retired::Commanded => {}
                    }
                }
                Command::Run(settings) => {
                    let clock = &*shared.clock;
                    if grid.as_ref().is_none_or(|(schedule, offset)| {
                        schedule.interval() != settings.interval || *offset != settings.offset
                    }) {
                        grid = Some((
                            Schedule::new(clock, settings.interval, settings.offset),
                            settings.offset,
                        ));
                    }
                    let Some((schedule, _)) = &mut grid else { break };
                    tokio::select! {
                        biased;
                        changed = control.changed() => match changed {
                            Ok(()) => continue,
                            Err(_) => break,
                        },
                        () = clock.sleep(schedule.wait(clock)) => {}
                    }
                    if !schedule.wait(clock).is_zero() {
                        continue;
                    }
                    let tick = schedule.tick(clock);
                    if tick.asleep {
                        settings.target.resume();
                    }
                    add(&shared.metrics.asleep_ticks, tick.missed);
                    tokio::select! {
                        biased;
                        () = stopped(&mut control) => break,
                        () = scrape_once(&shared, &settings, &mut scraper, tick, &last) => {}
                    }
                    add(&shared.metrics.overrun_ticks, schedule.skip(clock));
                    let bytes = i64::try_from(scraper.heap_bytes()).unwrap_or(i64::MAX);
                    shared
                        .metrics
                        .state_bytes
                        .fetch_add(bytes - held_bytes, Ordering::Relaxed);
                    held_bytes = bytes;
                }
            }
        }
        shared
            .metrics
            .state_bytes
            .fetch_sub(held_bytes, Ordering::Relaxed);
        (!over).then(|| scraper.into_state())
    }
}

/// One scrape, from the fetch to the commit.
async fn scrape_once(
    shared: &Shared,
    settings: &Settings,
    scraper: &mut Scraper,
    tick: Tick,
    last: &Mutex<LastScrape>,
) {
    let Settings { config, target, .. } = settings;
    let when = (tick.time, settings.timeout);
    let outcome = if settings.refused {
        let limit = config.target_limit;
        let error = Error::new(
            ErrorKind::TargetLimit,
            format!("the job has more targets than target_limit {limit}"),
        );
        scraper.refuse(error, config, when)
    } else {
        let mut page = shared.page();
        scraper.set_full(shared.budget.get().is_some_and(|budget| budget.is_used_up()));
        let outcome = scraper
            .scrape(&**target, config, &*shared.clock, when, &mut page)
            .await;
        shared.give_back(page);
        outcome
    };
    shared
        .metrics
        .scraped(&outcome.counts, outcome.error.as_ref(), config.sample_limit);
    if let Some(error) = &outcome.error {
        let (origin, error) = (outcome.batch.layout().origin(), chain(error));
        tracing::debug!(origin, error, "scrape failed");
        shared.log_failure(tick.time, &config.job_name, origin, &error);
    }
    {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        last.health = if outcome.error.is_none() {
            Health::Up
        } else {
            Health::Down
        };
        last.error = outcome
            .error
            .as_ref()
            .map_or_else(String::new, |error| chain(error));
        last.time = Some(tick.time);
        last.duration = outcome.duration;
    }
    shared.deliver(&outcome.batch).await;
    drop(outcome.retired);
}

/// Ends when the loop is to stop at once, or nobody controls it any more.
async fn stopped(control: &mut watch::Receiver<Command>) {
    // An error means that the pool is gone, which is a stop as well.
    let _ = control.wait_for(|command| matches!(command, Command::Stop)).await;
}

/// How the wait of a target that is gone ended.
enum Retired {
    /// Its markers are due, with that time.
    At(i64),
    /// There is another command.
    Commanded,
    /// Nobody controls the loop any more.
    Closed,
}

/// Waits until a target that is gone would have been scraped twice, and a little more: then it was not recreated.
/// The time of the markers is that of the first scrape left out.
async fn retire(shared: &Shared, control: &mut watch::Receiver<Command>, schedule: &mut Schedule) -> Retired {
    let clock = &*shared.clock;
    let interval = schedule.interval();
    let mut time = None;
    for wait in [schedule.wait(clock), interval + interval / 10] {
        tokio::select! {
            biased;
            changed = control.changed() => {
                return if changed.is_ok() { Retired::Commanded } else { Retired::Closed };
            }
            () = clock.sleep(wait) => {}
        }
        time.get_or_insert_with(|| schedule.tick(clock).time);
    }
    time.map_or(Retired::Closed, Retired::At)
}
