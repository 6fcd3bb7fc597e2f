//! Files of procfs and sysfs that stay open from one scrape to the next.
//!
//! Opening such a file costs several times what reading it does. The kernel writes its content anew when it is read
//! from the start, so an open one is as good as a new one. Only files of these two file systems are kept: any other
//! may be replaced under its name. A process that enters other namespaces builds its set anew.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The path of a kernel file, and the file itself while nobody reads it.
#[derive(Debug)]
pub(crate) struct KernelFile {
    path: PathBuf,
    idle: Mutex<Option<File>>,
}

impl KernelFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            idle: Mutex::new(None),
        }
    }

    /// Has `read` read the file from its start. One reader has it at a time, since the kernel remembers for an open
    /// file where in its content it is; others open it for themselves.
    pub(crate) fn with<T>(&self, mut read: impl FnMut(&File) -> io::Result<T>) -> io::Result<T> {
        let idle = self.lock().take();
        if let Some(file) = idle {
            // What it belonged to may be gone and back again under its name.
            if let Ok(content) = read(&file) {
                *self.lock() = Some(file);
                return Ok(content);
            }
        }
        let file = File::open(&self.path)?;
        let content = read(&file)?;
        if is_of_the_kernel(&file) {
            *self.lock() = Some(file);
        }
        Ok(content)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<File>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for KernelFile {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

/// Whether a file is one of procfs or sysfs.
#[cfg(target_os = "linux")]
pub(crate) fn is_of_the_kernel(file: impl std::os::fd::AsFd) -> bool {
    use nix::sys::statfs::{PROC_SUPER_MAGIC, SYSFS_MAGIC, fstatfs};
    fstatfs(file).is_ok_and(|found| [PROC_SUPER_MAGIC, SYSFS_MAGIC].contains(&found.filesystem_type()))
}

/// Whether a file is one of procfs or sysfs: there are none.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_of_the_kernel(_file: impl std::os::fd::AsFd) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::Buffer;

    #[test]
    fn files_that_may_be_replaced_are_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let file = KernelFile::new(folder.path().join("stat"));
        let mut buffer = Buffer::take();
        assert!(buffer.kept_optional(&file).unwrap().is_none());
        assert!(buffer.kept(&file).unwrap_err().is_not_found());
        for content in ["one", "two"] {
            let new = folder.path().join("new");
            std::fs::write(&new, content).unwrap();
            std::fs::rename(&new, &*file).unwrap();
            assert_eq!(buffer.kept(&file).unwrap(), content.as_bytes());
            assert!(file.lock().is_none());
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn kernel_files_stay_open_and_are_written_anew() {
        let file = KernelFile::new("/proc/thread-self/stat".into());
        let mut buffer = Buffer::take();
        let first = buffer.kept(&file).unwrap().to_vec();
        assert!(file.lock().is_some());
        assert!(buffer.kept(&file).unwrap().starts_with(&first[..3]));
        // The thread is gone, and its open file answers no more.
        let gone = std::thread::scope(|scope| {
            let thread = scope.spawn(|| KernelFile {
                path: "/proc/self/stat".into(),
                idle: Mutex::new(Some(File::open("/proc/thread-self/stat").unwrap())),
            });
            thread.join().unwrap()
        });
        assert!(buffer.kept(&gone).unwrap().ends_with(b"\n"));
        let other = gone.lock().take();
        assert!(other.is_some_and(|file| Buffer::take().again(&file).is_ok()));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn readers_at_once_each_get_the_whole() {
        let file = KernelFile::new("/proc/self/maps".into());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let mut buffer = Buffer::take();
                        let content = buffer.kept(&file).unwrap();
                        let whole = |line: &[u8]| line.contains(&b'-') && line.contains(&b':');
                        assert!(content.trim_ascii_end().split(|b| *b == b'\n').all(whole));
                    }
                });
            }
        });
    }
}
