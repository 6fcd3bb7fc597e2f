//! The difference between the targets there are and the targets there shall be.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use ferroalloy_model::Labels;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Inner, Pool, Synced};
use crate::config::Config;
use crate::discover::ScrapeTarget;
use crate::error::Error;
use crate::fetch::{HttpTarget, Target};
use crate::metrics::add;
use crate::run::{Command, Loop, Origin, Settings};
use crate::schedule::place;
use crate::series::SeriesState;
use crate::status::{LastScrape, TargetStatus};

/// What makes two targets one: all labels but the `__meta_` ones, and the URL.
type Identity = (Labels, String);

/// The loops of a pool.
#[derive(Debug, Default)]
pub(super) struct Members {
    active: HashMap<Identity, Member>,
    /// Loops that wait for the time of their markers.
    retiring: Vec<Retiring>,
}

/// A loop whose target is gone. What it needed for scraping, connections for one, is not kept.
#[derive(Debug)]
struct Retiring {
    labels: Labels,
    control: watch::Sender<Command>,
    task: JoinHandle<Option<SeriesState>>,
    last: Arc<Mutex<LastScrape>>,
}

/// One loop, seen from the pool.
#[derive(Debug)]
pub(super) struct Member {
    target: ScrapeTarget,
    discovered: Labels,
    /// The exporter in this process that the target was resolved to, if it was.
    exporter: Option<Arc<dyn Target>>,
    settings: Arc<Settings>,
    control: watch::Sender<Command>,
    task: JoinHandle<Option<SeriesState>>,
    last: Arc<Mutex<LastScrape>>,
}

impl Pool {
    /// Brings the loops in line with the targets discovered and the options.
    pub(super) fn apply(&self, inner: &mut Inner) -> Synced {
        let metrics = &self.shared.metrics;
        let mut synced = Synced::default();
        let mut wanted: HashMap<Identity, (ScrapeTarget, Labels)> = HashMap::new();
        for discovered in &inner.discovered {
            match ScrapeTarget::new(&discovered.labels, &inner.config) {
                Ok(target) => {
                    let identity = (target.labels.clone(), target.url.clone());
                    wanted
                        .entry(identity)
                        .or_insert_with(|| (target, discovered.labels.clone()));
                }
                Err(error) => synced.refused.push(error),
            }
        }
        let limit = inner.config.target_limit;
        let refused = limit > 0 && wanted.len() > limit;
        add(&metrics.syncs, 1);
        add(&metrics.syncs_failed, synced.refused.len() as u64);
        add(&metrics.target_limit_exceeded, u64::from(refused));
        inner.members.forget_ended();
        inner.members.retire_all_but(&wanted);
        for (identity, (target, discovered)) in wanted {
            match self.start_or_update(inner, identity, target, discovered, refused) {
                Ok(()) => synced.active += 1,
                Err(error) => synced.refused.push(error),
            }
        }
        metrics
            .targets
            .store(inner.members.active.len() as u64, Ordering::Relaxed);
        synced
    }

    fn start_or_update(
        &self,
        inner: &mut Inner,
        identity: Identity,
        target: ScrapeTarget,
        discovered: Labels,
        refused: bool,
    ) -> Result<(), Error> {
        let config = Arc::clone(&inner.config);
        let exporter = self.resolver.resolve(&target);
        let members = &mut inner.members;
        if let Some(member) = members.active.get_mut(&identity)
            && member.is_set(&config, exporter.as_ref(), refused)
        {
            member.discovered = discovered;
            return Ok(());
        }
        let asked = match &exporter {
            Some(exporter) => Arc::clone(exporter),
            None => Arc::new(HttpTarget::new(
                inner.client.clone(),
                &target.url,
                target.timeout,
                &config,
            )?),
        };
        let settings = Arc::new(Settings {
            offset: place(
                target.labels.stable_hash(),
                &target.url,
                config.offset_seed,
                target.interval,
            ),
            interval: target.interval,
            timeout: target.timeout,
            target: asked,
            config,
            refused,
        });
        if let Some(member) = members.active.get_mut(&identity) {
            member.control.send_replace(Command::Run(Arc::clone(&settings)));
            (member.discovered, member.exporter, member.settings) = (discovered, exporter, settings);
            return Ok(());
        }
        let fresh = SeriesState::new(&target.url, target.public.clone());
        // A target that comes back before its markers were due goes on, and so do the series of one that is leaving
        // where another has the same labels: what that one does not have gets its markers at its first scrape.
        let before = members
            .retiring
            .iter()
            .position(|retiring| retiring.labels == target.public);
        let (origin, last) = match before.map(|at| members.retiring.swap_remove(at)) {
            Some(retiring) => {
                retiring.control.send_replace(Command::Stop);
                (Origin::Successor(retiring.task, fresh), retiring.last)
            }
            None => (Origin::New(fresh), Arc::default()),
        };
        let (control, commands) = watch::channel(Command::Run(Arc::clone(&settings)));
        let task = Loop {
            shared: Arc::clone(&self.shared),
            control: commands,
            last: Arc::clone(&last),
            origin,
        };
        let task = self.runtime.spawn(task.run());
        members.active.insert(
            identity,
            Member {
                target,
                discovered,
                exporter,
                settings,
                control,
                task,
                last,
            },
        );
        Ok(())
    }
}

// === impl Members ===

impl Members {
    /// Number of targets that are scraped.
    pub(super) fn active(&self) -> usize {
        self.active.len()
    }

    /// Forgets loops that have ended: after their markers, or, if active, by a panic.
    fn forget_ended(&mut self) {
        self.retiring.retain(|retiring| !retiring.task.is_finished());
        self.active.retain(|_, member| !member.task.is_finished());
    }

    fn retire_all_but(&mut self, wanted: &HashMap<Identity, (ScrapeTarget, Labels)>) {
        let gone = self
            .active
            .extract_if(|identity, _| !wanted.contains_key(identity));
        for (_, member) in gone {
            member.control.send_replace(Command::Retire);
            self.retiring.push(Retiring {
                labels: member.target.public,
                control: member.control,
                task: member.task,
                last: member.last,
            });
        }
    }

    /// A snapshot of each target.
    pub(super) fn statuses(&self) -> Vec<TargetStatus> {
        self.active.values().map(Member::status).collect()
    }

    /// Tells all loops to end in that way and waits until they have.
    pub(super) async fn end(self, command: Command) {
        let active = self.active.into_values().map(|m| (m.control, m.task));
        let retiring = self.retiring.into_iter().map(|r| (r.control, r.task));
        let loops: Vec<_> = active.chain(retiring).collect();
        for (control, _) in &loops {
            control.send_replace(command.clone());
        }
        for (_control, task) in loops {
            // A loop that panicked has ended as well.
            let _ = task.await;
        }
    }
}

impl Member {
    /// Whether the loop runs with these settings already.
    fn is_set(&self, config: &Arc<Config>, exporter: Option<&Arc<dyn Target>>, refused: bool) -> bool {
        let address =
            |target: Option<&Arc<dyn Target>>| target.map(|target| Arc::as_ptr(target).cast::<()>());
        Arc::ptr_eq(&self.settings.config, config)
            && self.settings.refused == refused
            && address(self.exporter.as_ref()) == address(exporter)
    }

    fn status(&self) -> TargetStatus {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        TargetStatus {
            url: self.target.url.clone(),
            labels: self.target.public.clone(),
            discovered: self.discovered.clone(),
            health: last.health,
            last_error: last.error.clone(),
            last_scrape: last.time,
            last_scrape_duration: last.duration,
            interval: self.target.interval,
            timeout: self.target.timeout,
        }
    }
}
