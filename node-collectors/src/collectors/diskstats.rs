//! `diskstats`: what block devices read and write, and what they are.
//!
//! Linux: `/proc/diskstats` (Documentation/admin-guide/iostats.rst), names and serial numbers from udev's database.
//! macOS: IOKit's block storage drivers.

mod macos;

use std::path::PathBuf;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Platform, Support};
use crate::error::Error;
use crate::filter::Filter;
use crate::kernel_file::KernelFile;
use crate::option::options;
use crate::read::Buffer;
use crate::sys::Kernel;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "diskstats",
    linux: Support::On,
    macos: Support::On,
    summary: "Operations, bytes and times of block devices, and what the devices are.",
    sources: &[
        "proc/diskstats",
        "udev/b<major>:<minor>",
        "sys/block/*/queue/rotational",
        "IOKit IOMedia, IOBlockStorageDriver",
    ],
    families: &["node_disk_*"],
    options: options! {
        "diskstats.device-exclude" = diskstats.device_exclude: String, "Devices to leave out (expression).";
        "diskstats.device-include" = diskstats.device_include: String, "Devices to give (expression), instead of the exclude.";
    },
    build: |context| {
        let options = &context.options.diskstats;
        Ok(match context.platform {
            Platform::MacOs => Box::new(macos::DiskStats::new(Kernel, options, context.mode)?),
            Platform::Linux => Box::new(DiskStats::new(context)?),
        })
    },
};

#[cfg(not(target_os = "macos"))]
const EXCLUDE: &str = r"^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$";
#[cfg(target_os = "macos")]
const EXCLUDE: &str = "";

/// Options of `diskstats`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Expression for devices to leave out; by default partitions and memory-backed devices.
    pub device_exclude: String,
    /// Expression for devices to give. The default exclude gives way to it; another one beside it is an error.
    pub device_include: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            device_exclude: EXCLUDE.to_owned(),
            device_include: String::new(),
        }
    }
}

impl Options {
    fn filter(&self) -> Result<Filter, Error> {
        Filter::instead_of_default(
            ("diskstats.device-include", &self.device_include),
            ("diskstats.device-exclude", &self.device_exclude),
            EXCLUDE,
        )
    }
}

struct DiskStats {
    path: KernelFile,
    block: PathBuf,
    /// Absent if there was no database when the collector was made.
    udev: Option<PathBuf>,
    filter: Filter,
}

impl DiskStats {
    fn new(context: &Context<'_>) -> Result<Self, Error> {
        let udev = &context.roots.udev;
        Ok(Self {
            path: KernelFile::new(context.roots.proc("diskstats")),
            block: context.roots.sys("block"),
            udev: udev.is_dir().then(|| udev.clone()),
            filter: context.options.diskstats.filter()?,
        })
    }
}

/// How a column becomes a value.
enum Unit {
    Count,
    Sectors,
    Milliseconds,
}

/// Families of the columns after the device's name, in order.
static COLUMNS: [(&str, &str, MetricKind, Unit); 17] = {
    use MetricKind::{Counter, Gauge};
    use Unit::{Count, Milliseconds, Sectors};
    [
        (
            "node_disk_reads_completed_total",
            "The total number of reads completed successfully.",
            Counter,
            Count,
        ),
        (
            "node_disk_reads_merged_total",
            "The total number of reads merged.",
            Counter,
            Count,
        ),
        (
            "node_disk_read_bytes_total",
            "The total number of bytes read successfully.",
            Counter,
            Sectors,
        ),
        (
            "node_disk_read_time_seconds_total",
            "The total number of seconds spent by all reads.",
            Counter,
            Milliseconds,
        ),
        (
            "node_disk_writes_completed_total",
            "The total number of writes completed successfully.",
            Counter,
            Count,
        ),
        (
            "node_disk_writes_merged_total",
            "The number of writes merged.",
            Counter,
            Count,
        ),
        (
            "node_disk_written_bytes_total",
            "The total number of bytes written successfully.",
            Counter,
            Sectors,
        ),
        (
            "node_disk_write_time_seconds_total",
            "This is the total number of seconds spent by all writes.",
            Counter,
            Milliseconds,
        ),
        (
            "node_disk_io_now",
            "The number of I/Os currently in progress.",
            Gauge,
            Count,
        ),
        (
            "node_disk_io_time_seconds_total",
            "Total seconds spent doing I/Os.",
            Counter,
            Milliseconds,
        ),
        (
            "node_disk_io_time_weighted_seconds_total",
            "The weighted # of seconds spent doing I/Os.",
            Counter,
            Milliseconds,
        ),
        (
            "node_disk_discards_completed_total",
            "The total number of discards completed successfully.",
            Counter,
            Count,
        ),
        (
            "node_disk_discards_merged_total",
            "The total number of discards merged.",
            Counter,
            Count,
        ),
        (
            "node_disk_discarded_sectors_total",
            "The total number of sectors discarded successfully.",
            Counter,
            Count,
        ),
        (
            "node_disk_discard_time_seconds_total",
            "This is the total number of seconds spent by all discards.",
            Counter,
            Milliseconds,
        ),
        (
            "node_disk_flush_requests_total",
            "The total number of flush requests completed successfully",
            Counter,
            Count,
        ),
        (
            "node_disk_flush_requests_time_seconds_total",
            "This is the total number of seconds spent by all flush requests.",
            Counter,
            Milliseconds,
        ),
    ]
};

