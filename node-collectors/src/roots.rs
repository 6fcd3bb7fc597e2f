//! Where the kernel's file trees are: the only place paths come from, so that a fixture tree or a
//! container's `/host/proc` works as the live system does.

use std::path::{Path, PathBuf};

/// The folders that collectors read below. System calls (netlink, `statfs`, `adjtimex`, mach, IOKit) are
/// always those of the running system, whatever stands here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roots {
    /// procfs, `/proc`.
    pub proc: PathBuf,
    /// sysfs, `/sys`.
    pub sys: PathBuf,
    /// The root file system, `/`: mount points and `etc/os-release` are looked up below it.
    pub rootfs: PathBuf,
    /// udev's device database, `/run/udev/data`.
    pub udev: PathBuf,
}

impl Default for Roots {
    fn default() -> Self {
        Self {
            proc: "/proc".into(),
            sys: "/sys".into(),
            rootfs: "/".into(),
            udev: "/run/udev/data".into(),
        }
    }
}

impl Roots {
    pub(crate) fn proc(&self, path: impl AsRef<Path>) -> PathBuf {
        self.proc.join(path)
    }

    pub(crate) fn sys(&self, path: impl AsRef<Path>) -> PathBuf {
        self.sys.join(path)
    }

    pub(crate) fn rootfs(&self, path: impl AsRef<Path>) -> PathBuf {
        self.rootfs.join(path)
    }
}
