//! `netstat`: protocol counters of the network stack, `/proc/net/netstat`, `snmp` and `snmp6`
//! (Documentation/networking/snmp_counter.rst), under the kernel's own names.
//! macOS: what `sysctl(3)` has of TCP and UDP.

mod macos;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Platform, Support};
use crate::error::Error;
use crate::filter::Pattern;
use crate::kernel_file::KernelFile;
use crate::option::options;
use crate::read::Buffer;
use crate::sys::Kernel;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "netstat",
    linux: Support::On,
    macos: Support::Off,
    summary: "Counters of IP, ICMP, TCP and UDP.",
    sources: &[
        "proc/net/netstat",
        "proc/net/snmp",
        "proc/net/snmp6",
        "sysctl net.inet.tcp.stats, net.inet.udp.stats",
    ],
    families: &["node_netstat_*"],
    options: options! {
        "netstat.fields" = netstat.fields: String, "Fields `Protocol_Name` to give (expression).";
    },
    build: |context| {
        let options = &context.options.netstat;
        Ok(match context.platform {
            Platform::MacOs => Box::new(macos::NetStat::new(Kernel, options)?),
            Platform::Linux => Box::new(NetStat::new(context)?),
        })
    },
};

/// Options of `netstat`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Expression that a field, written `Protocol_Name`, has to match.
    pub fields: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            fields: "^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)|TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)|Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)|Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$".to_owned(),
        }
    }
}

/// Of a field `Protocol_Name`, family name and HELP if it is to be given.
type Known = HashMap<Vec<u8>, Option<(String, String)>>;

struct NetStat {
    /// `netstat` and `snmp`: lines in pairs.
    pairs: [KernelFile; 2],
    /// `snmp6`: a counter per line; absent without IPv6.
    single: KernelFile,
    fields: Option<Pattern>,
    /// Fields seen, with family name and HELP if they are to be given: the expression is asked once for each.
    known: Mutex<Known>,
}

impl NetStat {
    fn new(context: &Context<'_>) -> Result<Self, Error> {
        let roots = context.roots;
        Ok(Self {
            pairs: ["net/netstat", "net/snmp"].map(|path| KernelFile::new(roots.proc(path))),
            single: KernelFile::new(roots.proc("net/snmp6")),
            fields: Pattern::compile("netstat.fields", &context.options.netstat.fields)?,
            known: Mutex::default(),
        })
    }
}

impl Collector for NetStat {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = Vec::new();
        let mut each = |protocol: &[u8], name: &[u8], value: f64| {
            key.clear();
            key.extend_from_slice(protocol);
            key.push(b'_');
            key.extend_from_slice(name);
            if !known.contains_key(&key) {
                known.insert(key.clone(), self.family(protocol, name));
            }
            if let Some(Some((name, help))) = known.get(&key) {
                out.single(name, help, MetricKind::Unknown, value);
            }
        };
        let mut buffer = Buffer::take();
        for path in &self.pairs {
            let content = buffer.kept(path)?;
            parse_pairs(content, &mut each)
                .map_err(|line| Error::parse(path, format_args!("bad line {:?}", text::utf8(line))))?;
        }
        if let Some(content) = buffer.kept_optional(&self.single)? {
            parse_single(content, &mut each).map_err(|line| {
                Error::parse(&self.single, format_args!("bad line {:?}", text::utf8(line)))
            })?;
        }
        Ok(Outcome::Data)
    }
}

impl NetStat {
    /// Family name and HELP of a field, if it is to be given.
    fn family(&self, protocol: &[u8], name: &[u8]) -> Option<(String, String)> {
        let (protocol, name) = (
            std::str::from_utf8(protocol).ok()?,
            std::str::from_utf8(name).ok()?,
        );
        let key = format!("{protocol}_{name}");
        let wanted = self.fields.as_ref().is_none_or(|fields| fields.is_match(&key));
        wanted.then(|| {
            (
                format!("node_netstat_{}", text::metric_name(&key)),
                format!("Statistic {protocol}{name}."),
            )
        })
    }
}

