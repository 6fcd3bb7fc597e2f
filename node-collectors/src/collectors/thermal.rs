//! `thermal`: how heat limits the processors of a Mac, and its temperatures.
//!
//! The limits are those of `IOPMCopyCPUPowerStatus`, which only Intel Macs have, the temperatures those of the HID
//! event system's sensors, which Apple silicon has. node_exporter fails where there are no limits, and so gives no
//! temperatures where there are any. A Mac that has neither is no fault here, unless quirks are wanted.

use std::collections::BTreeMap;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Descriptor, Outcome, Support};
use crate::emit::gauge;
use crate::error::{Error, ErrorKind};
use crate::macos::devices::{CpuPower, Sensors};
use crate::mode::Mode;
use crate::sys::Kernel;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "thermal",
    linux: Support::Absent,
    macos: Support::On,
    summary: "Limits that heat sets to the processors, and temperatures of sensors.",
    sources: &["IOPMCopyCPUPowerStatus", "IOHIDServiceClientCopyEvent"],
    families: &["node_thermal_*"],
    options: &[],
    build: |context| {
        Ok(Box::new(Thermal {
            kernel: Kernel,
            mode: context.mode,
        }))
    },
};

struct Thermal<K> {
    kernel: K,
    mode: Mode,
}

/// Key of the status, end of the family's name, HELP, divisor.
static LIMITS: [(&str, &str, &str, f64); 3] = [
    (
        "CPU_Scheduler_Limit",
        "cpu_scheduler_limit_ratio",
        "Represents the percentage (0-100) of CPU time available. 100% at normal operation. The OS may limit this time \
         for a percentage less than 100%.",
        100.0,
    ),
    (
        "CPU_Available_CPUs",
        "cpu_available_cpu",
        "Reflects how many, if any, CPUs have been taken offline. Represented as an integer number of CPUs (0 - Max \
         CPUs).",
        1.0,
    ),
    (
        "CPU_Speed_Limit",
        "cpu_speed_limit_ratio",
        "Defines the speed & voltage limits placed on the CPU. Represented as a percentage (0-100) of maximum CPU speed.",
        100.0,
    ),
];

const ABSOLUTE_ZERO: f64 = -273.15;

/// Temperatures by sensor. Of sensors with the same name, of which node_exporter's scrape would fail, the second one
/// has ` 2` behind it, and so on.
fn by_name(values: Vec<(Option<String>, f64)>) -> BTreeMap<String, f64> {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let mut named = BTreeMap::new();
    for (name, value) in values {
        if value.is_nan() || value < ABSOLUTE_ZERO {
            continue;
        }
        let name = name.unwrap_or_else(|| "Unknown".to_owned());
        let count = seen.entry(name.clone()).or_default();
        *count += 1;
        let name = match *count {
            1 => name,
            count => format!("{name} {count}"),
        };
        named.insert(name, value);
    }
    named
}

