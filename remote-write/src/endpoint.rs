//! One endpoint: a task that reads the log, fills requests and sees them to their end.
//!
//! Invariants: two requests under way never have samples of one source; a batch is acknowledged when all its samples have been
//! taken, refused or dropped, and never before. While requests fail no new ones are begun, so that a receiver that comes back is not met by
//! everything at once.

mod backoff;
mod delivery;
mod families;
mod lanes;
mod recovery;
mod request;
mod search;
mod throttle;
mod told;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ferroalloy_model::Commit;
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinError, JoinSet};

use self::delivery::{Delivery, deliver};
pub(crate) use self::delivery::{Settings, Shared};
use self::families::Families;
use self::lanes::{Contents, Lanes, Terms};
use self::recovery::Recovery;
use self::request::{Message, Wanted};
pub(crate) use self::search::Searches;
pub(crate) use self::throttle::Throttle;
use crate::encode::{Compressor, Version};
use crate::queue::{DropReason, Entry, Part, Reader, Ticket};

/// So many requests are under way at once without more ado, and one more after each such time: a receiver that is quick has no use for more,
/// and each takes memory.
const AT_ONCE: usize = 8;
const PACE: Duration = Duration::from_millis(5);

/// How much is read before it can be sent: enough for all the requests that may be under way, and that these have several samples of a
/// series.
const BYTES_AHEAD: usize = 4 << 20;
/// The same in samples of scrapes.
pub(crate) const SAMPLES_AHEAD: usize = BYTES_AHEAD / size_of::<f64>();

/// What an endpoint's task is told while it runs.
#[derive(Debug)]
pub(crate) enum Command {
    /// Send what there is without waiting for more, and end.
    Flush,
}

/// The task's state.
#[derive(Debug)]
pub(crate) struct EndpointTask {
    reader: Box<dyn Reader>,
    shared: Arc<Shared>,
    settings: watch::Receiver<Arc<Settings>>,
    commands: mpsc::UnboundedReceiver<Command>,
    lanes: Lanes,
    /// Requests of an earlier run, until they are begun again.
    recovery: Option<Recovery>,
    /// The first batch of the next run, which waits until those of the runs before are gone.
    held: Option<Entry>,
    /// The run whose batches are in the lanes.
    run: Option<u32>,
    message: Message,
    compressor: Compressor,
    sending: JoinSet<()>,
    requests: HashMap<Id, Request>,
    /// When the last request was begun, if one was.
    begun: Option<Duration>,
    families: Families,
    /// Requests with families, of which one task at a time is under way.
    telling: JoinSet<()>,
    flushing: bool,
}

/// A request under way.
#[derive(Debug)]
struct Request {
    contents: Contents,
    parts: Arc<[Part]>,
    ticket: Ticket,
    delivery: Delivery,
}

impl EndpointTask {
    pub(crate) fn new(
        mut reader: Box<dyn Reader>,
        shared: Arc<Shared>,
        settings: watch::Receiver<Arc<Settings>>,
        commands: mpsc::UnboundedReceiver<Command>,
    ) -> Self {
        let recovery = Recovery::of(reader.unfinished());
        Self {
            recovery,
            held: None,
            run: None,
            reader,
            shared,
            settings,
            commands,
            lanes: Lanes::default(),
            message: Message::default(),
            compressor: Compressor::default(),
            sending: JoinSet::new(),
            requests: HashMap::new(),
            begun: None,
            families: Families::default(),
            telling: JoinSet::new(),
            flushing: false,
        }
    }

    /// Runs until it is told to flush and has nothing left, or until it is dropped.
    pub(crate) async fn run(mut self) {
        let wake = self.reader.wake();
        loop {
            let settings = self.settings.borrow_and_update().clone();
            self.evict();
            self.read(&settings);
            while self.may_send(&settings) {
                self.send(&settings);
                // A receiver that is quick has few requests at a time, and their memory is used again.
                tokio::task::yield_now().await;
                while let Some(ended) = self.sending.try_join_next_with_id() {
                    self.ended(ended);
                }
                self.read(&settings);
            }
            self.measure();
            if self.flushing
                && self.requests.is_empty()
                && self.lanes.samples() == 0
                && self.backlog_is_empty()
            {
                return;
            }
            let due = self.due(&settings);
            let families_due = self.tell(&settings);
            tokio::select! {
                Some(_) = self.telling.join_next() => {}
                () = sleep(&self.shared, families_due) => {}
                Some(ended) = self.sending.join_next_with_id() => self.ended(ended),
                () = wake.notified() => {}
                () = sleep(&self.shared, due) => {}
                changed = self.settings.changed() => {
                    if changed.is_err() {
                        return;
                    }
                }
                command = self.commands.recv(), if !self.flushing => {
                    self.flushing = matches!(command, None | Some(Command::Flush));
                }
            }
        }
    }

