//! `prometheus.exporter.unix`: this host's metrics as a target, collected in this process.

mod defaults;
mod flags;
mod name;
mod options;
mod refused;

use std::sync::Arc;

use async_trait::async_trait;
use ferroalloy_model::{Collect, Families, Reconfigured};
use node_collectors::{BuildInfo, NodeCollectors};
use river_syntax::Block;
use tokio_util::sync::CancellationToken;

use crate::arguments::TargetsExports;
use crate::component::{Context, Define};
use crate::error::Error;
use crate::in_process::{self, Exporter};
use crate::process;
use name::CollectorName;
use options::OptionBlocks;

/// Which collectors run, and what they are told.
#[derive(Debug, Clone, PartialEq, Block)]
pub(super) struct Arguments {
    /// Whether the metrics of the program itself are added.
    #[river(default)]
    include_exporter_metrics: bool,
    /// Where the proc file system is mounted.
    #[river(default = "/proc".to_owned())]
    procfs_path: String,
    /// Where the sys file system is mounted.
    #[river(default = "/sys".to_owned())]
    sysfs_path: String,
    /// Where the host's root file system is mounted.
    #[river(default = "/".to_owned())]
    rootfs_path: String,
    /// Where udev keeps its data.
    #[river(default = "/run/udev/data".to_owned())]
    udev_data_path: String,
    /// The collectors to run instead of the default ones.
    #[river(default)]
    set_collectors: Vec<CollectorName<true>>,
    /// Collectors to leave out.
    #[river(default)]
    disable_collectors: Vec<CollectorName<false>>,
    /// Collectors to add; a collector that is disabled as well runs.
    #[river(default)]
    enable_collectors: Vec<CollectorName<true>>,
    /// What single collectors are told.
    #[river(flatten)]
    options: OptionBlocks,
}

impl Arguments {
    fn builder(&self) -> Result<node_collectors::Builder, Error> {
        let roots = node_collectors::Roots {
            proc: self.procfs_path.clone().into(),
            sys: self.sysfs_path.clone().into(),
            rootfs: self.rootfs_path.clone().into(),
            udev: self.udev_data_path.clone().into(),
        };
        let mut builder = NodeCollectors::builder().roots(roots);
        if !self.set_collectors.is_empty() {
            builder = builder.only(&self.set_collectors);
        }
        for name in &self.disable_collectors {
            builder = builder.disable(name);
        }
        for name in &self.enable_collectors {
            builder = builder.enable(name);
        }
        self.options.apply(defaults::apply(builder, &self.options)?)
    }
}

#[derive(Debug)]
pub(super) struct UnixExporter {
    context: Context,
    host: Arc<HostMetrics>,
    exporter: Arc<Exporter>,
}

/// What one scrape of the exporter gives.
#[derive(Debug)]
struct HostMetrics {
    collectors: NodeCollectors,
    context: Context,
    include_exporter_metrics: std::sync::atomic::AtomicBool,
}

/// A handle of its own, since the exporter owns what it collects.
struct Shared(Arc<HostMetrics>);

impl Collect for Shared {
    fn collect(&self, out: &mut Families) {
        let Self(host) = self;
        let report = host.collectors.collect(out);
        for status in report.changes() {
            host.log(status);
        }
        let build = BuildInfo {
            version: process::VERSION.trim_start_matches('v').to_owned(),
            ..BuildInfo::default()
        };
        build.write("ferroalloy", out);
        if host
            .include_exporter_metrics
            .load(std::sync::atomic::Ordering::Relaxed)
        {
            process::collect(host.context.host.own_metrics.start_time, out);
        }
    }
}

impl HostMetrics {
    /// A collector that fails for good fails once in the log, not once in every scrape.
    fn log(&self, status: &node_collectors::Status) {
        let component_id = &*self.context.id;
        let collector = status.collector;
        match &status.state {
            node_collectors::State::Failed(error) => {
                tracing::error!(
                    component_id,
                    collector,
                    error = error.to_line(),
                    "collector failed"
                );
            }
            node_collectors::State::NoData => {
                tracing::debug!(component_id, collector, "collector has no data");
            }
            _ => tracing::debug!(component_id, collector, "collector succeeds"),
        }
    }
}

#[async_trait]
impl Define for UnixExporter {
    type Arguments = Arguments;
    type Exports = TargetsExports;

    const NAME: &'static str = "prometheus.exporter.unix";
    const SUMMARY: &'static str = "Gives the metrics of this host as a target, under node_exporter's names.";

    fn check(arguments: &Arguments) -> Result<(), Error> {
        arguments
            .builder()?
            .build()
            .map(drop)
            .map_err(|error| Error::new(error.to_line()))
    }

    fn build(context: Context, arguments: &Arguments) -> Result<Self, Error> {
        let collectors = arguments
            .builder()?
            .build()
            .map_err(|error| Error::new(error.to_line()))?;
        let host = Arc::new(HostMetrics {
            collectors,
            context: context.clone(),
            include_exporter_metrics: arguments.include_exporter_metrics.into(),
        });
        let shared = Box::new(Shared(Arc::clone(&host)));
        let exporter = Arc::new(Exporter::new(shared, Arc::clone(&context.host.clock)));
        context
            .exports
            .publish(&in_process::targets(&context, "integrations/unix", Self::NAME));
        Ok(Self {
            context,
            host,
            exporter,
        })
    }

    fn update(&self, arguments: &Arguments) -> Result<Reconfigured, Error> {
        self.host.include_exporter_metrics.store(
            arguments.include_exporter_metrics,
            std::sync::atomic::Ordering::Relaxed,
        );
        self.host
            .collectors
            .reconfigure(arguments.builder()?)
            .map_err(|error| Error::new(error.to_line()))
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
