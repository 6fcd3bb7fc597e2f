//! System calls that have no safe wrapper: the only unsafe code of the crate, and no more than the call itself.
//! Each gives a plain value to its collector.

#[cfg(target_os = "linux")]
pub(crate) mod linux;
pub(crate) mod unix;
