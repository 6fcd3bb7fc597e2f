//! macOS: counters of TCP and UDP from `sysctl(3)` (`net.inet.tcp.stats`, `net.inet.udp.stats`), under the names that Linux
//! has for them.
//!
//! Many releases give zeros to programs that are not Apple's; a protocol of which all is zero is left out, and if that is
//! all of them there is no data. The counters have 32 bits and are continued beyond.

use std::ffi::CStr;
use std::sync::{Mutex, PoisonError};

use ferroalloy_model::{Families, MetricKind};

use super::Options;
use crate::collector::{Collector, Outcome};
use crate::error::Error;
use crate::filter::Pattern;
use crate::macos::bytes::u32_at;
use crate::macos::calls::{self, Sysctl};
use crate::macos::layout::{tcpstat, udpstat};
use crate::macos::wrap::Extended;

/// A protocol: its sysctl, and where the counters are: name as on Linux, 32-bit words that are added up.
struct Protocol {
    sysctl: &'static CStr,
    name: &'static str,
    counters: &'static [(&'static str, &'static [usize])],
}

static PROTOCOLS: [Protocol; 2] = [
    Protocol {
        sysctl: c"net.inet.tcp.stats",
        name: "Tcp",
        counters: &[
            ("ActiveOpens", &[tcpstat::TCPS_CONNATTEMPT]),
            ("PassiveOpens", &[tcpstat::TCPS_ACCEPTS]),
            ("AttemptFails", &[tcpstat::TCPS_CONNDROPS]),
            ("OutSegs", &[tcpstat::TCPS_SNDTOTAL]),
            ("RetransSegs", &[tcpstat::TCPS_SNDREXMITPACK]),
            ("InSegs", &[tcpstat::TCPS_RCVTOTAL]),
            (
                "InErrs",
                &[
                    tcpstat::TCPS_RCVBADSUM,
                    tcpstat::TCPS_RCVBADOFF,
                    tcpstat::TCPS_RCVSHORT,
                ],
            ),
        ],
    },
    Protocol {
        sysctl: c"net.inet.udp.stats",
        name: "Udp",
        counters: &[
            ("InDatagrams", &[udpstat::UDPS_IPACKETS]),
            (
                "InErrors",
                &[udpstat::UDPS_HDROPS, udpstat::UDPS_BADSUM, udpstat::UDPS_BADLEN],
            ),
            ("NoPorts", &[udpstat::UDPS_NOPORT]),
            ("RcvbufErrors", &[udpstat::UDPS_FULLSOCK]),
            ("OutDatagrams", &[udpstat::UDPS_OPACKETS]),
        ],
    },
];

pub(super) struct NetStat<S> {
    sysctl: S,
    fields: Option<Pattern>,
    /// By protocol, each word that is read.
    totals: Mutex<[Vec<Extended>; PROTOCOLS.len()]>,
}

impl<S: Sysctl> NetStat<S> {
    pub(super) fn new(sysctl: S, options: &Options) -> Result<Self, Error> {
        Ok(Self {
            sysctl,
            fields: Pattern::compile("netstat.fields", &options.fields)?,
            totals: Mutex::default(),
        })
    }
}

impl Protocol {
    /// The words of all counters, one after another; `None` if the structure is cut.
    fn words(&self, bytes: &[u8]) -> Option<Vec<u32>> {
        let places = self.counters.iter().flat_map(|(_, words)| *words);
        places.map(|word| u32_at(bytes, word * 4)).collect()
    }
}

impl<S: Sysctl> Collector for NetStat<S> {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        // Held while reading, so that of two scrapes at once none brings older counts than are remembered.
        let mut totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        let mut outcome = Outcome::NoData;
        for (protocol, totals) in PROTOCOLS.iter().zip(totals.iter_mut()) {
            let words = calls::value(&self.sysctl, protocol.sysctl, |bytes| protocol.words(bytes))?;
            if totals.is_empty() {
                *totals = words.iter().map(|word| Extended::new(u64::from(*word))).collect();
            }
            let mut values = totals
                .iter_mut()
                .zip(&words)
                .map(|(total, word)| total.advance(*word, 0));
            let values: Vec<u64> = protocol
                .counters
                .iter()
                .map(|(_, words)| values.by_ref().take(words.len()).sum())
                .collect();
            if values.iter().all(|value| *value == 0) {
                continue;
            }
            outcome = Outcome::Data;
            for ((name, _), value) in protocol.counters.iter().zip(values) {
                let field = format!("{}_{name}", protocol.name);
                if self.fields.as_ref().is_some_and(|fields| fields.is_match(&field)) {
                    let help = format!("Statistic {}{name}.", protocol.name);
                    let family = format!("node_netstat_{field}");
                    out.single(&family, &help, MetricKind::Unknown, value as f64);
                }
            }
        }
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::macos::recorded::Recorded;
    use crate::testing::samples;

    fn words(set: &[(usize, u32)], length: usize) -> Vec<u8> {
        let mut words = vec![0_u32; length];
        for (at, value) in set {
            words[*at] = *value;
        }
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    fn netstat(tcp: Vec<u8>, udp: Vec<u8>) -> NetStat<Recorded> {
        let mac = Recorded::default();
        mac.name("net.inet.tcp.stats", tcp)
            .name("net.inet.udp.stats", udp);
        NetStat::new(mac, &Options::default()).unwrap()
    }

    #[test]
    fn counters_go_on_when_they_wrap() {
        let collector = netstat(
            words(&[], 64),
            words(&[(0, u32::MAX), (1, 2), (3, 3), (9, 8)], 22),
        );
        assert_eq!(
            samples(&collector),
            [
                "node_netstat_Udp_InDatagrams 4.294967295e+09",
                "node_netstat_Udp_InErrors 5",
                "node_netstat_Udp_NoPorts 0",
                "node_netstat_Udp_OutDatagrams 8",
                "node_netstat_Udp_RcvbufErrors 0",
            ]
        );
        let udp = words(&[(0, 4), (1, 2), (3, 3), (9, 8)], 22);
        collector.sysctl.name("net.inet.udp.stats", udp);
        assert_eq!(
            samples(&collector)[0],
            "node_netstat_Udp_InDatagrams 4.2949673e+09"
        );
    }

    #[test]
    fn tcp_by_field() {
        let collector = netstat(
            words(&[(0, 1), (1, 2), (15, 3), (18, 4), (25, 5), (28, 6), (31, 7)], 64),
            words(&[], 22),
        );
        assert_eq!(
            samples(&collector),
            [
                "node_netstat_Tcp_ActiveOpens 1",
                "node_netstat_Tcp_InErrs 13",
                "node_netstat_Tcp_InSegs 5",
                "node_netstat_Tcp_OutSegs 3",
                "node_netstat_Tcp_PassiveOpens 2",
                "node_netstat_Tcp_RetransSegs 4",
            ]
        );
    }

    #[test]
    fn zeros_are_no_data_and_a_cut_structure_is_an_error() {
        let zeros = netstat(words(&[], 64), words(&[], 22));
        let outcome = zeros.update(&mut Families::new()).unwrap();
        assert_eq!(outcome, Outcome::NoData);
        let cut = netstat(words(&[], 31), words(&[], 22));
        let error = cut.update(&mut Families::new()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "sysctl net.inet.tcp.stats: unexpected answer of 124 bytes"
        );
    }
}