impl<K: CpuPower + Sensors> Collector for Thermal<K> {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let status = self.kernel.cpu_power_status();
        let status = status.map_err(|error| Error::system("IOPMCopyCPUPowerStatus", error));
        // Limits that cannot be had are no reason to keep back temperatures.
        let (status, fault) = match status {
            Ok(None) if self.mode.is_compat() => {
                let message = "IOPMCopyCPUPowerStatus: no limit was ever recorded";
                return Err(Error::new(ErrorKind::System, message));
            }
            Err(error) if self.mode.is_compat() => return Err(error),
            Ok(status) => (status, None),
            Err(error) => (None, Some(error)),
        };
        let mut given = false;
        for (key, field, help, divisor) in LIMITS {
            if let Some(value) = status.as_ref().and_then(|status| status.number(key)) {
                gauge(out, &format!("node_thermal_{field}"), help, &[], value / divisor);
                given = true;
            }
        }
        let temperatures = self.kernel.temperatures();
        let temperatures = temperatures.map_err(|error| Error::system("IOHIDEventSystemClient", error))?;
        for (sensor, value) in by_name(temperatures) {
            let help = "Temperature of the thermal sensor in Celsius.";
            let mut family = out.family("node_thermal_temperature_celsius", help, MetricKind::Gauge);
            family.sample(&[("sensor", &sensor)], value);
            given = true;
        }
        match fault {
            Some(fault) if !given => Err(fault),
            _ if given => Ok(Outcome::Data),
            _ => Ok(Outcome::NoData),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::macos::inventory;
    use crate::macos::property::Property;
    use crate::macos::recorded::{Recorded, dictionary};
    use crate::testing::samples;

    fn intel() -> Recorded {
        let mac = Recorded::default();
        mac.cpu_power(Some(dictionary([
            ("CPU_Scheduler_Limit", Property::Integer(100)),
            ("CPU_Available_CPUs", Property::Integer(8)),
            ("CPU_Speed_Limit", Property::Integer(62)),
        ])))
        .temperatures(&[]);
        mac
    }

    fn apple() -> Recorded {
        let mac = Recorded::default();
        mac.cpu_power(None).temperatures(&[
            (Some("PMU tdie1"), 41.25),
            (None, 30.0),
            (Some("PMU tdie1"), 43.5),
            (Some("broken"), -9200.0),
            (Some("broken"), f64::NAN),
        ]);
        mac
    }

    fn thermal(kernel: Recorded, mode: Mode) -> Thermal<Recorded> {
        Thermal { kernel, mode }
    }

    #[test]
    fn limits_of_intel() {
        assert_eq!(
            samples(&thermal(intel(), Mode::Compat)),
            [
                "node_thermal_cpu_available_cpu 8",
                "node_thermal_cpu_scheduler_limit_ratio 1",
                "node_thermal_cpu_speed_limit_ratio 0.62",
            ]
        );
    }

    #[test]
    fn temperatures_of_apple_silicon() {
        assert_eq!(
            samples(&thermal(apple(), Mode::Fixed)),
            [
                "node_thermal_temperature_celsius{sensor=\"PMU tdie1\"} 41.25",
                "node_thermal_temperature_celsius{sensor=\"PMU tdie1 2\"} 43.5",
                "node_thermal_temperature_celsius{sensor=\"Unknown\"} 30",
            ]
        );
        let error = thermal(apple(), Mode::Compat).update(&mut Families::new());
        assert!(
            error
                .unwrap_err()
                .to_string()
                .contains("no limit was ever recorded")
        );
    }

    #[test]
    fn neither_is_no_data_and_a_refused_call_an_error() {
        let mac = Recorded::default();
        mac.cpu_power(None).temperatures(&[]);
        let outcome = thermal(mac, Mode::Fixed).update(&mut Families::new()).unwrap();
        assert_eq!(outcome, Outcome::NoData);
        let mac = Recorded::default();
        mac.temperatures(&[]);
        let error = thermal(mac, Mode::Fixed).update(&mut Families::new());
        assert_eq!(error.unwrap_err().to_string(), "IOPMCopyCPUPowerStatus failed");
    }

    #[test]
    fn temperatures_are_given_where_limits_cannot_be_had() {
        for (mode, lines) in [(Mode::Fixed, 1), (Mode::Compat, 0)] {
            let mac = Recorded::default();
            mac.temperatures(&[(Some("PMU tdie1"), 41.25)]);
            let mut out = Families::new();
            let result = thermal(mac, mode).update(&mut out);
            assert_eq!(result.is_ok(), mode == Mode::Fixed);
            assert_eq!(crate::testing::lines(&out).len(), lines);
        }
    }

    #[test]
    fn as_node_exporter_gives_it() {
        let mac = intel();
        mac.temperatures(&[(Some("a"), 1.0)]);
        inventory::check("thermal", &thermal(mac, Mode::Fixed), &[], &[]);
    }
}
