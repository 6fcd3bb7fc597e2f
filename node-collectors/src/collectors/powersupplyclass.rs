//! `powersupplyclass`: batteries and power supplies, `sys/class/power_supply`
//! (Documentation/ABI/testing/sysfs-class-power). macOS: IOKit's power sources.

mod macos;

use std::path::{Path, PathBuf};

use ferroalloy_model::Families;

use crate::collector::{Collector, Context, Descriptor, Outcome, Platform, Support};
use crate::emit;
use crate::error::Error;
use crate::filter::Pattern;
use crate::option::options;
use crate::read::entries;
use crate::sys::Kernel;
use crate::sysfs::Sysfs;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "powersupplyclass",
    linux: Support::On,
    macos: Support::On,
    summary: "Charge, power, voltage and state of batteries and power supplies.",
    sources: &["sys/class/power_supply/*", "IOPSCopyPowerSourcesInfo"],
    families: &["node_power_supply_*"],
    options: options! {
        "powersupply.ignored-supplies" = powersupplyclass.ignored_supplies: String, "Power supplies to leave out (expression).";
    },
    build: |context| {
        let ignored = &context.options.powersupplyclass.ignored_supplies;
        Ok(match context.platform {
            Platform::MacOs => Box::new(macos::PowerSupply::new(Kernel, ignored)?),
            Platform::Linux => Box::new(PowerSupply::new(context)?),
        })
    },
};

/// Options of `powersupplyclass`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Expression for power supplies to leave out.
    pub ignored_supplies: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ignored_supplies: "^$".to_owned(),
        }
    }
}

/// File, end of the family's name, divisor.
static NUMBERS: [(&str, &str, f64); 49] = [
    ("authentic", "authentic", 1.0),
    ("calibrate", "calibrate", 1.0),
    ("capacity", "capacity", 1.0),
    ("capacity_alert_max", "capacity_alert_max", 1.0),
    ("capacity_alert_min", "capacity_alert_min", 1.0),
    ("cycle_count", "cyclecount", 1.0),
    ("online", "online", 1.0),
    ("present", "present", 1.0),
    ("time_to_empty_now", "time_to_empty_seconds", 1.0),
    ("time_to_full_now", "time_to_full_seconds", 1.0),
    ("current_boot", "current_boot", 1e6),
    ("current_max", "current_max", 1e6),
    ("current_now", "current_ampere", 1e6),
    ("energy_empty", "energy_empty", 1e6),
    ("energy_empty_design", "energy_empty_design", 1e6),
    ("energy_full", "energy_full", 1e6),
    ("energy_full_design", "energy_full_design", 1e6),
    ("energy_now", "energy_watthour", 1e6),
    ("voltage_boot", "voltage_boot", 1e6),
    ("voltage_max", "voltage_max", 1e6),
    ("voltage_max_design", "voltage_max_design", 1e6),
    ("voltage_min", "voltage_min", 1e6),
    ("voltage_min_design", "voltage_min_design", 1e6),
    ("voltage_now", "voltage_volt", 1e6),
    ("voltage_ocv", "voltage_ocv", 1e6),
    ("charge_control_limit", "charge_control_limit", 1e6),
    ("charge_control_limit_max", "charge_control_limit_max", 1e6),
    ("charge_counter", "charge_counter", 1e6),
    ("charge_empty", "charge_empty", 1e6),
    ("charge_empty_design", "charge_empty_design", 1e6),
    ("charge_full", "charge_full", 1e6),
    ("charge_full_design", "charge_full_design", 1e6),
    ("charge_now", "charge_ampere", 1e6),
    ("charge_term_current", "charge_term_current", 1e6),
    ("constant_charge_current", "constant_charge_current", 1e6),
    ("constant_charge_current_max", "constant_charge_current_max", 1e6),
    ("constant_charge_voltage", "constant_charge_voltage", 1e6),
    ("constant_charge_voltage_max", "constant_charge_voltage_max", 1e6),
    ("precharge_current", "precharge_current", 1e6),
    ("input_current_limit", "input_current_limit", 1e6),
    ("power_now", "power_watt", 1e6),
    ("temp", "temp_celsius", 10.0),
    ("temp_alert_max", "temp_alert_max_celsius", 10.0),
    ("temp_alert_min", "temp_alert_min_celsius", 10.0),
    ("temp_ambient", "temp_ambient_celsius", 10.0),
    ("temp_ambient_max", "temp_ambient_max_celsius", 10.0),
    ("temp_ambient_min", "temp_ambient_min_celsius", 10.0),
    ("temp_max", "temp_max_celsius", 10.0),
    ("temp_min", "temp_min_celsius", 10.0),
];
/// Files whose text is a label of `node_power_supply_info`, under their own names.
static TEXTS: [&str; 11] = [
    "capacity_level",
    "charge_type",
    "health",
    "manufacturer",
    "model_name",
    "serial_number",
    "status",
    "technology",
    "type",
    "usb_type",
    "scope",
];

