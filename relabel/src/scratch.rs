//! The buffers that running rules needs, kept by the thread.
//!
//! Invariant: they hold at most [`LIMIT`] bytes between two label sets.

use ferroalloy_model::re2::Captures;

use crate::added::Added;

/// Buffers that are larger together are given back after use.
const LIMIT: usize = 256 << 10;

/// Buffers of a thread, used again for each label set.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// The joined source values.
    pub(crate) joined: String,
    /// The name and the value being made.
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) captures: Captures,
    pub(crate) added: Added,
    /// Names and values that `labelmap` is to set, one after another, and where each ends.
    pub(crate) mapped: String,
    pub(crate) mapped_ends: Vec<(usize, usize)>,
}

impl Scratch {
    /// Ends the use for one label set.
    pub(crate) fn give_back(&mut self) {
        let strings = [&self.joined, &self.name, &self.value, &self.mapped];
        let bytes = strings.map(String::capacity).iter().sum::<usize>()
            + self.added.heap_bytes()
            + self.mapped_ends.capacity() * size_of::<(usize, usize)>();
        if bytes > LIMIT {
            *self = Self::default();
        }
    }
}
