//! Whether node_exporter's quirks are kept.

/// How faithful the numbers are to node_exporter where node_exporter is wrong. The README lists each difference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// Right numbers, and one file that cannot be read costs its own series only.
    #[default]
    Fixed,
    /// What node_exporter would say, its faults included; for a program that takes its place.
    Compat,
}

impl Mode {
    /// Whether quirks are kept.
    pub(crate) fn is_compat(self) -> bool {
        self == Self::Compat
    }
}
