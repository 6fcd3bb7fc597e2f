//! Parts of a tree that lie beside one another.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::ast::Tree;

/// A view of the parts of one node, such as expressions, fields or statements.
pub struct List<'t, T>(Iter<'t, T>);

impl<'t, T> List<'t, T> {
    /// The parts of the numbers from `first`, each of which `part` makes of its number.
    pub(super) fn new(
        tree: &'t Arc<Tree>,
        first: u32,
        count: u32,
        part: fn(&'t Arc<Tree>, u32) -> T,
    ) -> List<'t, T> {
        List(Iter {
            tree,
            numbers: first..first + count,
            part,
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.numbers.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.numbers.is_empty()
    }

    /// The one at a place, from 0.
    pub fn get(&self, at: usize) -> Option<T> {
        self.iter().nth(at)
    }

    /// All of them, in order.
    pub fn iter(&self) -> Iter<'t, T> {
        self.0.clone()
    }
}

impl<T> Clone for List<'_, T> {
    fn clone(&self) -> Self {
        List(self.iter())
    }
}

impl<T: fmt::Debug> fmt::Debug for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'t, T> IntoIterator for List<'t, T> {
    type Item = T;
    type IntoIter = Iter<'t, T>;

    fn into_iter(self) -> Iter<'t, T> {
        self.0
    }
}

impl<'t, T> IntoIterator for &List<'t, T> {
    type Item = T;
    type IntoIter = Iter<'t, T>;

    fn into_iter(self) -> Iter<'t, T> {
        self.iter()
    }
}

/// The parts of a [`List`], in order.
pub struct Iter<'t, T> {
    tree: &'t Arc<Tree>,
    numbers: Range<u32>,
    part: fn(&'t Arc<Tree>, u32) -> T,
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.nth(0)
    }

    fn nth(&mut self, count: usize) -> Option<T> {
        self.numbers.nth(count).map(|at| (self.part)(self.tree, at))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.numbers.size_hint()
    }
}

impl<T> DoubleEndedIterator for Iter<'_, T> {
    fn next_back(&mut self) -> Option<T> {
        self.numbers.next_back().map(|at| (self.part)(self.tree, at))
    }
}

impl<T> ExactSizeIterator for Iter<'_, T> {}

impl<T> Clone for Iter<'_, T> {
    fn clone(&self) -> Self {
        Iter {
            tree: self.tree,
            numbers: self.numbers.clone(),
            part: self.part,
        }
    }
}

impl<T> fmt::Debug for Iter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Iter({:?})", self.numbers)
    }
}
