//! A mount that never answers: a FUSE file system (Documentation/filesystems/fuse.rst) whose other end opens the
//! device and reads nothing, so that statfs(2) waits for the greeting.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use node_collectors::{NodeCollectors, Roots};

struct Silent {
    folder: PathBuf,
    /// Closing it breaks the connection: what waits is told so.
    device: Option<File>,
}

impl Silent {
    /// Mounts it where this thread and those that it starts see it, and nobody else: other tests look at the host's mounts.
    fn mount(folder: &Path) -> Option<Self> {
        unshare(CloneFlags::CLONE_NEWNS).ok()?;
        let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
        mount(None::<&str>, "/", None::<&str>, private, None::<&str>).ok()?;
        let device = File::options().read(true).write(true).open("/dev/fuse").ok()?;
        let data = format!("fd={},rootmode=40000,user_id=0,group_id=0", device.as_raw_fd());
        mount(
            Some("silent"),
            folder,
            Some("fuse"),
            MsFlags::empty(),
            Some(&*data),
        )
        .ok()?;
        Some(Self {
            folder: folder.to_owned(),
            device: Some(device),
        })
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        self.device = None;
        let _ = umount2(&self.folder, MntFlags::MNT_DETACH);
    }
}

#[test]
fn a_hung_mount_is_reported_and_the_others_are_given() {
    let tree = tempfile::tempdir().unwrap();
    for folder in ["hung", "good", "proc/1"] {
        fs::create_dir_all(tree.path().join(folder)).unwrap();
    }
    let mounts = "1 0 0:1 / /hung rw - ext4 /dev/a rw\n2 0 0:2 / /good rw - ext4 /dev/b rw\n";
    fs::write(tree.path().join("proc/1/mountinfo"), mounts).unwrap();
    let Some(mut silent) = Silent::mount(&tree.path().join("hung")) else {
        println!("skipped: no FUSE file system can be mounted here, which takes root");
        return;
    };
    let set = NodeCollectors::builder()
        .roots(Roots {
            proc: tree.path().join("proc"),
            rootfs: tree.path().to_owned(),
            ..Roots::default()
        })
        .only(["filesystem"])
        .configure(|options| options.filesystem.mount_timeout = Duration::from_secs(1))
        .build()
        .unwrap();
    let hung = "node_filesystem_device_error{device=\"/dev/a\",device_error=\"mountpoint timeout\",fstype=\"ext4\",mountpoint=\"/hung\"} 1";
    // The second time it is known, and not asked again.
    for _ in 0..2 {
        let text = String::from_utf8(set.to_text()).unwrap();
        assert!(text.lines().any(|line| line == hung), "{text}");
        assert!(
            text.contains("node_filesystem_size_bytes{device=\"/dev/b\""),
            "{text}"
        );
        assert!(
            !text.contains("node_filesystem_size_bytes{device=\"/dev/a\""),
            "{text}"
        );
    }
    silent.device = None;
    // The thread that waited ends when the kernel has told it.
    while String::from_utf8(set.to_text())
        .unwrap()
        .contains("mountpoint timeout")
    {
        std::thread::yield_now();
    }
}
