//! The 128-bit name of a series: a hash of its raw bytes under random keys of the process.
//!
//! Raw bytes are not kept, so the hash alone decides whether bytes were seen before. It is two independent
//! foldhash sums under secret seeds: by chance two of a million series collide with a probability of about 2⁻⁸⁸,
//! and a target that wants a collision does not know the seeds.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

use ferroalloy_model::MetricKind;
use foldhash::SharedSeed;
use foldhash::quality::FoldHasher;

/// The hash of a series' raw bytes, or of a block of metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(u64, u64);

static SEEDS: LazyLock<[u64; 2]> = LazyLock::new(|| {
    // The standard library draws its keys from the operating system.
    [0, 1].map(|which| RandomState::new().hash_one(which))
});

/// What of a family's kind changes the labels of its series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Class {
    /// Labels are taken as they are.
    #[default]
    Plain,
    /// `le` is normalised.
    Histogram,
    /// `quantile` is normalised.
    Summary,
}

/// Hashes keys. Made once for a scrape: it holds what otherwise is looked up for each hash.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys {
    seeds: [u64; 2],
    shared: &'static SharedSeed,
}

impl Keys {
    pub(crate) fn new() -> Self {
        Self {
            seeds: *SEEDS,
            shared: SharedSeed::global_random(),
        }
    }

    /// The key of `bytes` in a family of that class.
    #[inline]
    pub(crate) fn key(self, class: Class, bytes: &[u8]) -> Key {
        let mut first = FoldHasher::with_seed(self.seeds[0], self.shared);
        let mut second = FoldHasher::with_seed(self.seeds[1], self.shared);
        first.write(bytes);
        second.write(bytes);
        Key(first.finish() ^ class as u64, second.finish())
    }
}

impl Key {
    /// The half that a table is indexed with.
    pub(crate) fn short(self) -> u64 {
        self.1
    }

    /// Both halves, for a map of the standard library.
    pub(crate) fn parts(self) -> (u64, u64) {
        (self.0, self.1)
    }
}

impl From<MetricKind> for Class {
    fn from(kind: MetricKind) -> Self {
        match kind {
            MetricKind::Histogram => Self::Histogram,
            MetricKind::Summary => Self::Summary,
            _ => Self::Plain,
        }
    }
}

impl From<Class> for MetricKind {
    fn from(class: Class) -> Self {
        match class {
            Class::Plain => Self::Unknown,
            Class::Histogram => Self::Histogram,
            Class::Summary => Self::Summary,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_depend_on_every_byte_the_length_and_the_class() {
        let keys = Keys::new();
        let text = b"http_requests_total{method=\"post\",code=\"200\"}";
        let key = keys.key(Class::Plain, text);
        assert_eq!(key, Keys::new().key(Class::Plain, text));
        assert_ne!(key, keys.key(Class::Histogram, text));
        for length in 0..text.len() {
            assert_ne!(key, keys.key(Class::Plain, &text[..length]));
            let mut other = text.to_vec();
            other[length] ^= 1;
            let other = keys.key(Class::Plain, &other);
            assert!(key.0 != other.0 && key.1 != other.1);
        }
    }
}
