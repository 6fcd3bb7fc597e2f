//! `prometheus.relabel`: rules over the labels of series, worked out once for each series.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ferroalloy_model::{Batch, Commit, Families, Fanout, MetricKind, Receiver, Reconfigured};
use relabel::{LayoutRelabeler, Naming};
use river_syntax::{Block, CapsuleOf, ToValue};
use tokio_util::sync::CancellationToken;

use crate::arguments::{MetricsReceiver, ReceiverExport, Rule, RulesExport, receivers, rules};
use crate::component::{Context, Define};
use crate::error::Error;

/// Relabels, keeps and drops series.
#[derive(Debug, Clone, PartialEq, Block)]
pub(super) struct Arguments {
    /// Where the samples go on to.
    forward_to: Vec<CapsuleOf<MetricsReceiver>>,
    /// Taken for Alloy's files. The result of the rules is kept with each series for as long as the series lives,
    /// so there is no cache whose size matters.
    max_cache_size: Option<u64>,
    /// Taken for Alloy's files, as `max_cache_size`; at least `1m`.
    cache_ttl: Option<Duration>,
    /// What is done with each series, in this order.
    #[river(block)]
    rule: Vec<Rule>,
}

#[derive(Debug)]
pub(super) struct Relabel {
    stage: Arc<Stage>,
    receiver: ReceiverExport,
    /// Arguments that change nothing here.
    idle: Vec<&'static str>,
    context: Context,
}

#[derive(Debug)]
struct Stage {
    relabeler: LayoutRelabeler,
    next: Fanout,
    processed: AtomicU64,
    written: AtomicU64,
}

impl Receiver for Stage {
    fn accept(&self, batch: &Batch) -> Commit {
        let (markers, relabelled) = self.relabeler.relabel_batch_with_markers(batch);
        if let Some(markers) = markers {
            // They go the same way as the samples, whose commit tells enough.
            drop(self.next.accept(&markers));
        }
        self.processed
            .fetch_add(batch.sample_count() as u64, Ordering::Relaxed);
        self.written
            .fetch_add(relabelled.sample_count() as u64, Ordering::Relaxed);
        self.next.accept(&relabelled)
    }
}

/// Where samples are sent, and the rules themselves.
#[derive(Debug, ToValue)]
pub(super) struct Exports {
    /// Where samples are sent.
    receiver: ReceiverExport,
    /// The rules, for components that take some.
    rules: RulesExport,
}

impl Relabel {
    fn publish(&self) {
        self.context.exports.publish(&Exports {
            receiver: self.receiver.clone(),
            rules: RulesExport::new(self.stage.relabeler.rules()),
        });
    }
}

#[async_trait]
impl Define for Relabel {
    type Arguments = Arguments;
    type Exports = Exports;

    const NAME: &'static str = "prometheus.relabel";
    const SUMMARY: &'static str = "Relabels, keeps and drops series by rules over their labels.";

    fn check(arguments: &Arguments) -> Result<(), Error> {
        match (arguments.max_cache_size, arguments.cache_ttl.unwrap_or_default()) {
            (Some(0), Duration::ZERO) => return Err(Error::new("max_cache_size must be greater than 0")),
            (_, ttl) if !ttl.is_zero() && ttl < Duration::from_mins(1) => {
                return Err(Error::new("cache_ttl must be at least 1m"));
            }
            (Some(size), ttl) if size > 0 && !ttl.is_zero() => {
                return Err(Error::new("max_cache_size and cache_ttl exclude each other"));
            }
            _ => {}
        }
        Ok(())
    }

    fn build(context: Context, arguments: &Arguments) -> Result<Self, Error> {
        let stage = Arc::new(Stage {
            relabeler: LayoutRelabeler::new(rules(&arguments.rule, Naming::ALLOY_SERIES)?),
            next: Fanout::new(receivers(&arguments.forward_to)),
            processed: AtomicU64::new(0),
            written: AtomicU64::new(0),
        });
        let component = Self {
            receiver: ReceiverExport::new(Arc::clone(&stage) as _),
            stage,
            idle: [
                ("max_cache_size", arguments.max_cache_size.is_some()),
                ("cache_ttl", arguments.cache_ttl.is_some()),
            ]
            .into_iter()
            .filter_map(|(name, given)| given.then_some(name))
            .collect(),
            context,
        };
        component.publish();
        Ok(component)
    }

    fn update(&self, arguments: &Arguments) -> Result<Reconfigured, Error> {
        let rules = rules(&arguments.rule, Naming::ALLOY_SERIES)?;
        self.stage.next.set(receivers(&arguments.forward_to));
        let outcome = self.stage.relabeler.reconfigure(rules);
        self.publish();
        Ok(outcome)
    }

    async fn run(&self, stop: CancellationToken) -> Result<(), Error> {
        for argument in &self.idle {
            tracing::warn!(argument, "the argument has no meaning here and changes nothing");
        }
        stop.cancelled().await;
        Ok(())
    }

    fn collect(&self, out: &mut Families) {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (processed, worked_out) = (load(&self.stage.processed), self.stage.relabeler.worked_out());
        for (name, help, value) in [
            (
                "alloy_prometheus_relabel_metrics_processed",
                "Total number of metrics processed",
                processed,
            ),
            (
                "alloy_prometheus_relabel_metrics_written",
                "Total number of metrics written",
                load(&self.stage.written),
            ),
            (
                "alloy_prometheus_relabel_cache_misses",
                "Series that the rules were run over",
                worked_out,
            ),
            (
                "alloy_prometheus_relabel_cache_hits",
                "Samples whose series needed no rule to be run",
                processed.saturating_sub(worked_out),
            ),
        ] {
            out.single(name, help, MetricKind::Counter, value as f64);
        }
        let relabeler = &self.stage.relabeler;
        out.single(
            "alloy_prometheus_relabel_cache_deletes",
            "Series whose result was given up with the series",
            MetricKind::Counter,
            relabeler.given_up() as f64,
        );
        out.single(
            "alloy_prometheus_relabel_cache_size",
            "Series whose result is kept",
            MetricKind::Gauge,
            relabeler.held() as f64,
        );
    }
}
