//! The mutable counterpart of [`Labels`], for rules and merges that change a label at a time.

use super::Labels;

/// A label set under construction.
///
/// Buffers are kept over [`clear`](LabelsBuilder::clear), so that a builder used again and again allocates
/// nothing once it has seen its largest set.
#[derive(Debug, Default, Clone)]
pub struct LabelsBuilder {
    /// Sorted by name. Only the first `len` are in use; the others keep their buffers.
    slots: Vec<(String, String)>,
    len: usize,
}

impl LabelsBuilder {
    /// An empty builder.
    pub const fn new() -> Self {
        Self {
            slots: Vec::new(),
            len: 0,
        }
    }

    /// Removes all labels and keeps the buffers.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Replaces what is there by `labels`.
    pub fn reset(&mut self, labels: &Labels) {
        self.reset_pairs(labels.iter());
    }

    /// Replaces what is there by pairs in any order; of a repeated name the last counts.
    pub fn reset_pairs<'a>(&mut self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) {
        self.clear();
        for (name, value) in pairs {
            self.set(name, value);
        }
    }

    fn used(&self) -> &[(String, String)] {
        &self.slots[..self.len]
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        // Most sets arrive in order: the end is tried first.
        match self.used().last() {
            Some((last, _)) if last.as_str() < name => Err(self.len),
            None => Err(0),
            Some(_) => self.used().binary_search_by(|(n, _)| n.as_str().cmp(name)),
        }
    }

    /// The value of `name`, if the label is there.
    pub fn get(&self, name: &str) -> Option<&str> {
        // Sets are short, and names that differ mostly differ in length: looking at all costs less than a search by order.
        self.used()
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Sets a label; an empty value removes it.
    pub fn set(&mut self, name: &str, value: &str) {
        if value.is_empty() {
            self.del(name);
            return;
        }
        let index = match self.find(name) {
            Ok(index) => index,
            Err(index) => {
                if self.len == self.slots.len() {
                    self.slots.push((String::new(), String::new()));
                }
                self.slots[index..=self.len].rotate_right(1);
                self.len += 1;
                self.slots[index].0.clear();
                self.slots[index].0.push_str(name);
                index
            }
        };
        self.slots[index].1.clear();
        self.slots[index].1.push_str(value);
    }

    /// Removes a label, if it is there.
    pub fn del(&mut self, name: &str) {
        if let Ok(index) = self.find(name) {
            self.slots[index..self.len].rotate_left(1);
            self.len -= 1;
        }
    }

    /// Keeps the labels for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &str) -> bool) {
        let mut kept = 0;
        for index in 0..self.len {
            if keep(&self.slots[index].0, &self.slots[index].1) {
                self.slots.swap(kept, index);
                kept += 1;
            }
        }
        self.len = kept;
    }

    /// Name and value of every label, in order of name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + '_ {
        self.used()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Number of labels.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no label is set.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The set as it stands.
    pub fn labels(&self) -> Labels {
        Labels::pack(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn behaves_as_a_sorted_map(steps in proptest::collection::vec(("[a-e]{1,2}", "[x-z]{0,1}"), 0..40)) {
            let mut builder = LabelsBuilder::new();
            let mut model = BTreeMap::new();
            for (name, value) in &steps {
                builder.set(name, value);
                if value.is_empty() { model.remove(name); } else { model.insert(name.clone(), value.clone()); }
                prop_assert_eq!(builder.get(name), model.get(name).map(String::as_str));
            }
            let expected: Vec<_> = model.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            prop_assert_eq!(builder.iter().collect::<Vec<_>>(), expected.clone());
            let labels = builder.labels();
            prop_assert_eq!(labels.iter().collect::<Vec<_>>(), expected);
            builder.retain(|name, _| name.len() == 1);
            prop_assert!(builder.iter().all(|(name, _)| name.len() == 1));
        }
    }

    #[test]
    fn buffers_survive_a_reset() {
        let mut builder = LabelsBuilder::new();
        builder.reset_pairs([("b", "2"), ("a", "1")]);
        builder.reset(&Labels::from_pairs([("z", "9")]));
        assert_eq!(builder.iter().collect::<Vec<_>>(), [("z", "9")]);
    }
}
