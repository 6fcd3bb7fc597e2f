//! macOS: the statistics of IOKit's block storage drivers (`<IOKit/storage/IOBlockStorageDriver.h>`), named after the
//! whole disk above each. However many there are; a driver without statistics costs its own series only.
//!
//! node_exporter calls operations divided by the block size "sectors". Here it is the bytes that are divided, unless
//! its quirks are wanted; it also stops at 16 drives.

use ferroalloy_model::{Families, MetricKind};

use super::Options;
use crate::collector::{Collector, Outcome};
use crate::error::Error;
use crate::filter::Filter;
use crate::macos::devices::{Entry, Query, Registry};
use crate::macos::property::Dictionary;
use crate::mode::Mode;

const WHOLE: &str = "Whole";
const NAME: &str = "BSD Name";
const BLOCK_SIZE: &str = "Preferred Block Size";
const STATISTICS: &str = "Statistics";

const DISKS: Query = Query {
    class: c"IOMedia",
    keys: &[WHOLE, NAME, BLOCK_SIZE],
    parent: Some((c"IOBlockStorageDriver", &[STATISTICS])),
};

/// As many drives as node_exporter sees.
const COMPAT_DRIVES: usize = 16;

pub(super) struct DiskStats<R> {
    registry: R,
    filter: Filter,
    mode: Mode,
}

impl<R: Registry> DiskStats<R> {
    pub(super) fn new(registry: R, options: &Options, mode: Mode) -> Result<Self, Error> {
        Ok(Self {
            registry,
            filter: options.filter()?,
            mode,
        })
    }
}

