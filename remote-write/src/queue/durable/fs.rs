//! What the log asks of a file system, so that tests can put one in its place that tears, fills up and lies.

#[cfg(any(test, feature = "fuzz"))]
#[cfg_attr(not(test), allow(dead_code, reason = "what tests alone break with it"))]
pub(super) mod faulty;
mod host;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

pub(crate) use host::HostFs;

/// Files of one folder, by name.
pub(crate) trait Fs: Send + Sync + fmt::Debug {
    /// The folder, for messages.
    fn folder(&self) -> &Path;

    /// Takes hold of the folder, which is made where it is missing. The hold ends with the value.
    fn hold(&self) -> io::Result<Box<dyn Send + Sync>>;

    /// The names of the folder's files.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Makes a file that is not there yet. The folder is made again if it is gone.
    fn create(&self, name: &str) -> io::Result<Arc<dyn FsFile>>;

    /// Opens a file that is there, and that cannot be written then.
    fn open_to_read(&self, name: &str) -> io::Result<Arc<dyn FsFile>>;

    /// Opens a file that is there.
    fn open(&self, name: &str) -> io::Result<Arc<dyn FsFile>>;

    /// Gives a file another name, in place of the file that had it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Moves a file out of the way, to where it is kept.
    fn set_aside(&self, name: &str) -> io::Result<()>;

    /// Deletes a file.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes names durable.
    fn sync_names(&self) -> io::Result<()>;

    /// Bytes that are free on the disk, and its size.
    fn space(&self) -> io::Result<Space>;
}

/// How much room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Space {
    pub(crate) free: u64,
    pub(crate) size: u64,
}

/// An open file.
pub(crate) trait FsFile: Send + Sync + fmt::Debug {
    /// Bytes in it.
    fn len(&self) -> io::Result<u64>;

    /// Reads from `at` on until `buffer` is full or the file ends; how much was read.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize>;

    /// Writes all of `bytes` from `at` on.
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()>;

    /// Cuts the file.
    fn cut(&self, len: u64) -> io::Result<()>;

    /// Makes durable what was written: a barrier, behind which nothing is written before it.
    fn sync(&self) -> io::Result<()>;
}
