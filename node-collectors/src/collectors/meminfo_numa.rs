//! `meminfo_numa`: memory by NUMA node, `sys/devices/system/node/node*/{meminfo,numastat}`
//! (Documentation/ABI/stable/sysfs-devices-node).

use std::path::PathBuf;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::read::{Buffer, entries_if_any};
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "meminfo_numa",
    linux: Support::Off,
    macos: Support::Absent,
    summary: "Memory statistics of each NUMA node.",
    sources: &[
        "sys/devices/system/node/node*/meminfo",
        "sys/devices/system/node/node*/numastat",
    ],
    families: &["node_memory_numa_*"],
    options: &[],
    build: |context| Ok(Box::new(MemInfoNuma::new(context))),
};

struct MemInfoNuma {
    nodes: PathBuf,
}

impl MemInfoNuma {
    fn new(context: &Context<'_>) -> Self {
        Self {
            nodes: context.roots.sys("devices/system/node"),
        }
    }
}

impl Collector for MemInfoNuma {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        for name in entries_if_any(&self.nodes)? {
            let Some(node) = name
                .strip_prefix("node")
                .filter(|number| text::decimal(number.as_bytes()).is_some())
            else {
                continue;
            };
            let folder = self.nodes.join(&name);
            let mut emit = |key: &str, kind, value: f64| {
                let help = format!("Memory information field {key}.");
                out.family(
                    &format!("node_memory_numa_{}", text::metric_name(key)),
                    &help,
                    kind,
                )
                .sample(&[("node", node)], value);
            };
            let path = folder.join("meminfo");
            parse_meminfo(buffer.file(&path)?, |key, value| {
                emit(key, MetricKind::Gauge, value);
            })
            .map_err(|line| Error::parse(&path, format_args!("bad line {:?}", text::utf8(line))))?;
            let path = folder.join("numastat");
            parse_numastat(buffer.file(&path)?, |key, value| {
                emit(key, MetricKind::Counter, value);
            })
            .map_err(|line| Error::parse(&path, format_args!("bad line {:?}", text::utf8(line))))?;
        }
        Ok(Outcome::Data)
    }
}

/// `Node 0 Active(anon): 5 kB`: keys as they are but for the parentheses.
fn parse_meminfo(content: &[u8], mut each: impl FnMut(&str, f64)) -> Result<(), &[u8]> {
    for line in text::lines(content).filter(|line| !line.trim_ascii().is_empty()) {
        let mut words = text::fields(line);
        let key = words
            .nth(2)
            .and_then(|word| std::str::from_utf8(word).ok())
            .ok_or(line)?;
        let value = words.next().and_then(text::float).ok_or(line)?;
        let factor = match words.next() {
            Some(b"kB") => 1024.0,
            None => 1.0,
            Some(_) => return Err(line),
        };
        let key = key.trim_end_matches(':').replace('(', "_").replace(')', "");
        each(&key, value * factor);
    }
    Ok(())
}

/// `numa_hit 5`, given as counters.
fn parse_numastat(content: &[u8], mut each: impl FnMut(&str, f64)) -> Result<(), &[u8]> {
    for line in text::lines(content).filter(|line| !line.trim_ascii().is_empty()) {
        let mut words = text::fields(line);
        let (Some(key), Some(value), None) = (words.next(), words.next(), words.next()) else {
            return Err(line);
        };
        let key = std::str::from_utf8(key).map_err(|_| line)?;
        each(&format!("{key}_total"), text::float(value).ok_or(line)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    const MEMINFO: &str = "Node 0 MemTotal:       134182340 kB\nNode 0 Active(anon):   691324 kB\nNode 0 HugePages_Total:     2\n";

    #[test]
    fn both_files() {
        let host = Host::new(&[
            ("sys/devices/system/node/node0/meminfo", MEMINFO),
            (
                "sys/devices/system/node/node0/numastat",
                "numa_hit 193460335812\n",
            ),
            ("sys/devices/system/node/online", "0\n"),
        ]);
        let expected = [
            "node_memory_numa_Active_anon{node=\"0\"} 7.07915776e+08",
            "node_memory_numa_HugePages_Total{node=\"0\"} 2",
            "node_memory_numa_MemTotal{node=\"0\"} 1.3740271616e+11",
            "node_memory_numa_numa_hit_total{node=\"0\"} 1.93460335812e+11",
        ];
        assert_eq!(host.samples(&DESCRIPTOR), expected);
        assert!(parse_meminfo(b"Node 0 MemTotal: 1 MB\n", |_, _| ()).is_err());
        never_panics(MEMINFO, |bytes| parse_meminfo(bytes, |_, _| ()).is_ok());
        never_panics("numa_hit 1\n", |bytes| parse_numastat(bytes, |_, _| ()).is_ok());
    }

    #[test]
    fn a_key_that_is_no_name() {
        let host = Host::new(&[
            ("sys/devices/system/node/node0/meminfo", "Node 0 Mem,{Total: 2\n"),
            ("sys/devices/system/node/node0/numastat", "numa\"hit 1\n"),
        ]);
        let expected = [
            "node_memory_numa_Mem_Total{node=\"0\"} 2",
            "node_memory_numa_numa_hit_total{node=\"0\"} 1",
        ];
        assert_eq!(host.samples(&DESCRIPTOR), expected);
    }
}
