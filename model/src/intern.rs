//! The process-wide pool of label pairs.
//!
//! A name with its value is stored once, however many series have it, and is stored as remote write 1.0
//! puts it on the wire, so that encoding a series is copying its pairs' bytes. A pair is freed with its last
//! handle: nothing scans the pool.

use std::fmt;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// A handle to an interned label. Cloning is reference counting; equality is identity.
pub struct Pair {
    entry: Arc<Entry>,
}

struct Entry {
    /// Handles outside the pool. The pool's own reference is not one of them.
    handles: AtomicUsize,
    hash: u64,
    name_start: u8,
    name_len: u32,
    value_len: u32,
    wire: Box<[u8]>,
}

/// The pool is split so that layouts built on two threads seldom wait for one another.
const SHARDS: usize = 16;

struct Pool {
    hasher: RandomState,
    shards: [Mutex<HashTable<Arc<Entry>>>; SHARDS],
}

static POOL: LazyLock<Pool> = LazyLock::new(|| Pool {
    hasher: RandomState::default(),
    shards: std::array::from_fn(|_| Mutex::default()),
});

impl Pool {
    fn shard(&self, hash: u64) -> MutexGuard<'_, HashTable<Arc<Entry>>> {
        // The table itself uses the low bits.
        let index = usize::try_from(hash >> 58).unwrap_or(0) % SHARDS;
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn new(name: &str, value: &str, hash: u64) -> Self {
        let (name_len, value_len) = (clamp_len(name), clamp_len(value));
        let message = field_len(name_len) + field_len(value_len);
        let mut wire = Vec::with_capacity(1 + varint_len(message) + message as usize);
        wire.push(0x0a);
        put_varint(&mut wire, message);
        wire.push(0x0a);
        put_varint(&mut wire, name_len);
        let name_start = u8::try_from(wire.len()).unwrap_or(u8::MAX);
        wire.extend_from_slice(&name.as_bytes()[..name_len as usize]);
        wire.push(0x12);
        put_varint(&mut wire, value_len);
        wire.extend_from_slice(&value.as_bytes()[..value_len as usize]);
        Self {
            handles: AtomicUsize::new(1),
            hash,
            name_start,
            name_len,
            value_len,
            wire: wire.into(),
        }
    }

    fn name_bytes(&self) -> &[u8] {
        let start = usize::from(self.name_start);
        &self.wire[start..start + self.name_len as usize]
    }

    fn value_bytes(&self) -> &[u8] {
        &self.wire[self.wire.len() - self.value_len as usize..]
    }

    fn name(&self) -> &str {
        std::str::from_utf8(self.name_bytes()).unwrap_or_default()
    }

    fn value(&self) -> &str {
        std::str::from_utf8(self.value_bytes()).unwrap_or_default()
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.name_bytes() == name.as_bytes() && self.value_bytes() == value.as_bytes()
    }
}

impl Pair {
    /// The handle for `name="value"`, which is stored if it is new.
    ///
    /// Text beyond 1 GiB is cut, which no receiver would take.
    pub fn intern(name: &str, value: &str) -> Self {
        let hash = POOL.hasher.hash_one((name, value));
        let mut shard = POOL.shard(hash);
        if let Some(entry) = shard.find(hash, |e| e.hash == hash && e.is(name, value)) {
            entry.handles.fetch_add(1, Ordering::Relaxed);
            return Self {
                entry: Arc::clone(entry),
            };
        }
        let entry = Arc::new(Entry::new(name, value, hash));
        shard.insert_unique(hash, Arc::clone(&entry), |e| e.hash);
        Self { entry }
    }

    /// The label's name.
    pub fn name(&self) -> &str {
        self.entry.name()
    }

    /// The label's value.
    pub fn value(&self) -> &str {
        self.entry.value()
    }

