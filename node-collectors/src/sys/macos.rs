//! The calls of macOS collectors on the running system: mach, sysctl and the mount table.

#![allow(unsafe_code, reason = "the calls have no safe wrapper")]

mod layout;
mod mach;
mod mounts;
mod sysctl;

/// The kernel of the Mac that this program runs on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kernel;
