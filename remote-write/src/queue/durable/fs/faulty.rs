//! A file system in memory that can tear, fill up, fail and forget.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::{Fs, FsFile, Space};

/// Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct FaultyFs {
    disk: Arc<Mutex<Disk>>,
    /// The faults have changed.
    changed: Arc<Condvar>,
}

#[derive(Debug, Default)]
struct Disk {
    files: BTreeMap<String, Arc<Mutex<Content>>>,
    /// The names that a power cut leaves.
    synced_names: BTreeMap<String, Arc<Mutex<Content>>>,
    aside: Vec<String>,
    held: bool,
    faults: Faults,
    read_bytes: u64,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fault of its own")]
pub(in super::super) struct Faults {
    /// Bytes that can still be written; then the disk is full, and takes a part of the last write.
    pub(in super::super) room: Option<usize>,
    pub(in super::super) no_sync: bool,
    pub(in super::super) no_create: bool,
    pub(in super::super) no_read: bool,
    /// Whoever writes or syncs waits until that is over.
    pub(in super::super) stalls: bool,
}

#[derive(Clone, Debug, Default)]
struct Content {
    bytes: Vec<u8>,
    synced: Vec<u8>,
}

#[derive(Debug)]
struct FaultyFile {
    disk: FaultyFs,
    content: Arc<Mutex<Content>>,
}

struct Hold(Arc<Mutex<Disk>>);

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FaultyFs {
    pub(in super::super) fn set(&self, faults: Faults) {
        lock(&self.disk).faults = faults;
        self.changed.notify_all();
    }

    /// Waits while the disk stalls.
    fn writable(&self) -> MutexGuard<'_, Disk> {
        let waited = self
            .changed
            .wait_while(lock(&self.disk), |disk| disk.faults.stalls);
        waited.unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes that were read so far.
    pub(in super::super) fn read_bytes(&self) -> u64 {
        lock(&self.disk).read_bytes
    }

    /// What a power cut leaves: names and bytes that were synced, and of each file `kept` per mille of what was written behind.
    pub(in super::super) fn cut_power(&self, kept: usize) {
        let mut disk = lock(&self.disk);
        disk.files = disk.synced_names.clone();
        for content in disk.files.values() {
            let mut content = lock(content);
            let more = content.bytes.len().saturating_sub(content.synced.len());
            let len = content.synced.len() + more * kept / 1000;
            content.bytes.truncate(len);
        }
    }

    /// Turns a byte of the `nth` file over.
    pub(in super::super) fn flip(&self, nth: usize, at: usize) {
        let disk = lock(&self.disk);
        if disk.files.is_empty() {
            return;
        }
        let Some(content) = disk.files.values().nth(nth % disk.files.len()) else {
            return;
        };
        let mut content = lock(content);
        let len = content.bytes.len();
        if len > 0 {
            content.bytes[at % len] ^= 0x40;
        }
    }

    pub(in super::super) fn names(&self) -> Vec<String> {
        lock(&self.disk).files.keys().cloned().collect()
    }

    /// Every file with its bytes.
    pub(in super::super) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let disk = lock(&self.disk);
        let copy =
            |(name, content): (&String, &Arc<Mutex<Content>>)| (name.clone(), lock(content).bytes.clone());
        disk.files.iter().map(copy).collect()
    }

    pub(in super::super) fn put(&self, name: &str, bytes: &[u8]) {
        let content = Content {
            bytes: bytes.to_vec(),
            synced: bytes.to_vec(),
        };
        let content = Arc::new(Mutex::new(content));
        lock(&self.disk).files.insert(name.to_owned(), content);
    }

    pub(in super::super) fn aside(&self) -> Vec<String> {
        lock(&self.disk).aside.clone()
    }

    fn file(&self, content: Arc<Mutex<Content>>) -> Arc<dyn FsFile> {
        Arc::new(FaultyFile {
            disk: self.clone(),
            content,
        })
    }
}

impl Fs for FaultyFs {
    fn folder(&self) -> &Path {
        Path::new("memory")
    }

    fn hold(&self) -> io::Result<Box<dyn Send + Sync>> {
        let mut disk = lock(&self.disk);
        if std::mem::replace(&mut disk.held, true) {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        Ok(Box::new(Hold(self.disk.clone())))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.names())
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn FsFile>> {
        let mut disk = lock(&self.disk);
        if disk.faults.no_create {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        if disk.files.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let content = Arc::new(Mutex::new(Content::default()));
        disk.files.insert(name.to_owned(), content.clone());
        Ok(self.file(content))
    }

    fn open_to_read(&self, name: &str) -> io::Result<Arc<dyn FsFile>> {
        self.open(name)
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn FsFile>> {
        let content = lock(&self.disk).files.get(name).cloned();
        content
            .map(|content| self.file(content))
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = lock(&self.disk);
        let content = disk.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        disk.files.insert(to.to_owned(), content);
        Ok(())
    }

    fn set_aside(&self, name: &str) -> io::Result<()> {
        let mut disk = lock(&self.disk);
        disk.files.remove(name).ok_or(io::ErrorKind::NotFound)?;
        disk.aside.push(name.to_owned());
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let removed = lock(&self.disk).files.remove(name);
        removed.map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_names(&self) -> io::Result<()> {
        let mut disk = lock(&self.disk);
        if disk.faults.no_sync {
            return Err(io::Error::other("input/output error"));
        }
        disk.synced_names = disk.files.clone();
        Ok(())
    }

    fn space(&self) -> io::Result<Space> {
        let room = lock(&self.disk).faults.room;
        Ok(Space {
            free: room.map_or(1 << 40, |room| room as u64),
            size: 1 << 41,
        })
    }
}

impl FsFile for FaultyFile {
    fn len(&self) -> io::Result<u64> {
        Ok(lock(&self.content).bytes.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let mut disk = lock(&self.disk.disk);
        if disk.faults.no_read {
            return Err(io::Error::other("input/output error"));
        }
        let content = lock(&self.content);
        let rest = usize::try_from(at).ok().and_then(|at| content.bytes.get(at..));
        let rest = rest.unwrap_or_default();
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        disk.read_bytes += read as u64;
        Ok(read)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        let mut disk = self.disk.writable();
        let taken = disk.faults.room.map_or(bytes.len(), |room| room.min(bytes.len()));
        if let Some(room) = &mut disk.faults.room {
            *room -= taken;
        }
        let mut content = lock(&self.content);
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let end = at + taken;
        if content.bytes.len() < end {
            content.bytes.resize(end, 0);
        }
        content.bytes[at..end].copy_from_slice(&bytes[..taken]);
        if taken < bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn cut(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        lock(&self.content).bytes.truncate(len);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        if self.disk.writable().faults.no_sync {
            return Err(io::Error::other("input/output error"));
        }
        let mut content = lock(&self.content);
        let bytes = content.bytes.clone();
        content.synced = bytes;
        Ok(())
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        lock(&self.0).held = false;
    }
}
