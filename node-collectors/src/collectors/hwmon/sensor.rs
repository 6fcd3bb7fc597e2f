//! Sensors of a chip: files such as `temp1_crit` are grouped by sensor, and each property has a family whose name and
//! unit follow from the sensor's type.

use std::collections::BTreeMap;

use ferroalloy_model::{Families, MetricKind};

use super::chip::Chip;
use super::clean;
use crate::read::{Buffer, entries};
use crate::text;

/// Types of sensors; other files of the folder are no sensors.
const TYPES: [&str; 14] = [
    "vrm",
    "beep_enable",
    "update_interval",
    "in",
    "cpu",
    "fan",
    "pwm",
    "temp",
    "curr",
    "power",
    "energy",
    "humidity",
    "intrusion",
    "freq",
];

/// A sensor's properties by name; the name is empty for a file without one, such as `pwm1`.
pub(super) type Properties = BTreeMap<String, String>;

/// The sensors, by type and number, of the chip's folder and of its device's.
pub(super) fn read(chip: &Chip) -> BTreeMap<String, Properties> {
    let mut sensors: BTreeMap<String, Properties> = BTreeMap::new();
    let mut buffer = Buffer::take();
    for folder in [chip.folder.clone(), chip.folder.join("device")] {
        for file in entries(&folder).unwrap_or_default() {
            let Some((kind, number, property)) = split(&file) else {
                continue;
            };
            if let Ok(content) = buffer.attribute(&folder.join(&file)) {
                let sensor = sensors.entry(format!("{kind}{number}")).or_default();
                sensor.insert(property.to_owned(), text::utf8(content).into_owned());
            }
        }
    }
    sensors
}

/// Type, number (0 without one) and property of a file's name.
fn split(file: &str) -> Option<(&str, u64, &str)> {
    let end = file
        .find(|character: char| character.is_ascii_digit())
        .unwrap_or(file.len());
    let (kind, rest) = file.split_at(end);
    if !TYPES.contains(&kind) {
        return None;
    }
    let end = rest
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(rest.len());
    let (digits, rest) = rest.split_at(end);
    let number = if digits.is_empty() {
        0
    } else {
        text::decimal(digits.as_bytes())?
    };
    let property = if rest.is_empty() {
        ""
    } else {
        rest.strip_prefix('_').filter(|rest| !rest.is_empty())?
    };
    Some((kind, number, property))
}

/// Writes a sensor's families. A property that is no number is left out.
pub(super) fn emit(chip: &str, sensor: &str, properties: &Properties, out: &mut Families) {
    let kind = sensor.trim_end_matches(|character: char| character.is_ascii_digit());
    let labels = [("chip", chip), ("sensor", sensor)];
    if let Some(label) = properties.get("label") {
        let help = "Label for given chip and sensor";
        out.family("node_hwmon_sensor_label", help, MetricKind::Gauge)
            .sample(&[("chip", chip), ("label", label), ("sensor", sensor)], 1.0);
    }
    let whole = properties.get("").map(String::as_str);
    let mut single = |name: &str, help: &str, value: f64| {
        out.family(name, help, MetricKind::Gauge).sample(&labels, value);
    };
    match kind {
        "beep_enable" => {
            let enabled = f64::from(u8::from(whole == Some("1")));
            return single("node_hwmon_beep_enabled", "Hardware beep enabled", enabled);
        }
        "vrm" => {
            if let Some(version) = whole.and_then(number) {
                let help = "Hardware voltage regulator";
                single("node_hwmon_voltage_regulator_version", help, version);
            }
            return;
        }
        "update_interval" => {
            if let Some(milliseconds) = whole.and_then(number) {
                let help = "Hardware monitor update interval";
                single("node_hwmon_update_interval_seconds", help, milliseconds * 0.001);
            }
            return;
        }
        _ => {}
    }
    for (property, text) in properties.iter().filter(|(property, _)| *property != "label") {
        let Some(value) = number(text) else { continue };
        // What is measured goes by the sensor's own name, unless a file without a property does.
        let name = match property.as_str() {
            "" => format!("node_hwmon_{kind}"),
            "input" if whole.is_none() => format!("node_hwmon_{kind}"),
            "input" => format!("node_hwmon_{kind}_input"),
            other => format!("node_hwmon_{kind}_{}", clean(other)),
        };
        if kind == "freq"
            && property == "input"
            && let Some(label) = properties.get("label")
        {
            let help = "Hardware monitor for GPU frequency in MHz";
            let labels = [("chip", chip), ("sensor", &*clean(label))];
            let name = format!("{name}_freq_mhz");
            out.family(&name, help, MetricKind::Gauge)
                .sample(&labels, value / 1_000_000.0);
            continue;
        }
        let (suffix, help, value) = measure(kind, property, value);
        let metric = if kind == "energy" && suffix == "_joule_total" {
            MetricKind::Counter
        } else {
            MetricKind::Gauge
        };
        out.family(&format!("{name}{suffix}"), &help, metric)
            .sample(&labels, value);
    }
}

fn number(text: &str) -> Option<f64> {
    text::float(text.as_bytes())
}

