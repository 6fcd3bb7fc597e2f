//! `memory_pressure`: how short of memory a Mac is in its own eyes, `sysctl kern.memorystatus_*`
//! (bsd/kern/kern_memorystatus_notify.c). node_exporter has nothing like it.

use std::ffi::CStr;

use ferroalloy_model::Families;

use crate::collector::{Collector, Descriptor, Outcome, Support};
use crate::emit::gauge;
use crate::error::Error;
use crate::macos::bytes::i32_at;
use crate::macos::calls::{self, Sysctl};
use crate::sys::Kernel;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "memory_pressure",
    linux: Support::Absent,
    macos: Support::On,
    summary: "How short of memory the system considers itself.",
    sources: &["sysctl kern.memorystatus_vm_pressure_level, kern.memorystatus_level"],
    families: &[
        "node_memory_pressure_level",
        "node_memory_pressure_available_ratio",
    ],
    options: &[],
    build: |_| Ok(Box::new(MemoryPressure { sysctl: Kernel })),
};

struct MemoryPressure<S> {
    sysctl: S,
}

/// Sysctl, family, HELP, divisor.
static NUMBERS: [(&CStr, &str, &str, f64); 2] = [
    (
        c"kern.memorystatus_vm_pressure_level",
        "node_memory_pressure_level",
        "Memory pressure as the system sees it: 1 normal, 2 warning, 4 critical.",
        1.0,
    ),
    (
        c"kern.memorystatus_level",
        "node_memory_pressure_available_ratio",
        "Share of memory that the system considers available.",
        100.0,
    ),
];

impl<S: Sysctl> Collector for MemoryPressure<S> {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut outcome = Outcome::NoData;
        for (name, family, help, divisor) in NUMBERS {
            let value = match calls::value(&self.sysctl, name, |bytes| i32_at(bytes, 0)) {
                Ok(value) => value,
                Err(error) if error.is_not_found() || error.is_permission_denied() => continue,
                Err(error) => return Err(error),
            };
            gauge(out, family, help, &[], f64::from(value) / divisor);
            outcome = Outcome::Data;
        }
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::macos::recorded::Recorded;
    use crate::testing::samples;

    #[test]
    fn level_and_share() {
        let mac = Recorded::default();
        mac.name("kern.memorystatus_vm_pressure_level", 2_i32.to_le_bytes())
            .name("kern.memorystatus_level", 37_i32.to_le_bytes());
        let collector = MemoryPressure { sysctl: mac };
        assert_eq!(
            samples(&collector),
            [
                "node_memory_pressure_available_ratio 0.37",
                "node_memory_pressure_level 2"
            ]
        );
        collector.sysctl.name("kern.memorystatus_level", [1, 0, 0]);
        assert!(collector.update(&mut Families::new()).is_err());
    }

    #[test]
    fn what_is_absent_is_no_data() {
        let mac = Recorded::default();
        let collector = MemoryPressure { sysctl: mac };
        let outcome = collector.update(&mut Families::new());
        assert_eq!(outcome.unwrap(), Outcome::NoData);
        collector
            .sysctl
            .name("kern.memorystatus_level", 5_i32.to_le_bytes());
        assert_eq!(samples(&collector), ["node_memory_pressure_available_ratio 0.05"]);
    }
}
