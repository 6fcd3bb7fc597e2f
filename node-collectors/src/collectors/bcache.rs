//! `bcache`: block caches, `sys/fs/bcache` (Documentation/admin-guide/bcache.rst).

use std::path::{Path, PathBuf};

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::option::options;
use crate::read::{Buffer, entries_if_any};
use crate::sysfs::Sysfs;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "bcache",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Use and traffic of bcache devices.",
    sources: &["sys/fs/bcache/*-*/*"],
    families: &["node_bcache_*"],
    options: options! {
        "bcache.priorityStats" = bcache.priority_stats: bool, "Gives the statistics of priorities, which are costly.";
    },
    build: |context| Ok(Box::new(Bcache::new(context))),
};

/// Options of `bcache`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Gives the statistics of priorities, which are costly to make for the kernel.
    pub priority_stats: bool,
}

/// File or key, family, HELP.
type Row = (&'static str, &'static str, &'static str);

static CACHE_SET: [Row; 10] = [
    (
        "average_key_size",
        "node_bcache_average_key_size_sectors",
        "Average data per key in the btree (sectors).",
    ),
    (
        "btree_cache_size",
        "node_bcache_btree_cache_size_bytes",
        "Amount of memory currently used by the btree cache.",
    ),
    (
        "cache_available_percent",
        "node_bcache_cache_available_percent",
        "Percentage of cache device without dirty data, usable for writeback (may contain clean cached data).",
    ),
    ("congested", "node_bcache_congested", "Congestion."),
    (
        "root_usage_percent",
        "node_bcache_root_usage_percent",
        "Percentage of the root btree node in use (tree depth increases if too high).",
    ),
    ("tree_depth", "node_bcache_tree_depth", "Depth of the btree."),
    (
        "internal/active_journal_entries",
        "node_bcache_active_journal_entries",
        "Number of journal entries that are newer than the index.",
    ),
    (
        "internal/btree_nodes",
        "node_bcache_btree_nodes",
        "Total nodes in the btree.",
    ),
    (
        "internal/btree_read_average_duration_us",
        "node_bcache_btree_read_average_duration_seconds",
        "Average btree read duration.",
    ),
    (
        "internal/cache_read_races",
        "node_bcache_cache_read_races_total",
        "Counts instances where while data was being read from the cache, the bucket was reused and invalidated - i.e. where the pointer was stale after the read completed.",
    ),
];
static BACKING_DEVICE: [Row; 8] = [
    (
        "dirty_data",
        "node_bcache_dirty_data_bytes",
        "Amount of dirty data for this backing device in the cache.",
    ),
    (
        "stats_total/bypassed",
        "node_bcache_bypassed_bytes_total",
        "Amount of IO (both reads and writes) that has bypassed the cache.",
    ),
    (
        "stats_total/cache_hits",
        "node_bcache_cache_hits_total",
        "Hits counted per individual IO as bcache sees them.",
    ),
    (
        "stats_total/cache_misses",
        "node_bcache_cache_misses_total",
        "Misses counted per individual IO as bcache sees them.",
    ),
    (
        "stats_total/cache_bypass_hits",
        "node_bcache_cache_bypass_hits_total",
        "Hits for IO intended to skip the cache.",
    ),
    (
        "stats_total/cache_bypass_misses",
        "node_bcache_cache_bypass_misses_total",
        "Misses for IO intended to skip the cache.",
    ),
    (
        "stats_total/cache_miss_collisions",
        "node_bcache_cache_miss_collisions_total",
        "Instances where data insertion from cache miss raced with write (data already present).",
    ),
    (
        "stats_total/cache_readaheads",
        "node_bcache_cache_readaheads_total",
        "Count of times readahead occurred.",
    ),
];
/// Keys of `writeback_rate_debug`.
static WRITEBACK: [Row; 5] = [
    (
        "target",
        "node_bcache_dirty_target_bytes",
        "Current dirty data target threshold for this backing device in bytes.",
    ),
    (
        "rate",
        "node_bcache_writeback_rate",
        "Current writeback rate for this backing device in bytes.",
    ),
    (
        "proportional",
        "node_bcache_writeback_rate_proportional_term",
        "Current result of proportional controller, part of writeback rate",
    ),
    (
        "integral",
        "node_bcache_writeback_rate_integral_term",
        "Current result of integral controller, part of writeback rate",
    ),
    (
        "change",
        "node_bcache_writeback_change",
        "Last writeback rate change step for this backing device.",
    ),
];
static CACHE_DEVICE: [Row; 3] = [
    (
        "io_errors",
        "node_bcache_io_errors",
        "Number of errors that have occurred, decayed by io_error_halflife.",
    ),
    (
        "metadata_written",
        "node_bcache_metadata_written_bytes_total",
        "Sum of all non data writes (btree writes and all other metadata).",
    ),
    (
        "written",
        "node_bcache_written_bytes_total",
        "Sum of all data that has been written to the cache.",
    ),
];
/// Keys of `priority_stats`.
static PRIORITIES: [Row; 2] = [
    (
        "Unused",
        "node_bcache_priority_stats_unused_percent",
        "The percentage of the cache that doesn't contain any data.",
    ),
    (
        "Metadata",
        "node_bcache_priority_stats_metadata_percent",
        "Bcache's metadata overhead.",
    ),
];

struct Bcache {
    folder: PathBuf,
    sysfs: Sysfs,
    priority_stats: bool,
}

impl Bcache {
    fn new(context: &Context<'_>) -> Self {
        Self {
            folder: context.roots.sys("fs/bcache"),
            sysfs: context.sysfs(),
            priority_stats: context.options.bcache.priority_stats,
        }
    }

    fn set(&self, uuid: &str, out: &mut Families) -> Result<(), Error> {
        let folder = self.folder.join(uuid);
        let uuid = ("uuid", uuid);
        self.files(&folder, &CACHE_SET, &[uuid], out)?;
        for name in entries_if_any(&folder)? {
            let device = folder.join(&name);
            if name.starts_with("bdev") {
                let labels = [("backing_device", &*name), uuid];
                self.files(&device, &BACKING_DEVICE, &labels, out)?;
                self.keys(&device.join("writeback_rate_debug"), &WRITEBACK, &labels, out)?;
            } else if name
                .strip_prefix("cache")
                .is_some_and(|number| text::decimal(number.as_bytes()).is_some())
            {
                let labels = [("cache_device", &*name), uuid];
                self.files(&device, &CACHE_DEVICE, &labels, out)?;
                if self.priority_stats {
                    self.keys(&device.join("priority_stats"), &PRIORITIES, &labels, out)?;
                }
            }
        }
        Ok(())
    }

    /// A value from each file.
    fn files(
        &self,
        folder: &Path,
        rows: &[Row],
        labels: &[(&str, &str)],
        out: &mut Families,
    ) -> Result<(), Error> {
        for (file, name, help) in rows {
            let value = self.sysfs.parsed(&folder.join(file), size);
            let Some(value) = self.sysfs.lenient(value)? else {
                continue;
            };
            let value = match *file {
                // node_exporter takes the microseconds for nanoseconds.
                "internal/btree_read_average_duration_us" if self.sysfs.is_compat() => value * 1e-9,
                "internal/btree_read_average_duration_us" => value / 1e6,
                // Kernels from 5.14 have no read-ahead any more.
                "stats_total/cache_readaheads" if value == 0.0 => continue,
                _ => value,
            };
            add(name, help, labels, value, out);
        }
        Ok(())
    }

    /// Values from a file of lines `key: value`.
    fn keys(
        &self,
        path: &Path,
        rows: &[Row],
        labels: &[(&str, &str)],
        out: &mut Families,
    ) -> Result<(), Error> {
        let mut buffer = Buffer::take();
        let content = self.sysfs.lenient(buffer.file(path))?.unwrap_or_default();
        for line in text::lines(content) {
            let Some((key, value)) = text::split_once(line, b':') else {
                continue;
            };
            let Some((_, name, help)) = rows.iter().find(|(known, ..)| known.as_bytes() == key) else {
                continue;
            };
            let value = value.strip_suffix(b"/sec").unwrap_or(value);
            let value = size(value.strip_suffix(b"%").unwrap_or(value));
            let value =
                value.ok_or_else(|| Error::parse(path, format_args!("bad line {:?}", text::utf8(line))));
            if let Some(value) = self.sysfs.lenient(value)? {
                add(name, help, labels, value, out);
            }
        }
        Ok(())
    }
}

fn add(name: &str, help: &str, labels: &[(&str, &str)], value: f64, out: &mut Families) {
    let kind = if name.ends_with("_total") {
        MetricKind::Counter
    } else {
        MetricKind::Gauge
    };
    out.family(name, help, kind).sample(labels, value);
}

/// A number as bcache prints it: `20.4G` is 20 and 400/1024 GiB, whatever it looks like.
fn size(word: &[u8]) -> Option<f64> {
    let (digits, power) = match word.split_last()? {
        (unit, digits) if unit.is_ascii_alphabetic() => {
            let power = b"kMGTPEZY".iter().position(|known| known == unit)? + 1;
            (digits, i32::try_from(power).ok()?)
        }
        _ => (word, 0),
    };
    let (negative, digits) = match digits.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, digits),
    };
    let (whole, tenths) = match text::split_once(digits, b'.') {
        Some((whole, tenths)) => (text::decimal(whole)?, text::decimal(tenths)?),
        None => (text::decimal(digits)?, 0),
    };
    let unit = 1024_f64.powi(power);
    let value = whole as f64 * unit + tenths as f64 / 10.24 * unit;
    Some(if negative { -value } else { value }.trunc())
}