/// Suffix of the family's name, HELP, and value in base units. The order of the cases matters; factors are products
/// or quotients as in node_exporter, for equal last digits.
fn measure(kind: &str, property: &str, raw: f64) -> (&'static str, String, f64) {
    match (kind, property) {
        (_, "fault" | "alarm") => ("", format!("Hardware sensor {property} status ({kind})"), raw),
        (_, "beep") => (
            "_enabled",
            "Hardware monitor sensor has beeping enabled".to_owned(),
            raw,
        ),
        ("in" | "cpu", _) => (
            "_volts",
            format!("Hardware monitor for voltage ({property})"),
            raw * 0.001,
        ),
        ("temp", property) if property != "type" => {
            let property = if property.is_empty() { "input" } else { property };
            (
                "_celsius",
                format!("Hardware monitor for temperature ({property})"),
                raw * 0.001,
            )
        }
        ("curr", _) => (
            "_amps",
            format!("Hardware monitor for current ({property})"),
            raw * 0.001,
        ),
        ("energy", _) => {
            let help = format!("Hardware monitor for joules used so far ({property})");
            ("_joule_total", help, raw / 1_000_000.0)
        }
        ("power", "accuracy") => (
            "",
            "Hardware monitor power meter accuracy, as a ratio".to_owned(),
            raw / 1_000_000.0,
        ),
        ("power", "average_interval" | "average_interval_min" | "average_interval_max") => {
            let help = format!("Hardware monitor power usage update interval ({property})");
            ("_seconds", help, raw * 0.001)
        }
        ("power", _) => {
            let help = format!("Hardware monitor for power usage in watts ({property})");
            ("_watt", help, raw / 1_000_000.0)
        }
        ("humidity", _) => {
            let help = format!(
                "Hardware monitor for humidity, as a ratio (multiply with 100.0 to get the humidity as a percentage) ({property})"
            );
            ("", help, raw / 1_000_000.0)
        }
        ("fan", "input" | "min" | "max" | "target") => (
            "_rpm",
            format!("Hardware monitor for fan revolutions per minute ({property})"),
            raw,
        ),
        _ => ("", format!("Hardware monitor {kind} element {property}"), raw),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::lines;
    use proptest::prelude::*;

    #[test]
    fn file_names() {
        assert_eq!(split("temp1_crit_alarm"), Some(("temp", 1, "crit_alarm")));
        assert_eq!(split("pwm12"), Some(("pwm", 12, "")));
        assert_eq!(split("beep_enable"), Some(("beep_enable", 0, "")));
        for other in [
            "name",
            "bogus1_input",
            "temp1_",
            "temp1x",
            "",
            "temp99999999999999999999_input",
        ] {
            assert_eq!(split(other), None, "{other}");
        }
    }

    fn of(sensor: &str, properties: &[(&str, &str)]) -> Vec<String> {
        let properties = properties
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut out = Families::new();
        emit("c", sensor, &properties, &mut out);
        lines(&out)
            .into_iter()
            .map(|line| line.replace("chip=\"c\",", "").replace("node_hwmon_", ""))
            .collect()
    }

    #[test]
    fn units() {
        assert_eq!(
            of(
                "power1",
                &[
                    ("average", "18066000"),
                    ("accuracy", "500000"),
                    ("average_interval", "1000")
                ]
            ),
            [
                "power_accuracy{sensor=\"power1\"} 0.5",
                "power_average_interval_seconds{sensor=\"power1\"} 1",
                "power_average_watt{sensor=\"power1\"} 18.066",
            ]
        );
        assert_eq!(
            of("in0", &[("input", "792"), ("alarm", "1"), ("beep", "0")]),
            [
                "in_alarm{sensor=\"in0\"} 1",
                "in_beep_enabled{sensor=\"in0\"} 0",
                "in_volts{sensor=\"in0\"} 0.792",
            ]
        );
        assert_eq!(
            of("energy1", &[("input", "1500000")]),
            ["energy_joule_total{sensor=\"energy1\"} 1.5"]
        );
        assert_eq!(
            of(
                "temp1",
                &[("", "1"), ("input", "2000"), ("type", "3"), ("max", "hot")]
            ),
            [
                "temp_celsius{sensor=\"temp1\"} 0.001",
                "temp_input_celsius{sensor=\"temp1\"} 2",
                "temp_type{sensor=\"temp1\"} 3",
            ]
        );
        assert_eq!(
            of("freq1", &[("input", "214000000"), ("label", "sclk")])[0],
            "freq_freq_mhz{sensor=\"sclk\"} 214"
        );
        assert_eq!(
            of("beep_enable0", &[("", "1")]),
            ["beep_enabled{sensor=\"beep_enable0\"} 1"]
        );
        assert_eq!(
            of("vrm0", &[("", "110")]),
            ["voltage_regulator_version{sensor=\"vrm0\"} 110"]
        );
        assert_eq!(
            of("update_interval0", &[("", "2000")]),
            ["update_interval_seconds{sensor=\"update_interval0\"} 2"]
        );
        assert_eq!(
            of("curr1", &[("max", "1000")]),
            ["curr_max_amps{sensor=\"curr1\"} 1"]
        );
        assert_eq!(
            of("humidity1", &[("input", "500000")]),
            ["humidity{sensor=\"humidity1\"} 0.5"]
        );
    }

    proptest! {
        #[test]
        fn any_name_is_taken(file: String) {
            if let Some((kind, _, _)) = split(&file) {
                prop_assert!(file.starts_with(kind));
            }
        }
    }
}
