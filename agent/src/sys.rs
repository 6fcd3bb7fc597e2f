//! Calls to the C library that have no safe wrapper: how the heap is kept. The only unsafe code of the program.
//!
//! They are the GNU C library's, and nothing happens elsewhere: musl has one heap, and macOS gives back by itself.
#![allow(unsafe_code, reason = "see above")]

/// Has all threads use one heap. The GNU C library gives each thread one of its own, and what is freed in one is no use to the others: a
/// third of what a backlog takes. Before the first thread is started.
pub(crate) fn keep_one_heap() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `mallopt` takes two numbers and changes the allocator's settings under its own lock.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// Gives pages that the heap does not use back to the system.
pub(crate) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `malloc_trim` takes the number of bytes to leave at the heap's end, and works under the heap's own lock.
    unsafe {
        libc::malloc_trim(0);
    }
}
