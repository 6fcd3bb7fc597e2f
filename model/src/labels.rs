//! Label sets: of targets, of discovered things, and of whatever relabel rules work on.
//!
//! A set is sorted by name, bytewise, has no name twice and no empty value: an empty value means that the
//! label is absent (Prometheus data model), so both never differ.

mod builder;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

pub use builder::LabelsBuilder;

/// An immutable label set in one allocation. Cloning is reference counting.
#[derive(Clone, Default)]
pub struct Labels {
    /// Names and values as text, each behind its length; `None` is the empty set, which needs no allocation.
    packed: Option<Arc<Packed>>,
}

struct Packed {
    text: Box<str>,
    /// End offsets in `text`: of a name, of its value, of the next name, ...
    ends: Box<[u32]>,
}

impl Labels {
    /// The set without labels.
    pub const fn empty() -> Self {
        Self { packed: None }
    }

    /// Makes a set of pairs in any order. Of a repeated name the last pair counts; empty values are left out.
    pub fn from_pairs<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: AsRef<str>,
        V: AsRef<str>,
    {
        let mut builder = LabelsBuilder::new();
        for (name, value) in pairs {
            builder.set(name.as_ref(), value.as_ref());
        }
        builder.labels()
    }

    /// Packs pairs that are sorted, without repeated names or empty values.
    fn pack<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut text = String::new();
        let mut ends = Vec::new();
        for (name, value) in pairs {
            for part in [name, value] {
                text.push_str(part);
                ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
            }
        }
        if ends.is_empty() {
            return Self::empty();
        }
        Self {
            packed: Some(Arc::new(Packed {
                text: text.into(),
                ends: ends.into(),
            })),
        }
    }

    /// The value of `name`, if the label is there.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// Name and value of every label, in order of name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + '_ {
        let packed = self.packed.as_deref();
        let ends = packed.map_or(&[][..], |p| &p.ends);
        let text = packed.map_or("", |p| &p.text);
        let mut start = 0;
        ends.chunks_exact(2).map(move |pair| {
            let (middle, end) = (pair[0] as usize, pair[1] as usize);
            let label = (&text[start..middle], &text[middle..end]);
            start = end;
            label
        })
    }

    /// Number of labels.
    pub fn len(&self) -> usize {
        self.packed.as_deref().map_or(0, |p| p.ends.len() / 2)
    }

    /// Whether the set has no labels.
    pub fn is_empty(&self) -> bool {
        self.packed.is_none()
    }

    /// FNV-1a (64 bits) over names and values, each ended by 0xff: the same over restarts and machines.
    pub fn stable_hash(&self) -> u64 {
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for (name, value) in self.iter() {
            for part in [name, value] {
                for byte in part.bytes().chain([0xff]) {
                    hash = (hash ^ u64::from(byte)).wrapping_mul(PRIME);
                }
            }
        }
        hash
    }
}

// === impl Labels: comparison, formatting ===

impl PartialEq for Labels {
    fn eq(&self, other: &Self) -> bool {
        match (&self.packed, &other.packed) {
            (None, None) => true,
            (Some(a), Some(b)) => Arc::ptr_eq(a, b) || (a.ends == b.ends && a.text == b.text),
            _ => false,
        }
    }
}

impl Eq for Labels {}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Labels {
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

impl Hash for Labels {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for (name, value) in self.iter() {
            name.hash(state);
            value.hash(state);
        }
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, (name, value)) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{name}={value:?}")?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Labels {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self::from_pairs(pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_unique_without_empty_values() {
        let labels = Labels::from_pairs([("b", "1"), ("a", "2"), ("b", "3"), ("c", "")]);
        assert_eq!(labels.iter().collect::<Vec<_>>(), [("a", "2"), ("b", "3")]);
        assert_eq!(labels.get("b"), Some("3"));
        assert_eq!(labels.get("c"), None);
        assert_eq!(labels.len(), 2);
        assert_eq!(labels.to_string(), r#"{a="2", b="3"}"#);
    }

    #[test]
    fn bytewise_order_puts_name_label_between_cases() {
        let labels = Labels::from_pairs([("a", "1"), ("__name__", "m"), ("A", "1")]);
        assert_eq!(
            labels.iter().map(|(n, _)| n).collect::<Vec<_>>(),
            ["A", "__name__", "a"]
        );
    }

    #[test]
    fn boundaries_count_in_comparison_and_hash() {
        let one = Labels::from_pairs([("ab", "c")]);
        let other = Labels::from_pairs([("a", "bc")]);
        assert_ne!(one, other);
        assert_ne!(one.stable_hash(), other.stable_hash());
        assert!(Labels::from_pairs([("a", "")]).is_empty());
        assert_eq!(Labels::empty(), Labels::default());
    }
}