    /// Takes batches from the log, as many as requests are made from; the rest stays there, where it is bounded.
    fn read(&mut self, settings: &Settings) {
        self.recover(settings);
        while self.recovery.is_none()
            && self.lanes.bytes() < BYTES_AHEAD
            && let Some(entry) = self.held.take().or_else(|| self.reader.next())
        {
            let drained = self.lanes.samples() == 0 && self.requests.is_empty();
            if self.run != Some(entry.run) && !drained {
                self.held = Some(entry);
                return;
            }
            self.take(entry);
        }
    }

    fn take(&mut self, entry: Entry) {
        self.run = Some(entry.run);
        self.families.see(entry.batch.layout());
        self.lanes.push(entry);
    }

    /// Begins the requests of an earlier run again, once their batches are read.
    fn recover(&mut self, settings: &Settings) {
        let Some(recovery) = &mut self.recovery else {
            return;
        };
        while !recovery.is_complete(&*self.reader)
            && let Some(entry) = self.reader.next()
        {
            recovery.push(entry);
        }
        if !recovery.is_complete(&*self.reader) {
            return;
        }
        let Some(recovery) = self.recovery.take() else {
            return;
        };
        let (requests, entries) = recovery.finish();
        for entry in entries {
            self.take(entry);
        }
        for resumed in requests {
            self.lanes.occupy(&resumed.contents.lanes);
            self.message.clear(self.wanted(settings));
            for (entry, part) in &resumed.parts {
                self.message
                    .take_part(&entry.batch, &settings.stage, part.from, part.to);
            }
            self.count_dropped(0);
            let parts: Arc<[Part]> = resumed.contents.parts.as_slice().into();
            if self.message.is_empty() {
                self.reader.end(resumed.ticket, &parts);
                self.lanes.release(&resumed.contents);
                continue;
            }
            let delivery = Delivery {
                body: self.message.body(&mut self.compressor),
                queued: resumed.contents.queued,
                newest: self.message.newest,
                again: true,
            };
            self.start(
                Request {
                    contents: resumed.contents,
                    parts,
                    ticket: resumed.ticket,
                    delivery,
                },
                None,
            );
        }
    }

    fn wanted(&self, settings: &Settings) -> Wanted {
        let endpoint = &settings.endpoint;
        Wanted {
            version: self.shared.version_for(endpoint),
            exemplars: endpoint.send_exemplars,
            histograms: endpoint.send_native_histograms,
            metadata: endpoint.metadata.send,
        }
    }

    /// Counts what the message left out.
    fn count_dropped(&self, too_old: usize) {
        let metrics = &self.shared.metrics;
        metrics.dropped(DropReason::TooOld, too_old as u64);
        metrics.dropped(DropReason::DroppedSeries, self.message.dropped as u64);
        let exemplars = self.message.dropped_exemplars as u64;
        metrics.exemplars_dropped.fetch_add(exemplars, Ordering::Relaxed);
        metrics.dropped(DropReason::HistogramsOff, self.message.unwanted as u64);
        metrics.dropped(DropReason::CustomBuckets, self.message.custom as u64);
    }

    /// Sends metric families if they are due; when they are due next.
    fn tell(&mut self, settings: &Arc<Settings>) -> Option<Duration> {
        if self.flushing || self.shared.version_for(&settings.endpoint) == Version::V2 {
            return None;
        }
        let now = self.shared.clock.elapsed();
        let due = self.families.due(now, settings)?;
        if !due.is_zero() {
            return Some(due);
        }
        if self.telling.is_empty() {
            let bodies = self.families.bodies(now, settings);
            if !bodies.is_empty() {
                self.telling
                    .spawn(families::send(bodies, self.shared.clone(), settings.clone()));
            }
            return self.families.due(now, settings);
        }
        // The end of those under way wakes the task.
        None
    }

    fn evict(&mut self) {
        let Some((evicted, unread)) = self.reader.evicted() else {
            return;
        };
        let (positions, samples) = self.lanes.evict(evicted);
        for position in positions {
            self.reader.acknowledge(position);
        }
        let lost = unread + samples as u64;
        if lost == 0 {
            return;
        }
        self.shared.metrics.dropped(evicted.reason, lost);
        if let Some(unsaid) = self.shared.throttle.pass(self.shared.clock.elapsed(), false) {
            let endpoint = self.settings.borrow().endpoint.display_name();
            let reason = evicted.reason.label();
            tracing::error!(
                endpoint,
                samples = lost,
                reason,
                unsaid,
                "the oldest unsent samples are dropped"
            );
        }
    }

