//! `filesystem`: size and free space of mounted file systems.
//!
//! Linux: the mounts of `/proc/1/mountinfo` (proc_pid_mountinfo(5)), statfs(2) for each, in threads that a hanging
//! mount may keep. macOS: getfsstat(2), which does not wait for any.

mod linux;
mod macos;
mod purgeable;

use std::time::Duration;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Context, Descriptor, Platform, Support};
use crate::error::Error;
use crate::filter::Filter;
use crate::mountinfo::MountEntry;
use crate::option::options;
use crate::sys::Kernel;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "filesystem",
    linux: Support::On,
    macos: Support::On,
    summary: "Size, free space, inodes and errors of mounted file systems.",
    sources: &[
        "proc/1/mountinfo",
        "proc/self/mountinfo",
        "statfs(2)",
        "getfsstat(2)",
    ],
    families: &["node_filesystem_*"],
    options: options! {
        "filesystem.mount-points-exclude" = filesystem.mount_points_exclude: String, "Mount points to leave out (expression).";
        "filesystem.mount-points-include" = filesystem.mount_points_include: String, "Mount points to give (expression), instead of the exclude.";
        "filesystem.fs-types-exclude" = filesystem.fs_types_exclude: String, "File system types to leave out (expression).";
        "filesystem.fs-types-include" = filesystem.fs_types_include: String, "File system types to give (expression), instead of the exclude.";
        "filesystem.mount-timeout" = filesystem.mount_timeout: Duration, "How long a mount may take to answer before it counts as hanging.";
    },
    build: |context| {
        Ok(match context.platform {
            Platform::MacOs => Box::new(macos::FileSystem::new(Kernel, context)?),
            Platform::Linux => Box::new(linux::FileSystem::new(context)?),
        })
    },
};

/// Options of `filesystem`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Expression for mount points to leave out.
    pub mount_points_exclude: String,
    /// Expression for mount points to give. The default exclude gives way to it; another one beside it is an error.
    pub mount_points_include: String,
    /// Expression for types to leave out.
    pub fs_types_exclude: String,
    /// Expression for types to give. The default exclude gives way to it; another one beside it is an error.
    pub fs_types_include: String,
    /// How long a mount may take to answer. One that takes longer is reported with `device_error="mountpoint timeout"`
    /// and not asked again until it has answered.
    pub mount_timeout: Duration,
}

#[cfg(not(target_os = "macos"))]
const MOUNT_POINTS: &str =
    "^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)";
#[cfg(not(target_os = "macos"))]
const TYPES: &str = "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|erofs|sysfs|tracefs)$";
#[cfg(target_os = "macos")]
const MOUNT_POINTS: &str = "^/(dev)($|/)";
#[cfg(target_os = "macos")]
const TYPES: &str = "^devfs$";

impl Default for Options {
    fn default() -> Self {
        Self {
            mount_points_exclude: MOUNT_POINTS.to_owned(),
            mount_points_include: String::new(),
            fs_types_exclude: TYPES.to_owned(),
            fs_types_include: String::new(),
            mount_timeout: Duration::from_secs(5),
        }
    }
}

/// Which mounts are given.
struct Filters {
    mount_points: Filter,
    types: Filter,
}

impl Filters {
    fn new(context: &Context<'_>) -> Result<Self, Error> {
        let options = &context.options.filesystem;
        Ok(Self {
            mount_points: Filter::instead_of_default(
                ("filesystem.mount-points-include", &options.mount_points_include),
                ("filesystem.mount-points-exclude", &options.mount_points_exclude),
                MOUNT_POINTS,
            )?,
            types: Filter::instead_of_default(
                ("filesystem.fs-types-include", &options.fs_types_include),
                ("filesystem.fs-types-exclude", &options.fs_types_exclude),
                TYPES,
            )?,
        })
    }

    fn keep(&self, mount: &MountEntry) -> bool {
        self.mount_points.keeps(&mount.mount_point) && self.types.keeps(&mount.fs_type)
    }
}

/// What a file system says of its size.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Usage {
    /// Bytes.
    size: f64,
    /// Bytes not in use.
    free: f64,
    /// Bytes that a user without privileges may still use.
    available: f64,
    files: f64,
    files_free: f64,
    /// Bytes that the system would free on demand; only macOS knows, Linux says 0.
    purgeable: Option<f64>,
}

