//! Prints a summary of this host that fits on a screen. It takes the metrics as data, without going through text:
//!
//! ```sh
//! cargo run -p node-collectors --example summary
//! ```

#![allow(clippy::print_stderr, clippy::print_stdout, reason = "a command-line program")]

use std::process::ExitCode;

use ferroalloy_model::Families;
use ferroalloy_model::families::FamilyRef;
use node_collectors::{NodeCollectors, Platform, Support, registry};

/// The collectors that are asked, those of them that this system has.
const COLLECTORS: [&str; 12] = [
    "boottime",
    "cpu",
    "diskstats",
    "filesystem",
    "loadavg",
    "meminfo",
    "memory_pressure",
    "netdev",
    "os",
    "stat",
    "time",
    "uname",
];
/// How many file systems, disks and interfaces are shown: those with the largest numbers.
const ROWS: usize = 5;

/// What the collectors said.
struct Facts(Families);

impl Facts {
    /// Values of the series of a family, each with one of its labels.
    fn by(&self, family: &str, label: &str) -> Vec<(String, f64)> {
        let families = self.0.iter().filter(|known| known.name() == family);
        let samples = families.flat_map(FamilyRef::samples);
        samples
            .map(|sample| {
                let value = sample.labels().find(|(name, _)| *name == label);
                let value = value.map_or_else(String::new, |(_, value)| value.to_owned());
                (value, sample.value())
            })
            .collect()
    }

    /// The value of the only series of the first of these families that exists.
    fn value(&self, families: &[&str]) -> Option<f64> {
        let values = families.iter().flat_map(|family| self.by(family, ""));
        values.map(|(_, value)| value).next()
    }

    /// A label of the only series of a family.
    fn label(&self, family: &str, label: &str) -> String {
        self.by(family, label)
            .pop()
            .map_or_else(String::new, |(value, _)| value)
    }

    /// Two families beside one another by a label, those with the largest sums first.
    fn pairs(&self, families: [&str; 2], label: &str) -> Vec<(String, f64, f64)> {
        let second = self.by(families[1], label);
        let mut pairs: Vec<_> = self
            .by(families[0], label)
            .into_iter()
            .filter_map(|(name, one)| {
                let other = second.iter().find(|(known, _)| *known == name)?.1;
                Some((name, one, other))
            })
            .collect();
        pairs.sort_by(|a, b| (b.1 + b.2).total_cmp(&(a.1 + a.2)));
        pairs.truncate(ROWS);
        pairs
    }

    fn print(&self) {
        let of = |label| self.label("node_uname_info", label);
        println!(
            "{}: {}, {} {} on {}",
            of("nodename"),
            self.label("node_os_info", "pretty_name"),
            of("sysname"),
            of("release"),
            of("machine")
        );
        if let (Some(now), Some(boot)) = (
            self.value(&["node_time_seconds"]),
            self.value(&["node_boot_time_seconds"]),
        ) {
            let hours = (now - boot) / 3600.0;
            println!(
                "up       {:.0} days {:.1} hours",
                (hours / 24.0).floor(),
                hours % 24.0
            );
        }
        let load = ["node_load1", "node_load5", "node_load15"].map(|name| self.value(&[name]));
        println!(
            "load     {}",
            load.map(|load| format!("{:.2}", load.unwrap_or(f64::NAN)))
                .join("  ")
        );
        let modes = self.by("node_cpu_seconds_total", "mode");
        let cpus = modes.iter().filter(|(mode, _)| mode == "idle").count();
        let seconds = |wanted: &dyn Fn(&str) -> bool| -> f64 {
            modes
                .iter()
                .filter(|(mode, _)| wanted(mode))
                .map(|(_, value)| value)
                .sum()
        };
        let idle = seconds(&|mode| matches!(mode, "idle" | "iowait")) / seconds(&|_| true);
        println!(
            "CPUs     {cpus}, busy for {:.1} % of the time since the start",
            100.0 * (1.0 - idle)
        );
        if let Some(total) = self.value(&["node_memory_MemTotal_bytes", "node_memory_total_bytes"]) {
            let ratio = self.value(&["node_memory_pressure_available_ratio"]);
            let available = self
                .value(&["node_memory_MemAvailable_bytes"])
                .or(ratio.map(|ratio| ratio * total));
            println!(
                "memory   {}, available {}",
                size(total),
                size(available.unwrap_or(f64::NAN))
            );
        }
        for (title, families, label, words) in [
            (
                "mounts",
                ["node_filesystem_size_bytes", "node_filesystem_avail_bytes"],
                "mountpoint",
                ["", "free"],
            ),
            (
                "disks",
                ["node_disk_read_bytes_total", "node_disk_written_bytes_total"],
                "device",
                ["read", "written"],
            ),
            (
                "network",
                [
                    "node_network_receive_bytes_total",
                    "node_network_transmit_bytes_total",
                ],
                "device",
                ["received", "sent"],
            ),
        ] {
            for (row, (name, one, other)) in self.pairs(families, label).into_iter().enumerate() {
                let title = if row == 0 { title } else { "" };
                println!(
                    "{title:8} {name:24.24} {:>10} {:8} {:>10} {}",
                    size(one),
                    words[0],
                    size(other),
                    words[1]
                );
            }
        }
    }
}

/// Bytes in the unit that leaves the fewest digits.
fn size(bytes: f64) -> String {
    let mut size = bytes;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if size < 1024.0 {
            return format!("{size:.1} {unit}");
        }
        size /= 1024.0;
    }
    format!("{size:.1} TiB")
}

fn main() -> ExitCode {
    let here = Platform::current();
    let is_here = |name: &&str| {
        let known = registry().iter().find(|known| known.name == *name);
        known.is_some_and(|known| here.is_some_and(|here| known.support(here) != Support::Absent))
    };
    let set = match NodeCollectors::builder()
        .only(COLLECTORS.into_iter().filter(is_here))
        .build()
    {
        Ok(set) => set,
        Err(error) => {
            eprintln!("summary: {}", error.to_line());
            return ExitCode::FAILURE;
        }
    };
    let mut families = Families::new();
    let report = set.collect(&mut families);
    for (status, error) in report.failures() {
        eprintln!("summary: collector {}: {}", status.collector, error.to_line());
    }
    Facts(families).print();
    ExitCode::SUCCESS
}
