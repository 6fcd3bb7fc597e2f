//! `nvme_smart`: wear, temperature and errors of a Mac's NVMe drives, from the log page "SMART / Health Information" (NVM
//! Express Base Specification, 5.14.1.2). Each scrape sends a command to each drive.

use std::io;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::macos::bytes::{u16_at, u64_at};
use crate::macos::devices::{Health, SMART_SIZE, Smart};
use crate::sys::Kernel;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "nvme_smart",
    linux: Support::Absent,
    macos: Support::Off,
    summary: "Wear, temperature and errors of NVMe drives.",
    sources: &["IOKit IONVMeSMARTInterface"],
    families: &["node_nvme_smart_*"],
    options: &[],
    build: |_| Ok(Box::new(NvmeSmart { drives: Kernel })),
};

struct NvmeSmart<S> {
    drives: S,
}

/// What a field of the log is.
#[derive(Clone, Copy)]
enum Field {
    Bits(usize),
    Percent(usize),
    /// Two bytes.
    Kelvin(usize),
    /// Sixteen bytes, and what one is worth.
    Count(usize, f64),
}

impl Field {
    fn kind(self) -> MetricKind {
        match self {
            Self::Count(..) => MetricKind::Counter,
            _ => MetricKind::Gauge,
        }
    }

    /// `None` if the drive does not measure it.
    fn value(self, log: &[u8; SMART_SIZE]) -> Option<f64> {
        Some(match self {
            Self::Bits(at) => f64::from(*log.get(at)?),
            Self::Percent(at) => f64::from(*log.get(at)?) / 100.0,
            Self::Kelvin(at) => match u16_at(log, at)? {
                0 => return None,
                kelvin => f64::from(kelvin) - 273.0,
            },
            Self::Count(at, worth) => {
                let (low, high) = (u64_at(log, at)? as f64, u64_at(log, at + 8)? as f64);
                (low + high * 2_f64.powi(64)) * worth
            }
        })
    }
}

/// A unit of data: a thousand blocks of 512 bytes.
const DATA_UNIT: f64 = 512_000.0;

/// End of the family's name, HELP, field.
static FIELDS: [(&str, &str, Field); 13] = [
    (
        "critical_warning",
        "Warnings as bits: 1 spare low, 2 temperature, 4 reliability degraded, 8 read-only, 16 backup of memory failed.",
        Field::Bits(0),
    ),
    (
        "temperature_celsius",
        "Temperature of the drive.",
        Field::Kelvin(1),
    ),
    (
        "available_spare_ratio",
        "Spare capacity that is left.",
        Field::Percent(3),
    ),
    (
        "available_spare_threshold_ratio",
        "Spare capacity below which the drive warns.",
        Field::Percent(4),
    ),
    (
        "life_used_ratio",
        "Share of the drive's life that is used, as its maker estimates; may pass 1.",
        Field::Percent(5),
    ),
    (
        "read_bytes_total",
        "Data that the host has read.",
        Field::Count(32, DATA_UNIT),
    ),
    (
        "written_bytes_total",
        "Data that the host has written.",
        Field::Count(48, DATA_UNIT),
    ),
    (
        "busy_seconds_total",
        "Time in which the controller was busy.",
        Field::Count(96, 60.0),
    ),
    (
        "power_cycles_total",
        "How often the drive was switched on.",
        Field::Count(112, 1.0),
    ),
    (
        "power_on_seconds_total",
        "Time in which the drive was on.",
        Field::Count(128, 3600.0),
    ),
    (
        "unsafe_shutdowns_total",
        "How often the drive lost power without notice.",
        Field::Count(144, 1.0),
    ),
    (
        "media_errors_total",
        "Errors of data that the drive could not correct.",
        Field::Count(160, 1.0),
    ),
    (
        "error_log_entries_total",
        "Entries in the drive's log of errors over its life.",
        Field::Count(176, 1.0),
    ),
];

impl<S: Smart> Collector for NvmeSmart<S> {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let drives = match self.drives.health() {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(Outcome::NoData),
            drives => drives.map_err(|error| Error::system("IONVMeSMARTInterface", error))?,
        };
        for (number, Health { device, log }) in drives.iter().enumerate() {
            let numbered = format!("drive{number}");
            let device = device.as_deref().unwrap_or(&numbered);
            for (name, help, field) in FIELDS {
                if let Some(value) = field.value(log) {
                    let mut family = out.family(&format!("node_nvme_smart_{name}"), help, field.kind());
                    family.sample(&[("device", device)], value);
                }
            }
        }
        Ok(if drives.is_empty() {
            Outcome::NoData
        } else {
            Outcome::Data
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::macos::recorded::{Recorded, Structure};
    use crate::testing::samples;

    fn log() -> [u8; SMART_SIZE] {
        let log = Structure::new(SMART_SIZE)
            .with(0, &[4])
            .with(1, &310_u16.to_le_bytes())
            .with(3, &[100, 99, 3])
            .with(32, &2_u128.to_le_bytes())
            .with(48, &(1_u128 << 64).to_le_bytes())
            .with(128, &10_u128.to_le_bytes())
            .with(160, &[1]);
        log.bytes().try_into().unwrap()
    }

    #[test]
    fn fields_in_base_units() {
        let mac = Recorded::default();
        mac.health(Some("disk0"), &log());
        let lines = samples(&NvmeSmart { drives: mac });
        for (name, value) in [
            ("critical_warning", "4"),
            ("temperature_celsius", "37"),
            ("available_spare_ratio", "1"),
            ("available_spare_threshold_ratio", "0.99"),
            ("life_used_ratio", "0.03"),
            ("read_bytes_total", "1.024e+06"),
            ("written_bytes_total", "9.44473296573929e+24"),
            ("busy_seconds_total", "0"),
            ("power_on_seconds_total", "36000"),
            ("media_errors_total", "1"),
        ] {
            let line = format!("node_nvme_smart_{name}{{device=\"disk0\"}} {value}");
            assert!(lines.contains(&line), "{line} in {lines:#?}");
        }
        assert_eq!(lines.len(), 13);
    }

    #[test]
    fn a_drive_without_name_or_thermometer_and_no_drive_that_may_be_asked() {
        let mac = Recorded::default();
        mac.health(None, &[0; SMART_SIZE]);
        let lines = samples(&NvmeSmart { drives: mac });
        assert_eq!(lines.len(), 12);
        assert!(lines.iter().all(|line| line.contains("device=\"drive0\"")));
        let drives = Recorded::default();
        let outcome = NvmeSmart { drives }.update(&mut Families::new());
        assert_eq!(outcome.unwrap(), Outcome::NoData);
        let drives = Recorded::default();
        drives.health(Some("disk0"), &log()).deny();
        let outcome = NvmeSmart { drives }.update(&mut Families::new());
        assert_eq!(outcome.unwrap(), Outcome::NoData);
    }
}
