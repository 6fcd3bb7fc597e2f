//! Calls to the C library that have no safe wrapper: how memory is kept. The only unsafe code of the program.
//!
//! Those of the heap are the GNU C library's, and nothing happens elsewhere: musl has one heap, and macOS gives back by itself.
#![allow(unsafe_code, reason = "see above")]

/// From this many bytes on a buffer is kept outside of the heap.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE: libc::c_int = 128 << 10;

/// Has all threads use one heap, and keeps what is large out of it. The GNU C library gives each thread a heap of its own, and what is
/// freed in one is no use to the others: a third of what a backlog takes. And it puts the larger buffers on the heap the larger those are
/// that were freed, so that after a spike little at the heap's end keeps all before it. Before the first thread is started.
pub(crate) fn keep_one_heap() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `mallopt` takes two numbers and changes the allocator's settings under its own lock.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
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

/// Gives back the code that has run so far. What runs again is mapped again from the page cache, sixteen pages at a time;
/// what only a start or a reload needs is not.
pub(crate) fn forget_code() {
    #[cfg(target_os = "linux")]
    for (start, length) in std::fs::read_to_string("/proc/self/maps")
        .unwrap_or_default()
        .lines()
        .filter_map(code)
    {
        // SAFETY: a private mapping of a file that may not be written has no pages of its own, so what is dropped is the
        // file's content, and comes back from there when it is next used.
        unsafe {
            libc::madvise(start as *mut libc::c_void, length, libc::MADV_DONTNEED);
        }
    }
}

/// Start and length of a mapping, a line of `/proc/self/maps` (`proc_pid_maps(5)`), if it is code of a file.
#[cfg(target_os = "linux")]
fn code(line: &str) -> Option<(usize, usize)> {
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let start = usize::from_str_radix(start, 16).ok()?;
    let length = usize::from_str_radix(end, 16).ok()?.checked_sub(start)?;
    let of_a_file = words.next()? == "r-xp" && words.nth(3)?.starts_with('/');
    of_a_file.then_some((start, length))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn code_of_files_alone_is_forgotten() {
        let of = |permissions: &str, file: &str| code(&format!("1000-3000 {permissions} 0 fd:00 12 {file}"));
        assert_eq!(of("r-xp", "/usr/bin/program"), Some((0x1000, 0x2000)));
        for (permissions, file) in [
            ("r--p", "/bin/p"),
            ("rwxp", "/bin/p"),
            ("r-xp", "[vdso]"),
            ("r-xp", ""),
        ] {
            assert_eq!(of(permissions, file), None, "{permissions} {file}");
        }
        assert_eq!(code(""), None);
        forget_code();
        give_back();
    }
}
