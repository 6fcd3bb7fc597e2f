//! `netdev`: packets, bytes and errors of network interfaces.
//!
//! Linux: the statistics of rtnetlink's links, or `/proc/net/dev` if told so. node_exporter's traditional names add up
//! several of the kernel's counters; with detailed metrics each has its own. macOS: `sysctl(3)` of the routing table.

mod addresses;
mod linux;
mod macos;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Descriptor, Platform, Support};
use crate::error::Error;
use crate::filter::Filter;
use crate::option::options;
use crate::sys::Kernel;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "netdev",
    linux: Support::On,
    macos: Support::On,
    summary: "Packets, bytes and errors of network interfaces.",
    sources: &[
        "rtnetlink RTM_GETLINK",
        "proc/net/dev",
        "sys/class/net/*/ifalias",
        "sysctl NET_RT_IFLIST2, IFMIB_IFDATA",
        "getifaddrs(3)",
    ],
    families: &["node_network_*"],
    options: options! {
        "netdev.device-include" = netdev.device_include: String, "Interfaces to give (expression).";
        "netdev.device-exclude" = netdev.device_exclude: String, "Interfaces to leave out (expression).";
        "netdev.address-info" = netdev.address_info: bool, "Gives the addresses of interfaces.";
        "netdev.enable-detailed-metrics" = netdev.detailed: bool, "Gives the kernel's counters one by one.";
        "netdev.netlink" = netdev.netlink: bool, "Asks netlink instead of reading /proc/net/dev (Linux).";
        "netdev.label-ifalias" = netdev.label_ifalias: bool, "Adds the interface's alias as a label (Linux).";
    },
    build: |context| {
        let options = &context.options.netdev;
        Ok(match context.platform {
            Platform::MacOs => Box::new(macos::NetDev::new(Kernel, options, context.mode)?),
            Platform::Linux => linux::build(context)?,
        })
    },
};

/// Options of `netdev`.
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Expression for interfaces to give; not together with `device_exclude`.
    pub device_include: String,
    /// Expression for interfaces to leave out.
    pub device_exclude: String,
    /// Gives `node_network_address_info`.
    pub address_info: bool,
    /// Gives the kernel's counters under their own names, without adding up.
    pub detailed: bool,
    /// Asks netlink (Linux).
    pub netlink: bool,
    /// Adds the label `ifalias` (Linux).
    pub label_ifalias: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            device_include: String::new(),
            device_exclude: String::new(),
            address_info: false,
            detailed: false,
            netlink: true,
            label_ifalias: false,
        }
    }
}

impl Options {
    /// Which interfaces are given.
    fn filter(&self) -> Result<Filter, Error> {
        Filter::either(
            ("netdev.device-include", &self.device_include),
            ("netdev.device-exclude", &self.device_exclude),
        )
    }
}

/// A counter's key and value.
type Counter = (&'static str, u64);

/// An interface and its counters; the keys are the same, in the same order, for all interfaces of a kernel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Device {
    name: String,
    alias: String,
    counters: Vec<Counter>,
}

/// Writes a family per key.
fn emit(devices: &[Device], label_alias: bool, out: &mut Families) {
    let mut keys: Vec<&str> = devices
        .iter()
        .flat_map(|device| &device.counters)
        .map(|(key, _)| *key)
        .collect();
    keys.sort_unstable();
    keys.dedup();
    let (mut name, mut help) = (String::new(), String::new());
    for key in keys {
        name.clear();
        name.extend(["node_network_", key, "_total"]);
        help.clear();
        help.extend(["Network device statistic ", key, "."]);
        let mut family = out.family(&name, &help, MetricKind::Counter);
        for device in devices {
            for (_, value) in device.counters.iter().filter(|(name, _)| *name == key) {
                let labels = [("device", &*device.name), ("ifalias", &*device.alias)];
                family.sample(&labels[..=usize::from(label_alias)], *value as f64);
            }
        }
    }
}
