//! What an evaluation may cost, so that a short text cannot take all memory or never end.

use std::cell::Cell;
use std::fmt;

use crate::value::{CallError, Value};

/// Bytes of text and elements that an evaluation may make.
const SIZE: usize = 64 << 20;

/// Bytes of text and elements that it may look through, which is about a second.
const WORK: usize = 1 << 30;

/// About what an element costs beside what it holds: itself and the header of its text or list.
const ELEMENT: usize = size_of::<Value>() + 16;

/// What is left of what an evaluation may make and look through. One is for an expression that is evaluated by itself, or
/// for the whole of a body that is decoded. A function takes from it before it makes something.
#[derive(Debug)]
pub struct Budget {
    size: Cell<usize>,
    work: Cell<usize>,
}

impl Budget {
    /// What an evaluation starts with: 64 MiB to make, and 1 GiB to look through.
    pub fn new() -> Budget {
        Budget::of(SIZE, WORK)
    }

    pub(crate) fn of(size: usize, work: usize) -> Budget {
        Budget {
            size: Cell::new(size),
            work: Cell::new(work),
        }
    }

    /// Takes a text of so many bytes.
    pub fn text(&self, bytes: usize) -> Result<(), Exceeded> {
        take(&self.size, bytes, Exceeded::Size)
    }

    /// Takes so many elements of lists; their texts are counted for themselves.
    pub fn elements(&self, count: usize) -> Result<(), Exceeded> {
        self.text(count.saturating_mul(ELEMENT))
    }

    /// Takes a field of an object; what it holds is counted for itself.
    pub fn field(&self, name: &str) -> Result<(), Exceeded> {
        self.text(ELEMENT.saturating_add(name.len()))
    }

    /// Takes so many bytes that are looked through.
    pub fn look(&self, bytes: usize) -> Result<(), Exceeded> {
        take(&self.work, bytes, Exceeded::Work)
    }
}

impl Default for Budget {
    fn default() -> Budget {
        Budget::new()
    }
}

fn take(left: &Cell<usize>, amount: usize, exceeded: Exceeded) -> Result<(), Exceeded> {
    let rest = left.get().checked_sub(amount);
    // Nothing is left then, so that what goes on after an error does not go far.
    left.set(rest.unwrap_or(0));
    rest.map(drop).ok_or(exceeded)
}

/// An evaluation costs too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exceeded {
    /// It makes too much.
    Size,
    /// It looks through too much.
    Work,
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exceeded::Size => write!(
                f,
                "evaluation makes more than {} MiB of text and elements",
                SIZE >> 20
            ),
            Exceeded::Work => write!(
                f,
                "evaluation looks through more than {} GiB of text and elements",
                WORK >> 30
            ),
        }
    }
}

impl std::error::Error for Exceeded {}

impl From<Exceeded> for CallError {
    fn from(exceeded: Exceeded) -> CallError {
        CallError::Failed(exceeded.to_string())
    }
}

impl From<Exceeded> for String {
    fn from(exceeded: Exceeded) -> String {
        exceeded.to_string()
    }
}
