//! Mounts of Linux: filters, and statfs(2) by way of [`Prober`].

use std::path::Path;

use ferroalloy_model::Families;
use nix::errno::Errno;

use super::{Answer, Filters, Usage, emit};
use crate::collector::{Collector, Context, Outcome};
use crate::error::Error;
use crate::mountinfo::Mounts;
use crate::probe::{Prober, TIMED_OUT};

pub(super) struct FileSystem {
    mounts: Mounts,
    filters: Filters,
    prober: Prober<Usage>,
}

impl FileSystem {
    pub(super) fn new(context: &Context<'_>) -> Result<Self, Error> {
        let timeout = context.options.filesystem.mount_timeout;
        Ok(Self {
            mounts: Mounts::new(context.roots),
            filters: Filters::new(context)?,
            prober: Prober::new(timeout, statfs),
        })
    }
}

impl Collector for FileSystem {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mounts = self.mounts.list(|mount| self.filters.keep(mount))?;
        let paths = mounts.iter().map(|mount| self.mounts.path(mount)).collect();
        let usages = self.prober.probe(paths)?;
        let answers: Vec<Answer> = mounts
            .into_iter()
            .zip(usages)
            .map(|(mut mount, usage)| {
                // A mount that hangs is not known to be read-only.
                mount.read_only &= usage.as_ref().err().is_none_or(|error| error != TIMED_OUT);
                (mount, usage)
            })
            .collect();
        emit(&answers, out);
        Ok(Outcome::Data)
    }
}

/// Sizes are in `f_bsize` as node_exporter counts them, though some file systems count in `f_frsize`.
fn statfs(path: &Path) -> Result<Usage, String> {
    let answer = nix::sys::statfs::statfs(path).map_err(describe)?;
    #[allow(
        clippy::cast_lossless,
        clippy::unnecessary_cast,
        reason = "the width differs between platforms"
    )]
    let block = answer.block_size() as f64;
    Ok(Usage {
        size: answer.blocks() as f64 * block,
        free: answer.blocks_free() as f64 * block,
        available: answer.blocks_available() as f64 * block,
        files: answer.files() as f64,
        files_free: answer.files_free() as f64,
        purgeable: Some(0.0),
    })
}

/// An error's text as Go prints it, since it is a label value.
fn describe(error: Errno) -> String {
    match error {
        Errno::EIO => "input/output error".to_owned(),
        Errno::ESTALE => "stale NFS file handle".to_owned(),
        Errno::ELOOP => "too many levels of symbolic links".to_owned(),
        Errno::ENAMETOOLONG => "file name too long".to_owned(),
        other => {
            let text = other.desc();
            let mut characters = text.chars();
            characters.next().map_or_else(String::new, |first| {
                first.to_lowercase().chain(characters).collect()
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::DESCRIPTOR;
    use super::*;
    use crate::testing::{Host, samples};

    #[test]
    fn errors_as_go_has_them() {
        assert_eq!(describe(Errno::EACCES), "permission denied");
        assert_eq!(describe(Errno::ENOENT), "no such file or directory");
        assert_eq!(describe(Errno::ENOTCONN), "transport endpoint is not connected");
    }

    #[test]
    fn mounts_of_a_tree() {
        let host = Host::new(&[("data/x", "")]);
        let root = host.path().to_str().unwrap();
        let line = |point: &str, kind: &str| format!("1 2 3:4 / {root}{point} ro - {kind} /dev/x rw\n");
        let mounts = [
            line("/data", "ext4"),
            line("/gone", "ext4"),
            line("/proc", "ext4"),
            line("/d", "tracefs"),
        ];
        host.write("proc/self/mountinfo", &mounts.concat());
        let collector = host.collector(&DESCRIPTOR, |_| ()).unwrap();
        let lines = samples(collector.as_ref());
        assert!(lines.contains(
            &"node_filesystem_mount_info{device=\"/dev/x\",major=\"3\",minor=\"4\",mountpoint=\"/data\"} 1".into()
        ));
        assert!(lines.contains(
            &"node_filesystem_device_error{device=\"/dev/x\",device_error=\"no such file or directory\",fstype=\"ext4\",mountpoint=\"/gone\"} 1".into()
        ));
        assert!(
            lines
                .iter()
                .all(|line| !line.contains("\"/proc\"") && !line.contains("\"/d\""))
        );
        assert_eq!(lines.len(), 9 + 2);
    }

    #[test]
    fn an_include_takes_the_place_of_the_default_exclude() {
        let host = Host::new(&[]);
        let build = |include: &str, exclude: Option<&str>| {
            host.collector(&DESCRIPTOR, |options| {
                include.clone_into(&mut options.filesystem.fs_types_include);
                if let Some(exclude) = exclude {
                    exclude.clone_into(&mut options.filesystem.fs_types_exclude);
                }
            })
        };
        assert!(build("^ext4$", None).is_ok());
        assert!(build("^ext4$", Some("")).is_ok());
        assert!(build("^ext4$", Some("xfs")).is_err());
    }
}
