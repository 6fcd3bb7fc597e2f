//! The calls of macOS collectors on the running system: mach, sysctl, the mount table, IOKit and its neighbours.

#![allow(unsafe_code, reason = "the calls have no safe wrapper")]

mod free_space;
mod iokit;
mod launchd;
mod layout;
mod mach;
mod mounts;
mod notify;
mod pool;
mod power;
mod property;
mod registry;
mod reports;
mod sensors;
mod smart;
mod smc;
mod symbol;
mod sysctl;

/// The kernel of the Mac that this program runs on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kernel;
