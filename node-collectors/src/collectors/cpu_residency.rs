//! `cpu_residency`: time that the clusters of Apple silicon spend in each performance state, and the frequencies of the
//! states: the group `CPU Stats` of IOReport, and the tables of the power manager in IOKit's registry. No root is
//! needed. The mean frequency of a cluster is the rate of its states weighted with their frequencies, which have the same
//! labels as the states.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Descriptor, Outcome, Support};
use crate::emit::gauge;
use crate::error::Error;
use crate::macos::bytes::u32_at;
use crate::macos::devices::{Query, Reading, Registry, Reports};
use crate::sys::Kernel;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "cpu_residency",
    linux: Support::Absent,
    macos: Support::Off,
    summary: "Time of CPU clusters in each performance state, and the frequencies of the states.",
    sources: &[
        "IOReport CPU Stats, CPU Complex Performance States",
        "IOKit AppleARMIODevice pmgr",
    ],
    families: &[
        "node_cpu_cluster_state_seconds_total",
        "node_cpu_cluster_state_frequency_hertz",
        "node_cpu_cluster_frequency_hertz",
    ],
    options: &[],
    build: |_| Ok(Box::new(Residency::new(Kernel))),
};

struct Residency<K> {
    kernel: K,
    /// Kind of cluster, and the frequencies of its states. They never change.
    tables: OnceLock<Vec<(&'static str, Vec<f64>)>>,
}

impl<K> Residency<K> {
    fn new(kernel: K) -> Self {
        Self {
            kernel,
            tables: OnceLock::new(),
        }
    }
}

const TABLES: Query = Query {
    class: c"AppleARMIODevice",
    keys: &["voltage-states1-sram", "voltage-states5-sram"],
    parent: None,
};
/// Key, kind of cluster, and what the names of such clusters have in them: `ECPU`, `PCPU1`, `DIE_1_PCPU`.
static CLUSTERS: [(&str, &str, &str); 2] = [
    ("voltage-states1-sram", "E", "ECPU"),
    ("voltage-states5-sram", "P", "PCPU"),
];
/// States without a frequency.
const RESTING: [&str; 3] = ["DOWN", "IDLE", "OFF"];

/// Seconds in a unit of time.
fn seconds(unit: &str) -> Option<f64> {
    Some(match unit.trim() {
        "24Mticks" => 1.0 / 24e6,
        "1GHzticks" | "ns" => 1e-9,
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        _ => return None,
    })
}

/// The states of a cluster, in the driver's order, with their frequencies: the table has them in the same order, without
/// those in which the cluster rests. Empty if their numbers differ, so that nothing is given to the wrong state.
fn by_state<'a>(
    cluster: &str,
    states: &'a [(String, i64)],
    tables: &[(&'static str, Vec<f64>)],
) -> Vec<(&'a str, f64)> {
    let kind = CLUSTERS.iter().find(|(.., part)| cluster.contains(part));
    let table = kind.and_then(|(_, kind, _)| tables.iter().find(|(of, _)| of == kind));
    let names = states.iter().map(|(name, _)| name.trim());
    let running: Vec<&str> = names.filter(|name| !RESTING.contains(name)).collect();
    match table {
        Some((_, table)) if table.len() == running.len() => {
            running.into_iter().zip(table.iter().copied()).collect()
        }
        _ => Vec::new(),
    }
}

/// Frequencies in hertz from pairs of 32-bit numbers, frequency and voltage. M1 to M3 give hertz, later ones kilohertz,
/// which shows in the highest one.
fn frequencies(table: &[u8]) -> Vec<f64> {
    let raw: Vec<u32> = (0..table.len() / 8)
        .filter_map(|pair| u32_at(table, pair * 8))
        .collect();
    let unit = match raw.iter().max() {
        Some(highest) if *highest < 100_000_000 => 1e3,
        _ => 1.0,
    };
    raw.into_iter()
        .filter(|raw| *raw != 0)
        .map(|raw| f64::from(raw) * unit)
        .collect()
}

impl<K: Registry> Residency<K> {
    fn tables(&self) -> Result<&[(&'static str, Vec<f64>)], Error> {
        if let Some(known) = self.tables.get() {
            return Ok(known);
        }
        let entries = self.kernel.entries(&TABLES);
        let entries = entries.map_err(|error| Error::system("IOServiceGetMatchingServices", error))?;
        let manager = entries.iter().find(|entry| entry.name == "pmgr");
        let found = CLUSTERS.iter().filter_map(|(key, cluster, _)| {
            let table = manager?.properties.data(key)?;
            Some((*cluster, frequencies(table)))
        });
        let found = found.collect();
        Ok(self.tables.get_or_init(|| found))
    }
}

impl<K: Registry + Reports> Collector for Residency<K> {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let channels = self
            .kernel
            .channels("CPU Stats", Some("CPU Complex Performance States"));
        let channels = channels.map_err(|error| Error::system("IOReportCreateSamples", error))?;
        let mut times = BTreeMap::new();
        for channel in &channels {
            let (Reading::States(states), Some(unit)) = (&channel.reading, seconds(&channel.unit)) else {
                continue;
            };
            for (state, time) in states {
                times
                    .entry((channel.name.trim(), state.trim()))
                    .or_insert(*time as f64 * unit);
            }
        }
        if times.is_empty() {
            return Ok(Outcome::NoData);
        }
        let help = "Time that a cluster of CPUs spent in a performance state.";
        let mut family = out.family("node_cpu_cluster_state_seconds_total", help, MetricKind::Counter);
        for ((cluster, state), time) in times {
            family.sample(&[("cluster", cluster), ("state", state)], time);
        }
        let tables = self.tables()?;
        let mut hertz = BTreeMap::new();
        for channel in &channels {
            if let (Reading::States(states), Some(_)) = (&channel.reading, seconds(&channel.unit)) {
                let cluster = channel.name.trim();
                for (state, frequency) in by_state(cluster, states, tables) {
                    hertz.entry((cluster, state)).or_insert(frequency);
                }
            }
        }
        for ((cluster, state), hertz) in hertz {
            let help = "Frequency of a cluster of CPUs in a performance state.";
            let labels = [("cluster", cluster), ("state", state)];
            gauge(
                out,
                "node_cpu_cluster_state_frequency_hertz",
                help,
                &labels,
                hertz,
            );
        }
        for (cluster, frequencies) in tables {
            for (state, hertz) in frequencies.iter().enumerate() {
                let help = "Frequency of a performance state of a kind of cluster, E or P.";
                let labels = [("cluster_type", *cluster), ("index", &*state.to_string())];
                gauge(out, "node_cpu_cluster_frequency_hertz", help, &labels, *hertz);
            }
        }
        Ok(Outcome::Data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::macos::devices::{Channel, Entry};
    use crate::macos::property::Property;
    use crate::macos::recorded::{Recorded, dictionary};
    use crate::testing::samples;

    fn table(raw: &[u32]) -> Vec<u8> {
        raw.iter()
            .flat_map(|raw| [raw.to_le_bytes(), 700_u32.to_le_bytes()].concat())
            .collect()
    }

    #[test]
    fn states_and_their_frequencies() {
        let mac = Recorded::default();
        let channel = |unit: &str, states: &[(&str, i64)]| Channel {
            name: "ECPU".into(),
            unit: unit.into(),
            reading: Reading::States(
                states
                    .iter()
                    .map(|(state, time)| ((*state).to_owned(), *time))
                    .collect(),
            ),
        };
        let channels = [
            channel(
                "24Mticks",
                &[("IDLE", 48_000_000), ("V0P1", 12_000_000), ("V1P0", 24_000_000)],
            ),
            channel("events", &[("V1P3", 1)]),
        ];
        mac.channels("CPU Stats", Some("CPU Complex Performance States"), &channels)
            .entry(
                "AppleARMIODevice",
                Entry {
                    name: "pmgr".into(),
                    properties: dictionary([
                        (
                            "voltage-states1-sram",
                            Property::Data(table(&[600_000_000, 972_000_000])),
                        ),
                        ("voltage-states5-sram", Property::Data(table(&[3_504_000, 0]))),
                    ]),
                    ..Entry::default()
                },
            );
        assert_eq!(
            samples(&Residency::new(mac)),
            [
                "node_cpu_cluster_frequency_hertz{cluster_type=\"E\",index=\"0\"} 6e+08",
                "node_cpu_cluster_frequency_hertz{cluster_type=\"E\",index=\"1\"} 9.72e+08",
                "node_cpu_cluster_frequency_hertz{cluster_type=\"P\",index=\"0\"} 3.504e+09",
                "node_cpu_cluster_state_frequency_hertz{cluster=\"ECPU\",state=\"V0P1\"} 6e+08",
                "node_cpu_cluster_state_frequency_hertz{cluster=\"ECPU\",state=\"V1P0\"} 9.72e+08",
                "node_cpu_cluster_state_seconds_total{cluster=\"ECPU\",state=\"IDLE\"} 2",
                "node_cpu_cluster_state_seconds_total{cluster=\"ECPU\",state=\"V0P1\"} 0.5",
                "node_cpu_cluster_state_seconds_total{cluster=\"ECPU\",state=\"V1P0\"} 1",
            ]
        );
    }

    #[test]
    fn a_state_has_a_frequency_if_the_table_has_as_many() {
        let states = |names: &[&str]| -> Vec<(String, i64)> {
            names.iter().map(|name| ((*name).to_owned(), 1)).collect()
        };
        let tables = [("E", vec![1e9]), ("P", vec![2e9, 3e9])];
        let running = states(&["IDLE", "V0P1", "DOWN", "V1P0"]);
        for (cluster, expected) in [
            ("PCPU", 2),
            ("DIE_1_PCPU1", 2),
            ("ECPU", 0),
            ("GPUPH", 0),
            ("", 0),
        ] {
            assert_eq!(by_state(cluster, &running, &tables).len(), expected, "{cluster}");
        }
        let given = by_state("PCPU", &running, &tables);
        assert_eq!(given, [("V0P1", 2e9), ("V1P0", 3e9)]);
        assert!(by_state("PCPU", &states(&["IDLE"]), &tables).is_empty());
        assert!(by_state("PCPU", &running, &[]).is_empty());
    }

    #[test]
    fn an_intel_mac_has_no_data_and_a_cut_table_no_frequency() {
        let kernel = Recorded::default();
        let outcome = Residency::new(kernel).update(&mut Families::new());
        assert_eq!(outcome.unwrap(), Outcome::NoData);
        let whole = table(&[600_000_000]);
        assert!((0..8).all(|end| frequencies(&whole[..end]).is_empty()));
        assert_eq!(frequencies(&whole), [6e8]);
    }
}
