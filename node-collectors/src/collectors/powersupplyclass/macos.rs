//! macOS: the descriptions of IOKit's power sources (`<IOKit/ps/IOPSKeys.h>`). A Mac without a battery has none, which
//! is no fault. A source without `Power Source ID`, which ends node_exporter, has an empty `id` here.

use ferroalloy_model::Families;

use crate::collector::{Collector, Outcome};
use crate::emit::gauge;
use crate::error::Error;
use crate::filter::Pattern;
use crate::macos::devices::PowerSources;
use crate::macos::property::Dictionary;

pub(super) struct PowerSupply<P> {
    sources: P,
    ignored: Option<Pattern>,
}

impl<P: PowerSources> PowerSupply<P> {
    pub(super) fn new(sources: P, ignored: &str) -> Result<Self, Error> {
        Ok(Self {
            sources,
            ignored: Pattern::compile("powersupply.ignored-supplies", ignored)?,
        })
    }
}

/// How a property becomes a value.
#[derive(Clone, Copy)]
enum Unit {
    Plain,
    Thousandth,
    /// Minutes; -1 while the system still estimates.
    Minutes,
    Flag,
}

/// Key, end of the family's name, unit.
static FIELDS: [(&str, &str, Unit); 13] = [
    ("Current Capacity", "current_capacity", Unit::Plain),
    ("Max Capacity", "max_capacity", Unit::Plain),
    ("DesignCapacity", "design_capacity", Unit::Plain),
    ("Nominal Capacity", "nominal_capacity", Unit::Plain),
    ("Time to Empty", "time_to_empty_seconds", Unit::Minutes),
    ("Time to Full Charge", "time_to_full_seconds", Unit::Minutes),
    ("Voltage", "voltage_volt", Unit::Thousandth),
    ("Current", "current_ampere", Unit::Thousandth),
    ("Temperature", "temp_celsius", Unit::Plain),
    ("Is Present", "present", Unit::Flag),
    ("Is Charging", "charging", Unit::Flag),
    ("Is Charged", "charged", Unit::Flag),
    ("Internal Failure", "internal_failure", Unit::Flag),
];

/// Key, end of the family's name, the values that stand as label `state`.
static STATES: [(&str, &str, [&str; 3]); 2] = [
    (
        "Power Source State",
        "power_source_state",
        ["Off Line", "AC Power", "Battery Power"],
    ),
    ("BatteryHealth", "battery_health", ["Good", "Fair", "Poor"]),
];

impl Unit {
    fn value(self, source: &Dictionary, key: &str) -> Option<f64> {
        Some(match self {
            Self::Plain => source.number(key)?,
            Self::Thousandth => source.number(key)? / 1000.0,
            Self::Minutes => match source.number(key)? {
                minutes if minutes > 0.0 => minutes * 60.0,
                estimating => estimating,
            },
            Self::Flag => f64::from(u8::from(source.flag(key)?)),
        })
    }
}

fn help(field: &str) -> String {
    format!("IOKit Power Source information field {field} for <power_supply>.")
}

fn write(source: &Dictionary, name: &str, out: &mut Families) {
    for (key, field, unit) in FIELDS {
        if let Some(value) = unit.value(source, key) {
            let family = format!("node_power_supply_{field}");
            gauge(out, &family, &help(field), &[("power_supply", name)], value);
        }
    }
    for (key, field, states) in STATES {
        let Some(current) = source.text(key) else { continue };
        let family = format!("node_power_supply_{field}");
        for state in states {
            let labels = [("power_supply", name), ("state", state)];
            gauge(
                out,
                &family,
                &help(field),
                &labels,
                f64::from(u8::from(state == current)),
            );
        }
    }
    let id = source.integer("Power Source ID").map(|id| id.to_string());
    let text = |key| source.text(key).unwrap_or_default();
    let labels = [
        ("id", id.as_deref().unwrap_or_default()),
        ("power_supply", name),
        ("serial_number", text("Hardware Serial Number")),
        ("transport_type", text("Transport Type")),
        ("type", text("Type")),
    ];
    let help = "IOKit Power Source information for <power_supply>.";
    gauge(out, "node_power_supply_info", help, &labels, 1.0);
}

