//! `hwmon`: hardware sensors, `sys/class/hwmon` (Documentation/hwmon/sysfs-interface.rst): temperatures, fans,
//! voltages, currents, power.

mod chip;
mod sensor;

use std::path::PathBuf;

use ferroalloy_model::{Families, MetricKind};

use self::chip::Chip;
use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::filter::Filter;
use crate::option::options;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "hwmon",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Temperatures, fans, voltages and power from hardware sensors.",
    sources: &["sys/class/hwmon/hwmon*"],
    families: &["node_hwmon_*"],
    options: options! {
        "hwmon.chip-include" = hwmon.chip_include: String, "Chips to give (expression).";
        "hwmon.chip-exclude" = hwmon.chip_exclude: String, "Chips to leave out (expression).";
        "hwmon.sensor-include" = hwmon.sensor_include: String, "Sensors `chip;sensor` to give (expression).";
        "hwmon.sensor-exclude" = hwmon.sensor_exclude: String, "Sensors `chip;sensor` to leave out (expression).";
    },
    build: |context| Ok(Box::new(HwMon::new(context)?)),
};

/// Options of `hwmon`; an exclude applies beside an include.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Expression for the label `chip` of chips to give.
    pub chip_include: String,
    /// Expression for the label `chip` of chips to leave out.
    pub chip_exclude: String,
    /// Expression for `chip;sensor` of sensors to give.
    pub sensor_include: String,
    /// Expression for `chip;sensor` of sensors to leave out.
    pub sensor_exclude: String,
}

struct HwMon {
    class: PathBuf,
    chips: Filter,
    sensors: Filter,
}

impl HwMon {
    fn new(context: &Context<'_>) -> Result<Self, Error> {
        let options = &context.options.hwmon;
        Ok(Self {
            class: context.roots.sys("class/hwmon"),
            chips: Filter::new(
                ("hwmon.chip-include", &options.chip_include),
                ("hwmon.chip-exclude", &options.chip_exclude),
            )?,
            sensors: Filter::new(
                ("hwmon.sensor-include", &options.sensor_include),
                ("hwmon.sensor-exclude", &options.sensor_exclude),
            )?,
        })
    }
}

impl Collector for HwMon {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let Some(chips) = chip::find(&self.class)? else {
            return Ok(Outcome::NoData);
        };
        for chip in chips.iter().filter(|chip| self.chips.keeps(&chip.label)) {
            self.write(chip, out);
        }
        Ok(Outcome::Data)
    }
}

impl HwMon {
    fn write(&self, chip: &Chip, out: &mut Families) {
        if let Some(name) = &chip.name {
            let help = "Annotation metric for human-readable chip names";
            out.family("node_hwmon_chip_names", help, MetricKind::Gauge)
                .sample(&[("chip", &chip.label), ("chip_name", name)], 1.0);
        }
        for (sensor, properties) in sensor::read(chip) {
            if self.sensors.keeps(&format!("{};{sensor}", chip.label)) {
                sensor::emit(&chip.label, &sensor, &properties, out);
            }
        }
    }
}

/// A name as node_exporter cleans it for labels: lower case, letters, digits, `:` and `_`.
fn clean(name: &str) -> String {
    let lower = name.trim().to_lowercase();
    let kept =
        |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == ':';
    let cleaned: String = lower
        .chars()
        .map(|character| if kept(character) { character } else { '_' })
        .collect();
    cleaned.trim_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, samples};

    #[test]
    fn sensors_of_two_chips() {
        let host = Host::new(&[
            ("sys/devices/platform/coretemp.0/hwmon/hwmon0/name", "coretemp\n"),
            (
                "sys/devices/platform/coretemp.0/hwmon/hwmon0/temp1_input",
                "55000\n",
            ),
            (
                "sys/devices/platform/coretemp.0/hwmon/hwmon0/temp1_label",
                "Core 0\n",
            ),
            (
                "sys/devices/platform/coretemp.0/hwmon/hwmon0/temp1_crit_alarm",
                "0\n",
            ),
            ("sys/devices/platform/coretemp.0/hwmon/hwmon0/uevent", "x\n"),
            ("sys/class/hwmon/hwmon1/name", "nct6779\n"),
            ("sys/class/hwmon/hwmon1/fan2_input", "1098\n"),
            ("sys/class/hwmon/hwmon1/fan2_alarm", "broken\n"),
            ("sys/class/hwmon/hwmon1/pwm1", "153\n"),
            ("sys/class/hwmon/hwmon1/pwm1_enable", "5\n"),
        ]);
        let class = host.path().join("sys/class/hwmon");
        let device = "../../devices/platform/coretemp.0/hwmon/hwmon0";
        std::os::unix::fs::symlink(device, class.join("hwmon0")).unwrap();
        std::os::unix::fs::symlink("../../../coretemp.0", class.join("hwmon0/device")).unwrap();
        assert_eq!(
            host.samples(&DESCRIPTOR),
            [
                "node_hwmon_chip_names{chip=\"nct6779\",chip_name=\"nct6779\"} 1",
                "node_hwmon_chip_names{chip=\"platform_coretemp_0\",chip_name=\"coretemp\"} 1",
                "node_hwmon_fan_rpm{chip=\"nct6779\",sensor=\"fan2\"} 1098",
                "node_hwmon_pwm{chip=\"nct6779\",sensor=\"pwm1\"} 153",
                "node_hwmon_pwm_enable{chip=\"nct6779\",sensor=\"pwm1\"} 5",
                "node_hwmon_sensor_label{chip=\"platform_coretemp_0\",label=\"Core 0\",sensor=\"temp1\"} 1",
                "node_hwmon_temp_celsius{chip=\"platform_coretemp_0\",sensor=\"temp1\"} 55",
                "node_hwmon_temp_crit_alarm_celsius{chip=\"platform_coretemp_0\",sensor=\"temp1\"} 0",
            ]
        );
        let some = host.collector(&DESCRIPTOR, |options| {
            "coretemp".clone_into(&mut options.hwmon.chip_exclude);
            ";pwm".clone_into(&mut options.hwmon.sensor_include);
        });
        assert_eq!(samples(some.unwrap().as_ref()).len(), 3);
        let empty = Host::new(&[]).collector(&DESCRIPTOR, |_| ()).unwrap();
        assert_eq!(empty.update(&mut Families::new()).unwrap(), Outcome::NoData);
    }

    #[test]
    fn names() {
        assert_eq!(clean("0000:00:03.1"), "0000:00:03_1");
        assert_eq!(clean("_ASUS WMI \n"), "asus_wmi");
    }
}
