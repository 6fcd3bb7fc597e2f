//! `qdisc`: traffic control of network interfaces, from rtnetlink (rtnetlink(7), RTM_GETQDISC).

use std::path::{Path, PathBuf};

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::filter::Filter;
use crate::option::options;
use crate::read::Buffer;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "qdisc",
    linux: Support::Off,
    macos: Support::Absent,
    summary: "Traffic and queues of the queueing disciplines at the root of interfaces.",
    sources: &["rtnetlink RTM_GETQDISC"],
    families: &["node_qdisc_*"],
    options: options! {
        "qdisc.fixtures" = qdisc.fixtures: String, "Folder with a file results.json to take instead of asking the kernel, for tests.";
        "qdisc.device-include" = qdisc.device_include: String, "Interfaces to give (expression).";
        "qdisc.device-exclude" = qdisc.device_exclude: String, "Interfaces to leave out (expression).";
    },
    build: |context| Ok(Box::new(Qdisc::new(context)?)),
};

/// Options of `qdisc`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Folder with a file `results.json` to take instead of the kernel's answers, as node_exporter's tests have it.
    pub fixtures: String,
    /// Expression for interfaces to give.
    pub device_include: String,
    /// Expression for interfaces to leave out; not beside the include.
    pub device_exclude: String,
}

struct Qdisc {
    fixtures: Option<PathBuf>,
    filter: Filter,
}

impl Qdisc {
    fn new(context: &Context<'_>) -> Result<Self, Error> {
        let options = &context.options.qdisc;
        Ok(Self {
            fixtures: (!options.fixtures.is_empty())
                .then(|| Path::new(&options.fixtures).join("results.json")),
            filter: Filter::either(
                ("qdisc.device-include", &options.device_include),
                ("qdisc.device-exclude", &options.device_exclude),
            )?,
        })
    }
}

impl Collector for Qdisc {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let stats = match &self.fixtures {
            Some(path) => {
                let mut buffer = Buffer::take();
                recorded(buffer.file(path)?).ok_or_else(|| Error::parse(path, "not a list of statistics"))?
            }
            None => ask()?,
        };
        emit_stats(&stats, &self.filter, out);
        Ok(Outcome::Data)
    }
}

/// What one discipline has done.
#[derive(Debug, Clone, Default, PartialEq)]
struct Stats {
    device: String,
    kind: String,
    bytes: u64,
    packets: u64,
    drops: u64,
    requeues: u64,
    overlimits: u64,
    queue_length: u64,
    backlog: u64,
}

/// A family, its HELP and its value.
type Row = (&'static str, &'static str, fn(&Stats) -> u64);

static FAMILIES: [Row; 7] = [
    ("node_qdisc_bytes_total", "Number of bytes sent.", |stats| {
        stats.bytes
    }),
    ("node_qdisc_packets_total", "Number of packets sent.", |stats| {
        stats.packets
    }),
    ("node_qdisc_drops_total", "Number of packets dropped.", |stats| {
        stats.drops
    }),
    (
        "node_qdisc_requeues_total",
        "Number of packets dequeued, not transmitted, and requeued.",
        |stats| stats.requeues,
    ),
    (
        "node_qdisc_overlimits_total",
        "Number of overlimit packets.",
        |stats| stats.overlimits,
    ),
    (
        "node_qdisc_current_queue_length",
        "Number of packets currently in queue to be sent.",
        |stats| stats.queue_length,
    ),
    (
        "node_qdisc_backlog",
        "Number of bytes currently in queue to be sent.",
        |stats| stats.backlog,
    ),
];

fn emit_stats(stats: &[Stats], filter: &Filter, out: &mut Families) {
    for (name, help, value) in FAMILIES {
        let kind = if name.ends_with("_total") {
            MetricKind::Counter
        } else {
            MetricKind::Gauge
        };
        let mut family = out.family(name, help, kind);
        for stats in stats.iter().filter(|stats| filter.keeps(&stats.device)) {
            let labels = [("device", &*stats.device), ("kind", &*stats.kind)];
            family.sample(&labels, value(stats) as f64);
        }
    }
}

/// Statistics from a file, of disciplines at the root.
fn recorded(content: &[u8]) -> Option<Vec<Stats>> {
    let list: serde_json::Value = serde_json::from_slice(content).ok()?;
    let stats = list.as_array()?.iter().map(|entry| {
        let word = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        let number = |name: &str| entry[name].as_u64().unwrap_or_default();
        let stats = Stats {
            device: word("IfaceName"),
            kind: word("Kind"),
            bytes: number("Bytes"),
            packets: number("Packets"),
            drops: number("Drops"),
            requeues: number("Requeues"),
            overlimits: number("Overlimits"),
            queue_length: number("Qlen"),
            backlog: number("Backlog"),
        };
        (number("Parent"), stats)
    });
    Some(
        stats
            .filter(|(parent, _)| *parent == 0)
            .map(|(_, stats)| stats)
            .collect(),
    )
}

