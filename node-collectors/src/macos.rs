//! What the macOS halves of the collectors share: the kernel's calls as traits, and the reading of what they
//! return. Nothing here is unsafe or tied to a Mac, so every conversion is tested on any machine from
//! buffers made by hand; only [`crate::sys`] makes the calls.

pub(crate) mod bytes;
pub(crate) mod calls;
#[cfg(any(target_os = "macos", test))]
pub(crate) mod growing;
#[cfg(test)]
pub(crate) mod inventory;
pub(crate) mod layout;
#[cfg(test)]
pub(crate) mod recorded;
pub(crate) mod wrap;
