//! `prometheus.scrape`: scrapes targets and sends what they say on.

mod arguments;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use ferroalloy_model::{Families, Fanout, MetricKind, Reconfigured};
use river_syntax::ToValue;
use scrape::{DiscoveredTarget, Pool};
use tokio_util::sync::CancellationToken;

use crate::arguments::receivers;
use crate::component::{Context, Define, Details};
use crate::error::{Error, chain};
use crate::health::{Health, State, Time};
use arguments::Arguments;

/// It has none.
#[derive(Debug, ToValue)]
pub(super) struct Exports {}

#[derive(Debug)]
pub(super) struct Scrape {
    context: Context,
    pool: Arc<Pool>,
    next: Arc<Fanout>,
    state: Mutex<Targets>,
    /// The targets are asked to be shared, and there is nobody to share them with.
    clustered: bool,
}

#[derive(Debug)]
struct Targets {
    discovered: Vec<DiscoveredTarget>,
    running: bool,
    /// Why some of them are not scraped, and since when.
    refused: Option<(String, i64)>,
}

impl Scrape {
    fn state(&self) -> MutexGuard<'_, Targets> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the pool the targets, once the component runs: building it scrapes nothing.
    fn sync(&self, state: &mut Targets) {
        if !state.running {
            return;
        }
        let synced = self.pool.sync(state.discovered.clone());
        let refused: Vec<String> = synced.refused.iter().map(|error| chain(error)).collect();
        for error in &refused {
            tracing::warn!(
                component_id = &*self.context.id,
                error = error.as_str(),
                "target is not scraped"
            );
        }
        state.refused = (!refused.is_empty()).then(|| (refused.join("; "), self.context.host.clock.wall()));
    }
}

#[async_trait]
impl Define for Scrape {
    type Arguments = Arguments;
    type Exports = Exports;

    const NAME: &'static str = "prometheus.scrape";
    const SUMMARY: &'static str = "Scrapes targets and sends their samples on.";

    fn check(arguments: &Arguments) -> Result<(), Error> {
        arguments.config("", "", "").map(drop)
    }

    fn build(context: Context, arguments: &Arguments) -> Result<Self, Error> {
        let host = &context.host;
        let config = arguments.config(&context.id, &host.user_agent, &host.hostname)?;
        let next = Arc::new(Fanout::new(receivers(&arguments.forward_to)));
        let pool = Pool::new(
            config,
            Arc::clone(&next) as _,
            Arc::clone(&host.clock),
            Arc::clone(&host.in_process) as _,
        )
        .map_err(|error| Error::new(chain(&error)))?
        .with_budget(Arc::clone(host.memory.budget()));
        let state = Mutex::new(Targets {
            discovered: arguments.targets(),
            running: false,
            refused: None,
        });
        Ok(Self {
            pool: Arc::new(pool),
            next,
            state,
            clustered: arguments.is_clustered(),
            context,
        })
    }

    fn update(&self, arguments: &Arguments) -> Result<Reconfigured, Error> {
        let host = &self.context.host;
        let config = arguments.config(&self.context.id, &host.user_agent, &host.hostname)?;
        let outcome = self
            .pool
            .reconfigure(config)
            .map_err(|error| Error::new(chain(&error)))?;
        self.next.set(receivers(&arguments.forward_to));
        let mut state = self.state();
        state.discovered = arguments.targets();
        self.sync(&mut state);
        Ok(outcome)
    }

    async fn run(&self, stop: CancellationToken) -> Result<(), Error> {
        if self.clustered {
            tracing::warn!(
                component_id = &*self.context.id,
                "clustering has no meaning here: every target is scraped"
            );
        }
        {
            let mut state = self.state();
            state.running = true;
            self.sync(&mut state);
        }
        stop.cancelled().await;
        self.state().running = false;
        if self.context.host.stopping.is_cancelled() {
            self.pool.stop().await;
        } else {
            // The markers of a job that is gone take two intervals, which a reload must not wait for.
            let pool = Arc::clone(&self.pool);
            tokio::spawn(async move { pool.retire().await });
        }
        Ok(())
    }

    fn health(&self) -> Option<Health> {
        if let Some(health) = self.context.host.memory.health() {
            return Some(health);
        }
        let state = self.state();
        let (message, since) = state.refused.as_ref()?;
        Some(Health::new(State::Unhealthy, message.clone(), *since))
    }

    fn details(&self) -> Details {
        let rows = self.pool.targets().into_iter().map(|target| {
            vec![
                target.url,
                target.health.as_str().to_owned(),
                target.labels.to_string(),
                target
                    .last_scrape
                    .map_or_else(String::new, |time| Time(time).to_string()),
                format!("{:.1?}", target.last_scrape_duration),
                target.last_error,
            ]
        });
        Details {
            columns: vec!["target", "health", "labels", "last scrape", "duration", "error"],
            rows: rows.collect(),
        }
    }

    fn collect(&self, out: &mut Families) {
        self.pool.collect_with(&[], out);
        out.single(
            "prometheus_scrape_targets_gauge",
            "Number of targets this component is configured to scrape",
            MetricKind::Gauge,
            self.state().discovered.len() as f64,
        );
    }
}
