//! The handful of figures that a person looks for first, from a host's metrics.

use ferroalloy_model::Families;
use ferroalloy_model::families::FamilyRef;

use crate::in_process::{Seen, Snapshot};

/// A figure with its name, in words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Figure {
    pub(super) name: String,
    pub(super) value: String,
}

/// What can be said of a host by its last two collections; nothing for exporters of other things.
pub(super) fn of(seen: &Seen) -> Vec<Figure> {
    let Some(latest) = &seen.latest else {
        return Vec::new();
    };
    let now = &*latest.families;
    let mut figures = Vec::new();
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            figures.push(Figure {
                name: name.to_owned(),
                value,
            });
        }
    };
    put(
        "CPU busy",
        cpu_busy(seen.previous.as_ref(), latest).map(|busy| format!("{:.1} %", busy * 100.0)),
    );
    let load: Vec<String> = ["node_load1", "node_load5", "node_load15"]
        .iter()
        .filter_map(|name| single(now, name))
        .map(|load| format!("{load:.2}"))
        .collect();
    put("Load", (load.len() == 3).then(|| load.join(" ")));
    put("Memory", memory(now));
    put(
        "Up",
        single(now, "node_boot_time_seconds").map(|boot| duration(latest.at as f64 / 1e3 - boot)),
    );
    put("Network in", rate(seen, "node_network_receive_bytes_total"));
    put("Network out", rate(seen, "node_network_transmit_bytes_total"));
    put("Disk read", rate(seen, "node_disk_read_bytes_total"));
    put("Disk written", rate(seen, "node_disk_written_bytes_total"));
    for (mount, free, size) in filesystems(now) {
        put(
            &format!("Free on {mount}"),
            Some(format!("{} of {}", bytes(free), bytes(size))),
        );
    }
    figures
}

fn samples<'a>(
    families: &'a Families,
    name: &'a str,
) -> impl Iterator<Item = (Vec<(&'a str, &'a str)>, f64)> {
    families
        .iter()
        .filter(move |family| family.name() == name)
        .flat_map(FamilyRef::samples)
        .map(|sample| (sample.labels().collect(), sample.value()))
}

fn single(families: &Families, name: &str) -> Option<f64> {
    samples(families, name).next().map(|(_, value)| value)
}

fn label<'a>(labels: &[(&str, &'a str)], name: &str) -> Option<&'a str> {
    labels
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, value)| *value)
}

fn total(families: &Families, name: &str, keep: impl Fn(&[(&str, &str)]) -> bool) -> Option<f64> {
    samples(families, name)
        .filter(|(labels, _)| keep(labels))
        .map(|(_, value)| value)
        .reduce(|a, b| a + b)
}

/// The part of all CPU time between two collections that was not idle.
fn cpu_busy(previous: Option<&Snapshot>, latest: &Snapshot) -> Option<f64> {
    const NAME: &str = "node_cpu_seconds_total";
    let idle = |labels: &[(&str, &str)]| matches!(label(labels, "mode"), Some("idle" | "iowait"));
    let sum = |families: &Families| Some((total(families, NAME, |_| true)?, total(families, NAME, idle)?));
    let (all_then, idle_then) = sum(&previous?.families)?;
    let (all_now, idle_now) = sum(&latest.families)?;
    let all = all_now - all_then;
    (all > 0.0).then(|| (1.0 - (idle_now - idle_then) / all).clamp(0.0, 1.0))
}

fn memory(families: &Families) -> Option<String> {
    if let Some(total) = single(families, "node_memory_MemTotal_bytes") {
        let available = single(families, "node_memory_MemAvailable_bytes")?;
        return Some(format!("{} of {} used", bytes(total - available), bytes(total)));
    }
    let total = single(families, "node_memory_total_bytes")?;
    let used: f64 = [
        "node_memory_active_bytes",
        "node_memory_wired_bytes",
        "node_memory_compressed_bytes",
    ]
    .iter()
    .filter_map(|name| single(families, name))
    .sum();
    Some(format!("{} of {} used", bytes(used), bytes(total)))
}

