//! Counting of work, for tests that what a text costs grows as its length does: they count steps instead of measuring time,
//! and so say the same on every machine. Outside of tests nothing is counted.
//!
//! Counted are looks at bytes, tokens and items, bytes that are written, and lookups of places.

#[cfg(test)]
mod linear;

#[cfg(test)]
thread_local! {
    static DONE: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Counts so many steps.
#[cfg(test)]
pub(crate) fn count(steps: usize) {
    DONE.with(|done| done.set(done.get() + steps as u64));
}

/// Counts nothing.
#[cfg(not(test))]
#[inline]
pub(crate) fn count(_: usize) {}

/// The steps that this takes.
#[cfg(test)]
pub(crate) fn of(run: impl FnOnce()) -> u64 {
    let before = DONE.get();
    run();
    DONE.get() - before
}
