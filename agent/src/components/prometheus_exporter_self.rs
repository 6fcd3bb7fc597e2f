//! `prometheus.exporter.self`: the program's own metrics as a target.

use std::sync::Arc;

use async_trait::async_trait;
use ferroalloy_model::{Collect, Families, Reconfigured};
use river_syntax::Block;
use tokio_util::sync::CancellationToken;

use crate::arguments::TargetsExports;
use crate::component::{Context, Define};
use crate::error::Error;
use crate::in_process::{self, Exporter};
use crate::own_metrics::OwnMetrics;

/// It has no arguments.
#[derive(Debug, Clone, PartialEq, Block)]
pub(super) struct Arguments {}

#[derive(Debug)]
pub(super) struct SelfExporter {
    context: Context,
    exporter: Arc<Exporter>,
}

/// A handle of its own, since the exporter owns what it collects.
struct Shared(Arc<OwnMetrics>);

impl Collect for Shared {
    fn collect(&self, out: &mut Families) {
        self.0.collect(out);
    }
}

#[async_trait]
impl Define for SelfExporter {
    type Arguments = Arguments;
    type Exports = TargetsExports;

    const NAME: &'static str = "prometheus.exporter.self";
    const SUMMARY: &'static str = "Gives the metrics of the program itself as a target.";

    fn build(context: Context, _: &Arguments) -> Result<Self, Error> {
        let own = Shared(Arc::clone(&context.host.own_metrics));
        let exporter = Arc::new(Exporter::new(Box::new(own), Arc::clone(&context.host.clock)));
        context
            .exports
            .publish(&in_process::targets(&context, "integrations/self", Self::NAME));
        Ok(Self { context, exporter })
    }

    fn update(&self, _: &Arguments) -> Result<Reconfigured, Error> {
        Ok(Reconfigured::Kept)
    }

    async fn run(&self, stop: CancellationToken) -> Result<(), Error> {
        self.context.host.in_process.add(&self.context.id, &self.exporter);
        stop.cancelled().await;
        self.context
            .host
            .in_process
            .remove(&self.context.id, &self.exporter);
        Ok(())
    }
}
