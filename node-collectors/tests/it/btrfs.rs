//! A real btrfs file system on two loop devices, as the kernel tells of it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use node_collectors::{Mode, NodeCollectors, Roots};

use crate::HOST;

const UUID: &str = "6b1d5e3c-0d8a-4f6e-9a51-f2c4f7a6b3d0";
const SIZE: u64 = 200 << 20;

/// A mounted file system and its loop devices.
#[derive(Default)]
struct Mounted {
    devices: Vec<String>,
    folder: Option<PathBuf>,
}

/// What a command says, if it is there and succeeds.
fn run(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

impl Mounted {
    /// Mounts it where this thread and those that it starts see it.
    fn new(tree: &Path) -> Option<Self> {
        let mut mounted = Self::default();
        for name in ["one", "two"] {
            let image = tree.join(name);
            File::create(&image).ok()?.set_len(SIZE).ok()?;
            let device = run("losetup", &["--find", "--show", image.to_str()?])?;
            mounted.devices.push(device);
        }
        let [one, two] = [&mounted.devices[0], &mounted.devices[1]];
        run(
            "mkfs.btrfs",
            &["--quiet", "--uuid", UUID, "--label", "both", one, two],
        )?;
        run("btrfs", &["device", "scan", one, two])?;
        unshare(CloneFlags::CLONE_NEWNS).ok()?;
        let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
        mount(None::<&str>, "/", None::<&str>, private, None::<&str>).ok()?;
        let folder = tree.join("mounted");
        fs::create_dir_all(&folder).ok()?;
        mount(
            Some(&**one),
            &folder,
            Some("btrfs"),
            MsFlags::empty(),
            None::<&str>,
        )
        .ok()?;
        mounted.folder = Some(folder);
        Some(mounted)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            let _ = umount2(folder, MntFlags::empty());
        }
        for device in &self.devices {
            run("losetup", &["--detach", device]);
        }
    }
}

#[test]
fn devices_of_a_real_file_system() {
    let _host = HOST.lock();
    let tree = tempfile::tempdir().unwrap();
    let Some(mounted) = Mounted::new(tree.path()) else {
        println!(
            "skipped: no btrfs file system can be made and mounted here, which takes root and btrfs-progs"
        );
        return;
    };
    fs::create_dir_all(tree.path().join("proc/1")).unwrap();
    // The first process does not see the mount.
    let mounts = fs::read("/proc/thread-self/mountinfo").unwrap();
    fs::write(tree.path().join("proc/1/mountinfo"), mounts).unwrap();
    for mode in [Mode::Fixed, Mode::Compat] {
        let set = NodeCollectors::builder()
            .mode(mode)
            .roots(Roots {
                proc: tree.path().join("proc"),
                ..Roots::default()
            })
            .only(["btrfs"])
            .build()
            .unwrap();
        let text = String::from_utf8(set.to_text()).unwrap();
        let of = |name: &str| -> Vec<&str> {
            let ours = |line: &&str| line.starts_with(name) && line.contains(UUID);
            text.lines().filter(ours).collect()
        };
        assert_eq!(
            of("node_btrfs_info"),
            [format!("node_btrfs_info{{label=\"both\",uuid=\"{UUID}\"}} 1")]
        );
        let sizes = of("node_btrfs_device_size_bytes{btrfs_dev_uuid=\"");
        assert_eq!(sizes.len(), 2, "{text}");
        for device in &mounted.devices {
            let name = device.trim_start_matches("/dev/");
            let end = format!("\",device=\"{name}\",uuid=\"{UUID}\"}} 2.097152e+08");
            assert!(sizes.iter().any(|line| line.ends_with(&end)), "{end}: {text}");
        }
        for line in of("node_btrfs_device_unused_bytes") {
            let unused: f64 = line.rsplit_once(' ').unwrap().1.parse().unwrap();
            assert!(unused > 0.0 && unused < SIZE as f64, "{line}");
        }
        let errors = of("node_btrfs_device_errors_total");
        assert_eq!(errors.len(), 10, "{text}");
        assert!(errors.iter().all(|line| line.ends_with(" 0")), "{text}");
    }
}
