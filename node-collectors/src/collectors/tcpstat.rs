//! `tcpstat`: TCP sockets by state, from the kernel's socket diagnostics (sock_diag(7)). macOS: the list of protocol control
//! blocks.

mod macos;

use std::path::PathBuf;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Platform, Support};
use crate::error::Error;
use crate::sys::Kernel;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "tcpstat",
    linux: Support::Off,
    macos: Support::Off,
    summary: "TCP sockets by state and the bytes in their queues.",
    sources: &[
        "netlink sock_diag",
        "proc/net/tcp6",
        "sysctl net.inet.tcp.pcblist_n",
    ],
    families: &["node_tcp_connection_states"],
    options: &[],
    build: |context| {
        Ok(match context.platform {
            Platform::MacOs => Box::new(macos::TcpStat::new(Kernel)),
            Platform::Linux => Box::new(TcpStat::new(context)),
        })
    },
};

/// The states of `include/net/tcp_states.h`, from 1.
static STATES: [&str; 12] = [
    "established",
    "syn_sent",
    "syn_recv",
    "fin_wait1",
    "fin_wait2",
    "time_wait",
    "close",
    "close_wait",
    "last_ack",
    "listen",
    "closing",
    "new_syn_recv",
];

struct TcpStat {
    /// Present where there is IPv6.
    tcp6: PathBuf,
}

impl TcpStat {
    fn new(context: &Context<'_>) -> Self {
        Self {
            tcp6: context.roots.proc("net/tcp6"),
        }
    }
}

impl Collector for TcpStat {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut count = Count::default();
        ask(INET, &mut count)?;
        if self.tcp6.exists() {
            ask(INET6, &mut count)?;
        }
        count.emit(out);
        Ok(Outcome::Data)
    }
}

/// `AF_INET` and `AF_INET6`, as one byte of netlink's structures holds them.
const INET: u8 = 2;
const INET6: u8 = 10;

#[derive(Default)]
struct Count {
    sockets: u32,
    states: [u32; STATES.len()],
    received: u64,
    to_send: u64,
}

impl Count {
    /// Adds a socket. `struct inet_diag_msg`: family and state (1 byte each), 2 bytes, identity (48), expiry (4), bytes
    /// received and not read (4), bytes to send (4).
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "sock_diag is of Linux"))]
    fn add(&mut self, body: &[u8]) {
        let number = |at: usize| {
            let bytes = body.get(at..).and_then(|rest| rest.first_chunk());
            bytes.map(|bytes| u64::from(u32::from_ne_bytes(*bytes)))
        };
        let (Some(state), Some(received), Some(to_send)) = (body.get(1), number(56), number(60)) else {
            return;
        };
        if let Some(count) = usize::from(*state)
            .checked_sub(1)
            .and_then(|at| self.states.get_mut(at))
        {
            *count += 1;
        }
        self.sockets += 1;
        self.received += received;
        self.to_send += to_send;
    }

    fn emit(&self, out: &mut Families) {
        if self.sockets == 0 {
            return;
        }
        let help = "Number of connection states.";
        let mut family = out.family("node_tcp_connection_states", help, MetricKind::Gauge);
        for (state, count) in STATES.iter().zip(self.states).filter(|(_, count)| *count > 0) {
            family.sample(&[("state", state)], f64::from(count));
        }
        family.sample(&[("state", "rx_queued_bytes")], self.received as f64);
        family.sample(&[("state", "tx_queued_bytes")], self.to_send as f64);
    }
}

/// Asks for the TCP sockets of a family in the states 0 to 11, as node_exporter does. `struct inet_diag_req_v2`: family, protocol, 2 bytes, states (4), identity (48).
#[cfg(target_os = "linux")]
fn ask(family: u8, count: &mut Count) -> Result<(), Error> {
    use crate::netlink::{SOCKET_DIAGNOSIS, dump_sockets};
    const TCP: u8 = 6;
    let mut request = [0; 56];
    request[0] = family;
    request[1] = TCP;
    request[4..8].copy_from_slice(&0xfff_u32.to_ne_bytes());
    dump_sockets(SOCKET_DIAGNOSIS, &request, |body| count.add(body))
}

#[cfg(not(target_os = "linux"))]
fn ask(_: u8, _: &mut Count) -> Result<(), Error> {
    Err(Error::system("netlink", std::io::ErrorKind::Unsupported))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, lines};

    #[test]
    fn sockets_are_counted_by_state() {
        let socket = |state: u8| {
            let mut body = vec![0; 72];
            body[..2].copy_from_slice(&[INET, state]);
            body[56..60].copy_from_slice(&7_u32.to_ne_bytes());
            body
        };
        let mut count = Count::default();
        let mut out = Families::new();
        count.emit(&mut out);
        assert!(out.is_empty());
        for state in [1, 10, 10, 99, 0] {
            count.add(&socket(state));
        }
        count.add(&socket(1)[..60]);
        count.emit(&mut out);
        let expected = [
            "node_tcp_connection_states{state=\"established\"} 1",
            "node_tcp_connection_states{state=\"listen\"} 2",
            "node_tcp_connection_states{state=\"rx_queued_bytes\"} 35",
            "node_tcp_connection_states{state=\"tx_queued_bytes\"} 0",
        ];
        assert_eq!(lines(&out), expected);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_listening_socket_is_seen() {
        let _listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let collector = Host::new(&[]).collector(&DESCRIPTOR, |_| ()).unwrap();
        let mut out = Families::new();
        collector.update(&mut out).unwrap();
        assert!(lines(&out).iter().any(|line| line.contains("listen")));
    }
}