/// One line of the file.
#[derive(Debug, PartialEq)]
struct Device<'a> {
    major: u64,
    minor: u64,
    name: &'a str,
    columns: [u64; COLUMNS.len()],
    /// How many columns this kernel gives: 11, since 4.18 15, since 5.5 17.
    known: usize,
}

/// `Ok(None)` for a line too short to be a device of a supported kernel.
fn parse_line(line: &[u8]) -> Result<Option<Device<'_>>, &'static str> {
    let mut words = text::fields(line);
    if words.clone().count() < 14 {
        return Ok(None);
    }
    let mut number = || words.next().and_then(text::decimal).ok_or("bad device number");
    let (major, minor) = (number()?, number()?);
    let name = words
        .next()
        .and_then(|name| std::str::from_utf8(name).ok())
        .ok_or("bad device name")?;
    let mut device = Device {
        major,
        minor,
        name,
        columns: [0; COLUMNS.len()],
        known: 0,
    };
    for (column, word) in device.columns.iter_mut().zip(words) {
        *column = text::decimal(word).ok_or("bad number")?;
        device.known += 1;
    }
    Ok(Some(device))
}

impl Collector for DiskStats {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        let content = buffer.kept(&self.path)?;
        let mut devices = Vec::new();
        for line in text::lines(content) {
            let device = parse_line(line).map_err(|fault| {
                Error::parse(&self.path, format_args!("{fault} in {:?}", text::utf8(line)))
            })?;
            devices.extend(device.filter(|device| self.filter.keeps(device.name)));
        }
        for (at, (name, help, kind, unit)) in COLUMNS.iter().enumerate() {
            let mut family = out.family(name, help, *kind);
            for device in devices.iter().filter(|device| at < device.known) {
                let raw = device.columns[at] as f64;
                let value = match unit {
                    Unit::Count => raw,
                    Unit::Sectors => raw * 512.0,
                    // A product, as in node_exporter: a quotient would differ in the last digits.
                    Unit::Milliseconds => raw * 0.001,
                };
                family.sample(&[("device", device.name)], value);
            }
        }
        let mut database = Buffer::take();
        for device in &devices {
            self.write_identity(device, &mut database, out)?;
        }
        Ok(Outcome::Data)
    }
}

impl DiskStats {
    fn write_identity(
        &self,
        device: &Device<'_>,
        database: &mut Buffer,
        out: &mut Families,
    ) -> Result<(), Error> {
        let rotational = self.rotational(device.name);
        let entry = match &self.udev {
            Some(folder) => {
                let file = folder.join(format!("b{}:{}", device.major, device.minor));
                database.optional(&file)?.unwrap_or_default()
            }
            None => &[],
        };
        let properties = Properties::parse(entry);
        let (major, minor) = (text::Decimal::new(device.major), text::Decimal::new(device.minor));
        let serial = ["SCSI_IDENT_SERIAL", "ID_SERIAL_SHORT", "ID_SERIAL"];
        let serial = serial
            .iter()
            .map(|key| properties.get(key))
            .find(|serial| !serial.is_empty());
        let mut info = |name, help, labels: &[(&str, &str)], value| {
            out.family(name, help, MetricKind::Gauge).sample(labels, value);
        };
        info(
            "node_disk_info",
            "Info of /sys/block/<block_device>.",
            &[
                ("device", device.name),
                ("major", major.as_str()),
                ("minor", minor.as_str()),
                ("model", properties.get("ID_MODEL")),
                ("path", properties.get("ID_PATH")),
                ("revision", properties.get("ID_REVISION")),
                ("rotational", &rotational),
                ("serial", serial.unwrap_or_default()),
                ("wwn", properties.get("ID_WWN")),
            ],
            1.0,
        );
        if !properties.get("ID_FS_TYPE").is_empty() {
            info(
                "node_disk_filesystem_info",
                "Info about disk filesystem.",
                &[
                    ("device", device.name),
                    ("type", properties.get("ID_FS_TYPE")),
                    ("usage", properties.get("ID_FS_USAGE")),
                    ("uuid", properties.get("ID_FS_UUID")),
                    ("version", properties.get("ID_FS_VERSION")),
                ],
                1.0,
            );
        }
        if !properties.get("DM_NAME").is_empty() {
            info(
                "node_disk_device_mapper_info",
                "Info about disk device mapper.",
                &[
                    ("device", device.name),
                    ("lv_layer", properties.get("DM_LV_LAYER")),
                    ("lv_name", properties.get("DM_LV_NAME")),
                    ("name", properties.get("DM_NAME")),
                    ("uuid", properties.get("DM_UUID")),
                    ("vg_name", properties.get("DM_VG_NAME")),
                ],
                1.0,
            );
        }
        if !properties.get("ID_ATA").is_empty() {
            for (key, name, help) in [
                (
                    "ID_ATA_WRITE_CACHE",
                    "node_disk_ata_write_cache",
                    "ATA disk has a write cache.",
                ),
                (
                    "ID_ATA_WRITE_CACHE_ENABLED",
                    "node_disk_ata_write_cache_enabled",
                    "ATA disk has its write cache enabled.",
                ),
                (
                    "ID_ATA_ROTATION_RATE_RPM",
                    "node_disk_ata_rotation_rate_rpm",
                    "ATA disk rotation rate in RPMs (0 for SSDs).",
                ),
            ] {
                if let Some(value) = text::float(properties.get(key).as_bytes()) {
                    info(name, help, &[("device", device.name)], value);
                }
            }
        }
        Ok(())
    }

