//! The writer: one log, and a task for each endpoint.
//!
//! Invariant: a change of configuration touches only what changed. An endpoint is the same one as long as it has the same name, and
//! keeps its place in the log.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ferroalloy_model::clock::timeout;
use ferroalloy_model::{Batch, Clock, Collect, Commit, Committed, Families, Receiver, Reconfigured};
use relabel::Rules;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::accepted::Accepted;
use crate::client::Client;
use crate::config::{Config, Endpoint};
use crate::endpoint::{Command, EndpointTask, Searches, Settings, Shared, Throttle};
use crate::metrics::{EndpointMetrics, Gauges};
use crate::queue::{self, Log, OpenLog};
use crate::status::{Board, Health, QueueStatus, Status};
use crate::view::Stage;
use crate::{Error, ErrorKind};

/// Queues samples and sends them to endpoints, for as long as it lives. It takes batches as a [`Receiver`].
///
/// Dropping it ends everything at once; [`Writer::shutdown`] lets it finish.
pub struct Writer {
    log: Arc<dyn Log>,
    clock: Arc<dyn Clock>,
    runtime: Handle,
    state: Mutex<State>,
    changes: watch::Sender<u64>,
    open: AtomicBool,
    accepted: Accepted,
}

struct State {
    config: Config,
    /// External labels without rules, which most endpoints share.
    plain: Arc<Stage>,
    endpoints: Vec<Running>,
}

struct Running {
    settings: watch::Sender<Arc<Settings>>,
    commands: mpsc::UnboundedSender<Command>,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// How long the end of a writer waits for the disk.
const SYNC_DEADLINE: Duration = Duration::from_secs(1);

/// Tells when the status of an endpoint has changed.
#[derive(Clone, Debug)]
pub struct StatusChanges(watch::Receiver<u64>);

// === impl Writer ===

impl Writer {
    /// Starts a writer. It must be called within a tokio runtime with time and I/O enabled, on which the endpoints then run.
    pub fn new(config: Config, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let runtime = Handle::try_current()
            .map_err(|_| Error::new(ErrorKind::Config, "a writer must be made within a tokio runtime"))?;
        let OpenLog { log, clock } = queue::open(&config, clock, &runtime)?;
        let writer = Self {
            log,
            clock,
            runtime,
            state: Mutex::new(State {
                plain: Arc::new(Stage::new(&config.external_labels, &Rules::default())),
                config: Config {
                    endpoints: Vec::new(),
                    ..config.clone()
                },
                endpoints: Vec::new(),
            }),
            changes: watch::Sender::new(0),
            open: AtomicBool::new(true),
            accepted: Accepted::default(),
        };
        writer.configure(config)?;
        writer.log.settled();
        Ok(writer)
    }

    /// Takes a new configuration. An endpoint whose name stays keeps its place in the queue; one that is not changed at all does not even
    /// notice. Requests under way go on, with new credentials and URL from their next try. A configuration with an error changes
    /// nothing.
    pub fn reconfigure(&self, config: Config) -> Result<Reconfigured, Error> {
        #[cfg(feature = "durable")]
        {
            let folder = |config: &Config| config.storage.as_ref().map(|storage| storage.folder.clone());
            if folder(&config) != folder(&self.lock().config) {
                config.validate()?;
                return Ok(Reconfigured::Restart);
            }
            if let Some(storage) = &config.storage {
                self.log.set_storage(storage);
            }
        }
        self.configure(config)?;
        Ok(Reconfigured::Kept)
    }

