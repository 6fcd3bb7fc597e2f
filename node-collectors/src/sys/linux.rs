//! Calls of Linux only.

pub(crate) mod timex;
