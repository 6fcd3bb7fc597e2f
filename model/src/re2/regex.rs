//! A compiled pattern: the fast shape where there is one, the engine where it is needed.
//!
//! Invariant: a pattern that has a shape which can tell everything keeps no engine, hence no engine memory.

use std::fmt;
use std::ops::Range;

use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::{Input, meta};

use super::error::{Error, ErrorKind};
use super::parse::{Parsed, parse};
use super::shape::Shape;

/// The largest compiled program, in bytes.
const PROGRAM_LIMIT: usize = 16 << 20;

/// A compiled regular expression in Go's dialect. Clones share the program; matching needs no allocation once warm.
#[derive(Clone)]
pub struct Regex {
    pattern: Box<str>,
    names: Box<[Option<Box<str>>]>,
    shape: Option<Shape>,
    engine: Option<meta::Regex>,
}

impl Regex {
    /// Compiles a pattern that has to match the whole text, where the dot matches a newline too: what Prometheus makes
    /// of the pattern of a relabel rule or a label matcher.
    pub fn anchored(pattern: &str) -> Result<Self, Error> {
        // Go programs paste the pattern between the anchors, and what follows from that (`a)(b` is a pattern) is
        // part of the dialect.
        Self::compile(pattern, &format!("^(?s:{pattern})$"))
    }

    /// Compiles a pattern that may match anywhere in the text, as Go's `regexp.Compile` does.
    pub fn unanchored(pattern: &str) -> Result<Self, Error> {
        Self::compile(pattern, pattern)
    }

    fn compile(pattern: &str, full: &str) -> Result<Self, Error> {
        let Parsed { hir, names } = parse(full)?;
        let shape = Shape::of(&hir, names.len() - 1);
        let engine = if shape.as_ref().is_some_and(Shape::has_groups) {
            None
        } else {
            let config = meta::Config::new().nfa_size_limit(Some(PROGRAM_LIMIT));
            let engine = meta::Builder::new().configure(config).build_from_hir(&hir);
            Some(engine.map_err(|_| Error::new(ErrorKind::TooLarge, full))?)
        };
        Ok(Self {
            pattern: pattern.into(),
            names: names.into(),
            shape,
            engine,
        })
    }

    /// The pattern as it was given, without the anchors.
    pub fn as_str(&self) -> &str {
        &self.pattern
    }

    /// Whether the pattern matches the text.
    pub fn is_match(&self, text: &str) -> bool {
        match (&self.shape, &self.engine) {
            (Some(shape), _) => shape.is_match(text),
            (None, Some(engine)) => engine.is_match(text),
            (None, None) => false,
        }
    }

    /// Whether the pattern matches the text; if so, `captures` holds what the match and its groups span.
    pub fn captures(&self, text: &str, captures: &mut Captures) -> bool {
        captures.slots.clear();
        captures.slots.resize(2 * self.names.len(), None);
        if let Some(engine) = &self.engine {
            let found = engine
                .search_slots(&Input::new(text), &mut captures.slots)
                .is_some();
            captures.matched = found;
            return found;
        }
        captures.matched = self.shape.as_ref().is_some_and(|shape| shape.is_match(text));
        if let (true, Some(shape)) = (captures.matched, &self.shape) {
            captures.set(0, Some(0..text.len()));
            for group in 1..self.names.len() {
                captures.set(group, shape.group(text, group - 1));
            }
        }
        captures.matched
    }

    /// The number of groups, the whole match (group 0) included.
    pub fn group_count(&self) -> usize {
        self.names.len()
    }

    /// The numbers of the groups with that name, in order. Go allows a name more than once.
    pub fn groups_named<'r>(&'r self, name: &'r str) -> impl Iterator<Item = usize> + 'r {
        self.names
            .iter()
            .enumerate()
            .filter(move |(_, known)| known.as_deref() == Some(name))
            .map(|(i, _)| i)
    }
}

impl fmt::Debug for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Regex")
            .field("pattern", &self.pattern)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pattern)
    }
}

/// Where a match and its groups are: a buffer to use again for any pattern and text.
#[derive(Clone, Debug, Default)]
pub struct Captures {
    slots: Vec<Option<NonMaxUsize>>,
    matched: bool,
}

impl Captures {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// The bytes of the text that the group spans; group 0 is the whole match. None: the last search found nothing, the
    /// pattern has no such group, or it took no part in the match.
    pub fn get(&self, group: usize) -> Option<Range<usize>> {
        if !self.matched {
            return None;
        }
        let start = self.slots.get(2 * group).copied().flatten()?;
        let end = self.slots.get(2 * group + 1).copied().flatten()?;
        Some(start.get()..end.get())
    }

    fn set(&mut self, group: usize, span: Option<Range<usize>>) {
        let (start, end) = span.map_or((None, None), |span| (Some(span.start), Some(span.end)));
        for (slot, value) in [(2 * group, start), (2 * group + 1, end)] {
            if let Some(slot) = self.slots.get_mut(slot) {
                *slot = value.and_then(NonMaxUsize::new);
            }
        }
    }
}
