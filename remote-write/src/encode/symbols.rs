//! The table of texts of one 2.0 message.
//!
//! Each text is in it once, in order of first use; the first one is empty, as the specification wants. An interned pair that was
//! seen before costs one look-up by address.

use std::collections::HashMap;
use std::hash::BuildHasher;

use ferroalloy_model::Pair;
use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::wire;

const SYMBOL: u8 = 0x22;

#[derive(Debug, Default)]
pub(crate) struct Symbols {
    /// The table as fields of the request.
    encoded: Vec<u8>,
    /// Where each text is in `encoded`.
    spans: Vec<(u32, u32)>,
    by_text: HashTable<u32>,
    /// References of a pair's name and value as they are written, by the address of its text.
    by_pair: HashMap<usize, Refs, RandomState>,
    hasher: RandomState,
    scratch: Vec<u8>,
    /// The references of a new pair on their way.
    written: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Refs {
    bytes: [u8; 10],
    length: u8,
}

impl Symbols {
    /// Empties the table and keeps its memory.
    pub(crate) fn clear(&mut self) {
        self.encoded.clear();
        self.spans.clear();
        self.by_text.clear();
        self.by_pair.clear();
    }

    /// Bytes of the table as it is sent.
    pub(crate) fn encoded(&self) -> &[u8] {
        if self.spans.is_empty() {
            &[SYMBOL, 0]
        } else {
            &self.encoded
        }
    }

    /// The reference of a text.
    pub(super) fn text(&mut self, text: &str) -> u32 {
        if self.spans.is_empty() {
            self.add("");
        }
        if text.is_empty() {
            return 0;
        }
        let hash = self.hasher.hash_one(text.as_bytes());
        let (encoded, spans) = (&self.encoded, &self.spans);
        let at = |index: u32| {
            let (start, end) = spans[index as usize];
            &encoded[start as usize..end as usize]
        };
        if let Some(known) = self.by_text.find(hash, |index| at(*index) == text.as_bytes()) {
            return *known;
        }
        let index = self.add(text);
        let (encoded, spans, hasher) = (&self.encoded, &self.spans, &self.hasher);
        self.by_text.insert_unique(hash, index, |index| {
            let (start, end) = spans[*index as usize];
            hasher.hash_one(&encoded[start as usize..end as usize])
        });
        index
    }

    fn add(&mut self, text: &str) -> u32 {
        self.encoded.push(SYMBOL);
        wire::varint(&mut self.encoded, text.len() as u64);
        let start = self.encoded.len();
        self.encoded.extend_from_slice(text.as_bytes());
        // A message has some megabytes.
        let bound = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.spans.push((bound(start), bound(self.encoded.len())));
        bound(self.spans.len() - 1)
    }

    /// Appends the references of a pair's name and value, and tells whether the pair is new to the table. A pair must live until the
    /// table is cleared.
    #[inline]
    pub(super) fn pair(&mut self, pair: &Pair, out: &mut Vec<u8>) -> bool {
        let address = pair.wire().as_ptr().addr();
        let (refs, new) = match self.by_pair.get(&address) {
            Some(refs) => (*refs, false),
            None => (self.add_pair(pair, address), true),
        };
        out.extend_from_slice(&refs.bytes[..refs.length.into()]);
        new
    }

    #[cold]
    fn add_pair(&mut self, pair: &Pair, address: usize) -> Refs {
        let mut written = std::mem::take(&mut self.written);
        written.clear();
        wire::varint(&mut written, self.text(pair.name()).into());
        wire::varint(&mut written, self.text(pair.value()).into());
        let mut refs = Refs {
            bytes: [0; 10],
            length: u8::try_from(written.len()).unwrap_or(0),
        };
        refs.bytes[..written.len()].copy_from_slice(&written);
        self.written = written;
        self.by_pair.insert(address, refs);
        refs
    }

    /// An empty buffer that is used again.
    pub(super) fn take_scratch(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.scratch)
    }

    pub(super) fn keep_scratch(&mut self, mut scratch: Vec<u8>) {
        scratch.clear();
        self.scratch = scratch;
    }
}
