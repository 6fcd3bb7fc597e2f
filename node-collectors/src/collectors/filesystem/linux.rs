//! Mounts of Linux: `mountinfo`, filters, and statfs(2) by way of [`Prober`].

use std::path::{Path, PathBuf};

use ferroalloy_model::Families;
use nix::errno::Errno;

use super::probe::{Prober, TIMED_OUT};
use super::{Answer, Filters, MountEntry, Usage, emit};
use crate::collector::{Collector, Context, Outcome};
use crate::error::Error;
use crate::read::Buffer;
use crate::text;

pub(super) struct FileSystem {
    mountinfo: [PathBuf; 2],
    rootfs: PathBuf,
    filters: Filters,
    prober: Prober<Usage>,
}

impl FileSystem {
    pub(super) fn new(context: &Context<'_>) -> Result<Self, Error> {
        let timeout = context.options.filesystem.mount_timeout;
        Ok(Self {
            mountinfo: ["1/mountinfo", "self/mountinfo"].map(|path| context.roots.proc(path)),
            rootfs: context.roots.rootfs.clone(),
            filters: Filters::new(context)?,
            prober: Prober::new(timeout, statfs),
        })
    }

    fn mounts(&self) -> Result<Vec<MountEntry>, Error> {
        let [first, own] = &self.mountinfo;
        let mut buffer = Buffer::take();
        // With `hidepid`, the first process is not to be seen.
        if let Some(content) = buffer.optional(first)? {
            return self.parse(first, content);
        }
        let content = buffer.file(own)?;
        self.parse(own, content)
    }

    fn parse(&self, path: &Path, content: &[u8]) -> Result<Vec<MountEntry>, Error> {
        let mut mounts = Vec::new();
        for line in text::lines(content) {
            let mut mount = parse_line(line)
                .ok_or_else(|| Error::parse(path, format_args!("bad line {:?}", text::utf8(line))))?;
            mount.mount_point = strip(&self.rootfs, mount.mount_point);
            if self.filters.keep(&mount) {
                mounts.push(mount);
            }
        }
        Ok(mounts)
    }
}

impl Collector for FileSystem {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mounts = self.mounts()?;
        let paths = mounts
            .iter()
            .map(|mount| below(&self.rootfs, &mount.mount_point))
            .collect();
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

/// One line: identifiers, `major:minor`, root, mount point, options, optional fields, `-`, type, source, options of
/// the file system.
fn parse_line(line: &[u8]) -> Option<MountEntry> {
    let fields: Vec<&[u8]> = line.split(|&byte| byte == b' ').collect();
    let [
        _,
        _,
        number,
        _,
        mount_point,
        options,
        ..,
        dash,
        fs_type,
        source,
        super_options,
    ] = &fields[..]
    else {
        return None;
    };
    if *dash != b"-" {
        return None;
    }
    let (major, minor) = text::split_once(number, b':')?;
    let has =
        |options: &[u8], wanted: &[u8]| options.split(|&byte| byte == b',').any(|option| option == wanted);
    let read_only = has(options, b"ro") || has(super_options, b"ro") || has(super_options, b"emergency_ro");
    let owned = |bytes: &[u8]| text::utf8(bytes).into_owned();
    Some(MountEntry {
        device: owned(source),
        mount_point: owned(&unescape(mount_point)),
        fs_type: owned(fs_type),
        major: owned(major),
        minor: owned(minor),
        read_only,
    })
}

/// Undoes the kernel's octal escapes of blank, tab, line feed and backslash.
fn unescape(path: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&byte, after)) = rest.split_first() {
        let (byte, after) = match rest {
            [b'\\', b'0', b'4', b'0', after @ ..] => (b' ', after),
            [b'\\', b'0', b'1', b'1', after @ ..] => (b'\t', after),
            [b'\\', b'0', b'1', b'2', after @ ..] => (b'\n', after),
            [b'\\', b'1', b'3', b'4', after @ ..] => (b'\\', after),
            _ => (byte, after),
        };
        plain.push(byte);
        rest = after;
    }
    plain
}

/// The mount point as seen from `rootfs`; one outside stays as it is.
fn strip(rootfs: &Path, mount_point: String) -> String {
    if rootfs == Path::new("/") {
        return mount_point;
    }
    match rootfs
        .to_str()
        .and_then(|rootfs| mount_point.strip_prefix(rootfs))
    {
        Some("") => "/".to_owned(),
        Some(stripped) => stripped.to_owned(),
        None => mount_point,
    }
}

fn below(rootfs: &Path, mount_point: &str) -> PathBuf {
    rootfs.join(mount_point.trim_start_matches('/'))
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
    use crate::testing::{Host, never_panics, samples};

    const LINE: &str =
        "31 1 8:1 / /a\\040b rw,noatime shared:1 master:2 - ext4 /dev/sda1 ro,errors=remount-ro";

    #[test]
    fn a_line() {
        let mount = parse_line(LINE.as_bytes()).unwrap();
        assert_eq!(
            mount,
            MountEntry {
                device: "/dev/sda1".into(),
                mount_point: "/a b".into(),
                fs_type: "ext4".into(),
                major: "8".into(),
                minor: "1".into(),
                read_only: true
            }
        );
        assert!(!parse_line(b"1 2 3:4 / /x rw - t s rw,prorom").unwrap().read_only);
        assert!(
            parse_line(b"1 2 3:4 / /x rw - t s emergency_ro")
                .unwrap()
                .read_only
        );
        assert_eq!(parse_line(b"1 2 3:4 / /x rw shared:1 t s rw"), None);
        assert_eq!(unescape(b"a\\011\\134\\012\\05"), b"a\t\\\n\\05");
        never_panics(LINE, parse_line);
    }

    #[test]
    fn names_below_another_root() {
        let host = Path::new("/host");
        assert_eq!(strip(host, "/host/var".into()), "/var");
        assert_eq!(strip(host, "/host".into()), "/");
        assert_eq!(strip(host, "/var".into()), "/var");
        assert_eq!(below(host, "/var"), Path::new("/host/var"));
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
