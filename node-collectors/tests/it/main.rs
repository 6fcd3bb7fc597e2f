//! Integration tests: the fixtures that node_exporter itself is tested with, the README, and the set's behaviour.

#[cfg(target_os = "linux")]
mod conformance;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "linux")]
mod readme;
mod set;
#[cfg(target_os = "linux")]
mod tar;
