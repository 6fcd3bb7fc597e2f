//! `prometheus.remote_write`: sends samples to any number of receivers.

mod arguments;
mod overlap;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ferroalloy_model::{Families, Reconfigured};
use remote_write::{Status, Writer};
use tokio_util::sync::CancellationToken;

use crate::arguments::ReceiverExports;
use crate::component::{Context, Define, Details};
use crate::error::{Error, chain};
use crate::health::{Health, State, Time};
use arguments::Arguments;
use overlap::Overlap;

/// How long requests in flight get when the component is stopped, within the five seconds of the program.
const FLUSH_DEADLINE: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(super) struct RemoteWrite {
    context: Context,
    writer: Arc<Writer>,
    overlap: Arc<Overlap>,
    /// Arguments that were given and change nothing.
    without_meaning: Vec<&'static str>,
}

/// For how long samples that were refused for good make the component unhealthy.
const REFUSAL_MATTERS: i64 = 5 * 60 * 1_000;

/// Where the component keeps its queue.
fn folder(context: &Context) -> Option<PathBuf> {
    let storage = context.host.storage.as_ref()?;
    Some(storage.join(&*context.id).join("queue"))
}

/// What is wrong with an endpoint, and since when.
fn trouble(status: &Status, now: i64) -> Option<(String, i64)> {
    let (what, since) = match (&status.health, &status.last_refusal) {
        (remote_write::Health::Failing { since, reason }, _) => (
            match status.oldest_unsent {
                Some(oldest) => format!(
                    "{reason} ({} samples wait, the oldest for {}s)",
                    status.pending_samples,
                    oldest.as_secs()
                ),
                None => reason.clone(),
            },
            *since,
        ),
        (_, Some(refusal)) if now - refusal.at < REFUSAL_MATTERS => (
            format!(
                "{} samples were refused and dropped: {}",
                refusal.samples, refusal.reason
            ),
            refusal.at,
        ),
        _ => return None,
    };
    // An endpoint without a name of its own is named by its URL, which most reasons tell.
    let named = what.contains(&status.name);
    Some((
        if named {
            what
        } else {
            format!("endpoint {}: {what}", status.name)
        },
        since,
    ))
}

#[async_trait]
impl Define for RemoteWrite {
    type Arguments = Arguments;
    type Exports = ReceiverExports;

    const NAME: &'static str = "prometheus.remote_write";
    const SUMMARY: &'static str = "Sends samples to receivers by remote write.";

    fn check(arguments: &Arguments) -> Result<(), Error> {
        arguments
            .config("", None)?
            .validate()
            .map_err(|error| Error::new(chain(&error)))
    }

    fn build(context: Context, arguments: &Arguments) -> Result<Self, Error> {
        let config = arguments.config(&context.host.user_agent, folder(&context))?;
        let writer = Writer::new(config, Arc::clone(&context.host.clock))
            .map_err(|error| Error::new(chain(&error)))?;
        let writer = Arc::new(writer);
        let clock = Arc::clone(&context.host.clock);
        let overlap = Arc::new(Overlap::new(Arc::clone(&writer) as _, clock));
        context
            .exports
            .publish(&ReceiverExports::new(Arc::clone(&overlap) as _));
        Ok(Self {
            context,
            writer,
            overlap,
            without_meaning: arguments.without_meaning(),
        })
    }

    fn update(&self, arguments: &Arguments) -> Result<Reconfigured, Error> {
        let config = arguments.config(&self.context.host.user_agent, folder(&self.context))?;
        self.writer
            .reconfigure(config)
            .map_err(|error| Error::new(chain(&error)))
    }

    async fn run(&self, stop: CancellationToken) -> Result<(), Error> {
        for argument in &self.without_meaning {
            tracing::warn!(argument, "the argument has no meaning here and changes nothing");
        }
        stop.cancelled().await;
        let unsent = self.writer.shutdown(FLUSH_DEADLINE).await;
        if unsent > 0 {
            tracing::info!(
                samples = unsent,
                "samples are not delivered yet, the queue keeps them for the next start"
            );
        }
        Ok(())
    }

    fn health(&self) -> Option<Health> {
        let now = self.context.host.clock.wall();
        let statuses = self.writer.status();
        let mut troubles: Vec<(String, i64)> = statuses
            .iter()
            .filter_map(|status| trouble(status, now))
            .collect();
        let queue = self.writer.queue_status();
        if let Some((since, reason)) = queue.trouble {
            let what = format!("{reason} ({} samples are in memory alone)", queue.not_written);
            troubles.push((what, since));
        }
        let since = troubles.iter().map(|(_, since)| *since).min()?;
        let messages: Vec<String> = troubles.into_iter().map(|(message, _)| message).collect();
        Some(Health::new(State::Unhealthy, messages.join("; "), since))
    }

    fn details(&self) -> Details {
        let rows = self.writer.status().into_iter().map(|status| {
            let health = match &status.health {
                remote_write::Health::Failing { since, reason } => {
                    format!("failing since {}: {reason}", Time(*since))
                }
                _ => "healthy".to_owned(),
            };
            let refused = status.last_refusal.map_or_else(String::new, |refusal| {
                format!(
                    "{} samples at {}: {}",
                    refusal.samples,
                    Time(refusal.at),
                    refusal.reason
                )
            });
            vec![
                status.name,
                health,
                status.pending_samples.to_string(),
                format!("{:.1?}", status.lag),
                refused,
            ]
        });
        Details {
            columns: vec!["endpoint", "health", "samples waiting", "lag", "last refusal"],
            rows: rows.collect(),
        }
    }

    fn collect(&self, out: &mut Families) {
        self.writer.collect_labelled(&[], out);
        self.overlap.collect(out);
    }
}
