//! System calls that have no safe wrapper: the only unsafe code of the crate, and no more than the call itself.
//! Each gives a plain value to its collector.

#[cfg(not(target_os = "macos"))]
mod elsewhere;
#[cfg(target_os = "linux")]
pub(crate) mod linux;
#[cfg(target_os = "macos")]
mod macos;
pub(crate) mod unix;

#[cfg(not(target_os = "macos"))]
pub(crate) use elsewhere::Kernel;
#[cfg(target_os = "macos")]
pub(crate) use macos::Kernel;
