//! `watchdog`: hardware and software watchdogs, `sys/class/watchdog`
//! (Documentation/ABI/testing/sysfs-class-watchdog).

use std::path::PathBuf;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::read::{Buffer, entries};
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "watchdog",
    linux: Support::On,
    macos: Support::Absent,
    summary: "State and timeouts of watchdogs.",
    sources: &["sys/class/watchdog/*"],
    families: &["node_watchdog_*"],
    options: &[],
    build: |context| Ok(Box::new(Watchdog::new(context))),
};

struct Watchdog {
    class: PathBuf,
}

impl Watchdog {
    fn new(context: &Context<'_>) -> Self {
        Self {
            class: context.roots.sys("class/watchdog"),
        }
    }
}

macro_rules! numbers {
    ($($file:literal $name:literal,)*) => {
        [$((
            $file,
            concat!("node_watchdog_", $name),
            concat!("Value of /sys/class/watchdog/<watchdog>/", $file),
        ),)*]
    };
}

/// Files with a number, name and HELP of their families.
static NUMBERS: [(&str, &str, &str); 7] = numbers! {
    "bootstatus" "bootstatus",
    "fw_version" "fw_version",
    "nowayout" "nowayout",
    "timeleft" "timeleft_seconds",
    "timeout" "timeout_seconds",
    "pretimeout" "pretimeout_seconds",
    "access_cs0" "access_cs0",
};

impl Collector for Watchdog {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let names = match entries(&self.class) {
            Ok(names) => names,
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied
                ) =>
            {
                return Ok(Outcome::NoData);
            }
            Err(error) => return Err(Error::read(&self.class, error)),
        };
        let mut buffer = Buffer::take();
        for (file, name, help) in &NUMBERS {
            let mut family = out.family(name, help, MetricKind::Gauge);
            for watchdog in &names {
                let content = buffer.attribute(&self.class.join(watchdog).join(file)).ok();
                if let Some(number) = content.and_then(text::auto_base) {
                    family.sample(&[("name", watchdog)], number as f64);
                }
            }
        }
        let help = "Info of /sys/class/watchdog/<watchdog>";
        let mut family = out.family("node_watchdog_info", help, MetricKind::Gauge);
        for watchdog in &names {
            let mut read = |file: &str| {
                let content = buffer
                    .attribute(&self.class.join(watchdog).join(file))
                    .unwrap_or_default();
                text::utf8(content).into_owned()
            };
            family.sample(
                &[
                    ("identity", &read("identity")),
                    ("name", watchdog),
                    ("options", &read("options")),
                    ("pretimeout_governor", &read("pretimeout_governor")),
                    ("state", &read("state")),
                    ("status", &read("status")),
                ],
                1.0,
            );
        }
        Ok(Outcome::Data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Host;

    #[test]
    fn numbers_that_are_there() {
        let host = Host::new(&[
            ("sys/class/watchdog/watchdog0/timeout", "60\n"),
            ("sys/class/watchdog/watchdog0/identity", "Software Watchdog\n"),
            ("sys/class/watchdog/watchdog0/options", "0x8380\n"),
        ]);
        assert_eq!(
            host.samples(&DESCRIPTOR),
            [
                "node_watchdog_info{identity=\"Software Watchdog\",name=\"watchdog0\",options=\"0x8380\",pretimeout_governor=\"\",state=\"\",status=\"\"} 1",
                "node_watchdog_timeout_seconds{name=\"watchdog0\"} 60",
            ]
        );
        let empty = Host::new(&[]).collector(&DESCRIPTOR, |_| ()).unwrap();
        assert_eq!(empty.update(&mut Families::new()).unwrap(), Outcome::NoData);
    }
}
