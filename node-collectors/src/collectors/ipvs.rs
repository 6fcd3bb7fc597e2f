//! `ipvs`: IP virtual servers, `/proc/net/ip_vs_stats` and `/proc/net/ip_vs` (net/netfilter/ipvs/ip_vs_ctl.c).

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::option::options;
use crate::read::Buffer;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "ipvs",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Traffic of IP virtual servers and connections of their backends.",
    sources: &["proc/net/ip_vs_stats", "proc/net/ip_vs"],
    families: &["node_ipvs_*"],
    options: options! {
        "ipvs.backend-labels" = ipvs.backend_labels: String, "Labels that tell backends apart, with commas between.";
    },
    build: |context| Ok(Box::new(Ipvs::new(context)?)),
};

/// Options of `ipvs`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Labels that tell backends apart, with commas between; backends that are alike in them are added up.
    pub backend_labels: String,
}

/// All labels of a backend.
const LABELS: [&str; 6] = [
    "local_address",
    "local_port",
    "remote_address",
    "remote_port",
    "proto",
    "local_mark",
];

impl Default for Options {
    fn default() -> Self {
        Self {
            backend_labels: LABELS.join(","),
        }
    }
}

struct Ipvs {
    stats: PathBuf,
    backends: PathBuf,
    /// Which of [`LABELS`] are given.
    labels: [bool; 6],
    compat: bool,
}

impl Ipvs {
    fn new(context: &Context<'_>) -> Result<Self, Error> {
        let roots = context.roots;
        Ok(Self {
            stats: roots.proc("net/ip_vs_stats"),
            backends: roots.proc("net/ip_vs"),
            labels: chosen(&context.options.ipvs.backend_labels)?,
            compat: context.mode.is_compat(),
        })
    }
}

fn chosen(given: &str) -> Result<[bool; 6], Error> {
    let mut labels = [false; 6];
    let mut unknown = Vec::new();
    for label in given.split(',').filter(|label| !label.is_empty()) {
        match LABELS.iter().position(|known| *known == label) {
            Some(at) => labels[at] = true,
            None => unknown.push(label),
        }
    }
    if unknown.is_empty() {
        return Ok(labels);
    }
    unknown.sort_unstable();
    Err(Error::option(format!(
        "unknown IPVS backend labels: \"{}\", known are {}",
        unknown.join(", "),
        LABELS.join(", ")
    )))
}

impl Collector for Ipvs {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        let Some(content) = buffer.optional(&self.stats)? else {
            return Ok(Outcome::NoData);
        };
        let totals = parse_totals(content).ok_or_else(|| Error::parse(&self.stats, "no totals in line 3"))?;
        for ((name, help), total) in TOTALS.iter().zip(totals) {
            emit::counter(out, name, help, &[], total as f64);
        }
        let backends = parse_backends(buffer.file(&self.backends)?, self.compat)
            .map_err(|line| Error::parse(&self.backends, format_args!("bad line {:?}", text::utf8(line))))?;
        let mut sums = BTreeMap::<[&str; 6], [u64; 3]>::new();
        for Backend { labels, numbers } in &backends {
            let mut key = [""; 6];
            for ((place, label), chosen) in key.iter_mut().zip(labels).zip(self.labels) {
                if chosen {
                    *place = label;
                }
            }
            for (sum, number) in sums.entry(key).or_default().iter_mut().zip(numbers) {
                *sum = sum.saturating_add(*number);
            }
        }
        for (at, (name, help)) in GAUGES.iter().enumerate() {
            let mut family = out.family(name, help, MetricKind::Gauge);
            for (key, sums) in &sums {
                let mut labels = Vec::with_capacity(LABELS.len());
                labels.extend(
                    (0..LABELS.len())
                        .filter(|at| self.labels[*at])
                        .map(|at| (LABELS[at], key[at])),
                );
                family.sample(&labels, sums[at] as f64);
            }
        }
        Ok(Outcome::Data)
    }
}

/// Families and HELP of the columns of line 3.
static TOTALS: [(&str, &str); 5] = [
    (
        "node_ipvs_connections_total",
        "The total number of connections made.",
    ),
    (
        "node_ipvs_incoming_packets_total",
        "The total number of incoming packets.",
    ),
    (
        "node_ipvs_outgoing_packets_total",
        "The total number of outgoing packets.",
    ),
    (
        "node_ipvs_incoming_bytes_total",
        "The total amount of incoming data.",
    ),
    (
        "node_ipvs_outgoing_bytes_total",
        "The total amount of outgoing data.",
    ),
];

/// Families and HELP of what a backend has.
static GAUGES: [(&str, &str); 3] = [
    (
        "node_ipvs_backend_connections_active",
        "The current active connections by local and remote address.",
    ),
    (
        "node_ipvs_backend_connections_inactive",
        "The current inactive connections by local and remote address.",
    ),
    (
        "node_ipvs_backend_weight",
        "The current backend weight by local and remote address.",
    ),
];

