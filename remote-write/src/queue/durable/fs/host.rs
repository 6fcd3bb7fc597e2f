//! The host's file system.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::statvfs::statvfs;

use super::{Fs, FsFile, Space};

const LOCK: &str = "lock";
const ASIDE: &str = "set-aside";

/// One folder of the host, private to its owner.
#[derive(Debug)]
pub(crate) struct HostFs {
    folder: PathBuf,
    /// Whether names have changed since they were made durable: mostly they have not, and a sync costs what it costs.
    renamed: AtomicBool,
}

#[derive(Debug)]
struct HostFile(File);

// === impl HostFs ===

impl HostFs {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            renamed: AtomicBool::new(true),
        }
    }

    /// A path whose name is about to come or go.
    fn changing(&self, name: &str) -> PathBuf {
        self.renamed.store(true, Ordering::Relaxed);
        self.folder.join(name)
    }
}

fn make(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

impl Fs for HostFs {
    fn folder(&self) -> &Path {
        &self.folder
    }

    fn hold(&self) -> io::Result<Box<dyn Send + Sync>> {
        make(&self.folder)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(self.folder.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => Ok(Box::new(lock)),
            Err(TryLockError::WouldBlock) => Err(io::Error::new(
                io::ErrorKind::ResourceBusy,
                "another process or writer uses it",
            )),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                names.extend(entry.file_name().into_string());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn FsFile>> {
        let path = self.changing(name);
        let open = || {
            OpenOptions::new()
                .create_new(true)
                .read(true)
                .write(true)
                .mode(0o600)
                .open(&path)
        };
        let file = match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(&self.folder)?;
                open()?
            }
            opened => opened?,
        };
        Ok(Arc::new(HostFile(file)))
    }

    fn open_to_read(&self, name: &str) -> io::Result<Arc<dyn FsFile>> {
        Ok(Arc::new(HostFile(File::open(self.folder.join(name))?)))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn FsFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(self.folder.join(name))?;
        Ok(Arc::new(HostFile(file)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.folder.join(from), self.changing(to))
    }

    fn set_aside(&self, name: &str) -> io::Result<()> {
        let aside = self.folder.join(ASIDE);
        make(&aside)?;
        let free = (0..).find_map(|nth: u32| {
            let path = if nth == 0 {
                aside.join(name)
            } else {
                aside.join(format!("{name}.{nth}"))
            };
            (!path.exists()).then_some(path)
        });
        fs::rename(self.changing(name), free.unwrap_or_else(|| aside.join(name)))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.changing(name))
    }

    fn sync_names(&self) -> io::Result<()> {
        if !self.renamed.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        File::open(&self.folder)
            .and_then(|folder| folder.sync_all())
            .inspect_err(|_| self.renamed.store(true, Ordering::Relaxed))
    }

    #[allow(
        clippy::useless_conversion,
        clippy::unnecessary_cast,
        reason = "the widths differ from system to system"
    )]
    fn space(&self) -> io::Result<Space> {
        let found = statvfs(&self.folder)?;
        let unit = u64::from(found.fragment_size());
        Ok(Space {
            free: unit.saturating_mul(u64::from(found.blocks_available())),
            size: unit.saturating_mul(u64::from(found.blocks())),
        })
    }
}

impl FsFile for HostFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let mut read = 0;
        while read < buffer.len() {
            match self.0.read_at(&mut buffer[read..], at + read as u64) {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, at)
    }

    fn cut(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    #[cfg(target_os = "macos")]
    fn sync(&self) -> io::Result<()> {
        use nix::fcntl::{FcntlArg, fcntl};
        // A barrier costs a hundredth of a full flush of the drive's cache, and keeps the order, which is what recovery needs.
        fcntl(&self.0, FcntlArg::F_BARRIERFSYNC)
            .map(drop)
            .or_else(|_| self.0.sync_data())
    }

    #[cfg(not(target_os = "macos"))]
    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}
