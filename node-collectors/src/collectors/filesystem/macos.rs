//! macOS: the mount table of `getfsstat(MNT_NOWAIT)`, which has the numbers too, as the kernel last heard of them. So
//! no mount can hang the collector, and none gives an error.
//!
//! `node_filesystem_purgeable_bytes` of APFS volumes is asked for beside the scrapes, so that the first one has none; it is
//! left out where the system does not tell it.

use std::sync::{Mutex, PoisonError};

use ferroalloy_model::Families;

use super::purgeable::Purgeable;
use super::{Answer, Filters, Usage, emit};
use crate::collector::{Collector, Context, Outcome};
use crate::error::Error;
use crate::macos::bytes::{text_at, u32_at, u64_at};
use crate::macos::calls::{self, MountTable};
use crate::macos::devices::FreeSpace;
use crate::macos::layout::statfs;
use crate::mountinfo::MountEntry;
use crate::sys::unix::clock::monotonic;
use crate::text;

pub(super) struct FileSystem<T> {
    table: T,
    filters: Filters,
    buffer: Mutex<Vec<u8>>,
    purgeable: Purgeable<T>,
}

impl<T: MountTable + FreeSpace + Clone> FileSystem<T> {
    pub(super) fn new(table: T, context: &Context<'_>) -> Result<Self, Error> {
        if context.options.filesystem.mount_timeout != super::Options::default().mount_timeout {
            return Err(Error::option(
                "filesystem.mount-timeout is of no use on macOS, where no mount is asked",
            ));
        }
        Ok(Self {
            purgeable: Purgeable::new(table.clone()),
            table,
            filters: Filters::new(context)?,
            buffer: Mutex::default(),
        })
    }
}

impl<T: MountTable + FreeSpace> Collector for FileSystem<T> {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut table = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        self.table
            .mounts(&mut table)
            .map_err(|error| Error::system("getfsstat", error))?;
        let mut answers = parse(&table).ok_or_else(|| calls::unexpected("getfsstat", table.len()))?;
        drop(table);
        answers.retain(|(mount, _)| self.filters.keep(mount));
        self.add_purgeable(&mut answers);
        emit(&answers, out);
        Ok(Outcome::Data)
    }
}

impl<T: FreeSpace> FileSystem<T> {
    fn add_purgeable(&self, answers: &mut [Answer]) {
        let volumes = answers.iter().filter(|(mount, _)| mount.fs_type == "apfs");
        let volumes = volumes.map(|(mount, _)| mount.mount_point.clone());
        let known = self.purgeable.known(volumes, monotonic());
        for (mount, usage) in answers {
            if let Ok(usage) = usage {
                usage.purgeable = known.get(&mount.mount_point).copied();
            }
        }
    }
}

/// Takes apart an array of `struct statfs`; `None` if it does not end with one.
fn parse(table: &[u8]) -> Option<Vec<Answer>> {
    table.chunks(statfs::SIZE).map(entry).collect()
}