#[cfg(target_os = "linux")]
fn ask() -> Result<Vec<Stats>, Error> {
    use crate::netlink::{GET_QDISC, NEW_QDISC, dump};
    let mut found = Vec::new();
    dump(GET_QDISC, &[0; 20], NEW_QDISC, |body| {
        found.extend(linux::parse(body));
    })?;
    Ok(found
        .into_iter()
        .filter_map(|(interface, stats)| {
            // An interface that went away meanwhile has no discipline any more.
            let name = nix::net::if_::if_indextoname(interface).ok()?;
            let device = name.to_string_lossy().into_owned();
            Some(Stats { device, ..stats })
        })
        .collect())
}

#[cfg(not(target_os = "linux"))]
fn ask() -> Result<Vec<Stats>, Error> {
    Err(Error::system("netlink", std::io::ErrorKind::Unsupported))
}

/// Reading rtnetlink's answers.
#[cfg(target_os = "linux")]
mod linux {
    use super::Stats;
    use crate::netlink::{attributes, name};

    const KIND: u16 = 1;
    const STATS: u16 = 3;
    const STATS2: u16 = 7;
    /// Within `STATS2`.
    const BASIC: u16 = 1;
    const QUEUE: u16 = 3;

    /// Interface and statistics of a discipline at the root. `struct tcmsg`: family (1 byte), 3 bytes, interface,
    /// handle, parent, info (4 bytes each).
    pub(super) fn parse(body: &[u8]) -> Option<(u32, Stats)> {
        let interface = word(body, 4)?;
        let parent = word(body, 12)?;
        if parent != 0 && parent != u32::MAX {
            return None;
        }
        let (mut old, mut new, mut kind) = (None, None, "");
        for (attribute, value) in attributes(body.get(20..)?) {
            match attribute {
                KIND => kind = name(value).unwrap_or_default(),
                STATS => old = stats(value),
                STATS2 => new = Some(stats2(value)),
                _ => {}
            }
        }
        let stats = new.or(old)?;
        let kind = kind.to_owned();
        Some((interface, Stats { kind, ..stats }))
    }

    /// `struct tc_stats`: bytes (8), packets, drops, overlimits, bits and packets per second, queue length, backlog.
    fn stats(value: &[u8]) -> Option<Stats> {
        Some(Stats {
            bytes: u64::from_ne_bytes(*value.first_chunk()?),
            packets: word(value, 8)?.into(),
            drops: word(value, 12)?.into(),
            overlimits: word(value, 16)?.into(),
            queue_length: word(value, 28)?.into(),
            backlog: word(value, 32)?.into(),
            ..Stats::default()
        })
    }

    /// `struct gnet_stats_basic`: bytes (8), packets (4). `struct gnet_stats_queue`: queue length, backlog, drops,
    /// requeues, overlimits (4 each).
    fn stats2(value: &[u8]) -> Stats {
        let mut stats = Stats::default();
        for (attribute, value) in attributes(value) {
            let number = |at| u64::from(word(value, at).unwrap_or_default());
            match attribute {
                BASIC => {
                    stats.bytes = value.first_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes));
                    stats.packets = number(8);
                }
                QUEUE => {
                    stats.queue_length = number(0);
                    stats.backlog = number(4);
                    stats.drops = number(8);
                    stats.requeues = number(12);
                    stats.overlimits = number(16);
                }
                _ => {}
            }
        }
        stats
    }

    fn word(bytes: &[u8], at: usize) -> Option<u32> {
        Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{lines, never_panics};

    const CONTENT: &str = "[{\"IfaceName\": \"wlan0\", \"Bytes\": 42, \"Kind\": \"fq\", \"Drops\": 1},\n\
        {\"IfaceName\": \"eth0\", \"Parent\": 7, \"Kind\": \"fq\"}]";

    #[test]
    fn recorded_statistics() {
        let stats = recorded(CONTENT.as_bytes()).unwrap();
        let mut out = Families::new();
        emit_stats(&stats, &Filter::default(), &mut out);
        let lines = lines(&out);
        assert_eq!(lines.len(), 7);
        assert!(lines.contains(&"node_qdisc_bytes_total{device=\"wlan0\",kind=\"fq\"} 42".to_owned()));
        never_panics(CONTENT, recorded);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn netlink_statistics() {
        use crate::netlink::attribute;
        let words = |words: &[u32]| {
            words
                .iter()
                .flat_map(|word| word.to_ne_bytes())
                .collect::<Vec<_>>()
        };
        let basic = [9_u64.to_ne_bytes().to_vec(), words(&[3])].concat();
        let nested = [attribute(1, &basic), attribute(3, &words(&[1, 2, 3, 4, 5]))].concat();
        let body = |parent| {
            [
                words(&[0, 7, 0, parent, 0]),
                attribute(1, b"fq\0"),
                attribute(7, &nested),
            ]
            .concat()
        };
        let expected = Stats {
            kind: "fq".to_owned(),
            bytes: 9,
            packets: 3,
            queue_length: 1,
            backlog: 2,
            drops: 3,
            requeues: 4,
            overlimits: 5,
            ..Stats::default()
        };
        assert_eq!(linux::parse(&body(u32::MAX)), Some((7, expected)));
        assert_eq!(linux::parse(&body(1)), None);
        never_panics(
            "\0\0\0\0\u{7}\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\u{8}\0\u{7}\0",
            linux::parse,
        );
        assert!(ask().is_ok());
    }
}