impl Collector for Bcache {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        for uuid in entries_if_any(&self.folder)? {
            if uuid.contains('-') {
                self.sysfs.lenient(self.set(&uuid, out))?;
            }
        }
        Ok(Outcome::Data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    #[test]
    fn sizes() {
        assert_eq!(size(b"20.4G"), Some(21_894_266_880.0));
        assert_eq!(size(b"427.5k"), Some(437_748.0));
        assert_eq!(size(b"-1.0k"), Some(-1024.0));
        assert_eq!(size(b"512"), Some(512.0));
        assert_eq!(size(b"1x"), None);
        never_panics("20.4G", size);
    }

    #[test]
    fn a_set_with_a_device() {
        let set = "sys/fs/bcache/deaddd54-c735";
        let host = Host::new(&[]);
        for (file, content) in [
            ("internal/btree_read_average_duration_us", "1305\n"),
            ("bdev0/dirty_data", "1.5k\n"),
            (
                "bdev0/writeback_rate_debug",
                "rate:\t\t1.1M/sec\nnext io:\t17ms\n",
            ),
            ("bdev0/stats_total/cache_readaheads", "0\n"),
            ("cache0/io_errors", "0\n"),
            ("cache_available_percent", "100\n"),
        ] {
            host.write(&format!("{set}/{file}"), content);
        }
        let backing = "{backing_device=\"bdev0\",uuid=\"deaddd54-c735\"}";
        let expected = [
            "node_bcache_btree_read_average_duration_seconds{uuid=\"deaddd54-c735\"} 0.001305".to_owned(),
            "node_bcache_cache_available_percent{uuid=\"deaddd54-c735\"} 100".to_owned(),
            format!("node_bcache_dirty_data_bytes{backing} 1524"),
            "node_bcache_io_errors{cache_device=\"cache0\",uuid=\"deaddd54-c735\"} 0".to_owned(),
            format!("node_bcache_writeback_rate{backing} 1.150976e+06"),
        ];
        assert_eq!(host.samples(&DESCRIPTOR), expected);
    }
}