    fn configure(&self, config: Config) -> Result<(), Error> {
        config.validate()?;
        let mut state = self.lock();
        let state = &mut *state;
        let plain = if config.external_labels == state.config.external_labels {
            state.plain.clone()
        } else {
            Arc::new(Stage::new(&config.external_labels, &Rules::default()))
        };
        // All that can fail comes before anything is changed.
        let mut planned = Vec::new();
        for endpoint in &config.endpoints {
            let before = state
                .endpoints
                .iter()
                .map(|running| running.settings.borrow().clone());
            let before = before
                .into_iter()
                .find(|before| before.endpoint.key() == endpoint.key());
            planned.push(self.settings(&config, endpoint, before.as_ref(), &state.config, &plain)?);
        }
        let mut running: HashMap<String, Running> = state
            .endpoints
            .drain(..)
            .map(|running| {
                let key = running.settings.borrow().endpoint.key().to_owned();
                (key, running)
            })
            .collect();
        for settings in planned {
            let endpoint = match running.remove(settings.endpoint.key()) {
                Some(endpoint) => {
                    if endpoint.settings.borrow().endpoint.url != settings.endpoint.url {
                        // What is at the new URL may speak another version.
                        endpoint.shared.speaks_v1_until.store(0, Ordering::Relaxed);
                    }
                    endpoint.settings.send_if_modified(|current| {
                        let changed = !Arc::ptr_eq(current, &settings);
                        *current = settings;
                        changed
                    });
                    endpoint
                }
                None => self.start(settings),
            };
            state.endpoints.push(endpoint);
        }
        for (key, removed) in running {
            self.log.forget(&key);
            let unsent = removed.shared.metrics.pending.load(Ordering::Relaxed);
            let endpoint = removed.settings.borrow().endpoint.display_name();
            if unsent > 0 {
                tracing::warn!(
                    endpoint,
                    samples = unsent,
                    "the endpoint was removed, its unsent samples are dropped"
                );
            }
        }
        if config.queue != state.config.queue {
            self.log.set_limits(&config.queue);
        }
        state.config = config;
        state.plain = plain;
        self.changes.send_modify(|version| *version += 1);
        Ok(())
    }

    /// What an endpoint is to work with; the same object as before if nothing of it changes.
    fn settings(
        &self,
        config: &Config,
        endpoint: &Endpoint,
        before: Option<&Arc<Settings>>,
        last: &Config,
        plain: &Arc<Stage>,
    ) -> Result<Arc<Settings>, Error> {
        let same_labels = config.external_labels == last.external_labels;
        let same_agent = config.user_agent == last.user_agent;
        let same_age = config.queue.max_age == last.queue.max_age;
        if let Some(before) = before
            && before.endpoint == *endpoint
            && same_labels
            && same_agent
            && same_age
        {
            return Ok(before.clone());
        }
        let stage = match before {
            _ if endpoint.write_relabel.is_empty() => plain.clone(),
            Some(before) if same_labels && before.endpoint.write_relabel == endpoint.write_relabel => {
                before.stage.clone()
            }
            _ => Arc::new(Stage::new(&config.external_labels, &endpoint.write_relabel)),
        };
        let client = match before {
            // Its connections are worth keeping.
            Some(before) if same_agent && before.endpoint.same_client(endpoint) => before.client.clone(),
            _ => Client::new(endpoint, &config.user_agent, self.clock.clone())?,
        };
        Ok(Arc::new(Settings {
            endpoint: endpoint.clone(),
            client,
            stage,
            max_age: config.queue.max_age,
        }))
    }

    fn start(&self, settings: Arc<Settings>) -> Running {
        let reader = self.log.reader(settings.endpoint.key());
        let shared = Arc::new(Shared {
            clock: self.clock.clone(),
            metrics: EndpointMetrics::default(),
            board: Board::new(self.changes.clone()),
            throttle: Throttle::default(),
            speaks_v1_until: AtomicU64::new(0),
            search: Searches::default(),
        });
        let (settings, watched) = watch::channel(settings);
        let (commands, told) = mpsc::unbounded_channel();
        let task = EndpointTask::new(reader, shared.clone(), watched, told);
        let task = self.runtime.spawn(task.run());
        Running {
            settings,
            commands,
            shared,
            task,
        }
    }

    /// How each endpoint fares, in the order of the configuration.
    pub fn status(&self) -> Vec<Status> {
        let newest = self.log.newest_timestamp();
        let now = self.clock.elapsed();
        self.lock()
            .endpoints
            .iter()
            .map(|running| running.status(newest, now))
            .collect()
    }

    /// How the queue fares, which all endpoints share.
    pub fn queue_status(&self) -> QueueStatus {
        let figures = self.log.figures();
        let disk = figures.disk.unwrap_or_default();
        let now = self.clock.elapsed();
        QueueStatus {
            durable: figures.disk.is_some(),
            disk_bytes: disk.bytes,
            max_disk_bytes: disk.max_bytes,
            not_written: disk.not_written,
            trouble: figures.trouble.map(|trouble| {
                let lasts = now.saturating_sub(trouble.since).as_millis();
                let since = self.clock.wall() - i64::try_from(lasts).unwrap_or(0);
                (since, trouble.reason)
            }),
        }
    }