/// `Protocol: names…` and `Protocol: values…` in turn; the error is the line of values.
fn parse_pairs(content: &[u8], mut each: impl FnMut(&[u8], &[u8], f64)) -> Result<(), &[u8]> {
    let mut lines = text::lines(content);
    while let Some(names) = lines.next() {
        let values = lines.next().ok_or(names)?;
        let (mut names, mut words) = (text::fields(names), text::fields(values));
        let protocol = names
            .next()
            .and_then(|word| word.strip_suffix(b":"))
            .ok_or(values)?;
        words.next();
        for name in names {
            each(protocol, name, words.next().and_then(text::float).ok_or(values)?);
        }
        if words.next().is_some() {
            return Err(values);
        }
    }
    Ok(())
}

/// `Ip6InReceives 7`: the protocol ends with the first 6.
fn parse_single(content: &[u8], mut each: impl FnMut(&[u8], &[u8], f64)) -> Result<(), &[u8]> {
    for line in text::lines(content) {
        let mut words = text::fields(line);
        let (Some(name), Some(value)) = (words.next(), words.next()) else {
            continue;
        };
        let value = text::float(value).ok_or(line)?;
        if let Some(six) = memchr::memchr(b'6', name) {
            let (protocol, name) = name.split_at(six + 1);
            each(protocol, name, value);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics, samples};

    const PAIRS: &str =
        "TcpExt: SyncookiesSent EmbryonicRsts\nTcpExt: 1 2\nIpExt: InOctets OutOctets\nIpExt: 6286396970 4\n";
    const SINGLE: &str = "Ip6InOctets                  \t460\nUdp6InDatagrams \t5\nIp6InReceives 7\n";

    #[test]
    fn fields_are_chosen_by_name() {
        let host = Host::new(&[
            ("proc/net/netstat", PAIRS),
            ("proc/net/snmp", "Tcp: MaxConn CurrEstab\nTcp: -1 65\n"),
            ("proc/net/snmp6", SINGLE),
        ]);
        let collector = host.collector(&DESCRIPTOR, |_| ()).unwrap();
        let expected = [
            "node_netstat_Ip6_InOctets 460",
            "node_netstat_IpExt_InOctets 6.28639697e+09",
            "node_netstat_IpExt_OutOctets 4",
            "node_netstat_TcpExt_SyncookiesSent 1",
            "node_netstat_Tcp_CurrEstab 65",
            "node_netstat_Udp6_InDatagrams 5",
        ];
        assert_eq!(samples(collector.as_ref()), expected);
        assert_eq!(samples(collector.as_ref()), expected, "with the fields known");
        std::fs::remove_file(host.path().join("proc/net/snmp6")).unwrap();
        assert_eq!(samples(collector.as_ref()).len(), 4);
        host.write("proc/net/snmp", "Tcp: a b\nTcp: 1\n");
        assert!(collector.update(&mut Families::new()).is_err());
    }

    #[test]
    fn garbled_text() {
        assert!(parse_pairs(b"Tcp: a\n", |_, _, _| ()).is_err());
        assert!(parse_pairs(b"Tcp: a\nTcp: 1 2\n", |_, _, _| ()).is_err());
        assert!(parse_pairs(b"Tcp a\nTcp 1\n", |_, _, _| ()).is_err());
        never_panics(PAIRS, |bytes| parse_pairs(bytes, |_, _, _| ()).is_ok());
        never_panics(SINGLE, |bytes| parse_single(bytes, |_, _, _| ()).is_ok());
    }

    #[test]
    fn a_field_that_is_no_name() {
        let host = Host::new(&[
            ("proc/net/netstat", "Tcp{: a,b\nTcp{: 1\n"),
            ("proc/net/snmp", ""),
        ]);
        let collector = host
            .collector(&DESCRIPTOR, |options| options.netstat.fields.clear())
            .unwrap();
        assert_eq!(samples(collector.as_ref()), ["node_netstat_Tcp_a_b 1"]);
    }
}
