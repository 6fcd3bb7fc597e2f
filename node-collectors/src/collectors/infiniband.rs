//! `infiniband`: InfiniBand and RDMA adapters, `sys/class/infiniband`
//! (Documentation/ABI/stable/sysfs-class-infiniband).

mod counters;

use std::path::{Path, PathBuf};

use ferroalloy_model::Families;

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::filter::Filter;
use crate::option::options;
use crate::read::{entries, entries_if_any};
use crate::sysfs::Sysfs;
use crate::text;
use counters::COUNTERS;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "infiniband",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Ports of InfiniBand and RDMA adapters and their counters.",
    sources: &[
        "sys/class/infiniband/*",
        "sys/class/infiniband/*/ports/*/{counters,counters_ext,hw_counters}/*",
    ],
    families: &["node_infiniband_*"],
    options: options! {
        "infiniband.device-include" = infiniband.device_include: String, "Adapters to give (expression).";
        "infiniband.device-exclude" = infiniband.device_exclude: String, "Adapters to leave out (expression).";
    },
    build: |context| Ok(Box::new(InfiniBand::new(context)?)),
};

/// Options of `infiniband`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Expression for adapters to give.
    pub device_include: String,
    /// Expression for adapters to leave out; applies beside the include.
    pub device_exclude: String,
}

struct InfiniBand {
    class: PathBuf,
    filter: Filter,
    sysfs: Sysfs,
}

impl InfiniBand {
    fn new(context: &Context<'_>) -> Result<Self, Error> {
        let options = &context.options.infiniband;
        Ok(Self {
            class: context.roots.sys("class/infiniband"),
            filter: Filter::new(
                ("infiniband.device-include", &options.device_include),
                ("infiniband.device-exclude", &options.device_exclude),
            )?,
            sysfs: context.sysfs(),
        })
    }

    fn device(&self, device: &str, out: &mut Families) -> Result<(), Error> {
        let folder = self.class.join(device);
        // Not every driver has the board's identity.
        let board = self.sysfs.text(&folder.join("board_id")).unwrap_or_default();
        let firmware = self.sysfs.text(&folder.join("fw_ver"))?;
        let hca = self.sysfs.text(&folder.join("hca_type")).unwrap_or_default();
        let labels = [
            ("board_id", &*board),
            ("device", device),
            ("firmware_version", &*firmware),
            ("hca_type", &*hca),
        ];
        let help = "Non-numeric data from /sys/class/infiniband/<device>, value is always 1.";
        emit::gauge(out, "node_infiniband_info", help, &labels, 1.0);
        for port in entries_if_any(&folder.join("ports"))? {
            let port_folder = folder.join("ports").join(&port);
            let labels = [("device", device), ("port", &*port)];
            self.sysfs.lenient(self.port(&port_folder, &labels, out))?;
        }
        Ok(())
    }

    fn port(&self, folder: &Path, labels: &[(&str, &str)], out: &mut Families) -> Result<(), Error> {
        let number = |file: &str| self.sysfs.parsed(&folder.join(file), before_colon);
        let (state, physical) = (number("state")?, number("phys_state")?);
        let rate = self.sysfs.parsed(&folder.join("rate"), rate)?;
        let help = "State of the InfiniBand port (0: no change, 1: down, 2: init, 3: armed, 4: active, 5: act defer)";
        emit::gauge(out, "node_infiniband_state_id", help, labels, state as f64);
        let help = "Physical state of the InfiniBand port (0: no change, 1: sleep, 2: polling, 3: disable, 4: shift, 5: link up, 6: link error recover, 7: phytest)";
        emit::gauge(
            out,
            "node_infiniband_physical_state_id",
            help,
            labels,
            physical as f64,
        );
        let help = "Maximum signal transfer rate";
        emit::gauge(
            out,
            "node_infiniband_rate_bytes_per_second",
            help,
            labels,
            rate as f64,
        );
        for (file, name, help, factor) in COUNTERS {
            if let Some(value) = self.counter(&folder.join(file))? {
                // In the kernel's width, as it wraps there.
                emit::counter(out, name, help, labels, value.wrapping_mul(factor) as f64);
            }
        }
        if let Some(milliseconds) = self.counter(&folder.join("hw_counters/lifespan"))? {
            let help = "The maximum period in ms which defines the aging of the counter reads. Two consecutive reads within this period might return the same values.";
            let seconds = milliseconds / 1000;
            emit::gauge(
                out,
                "node_infiniband_lifespan_seconds",
                help,
                labels,
                seconds as f64,
            );
        }
        Ok(())
    }

