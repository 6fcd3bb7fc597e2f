//! Calls that Linux and macOS share.

pub(crate) mod clock;
pub(crate) mod zone;
