//! What btrfs tells of a file system and its devices, by ioctl(2) on a folder of it (include/uapi/linux/btrfs.h).

#![allow(unsafe_code, reason = "the ioctls of btrfs have no safe wrapper")]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// `struct btrfs_ioctl_fs_info_args`.
pub(crate) type FsInfo = [u8; 1024];
/// `struct btrfs_ioctl_dev_info_args`.
pub(crate) type DevInfo = [u8; 4096];
/// `struct btrfs_ioctl_get_dev_stats`.
pub(crate) type DevStats = [u8; 1032];

/// `BTRFS_IOCTL_MAGIC`.
const MAGIC: u8 = 0x94;
/// Place of `nr_items` in the statistics: how many counters there is room for.
const ITEMS: usize = 8;

nix::ioctl_read!(btrfs_fs_info, MAGIC, 31, FsInfo);
nix::ioctl_readwrite!(btrfs_dev_info, MAGIC, 30, DevInfo);
nix::ioctl_readwrite!(btrfs_get_dev_stats, MAGIC, 52, DevStats);

/// `BTRFS_IOC_FS_INFO`: of the file system that the folder is on.
pub(crate) fn file_system(folder: &File) -> io::Result<FsInfo> {
    let mut info = [0; size_of::<FsInfo>()];
    // SAFETY: the descriptor is open, and the kernel writes no more than the structure's size, which is part of the request.
    unsafe { btrfs_fs_info(folder.as_raw_fd(), &raw mut info) }?;
    Ok(info)
}

/// `BTRFS_IOC_DEV_INFO`: of the device with this number; `ENODEV` if there is none.
pub(crate) fn device(folder: &File, id: u64) -> io::Result<DevInfo> {
    let mut info = [0; size_of::<DevInfo>()];
    info[..size_of::<u64>()].copy_from_slice(&id.to_ne_bytes());
    // SAFETY: as above; the kernel reads the same bytes, and all of them are initialised.
    unsafe { btrfs_dev_info(folder.as_raw_fd(), &raw mut info) }?;
    Ok(info)
}

/// `BTRFS_IOC_GET_DEV_STATS`: the first `counters` error counters of a device, which stay as they are.
pub(crate) fn errors(folder: &File, id: u64, counters: u64) -> io::Result<DevStats> {
    let mut stats = [0; size_of::<DevStats>()];
    stats[..ITEMS].copy_from_slice(&id.to_ne_bytes());
    stats[ITEMS..][..size_of::<u64>()].copy_from_slice(&counters.to_ne_bytes());
    // SAFETY: as above.
    unsafe { btrfs_get_dev_stats(folder.as_raw_fd(), &raw mut stats) }?;
    Ok(stats)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_file_system_refuses() {
        let folder = File::open("/proc").unwrap();
        assert!(file_system(&folder).is_err());
        assert!(device(&folder, 1).is_err());
        assert!(errors(&folder, 1, 5).is_err());
    }
}