struct PowerSupply {
    class: PathBuf,
    ignored: Option<Pattern>,
    sysfs: Sysfs,
}

impl PowerSupply {
    fn new(context: &Context<'_>) -> Result<Self, Error> {
        let ignored = &context.options.powersupplyclass.ignored_supplies;
        Ok(Self {
            class: context.roots.sys("class/power_supply"),
            ignored: Pattern::compile("powersupply.ignored-supplies", ignored)?,
            sysfs: context.sysfs(),
        })
    }

    /// The content of a file, where there is one and the driver has a value for it.
    fn content(&self, path: &Path) -> Result<Option<String>, Error> {
        match self.sysfs.text(path) {
            Ok(content) => Ok(Some(content)),
            Err(error)
                if error.is_not_found()
                    || matches!(error.raw_os_error(), Some(libc::EOPNOTSUPP | libc::ENODEV)) =>
            {
                Ok(None)
            }
            Err(error) => self.sysfs.lenient(Err(error)),
        }
    }

    fn supply(&self, name: &str, out: &mut Families) -> Result<(), Error> {
        let folder = self.class.join(name);
        for (file, end, divisor) in NUMBERS {
            let path = folder.join(file);
            let Some(content) = self.content(&path)? else {
                continue;
            };
            let value = text::auto_base(content.as_bytes());
            let value = value.ok_or_else(|| Error::parse(&path, format_args!("bad value {content:?}")));
            if let Some(value) = self.sysfs.lenient(value)? {
                let help = format!("{end} value of /sys/class/power_supply/<power_supply>.");
                let name_of = format!("node_power_supply_{end}");
                emit::gauge(
                    out,
                    &name_of,
                    &help,
                    &[("power_supply", name)],
                    value as f64 / divisor,
                );
            }
        }
        let mut texts = Vec::new();
        for file in TEXTS {
            if let Some(content) = self
                .content(&folder.join(file))?
                .filter(|content| !content.is_empty())
            {
                texts.push((file, content));
            }
        }
        let mut labels = vec![("power_supply", name)];
        labels.extend(texts.iter().map(|(file, content)| (*file, &**content)));
        let help = "info of /sys/class/power_supply/<power_supply>.";
        emit::gauge(out, "node_power_supply_info", help, &labels, 1.0);
        Ok(())
    }
}

impl Collector for PowerSupply {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let names = match entries(&self.class) {
            Ok(names) => names,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Outcome::NoData),
            Err(error) => return Err(Error::read(&self.class, error)),
        };
        for name in names {
            if self
                .ignored
                .as_ref()
                .is_none_or(|ignored| !ignored.is_match(&name))
            {
                self.supply(&name, out)?;
            }
        }
        Ok(Outcome::Data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mode::Mode;
    use crate::testing::{Host, samples};

    #[test]
    fn a_battery() {
        let host = Host::new(&[
            ("sys/class/power_supply/BAT0/capacity", "81\n"),
            ("sys/class/power_supply/BAT0/energy_now", "36580000\n"),
            ("sys/class/power_supply/BAT0/temp", "-35\n"),
            ("sys/class/power_supply/BAT0/cycle_count", "many\n"),
            ("sys/class/power_supply/BAT0/health", "\n"),
            ("sys/class/power_supply/BAT0/type", "Battery\n"),
            ("sys/class/power_supply/AC/online", "0\n"),
        ]);
        let expected = [
            "node_power_supply_capacity{power_supply=\"BAT0\"} 81",
            "node_power_supply_energy_watthour{power_supply=\"BAT0\"} 36.58",
            "node_power_supply_info{power_supply=\"BAT0\",type=\"Battery\"} 1",
            "node_power_supply_temp_celsius{power_supply=\"BAT0\"} -3.5",
        ];
        let collector = |mode| {
            host.collector_as(mode, &DESCRIPTOR, |options| {
                "^AC$".clone_into(&mut options.powersupplyclass.ignored_supplies);
            })
            .unwrap()
        };
        assert_eq!(samples(collector(Mode::Fixed).as_ref()), expected);
        assert!(collector(Mode::Compat).update(&mut Families::new()).is_err());
    }
}