fn entry(entry: &[u8]) -> Option<Answer> {
    if entry.len() < statfs::SIZE {
        return None;
    }
    let text = |offset, size| text_at(entry, offset, size).map(|text| text::utf8(text).into_owned());
    let number = |offset| u64_at(entry, offset).map(|number| number as f64);
    let block_size = f64::from(u32_at(entry, statfs::F_BSIZE)?);
    let mount = MountEntry {
        device: text(statfs::F_MNTFROMNAME, statfs::PATH)?,
        mount_point: text(statfs::F_MNTONNAME, statfs::PATH)?,
        fs_type: text(statfs::F_FSTYPENAME, statfs::TYPE_NAME)?,
        read_only: u32_at(entry, statfs::F_FLAGS)? & statfs::MNT_RDONLY != 0,
        ..MountEntry::default()
    };
    let usage = Usage {
        size: number(statfs::F_BLOCKS)? * block_size,
        free: number(statfs::F_BFREE)? * block_size,
        available: number(statfs::F_BAVAIL)? * block_size,
        files: number(statfs::F_FILES)?,
        files_free: number(statfs::F_FFREE)?,
        purgeable: None,
    };
    Some((mount, Ok(usage)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::collector::Platform;
    use crate::collectors::Options;
    use crate::macos::inventory;
    use crate::macos::recorded::{Recorded, Structure};
    use crate::roots::Roots;
    use crate::testing::{never_panics, samples};

    fn record(device: &[u8], point: &[u8], kind: &[u8], flags: u32) -> Vec<u8> {
        Structure::new(2168)
            .with(0, &4096_u32.to_le_bytes())
            .with(8, &1000_u64.to_le_bytes())
            .with(16, &300_u64.to_le_bytes())
            .with(24, &200_u64.to_le_bytes())
            .with(32, &50_u64.to_le_bytes())
            .with(40, &49_u64.to_le_bytes())
            .with(64, &flags.to_le_bytes())
            .with(72, kind)
            .with(88, point)
            .with(1112, device)
            .bytes()
    }

    fn collector(table: &[Vec<u8>], options: &Options) -> Result<FileSystem<Recorded>, Error> {
        let mac = Recorded::default();
        mac.mount_table(table.concat());
        let roots = Roots::default();
        let enabled = |_: &str| true;
        let context = Context {
            platform: Platform::MacOs,
            roots: &roots,
            options,
            mode: crate::mode::Mode::Fixed,
            enabled: &enabled,
        };
        FileSystem::new(mac, &context)
    }

    /// Options with the excludes that macOS has by default.
    fn options() -> Options {
        let mut options = Options::default();
        options.filesystem.mount_points_exclude = "^/(dev)($|/)".to_owned();
        options.filesystem.fs_types_exclude = "^devfs$".to_owned();
        options
    }

    #[test]
    fn mounts_with_their_numbers() {
        let table = [
            record(b"/dev/disk3s1s1", b"/", b"apfs", 0x0480_9001),
            record(b"devfs", b"/dev", b"devfs", 0),
            record(b"devfs", b"/chroot/dev", b"devfs", 0),
            record(b"map auto_home", b"/dev/auto", b"autofs", 0),
            record(b"//user@nas/Fotos", b"/Volumes/Fotos\xff", b"smbfs", 8),
        ];
        let root = "{device=\"/dev/disk3s1s1\",device_error=\"\",fstype=\"apfs\",mountpoint=\"/\"}";
        let lines = samples(&collector(&table, &options()).unwrap());
        let of_root: Vec<_> = lines
            .iter()
            .filter(|line| line.contains("disk3s1s1"))
            .cloned()
            .collect();
        assert_eq!(
            of_root,
            [
                format!("node_filesystem_avail_bytes{root} 819200"),
                format!("node_filesystem_device_error{root} 0"),
                format!("node_filesystem_files{root} 50"),
                format!("node_filesystem_files_free{root} 49"),
                format!("node_filesystem_free_bytes{root} 1.2288e+06"),
                "node_filesystem_mount_info{device=\"/dev/disk3s1s1\",major=\"\",minor=\"\",mountpoint=\"/\"} 1".into(),
                format!("node_filesystem_readonly{root} 1"),
                format!("node_filesystem_size_bytes{root} 4.096e+06"),
            ]
        );
        let share = "{device=\"//user@nas/Fotos\",device_error=\"\",fstype=\"smbfs\",mountpoint=\"/Volumes/Fotos\u{fffd}\"}";
        assert!(
            lines.contains(&format!("node_filesystem_readonly{share} 0")),
            "{lines:#?}"
        );
        assert_eq!(lines.len(), 16);
    }

    #[test]
    fn names_that_fill_their_field() {
        let table = [record(&[b'd'; 1024], &[b'm'; 1024], &[b't'; 16], 0)];
        let parsed = parse(&table[0]).unwrap();
        assert_eq!(parsed[0].0.device, "d".repeat(1024));
        assert_eq!(parsed[0].0.mount_point, "m".repeat(1024));
        assert_eq!(parsed[0].0.fs_type, "t".repeat(16));
    }

    #[test]
    fn a_cut_table_is_refused_and_an_empty_one_is_not() {
        assert!(samples(&collector(&[], &options()).unwrap()).is_empty());
        let mut cut = record(b"a", b"/", b"apfs", 0);
        cut.pop();
        let error = collector(&[cut], &options())
            .unwrap()
            .update(&mut Families::new())
            .unwrap_err();
        assert_eq!(error.to_string(), "getfsstat: unexpected answer of 2167 bytes");
        never_panics("apfs", parse);
    }

    #[test]
    fn an_option_without_use_is_refused() {
        let mut options = options();
        options.filesystem.mount_timeout = Duration::from_secs(1);
        let error = collector(&[], &options).err().unwrap();
        assert!(
            error.to_string().starts_with("filesystem.mount-timeout"),
            "{error}"
        );
    }

    #[test]
    fn purgeable_space_comes_with_the_next_scrape_and_of_apfs_only() {
        let table = [
            record(b"/dev/disk3s1s1", b"/", b"apfs", 0),
            record(b"/dev/disk9", b"/Volumes/Stick", b"msdos", 0),
        ];
        let collector = collector(&table, &options()).unwrap();
        collector
            .table
            .free_space("/", 5e9)
            .free_space("/Volumes/Stick", 1e9);
        let purgeable = |lines: Vec<String>| -> Vec<String> {
            let lines = lines.into_iter();
            lines.filter(|line| line.contains("purgeable")).collect()
        };
        assert!(purgeable(samples(&collector)).is_empty());
        collector.purgeable.settle();
        assert_eq!(
            purgeable(samples(&collector)),
            [
                "node_filesystem_purgeable_bytes{device=\"/dev/disk3s1s1\",device_error=\"\",fstype=\"apfs\",mountpoint=\"/\"} 5e+09"
            ]
        );
    }

    #[test]
    fn as_node_exporter_gives_it() {
        let table = [record(b"/dev/disk3s1s1", b"/", b"apfs", 0)];
        let collector = collector(&table, &options()).unwrap();
        collector.table.free_space("/", 5e9);
        samples(&collector);
        collector.purgeable.settle();
        inventory::check("filesystem", &collector, &[], &[]);
    }
}
