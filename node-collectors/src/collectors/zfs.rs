//! `zfs`: statistics of OpenZFS, `/proc/spl/kstat/zfs` (module/os/linux/spl/spl-kstat.c).

use std::path::PathBuf;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::read::{Buffer, entries, entries_if_any};
use crate::sysfs::Sysfs;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "zfs",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Statistics of ZFS: cache, pools and data sets.",
    sources: &["proc/spl/kstat/zfs/*", "proc/spl/kstat/zfs/*/{io,state,objset-*}"],
    families: &["node_zfs_*"],
    options: &[],
    build: |context| Ok(Box::new(Zfs::new(context))),
};

/// File, and what follows `node_zfs_` in the names of its families.
static FILES: [(&str, &str); 11] = [
    ("abdstats", "abd"),
    ("arcstats", "arc"),
    ("dbufstats", "dbuf"),
    ("dmu_tx", "dmu_tx"),
    ("dnodestats", "dnode"),
    ("fm", "fm"),
    ("vdev_cache_stats", "vdev_cache"),
    ("vdev_mirror_stats", "vdev_mirror"),
    ("xuio_stats", "xuio"),
    ("zfetchstats", "zfetch"),
    ("zil", "zil"),
];
static STATES: [&str; 7] = [
    "online",
    "degraded",
    "faulted",
    "offline",
    "removed",
    "unavail",
    "suspended",
];

struct Zfs {
    folder: PathBuf,
    sysfs: Sysfs,
}

impl Zfs {
    fn new(context: &Context<'_>) -> Self {
        Self {
            folder: context.roots.proc("spl/kstat/zfs"),
            sysfs: context.sysfs(),
        }
    }

    fn pool(&self, pool: &str, out: &mut Families) -> Result<(), Error> {
        let folder = self.folder.join(pool);
        let mut buffer = Buffer::take();
        let pool = ("zpool", pool);
        let path = folder.join("io");
        if let Some(content) = buffer.optional(&path)? {
            parse_io(content, |name, value| {
                let help = format!("kstat.zfs.misc.io.{name}");
                untyped(out, &format!("zpool_{name}"), &help, &[pool], value);
            })
            .ok_or_else(|| Error::parse(&path, "no statistics of input and output"))?;
        }
        for name in entries_if_any(&folder)? {
            if name.starts_with("objset-") {
                let path = folder.join(&name);
                let Some(content) = buffer.optional(&path)? else {
                    continue;
                };
                let dataset = text::utf8(dataset_name(content)).into_owned();
                let each = |key: &str, value| {
                    let help = format!("kstat.zfs.misc.objset.{key}");
                    let labels = [("dataset", &*dataset), pool];
                    untyped(out, &format!("zpool_dataset_{key}"), &help, &labels, value);
                };
                parse_rows(content, false, each)
                    .ok_or_else(|| Error::parse(&path, "no table of statistics"))?;
            }
        }
        if let Some(content) = buffer.optional(&folder.join("state"))? {
            let state = text::utf8(content.trim_ascii()).to_ascii_lowercase();
            for known in STATES {
                let labels = [("state", known), pool];
                let value = f64::from(u8::from(known == state));
                emit::gauge(
                    out,
                    "node_zfs_zpool_state",
                    "kstat.zfs.misc.state",
                    &labels,
                    value,
                );
            }
        }
        Ok(())
    }
}

fn untyped(out: &mut Families, end: &str, help: &str, labels: &[(&str, &str)], value: f64) {
    out.family(
        &format!("node_zfs_{}", text::metric_name(end)),
        help,
        MetricKind::Unknown,
    )
    .sample(labels, value);
}

impl Collector for Zfs {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let names = match entries(&self.folder) {
            Ok(names) => names,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Outcome::NoData),
            Err(error) => return Err(Error::read(&self.folder, error)),
        };
        let mut buffer = Buffer::take();
        for (file, prefix) in FILES {
            let path = self.folder.join(file);
            let Some(content) = buffer.optional(&path)? else {
                continue;
            };
            let rows = parse_rows(content, true, |key, value| {
                let help = format!("kstat.zfs.misc.{file}.{key}");
                untyped(
                    out,
                    &format!("{prefix}_{}", key.replace('-', "_")),
                    &help,
                    &[],
                    value,
                );
            });
            self.sysfs
                .lenient(rows.ok_or_else(|| Error::parse(&path, "no table of statistics")))?;
        }
        for name in names {
            // Everything but a pool is a file.
            if self.folder.join(&name).is_dir() {
                self.sysfs.lenient(self.pool(&name, out))?;
            }
        }
        Ok(Outcome::Data)
    }
}

