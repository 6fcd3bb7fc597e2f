//! `cpu`: where the processors' time goes, and what they are.
//!
//! Linux: `/proc/stat` per CPU in hundredths of a second (proc_stat(5)), throttling and isolation from
//! `sys/devices/system/cpu`, on request `/proc/cpuinfo`. macOS: ticks per processor from `host_processor_info`.

mod cpuinfo;
mod linux;
mod macos;

use crate::collector::{Descriptor, Platform, Support};
use crate::option::options;
use crate::sys::Kernel;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "cpu",
    linux: Support::On,
    macos: Support::On,
    summary: "CPU time by mode, throttling, isolation, and on request model, flags and bugs.",
    sources: &[
        "proc/stat",
        "proc/cpuinfo",
        "sys/devices/system/cpu",
        "host_processor_info",
    ],
    families: &[
        "node_cpu_seconds_total",
        "node_cpu_guest_seconds_total",
        "node_cpu_info",
        "node_cpu_frequency_hertz",
        "node_cpu_flag_info",
        "node_cpu_bug_info",
        "node_cpu_core_throttles_total",
        "node_cpu_package_throttles_total",
        "node_cpu_isolated",
        "node_cpu_online",
    ],
    options: options! {
        "cpu.guest" = cpu.guest: bool, "Gives the time spent in guests.";
        "cpu.info" = cpu.info: bool, "Gives model and frequency of each CPU.";
        "cpu.info.flags-include" = cpu.flags_include: String, "Flags of the CPU to give (expression); turns cpu.info on.";
        "cpu.info.bugs-include" = cpu.bugs_include: String, "Bugs of the CPU to give (expression); turns cpu.info on.";
    },
    build: |context| {
        Ok(match context.platform {
            Platform::MacOs => Box::new(macos::Cpu::new(Kernel, &context.options.cpu, context.mode)?),
            Platform::Linux => Box::new(linux::Cpu::new(context)?),
        })
    },
};

/// Options of `cpu`; only Linux has what they are about, and macOS refuses others than the defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Gives `node_cpu_guest_seconds_total`.
    pub guest: bool,
    /// Gives `node_cpu_info`, and `node_cpu_frequency_hertz` if the collector `cpufreq` runs.
    pub info: bool,
    /// Expression for the flags in `node_cpu_flag_info`; empty gives none, anything else turns `info` on.
    pub flags_include: String,
    /// Expression for the bugs in `node_cpu_bug_info`; empty gives none, anything else turns `info` on.
    pub bugs_include: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            guest: true,
            info: false,
            flags_include: String::new(),
            bugs_include: String::new(),
        }
    }
}
