//! What an object made of a changed configuration.

/// The answer of a long-lived object to a new configuration.
///
/// A reload is a diff of two graphs: what can take its new configuration while it runs says [`Kept`],
/// what cannot says [`Restart`] and is left as it was, so that its owner can build it anew.
///
/// [`Kept`]: Reconfigured::Kept
/// [`Restart`]: Reconfigured::Restart
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub enum Reconfigured {
    /// The new configuration is in force; queues, timers and caches went on.
    Kept,
    /// The change cannot be made in place; the object still runs with its old configuration.
    Restart,
}
