//! Lists of small numbers, in as few bytes as the largest needs.
//!
//! A target has seldom more than 65,535 different label pairs, and never as many families, so two bytes a number are
//! nearly always enough: a series of eight labels then takes 16 bytes and not 32.

use std::ops::Range;
use std::slice;

/// Numbers that do not change any more.
#[derive(Debug)]
pub(super) enum Indexes {
    Narrow(Box<[u16]>),
    Wide(Box<[u32]>),
}

/// Some of them, one after another.
#[derive(Debug, Clone, Copy)]
pub(super) enum Run<'a> {
    Narrow(&'a [u16]),
    Wide(&'a [u32]),
}

/// The numbers of a run, one by one.
#[derive(Debug, Clone)]
pub(super) enum Numbers<'a> {
    Narrow(slice::Iter<'a, u16>),
    Wide(slice::Iter<'a, u32>),
}

// === impl Indexes ===

impl Indexes {
    pub(super) fn new(numbers: Vec<u32>) -> Self {
        let narrow: Result<Box<[u16]>, _> = numbers.iter().map(|number| u16::try_from(*number)).collect();
        narrow.map_or_else(|_| Self::Wide(numbers.into()), Self::Narrow)
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Narrow(numbers) => numbers.len(),
            Self::Wide(numbers) => numbers.len(),
        }
    }

    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<u32> {
        match self {
            Self::Narrow(numbers) => numbers.get(at).map(|number| u32::from(*number)),
            Self::Wide(numbers) => numbers.get(at).copied(),
        }
    }

    /// Those at these places; none where there are not as many.
    #[inline]
    pub(super) fn run(&self, places: Range<usize>) -> Run<'_> {
        match self {
            Self::Narrow(numbers) => Run::Narrow(numbers.get(places).unwrap_or_default()),
            Self::Wide(numbers) => Run::Wide(numbers.get(places).unwrap_or_default()),
        }
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = u32> + '_ {
        (0..self.len()).map(|at| self.get(at).unwrap_or_default())
    }

    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Self::Narrow(numbers) => size_of_val(&**numbers),
            Self::Wide(numbers) => size_of_val(&**numbers),
        }
    }
}

// === impl Run ===

impl<'a> Run<'a> {
    #[inline]
    pub(super) fn is_empty(self) -> bool {
        match self {
            Self::Narrow(numbers) => numbers.is_empty(),
            Self::Wide(numbers) => numbers.is_empty(),
        }
    }

    #[inline]
    pub(super) fn iter(self) -> Numbers<'a> {
        match self {
            Self::Narrow(numbers) => Numbers::Narrow(numbers.iter()),
            Self::Wide(numbers) => Numbers::Wide(numbers.iter()),
        }
    }
}

// === impl Numbers ===

impl Iterator for Numbers<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        match self {
            Self::Narrow(numbers) => numbers.next().map(|number| u32::from(*number)),
            Self::Wide(numbers) => numbers.next().copied(),
        }
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Self::Narrow(numbers) => numbers.size_hint(),
            Self::Wide(numbers) => numbers.size_hint(),
        }
    }

    // One decision a run rather than one a number.
    #[inline]
    fn fold<B, F: FnMut(B, u32) -> B>(self, init: B, mut each: F) -> B {
        match self {
            Self::Narrow(numbers) => numbers.fold(init, |held, number| each(held, u32::from(*number))),
            Self::Wide(numbers) => numbers.fold(init, |held, number| each(held, *number)),
        }
    }
}

impl ExactSizeIterator for Numbers<'_> {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn two_bytes_where_they_are_enough() {
        assert_eq!(Indexes::new(vec![0, 65_535]).heap_bytes(), 4);
        assert_eq!(Indexes::new(vec![0, 65_536]).heap_bytes(), 8);
    }

    proptest! {
        #[test]
        fn numbers_come_back(numbers in proptest::collection::vec(0_u32..70_000, 0..40), from in 0_usize..50, to in 0_usize..50) {
            let indexes = Indexes::new(numbers.clone());
            prop_assert!(indexes.iter().eq(numbers.iter().copied()));
            let expected = numbers.get(from..to).unwrap_or_default();
            let run = indexes.run(from..to);
            prop_assert_eq!((run.is_empty(), run.iter().len()), (expected.is_empty(), expected.len()));
            prop_assert!(run.iter().eq(expected.iter().copied()));
            let mut all = Vec::new();
            run.iter().for_each(|number| all.push(number));
            prop_assert_eq!(all, expected);
        }
    }
}