/// Picks a family's value, if the mount has one.
type Pick<'a> = &'a dyn Fn(&MountEntry, &Result<Usage, String>) -> Option<f64>;

/// A mount with its size, or the text of the error that asking gave.
type Answer = (MountEntry, Result<Usage, String>);

/// What tells the series of a mount from those of others.
fn key((mount, usage): &Answer) -> impl Ord {
    (
        &mount.mount_point,
        &mount.device,
        &mount.fs_type,
        usage.as_ref().err(),
    )
}

/// Writes all mounts; one that stands twice, once.
fn emit(answers: &[Answer], out: &mut Families) {
    let mut answers: Vec<&Answer> = answers.iter().collect();
    answers.sort_by(|one, other| key(one).cmp(&key(other)));
    answers.dedup_by(|one, other| key(one) == key(other));

    let mut family = |name, help, value: Pick<'_>| {
        let mut family = out.family(name, help, MetricKind::Gauge);
        for (mount, usage) in &answers {
            if let Some(value) = value(mount, usage) {
                let labels = [
                    ("device", &*mount.device),
                    ("device_error", usage.as_ref().err().map_or("", String::as_str)),
                    ("fstype", &*mount.fs_type),
                    ("mountpoint", &*mount.mount_point),
                ];
                family.sample(&labels, value);
            }
        }
    };
    let flag = |set: bool| Some(f64::from(u8::from(set)));
    let help = "Filesystem size in bytes.";
    family("node_filesystem_size_bytes", help, &|_, usage| {
        Some(usage.as_ref().ok()?.size)
    });
    let help = "Filesystem free space in bytes.";
    family("node_filesystem_free_bytes", help, &|_, usage| {
        Some(usage.as_ref().ok()?.free)
    });
    let help = "Filesystem space available to non-root users in bytes.";
    family("node_filesystem_avail_bytes", help, &|_, usage| {
        Some(usage.as_ref().ok()?.available)
    });
    let help = "Filesystem total file nodes.";
    family("node_filesystem_files", help, &|_, usage| {
        Some(usage.as_ref().ok()?.files)
    });
    let help = "Filesystem total free file nodes.";
    family("node_filesystem_files_free", help, &|_, usage| {
        Some(usage.as_ref().ok()?.files_free)
    });
    let help = "Filesystem space available including purgeable space (MacOS specific).";
    family("node_filesystem_purgeable_bytes", help, &|_, usage| {
        usage.as_ref().ok()?.purgeable
    });
    let help = "Filesystem read-only status.";
    family("node_filesystem_readonly", help, &|mount, _| {
        flag(mount.read_only)
    });
    let help = "Whether an error occurred while getting statistics for the given device.";
    family("node_filesystem_device_error", help, &|_, usage| {
        flag(usage.is_err())
    });

    let help = "Filesystem mount information.";
    let mut family = out.family("node_filesystem_mount_info", help, MetricKind::Gauge);
    for (mount, _) in answers.iter().filter(|(_, usage)| usage.is_ok()) {
        let labels = [
            ("device", &*mount.device),
            ("major", &*mount.major),
            ("minor", &*mount.minor),
            ("mountpoint", &*mount.mount_point),
        ];
        family.sample(&labels, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::lines;

    #[test]
    fn errors_leave_only_state() {
        let mount = |point: &str| MountEntry {
            device: "/dev/sda1".into(),
            mount_point: point.into(),
            fs_type: "ext4".into(),
            read_only: point == "/",
            ..MountEntry::default()
        };
        let usage = Usage {
            size: 4096.0,
            free: 2.0,
            available: 1.0,
            purgeable: Some(0.0),
            ..Usage::default()
        };
        let answers = [
            (mount("/"), Ok(usage)),
            (mount("/nfs"), Err("mountpoint timeout".to_owned())),
            (mount("/"), Ok(usage)),
        ];
        let mut out = Families::new();
        emit(&answers, &mut out);
        let lines = lines(&out);
        assert_eq!(lines.len(), 9 + 2);
        let of_nfs: Vec<_> = lines.iter().filter(|line| line.contains("/nfs")).collect();
        let labels =
            "{device=\"/dev/sda1\",device_error=\"mountpoint timeout\",fstype=\"ext4\",mountpoint=\"/nfs\"}";
        assert_eq!(
            of_nfs,
            [
                &format!("node_filesystem_device_error{labels} 1"),
                &format!("node_filesystem_readonly{labels} 0")
            ]
        );
    }
}
