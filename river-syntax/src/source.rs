//! Source files and positions in them.
//!
//! A [`Span`] is twelve bytes and names its source by number, so that every node of a tree can carry one; the
//! [`SourceMap`] turns it back into a file, a line and a column. Columns count bytes from 1, as Alloy's do.
//! Invariant: a source's text is valid UTF-8 of the same length as its bytes, so offsets are offsets in the file.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::ast::Range;
use crate::work;

/// The longest file that is read, in bytes.
pub const MAX_SOURCE_BYTES: usize = 64 << 20;

/// Stands for one byte that is not UTF-8; being one byte long, it keeps offsets true.
pub(crate) const BAD_BYTE: u8 = 0x1a;

/// The number of a source in its [`SourceMap`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(u32);

/// A range of bytes in one source; `end` is exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    source: SourceId,
    start: u32,
    end: u32,
}

impl Span {
    pub(crate) fn new(source: SourceId, start: u32, end: u32) -> Span {
        Span {
            source,
            start,
            end: end.max(start),
        }
    }

    pub(crate) fn range(self) -> Range {
        Range {
            start: self.start,
            end: self.end,
        }
    }

    /// The source the span lies in.
    pub fn source(self) -> SourceId {
        self.source
    }

    /// The offset of the first byte.
    pub fn start(self) -> usize {
        self.start as usize
    }

    /// The offset after the last byte.
    pub fn end(self) -> usize {
        self.end as usize
    }

    /// How many bytes it covers.
    #[expect(
        clippy::len_without_is_empty,
        reason = "whether one is empty is of no interest"
    )]
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// The smallest span that covers both; `other` must lie in the same source, else `self` is the answer.
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        if self.source != other.source {
            return self;
        }
        Span {
            source: self.source,
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// The empty span at the start of this one.
    #[must_use]
    pub fn at_start(self) -> Span {
        Span {
            end: self.start,
            ..self
        }
    }

    /// The empty span at the end of this one.
    #[must_use]
    pub fn at_end(self) -> Span {
        Span {
            start: self.end,
            ..self
        }
    }

    /// Whether `other` lies wholly within this span.
    pub fn contains(self, other: Span) -> bool {
        self.source == other.source && self.start <= other.start && other.end <= self.end
    }
}

/// A line and a column, both counted from 1; the column counts bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in bytes, from 1.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// One file: its name, its text and where its lines start. Cloning shares the text.
#[derive(Clone)]
pub struct Source(Arc<Inner>);

struct Inner {
    id: SourceId,
    name: String,
    text: String,
    /// Offsets of the first byte of each line, once somebody asked.
    lines: OnceLock<Vec<u32>>,
    /// Offsets of bytes that were not UTF-8.
    bad_bytes: Vec<u32>,
    /// Why it is not read at all.
    refused: Option<String>,
}

impl Source {
    fn new(id: SourceId, name: String, bytes: Vec<u8>) -> Source {
        let refused = refused(&bytes);
        let (text, bad_bytes) = if refused.is_some() {
            (String::new(), Vec::new())
        } else {
            decode_utf8(bytes)
        };
        Source(Arc::new(Inner {
            id,
            name,
            text,
            lines: OnceLock::new(),
            bad_bytes,
            refused,
        }))
    }

    /// The number of this source in its map.
    pub fn id(&self) -> SourceId {
        self.0.id
    }

    /// The name given to [`SourceMap::add`], as messages show it.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The text. Bytes that are not UTF-8 are replaced one for one.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The text under a span; empty when the span is of another source.
    pub fn slice(&self, span: Span) -> &str {
        work::count(span.len() + 1);
        if span.source != self.0.id {
            return "";
        }
        self.0.text.get(span.start()..span.end()).unwrap_or("")
    }

    fn lines(&self) -> &[u32] {
        self.0.lines.get_or_init(|| {
            let newlines = memchr::memchr_iter(b'\n', self.0.text.as_bytes()).map(|at| offset(at + 1));
            std::iter::once(0).chain(newlines).collect()
        })
    }