/// Bytes a second over all devices but the loopback.
fn rate(seen: &Seen, name: &str) -> Option<String> {
    let (previous, latest) = (seen.previous.as_ref()?, seen.latest.as_ref()?);
    let sum = |families: &Families| {
        total(families, name, |labels| {
            label(labels, "device").is_none_or(|device| !device.starts_with("lo"))
        })
    };
    let seconds = (latest.at - previous.at) as f64 / 1e3;
    let moved = sum(&latest.families)? - sum(&previous.families)?;
    (seconds > 0.0 && moved >= 0.0).then(|| format!("{}/s", bytes(moved / seconds)))
}

/// File systems below this size hold what the system needs, and nothing of a person's.
const SMALLEST: f64 = 1024.0 * 1024.0 * 1024.0;

/// Mount point, available and all bytes of each file system, the largest first, each device once.
fn filesystems(families: &Families) -> Vec<(String, f64, f64)> {
    let mut seen = Vec::new();
    let mut found = Vec::new();
    let available: Vec<_> = samples(families, "node_filesystem_avail_bytes").collect();
    for (labels, size) in samples(families, "node_filesystem_size_bytes") {
        let (Some(mount), Some(device)) = (label(&labels, "mountpoint"), label(&labels, "device")) else {
            continue;
        };
        let free = available
            .iter()
            .find(|(other, _)| label(other, "mountpoint") == Some(mount));
        let Some((_, free)) = free else { continue };
        if size >= SMALLEST && !seen.contains(&device) {
            seen.push(device);
            found.push((mount.to_owned(), *free, size));
        }
    }
    found.sort_by(|a, b| b.2.total_cmp(&a.2));
    found.truncate(4);
    found
}

fn bytes(mut count: f64) -> String {
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if count < 1024.0 {
            return format!("{count:.1} {unit}");
        }
        count /= 1024.0;
    }
    format!("{count:.1} TiB")
}

fn duration(seconds: f64) -> String {
    let minutes = (seconds / 60.0).max(0.0).floor();
    let (days, hours, minutes) = (
        (minutes / 1440.0).floor(),
        (minutes / 60.0).floor() % 24.0,
        minutes % 60.0,
    );
    if days > 0.0 {
        format!("{days} d {hours} h")
    } else {
        format!("{hours} h {minutes} min")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ferroalloy_model::MetricKind::{Counter, Gauge};

    use super::*;

    fn host(at: i64, idle: f64, user: f64, received: f64) -> Snapshot {
        let mut families = Families::new();
        families
            .family("node_cpu_seconds_total", "", Counter)
            .sample(&[("cpu", "0"), ("mode", "idle")], idle)
            .sample(&[("cpu", "0"), ("mode", "user")], user);
        families
            .family("node_network_receive_bytes_total", "", Counter)
            .sample(&[("device", "lo")], 1e12)
            .sample(&[("device", "eth0")], received);
        families.single("node_memory_MemTotal_bytes", "", Gauge, 4096.0 * 1024.0);
        families.single("node_memory_MemAvailable_bytes", "", Gauge, 1024.0 * 1024.0);
        Snapshot {
            at,
            families: Arc::new(families),
        }
    }

    #[test]
    fn rates_come_from_two_collections() {
        let seen = Seen {
            previous: Some(host(0, 10.0, 5.0, 0.0)),
            latest: Some(host(10_000, 17.5, 7.5, 20_480.0)),
        };
        let figures = of(&seen);
        let value = |name: &str| figures.iter().find(|f| f.name == name).map(|f| f.value.as_str());
        assert_eq!(value("CPU busy"), Some("25.0 %"));
        assert_eq!(value("Network in"), Some("2.0 KiB/s"));
        assert_eq!(value("Memory"), Some("3.0 MiB of 4.0 MiB used"));
        assert_eq!(value("Load"), None);
    }

    #[test]
    fn one_collection_gives_no_rates() {
        let seen = Seen {
            previous: None,
            latest: Some(host(0, 1.0, 1.0, 1.0)),
        };
        assert_eq!(
            of(&seen).iter().map(|f| f.name.as_str()).collect::<Vec<_>>(),
            ["Memory"]
        );
        assert!(of(&Seen::default()).is_empty());
    }
}
