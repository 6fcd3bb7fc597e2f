//! `mdadm`: software RAID, `/proc/mdstat` and `sys/block/md*/md` (Documentation/admin-guide/md.rst).

use std::path::PathBuf;

use ferroalloy_model::Families;

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::kernel_file::KernelFile;
use crate::read::{Buffer, entries_if_any};
use crate::sysfs::Sysfs;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "mdadm",
    linux: Support::On,
    macos: Support::Absent,
    summary: "State, disks and progress of software RAID arrays.",
    sources: &["proc/mdstat", "sys/block/md*/md/{level,raid_disks,degraded}"],
    families: &["node_md_*"],
    options: &[],
    build: |context| Ok(Box::new(MdAdm::new(context))),
};

/// States with a series of their own.
static STATES: [&str; 5] = ["active", "inactive", "recovering", "resync", "check"];

struct MdAdm {
    mdstat: KernelFile,
    block: PathBuf,
    sysfs: Sysfs,
}

impl MdAdm {
    fn new(context: &Context<'_>) -> Self {
        Self {
            mdstat: KernelFile::new(context.roots.proc("mdstat")),
            block: context.roots.sys("block"),
            sysfs: context.sysfs(),
        }
    }

    /// Disks that an array is of, and how many are missing.
    fn array(&self, name: &str) -> Result<Option<(u64, u64)>, Error> {
        let folder = self.block.join(name).join("md");
        let Some(level) = self.sysfs.text_if_any(&folder.join("level"))? else {
            return Ok(None);
        };
        // A container of a vendor's format has no disks of its own.
        if matches!(&*level, "" | "container" | "imsm" | "ddf") {
            return Ok(None);
        }
        // While it grows, the number before stands in parentheses.
        let disks = self.sysfs.parsed(&folder.join("raid_disks"), |content| {
            text::fields(content).next().and_then(text::decimal)
        })?;
        let degraded = match &*level {
            "raid1" | "raid4" | "raid5" | "raid6" | "raid10" => {
                self.sysfs.unsigned(&folder.join("degraded"))?
            }
            _ => 0,
        };
        Ok(Some((disks, degraded)))
    }
}

impl Collector for MdAdm {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        let Some(content) = buffer.kept_optional(&self.mdstat)? else {
            return Ok(Outcome::NoData);
        };
        let arrays = parse(content)
            .map_err(|line| Error::parse(&self.mdstat, format_args!("bad line {:?}", text::utf8(line))))?;
        for array in &arrays {
            array.emit(out);
        }
        for name in entries_if_any(&self.block)?
            .iter()
            .filter(|name| name.starts_with("md"))
        {
            if let Some(Some((disks, degraded))) = self.sysfs.lenient(self.array(name))? {
                let labels = [("device", &**name)];
                emit::gauge(
                    out,
                    "node_md_raid_disks",
                    "Number of raid disks on device.",
                    &labels,
                    disks as f64,
                );
                emit::gauge(
                    out,
                    "node_md_degraded",
                    "Number of degraded disks on device.",
                    &labels,
                    degraded as f64,
                );
            }
        }
        Ok(Outcome::Data)
    }
}

/// An array as `/proc/mdstat` has it.
#[derive(Debug, Default, PartialEq)]
struct Array<'a> {
    name: &'a [u8],
    state: String,
    active: u64,
    total: u64,
    failed: u64,
    spare: u64,
    blocks: u64,
    synced: u64,
}

impl Array<'_> {
    fn emit(&self, out: &mut Families) {
        let name = text::utf8(self.name);
        let device = ("device", &*name);
        emit::gauge(
            out,
            "node_md_disks_required",
            "Total number of disks of device.",
            &[device],
            self.total as f64,
        );
        for (state, count) in [
            ("active", self.active),
            ("failed", self.failed),
            ("spare", self.spare),
        ] {
            let help = "Number of active/failed/spare disks of device.";
            emit::gauge(
                out,
                "node_md_disks",
                help,
                &[device, ("state", state)],
                count as f64,
            );
        }
        for state in STATES {
            let value = f64::from(u8::from(self.state == state));
            emit::gauge(
                out,
                "node_md_state",
                "Indicates the state of md-device.",
                &[device, ("state", state)],
                value,
            );
        }
        emit::gauge(
            out,
            "node_md_blocks",
            "Total number of blocks on device.",
            &[device],
            self.blocks as f64,
        );
        emit::gauge(
            out,
            "node_md_blocks_synced",
            "Number of blocks synced on device.",
            &[device],
            self.synced as f64,
        );
    }
}

