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

/// The mappings of the program and its libraries that are the files' content: code and constants.
///
/// What is needed of them again after it was given back is mapped again, from the page cache. What only the start or a first scrape
/// needs, such as compiling expressions and what the dynamic linker reads, is not.
#[derive(Debug)]
pub(crate) struct Files(Vec<(usize, usize)>);

impl Files {
    /// Finds them. Before a second thread is started and before anything else maps files, so that they stay as long as the process.
    pub(crate) fn find() -> Self {
        #[cfg(target_os = "linux")]
        return Self(files(
            &std::fs::read_to_string("/proc/self/smaps").unwrap_or_default(),
        ));
        #[cfg(not(target_os = "linux"))]
        Self(Vec::new())
    }

    /// Gives their pages back.
    pub(crate) fn give_back(&self) {
        for &(start, length) in &self.0 {
            // SAFETY: the mapping is of the program or a library that it was started with, which are never unmapped; it may not be
            // written and has no page of its own, so whatever is dropped is the file's content and comes back from there.
            #[cfg(target_os = "linux")]
            unsafe {
                libc::madvise(start as *mut libc::c_void, length, libc::MADV_DONTNEED);
            }
            #[cfg(not(target_os = "linux"))]
            let _ = (start, length);
        }
    }
}

/// Start and length of each mapping of `/proc/self/smaps` that is of a file, may not be written, and has no page that was.
#[cfg(target_os = "linux")]
fn files(smaps: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut current = None;
    for line in smaps.lines() {
        let mut words = line.split_ascii_whitespace();
        match (words.next(), words.next()) {
            (Some("Anonymous:"), Some("0")) => found.extend(current.take()),
            (Some(range), Some(permissions)) if !range.ends_with(':') => {
                let read_only = permissions.starts_with("r-") && permissions.ends_with('p');
                let of_a_file = words.nth(3).is_some_and(|path| path.starts_with('/'));
                current = range.split_once('-').and_then(|(start, end)| {
                    let start = usize::from_str_radix(start, 16).ok()?;
                    let end = usize::from_str_radix(end, 16).ok()?;
                    (read_only && of_a_file).then_some((start, end.checked_sub(start)?))
                });
            }
            _ => {}
        }
    }
    found
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_files_are_forgotten() {
        let mapping = |permissions: &str, file: &str, anonymous: u32| {
            format!(
                "1000-3000 {permissions} 00000000 fd:00 12 {file}\nSize: 8 kB\nAnonymous: {anonymous} kB\nVmFlags: rd mr\n"
            )
        };
        for permissions in ["r-xp", "r--p"] {
            assert_eq!(
                files(&mapping(permissions, "/usr/bin/program", 0)),
                [(0x1000, 0x2000)]
            );
        }
        for other in [
            mapping("r--p", "/usr/bin/program", 4),
            mapping("rwxp", "/usr/bin/program", 0),
            mapping("r--s", "/usr/bin/program", 0),
            mapping("r-xp", "[vdso]", 0),
            mapping("r-xp", "", 0),
            String::new(),
        ] {
            assert!(files(&other).is_empty(), "{other}");
        }
        let files = Files::find();
        assert!(!files.0.is_empty());
        files.give_back();
        give_back();
    }
}
