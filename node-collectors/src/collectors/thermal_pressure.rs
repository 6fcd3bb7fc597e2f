//! `thermal_pressure`: how much a Mac slows down because of heat, on Intel and Apple silicon alike: the notification
//! `com.apple.system.thermalpressurelevel` (`<libkern/OSThermalNotification.h>`).

use std::ffi::CStr;

use ferroalloy_model::Families;

use crate::collector::{Collector, Descriptor, Outcome, Support};
use crate::emit::gauge;
use crate::error::Error;
use crate::macos::devices::Notifications;
use crate::sys::Kernel;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "thermal_pressure",
    linux: Support::Absent,
    macos: Support::On,
    summary: "How far heat makes the system slow down.",
    sources: &["notify(3) com.apple.system.thermalpressurelevel"],
    families: &["node_thermal_pressure_level"],
    options: &[],
    build: |_| Ok(Box::new(ThermalPressure { kernel: Kernel })),
};

/// The text behind `kOSThermalNotificationPressureLevelName`.
const NAME: &CStr = c"com.apple.system.thermalpressurelevel";

struct ThermalPressure<K> {
    kernel: K,
}

impl<K: Notifications> Collector for ThermalPressure<K> {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let level = self.kernel.state(NAME);
        let level = level.map_err(|error| Error::system("notify_get_state", error))?;
        let help = "Thermal pressure: 0 nominal, 1 moderate, 2 heavy, 3 trapping, 4 sleeping.";
        gauge(out, "node_thermal_pressure_level", help, &[], level as f64);
        Ok(Outcome::Data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::macos::recorded::Recorded;
    use crate::testing::samples;

    #[test]
    fn the_level_is_given_as_it_is() {
        let mac = Recorded::default();
        mac.notification("com.apple.system.thermalpressurelevel", 2);
        assert_eq!(
            samples(&ThermalPressure { kernel: mac }),
            ["node_thermal_pressure_level 2"]
        );
        let kernel = Recorded::default();
        let error = ThermalPressure { kernel }
            .update(&mut Families::new())
            .unwrap_err();
        assert_eq!(error.to_string(), "notify_get_state failed");
    }
}