    /// Whether it is `name="value"`: cheaper than comparing name and value, which are checked to be text when asked for.
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.entry.is(name, value)
    }

    /// How its name compares with another: the order of labels.
    pub fn cmp_name(&self, name: &str) -> std::cmp::Ordering {
        self.entry.name_bytes().cmp(name.as_bytes())
    }

    /// The label as field 1 (`labels`) of a remote write 1.0 `TimeSeries`: tag, length, and the `Label`
    /// message with the name as field 1 and the value as field 2.
    pub fn wire(&self) -> &[u8] {
        &self.entry.wire
    }

    /// A number that is that of equal pairs alone, as long as one of them lives.
    pub fn address(&self) -> usize {
        Arc::as_ptr(&self.entry) as usize
    }
}

/// How many distinct label pairs the process holds at present.
pub fn pairs_in_use() -> usize {
    POOL.shards
        .iter()
        .map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).len())
        .sum()
}

fn clamp_len(text: &str) -> u32 {
    const LIMIT: usize = 1 << 30;
    u32::try_from(text.floor_char_boundary(LIMIT)).unwrap_or(0)
}

fn varint_len(value: u32) -> usize {
    (32 - (value | 1).leading_zeros()).div_ceil(7) as usize
}

fn field_len(len: u32) -> u32 {
    1 + u32::try_from(varint_len(len)).unwrap_or(0) + len
}

fn put_varint(out: &mut Vec<u8>, mut value: u32) {
    loop {
        let low = value.to_le_bytes()[0] & 0x7f;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

// === impl Pair: handles ===

impl Clone for Pair {
    fn clone(&self) -> Self {
        self.entry.handles.fetch_add(1, Ordering::Relaxed);
        Self {
            entry: Arc::clone(&self.entry),
        }
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        if self.entry.handles.fetch_sub(1, Ordering::AcqRel) != 1 {
            return;
        }
        let mut shard = POOL.shard(self.entry.hash);
        // Between the decrement and the lock the pair may have been interned again.
        if self.entry.handles.load(Ordering::Acquire) == 0
            && let Ok(found) = shard.find_entry(self.entry.hash, |e| Arc::ptr_eq(e, &self.entry))
        {
            found.remove();
            let few = shard.len();
            if shard.capacity() > 8 * few + 1024 {
                shard.shrink_to(2 * few, |entry| entry.hash);
            }
        }
    }
}

impl PartialEq for Pair {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.entry, &other.entry)
    }
}

impl Eq for Pair {}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={:?}", self.name(), self.value())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stored(name: &str, value: &str) -> bool {
        let hash = POOL.hasher.hash_one((name, value));
        POOL.shard(hash)
            .find(hash, |e| e.name() == name && e.value() == value)
            .is_some()
    }

    #[test]
    fn one_entry_for_equal_pairs_and_none_after_the_last() {
        let one = Pair::intern("intern_test", "x");
        let two = Pair::intern("intern_test", "x");
        assert_eq!(one, two);
        assert_ne!(one, Pair::intern("intern_test", "y"));
        drop(one);
        assert!(stored("intern_test", "x"));
        drop(two);
        assert!(!stored("intern_test", "x"));
    }

    #[test]
    fn wire_form_is_the_label_field() {
        let pair = Pair::intern("job", "api");
        assert_eq!(pair.wire(), b"\x0a\x0a\x0a\x03job\x12\x03api");
        let long = "v".repeat(300);
        let pair = Pair::intern("n", &long);
        assert_eq!(&pair.wire()[..5], b"\x0a\xb2\x02\x0a\x01");
        assert_eq!((pair.name(), pair.value()), ("n", long.as_str()));
    }

    proptest! {
        #[test]
        fn text_comes_back(name in ".{0,200}", value in ".{0,200}") {
            let pair = Pair::intern(&name, &value);
            prop_assert_eq!(pair.name(), name);
            prop_assert_eq!(pair.value(), value);
        }
    }

    #[test]
    fn handles_from_many_threads_leave_nothing_behind() {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for round in 0..2_000 {
                        let pair = Pair::intern("intern_threads", if round % 3 == 0 { "a" } else { "b" });
                        drop(pair.clone());
                    }
                });
            }
        });
        assert!(!stored("intern_threads", "a") && !stored("intern_threads", "b"));
    }
}
