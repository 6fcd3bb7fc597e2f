//! `time`: the host's clock and time zone; on Linux also its clock sources.

use std::path::{Path, PathBuf};

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Platform, Support};
use crate::error::Error;
use crate::read::{Buffer, entries_if_any};
use crate::sys::unix::{clock, zone};
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "time",
    linux: Support::On,
    macos: Support::On,
    summary: "System time, time zone and clock sources.",
    sources: &["clock_gettime(2)", "sys/devices/system/clocksource/clocksource*"],
    families: &["node_time_*"],
    options: &[],
    build: |context| Ok(Box::new(Time::new(context))),
};

struct Time {
    /// The folder of clock sources, which only Linux has.
    clocksources: Option<PathBuf>,
}

impl Time {
    fn new(context: &Context<'_>) -> Self {
        Self {
            clocksources: (context.platform == Platform::Linux)
                .then(|| context.roots.sys("devices/system/clocksource")),
        }
    }
}

impl Collector for Time {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let now = clock::realtime();
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let zone = zone::at(seconds).map_err(|error| Error::system("localtime_r", error))?;
        let help = "System time in seconds since epoch (1970).";
        out.single(
            "node_time_seconds",
            help,
            MetricKind::Gauge,
            now.as_nanos() as f64 / 1e9,
        );
        let help = "System time zone offset in seconds.";
        out.family("node_time_zone_offset_seconds", help, MetricKind::Gauge)
            .sample(&[("time_zone", &zone.name)], zone.offset as f64);
        if let Some(folder) = &self.clocksources {
            clocksources(folder, out)?;
        }
        Ok(Outcome::Data)
    }
}

/// The clock sources in the folder `sources`. Devices are numbered as they come, not by the number in their name.
fn clocksources(sources: &Path, out: &mut Families) -> Result<(), Error> {
    let mut buffer = Buffer::take();
    let folders = entries_if_any(sources)?;
    let folders = folders.iter().filter(|name| name.starts_with("clocksource"));
    for (number, folder) in folders.enumerate() {
        let number = text::Decimal::new(number as u64);
        let device = ("device", number.as_str());
        for (file, name, help) in [
            (
                "available_clocksource",
                "node_time_clocksource_available_info",
                "Available clocksources read from '/sys/devices/system/clocksource'.",
            ),
            (
                "current_clocksource",
                "node_time_clocksource_current_info",
                "Current clocksource read from '/sys/devices/system/clocksource'.",
            ),
        ] {
            let path = sources.join(folder).join(file);
            let content = buffer
                .attribute(&path)
                .map_err(|error| Error::read(&path, error))?;
            let mut family = out.family(name, help, MetricKind::Gauge);
            for source in text::fields(content) {
                family.sample(&[("clocksource", &text::utf8(source)), device], 1.0);
            }
        }
    }
    Ok(())
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Host;

    #[test]
    fn clock_sources_and_time() {
        let folder = "sys/devices/system/clocksource/clocksource0";
        let host = Host::new(&[
            (&format!("{folder}/available_clocksource"), "tsc hpet \n"),
            (&format!("{folder}/current_clocksource"), "tsc\n"),
        ]);
        let samples = host.samples(&DESCRIPTOR);
        let time: f64 = samples
            .iter()
            .find_map(|line| line.strip_prefix("node_time_seconds "))
            .unwrap()
            .parse()
            .unwrap();
        assert!(time > 1.7e9);
        assert!(
            samples
                .iter()
                .any(|line| line.starts_with("node_time_zone_offset_seconds{time_zone=\""))
        );
        assert!(
            samples.contains(
                &"node_time_clocksource_available_info{clocksource=\"hpet\",device=\"0\"} 1".into()
            )
        );
        assert!(
            samples
                .contains(&"node_time_clocksource_current_info{clocksource=\"tsc\",device=\"0\"} 1".into())
        );
    }

    #[test]
    fn clock_sources_are_for_linux() {
        let host = Host::new(&[(
            "sys/devices/system/clocksource/clocksource0/current_clocksource",
            "tsc\n",
        )]);
        let context = Context {
            platform: Platform::MacOs,
            roots: &host.roots(),
            options: &crate::collectors::Options::default(),
            mode: crate::mode::Mode::Fixed,
            enabled: &|_| true,
        };
        let lines = crate::testing::samples(&Time::new(&context));
        assert_eq!(lines.len(), 2, "{lines:?}");
    }
}
