//! `btrfs`: mounted btrfs file systems, `sys/fs/btrfs/<uuid>` (fs/btrfs/sysfs.c), and what they say of their devices.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ferroalloy_model::Families;

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::{Error, ErrorKind};
use crate::read::{entries, entries_if_any};
use crate::sysfs::Sysfs;
use crate::text;

#[cfg_attr(
    not(target_os = "linux"),
    allow(dead_code, reason = "the ioctls are of Linux")
)]
mod devices;

use devices::{Answers, Device, Devices, ERRORS};

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "btrfs",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Space, commits, devices and their errors of btrfs file systems.",
    sources: &[
        "sys/fs/btrfs/*-*",
        "proc/1/mountinfo",
        "proc/self/mountinfo",
        "ioctl(2) BTRFS_IOC_FS_INFO, BTRFS_IOC_DEV_INFO, BTRFS_IOC_GET_DEV_STATS",
    ],
    families: &["node_btrfs_*"],
    options: &[],
    build: |context| Ok(Box::new(Btrfs::new(context))),
};

/// sysfs counts a device's size in these, whatever its sector size.
const SECTOR: u64 = 512;

/// Key of `commit_stats`, family, HELP, whether it is a counter, divisor.
type Commit = (&'static [u8], &'static str, &'static str, bool, f64);

static COMMITS: [Commit; 4] = [
    (
        b"commits",
        "node_btrfs_commits_total",
        "The total number of commits that have occurred.",
        true,
        1.0,
    ),
    (
        b"last_commit_ms",
        "node_btrfs_last_commit_seconds",
        "Duration of the most recent commit, in seconds.",
        false,
        1000.0,
    ),
    (
        b"max_commit_ms",
        "node_btrfs_max_commit_seconds",
        "Duration of the slowest commit, in seconds.",
        false,
        1000.0,
    ),
    (
        b"total_commit_ms",
        "node_btrfs_commit_seconds_total",
        "Sum of the duration of all commits, in seconds.",
        true,
        1000.0,
    ),
];

struct Btrfs {
    folder: PathBuf,
    sysfs: Sysfs,
    devices: Devices,
    warnings: Mutex<Vec<String>>,
}

impl Btrfs {
    fn new(context: &Context<'_>) -> Self {
        Self {
            folder: context.roots.sys("fs/btrfs"),
            sysfs: context.sysfs(),
            devices: Devices::new(context),
            warnings: Mutex::default(),
        }
    }

    fn file_system(&self, name: &str, asked: &Answers, out: &mut Families) -> Result<(), Error> {
        let folder = self.folder.join(name);
        let uuid = self
            .sysfs
            .text_if_any(&folder.join("metadata_uuid"))?
            .filter(|uuid| !uuid.is_empty())
            .unwrap_or_else(|| name.to_owned());
        let id = ("uuid", &*uuid);
        let label = self.sysfs.text_if_any(&folder.join("label"))?.unwrap_or_default();
        let labels = [("label", &*label), id];
        emit::gauge(out, "node_btrfs_info", "Filesystem information", &labels, 1.0);
        if let Some(size) = self.number(&folder.join("allocation/global_rsv_size"))? {
            let help = "Size of global reserve.";
            emit::gauge(out, "node_btrfs_global_rsv_size_bytes", help, &[id], size as f64);
        }
        // Kernels before 5.19 do not have it, and node_exporter gives zeros then.
        let stats = self.sysfs.text_if_any(&folder.join("commit_stats"))?;
        for (key, name, help, counts, divisor) in COMMITS {
            let value = commit(stats.as_deref().unwrap_or_default().as_bytes(), key);
            let emit = if counts { emit::counter } else { emit::gauge };
            emit(out, name, help, &[id], value.unwrap_or(0) as f64 / divisor);
        }
        let devices = self
            .sysfs
            .lenient(entries_of(&folder.join("devices")))?
            .unwrap_or_default();
        // The folder has the name that the file system goes by; node_exporter takes the UUID in its metadata, which may be another.
        let known = asked.of(if self.sysfs.is_compat() { &uuid } else { name });
        for device in known.unwrap_or_default() {
            emit_device(device, id, out);
        }
        for device in devices.iter().filter(|_| known.is_none()) {
            let path = folder.join("devices").join(device).join("size");
            if let Some(sectors) = self.number(&path)? {
                let labels = [("device", &**device), id];
                emit_size(sectors.saturating_mul(SECTOR), &labels, out);
            }
        }
        for kind in ["data", "metadata", "system"] {
            let folder = folder.join("allocation").join(kind);
            self.sysfs.lenient(self.allocation(
                &folder,
                [("block_group_type", kind), id],
                devices.len(),
                out,
            ))?;
        }
        Ok(())
    }

    fn allocation(
        &self,
        folder: &Path,
        id: [(&str, &str); 2],
        devices: usize,
        out: &mut Families,
    ) -> Result<(), Error> {
        let reserved = self.number(&folder.join("bytes_reserved"))?;
        let help = "Amount of space reserved for a data type";
        if let Some(reserved) = reserved {
            emit::gauge(out, "node_btrfs_reserved_bytes", help, &id, reserved as f64);
        }
        for mode in entries_of(folder)? {
            // Only a layout is a folder.
            let layout = folder.join(&mode);
            if !layout.is_dir() {
                continue;
            }
            let (used, size) = (
                self.number(&layout.join("used_bytes"))?,
                self.number(&layout.join("total_bytes"))?,
            );
            let (Some(used), Some(size)) = (used, size) else {
                continue;
            };
            let labels = [id[0], ("mode", &*mode), id[1]];
            let help = "Amount of used space by a layout/data type";
            emit::gauge(out, "node_btrfs_used_bytes", help, &labels, used as f64);
            let help = "Amount of space allocated for a layout/data type";
            emit::gauge(out, "node_btrfs_size_bytes", help, &labels, size as f64);
            let help = "Data allocation ratio for a layout/data type";
            let ratio = ratio(&mode, devices);
            emit::gauge(out, "node_btrfs_allocation_ratio", help, &labels, ratio);
        }
        Ok(())
    }

    /// The number in a file. What is absent or no number is left out, or 0 as node_exporter has it.
    fn number(&self, path: &Path) -> Result<Option<u64>, Error> {
        match self.sysfs.unsigned(path) {
            Err(error) if error.is_not_found() || error.kind() == ErrorKind::Parse => {
                Ok(self.sysfs.is_compat().then_some(0))
            }
            result => self.sysfs.lenient(result),
        }
    }
}

impl Collector for Btrfs {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut names = entries_if_any(&self.folder)?;
        // `features` lies beside the file systems.
        names.retain(|name| name.contains('-'));
        let mut asked = Answers::default();
        if !names.is_empty() {
            // Without the mounts there is less to tell, and that is all.
            asked = self.devices.ask().unwrap_or_default();
        }
        let warnings = std::mem::take(&mut asked.warnings);
        *self.warnings.lock().unwrap_or_else(PoisonError::into_inner) = warnings;
        // Where node_exporter fails, it says nothing of any file system.
        let mut families = Families::new();
        for name in names {
            self.sysfs
                .lenient(self.file_system(&name, &asked, &mut families))?;
        }
        out.append(&families);
        Ok(Outcome::Data)
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// A device as its file system tells of it.
fn emit_device(device: &Device, id: (&str, &str), out: &mut Families) {
    let labels = [("btrfs_dev_uuid", &*device.uuid), ("device", &*device.name), id];
    emit_size(device.size, &labels, out);
    let unused = device.size.saturating_sub(device.used);
    let help = "Unused bytes unused on a device that is part of the filesystem.";
    emit::gauge(
        out,
        "node_btrfs_device_unused_bytes",
        help,
        &labels,
        unused as f64,
    );
    let Some(errors) = device.errors else { return };
    let help = "Errors reported for the device";
    for (kind, count) in ERRORS.into_iter().zip(errors) {
        let labels = [labels[0], labels[1], ("type", kind), id];
        emit::counter(out, "node_btrfs_device_errors_total", help, &labels, count as f64);
    }
}

fn emit_size(bytes: u64, labels: &[(&str, &str)], out: &mut Families) {
    let help = "Size of a device that is part of the filesystem.";
    emit::gauge(out, "node_btrfs_device_size_bytes", help, labels, bytes as f64);
}

/// The names in a folder that every kernel has.
fn entries_of(folder: &Path) -> Result<Vec<String>, Error> {
    entries(folder).map_err(|error| Error::read(folder, error))
}

/// The value of a key in `commit_stats`.
fn commit(stats: &[u8], key: &[u8]) -> Option<u64> {
    text::lines(stats).find_map(|line| {
        let mut words = text::fields(line);
        (words.next()? == key).then(|| text::decimal(words.next()?))?
    })
}

/// Bytes on disk for each byte of data; 0 for a layout that is not known or has too few devices.
fn ratio(layout: &str, devices: usize) -> f64 {
    let parity = |spare: usize| match devices.checked_sub(spare) {
        Some(rest) if rest > 0 => devices as f64 / rest as f64,
        _ => 0.0,
    };
    match layout {
        "single" | "raid0" => 1.0,
        "dup" | "raid1" | "raid10" => 2.0,
        "raid1c3" => 3.0,
        "raid1c4" => 4.0,
        "raid5" => parity(1),
        "raid6" => parity(2),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, lines, never_panics};

    #[test]
    fn ratios_and_commits() {
        assert_eq!(ratio("raid5", 4), 4.0 / 3.0);
        assert_eq!(ratio("raid6", 2), 0.0);
        assert_eq!(ratio("raid7", 9), 0.0);
        let stats = "commits 3\nlast_commit_ms 1000\n";
        assert_eq!(commit(stats.as_bytes(), b"last_commit_ms"), Some(1000));
        assert_eq!(commit(stats.as_bytes(), b"max_commit_ms"), None);
        never_panics(stats, |text| commit(text, b"commits"));
    }

    #[test]
    fn space_by_layout_and_devices() {
        let host = Host::new(&[
            ("sys/fs/btrfs/features/x", "0"),
            ("sys/fs/btrfs/a-b/metadata_uuid", "m-1\n"),
            ("sys/fs/btrfs/a-b/label", "disk\n"),
            ("sys/fs/btrfs/a-b/allocation/global_rsv_size", "16\n"),
            ("sys/fs/btrfs/a-b/allocation/data/bytes_reserved", "1\n"),
            ("sys/fs/btrfs/a-b/allocation/data/single/used_bytes", "2\n"),
            ("sys/fs/btrfs/a-b/allocation/data/single/total_bytes", "3\n"),
            ("sys/fs/btrfs/a-b/devices/sda/size", "2\n"),
            ("sys/fs/btrfs/a-b/devices/sdb/size", "gone\n"),
        ]);
        let samples = host.samples(&DESCRIPTOR);
        for expected in [
            "node_btrfs_info{label=\"disk\",uuid=\"m-1\"} 1",
            "node_btrfs_commits_total{uuid=\"m-1\"} 0",
            "node_btrfs_device_size_bytes{device=\"sda\",uuid=\"m-1\"} 1024",
            "node_btrfs_reserved_bytes{block_group_type=\"data\",uuid=\"m-1\"} 1",
            "node_btrfs_used_bytes{block_group_type=\"data\",mode=\"single\",uuid=\"m-1\"} 2",
            "node_btrfs_size_bytes{block_group_type=\"data\",mode=\"single\",uuid=\"m-1\"} 3",
        ] {
            assert!(samples.contains(&expected.to_owned()), "{expected}: {samples:#?}");
        }
        assert_eq!(samples.len(), 11, "{samples:#?}");
        // node_exporter wants the folders, and takes what is absent or no number in them for 0.
        let strict = || {
            let strict = host
                .collector_as(crate::Mode::Compat, &DESCRIPTOR, |_| ())
                .unwrap();
            let mut out = Families::new();
            let failed = strict.update(&mut out).is_err();
            (failed, lines(&out))
        };
        assert_eq!(strict(), (true, Vec::new()));
        host.write("sys/fs/btrfs/a-b/allocation/metadata/flags", "1\n");
        host.write("sys/fs/btrfs/a-b/allocation/system/dup/used_bytes", "4\n");
        let (failed, samples) = strict();
        assert!(!failed);
        for expected in [
            "node_btrfs_device_size_bytes{device=\"sdb\",uuid=\"m-1\"} 0",
            "node_btrfs_reserved_bytes{block_group_type=\"metadata\",uuid=\"m-1\"} 0",
            "node_btrfs_size_bytes{block_group_type=\"system\",mode=\"dup\",uuid=\"m-1\"} 0",
        ] {
            assert!(samples.contains(&expected.to_owned()), "{expected}: {samples:#?}");
        }
    }
    #[test]
    fn devices_with_and_without_counters() {
        let device = |errors| Device {
            name: "sda".to_owned(),
            uuid: "d-1".to_owned(),
            size: 7,
            used: 5,
            errors,
        };
        let samples = |device| {
            let mut out = Families::new();
            emit_device(&device, ("uuid", "f-1"), &mut out);
            lines(&out)
        };
        let space = [
            "node_btrfs_device_size_bytes{btrfs_dev_uuid=\"d-1\",device=\"sda\",uuid=\"f-1\"} 7",
            "node_btrfs_device_unused_bytes{btrfs_dev_uuid=\"d-1\",device=\"sda\",uuid=\"f-1\"} 2",
        ];
        assert_eq!(samples(device(None)), space);
        let all = samples(device(Some([1, 2, 3, 4, 5])));
        assert_eq!(all.len(), 7);
        let flush = "node_btrfs_device_errors_total{btrfs_dev_uuid=\"d-1\",device=\"sda\",type=\"flush\",uuid=\"f-1\"} 3";
        assert!(all.contains(&flush.to_owned()), "{all:#?}");
    }

    #[test]
    fn where_no_mount_answers_the_word_of_sysfs_stands() {
        let host = Host::new(&[
            ("sys/fs/btrfs/a-b/devices/sda/size", "2\n"),
            ("sys/fs/btrfs/a-b/allocation/data/flags", "1\n"),
            ("sys/fs/btrfs/a-b/allocation/metadata/flags", "1\n"),
            ("sys/fs/btrfs/a-b/allocation/system/flags", "1\n"),
            ("other/file", ""),
        ]);
        for mode in [crate::Mode::Fixed, crate::Mode::Compat] {
            for mounts in [
                "garbled",
                "1 2 0:3 / /absent rw - btrfs /dev/sda rw\n",
                "1 2 0:3 / /other rw - btrfs /dev/sda rw\n1 2 0:3 / /other/file rw - btrfs /dev/sda rw\n",
            ] {
                host.write("proc/1/mountinfo", mounts);
                let collector = host.collector_as(mode, &DESCRIPTOR, |_| ()).unwrap();
                let mut out = Families::new();
                collector.update(&mut out).unwrap();
                let size = "node_btrfs_device_size_bytes{device=\"sda\",uuid=\"a-b\"} 1024".to_owned();
                assert!(lines(&out).contains(&size));
                assert!(collector.warnings().is_empty());
            }
        }
    }
}
