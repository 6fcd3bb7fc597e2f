//! `smc`: fans, temperatures and power from the system management controller. On Intel Macs its keys are the source of
//! temperatures; on Apple silicon it has fans and power, and `thermal` has temperatures.

use ferroalloy_model::Families;

use crate::collector::{Collector, Descriptor, Outcome, Support};
use crate::emit::gauge;
use crate::error::Error;
use crate::macos::devices::Smc as Controller;
use crate::macos::smc::number;
use crate::sys::Kernel;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "smc",
    linux: Support::Absent,
    macos: Support::Off,
    summary: "Fans, temperatures and power from the system management controller.",
    sources: &["IOKit AppleSMC"],
    families: &["node_smc_*"],
    options: &[],
    build: |_| Ok(Box::new(Smc { controller: Kernel })),
};

struct Smc<C> {
    controller: C,
}

/// More fans than any Mac has: their keys have one digit.
const FANS: u8 = 10;

/// Last letters of a fan's key, end of the family's name, HELP.
static FAN_KEYS: [([u8; 2], &str, &str); 4] = [
    (*b"Ac", "fan_rpm", "Speed of a fan in revolutions per minute."),
    (*b"Mn", "fan_min_rpm", "Least speed of a fan."),
    (*b"Mx", "fan_max_rpm", "Greatest speed of a fan."),
    (*b"Tg", "fan_target_rpm", "Speed that a fan is to have."),
];

/// Keys of Intel Macs, and the names their temperatures are known under.
static TEMPERATURES: [([u8; 4], &str); 16] = [
    (*b"TA0P", "ambient"),
    (*b"TA0p", "ambient"),
    (*b"TB0T", "battery"),
    (*b"TB1T", "battery"),
    (*b"TC0D", "cpu die"),
    (*b"TC0E", "cpu"),
    (*b"TC0F", "cpu"),
    (*b"TC0H", "cpu heatsink"),
    (*b"TC0P", "cpu proximity"),
    (*b"TCXC", "cpu package"),
    (*b"TG0D", "gpu die"),
    (*b"TG0P", "gpu proximity"),
    (*b"TH0P", "drive"),
    (*b"TM0P", "memory proximity"),
    (*b"TPCD", "platform controller"),
    (*b"Ts0P", "palm rest"),
];

/// Keys of power, in watts.
static POWERS: [([u8; 4], &str); 4] = [
    (*b"PSTR", "system"),
    (*b"PCPT", "cpu package"),
    (*b"PCPG", "gpu"),
    (*b"PDTR", "adapter"),
];

/// What a sensor that is not connected says lies outside.
const PLAUSIBLE_CELSIUS: std::ops::Range<f64> = -40.0..150.0;

impl<C: Controller> Smc<C> {
    fn fans(&self, out: &mut Families) -> Result<(), Error> {
        let count = number(&self.controller, *b"FNum")?.unwrap_or_default();
        for fan in (0..FANS).take_while(|fan| f64::from(*fan) < count) {
            let label = fan.to_string();
            for ([third, fourth], family, help) in FAN_KEYS {
                let key = [b'F', b'0' + fan, third, fourth];
                if let Some(speed) = number(&self.controller, key)? {
                    let family = format!("node_smc_{family}");
                    gauge(out, &family, help, &[("fan", &label)], speed);
                }
            }
        }
        Ok(())
    }

    fn sensors(
        &self,
        keys: &[([u8; 4], &str)],
        (family, help): (&str, &str),
        plausible: impl Fn(f64) -> bool,
        out: &mut Families,
    ) -> Result<(), Error> {
        for (key, sensor) in keys {
            if let Some(value) = number(&self.controller, *key)?.filter(|value| plausible(*value)) {
                let key = String::from_utf8_lossy(key);
                gauge(out, family, help, &[("key", &key), ("sensor", sensor)], value);
            }
        }
        Ok(())
    }
}

impl<C: Controller> Collector for Smc<C> {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        // Every controller has the number of its keys; without one there is no controller. A sandbox may keep it from us.
        match number(&self.controller, *b"#KEY") {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(Outcome::NoData),
            Err(error) if error.is_permission_denied() => return Ok(Outcome::NoData),
            Err(error) => return Err(error),
        }
        self.fans(out)?;
        let family = ("node_smc_temperature_celsius", "Temperature of a sensor.");
        self.sensors(
            &TEMPERATURES,
            family,
            |value| PLAUSIBLE_CELSIUS.contains(&value),
            out,
        )?;
        let family = ("node_smc_power_watts", "Power that a part of the system draws.");
        self.sensors(&POWERS, family, |value| value >= 0.0, out)?;
        Ok(Outcome::Data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::macos::recorded::Recorded;
    use crate::testing::samples;

    #[test]
    fn an_intel_mac() {
        let mac = Recorded::default();
        mac.smc(*b"#KEY", *b"ui32", &[0, 0, 1, 0])
            .smc(*b"FNum", *b"ui8 ", &[2])
            .smc(*b"F0Ac", *b"fpe2", &[0x12, 0xc0])
            .smc(*b"F1Mx", *b"fpe2", &[0x54, 0x60])
            .smc(*b"F2Ac", *b"fpe2", &[0x12, 0xc0])
            .smc(*b"TC0P", *b"sp78", &[0x2d, 0x80])
            .smc(*b"TG0P", *b"sp78", &[0x81, 0x00]);
        assert_eq!(
            samples(&Smc { controller: mac }),
            [
                "node_smc_fan_max_rpm{fan=\"1\"} 5400",
                "node_smc_fan_rpm{fan=\"0\"} 1200",
                "node_smc_temperature_celsius{key=\"TC0P\",sensor=\"cpu proximity\"} 45.5",
            ]
        );
    }

    #[test]
    fn apple_silicon_without_fans() {
        let mac = Recorded::default();
        mac.smc(*b"#KEY", *b"ui32", &[0, 0, 1, 0])
            .smc(*b"FNum", *b"ui8 ", &[0])
            .smc(*b"PSTR", *b"flt ", &6.25_f32.to_le_bytes());
        assert_eq!(
            samples(&Smc { controller: mac }),
            ["node_smc_power_watts{key=\"PSTR\",sensor=\"system\"} 6.25"]
        );
    }

    #[test]
    fn a_controller_that_is_absent_or_denied_is_no_data() {
        let controller = Recorded::default();
        let outcome = Smc { controller }.update(&mut Families::new());
        assert_eq!(outcome.unwrap(), Outcome::NoData);
        let controller = Recorded::default();
        controller.smc(*b"#KEY", *b"ui32", &[0, 0, 1, 0]).deny();
        let outcome = Smc { controller }.update(&mut Families::new());
        assert_eq!(outcome.unwrap(), Outcome::NoData);
    }
}
