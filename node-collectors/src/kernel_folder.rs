//! Folders of sysfs whose attributes stay open from one scrape to the next.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{SysconfVar, sysconf};

use crate::kernel_file::is_of_the_kernel;
use crate::read::{Buffer, Folder};

/// How many files a collector may keep open: a quarter of what the process may open.
pub(crate) fn most_kept() -> usize {
    let most = sysconf(SysconfVar::OPEN_MAX).ok().flatten();
    most.and_then(|most| usize::try_from(most).ok())
        .map_or(0, |most| most / 4)
}

/// A folder that was found under a path, and `N` of its files.
#[derive(Debug)]
pub(crate) struct KernelFolder<const N: usize> {
    folder: Folder,
    /// Tells the folder from another one that comes under its name later: sysfs gives no number twice.
    inode: (u64, u64),
    of_the_kernel: bool,
    files: [Option<File>; N],
}

impl<const N: usize> KernelFolder<N> {
    /// What is at `path` now, with the open files of `kept` if that is the same folder.
    pub(crate) fn open(path: &Path, kept: Option<Self>) -> io::Result<Self> {
        if let Some(kept) = kept {
            let found = std::fs::metadata(path)?;
            if kept.inode == (found.dev(), found.ino()) {
                return Ok(kept);
            }
        }
        let folder = Folder::open_path(path)?;
        let found = folder.handle().metadata()?;
        Ok(Self {
            inode: (found.dev(), found.ino()),
            of_the_kernel: is_of_the_kernel(folder.handle()),
            folder,
            files: [const { None }; N],
        })
    }

    /// Whether it may be kept. The files of other file systems than the kernel's are to be opened anew.
    pub(crate) fn is_of_the_kernel(&self) -> bool {
        self.of_the_kernel
    }

    /// The trimmed content of the file `name`, which is always read at the place `at`.
    pub(crate) fn attribute<'b>(
        &mut self,
        at: usize,
        name: &str,
        buffer: &'b mut Buffer,
    ) -> io::Result<&'b [u8]> {
        let Some(place) = self.files.get_mut(at) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let file = match place {
            Some(file) => file,
            None => place.insert(self.folder.open(name)?),
        };
        buffer.read_once(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_kept_while_the_folder_is_the_same() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("eth0");
        let make = |content: &str| {
            std::fs::create_dir(&path).unwrap();
            std::fs::write(path.join("mtu"), content).unwrap();
        };
        make("1500\n");
        let mut buffer = Buffer::take();
        let mut folder = KernelFolder::<1>::open(&path, None).unwrap();
        assert!(!folder.is_of_the_kernel());
        assert_eq!(folder.attribute(0, "mtu", &mut buffer).unwrap(), b"1500");
        assert!(folder.attribute(1, "mtu", &mut buffer).is_err());
        std::fs::write(path.join("mtu"), "9000\n").unwrap();
        let mut folder = KernelFolder::open(&path, Some(folder)).unwrap();
        assert!(folder.files[0].is_some());
        assert_eq!(folder.attribute(0, "mtu", &mut buffer).unwrap(), b"9000");
        std::fs::rename(&path, parent.path().join("eth1")).unwrap();
        make("68\n");
        let mut folder = KernelFolder::open(&path, Some(folder)).unwrap();
        assert_eq!(folder.attribute(0, "mtu", &mut buffer).unwrap(), b"68");
        std::fs::remove_dir_all(&path).unwrap();
        assert!(KernelFolder::open(&path, Some(folder)).is_err());
        assert!(most_kept() > 0);
    }
}