    /// A means to wait until an endpoint begins to fail, works again, fails for another reason or has refused samples. Figures change
    /// without notice.
    pub fn status_changes(&self) -> StatusChanges {
        StatusChanges(self.changes.subscribe())
    }

    /// Closes idle connections, as [`Client::drop_idle`].
    pub fn drop_idle(&self) {
        for running in &self.lock().endpoints {
            running.settings.borrow().client.drop_idle();
        }
    }

    /// Refuses further batches, sends what there is, and returns when that is done, at the latest after `deadline`. The number of samples
    /// that were not delivered to an endpoint, added up over the endpoints; a queue on disk has them for the next start.
    pub async fn shutdown(&self, deadline: Duration) -> u64 {
        self.open.store(false, Ordering::Relaxed);
        let mut endpoints = std::mem::take(&mut self.lock().endpoints);
        for running in &endpoints {
            // A task that has ended does not listen.
            let _ended = running.commands.send(Command::Flush);
        }
        let finished = async {
            for running in &mut endpoints {
                let _ended = (&mut running.task).await;
            }
        };
        let finished = timeout(&*self.clock, deadline, finished).await;
        let _slow_disk = timeout(&*self.clock, SYNC_DEADLINE, self.log.sync()).await;
        if finished.is_ok() {
            return 0;
        }
        endpoints
            .iter()
            .map(|running| running.shared.metrics.pending.load(Ordering::Relaxed))
            .sum()
    }

    /// Appends the writer's own metrics, each sample with these labels besides those of its endpoint: for programs with several writers.
    pub fn collect_labelled(&self, labels: &[(&str, &str)], out: &mut Families) {
        let newest = self.log.newest_timestamp();
        let now = self.clock.elapsed();
        let figures = self.log.figures();
        self.accepted.collect(labels, newest, figures.memory_bytes, out);
        if let Some(disk) = &figures.disk {
            disk.collect(labels, out);
        }
        for running in &self.lock().endpoints {
            let status = running.status(newest, now);
            let settings = running.settings.borrow().clone();
            let queue = &settings.endpoint.queue;
            let gauges = Gauges {
                oldest_unsent: status.oldest_unsent.unwrap_or_default(),
                lag: status.lag,
                healthy: status.health.is_healthy(),
                max_shards: queue.max_shards,
                max_samples_per_send: queue.max_samples_per_send,
                newest_accepted: newest,
            };
            let mut labels = labels.to_vec();
            labels.extend([
                ("remote_name", status.name.as_str()),
                ("url", status.url.as_str()),
            ]);
            running.shared.metrics.collect(&labels, &gauges, out);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Receiver for Writer {
    fn accept(&self, batch: &Batch) -> Commit {
        if !self.open.load(Ordering::Relaxed) {
            return Commit::done(Committed::Refused);
        }
        self.accepted.note(batch);
        self.log.append(batch)
    }
}

impl Collect for Writer {
    fn collect(&self, out: &mut Families) {
        self.collect_labelled(&[], out);
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("log", &self.log)
            .field("endpoints", &self.status())
            .finish_non_exhaustive()
    }
}

// === impl Running ===

impl Running {
    fn status(&self, newest_accepted: Option<i64>, now: Duration) -> Status {
        let endpoint = &self.settings.borrow().endpoint;
        let metrics = &self.shared.metrics;
        let (mut health, last_refusal) = self.shared.board.read();
        if self.task.is_finished() && health.is_healthy() {
            health = Health::Failing {
                since: self.shared.clock.wall(),
                reason: "its task has ended unexpectedly".to_owned(),
            };
        }
        let pending_samples = metrics.pending.load(Ordering::Relaxed);
        let oldest_unsent = metrics.oldest_queued().map(|queued| now.saturating_sub(queued));
        let newest_sent = metrics.newest_sent.load(Ordering::Relaxed);
        let lag = match newest_accepted {
            Some(accepted) if pending_samples > 0 && newest_sent > 0 => {
                Duration::from_millis(u64::try_from(accepted.saturating_sub(newest_sent)).unwrap_or(0))
            }
            _ => oldest_unsent.unwrap_or_default(),
        };
        Status {
            name: endpoint.display_name(),
            url: endpoint.redacted_url(),
            health,
            last_refusal,
            pending_samples,
            oldest_unsent,
            lag,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

// === impl StatusChanges ===

impl StatusChanges {
    /// Waits for the next change. False when the writer is gone.
    pub async fn changed(&mut self) -> bool {
        self.0.changed().await.is_ok()
    }
}
