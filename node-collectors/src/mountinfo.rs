//! Mounted file systems, `proc/<pid>/mountinfo` (proc_pid_mountinfo(5)).

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::read::Buffer;
use crate::roots::Roots;
use crate::text;

/// A mounted file system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct MountEntry {
    /// What is mounted, as the mount was told.
    pub(crate) device: String,
    /// As seen from the root file system.
    pub(crate) mount_point: String,
    pub(crate) fs_type: String,
    pub(crate) major: String,
    pub(crate) minor: String,
    pub(crate) read_only: bool,
}

/// Reads them.
pub(crate) struct Mounts {
    files: [PathBuf; 2],
    rootfs: PathBuf,
}

impl Mounts {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self {
            files: ["1/mountinfo", "self/mountinfo"].map(|path| roots.proc(path)),
            rootfs: roots.rootfs.clone(),
        }
    }

    /// Those that `keep` accepts, in the kernel's order.
    pub(crate) fn list(&self, keep: impl Fn(&MountEntry) -> bool) -> Result<Vec<MountEntry>, Error> {
        let [first, own] = &self.files;
        let mut buffer = Buffer::take();
        // With `hidepid`, the first process is not to be seen.
        if let Some(content) = buffer.optional(first)? {
            return self.parse(first, content, keep);
        }
        let content = buffer.file(own)?;
        self.parse(own, content, keep)
    }

    /// Where this process finds a mount.
    pub(crate) fn path(&self, mount: &MountEntry) -> PathBuf {
        self.rootfs.join(mount.mount_point.trim_start_matches('/'))
    }

    fn parse(
        &self,
        path: &Path,
        content: &[u8],
        keep: impl Fn(&MountEntry) -> bool,
    ) -> Result<Vec<MountEntry>, Error> {
        let mut mounts = Vec::new();
        for line in text::lines(content) {
            let mut mount = parse_line(line)
                .ok_or_else(|| Error::parse(path, format_args!("bad line {:?}", text::utf8(line))))?;
            mount.mount_point = strip(&self.rootfs, mount.mount_point);
            if keep(&mount) {
                mounts.push(mount);
            }
        }
        Ok(mounts)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

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
        let roots = Roots {
            rootfs: host.to_owned(),
            ..Roots::default()
        };
        let mount = MountEntry {
            mount_point: "/var".into(),
            ..MountEntry::default()
        };
        assert_eq!(Mounts::new(&roots).path(&mount), Path::new("/host/var"));
    }

    #[test]
    fn the_first_process_comes_first() {
        let host = Host::new(&[("proc/self/mountinfo", "1 2 3:4 / /own rw - t s rw\n")]);
        let points = |host: &Host| -> Vec<String> {
            let mounts = Mounts::new(&host.roots()).list(|mount| mount.mount_point != "/b");
            mounts
                .unwrap()
                .into_iter()
                .map(|mount| mount.mount_point)
                .collect()
        };
        assert_eq!(points(&host), ["/own"]);
        host.write(
            "proc/1/mountinfo",
            "1 2 3:4 / /a rw - t s rw\n1 2 3:4 / /b rw - t s rw\n",
        );
        assert_eq!(points(&host), ["/a"]);
    }
}