    fn rotational(&self, device: &str) -> String {
        // A name with a slash, such as cciss/c0d0, stands with `!` in sysfs.
        let folder = device.replace('/', "!");
        match Buffer::take().attribute(&self.block.join(folder).join("queue/rotational")) {
            Ok(content) if !content.is_empty() => text::utf8(content).into_owned(),
            _ => "0".to_owned(),
        }
    }
}

/// A device's entry in udev's database: of lines such as `E:ID_MODEL=…` key and value.
struct Properties<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Properties<'a> {
    fn parse(content: &'a [u8]) -> Self {
        let lines =
            text::lines(content).filter_map(|line| std::str::from_utf8(line.strip_prefix(b"E:")?).ok());
        Self(lines.filter_map(|line| line.split_once('=')).collect())
    }

    /// The value, empty if there is none.
    fn get(&self, key: &str) -> &'a str {
        self.0
            .iter()
            .rfind(|(name, _)| *name == key)
            .map_or("", |(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    const STATS: &str = "   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0\n   8       0 sda 5 1 10 102 6 2 20 7 0 96 82 1 2 3 4 5 6\n   8       1 sda1 1 2\n";

    #[test]
    fn columns_and_identity() {
        let host = Host::new(&[
            ("proc/diskstats", STATS),
            (
                "udev/b8:0",
                "S:disk/x\nE:ID_MODEL=M\nE:ID_SERIAL=long\nE:ID_SERIAL_SHORT=short\nE:ID_ATA=1\nE:ID_ATA_WRITE_CACHE=1\nE:ID_FS_TYPE=ext4\n",
            ),
            ("sys/block/sda/queue/rotational", "1\n"),
        ]);
        let lines = host.samples(&DESCRIPTOR);
        assert_eq!(lines.len(), 17 + 3);
        for line in [
            "node_disk_read_time_seconds_total{device=\"sda\"} 0.10200000000000001",
            "node_disk_read_bytes_total{device=\"sda\"} 5120",
            "node_disk_flush_requests_time_seconds_total{device=\"sda\"} 0.006",
            "node_disk_info{device=\"sda\",major=\"8\",minor=\"0\",model=\"M\",path=\"\",revision=\"\",rotational=\"1\",serial=\"short\",wwn=\"\"} 1",
            "node_disk_ata_write_cache{device=\"sda\"} 1",
            "node_disk_filesystem_info{device=\"sda\",type=\"ext4\",usage=\"\",uuid=\"\",version=\"\"} 1",
        ] {
            assert!(lines.contains(&line.to_owned()), "{line} in {lines:#?}");
        }
    }

    #[test]
    fn without_a_database_names_are_empty() {
        let host = Host::new(&[("proc/diskstats", " 8 0 sda 1 1 1 1 1 1 1 1 1 1 1\n")]);
        let lines = host.samples(&DESCRIPTOR);
        assert_eq!(lines.len(), 11 + 1);
        assert!(
            lines
                .iter()
                .any(|line| line.contains("rotational=\"0\",serial=\"\""))
        );
        host.write("proc/diskstats", " 8 0 sda 1 1 x 1 1 1 1 1 1 1 1\n");
        let collector = host.collector(&DESCRIPTOR, |_| ()).unwrap();
        assert!(collector.update(&mut Families::new()).is_err());
        never_panics(STATS, |bytes| {
            text::lines(bytes).filter(|line| parse_line(line).is_ok()).count()
        });
        never_panics("E:A=b\nE:C=d=e\n", |bytes| {
            Properties::parse(bytes).get("A").len()
        });
    }
}