    fn may_send(&self, settings: &Settings) -> bool {
        self.due(settings).is_some_and(|due| due.is_zero())
    }

    /// In how long the next request is to be begun. `None` when nothing can go before something else has happened.
    fn due(&self, settings: &Settings) -> Option<Duration> {
        let queue = &settings.endpoint.queue;
        let under_way = self.requests.len();
        let held_back = under_way > 0 && !self.shared.board.is_healthy();
        if held_back || under_way >= queue.max_shards {
            return None;
        }
        let (now, oldest) = (self.shared.clock.elapsed(), self.lanes.oldest_ready()?);
        let full = self.lanes.ready_samples() >= queue.max_samples_per_send;
        // The first request waits for nothing: somebody who has just started the program waits for it.
        let fills = if full || self.flushing || self.begun.is_none() {
            Duration::ZERO
        } else {
            queue
                .batch_send_deadline
                .saturating_sub(now.saturating_sub(oldest))
        };
        let paced = match self.begun {
            Some(begun) if under_way >= AT_ONCE => PACE.saturating_sub(now.saturating_sub(begun)),
            _ => Duration::ZERO,
        };
        Some(fills.max(paced))
    }

    fn send(&mut self, settings: &Settings) {
        let terms = Terms {
            most_samples: settings.endpoint.queue.max_samples_per_send,
            now: self.shared.clock.elapsed(),
            age_limit: settings.age_limit(),
            metadata_every: settings.endpoint.metadata.send_interval,
        };
        self.message.clear(self.wanted(settings));
        let (contents, too_old) = self.lanes.fill(&mut self.message, &settings.stage, &terms);
        self.count_dropped(too_old);
        if self.message.is_empty() {
            for position in contents.finished() {
                self.reader.acknowledge(position);
            }
            self.lanes.release(&contents);
            return;
        }
        let delivery = Delivery {
            body: self.message.body(&mut self.compressor),
            queued: contents.queued,
            newest: self.message.newest,
            again: false,
        };
        let parts: Arc<[Part]> = contents.parts.as_slice().into();
        let (ticket, noted) = self.reader.begin(&parts);
        self.start(
            Request {
                contents,
                parts,
                ticket,
                delivery,
            },
            Some(noted),
        );
    }

    fn start(&mut self, request: Request, noted: Option<Commit>) {
        self.begun = Some(self.shared.clock.elapsed());
        let task = deliver(
            request.delivery.clone(),
            noted,
            self.shared.clone(),
            self.settings.clone(),
        );
        let id = self.sending.spawn(task).id();
        self.requests.insert(id, request);
        self.shared
            .metrics
            .in_flight
            .store(self.requests.len() as u64, Ordering::Relaxed);
    }

    fn ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        let (id, panicked) = match ended {
            Ok((id, ())) => (id, false),
            Err(error) => (error.id(), error.is_panic()),
        };
        let Some(request) = self.requests.remove(&id) else {
            return;
        };
        if panicked {
            // Nothing is known of it but that it has not ended: it is begun again.
            tracing::error!("sending a remote-write request panicked, it is sent again");
            self.start(request, None);
            return;
        }
        self.finish(&request);
        self.shared
            .metrics
            .in_flight
            .store(self.requests.len() as u64, Ordering::Relaxed);
    }

    /// All of the request's samples are dealt with.
    fn finish(&mut self, request: &Request) {
        self.reader.end(request.ticket, &request.parts);
        self.lanes.release(&request.contents);
        if self.lanes.samples() == 0 && self.requests.is_empty() {
            self.compressor.shrink_for(1 << 20);
        }
    }

    /// Whether nothing is left to be read, from memory or from disk.
    fn backlog_is_empty(&self) -> bool {
        self.recovery.is_none() && self.held.is_none() && self.reader.backlog().unread == 0
    }

    fn measure(&self) {
        let sent: usize = self
            .requests
            .values()
            .map(|request| request.delivery.body.counts.points())
            .sum();
        let backlog = self.reader.backlog();
        self.shared.metrics.set_oldest_queued(backlog.oldest);
        let pending = backlog.unread + (self.lanes.samples() + sent) as u64;
        self.shared.metrics.pending.store(pending, Ordering::Relaxed);
    }
}

/// Sleeps for `duration`, or for ever.
async fn sleep(shared: &Shared, duration: Option<Duration>) {
    match duration {
        Some(duration) => shared.clock.sleep(duration).await,
        None => std::future::pending().await,
    }
}