/// An array is a line, one on its size, perhaps one on its bitmap, and perhaps one on what is being done to it.
fn parse(content: &[u8]) -> Result<Vec<Array<'_>>, &[u8]> {
    let lines: Vec<&[u8]> = text::lines(content).collect();
    let mut arrays = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let starts_elsewhere = line.first().is_none_or(u8::is_ascii_whitespace);
        if starts_elsewhere || line.starts_with(b"Personalities") || line.starts_with(b"unused") {
            continue;
        }
        let words: Vec<&[u8]> = text::fields(line).collect();
        let &[name, _, state, ..] = &words[..] else {
            return Err(line);
        };
        let marked = |mark: &[u8]| words.iter().filter(|word| word.ends_with(mark)).count() as u64;
        let details = lines.get(at + 1..).unwrap_or_default();
        let size = *details.first().ok_or(*line)?;
        let mut array = Array {
            name,
            state: text::utf8(state).into_owned(),
            failed: marked(b"(F)"),
            spare: marked(b"(S)"),
            ..Array::default()
        };
        let raid = words
            .iter()
            .any(|word| word.starts_with(b"raid") || *word == b"linear" || *word == b"multipath");
        array.size(size, line, raid).ok_or(size)?;
        let under_way = details
            .iter()
            .skip(1)
            .take(2)
            .take_while(|line| !line.trim_ascii().is_empty());
        for line in under_way.filter(|line| !line.trim_ascii().starts_with(b"bitmap:")) {
            array.progress(line).ok_or(*line)?;
        }
        arrays.push(array);
    }
    Ok(arrays)
}

impl Array<'_> {
    /// `312319552 blocks [2/2] [UU]`; without redundancy all disks are in use.
    fn size(&mut self, size: &[u8], line: &[u8], known: bool) -> Option<()> {
        let mut words = text::fields(size);
        self.blocks = text::decimal(words.next()?)?;
        if words.next()? != b"blocks" {
            return None;
        }
        self.synced = self.blocks;
        let without = text::fields(line).any(|word| word == b"raid0" || word == b"linear");
        if without {
            self.total = text::fields(line).filter(|word| word.contains(&b'[')).count() as u64;
            self.active = self.total;
        } else if self.state != "inactive" && known {
            let counts = words.find_map(|word| {
                let counts = word.strip_prefix(b"[")?.strip_suffix(b"]")?;
                let (total, active) = text::split_once(counts, b'/')?;
                Some((text::decimal(total)?, text::decimal(active)?))
            });
            (self.total, self.active) = counts?;
        }
        Some(())
    }

    /// `[=>....] recovery = 8.5% (16775552/195310144) …`, `resync=DELAYED`.
    fn progress(&mut self, line: &[u8]) -> Option<()> {
        let doing = [
            ("recovery", "recovering"),
            ("resync", "resync"),
            ("check", "check"),
            ("reshape", "reshaping"),
        ];
        let found = doing
            .iter()
            .find(|(word, _)| memchr::memmem::find(line, word.as_bytes()).is_some());
        let Some((_, state)) = found else { return Some(()) };
        (*state).clone_into(&mut self.state);
        let waits = |word: &[u8]| memchr::memmem::find(line, word).is_some();
        self.synced = if waits(b"PENDING") || waits(b"DELAYED") {
            0
        } else {
            let counts = text::fields(line).find_map(|word| word.strip_prefix(b"(")?.strip_suffix(b")"))?;
            text::decimal(text::split_once(counts, b'/')?.0)?
        };
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    const CONTENT: &str = "Personalities : [raid0] [raid1] [raid6]\n\n\
        md6 : active raid1 sdb2[2](F) sdc[1](S) sda2[0]\n      195310144 blocks [2/1] [U_]\n      \
        [=>...................]  recovery =  8.5% (16775552/195310144) finish=17.0min speed=259783K/sec\n\n\
        md7 : active raid6 sdb1[0] sde1[3] sdd1[2] sdc1[1](F)\n      7813735424 blocks super 1.2 level 6, 512k chunk, algorithm 2 [4/3] [U_UU]\n      \
        bitmap: 0/30 pages [0KB], 65536KB chunk\n\n\
        md9 : active raid1 sdc2[2] sdd2[3](S)\n      523968 blocks super 1.2 [4/4] [UUUU]\n      resync=DELAYED\n\n\
        md219 : inactive sdb[2](S) sdc[1](S) sda[0](S)\n        7932 blocks super external:imsm\n\n\
        md101 : active (read-only) raid0 sdb[2] sdd[1] sdc[0]\n      322560 blocks super 1.2 512k chunks\n\nunused devices: <none>\n";

    #[test]
    fn arrays() {
        let arrays = parse(CONTENT.as_bytes()).unwrap();
        let said: Vec<_> = arrays
            .iter()
            .map(|a| (&*a.state, a.total, a.active, a.failed, a.spare, a.synced))
            .collect();
        let expected = [
            ("recovering", 2, 1, 1, 1, 16_775_552),
            ("active", 4, 3, 1, 0, 7_813_735_424),
            ("resync", 4, 4, 0, 1, 0),
            ("inactive", 0, 0, 0, 3, 7932),
            ("active", 3, 3, 0, 0, 322_560),
        ];
        assert_eq!(said, expected);
        assert!(parse(b"md0 : active raid1 a[0]\n  x blocks\n").is_err());
        never_panics(CONTENT, |bytes| parse(bytes).is_ok());
    }

    #[test]
    fn disks_from_sysfs() {
        let host = Host::new(&[
            ("proc/mdstat", "Personalities : \n\nunused devices: <none>\n"),
            ("sys/block/md5/md/level", "raid5\n"),
            ("sys/block/md5/md/raid_disks", "8 (6)\n"),
            ("sys/block/md5/md/degraded", "1\n"),
            ("sys/block/md9/md/level", "raid1\n"),
        ]);
        let expected = [
            "node_md_degraded{device=\"md5\"} 1",
            "node_md_raid_disks{device=\"md5\"} 8",
        ];
        assert_eq!(host.samples(&DESCRIPTOR), expected);
    }
}
