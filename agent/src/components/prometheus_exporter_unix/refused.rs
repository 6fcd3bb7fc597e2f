//! Blocks of Alloy's whose collectors do not exist here. They are known in full, so that what is refused is the block
//! and not what is in it.

use river_syntax::Block;

use crate::arguments::Search;

/// The collector `ethtool`, which is refused.
#[derive(Debug, Clone, PartialEq, Block)]
pub(super) struct Ethtool {
    /// Interfaces to leave out.
    device_exclude: Option<Search>,
    /// Interfaces to keep.
    device_include: Option<Search>,
    /// Which metrics are given.
    metrics_include: Option<Search>,
}

/// The collector `perf`, which is refused.
#[derive(Debug, Clone, PartialEq, Block)]
pub(super) struct Perf {
    /// The CPUs.
    #[river(default)]
    cpus: String,
    /// Tracepoints to count.
    #[river(default)]
    tracepoint: Vec<String>,
    /// No events of the hardware.
    #[river(default)]
    disable_hardware_profilers: bool,
    /// No events of the kernel.
    #[river(default)]
    disable_software_profilers: bool,
    /// No events of the caches.
    #[river(default)]
    disable_cache_profilers: bool,
    /// Events of the hardware.
    #[river(default)]
    hardware_profilers: Vec<String>,
    /// Events of the kernel.
    #[river(default)]
    software_profilers: Vec<String>,
    /// Events of the caches.
    #[river(default)]
    cache_profilers: Vec<String>,
}

/// The collector `systemd`, which is refused.
#[derive(Debug, Clone, PartialEq, Block)]
pub(super) struct Systemd {
    /// Whether restarts are counted.
    #[river(default)]
    enable_restarts: bool,
    /// Whether the times of starts are given.
    #[river(default)]
    start_time: bool,
    /// Whether tasks are counted.
    #[river(default)]
    task_metrics: bool,
    /// Units to leave out.
    unit_exclude: Option<Search>,
    /// Units to keep.
    unit_include: Option<Search>,
}
