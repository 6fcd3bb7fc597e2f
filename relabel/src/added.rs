//! The order in which rules added labels.
//!
//! `labelmap` visits the labels that the set came with in order of name, then those that rules wrote in the order of
//! writing; where two names map to one, the last visited counts. [`LabelsBuilder`](crate::LabelsBuilder) is sorted and
//! does not know that order, so it is kept here, and only for rule lists where it can matter.

/// Names written by the rules so far, oldest first. Buffers are kept over [`clear`](Self::clear).
#[derive(Debug, Default)]
pub(crate) struct Added {
    names: Vec<String>,
    len: usize,
}

impl Added {
    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.names[..self.len].iter().map(String::as_str)
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.iter().position(|known| known == name)
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// Notes a label that was written. One written again keeps its place.
    pub(crate) fn insert(&mut self, name: &str) {
        if self.contains(name) {
            return;
        }
        if self.len == self.names.len() {
            self.names.push(String::new());
        }
        let slot = &mut self.names[self.len];
        slot.clear();
        slot.push_str(name);
        self.len += 1;
    }

    /// Forgets a label that was removed.
    pub(crate) fn remove(&mut self, name: &str) {
        if let Some(index) = self.position(name) {
            self.names[index..self.len].rotate_left(1);
            self.len -= 1;
        }
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.names.capacity() * size_of::<String>() + self.names.iter().map(String::capacity).sum::<usize>()
    }
}
