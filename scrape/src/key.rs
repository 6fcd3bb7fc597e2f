//! The 128-bit name of a series: a hash of its raw bytes under random keys of the process.
//!
//! Raw bytes are not kept, so the hash alone decides whether bytes were seen before. It is two sums made in one pass, each of
//! folded multiplications (the construction of wyhash and foldhash) under secret keys of its own: by chance two of a
//! million series collide with a probability of about 2⁻⁸⁸, and a target that wants a collision does not know the keys.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use ferroalloy_model::MetricKind;

/// The hash of a series' raw bytes, or of a block of metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(u64, u64);

static SEEDS: LazyLock<[u64; 6]> = LazyLock::new(|| {
    // The standard library draws its keys from the operating system.
    [0, 1, 2, 3, 4, 5].map(|which| RandomState::new().hash_one(which))
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
    seeds: [u64; 6],
}

/// The two sums on their way.
struct Sums<'a> {
    seeds: &'a [u64; 6],
    first: u64,
    second: u64,
}

impl Keys {
    pub(crate) fn new() -> Self {
        Self { seeds: *SEEDS }
    }

    /// The key of `bytes` in a family of that class.
    #[inline]
    pub(crate) fn key(&self, class: Class, bytes: &[u8]) -> Key {
        let length = bytes.len() as u64;
        let mut sums = Sums {
            seeds: &self.seeds,
            first: self.seeds[0] ^ length,
            second: self.seeds[1] ^ length.rotate_left(32),
        };
        if let Some(last) = bytes.last_chunk::<16>() {
            let mut rest = bytes;
            while let Some((chunk, behind)) = rest.split_first_chunk::<16>() {
                sums.add(chunk);
                rest = behind;
            }
            // Bytes that were read before do no harm.
            if !rest.is_empty() {
                sums.add(last);
            }
        } else {
            // The length tells zeros that are there from those that fill up.
            let mut filled = [0; 16];
            filled[..bytes.len()].copy_from_slice(bytes);
            sums.add(&filled);
        }
        sums.end(class)
    }
}

impl Sums<'_> {
    #[inline]
    fn add(&mut self, chunk: &[u8; 16]) {
        let [low, high] = halves(chunk);
        self.first = folded_multiply(low ^ self.first, high ^ self.seeds[2]);
        self.second = folded_multiply(low ^ self.seeds[3], high ^ self.second);
    }

    #[inline]
    fn end(self, class: Class) -> Key {
        Key(
            folded_multiply(self.first, self.seeds[4]) ^ class as u64,
            folded_multiply(self.second, self.seeds[5]),
        )
    }
}

#[inline]
fn halves(chunk: &[u8; 16]) -> [u64; 2] {
    let both = u128::from_le_bytes(*chunk);
    split(both)
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the other half is taken too")]
fn split(both: u128) -> [u64; 2] {
    [both as u64, (both >> 64) as u64]
}

/// Both halves of the product, folded into one: every bit of the factors has a say in every bit of it.
#[inline]
fn folded_multiply(a: u64, b: u64) -> u64 {
    let [low, high] = split(u128::from(a) * u128::from(b));
    low ^ high
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
