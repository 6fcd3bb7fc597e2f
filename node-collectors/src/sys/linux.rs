//! Calls of Linux only.

pub(crate) mod btrfs;
pub(crate) mod timex;
