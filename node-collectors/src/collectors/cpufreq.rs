//! `cpufreq`: clock frequencies and governors, `sys/devices/system/cpu/cpuN/cpufreq`
//! (Documentation/admin-guide/pm/cpufreq.rst). The kernel's kilohertz become hertz.

use std::path::PathBuf;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::read::{Buffer, Folder, entries};
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "cpufreq",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Clock frequencies, their limits and governors of CPUs.",
    sources: &[
        "sys/devices/system/cpu/offline",
        "sys/devices/system/cpu/cpu*/cpufreq",
    ],
    families: &["node_cpu_frequency_*", "node_cpu_scaling_*"],
    options: &[],
    build: |context| Ok(Box::new(CpuFreq::new(context))),
};

struct CpuFreq {
    devices: PathBuf,
}

impl CpuFreq {
    fn new(context: &Context<'_>) -> Self {
        Self {
            devices: context.roots.sys("devices/system/cpu"),
        }
    }
}

/// Files, name and HELP of their families.
static FREQUENCIES: [(&str, &str, &str); 7] = [
    (
        "cpuinfo_cur_freq",
        "node_cpu_frequency_hertz",
        "Current CPU thread frequency in hertz.",
    ),
    (
        "cpuinfo_avg_freq",
        "node_cpu_frequency_avg_hertz",
        "Average CPU thread frequency in hertz.",
    ),
    (
        "cpuinfo_min_freq",
        "node_cpu_frequency_min_hertz",
        "Minimum CPU thread frequency in hertz.",
    ),
    (
        "cpuinfo_max_freq",
        "node_cpu_frequency_max_hertz",
        "Maximum CPU thread frequency in hertz.",
    ),
    (
        "scaling_cur_freq",
        "node_cpu_scaling_frequency_hertz",
        "Current scaled CPU thread frequency in hertz.",
    ),
    (
        "scaling_min_freq",
        "node_cpu_scaling_frequency_min_hertz",
        "Minimum scaled CPU thread frequency in hertz.",
    ),
    (
        "scaling_max_freq",
        "node_cpu_scaling_frequency_max_hertz",
        "Maximum scaled CPU thread frequency in hertz.",
    ),
];

impl Collector for CpuFreq {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        let offline = {
            let path = self.devices.join("offline");
            let content = buffer
                .attribute(&path)
                .map_err(|error| Error::read(&path, error))?;
            text::cpu_list(content).ok_or_else(|| Error::parse(&path, "not a list of CPUs"))?
        };
        let names = entries(&self.devices).map_err(|error| Error::read(&self.devices, error))?;
        let mut cpus = Vec::new();
        for name in &names {
            let Some(number) = name.strip_prefix("cpu") else {
                continue;
            };
            let online = text::decimal(number.as_bytes()).is_some_and(|number| !offline.contains(&number));
            if online && let Ok(folder) = Folder::open_path(&self.devices.join(name).join("cpufreq")) {
                cpus.push((number, folder));
            }
        }
        for (file, name, help) in &FREQUENCIES {
            let mut family = out.family(name, help, MetricKind::Gauge);
            for (cpu, folder) in &cpus {
                let content = buffer.attribute_at(folder, file).ok();
                if let Some(kilohertz) = content.and_then(text::decimal) {
                    family.sample(&[("cpu", cpu)], kilohertz as f64 * 1000.0);
                }
            }
        }
        let help = "Current enabled CPU frequency governor.";
        let mut family = out.family("node_cpu_scaling_governor", help, MetricKind::Gauge);
        for (cpu, folder) in &cpus {
            let mut read = |file: &str| {
                buffer
                    .attribute_at(folder, file)
                    .ok()
                    .map(|content| text::utf8(content).into_owned())
            };
            let (Some(available), Some(current)) =
                (read("scaling_available_governors"), read("scaling_governor"))
            else {
                continue;
            };
            for governor in available.split_ascii_whitespace() {
                let set = f64::from(u8::from(governor == current));
                family.sample(&[("cpu", cpu), ("governor", governor)], set);
            }
        }
        Ok(Outcome::Data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Host;

    #[test]
    fn online_cpus() {
        let cpu = "sys/devices/system/cpu";
        let host = Host::new(&[(&format!("{cpu}/cpu1/online"), "1\n")]);
        let collector = host.collector(&DESCRIPTOR, |_| ()).unwrap();
        assert!(collector.update(&mut Families::new()).unwrap_err().is_not_found());
        host.write(&format!("{cpu}/offline"), "2-3\n");
        for number in [0, 2] {
            host.write(
                &format!("{cpu}/cpu{number}/cpufreq/scaling_cur_freq"),
                "1699981\n",
            );
            host.write(
                &format!("{cpu}/cpu{number}/cpufreq/scaling_available_governors"),
                "performance powersave\n",
            );
            host.write(
                &format!("{cpu}/cpu{number}/cpufreq/scaling_governor"),
                "powersave\n",
            );
        }
        assert_eq!(
            host.samples(&DESCRIPTOR),
            [
                "node_cpu_scaling_frequency_hertz{cpu=\"0\"} 1.699981e+09",
                "node_cpu_scaling_governor{cpu=\"0\",governor=\"performance\"} 0",
                "node_cpu_scaling_governor{cpu=\"0\",governor=\"powersave\"} 1",
            ]
        );
    }
}
