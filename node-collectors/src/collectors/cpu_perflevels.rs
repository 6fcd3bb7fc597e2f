//! `cpu_perflevels`: performance and efficiency cores: the levels of `sysctl hw.perflevel*`, of which 0 is the
//! fastest, and the cluster of each core from the device tree in IOKit's registry. A Mac with cores of one kind has one
//! level and no cluster.

use std::ffi::CString;
use std::sync::OnceLock;

use ferroalloy_model::Families;

use crate::collector::{Collector, Descriptor, Outcome, Support};
use crate::emit::gauge;
use crate::error::Error;
use crate::macos::bytes::{i32_at, text_at};
use crate::macos::calls::{self, Sysctl};
use crate::macos::devices::{Query, Registry};
use crate::sys::Kernel;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "cpu_perflevels",
    linux: Support::Absent,
    macos: Support::On,
    summary: "Performance and efficiency cores: how many there are, and which core is which.",
    sources: &[
        "sysctl hw.nperflevels, hw.perflevel<n>.*",
        "IOKit IOPlatformDevice cluster-type",
    ],
    families: &["node_cpu_perflevel_*", "node_cpu_cluster_info"],
    options: &[],
    build: |_| Ok(Box::new(PerfLevels::new(Kernel))),
};

struct PerfLevels<K> {
    kernel: K,
    /// Number and kind of cluster of each core. They never change, and finding them means to walk hundreds of devices.
    clusters: OnceLock<Vec<(String, String)>>,
}

impl<K> PerfLevels<K> {
    fn new(kernel: K) -> Self {
        Self {
            kernel,
            clusters: OnceLock::new(),
        }
    }
}

/// More levels than any Mac has.
const LEVELS: i32 = 16;

const CLUSTER_TYPE: &str = "cluster-type";
const CORES: Query = Query {
    class: c"IOPlatformDevice",
    keys: &[CLUSTER_TYPE],
    parent: None,
};

/// Sysctl below the level, end of the family's name, HELP.
static NUMBERS: [(&str, &str, &str); 4] = [
    (
        "logicalcpu",
        "cpus",
        "CPUs of the performance level that are in use.",
    ),
    (
        "logicalcpu_max",
        "cpus_max",
        "CPUs of the performance level that the system started with.",
    ),
    (
        "cpusperl2",
        "cpus_per_l2",
        "CPUs of the performance level that share a level 2 cache.",
    ),
    (
        "l2cachesize",
        "l2_cache_bytes",
        "Size of a level 2 cache of the performance level.",
    ),
];

impl<K: Sysctl + Registry> PerfLevels<K> {
    /// The value of a name that may be absent.
    fn optional<T>(&self, name: &str, parse: impl FnOnce(&[u8]) -> Option<T>) -> Result<Option<T>, Error> {
        let Ok(name) = CString::new(name) else {
            return Ok(None);
        };
        match calls::value(&self.kernel, &name, parse) {
            Err(error) if error.is_not_found() => Ok(None),
            value => value.map(Some),
        }
    }

    fn level(&self, level: i32, out: &mut Families) -> Result<(), Error> {
        let prefix = format!("hw.perflevel{level}");
        let level = level.to_string();
        let name = self.optional(&format!("{prefix}.name"), |bytes| {
            Some(text::utf8(text_at(bytes, 0, bytes.len())?).into_owned())
        })?;
        let help = "Performance level of CPUs, 0 being the fastest.";
        let labels = [
            ("name", name.as_deref().unwrap_or_default()),
            ("perflevel", &level),
        ];
        gauge(out, "node_cpu_perflevel_info", help, &labels, 1.0);
        for (end, family, help) in NUMBERS {
            let value = self.optional(&format!("{prefix}.{end}"), |bytes| i32_at(bytes, 0))?;
            if let Some(value) = value {
                let family = format!("node_cpu_perflevel_{family}");
                gauge(out, &family, help, &[("perflevel", &level)], f64::from(value));
            }
        }
        Ok(())
    }

