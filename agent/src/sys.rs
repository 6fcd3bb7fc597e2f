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

/// Gives back the pages of the program and its libraries that are the files' content: code and constants. What is needed again is mapped
/// again from the page cache, sixteen pages at a time; what only a start or a reload needs is not.
pub(crate) fn forget_files() {
    #[cfg(target_os = "linux")]
    for (start, length) in files(&std::fs::read_to_string("/proc/self/smaps").unwrap_or_default()) {
        // SAFETY: a private mapping of a file that may not be written and has no page of its own, so what is dropped is the
        // file's content, and comes back from there when it is next used.
        unsafe {
            libc::madvise(start as *mut libc::c_void, length, libc::MADV_DONTNEED);
        }
    }
}

/// Start and length of the mappings in `/proc/self/smaps` (`proc_pid_smaps(5)`) that are of files, may not be written, and have no page
/// that was: the dynamic linker writes into some before it protects them.
#[cfg(target_os = "linux")]
fn files(smaps: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut last = None;
    for line in smaps.lines() {
        if line.starts_with("Anonymous:") {
            let untouched = line.split_ascii_whitespace().nth(1) == Some("0");
            found.extend(last.take().filter(|_| untouched));
        } else if line
            .split_once(' ')
            .is_some_and(|(range, _)| !range.ends_with(':'))
        {
            last = file(line);
        }
    }
    found
}

/// Start and length of a mapping that its first line says to be of a file, and not to be written.
#[cfg(target_os = "linux")]
fn file(line: &str) -> Option<(usize, usize)> {
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let start = usize::from_str_radix(start, 16).ok()?;
    let length = usize::from_str_radix(end, 16).ok()?.checked_sub(start)?;
    let of_a_file = matches!(words.next()?, "r-xp" | "r--p") && words.nth(3)?.starts_with('/');
    of_a_file.then_some((start, length))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_the_content_of_files_is_forgotten() {
        let of = |permissions: &str, file: &str, anonymous: u32| {
            files(&format!(
                "1000-3000 {permissions} 0 fd:00 12 {file}\nRss: 8 kB\nAnonymous: {anonymous} kB\nVmFlags: rd mr mw\n"
            ))
        };
        for permissions in ["r-xp", "r--p"] {
            assert_eq!(of(permissions, "/usr/bin/program", 0), [(0x1000, 0x2000)]);
        }
        for (permissions, file, anonymous) in [
            ("r--p", "/bin/p", 4),
            ("rwxp", "/bin/p", 0),
            ("r--s", "/bin/p", 0),
            ("r-xp", "[vdso]", 0),
            ("r-xp", "", 0),
        ] {
            assert_eq!(of(permissions, file, anonymous), [], "{permissions} {file}");
        }
        // A mapping that is none of these does not take over what the one before left.
        let two = "1000-2000 r-xp 0 fd:00 1 /bin/p\n3000-4000 rw-p 0 00:00 0 \nAnonymous: 0 kB\n";
        assert_eq!(files(two), []);
        forget_files();
        give_back();
    }
}
