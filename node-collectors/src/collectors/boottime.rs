//! `boottime`: when the system started.
//!
//! macOS: the `struct timeval` in `kern.boottime`. On Linux, `stat` gives the same family.

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::macos::bytes::{i32_at, i64_at};
use crate::macos::calls::{self, Sysctl};
use crate::macos::layout::timeval;
use crate::sys::Kernel;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "boottime",
    linux: Support::Absent,
    macos: Support::On,
    summary: "Time at which the system started.",
    sources: &["sysctl kern.boottime"],
    families: &["node_boot_time_seconds"],
    options: &[],
    build: |_| Ok(Box::new(BootTime { sysctl: Kernel })),
};

struct BootTime<S> {
    sysctl: S,
}

impl<S: Sysctl> Collector for BootTime<S> {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let time = calls::value(&self.sysctl, c"kern.boottime", parse)?;
        let help = "Unix time of last boot, including microseconds.";
        out.single("node_boot_time_seconds", help, MetricKind::Gauge, time);
        Ok(Outcome::Data)
    }
}

/// Seconds since 1970.
fn parse(bytes: &[u8]) -> Option<f64> {
    let (seconds, micros) = (i64_at(bytes, timeval::TV_SEC)?, i32_at(bytes, timeval::TV_USEC)?);
    Some(seconds as f64 + f64::from(micros) / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::macos::inventory;
    use crate::macos::recorded::{Recorded, Structure};
    use crate::testing::samples;

    #[test]
    fn seconds_and_microseconds() {
        let value = Structure::new(16)
            .with(0, &1_763_888_765_i64.to_le_bytes())
            .with(8, &250_000_i32.to_le_bytes())
            .bytes();
        let mac = Recorded::default();
        mac.name("kern.boottime", value.clone());
        let collector = BootTime { sysctl: mac };
        assert_eq!(samples(&collector), ["node_boot_time_seconds 1.76388876525e+09"]);
        collector.sysctl.name("kern.boottime", &value[..11]);
        let error = collector.update(&mut Families::new()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "sysctl kern.boottime: unexpected answer of 11 bytes"
        );
        assert!((0..12).all(|end| parse(&value[..end]).is_none()));
    }

    #[test]
    fn a_refused_call_is_named() {
        let error = BootTime {
            sysctl: Recorded::default(),
        }
        .update(&mut Families::new())
        .unwrap_err();
        assert_eq!(error.to_string(), "sysctl kern.boottime failed");
        assert!(error.is_not_found());
    }

    #[test]
    fn as_node_exporter_gives_it() {
        let mac = Recorded::default();
        mac.name("kern.boottime", [0; 16]);
        inventory::check("boottime", &BootTime { sysctl: mac }, &[], &[]);
    }
}