    fn clusters(&self) -> Result<&[(String, String)], Error> {
        if let Some(known) = self.clusters.get() {
            return Ok(known);
        }
        let entries = self.kernel.entries(&CORES);
        let entries = entries.map_err(|error| Error::system("IOServiceGetMatchingServices", error))?;
        let found = entries.iter().filter_map(|core| {
            let number = core.name.strip_prefix("cpu")?;
            number.parse::<u32>().ok()?;
            let kind = core.properties.data(CLUSTER_TYPE)?;
            let kind = text::utf8(text_at(kind, 0, kind.len())?).into_owned();
            Some((number.to_owned(), kind))
        });
        let found = found.collect();
        Ok(self.clusters.get_or_init(|| found))
    }
}

impl<K: Sysctl + Registry> Collector for PerfLevels<K> {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        // Absent before macOS 12.
        let Some(levels) = self.optional("hw.nperflevels", |bytes| i32_at(bytes, 0))? else {
            return Ok(Outcome::NoData);
        };
        for level in 0..levels.clamp(0, LEVELS) {
            self.level(level, out)?;
        }
        for (cpu, kind) in self.clusters()? {
            let help = "Kind of cluster that a CPU is in: E efficiency, P performance.";
            let labels = [("cluster_type", kind.as_str()), ("cpu", cpu.as_str())];
            gauge(out, "node_cpu_cluster_info", help, &labels, 1.0);
        }
        Ok(Outcome::Data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::macos::devices::Entry;
    use crate::macos::property::Property;
    use crate::macos::recorded::{Recorded, dictionary};
    use crate::testing::samples;

    fn core(name: &str, kind: &[u8]) -> Entry {
        Entry {
            name: name.into(),
            properties: dictionary([(CLUSTER_TYPE, Property::Data(kind.into()))]),
            ..Entry::default()
        }
    }

    #[test]
    fn two_levels_and_their_cores() {
        let mac = Recorded::default();
        mac.name("hw.nperflevels", 2_i32.to_le_bytes())
            .name("hw.perflevel0.name", *b"Performance\0")
            .name("hw.perflevel0.logicalcpu", 6_i32.to_le_bytes())
            .name("hw.perflevel1.name", *b"Efficiency\0")
            .name("hw.perflevel1.logicalcpu", 2_i32.to_le_bytes())
            .name("hw.perflevel1.l2cachesize", 4_194_304_i32.to_le_bytes())
            .entry("IOPlatformDevice", core("cpu0", b"E\0"))
            .entry("IOPlatformDevice", core("cpu10", b"P\0"))
            .entry("IOPlatformDevice", core("cpux", b"P\0"))
            .entry("IOPlatformDevice", Entry::default());
        assert_eq!(
            samples(&PerfLevels::new(mac)),
            [
                "node_cpu_cluster_info{cluster_type=\"E\",cpu=\"0\"} 1",
                "node_cpu_cluster_info{cluster_type=\"P\",cpu=\"10\"} 1",
                "node_cpu_perflevel_cpus{perflevel=\"0\"} 6",
                "node_cpu_perflevel_cpus{perflevel=\"1\"} 2",
                "node_cpu_perflevel_info{name=\"Efficiency\",perflevel=\"1\"} 1",
                "node_cpu_perflevel_info{name=\"Performance\",perflevel=\"0\"} 1",
                "node_cpu_perflevel_l2_cache_bytes{perflevel=\"1\"} 4.194304e+06",
            ]
        );
    }

    #[test]
    fn an_older_system_has_no_data_and_a_cut_number_is_an_error() {
        let kernel = Recorded::default();
        let outcome = PerfLevels::new(kernel).update(&mut Families::new());
        assert_eq!(outcome.unwrap(), Outcome::NoData);
        let kernel = Recorded::default();
        kernel.name("hw.nperflevels", [2, 0]);
        assert!(PerfLevels::new(kernel).update(&mut Families::new()).is_err());
        let kernel = Recorded::default();
        kernel.name("hw.nperflevels", i32::MAX.to_le_bytes());
        assert_eq!(samples(&PerfLevels::new(kernel)).len(), 16);
    }
}
