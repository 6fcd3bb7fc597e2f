//! `energy`: energy that CPU, GPU, neural engine and memory of Apple silicon have used, from the group `Energy Model` of
//! IOReport. A Mac without it has no data. The channels count from an arbitrary start; a rate is power.

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::macos::devices::{Reading, Reports};
use crate::sys::Kernel;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "energy",
    linux: Support::Absent,
    macos: Support::Off,
    summary: "Energy used by CPU, GPU, neural engine and memory.",
    sources: &["IOReport Energy Model"],
    families: &["node_energy_joules_total"],
    options: &[],
    build: |_| Ok(Box::new(Energy { reports: Kernel })),
};

struct Energy<R> {
    reports: R,
}

/// Joules in a unit; `None` for one that is no energy.
fn joules(unit: &str) -> Option<f64> {
    Some(match unit.trim() {
        "J" => 1.0,
        "mJ" => 1e-3,
        "uJ" | "\u{b5}J" => 1e-6,
        "nJ" => 1e-9,
        "pJ" => 1e-12,
        _ => return None,
    })
}

impl<R: Reports> Collector for Energy<R> {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let channels = self.reports.channels("Energy Model", None);
        let channels = channels.map_err(|error| Error::system("IOReportCreateSamples", error))?;
        let mut family = out.family(
            "node_energy_joules_total",
            "Energy used by a part of the system, as the hardware estimates it.",
            MetricKind::Counter,
        );
        let mut seen = Vec::new();
        for channel in &channels {
            let (Reading::Simple(value), Some(unit)) = (&channel.reading, joules(&channel.unit)) else {
                continue;
            };
            let domain = channel.name.trim();
            if !seen.contains(&domain) {
                seen.push(domain);
                family.sample(&[("domain", domain)], *value as f64 * unit);
            }
        }
        Ok(if seen.is_empty() {
            Outcome::NoData
        } else {
            Outcome::Data
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::macos::devices::Channel;
    use crate::macos::recorded::Recorded;
    use crate::testing::samples;

    fn channel(name: &str, unit: &str, value: i64) -> Channel {
        Channel {
            name: name.into(),
            unit: unit.into(),
            reading: Reading::Simple(value),
        }
    }

    #[test]
    fn each_domain_in_its_unit() {
        let mac = Recorded::default();
        let channels = [
            channel("CPU Energy", "mJ", 1500),
            channel("GPU Energy", "nJ", 2_000_000_000),
            channel("ANE", "uJ      ", 7),
            channel("ANE ", "uJ", 8),
            channel("EACC_CPU0", "cycles", 1),
            Channel {
                reading: Reading::States(vec![("a".into(), 1)]),
                ..channel("states", "mJ", 0)
            },
        ];
        mac.channels("Energy Model", None, &channels);
        assert_eq!(
            samples(&Energy { reports: mac }),
            [
                "node_energy_joules_total{domain=\"ANE\"} 7e-06",
                "node_energy_joules_total{domain=\"CPU Energy\"} 1.5",
                "node_energy_joules_total{domain=\"GPU Energy\"} 2",
            ]
        );
    }

    #[test]
    fn without_the_group_there_is_no_data() {
        let reports = Recorded::default();
        let outcome = Energy { reports }.update(&mut Families::new());
        assert_eq!(outcome.unwrap(), Outcome::NoData);
    }
}