    /// The line and column of an offset.
    pub fn position(&self, at: usize) -> Position {
        work::count(1);
        let lines = self.lines();
        let line = lines.partition_point(|&start| start as usize <= at);
        let start = lines.get(line.saturating_sub(1)).copied().unwrap_or(0) as usize;
        Position {
            line: line.max(1),
            column: at.saturating_sub(start) + 1,
        }
    }

    /// The text of a line counted from 1, without its end; `None` past the last one.
    pub fn line(&self, number: usize) -> Option<&str> {
        let lines = self.lines();
        let start = *lines.get(number.checked_sub(1)?)? as usize;
        let end = lines.get(number).map_or(self.0.text.len(), |&next| next as usize);
        let line = self.0.text.get(start..end)?;
        let line = line.strip_suffix('\n').unwrap_or(line);
        Some(line.strip_suffix('\r').unwrap_or(line))
    }

    pub(crate) fn bad_bytes(&self) -> &[u32] {
        &self.0.bad_bytes
    }

    pub(crate) fn refused(&self) -> Option<&str> {
        self.0.refused.as_deref()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({:?}, {} bytes)", self.0.name, self.0.text.len())
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Why a file is not looked at: it is too long, or its byte-order mark says that it is no UTF-8.
fn refused(bytes: &[u8]) -> Option<String> {
    if bytes.len() > MAX_SOURCE_BYTES {
        return Some(format!("file is larger than {} MiB", MAX_SOURCE_BYTES >> 20));
    }
    let encoding = match bytes {
        [0xff, 0xfe, 0, 0, ..] => "UTF-32LE",
        [0, 0, 0xfe, 0xff, ..] => "UTF-32BE",
        [0xff, 0xfe, ..] => "UTF-16LE",
        [0xfe, 0xff, ..] => "UTF-16BE",
        _ => return None,
    };
    Some(format!(
        "configuration is encoded with {encoding} but must be utf8"
    ))
}

/// The text of `bytes`, with a stand-in for each byte that is not UTF-8, and where those were.
fn decode_utf8(bytes: Vec<u8>) -> (String, Vec<u32>) {
    match String::from_utf8(bytes) {
        Ok(text) => (text, Vec::new()),
        Err(error) => {
            let mut text = String::with_capacity(error.as_bytes().len());
            let mut bad = Vec::new();
            for chunk in error.as_bytes().utf8_chunks() {
                text.push_str(chunk.valid());
                for _ in chunk.invalid() {
                    bad.push(offset(text.len()));
                    text.push(char::from(BAD_BYTE));
                }
            }
            (text, bad)
        }
    }
}

/// The sources of one configuration: what spans are looked up in.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    sources: Vec<Source>,
}

impl SourceMap {
    /// An empty map.
    pub fn new() -> SourceMap {
        SourceMap::default()
    }

    /// Adds a file. The bytes need not be UTF-8: the parser reports where they are not.
    pub fn add(&mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Source {
        let id = SourceId(offset(self.sources.len()));
        let source = Source::new(id, name.into(), bytes.into());
        self.sources.push(source.clone());
        source
    }

    /// The source of a number.
    pub fn get(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(id.0 as usize)
    }

    /// The sources in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter()
    }

    /// `file:line:column` of the start of a span, and only the offset when the source is not in this map.
    pub fn locate(&self, span: Span) -> String {
        match self.get(span.source) {
            Some(source) => format!("{}:{}", source.name(), source.position(span.start())),
            None => format!("<unknown>:{}", span.start()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_bytes() {
        let mut sources = SourceMap::new();
        let source = sources.add("a.alloy", "é = 1\nb = 2");
        assert_eq!(source.position(3).to_string(), "1:4");
        assert_eq!(source.position(7).to_string(), "2:1");
        assert_eq!(source.line(2), Some("b = 2"));
        assert_eq!(source.line(3), None);
    }

    #[test]
    fn bytes_that_are_not_utf8_keep_their_offsets() {
        let mut sources = SourceMap::new();
        let source = sources.add("a.alloy", b"a\xff\xfeb".to_vec());
        assert_eq!(source.bad_bytes(), [1, 2]);
        assert_eq!(source.text().len(), 4);
    }
}
