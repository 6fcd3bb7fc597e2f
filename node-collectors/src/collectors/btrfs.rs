//! `btrfs`: mounted btrfs file systems, `sys/fs/btrfs/<uuid>` (fs/btrfs/sysfs.c).

use std::path::{Path, PathBuf};

use ferroalloy_model::Families;

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::read::entries_if_any;
use crate::sysfs::Sysfs;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "btrfs",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Space, commits and devices of btrfs file systems.",
    sources: &["sys/fs/btrfs/*-*"],
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
}

impl Btrfs {
    fn new(context: &Context<'_>) -> Self {
        Self {
            folder: context.roots.sys("fs/btrfs"),
            sysfs: context.sysfs(),
        }
    }

    fn file_system(&self, name: &str, out: &mut Families) -> Result<(), Error> {
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
        if let Some(size) = self
            .sysfs
            .lenient(self.sysfs.unsigned(&folder.join("allocation/global_rsv_size")))?
        {
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
        let devices = entries_if_any(&folder.join("devices"))?;
        for device in &devices {
            let path = folder.join("devices").join(device).join("size");
            if let Some(sectors) = self.sysfs.lenient(self.sysfs.unsigned(&path))? {
                let help = "Size of a device that is part of the filesystem.";
                let labels = [("device", &**device), id];
                let bytes = sectors.saturating_mul(SECTOR);
                emit::gauge(out, "node_btrfs_device_size_bytes", help, &labels, bytes as f64);
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
        let reserved = self.sysfs.unsigned_if_any(&folder.join("bytes_reserved"))?;
        let help = "Amount of space reserved for a data type";
        if let Some(reserved) = reserved {
            emit::gauge(out, "node_btrfs_reserved_bytes", help, &id, reserved as f64);
        }
        for mode in entries_if_any(folder)? {
            // Only a layout is a folder.
            let layout = folder.join(&mode);
            let Some(used) = self.used(&layout)? else { continue };
            let labels = [id[0], ("mode", &*mode), id[1]];
            let help = "Amount of used space by a layout/data type";
            emit::gauge(out, "node_btrfs_used_bytes", help, &labels, used as f64);
            let size = self.sysfs.unsigned(&layout.join("total_bytes"))?;
            let help = "Amount of space allocated for a layout/data type";
            emit::gauge(out, "node_btrfs_size_bytes", help, &labels, size as f64);
            let help = "Data allocation ratio for a layout/data type";
            let ratio = ratio(&mode, devices);
            emit::gauge(out, "node_btrfs_allocation_ratio", help, &labels, ratio);
        }
        Ok(())
    }

    fn used(&self, layout: &Path) -> Result<Option<u64>, Error> {
        if layout.is_dir() {
            self.sysfs.unsigned_if_any(&layout.join("used_bytes"))
        } else {
            Ok(None)
        }
    }
}

impl Collector for Btrfs {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        for name in entries_if_any(&self.folder)? {
            // `features` lies beside the file systems.
            if name.contains('-') {
                self.sysfs.lenient(self.file_system(&name, out))?;
            }
        }
        Ok(Outcome::Data)
    }
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
    use crate::testing::{Host, never_panics};

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
        let strict = host
            .collector_as(crate::Mode::Compat, &DESCRIPTOR, |_| ())
            .unwrap();
        assert!(strict.update(&mut Families::new()).is_err());
    }
}
