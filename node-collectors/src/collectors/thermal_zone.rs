//! `thermal_zone`: temperatures and cooling devices, `sys/class/thermal`
//! (Documentation/ABI/testing/sysfs-class-thermal).

use std::path::{Path, PathBuf};

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::read::{Buffer, entries_if_any};
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "thermal_zone",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Temperatures of thermal zones and states of cooling devices.",
    sources: &[
        "sys/class/thermal/thermal_zone*",
        "sys/class/thermal/cooling_device*",
    ],
    families: &["node_thermal_zone_temp", "node_cooling_device_*"],
    options: &[],
    build: |context| Ok(Box::new(ThermalZone::new(context))),
};

struct ThermalZone {
    class: PathBuf,
}

impl ThermalZone {
    fn new(context: &Context<'_>) -> Self {
        Self {
            class: context.roots.sys("class/thermal"),
        }
    }
}

impl Collector for ThermalZone {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let names = entries_if_any(&self.class)?;
        let numbered = |prefix: &'static str| {
            names.iter().filter_map(move |name| {
                let number = name.strip_prefix(prefix)?;
                text::decimal(number.as_bytes())?;
                Some((number, self.class.join(name)))
            })
        };
        let help = "Zone temperature in Celsius";
        let mut family = out.family("node_thermal_zone_temp", help, MetricKind::Gauge);
        for (number, folder) in numbered("thermal_zone") {
            // A zone that cannot be read now, such as that of a sleeping radio, is left out; node_exporter says 0.
            if let (Some(kind), Some(millidegrees)) = (kind(&folder), number_in(&folder.join("temp"))) {
                let labels = [("type", &*kind), ("zone", number)];
                family.sample(&labels, millidegrees as f64 / 1000.0);
            }
        }
        for (file, name, help) in [
            (
                "cur_state",
                "node_cooling_device_cur_state",
                "Current throttle state of the cooling device",
            ),
            (
                "max_state",
                "node_cooling_device_max_state",
                "Maximum throttle state of the cooling device",
            ),
        ] {
            let mut family = out.family(name, help, MetricKind::Gauge);
            for (number, folder) in numbered("cooling_device") {
                if let (Some(kind), Some(state)) = (kind(&folder), number_in(&folder.join(file))) {
                    family.sample(&[("name", number), ("type", &kind)], state as f64);
                }
            }
        }
        Ok(Outcome::Data)
    }
}

fn kind(folder: &Path) -> Option<String> {
    let mut buffer = Buffer::take();
    let content = buffer.attribute(&folder.join("type")).ok()?;
    Some(text::utf8(content).into_owned())
}

fn number_in(path: &Path) -> Option<i64> {
    text::signed(Buffer::take().attribute(path).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Host;

    #[test]
    fn zones_and_cooling() {
        let host = Host::new(&[
            ("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n"),
            ("sys/class/thermal/thermal_zone0/temp", "-12376\n"),
            ("sys/class/thermal/thermal_zone1/type", "wifi\n"),
            ("sys/class/thermal/cooling_device2/type", "Processor\n"),
            ("sys/class/thermal/cooling_device2/cur_state", "1\n"),
            ("sys/class/thermal/cooling_device2/max_state", "3\n"),
        ]);
        assert_eq!(
            host.samples(&DESCRIPTOR),
            [
                "node_cooling_device_cur_state{name=\"2\",type=\"Processor\"} 1",
                "node_cooling_device_max_state{name=\"2\",type=\"Processor\"} 3",
                "node_thermal_zone_temp{type=\"cpu-thermal\",zone=\"0\"} -12.376",
            ]
        );
        assert!(Host::new(&[]).samples(&DESCRIPTOR).is_empty());
    }
}
