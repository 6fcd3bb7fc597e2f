//! The storage folder: private to its owner, and used by one process at a time.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::error::Error;

/// A folder that this process holds. The hold ends with the value, or with the process.
#[derive(Debug)]
pub(crate) struct Storage {
    _lock: Flock<File>,
}

impl Storage {
    /// Makes the folder where it is missing (mode 0700) and takes hold of it.
    ///
    /// # Errors
    /// That the folder cannot be made or written, or that another process holds it.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|error| {
                Error::caused(
                    format_args!("cannot make the storage folder {}", path.display()),
                    error,
                )
            })?;
        let lock_path = path.join("lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&lock_path)
            .map_err(|error| {
                Error::caused(
                    format_args!("cannot write in the storage folder {}", path.display()),
                    error,
                )
            })?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => Ok(Self { _lock: lock }),
            Err((_, Errno::EWOULDBLOCK)) => Err(Error::new(format_args!(
                "the storage folder {} is in use by another process; give this one its own with --storage.path",
                path.display()
            ))),
            Err((_, errno)) => Err(Error::caused(
                format_args!("cannot lock {}", lock_path.display()),
                errno,
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn one_process_at_a_time_and_nobody_else_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/data");
        let storage = Storage::open(&path).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&path.join("lock"))), (0o700, 0o600));
        let refused = Storage::open(&path).unwrap_err();
        assert!(
            refused.to_string().contains("in use by another process"),
            "{refused}"
        );
        drop(storage);
        assert!(Storage::open(&path).is_ok());
    }
}
