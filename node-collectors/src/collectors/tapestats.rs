//! `tapestats`: tape drives, `sys/class/scsi_tape/st*/stats` (Documentation/scsi/st.rst).

use std::path::PathBuf;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::filter::Pattern;
use crate::option::options;
use crate::read::entries;
use crate::sysfs::Sysfs;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "tapestats",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Operations, bytes and times of tape drives.",
    sources: &["sys/class/scsi_tape/st*/stats/*"],
    families: &["node_tape_*"],
    options: options! {
        "tapestats.ignored-devices" = tapestats.ignored_devices: String, "Tape drives to leave out (expression).";
    },
    build: |context| Ok(Box::new(TapeStats::new(context)?)),
};

/// Options of `tapestats`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Expression for drives to leave out.
    pub ignored_devices: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ignored_devices: "^$".to_owned(),
        }
    }
}

/// File, family, HELP, factor.
static FILES: [(&str, &str, &str, f64); 10] = [
    (
        "in_flight",
        "node_tape_io_now",
        "The number of I/Os currently outstanding to this device.",
        1.0,
    ),
    (
        "io_ns",
        "node_tape_io_time_seconds_total",
        "The amount of time spent waiting for all I/O to complete (including read and write). This includes tape movement commands such as seeking between file or set marks and implicit tape movement such as when rewind on close tape devices are used.",
        1e-9,
    ),
    (
        "other_cnt",
        "node_tape_io_others_total",
        "The number of I/Os issued to the tape drive other than read or write commands. The time taken to complete these commands uses the following calculation io_time_seconds_total-read_time_seconds_total-write_time_seconds_total",
        1.0,
    ),
    (
        "read_byte_cnt",
        "node_tape_read_bytes_total",
        "The number of bytes read from the tape drive.",
        1.0,
    ),
    (
        "read_cnt",
        "node_tape_reads_completed_total",
        "The number of read requests issued to the tape drive.",
        1.0,
    ),
    (
        "read_ns",
        "node_tape_read_time_seconds_total",
        "The amount of time spent waiting for read requests to complete.",
        1e-9,
    ),
    (
        "write_byte_cnt",
        "node_tape_written_bytes_total",
        "The number of bytes written to the tape drive.",
        1.0,
    ),
    (
        "write_cnt",
        "node_tape_writes_completed_total",
        "The number of write requests issued to the tape drive.",
        1.0,
    ),
    (
        "write_ns",
        "node_tape_write_time_seconds_total",
        "The amount of time spent waiting for write requests to complete.",
        1e-9,
    ),
    (
        "resid_cnt",
        "node_tape_residual_total",
        "The number of times during a read or write we found the residual amount to be non-zero. This should mean that a program is issuing a read larger thean the block size on tape. For write not all data made it to tape.",
        1.0,
    ),
];

struct TapeStats {
    class: PathBuf,
    ignored: Option<Pattern>,
    sysfs: Sysfs,
}

impl TapeStats {
    fn new(context: &Context<'_>) -> Result<Self, Error> {
        let ignored = &context.options.tapestats.ignored_devices;
        Ok(Self {
            class: context.roots.sys("class/scsi_tape"),
            ignored: Pattern::compile("tapestats.ignored-devices", ignored)?,
            sysfs: context.sysfs(),
        })
    }
}

impl Collector for TapeStats {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let names = match entries(&self.class) {
            Ok(names) => names,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Outcome::NoData),
            Err(error) => return Err(Error::read(&self.class, error)),
        };
        // The other names, such as nst0 and st0a, are further modes of the same drive.
        let drive = |name: &&String| {
            name.strip_prefix("st")
                .is_some_and(|number| text::decimal(number.as_bytes()).is_some())
        };
        for name in names.iter().filter(drive) {
            if self
                .ignored
                .as_ref()
                .is_some_and(|ignored| ignored.is_match(name))
            {
                continue;
            }
            let folder = self.class.join(name).join("stats");
            for (file, family, help, factor) in FILES {
                let value = self.sysfs.parsed(&folder.join(file), text::auto_base);
                if let Some(value) = self.sysfs.lenient(value)? {
                    let kind = if family.ends_with("_total") {
                        MetricKind::Counter
                    } else {
                        MetricKind::Gauge
                    };
                    out.family(family, help, kind)
                        .sample(&[("device", name)], value as f64 * factor);
                }
            }
        }
        Ok(Outcome::Data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Host;

    #[test]
    fn a_drive() {
        let host = Host::new(&[
            ("sys/class/scsi_tape/st0/stats/in_flight", "1\n"),
            ("sys/class/scsi_tape/st0/stats/io_ns", "9247011087720\n"),
            ("sys/class/scsi_tape/nst0/stats/io_ns", "1\n"),
        ]);
        let expected = [
            "node_tape_io_now{device=\"st0\"} 1",
            "node_tape_io_time_seconds_total{device=\"st0\"} 9247.01108772",
        ];
        assert_eq!(host.samples(&DESCRIPTOR), expected);
    }
}