/// A key of the statistics, and how its value becomes that of the metric.
#[derive(Clone, Copy)]
enum Field {
    Count(&'static str),
    Nanoseconds(&'static str),
    /// Of bytes and operations.
    Sectors(&'static str, &'static str),
}

/// A whole disk.
struct Disk {
    name: String,
    block_size: f64,
    statistics: Dictionary,
}

impl Disk {
    /// `None` for what is no disk with a driver that counts.
    fn new(entry: &Entry) -> Option<Self> {
        if entry.properties.flag(WHOLE) != Some(true) {
            return None;
        }
        Some(Self {
            name: entry.properties.text(NAME)?.to_owned(),
            block_size: entry.properties.number(BLOCK_SIZE).unwrap_or_default(),
            statistics: entry.parent.dictionary(STATISTICS)?.clone(),
        })
    }

    /// A key that is absent counts as 0, as in node_exporter.
    fn count(&self, key: &str) -> f64 {
        self.statistics.number(key).unwrap_or_default()
    }

    fn value(&self, field: Field, mode: Mode) -> Option<f64> {
        Some(match field {
            Field::Count(key) => self.count(key),
            Field::Nanoseconds(key) => self.count(key) / 1e9,
            Field::Sectors(..) if self.block_size <= 0.0 => return None,
            Field::Sectors(_, operations) if mode.is_compat() => {
                (self.count(operations) / self.block_size).trunc()
            }
            Field::Sectors(bytes, _) => self.count(bytes) / self.block_size,
        })
    }
}

/// End of the family's name, HELP, and where the value is from.
static FAMILIES: [(&str, &str, Field); 12] = [
    (
        "read_bytes",
        "The total number of bytes read successfully.",
        Field::Count("Bytes (Read)"),
    ),
    (
        "read_errors",
        "The total number of read errors.",
        Field::Count("Errors (Read)"),
    ),
    (
        "read_retries",
        "The total number of read retries.",
        Field::Count("Retries (Read)"),
    ),
    (
        "read_sectors",
        "The total number of sectors read successfully.",
        Field::Sectors("Bytes (Read)", "Operations (Read)"),
    ),
    (
        "read_time_seconds",
        "The total number of seconds spent by all reads.",
        Field::Nanoseconds("Total Time (Read)"),
    ),
    (
        "reads_completed",
        "The total number of reads completed successfully.",
        Field::Count("Operations (Read)"),
    ),
    (
        "write_errors",
        "The total number of write errors.",
        Field::Count("Errors (Write)"),
    ),
    (
        "write_retries",
        "The total number of write retries.",
        Field::Count("Retries (Write)"),
    ),
    (
        "write_time_seconds",
        "This is the total number of seconds spent by all writes.",
        Field::Nanoseconds("Total Time (Write)"),
    ),
    (
        "writes_completed",
        "The total number of writes completed successfully.",
        Field::Count("Operations (Write)"),
    ),
    (
        "written_bytes",
        "The total number of bytes written successfully.",
        Field::Count("Bytes (Write)"),
    ),
    (
        "written_sectors",
        "The total number of sectors written successfully.",
        Field::Sectors("Bytes (Write)", "Operations (Write)"),
    ),
];

/// Time until the first byte, which drivers give or not: end of the family's name, HELP, key.
static LATENCIES: [(&str, &str, &str); 2] = [
    (
        "read_latency_seconds",
        "The total number of seconds that reads waited for the device to begin.",
        "Latency Time (Read)",
    ),
    (
        "write_latency_seconds",
        "The total number of seconds that writes waited for the device to begin.",
        "Latency Time (Write)",
    ),
];

impl<R: Registry> Collector for DiskStats<R> {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let entries = self.registry.entries(&DISKS);
        let entries = entries.map_err(|error| Error::system("IOServiceGetMatchingServices", error))?;
        let mut disks: Vec<Disk> = entries.iter().filter_map(Disk::new).collect();
        if self.mode.is_compat() {
            disks.truncate(COMPAT_DRIVES);
        }
        disks.retain(|disk| self.filter.keeps(&disk.name));
        disks.sort_by(|one, other| one.name.cmp(&other.name));
        for (name, help, field) in &FAMILIES {
            let mut family = out.family(&family_name(name), help, MetricKind::Counter);
            for disk in &disks {
                if let Some(value) = disk.value(*field, self.mode) {
                    family.sample(&[("device", &disk.name)], value);
                }
            }
        }
        for (name, help, key) in &LATENCIES {
            let known = disks
                .iter()
                .filter_map(|disk| Some((disk, disk.statistics.number(key)?)));
            let mut family = out.family(&family_name(name), help, MetricKind::Counter);
            for (disk, nanoseconds) in known {
                family.sample(&[("device", &disk.name)], nanoseconds / 1e9);
            }
        }
        Ok(Outcome::Data)
    }
}

fn family_name(end: &str) -> String {
    format!("node_disk_{end}_total")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::macos::inventory;
    use crate::macos::property::Property;
    use crate::macos::recorded::{Recorded, dictionary};
    use crate::testing::samples;

    fn disk(name: &str, statistics: Option<Dictionary>) -> Entry {
        Entry {
            name: "Media".into(),
            properties: dictionary([
                (WHOLE, Property::Flag(true)),
                (NAME, Property::Text(name.into())),
                (BLOCK_SIZE, Property::Integer(4096)),
            ]),
            parent: statistics.map_or_else(Dictionary::default, |statistics| {
                dictionary([(STATISTICS, Property::Dictionary(statistics))])
            }),
        }
    }

    fn statistics() -> Dictionary {
        dictionary([
            ("Bytes (Read)", Property::Integer(8192)),
            ("Bytes (Write)", Property::Integer(5_000_000_000)),
            ("Operations (Read)", Property::Integer(10_000)),
            ("Operations (Write)", Property::Integer(3)),
            ("Total Time (Read)", Property::Integer(1_500_000_000)),
            ("Errors (Read)", Property::Integer(1)),
        ])
    }

    fn collector(mac: Recorded, mode: Mode) -> DiskStats<Recorded> {
        let options = Options {
            device_exclude: String::new(),
            device_include: String::new(),
        };
        DiskStats::new(mac, &options, mode).unwrap()
    }

    fn mac(drives: usize) -> Recorded {
        let mac = Recorded::default();
        for number in 0..drives {
            mac.entry("IOMedia", disk(&format!("disk{number}"), Some(statistics())));
        }
        mac
    }

    #[test]
    fn sectors_are_bytes_by_block_size_unless_quirks_are_kept() {
        let lines = samples(&collector(mac(1), Mode::Fixed));
        assert_eq!(
            lines,
            [
                "node_disk_read_bytes_total{device=\"disk0\"} 8192",
                "node_disk_read_errors_total{device=\"disk0\"} 1",
                "node_disk_read_retries_total{device=\"disk0\"} 0",
                "node_disk_read_sectors_total{device=\"disk0\"} 2",
                "node_disk_read_time_seconds_total{device=\"disk0\"} 1.5",
                "node_disk_reads_completed_total{device=\"disk0\"} 10000",
                "node_disk_write_errors_total{device=\"disk0\"} 0",
                "node_disk_write_retries_total{device=\"disk0\"} 0",
                "node_disk_write_time_seconds_total{device=\"disk0\"} 0",
                "node_disk_writes_completed_total{device=\"disk0\"} 3",
                "node_disk_written_bytes_total{device=\"disk0\"} 5e+09",
                "node_disk_written_sectors_total{device=\"disk0\"} 1.220703125e+06",
            ]
        );
        let lines = samples(&collector(mac(1), Mode::Compat));
        assert_eq!(lines[3], "node_disk_read_sectors_total{device=\"disk0\"} 2");
        assert_eq!(lines[11], "node_disk_written_sectors_total{device=\"disk0\"} 0");
    }

    #[test]
    fn as_many_drives_as_there_are() {
        assert_eq!(samples(&collector(mac(20), Mode::Fixed)).len(), 20 * 12);
        assert_eq!(samples(&collector(mac(20), Mode::Compat)).len(), 16 * 12);
        assert!(samples(&collector(mac(0), Mode::Fixed)).is_empty());
    }

    #[test]
    fn what_is_no_whole_disk_with_statistics_is_left_out() {
        let mac = mac(1);
        mac.entry("IOMedia", disk("disk1", None));
        for missing in [WHOLE, NAME] {
            let mut entry = disk("disk2", Some(statistics()));
            let keys = [WHOLE, NAME].into_iter().filter(|key| *key != missing);
            entry.properties = keys
                .map(|key| (key.to_owned(), entry.properties.get(key).unwrap().clone()))
                .collect();
            mac.entry("IOMedia", entry);
        }
        let mut no_block_size = disk("disk3", Some(statistics()));
        no_block_size.properties = dictionary([
            (WHOLE, Property::Integer(1)),
            (NAME, Property::Text("disk3".into())),
        ]);
        mac.entry("IOMedia", no_block_size);
        let lines = samples(&collector(mac, Mode::Fixed));
        assert_eq!(lines.len(), 12 + 10);
        assert!(
            lines
                .iter()
                .all(|line| line.contains("disk0") || line.contains("disk3"))
        );
    }

    #[test]
    fn a_driver_that_measures_latency() {
        let mac = Recorded::default();
        let statistics = dictionary([("Latency Time (Write)", Property::Integer(250_000_000))]);
        mac.entry("IOMedia", disk("disk4", Some(statistics)));
        let lines = samples(&collector(mac, Mode::Fixed));
        assert!(lines.contains(&"node_disk_write_latency_seconds_total{device=\"disk4\"} 0.25".to_owned()));
        assert!(!lines.iter().any(|line| line.contains("read_latency")));
    }

    #[test]
    fn as_node_exporter_gives_it() {
        inventory::check("diskstats", &collector(mac(1), Mode::Fixed), &[], &[]);
    }
}