/// Five hexadecimal numbers in the third line.
fn parse_totals(content: &[u8]) -> Option<[u64; 5]> {
    let mut words = text::fields(text::lines(content).nth(2)?);
    let mut totals = [0; 5];
    for total in &mut totals {
        *total = text::hexadecimal(words.next()?)?;
    }
    words.next().is_none().then_some(totals)
}

#[derive(Debug, PartialEq)]
struct Backend {
    /// Values of [`LABELS`].
    labels: [String; 6],
    /// Connections active, inactive, and weight.
    numbers: [u64; 3],
}

/// A line for each service, with a line `-> …` for each of its backends. With `compat`, backends of services of a
/// protocol that node_exporter does not know count for the service before.
fn parse_backends(content: &[u8], compat: bool) -> Result<Vec<Backend>, &[u8]> {
    let mut backends = Vec::new();
    let [mut proto, mut local, mut port, mut mark] = [const { String::new() }; 4];
    for line in text::lines(content) {
        let words: Vec<_> = text::fields(line).collect();
        match words[..] {
            [b"IP" | b"Prot", ..] | [_, b"RemoteAddress:Port", ..] => {}
            [b"->", remote, _, weight, active, inactive, ..] => {
                let (address, number) = address(remote).ok_or(line)?;
                let number_of = |word| text::decimal(word).ok_or(line);
                backends.push(Backend {
                    labels: [
                        local.clone(),
                        port.clone(),
                        address,
                        number,
                        proto.clone(),
                        mark.clone(),
                    ],
                    numbers: [number_of(active)?, number_of(inactive)?, number_of(weight)?],
                });
            }
            [b"FWM", given, ..] => {
                "FWM".clone_into(&mut proto);
                mark = text::utf8(given).into_owned();
                local.clear();
                "0".clone_into(&mut port);
            }
            [name, service, ..] if matches!(name, b"TCP" | b"UDP") || name == b"SCTP" && !compat => {
                proto = text::utf8(name).into_owned();
                mark.clear();
                (local, port) = address(service).ok_or(line)?;
            }
            _ => {}
        }
    }
    Ok(backends)
}

/// Address and port of `C0A80016:0CEA` or `[2620:…:0001]:0050`.
fn address(word: &[u8]) -> Option<(String, String)> {
    let at = memchr::memrchr(b':', word)?;
    let (host, port) = (word.get(..at)?, word.get(at + 1..)?);
    let port = u16::try_from(text::hexadecimal(port)?).ok()?;
    let host = match host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")) {
        Some(host) => std::str::from_utf8(host)
            .ok()?
            .parse::<Ipv6Addr>()
            .ok()?
            .to_canonical()
            .to_string(),
        None => Ipv4Addr::from(u32::try_from(text::hexadecimal(host)?).ok()?).to_string(),
    };
    Some((host, port.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics, samples};

    const STATS: &str = "   Total Incoming Outgoing         Incoming         Outgoing\n   Conns  Packets  Packets            Bytes            Bytes\n \
        16AA370 E33656E5        0     51D8C8883AB3                0\n";
    const SERVICES: &str = "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n\
        TCP  C0A80016:0CEA wlc  \n  -> C0A85216:0CEA      Tunnel  100    248        2         \n  -> C0A85318:0CEA      Tunnel  100    248        3         \n\
        SCTP  [2620:0000:0000:0000:0000:0000:0000:0001]:0050 wlc\n  -> C0A8321A:0CEA      Tunnel  20     64         1         \n";

    #[test]
    fn services_and_backends() {
        let host = Host::new(&[("proc/net/ip_vs_stats", STATS), ("proc/net/ip_vs", SERVICES)]);
        let all = host.samples(&DESCRIPTOR);
        assert_eq!(all.len(), 3 * 3 + 5);
        assert!(
            all.contains(&"node_ipvs_connections_total 2.3765872e+07".to_owned()),
            "{all:#?}"
        );
        assert!(all.iter().any(|line| {
            line.contains("local_address=\"2620::1\",local_mark=\"\",local_port=\"80\",proto=\"SCTP\"")
        }));
        assert!(
            host.compat_samples(&DESCRIPTOR)
                .iter()
                .all(|line| !line.contains("SCTP"))
        );
        let by_port = host
            .collector(&DESCRIPTOR, |options| {
                "local_port".clone_into(&mut options.ipvs.backend_labels);
            })
            .unwrap();
        assert!(
            samples(by_port.as_ref())
                .contains(&"node_ipvs_backend_connections_inactive{local_port=\"3306\"} 5".to_owned())
        );
        std::fs::remove_file(host.path().join("proc/net/ip_vs_stats")).unwrap();
        let without = host.collector(&DESCRIPTOR, |_| ()).unwrap();
        assert_eq!(without.update(&mut Families::new()).unwrap(), Outcome::NoData);
        never_panics(STATS, parse_totals);
        never_panics(SERVICES, |bytes| parse_backends(bytes, false).is_ok());
    }

    #[test]
    fn unknown_labels_are_refused() {
        let error = chosen("invalid_label,bad_label").unwrap_err().to_string();
        assert!(
            error.starts_with("unknown IPVS backend labels: \"bad_label, invalid_label\""),
            "{error}"
        );
        assert_eq!(chosen("").unwrap(), [false; 6]);
    }
}
