//! `prometheus.relabel`: rules over the labels of series, worked out once for each series.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use ferroalloy_model::{Batch, Commit, Families, Fanout, MetricKind, Receiver, Reconfigured};
use relabel::{LayoutRelabeler, Naming};
use river_syntax::{Block, CapsuleOf};
use tokio_util::sync::CancellationToken;

use crate::arguments::{MetricsReceiver, ReceiverExports, Rule, receivers, rules};
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
    /// What is done with each series, in this order.
    #[river(block)]
    rule: Vec<Rule>,
}

#[derive(Debug)]
pub(super) struct Relabel {
    stage: Arc<Stage>,
    cache_size_given: bool,
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
        let relabelled = self.relabeler.relabel_batch(batch);
        self.processed
            .fetch_add(batch.sample_count() as u64, Ordering::Relaxed);
        self.written
            .fetch_add(relabelled.sample_count() as u64, Ordering::Relaxed);
        self.next.accept(&relabelled)
    }
}

#[async_trait]
impl Define for Relabel {
    type Arguments = Arguments;
    type Exports = ReceiverExports;

    const NAME: &'static str = "prometheus.relabel";
    const SUMMARY: &'static str = "Relabels, keeps and drops series by rules over their labels.";

    fn check(arguments: &Arguments) -> Result<(), Error> {
        if arguments.max_cache_size == Some(0) {
            return Err(Error::new("max_cache_size must be greater than 0"));
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
        context
            .exports
            .publish(&ReceiverExports::new(Arc::clone(&stage) as _));
        Ok(Self {
            stage,
            cache_size_given: arguments.max_cache_size.is_some(),
        })
    }

    fn update(&self, arguments: &Arguments) -> Result<Reconfigured, Error> {
        let rules = rules(&arguments.rule, Naming::ALLOY_SERIES)?;
        self.stage.next.set(receivers(&arguments.forward_to));
        Ok(self.stage.relabeler.reconfigure(rules))
    }

    async fn run(&self, stop: CancellationToken) -> Result<(), Error> {
        if self.cache_size_given {
            let argument = "max_cache_size";
            tracing::warn!(argument, "the argument has no meaning here and changes nothing");
        }
        stop.cancelled().await;
        Ok(())
    }

    fn collect(&self, out: &mut Families) {
        for (name, help, counter) in [
            (
                "alloy_prometheus_relabel_metrics_processed",
                "Total number of metrics processed",
                &self.stage.processed,
            ),
            (
                "alloy_prometheus_relabel_metrics_written",
                "Total number of metrics written",
                &self.stage.written,
            ),
        ] {
            out.single(
                name,
                help,
                MetricKind::Counter,
                counter.load(Ordering::Relaxed) as f64,
            );
        }
    }
}