    /// A counter, if the driver has it and may say it.
    fn counter(&self, path: &Path) -> Result<Option<u64>, Error> {
        let value = self.sysfs.with(path, |content| {
            // A performance management agent is missing.
            (content != b"N/A (no PMA)")
                .then(|| text::auto_base(content).and_then(|value| value.try_into().ok()))
        });
        match value {
            Ok(None) => Ok(None),
            Ok(Some(Some(value))) => Ok(Some(value)),
            Ok(Some(None)) => self.sysfs.lenient(Err(Error::parse(path, "not a number"))),
            Err(error)
                if matches!(
                    error.raw_os_error(),
                    Some(libc::ENOENT | libc::ENOTDIR | libc::EACCES | libc::EOPNOTSUPP | libc::EINVAL)
                ) =>
            {
                Ok(None)
            }
            Err(error) => self.sysfs.lenient(Err(Error::read(path, error))),
        }
    }
}

/// `4: ACTIVE`.
fn before_colon(content: &[u8]) -> Option<u64> {
    text::split_once(content, b':').and_then(|(number, _)| text::decimal(number))
}

/// Bytes a second of `40 Gb/sec (4X QDR)`; in single precision as node_exporter reckons.
fn rate(content: &[u8]) -> Option<u64> {
    let gigabits = std::str::from_utf8(text::fields(content).next()?).ok()?;
    let gigabits: f32 = gigabits.parse().ok()?;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked, and the fraction goes"
    )]
    (0.0..1e6)
        .contains(&gigabits)
        .then_some((gigabits * 125_000_000.0) as u64)
}

impl Collector for InfiniBand {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let devices = match entries(&self.class) {
            Ok(devices) => devices,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Outcome::NoData),
            Err(error) => return Err(Error::read(&self.class, error)),
        };
        for device in devices.iter().filter(|device| self.filter.keeps(device)) {
            self.sysfs.lenient(self.device(device, out))?;
        }
        Ok(Outcome::Data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    #[test]
    fn a_port() {
        let device = "sys/class/infiniband/mlx4_0";
        let host = Host::new(&[]);
        for (file, content) in [
            ("fw_ver", "2.31.5050\n"),
            ("board_id", "SM\n"),
            ("hca_type", "MT4099\n"),
            ("ports/1/state", "4: ACTIVE\n"),
            ("ports/1/phys_state", "5: LinkUp\n"),
            ("ports/1/rate", "40 Gb/sec (4X QDR)\n"),
            ("ports/1/counters/port_rcv_data", "555\n"),
            ("ports/1/counters/link_downed", "N/A (no PMA)\n"),
            ("ports/1/hw_counters/lifespan", "10999\n"),
        ] {
            host.write(&format!("{device}/{file}"), content);
        }
        let port = "{device=\"mlx4_0\",port=\"1\"}";
        let expected = [
            "node_infiniband_info{board_id=\"SM\",device=\"mlx4_0\",firmware_version=\"2.31.5050\",hca_type=\"MT4099\"} 1".to_owned(),
            format!("node_infiniband_lifespan_seconds{port} 10"),
            format!("node_infiniband_physical_state_id{port} 5"),
            format!("node_infiniband_port_data_received_bytes_total{port} 2220"),
            format!("node_infiniband_rate_bytes_per_second{port} 5e+09"),
            format!("node_infiniband_state_id{port} 4"),
        ];
        assert_eq!(host.samples(&DESCRIPTOR), expected);
        assert_eq!(rate(b"2.5 Gb/sec (1X SDR)"), Some(312_500_000));
        never_panics("40 Gb/sec", rate);
        never_panics("4: ACTIVE", before_colon);
    }
}
