//! Reading small kernel files with as few system calls as possible, into buffers that are lent out and taken back, so that
//! a scrape allocates nothing once warm, on whichever thread it runs.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;

use crate::error::Error;
use crate::kernel_file::KernelFile;

/// Most that is read of one file; no file of procfs that a collector reads comes near.
const LARGEST: usize = 16 << 20;
/// A buffer that grew beyond this is not kept.
const KEPT: usize = 256 << 10;
/// What one read of a sysfs attribute asks for: the kernel gives at most a page.
const ATTRIBUTE: usize = 4096;

/// How many buffers wait at most: as many as a collector has at once.
const IDLE_AT_MOST: usize = 4;

static IDLE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// A read buffer, lent and given back when dropped.
#[derive(Debug)]
pub(crate) struct Buffer {
    /// Initialised to its whole length, so that reading into it costs no clearing.
    bytes: Vec<u8>,
}

impl Buffer {
    pub(crate) fn take() -> Self {
        let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Self {
            bytes: idle.unwrap_or_else(|| vec![0; 2 * ATTRIBUTE]),
        }
    }

    /// The whole content of a procfs file, whose size the kernel does not tell beforehand.
    pub(crate) fn file(&mut self, path: &Path) -> Result<&[u8], Error> {
        let end = File::open(path)
            .and_then(|file| self.read_all(&file))
            .map_err(|source| Error::read(path, source))?;
        Ok(&self.bytes[..end])
    }

    /// As [`Buffer::file`], and `None` if there is no such file.
    pub(crate) fn optional(&mut self, path: &Path) -> Result<Option<&[u8]>, Error> {
        match File::open(path).and_then(|file| self.read_all(&file)) {
            Ok(end) => Ok(Some(&self.bytes[..end])),
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::read(path, source)),
        }
    }

    /// As [`Buffer::file`], of a file that stays open if it is the kernel's.
    pub(crate) fn kept(&mut self, file: &KernelFile) -> Result<&[u8], Error> {
        let end = file
            .with(|open| self.again(open))
            .map_err(|source| Error::read(file, source))?;
        Ok(&self.bytes[..end])
    }

    /// As [`Buffer::kept`], and `None` if there is no such file.
    pub(crate) fn kept_optional(&mut self, file: &KernelFile) -> Result<Option<&[u8]>, Error> {
        match file.with(|open| self.again(open)) {
            Ok(end) => Ok(Some(&self.bytes[..end])),
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::read(file, source)),
        }
    }

    /// A sysfs attribute, trimmed: one `read(2)`, never repeated, since some drivers answer the second with a hang.
    pub(crate) fn attribute(&mut self, path: &Path) -> io::Result<&[u8]> {
        let file = File::open(path)?;
        self.read_once(&file)
    }

    /// As [`Buffer::attribute`], of a file in an open folder.
    pub(crate) fn attribute_at(&mut self, folder: &Folder, name: &str) -> io::Result<&[u8]> {
        let file = folder.open(name)?;
        self.read_once(&file)
    }

    /// At least `length` bytes to fill, for what is received from a socket.
    #[cfg(target_os = "linux")]
    pub(crate) fn space(&mut self, length: usize) -> &mut [u8] {
        if self.bytes.len() < length {
            self.bytes.resize(length, 0);
        }
        &mut self.bytes
    }

    /// What one read from the start of a file gives, trimmed.
    pub(crate) fn read_once(&mut self, file: &File) -> io::Result<&[u8]> {
        let end = file.read_at(&mut self.bytes[..ATTRIBUTE], 0)?;
        Ok(self.bytes[..end].trim_ascii())
    }

    fn read_all(&mut self, mut file: &File) -> io::Result<usize> {
        self.fill(|space, _| file.read(space))
    }

    /// Reads the whole of a file that may have been read before; gives the length.
    pub(crate) fn again(&mut self, file: &File) -> io::Result<usize> {
        self.fill(|space, at| file.read_at(space, at as u64))
    }

    fn fill(&mut self, mut read: impl FnMut(&mut [u8], usize) -> io::Result<usize>) -> io::Result<usize> {
        let mut end = 0;
        loop {
            if end == self.bytes.len() {
                if end >= LARGEST {
                    return Ok(end);
                }
                self.bytes.resize(2 * end, 0);
            }
            match read(&mut self.bytes[end..], end) {
                Ok(0) => return Ok(end),
                Ok(read) => end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.bytes.len() <= KEPT {
            let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < IDLE_AT_MOST {
                idle.push(std::mem::take(&mut self.bytes));
            }
        }
    }
}

/// An open folder: its files are opened by name without walking the path again.
#[derive(Debug)]
pub(crate) struct Folder {
    handle: File,
}

impl Folder {
    pub(crate) fn open_path(path: &Path) -> io::Result<Self> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let handle = nix::fcntl::open(path, flags, Mode::empty())?;
        Ok(Self {
            handle: File::from(handle),
        })
    }

    /// The open folder itself.
    pub(crate) fn handle(&self) -> &File {
        &self.handle
    }

    pub(crate) fn open(&self, name: &str) -> io::Result<File> {
        let file = openat(
            &self.handle,
            name,
            OFlag::O_RDONLY | OFlag::O_CLOEXEC,
            Mode::empty(),
        )?;
        Ok(File::from(file))
    }
}

/// The names in a folder, in order; names that are not UTF-8 are left out, since sysfs has none.
pub(crate) fn entries(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        if let Ok(name) = entry?.file_name().into_string() {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// As [`entries`], and nothing for an absent folder.
pub(crate) fn entries_if_any(folder: &Path) -> Result<Vec<String>, Error> {
    match entries(folder) {
        Ok(names) => Ok(names),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Error::read(folder, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_read_whole_and_an_attribute_in_one_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long");
        let content = b"0123456789\n".repeat(3000);
        std::fs::write(&path, &content).unwrap();
        let mut buffer = Buffer::take();
        assert_eq!(buffer.file(&path).unwrap(), content);
        assert!(buffer.attribute(&path).unwrap().len() <= ATTRIBUTE);
        let opened = Folder::open_path(folder.path()).unwrap();
        assert!(
            buffer
                .attribute_at(&opened, "long")
                .unwrap()
                .starts_with(b"0123456789\n0")
        );
        assert!(buffer.optional(&folder.path().join("absent")).unwrap().is_none());
        assert!(
            buffer
                .file(&folder.path().join("absent"))
                .unwrap_err()
                .is_not_found()
        );
        assert_eq!(entries(folder.path()).unwrap(), ["long"]);
        assert!(entries_if_any(&folder.path().join("absent")).unwrap().is_empty());
    }

    #[test]
    fn buffers_nest_and_come_back() {
        let outer = Buffer::take();
        let inner = Buffer::take();
        drop(inner);
        drop(outer);
        let many: Vec<_> = (0..2 * IDLE_AT_MOST).map(|_| Buffer::take()).collect();
        drop(many);
        assert!(IDLE.lock().unwrap().len() <= IDLE_AT_MOST);
    }
}
