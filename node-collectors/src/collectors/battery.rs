//! `battery`: health, charge and temperature of a Mac's battery as its controller tells them, from `AppleSmartBattery`
//! in IOKit's registry. `powersupplyclass` has what the system makes of it.

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Descriptor, Outcome, Support};
use crate::emit::gauge;
use crate::error::Error;
use crate::macos::devices::{Query, Registry};
use crate::macos::property::Dictionary;
use crate::sys::Kernel;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "battery",
    linux: Support::Absent,
    macos: Support::On,
    summary: "Health, cycles, charge and temperature of the battery.",
    sources: &["IOKit AppleSmartBattery"],
    families: &["node_battery_*"],
    options: &[],
    build: |_| Ok(Box::new(Battery { registry: Kernel })),
};

struct Battery<R> {
    registry: R,
}

const INSTALLED: &str = "BatteryInstalled";
const CYCLES: &str = "CycleCount";
const DESIGN: &str = "DesignCapacity";
const FULL: &str = "AppleRawMaxCapacity";
const VOLTAGE: &str = "Voltage";
const CURRENT: &str = "InstantAmperage";
const ADAPTER: &str = "AdapterDetails";

const BATTERIES: Query = Query {
    class: c"AppleSmartBattery",
    keys: &[
        INSTALLED,
        CYCLES,
        DESIGN,
        FULL,
        VOLTAGE,
        CURRENT,
        ADAPTER,
        "AppleRawCurrentCapacity",
        "DesignCycleCount9C",
        "ExternalConnected",
        "FullyCharged",
        "IsCharging",
        "NominalChargeCapacity",
        "Temperature",
    ],
    parent: None,
};

/// Key, end of the family's name, HELP, divisor.
static FIELDS: [(&str, &str, &str, f64); 8] = [
    (
        DESIGN,
        "design_capacity_ampere_hours",
        "Capacity that the battery was made for.",
        1e3,
    ),
    (
        FULL,
        "full_capacity_ampere_hours",
        "Capacity of the battery when full, as measured.",
        1e3,
    ),
    (
        "NominalChargeCapacity",
        "nominal_capacity_ampere_hours",
        "Capacity of the battery when full, as shown to the user.",
        1e3,
    ),
    (
        "AppleRawCurrentCapacity",
        "charge_ampere_hours",
        "Charge in the battery.",
        1e3,
    ),
    (
        "DesignCycleCount9C",
        "design_cycles",
        "Cycles that the battery was made for.",
        1.0,
    ),
    (
        "Temperature",
        "temperature_celsius",
        "Temperature of the battery.",
        100.0,
    ),
    (VOLTAGE, "voltage_volts", "Voltage of the battery.", 1e3),
    (
        CURRENT,
        "current_amperes",
        "Current into the battery; negative out of it.",
        1e3,
    ),
];

/// Key, end of the family's name, HELP.
static FLAGS: [(&str, &str, &str); 3] = [
    (
        "ExternalConnected",
        "external_power",
        "Whether the Mac is connected to power.",
    ),
    ("IsCharging", "charging", "Whether the battery is being charged."),
    ("FullyCharged", "fully_charged", "Whether the battery is full."),
];

fn write(battery: &Dictionary, name: &str, out: &mut Families) {
    let labels = [("battery", name)];
    let mut emit = |field: &str, help, value| {
        gauge(out, &format!("node_battery_{field}"), help, &labels, value);
    };
    for (key, field, help, divisor) in FIELDS {
        if let Some(value) = battery.number(key) {
            emit(field, help, value / divisor);
        }
    }
    for (key, field, help) in FLAGS {
        if let Some(flag) = battery.flag(key) {
            emit(field, help, f64::from(u8::from(flag)));
        }
    }
    if let (Some(full), Some(design)) = (battery.number(FULL), battery.number(DESIGN))
        && design > 0.0
    {
        let help = "Capacity of the battery when full, as a share of what it was made for.";
        emit("health_ratio", help, full / design);
    }
    if let (Some(millivolts), Some(milliamperes)) = (battery.number(VOLTAGE), battery.number(CURRENT)) {
        let help = "Power into the battery; negative out of it.";
        emit("power_watts", help, millivolts * milliamperes / 1e6);
    }
    let adapter = battery.dictionary(ADAPTER);
    if let Some(watts) = adapter.and_then(|adapter| adapter.number("Watts")) {
        emit("adapter_watts", "Power that the adapter can give.", watts);
    }
    if let Some(cycles) = battery.number(CYCLES) {
        let help = "Charge cycles that the battery has been through.";
        let mut family = out.family("node_battery_cycles_total", help, MetricKind::Counter);
        family.sample(&labels, cycles);
    }
}

