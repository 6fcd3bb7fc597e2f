//! What the file systems themselves say of their devices, wherever they are mounted (include/uapi/linux/btrfs.h).
//!
//! sysfs knows no more of a device than its size. A folder of a mounted file system can be asked for the rest, which may
//! be denied, or hang: then sysfs' word stands.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

use crate::collector::Context;
use crate::error::Error;
use crate::mountinfo::{MountEntry, Mounts};
use crate::probe::{Prober, TIMED_OUT};
use crate::text;

/// The error counters of a device, in the kernel's order.
pub(super) const ERRORS: [&str; 5] = ["write", "read", "flush", "corruption", "generation"];

/// How long a mount may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Places of fields in `struct btrfs_ioctl_fs_info_args`.
const MAX_ID: usize = 0;
const NUM_DEVICES: usize = 8;
const FSID: usize = 16;
/// Places of fields in `struct btrfs_ioctl_dev_info_args`.
const UUID: usize = 8;
const BYTES_USED: usize = 24;
const TOTAL_BYTES: usize = 32;
const PATH: usize = 3072;
/// Place of the counters in `struct btrfs_ioctl_get_dev_stats`.
const VALUES: usize = 24;

/// A device of a file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Device {
    /// The last part of its path; nothing if the device is missing.
    pub(super) name: String,
    pub(super) uuid: String,
    /// Bytes.
    pub(super) size: u64,
    /// Bytes that are allocated.
    pub(super) used: u64,
    /// By [`ERRORS`].
    pub(super) errors: Option<[u64; ERRORS.len()]>,
}

/// What a mounted file system says of itself.
#[derive(Debug, PartialEq, Eq)]
struct FileSystem {
    id: Id,
    devices: Vec<Device>,
}

/// A file system's `fsid`, in hexadecimal digits.
type Id = String;

/// Asks the file systems that are mounted.
pub(super) struct Devices {
    mounts: Mounts,
    prober: Prober<FileSystem>,
}

/// The devices of each file system that answered, and what a user should hear of.
#[derive(Debug, Default)]
pub(super) struct Answers {
    devices: HashMap<Id, Vec<Device>>,
    pub(super) warnings: Vec<String>,
}

impl Answers {
    /// The devices of a file system by its UUID.
    pub(super) fn of(&self, uuid: &str) -> Option<&[Device]> {
        self.devices.get(&uuid.replace('-', "")).map(Vec::as_slice)
    }
}

impl Devices {
    pub(super) fn new(context: &Context<'_>) -> Self {
        let compat = context.mode.is_compat();
        Self {
            mounts: Mounts::new(context.roots),
            prober: Prober::new(PATIENCE, move |path| ask(path, compat)),
        }
    }

    /// Asks one mount of each file system, and another one where that refuses.
    pub(super) fn ask(&self) -> Result<Answers, Error> {
        let mut left = self.mounts.list(|mount| mount.fs_type == "btrfs")?;
        let mut answers = Answers::default();
        while !left.is_empty() {
            let mut sources = HashSet::new();
            let (now, later): (Vec<MountEntry>, Vec<MountEntry>) = left
                .into_iter()
                .partition(|mount| sources.insert(mount.device.clone()));
            let paths = now.iter().map(|mount| self.mounts.path(mount)).collect();
            let mut refused = HashSet::new();
            for (mount, answer) in now.into_iter().zip(self.prober.probe(paths)?) {
                match answer {
                    Ok(FileSystem { id, devices }) => {
                        answers.devices.entry(id).or_insert(devices);
                    }
                    // Another mount of it would hang as well.
                    Err(error) if error == TIMED_OUT => {
                        let point = mount.mount_point;
                        let warning =
                            format!("{point}: no answer from btrfs, its devices are as sysfs tells");
                        answers.warnings.push(warning);
                    }
                    Err(_) => {
                        refused.insert(mount.device);
                    }
                }
            }
            left = later;
            left.retain(|mount| refused.contains(&mount.device));
        }
        Ok(answers)
    }
}