impl<P: PowerSources> Collector for PowerSupply<P> {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let sources = self.sources.power_sources();
        for source in sources.map_err(|error| Error::system("IOPSCopyPowerSourcesInfo", error))? {
            let name = source.text("Name").unwrap_or_default();
            if !self
                .ignored
                .as_ref()
                .is_some_and(|ignored| ignored.is_match(name))
            {
                write(&source, name, out);
            }
        }
        Ok(Outcome::Data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::macos::inventory;
    use crate::macos::property::Property::{Flag, Integer, Text};
    use crate::macos::recorded::{Recorded, dictionary};
    use crate::testing::samples;

    fn battery() -> Dictionary {
        dictionary([
            ("Name", Text("InternalBattery-0".into())),
            ("Power Source ID", Integer(8_323_171)),
            ("Type", Text("InternalBattery".into())),
            ("Transport Type", Text("Internal".into())),
            ("Hardware Serial Number", Text("F8Y1".into())),
            ("Power Source State", Text("AC Power".into())),
            ("BatteryHealth", Text("Good".into())),
            ("Current Capacity", Integer(87)),
            ("Max Capacity", Integer(100)),
            ("DesignCapacity", Integer(4790)),
            ("Nominal Capacity", Integer(4500)),
            ("Time to Empty", Integer(-1)),
            ("Time to Full Charge", Integer(42)),
            ("Voltage", Integer(12_345)),
            ("Current", Integer(-1500)),
            ("Temperature", Integer(31)),
            ("Is Present", Flag(true)),
            ("Is Charging", Flag(true)),
            ("Is Charged", Flag(false)),
            ("Internal Failure", Integer(0)),
        ])
    }

    fn collector(sources: &[Dictionary], ignored: &str) -> PowerSupply<Recorded> {
        let mac = Recorded::default();
        mac.power_sources(sources);
        PowerSupply::new(mac, ignored).unwrap()
    }

    #[test]
    fn every_field_in_its_unit() {
        let lines = samples(&collector(&[battery()], "^$"));
        let value = |name: &str| {
            let series = format!("node_power_supply_{name}{{power_supply=\"InternalBattery-0\"}} ");
            let line = lines.iter().find_map(|line| line.strip_prefix(&series));
            line.unwrap_or_else(|| panic!("{name} in {lines:#?}")).to_owned()
        };
        assert_eq!(value("current_capacity"), "87");
        assert_eq!(value("time_to_empty_seconds"), "-1");
        assert_eq!(value("time_to_full_seconds"), "2520");
        assert_eq!(value("voltage_volt"), "12.345");
        assert_eq!(value("current_ampere"), "-1.5");
        assert_eq!(value("charging"), "1");
        assert_eq!(value("internal_failure"), "0");
        let state = |name: &str, state: &str, value: &str| {
            let line = format!(
                "node_power_supply_{name}{{power_supply=\"InternalBattery-0\",state=\"{state}\"}} {value}"
            );
            assert!(lines.contains(&line), "{line}");
        };
        state("power_source_state", "AC Power", "1");
        state("power_source_state", "Battery Power", "0");
        state("battery_health", "Good", "1");
        state("battery_health", "Poor", "0");
        assert!(lines.contains(
            &"node_power_supply_info{id=\"8323171\",power_supply=\"InternalBattery-0\",serial_number=\"F8Y1\",\
              transport_type=\"Internal\",type=\"InternalBattery\"} 1"
                .to_owned()
        ));
    }

    #[test]
    fn a_mac_without_battery_and_a_source_without_anything() {
        assert!(samples(&collector(&[], "^$")).is_empty());
        assert_eq!(
            samples(&collector(&[Dictionary::default()], "x")),
            [
                "node_power_supply_info{id=\"\",power_supply=\"\",serial_number=\"\",transport_type=\"\",type=\"\"} 1"
            ]
        );
        let wrong = dictionary([("Name", Integer(7)), ("Voltage", Text("12".into()))]);
        assert_eq!(samples(&collector(&[wrong], "x")).len(), 1);
    }

    #[test]
    fn ignored_sources_and_a_refused_call() {
        assert!(samples(&collector(&[battery()], "^Internal")).is_empty());
        let silent = PowerSupply::new(Recorded::default(), "^$").unwrap();
        let error = silent.update(&mut Families::new()).unwrap_err();
        assert_eq!(error.to_string(), "IOPSCopyPowerSourcesInfo failed");
        assert!(PowerSupply::new(Recorded::default(), "(").is_err());
    }

    #[test]
    fn as_node_exporter_gives_it() {
        inventory::check("powersupplyclass", &collector(&[battery()], "^$"), &[], &[]);
    }
}
