//! `prometheus.remote_write`: sends samples to any number of receivers.

mod arguments;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ferroalloy_model::{Families, Reconfigured};
use remote_write::Writer;
use tokio_util::sync::CancellationToken;

use crate::arguments::ReceiverExports;
use crate::component::{Context, Define, Details};
use crate::error::{Error, chain};
use crate::health::{Health, State, Time};
use arguments::Arguments;

/// How long requests in flight get when the component is stopped, within the five seconds of the program.
const FLUSH_DEADLINE: Duration = Duration::from_millis(3_500);

#[derive(Debug)]
pub(super) struct RemoteWrite {
    context: Context,
    writer: Arc<Writer>,
}

#[async_trait]
impl Define for RemoteWrite {
    type Arguments = Arguments;
    type Exports = ReceiverExports;

    const NAME: &'static str = "prometheus.remote_write";
    const SUMMARY: &'static str = "Sends samples to receivers by remote write.";

    fn check(arguments: &Arguments) -> Result<(), Error> {
        arguments
            .config("")?
            .validate()
            .map_err(|error| Error::new(chain(&error)))
    }

    fn build(context: Context, arguments: &Arguments) -> Result<Self, Error> {
        let config = arguments.config(&context.host.user_agent)?;
        let writer = Writer::new(config, Arc::clone(&context.host.clock))
            .map_err(|error| Error::new(chain(&error)))?;
        let writer = Arc::new(writer);
        context
            .exports
            .publish(&ReceiverExports::new(Arc::clone(&writer) as _));
        arguments.warn_of_what_has_no_meaning(&context.id);
        Ok(Self { context, writer })
    }

    fn update(&self, arguments: &Arguments) -> Result<Reconfigured, Error> {
        let config = arguments.config(&self.context.host.user_agent)?;
        arguments.warn_of_what_has_no_meaning(&self.context.id);
        self.writer
            .reconfigure(config)
            .map_err(|error| Error::new(chain(&error)))
    }

    async fn run(&self, stop: CancellationToken) -> Result<(), Error> {
        stop.cancelled().await;
        let unsent = self.writer.shutdown(FLUSH_DEADLINE).await;
        if unsent > 0 {
            tracing::warn!(samples = unsent, "samples were not delivered before the end");
        }
        Ok(())
    }

    fn health(&self) -> Option<Health> {
        let failing: Vec<(String, i64)> = self
            .writer
            .status()
            .into_iter()
            .filter_map(|status| match &status.health {
                remote_write::Health::Failing { since, reason } => {
                    let waiting = status.pending_samples;
                    // An endpoint without a name of its own is named by its URL, which most reasons tell.
                    let message = if reason.contains(&status.name) {
                        format!("{reason} ({waiting} samples wait)")
                    } else {
                        format!("endpoint {}: {reason} ({waiting} samples wait)", status.name)
                    };
                    Some((message, *since))
                }
                _ => None,
            })
            .collect();
        let since = failing.iter().map(|(_, since)| *since).min()?;
        let messages: Vec<String> = failing.into_iter().map(|(message, _)| message).collect();
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
    }
}
