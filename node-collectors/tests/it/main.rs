//! Integration tests: the fixtures that node_exporter itself is tested with, a real node_exporter, the drop-in one, a mount that hangs, a real btrfs, the README, and the set's behaviour.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

#[cfg(target_os = "linux")]
mod btrfs;
#[cfg(target_os = "linux")]
mod conformance;
mod drop_in;
mod drop_in_tls;
mod exporter;
#[cfg(target_os = "linux")]
mod hung_mount;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "linux")]
mod readme;
mod real_node_exporter;
mod set;
#[cfg(target_os = "linux")]
mod tar;

/// Held by a test that changes what every collector sees of this host, and by one that looks at it twice.
static HOST: std::sync::Mutex<()> = std::sync::Mutex::new(());
