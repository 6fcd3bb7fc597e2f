//! Calls that keep the program small: the only unsafe code of it.
//!
//! They are the GNU C library's and Linux's; elsewhere nothing happens.
#![allow(unsafe_code, reason = "see above")]

/// From this many bytes on a buffer is kept outside of the heap.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE: libc::c_int = 32 << 10;

/// Has all threads use one heap, and keeps what is large out of it, where it would leave holes. The GNU C library gives each thread
/// a heap of its own, where what others freed is of no use. Before the first thread is started.
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

/// Gives back the code that has run so far. What runs again is mapped again, from the page cache; what only the start needs, such as
/// compiling expressions, is not.
pub(crate) fn forget_code() {
    #[cfg(target_os = "linux")]
    for (start, length) in std::fs::read_to_string("/proc/self/maps")
        .unwrap_or_default()
        .lines()
        .filter_map(code)
    {
        // SAFETY: a private mapping of a file that may not be written has no pages of its own: whatever is dropped is
        // the file's content, and comes back from there when it is next used.
        unsafe {
            libc::madvise(start as *mut libc::c_void, length, libc::MADV_DONTNEED);
        }
    }
}

/// Start and length of a mapping of `/proc/self/maps`, if it is code of a file.
#[cfg(target_os = "linux")]
fn code(line: &str) -> Option<(usize, usize)> {
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let (start, end) = (
        usize::from_str_radix(start, 16).ok()?,
        usize::from_str_radix(end, 16).ok()?,
    );
    let of_a_file = words.next()? == "r-xp" && words.nth(3)?.starts_with('/');
    of_a_file.then_some((start, end.checked_sub(start)?))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn code_of_files_alone_is_forgotten() {
        let line =
            |permissions: &str, file: &str| format!("1000-3000 {permissions} 00000000 fd:00 12 {file}");
        assert_eq!(code(&line("r-xp", "/usr/bin/program")), Some((0x1000, 0x2000)));
        for other in [
            line("r--p", "/usr/bin/program"),
            line("rwxp", "/usr/bin/program"),
            line("r-xp", "[vdso]"),
            line("r-xp", ""),
            String::new(),
        ] {
            assert_eq!(code(&other), None, "{other}");
        }
        forget_code();
        give_back();
    }
}