#[cfg(target_os = "linux")]
fn ask(path: &Path, compat: bool) -> Result<FileSystem, String> {
    use std::fs::File;
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

    use nix::sys::statfs::{BTRFS_SUPER_MAGIC, fstatfs};

    use crate::sys::linux::btrfs;

    /// Number of the folder at the top of each subvolume, `BTRFS_FIRST_FREE_OBJECTID`.
    const TOP: u64 = 256;

    let said = |error: std::io::Error| error.to_string();
    // A file may be mounted as well, and opening some kinds has effects.
    let mut flags = libc::O_DIRECTORY;
    if compat {
        // Only the owner of a folder may.
        flags |= libc::O_NOATIME;
    }
    let folder = File::options()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .map_err(said)?;
    // Something else may lie over the mount, and understand the request otherwise.
    let found = fstatfs(&folder).map_err(|error| error.to_string())?;
    if found.filesystem_type() != BTRFS_SUPER_MAGIC {
        return Err("not btrfs".to_owned());
    }
    if compat && folder.metadata().map_err(said)?.ino() != TOP {
        return Err("not a subvolume".to_owned());
    }
    let info = btrfs::file_system(&folder).map_err(said)?;
    let mut devices = Vec::new();
    // Numbers are not contiguous.
    for id in 0..=number(&info, MAX_ID) {
        let about = match btrfs::device(&folder, id) {
            Ok(about) => about,
            Err(error) if error.raw_os_error() == Some(libc::ENODEV) => continue,
            Err(error) => return Err(said(error)),
        };
        let stats = match btrfs::errors(&folder, id, ERRORS.len() as u64) {
            Ok(stats) => Some(stats),
            Err(error) if compat => return Err(said(error)),
            // They may not have been read from the device yet.
            Err(_) => None,
        };
        devices.push(device(&about, stats.as_ref().map(<[u8; _]>::as_slice)));
        if devices.len() as u64 == number(&info, NUM_DEVICES) {
            break;
        }
    }
    Ok(FileSystem {
        id: hexadecimal(&info[FSID..][..16]),
        devices,
    })
}

#[cfg(not(target_os = "linux"))]
fn ask(_: &Path, _: bool) -> Result<FileSystem, String> {
    Err("btrfs is of Linux".to_owned())
}

/// A device from what the kernel wrote of it, and of its errors.
fn device(about: &[u8], stats: Option<&[u8]>) -> Device {
    let path = about.get(PATH..).unwrap_or_default();
    let path = path.split(|byte| *byte == 0).next().unwrap_or_default();
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let mut uuid = hexadecimal(about.get(UUID..BYTES_USED).unwrap_or_default());
    for at in [20, 16, 12, 8] {
        if uuid.is_char_boundary(at) {
            uuid.insert(at, '-');
        }
    }
    Device {
        name: text::utf8(name).into_owned(),
        uuid,
        size: number(about, TOTAL_BYTES),
        used: number(about, BYTES_USED),
        errors: stats.map(|stats| std::array::from_fn(|at| number(stats, VALUES + at * 8))),
    }
}

/// The number at a place; 0 behind the end, as where the kernel wrote nothing.
fn number(bytes: &[u8], at: usize) -> u64 {
    let bytes = bytes.get(at..).and_then(<[u8]>::first_chunk);
    bytes.map_or(0, |bytes| u64::from_ne_bytes(*bytes))
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::never_panics;

    #[test]
    fn a_device_from_its_bytes() {
        let mut about = vec![0; 4096];
        about[..8].copy_from_slice(&2_u64.to_ne_bytes());
        for (at, byte) in (0..16).enumerate() {
            about[8 + at] = 0xa0 + byte;
        }
        about[24..32].copy_from_slice(&5_u64.to_ne_bytes());
        about[32..40].copy_from_slice(&7_u64.to_ne_bytes());
        about[3072..3080].copy_from_slice(b"/dev/sdb");
        let mut stats = vec![0; 1032];
        stats[8..16].copy_from_slice(&5_u64.to_ne_bytes());
        for (at, count) in (1..=5_u64).enumerate() {
            stats[24 + at * 8..][..8].copy_from_slice(&count.to_ne_bytes());
        }
        let mut expected = Device {
            name: "sdb".to_owned(),
            uuid: "a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf".to_owned(),
            size: 7,
            used: 5,
            errors: Some([1, 2, 3, 4, 5]),
        };
        assert_eq!(device(&about, Some(&stats)), expected);
        about[3072..].fill(0);
        expected.name.clear();
        expected.errors = None;
        assert_eq!(device(&about, None), expected);
        never_panics("0123456789abcdef0123456789", |bytes| device(bytes, Some(bytes)));
    }

    #[test]
    fn a_file_system_is_found_by_its_uuid() {
        let answers = Answers {
            devices: HashMap::from([("a1b2".to_owned(), Vec::new())]),
            warnings: Vec::new(),
        };
        assert_eq!(answers.of("a1-b2"), Some(&[][..]));
        assert_eq!(answers.of("a1-b3"), None);
    }
}