impl<R: Registry> Collector for Battery<R> {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let batteries = self.registry.entries(&BATTERIES);
        let batteries = batteries.map_err(|error| Error::system("IOServiceGetMatchingServices", error))?;
        let installed = batteries
            .iter()
            .filter(|battery| battery.properties.flag(INSTALLED) == Some(true));
        let mut outcome = Outcome::NoData;
        for (number, battery) in installed.enumerate() {
            write(&battery.properties, &number.to_string(), out);
            outcome = Outcome::Data;
        }
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::macos::devices::Entry;
    use crate::macos::property::Property::{self, Flag, Integer};
    use crate::macos::recorded::{Recorded, dictionary};
    use crate::testing::samples;

    fn collector(properties: Dictionary) -> Battery<Recorded> {
        let mac = Recorded::default();
        let entry = Entry {
            properties,
            ..Entry::default()
        };
        mac.entry("AppleSmartBattery", entry);
        Battery { registry: mac }
    }

    #[test]
    fn a_battery_that_discharges() {
        let adapter = Property::Dictionary(dictionary([("Watts", Integer(96))]));
        let lines = samples(&collector(dictionary([
            (INSTALLED, Flag(true)),
            (CYCLES, Integer(214)),
            (DESIGN, Integer(5000)),
            (FULL, Integer(4600)),
            ("AppleRawCurrentCapacity", Integer(2300)),
            ("Temperature", Integer(3012)),
            (VOLTAGE, Integer(12_000)),
            (CURRENT, Integer(-1500)),
            ("IsCharging", Flag(false)),
            (ADAPTER, adapter),
        ])));
        let expected = [
            "adapter_watts{battery=\"0\"} 96",
            "charge_ampere_hours{battery=\"0\"} 2.3",
            "charging{battery=\"0\"} 0",
            "current_amperes{battery=\"0\"} -1.5",
            "cycles_total{battery=\"0\"} 214",
            "design_capacity_ampere_hours{battery=\"0\"} 5",
            "full_capacity_ampere_hours{battery=\"0\"} 4.6",
            "health_ratio{battery=\"0\"} 0.92",
            "power_watts{battery=\"0\"} -18",
            "temperature_celsius{battery=\"0\"} 30.12",
            "voltage_volts{battery=\"0\"} 12",
        ];
        let expected: Vec<String> = expected
            .iter()
            .map(|line| format!("node_battery_{line}"))
            .collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn no_battery_and_an_empty_bay_are_no_data() {
        let none = Battery {
            registry: Recorded::default(),
        };
        for collector in [
            none,
            collector(dictionary([(INSTALLED, Flag(false)), (CYCLES, Integer(1))])),
            collector(Dictionary::default()),
        ] {
            let mut out = Families::new();
            assert_eq!(collector.update(&mut out).unwrap(), Outcome::NoData);
            assert!(out.is_empty());
        }
    }

    #[test]
    fn a_battery_made_for_nothing_has_no_health() {
        let lines = samples(&collector(dictionary([
            (INSTALLED, Integer(1)),
            (DESIGN, Integer(0)),
            (FULL, Integer(4600)),
        ])));
        assert_eq!(lines.len(), 2);
    }
}