/// Rows `name type value` below a heading that says so; type 4 is a number without sign, 3 one with. `None` without a
/// heading.
fn parse_rows(content: &[u8], signed: bool, mut each: impl FnMut(&str, f64)) -> Option<()> {
    let mut lines = text::lines(content).skip_while(|line| {
        let mut words = text::fields(line);
        (words.next(), words.next(), words.next()) != (Some(b"name"), Some(b"type"), Some(b"data"))
    });
    lines.next()?;
    for line in lines {
        let mut words = text::fields(line);
        let (Some(name), Some(kind), Some(value)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        let value = match kind {
            b"4" => text::decimal(value).map(|value| value as f64),
            b"3" if signed => text::signed(value).map(|value| value as f64),
            _ => continue,
        };
        if let (Ok(name), Some(value)) = (std::str::from_utf8(name), value) {
            each(name, value);
        }
    }
    Some(())
}

/// The rest of the row `dataset_name 7 …`; a name may hold blanks.
fn dataset_name(content: &[u8]) -> &[u8] {
    let row = text::lines(content).find_map(|line| line.strip_prefix(b"dataset_name"));
    let rest = row.unwrap_or_default().trim_ascii_start();
    let end = rest
        .iter()
        .position(u8::is_ascii_whitespace)
        .unwrap_or(rest.len());
    rest.get(end..).unwrap_or_default().trim_ascii()
}

/// A heading with 12 words that starts with `nread`, then a row of numbers.
fn parse_io(content: &[u8], mut each: impl FnMut(&str, f64)) -> Option<()> {
    let mut lines = text::lines(content)
        .skip_while(|line| text::fields(line).next() != Some(b"nread") || text::fields(line).count() < 12);
    let heading = lines.next()?;
    for line in lines {
        for (name, value) in text::fields(heading).zip(text::fields(line)) {
            let value = text::decimal(value)?;
            each(std::str::from_utf8(name).ok()?, value as f64);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    const ARC: &str = "6 1 0x01 91 4368 5266997922 97951858082072\nname                            type data\n\
        hits                            4    8772612\nmemory_available-bytes          3    -922337203685477580\nlabel 7 x\n";
    const IO: &str = "12 3 0x00 1 80 79205351707403 395818011156865\n\
        nread    nwritten reads    writes   wtime    wlentime wupdate  rtime    rlentime rupdate  wcnt     rcnt    \n\
        1884160  3206144  22       132      7155162  104112268 79210489694949 24168078 104112268 79210489849220 0        0       \n";
    const SET: &str = "23 1 0x01 7 2160 221578688875 6665999035587\nname                            type data\n\
        dataset_name                    7    pool1/a b\nwrites                          4    4\n";

    #[test]
    fn statistics_pools_and_sets() {
        let host = Host::new(&[
            ("proc/spl/kstat/zfs/arcstats", ARC),
            ("proc/spl/kstat/zfs/pool1/io", IO),
            ("proc/spl/kstat/zfs/pool1/state", "DEGRADED\n"),
            ("proc/spl/kstat/zfs/pool1/objset-1", SET),
        ]);
        let samples = host.samples(&DESCRIPTOR);
        assert_eq!(samples.len(), 2 + 12 + 7 + 1, "{samples:#?}");
        for expected in [
            "node_zfs_arc_memory_available_bytes -9.223372036854776e+17",
            "node_zfs_zpool_state{state=\"degraded\",zpool=\"pool1\"} 1",
            "node_zfs_zpool_dataset_writes{dataset=\"pool1/a b\",zpool=\"pool1\"} 4",
            "node_zfs_zpool_rtime{zpool=\"pool1\"} 2.4168078e+07",
        ] {
            assert!(
                samples.iter().any(|sample| sample == expected),
                "{expected}: {samples:#?}"
            );
        }
        never_panics(ARC, |bytes| parse_rows(bytes, true, |_, _| ()));
        never_panics(IO, |bytes| parse_io(bytes, |_, _| ()));
        never_panics(SET, |bytes| dataset_name(bytes).len());
    }

    #[test]
    fn keys_that_are_no_names() {
        let host = Host::new(&[("proc/spl/kstat/zfs/arcstats", "name type data\nhi{ts 4 8\n")]);
        assert_eq!(host.samples(&DESCRIPTOR), ["node_zfs_arc_hi_ts 8"]);
    }
}
