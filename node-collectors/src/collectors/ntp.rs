//! `ntp`: what an NTP server says about itself and this clock, by one SNTP query (RFC 5905).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use ferroalloy_model::Families;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::Ipv6Ttl;

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit::gauge;
use crate::error::Error;
use crate::option::options;
use crate::sys::unix::clock::{monotonic, realtime};

mod packet;

use packet::{Answer, LENGTH};

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "ntp",
    linux: Support::Off,
    macos: Support::Off,
    summary: "State of an NTP server and the offset of this clock from it.",
    sources: &["one SNTP query over UDP"],
    families: &["node_ntp_*"],
    options: options! {
        "ntp.server" = ntp.server: String, "The server to ask, an address of this host unless server-is-local.";
        "ntp.server-port" = ntp.server_port: u32, "The UDP port to ask.";
        "ntp.protocol-version" = ntp.protocol_version: u32, "NTP's version, 2 to 4.";
        "ntp.server-is-local" = ntp.server_is_local: bool, "Says that the server is on this host, whatever its address.";
        "ntp.ip-ttl" = ntp.ip_ttl: u32, "How many hops the query may go.";
        "ntp.max-distance" = ntp.max_distance: Duration, "Root distance up to which the server counts as sane.";
        "ntp.local-offset-tolerance" = ntp.local_offset_tolerance: Duration, "Difference of the clocks of one host that counts as none.";
    },
    build: |context| Ok(Box::new(Ntp::new(context)?)),
};

/// Options of `ntp`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Host name or address of the server.
    pub server: String,
    /// Its UDP port.
    pub server_port: u32,
    /// 2 to 4.
    pub protocol_version: u32,
    /// Whether a server that has no loopback address is on this host nevertheless.
    pub server_is_local: bool,
    /// How many hops the query may go, over IPv4 (time to live) and IPv6 (hop limit) alike; 1 to 255.
    pub ip_ttl: u32,
    /// The largest root distance of a sane server.
    pub max_distance: Duration,
    /// How far the server's clock and this one, which are one, may seem apart.
    pub local_offset_tolerance: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            server: "127.0.0.1".to_owned(),
            server_port: 123,
            protocol_version: 4,
            server_is_local: false,
            ip_ttl: 1,
            max_distance: Duration::from_micros(3_466_080),
            local_offset_tolerance: Duration::from_millis(1),
        }
    }
}

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(1);

struct Ntp {
    options: Options,
    version: u8,
    port: u16,
    hops: u8,
}

impl Ntp {
    fn new(context: &Context<'_>) -> Result<Self, Error> {
        let options = context.options.ntp.clone();
        let literal = options.server.parse::<IpAddr>();
        let is_loopback = options.server == "localhost" || literal.is_ok_and(|address| address.is_loopback());
        if !is_loopback && !options.server_is_local {
            return Err(Error::option(format!(
                "ntp.server: only a server of this host is of use, and {:?} is not known to be one",
                options.server
            )));
        }
        let version = u8::try_from(options.protocol_version)
            .ok()
            .filter(|version| (2..=4).contains(version))
            .ok_or_else(|| Error::option("ntp.protocol-version is not 2, 3 or 4"))?;
        let port = u16::try_from(options.server_port)
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(|| Error::option("ntp.server-port is not a port"))?;
        let hops = u8::try_from(options.ip_ttl)
            .ok()
            .filter(|hops| *hops > 0)
            .ok_or_else(|| Error::option("ntp.ip-ttl is not between 1 and 255"))?;
        if options.max_distance.is_zero() || options.local_offset_tolerance.is_zero() {
            return Err(Error::option(
                "ntp.max-distance and ntp.local-offset-tolerance have to be positive",
            ));
        }
        Ok(Self {
            options,
            version,
            port,
            hops,
        })
    }

    fn ask(&self) -> Result<(Answer, Times), Error> {
        let fail = |error| Error::system(&format!("asking the NTP server {}", self.options.server), error);
        let server = (&*self.options.server, self.port)
            .to_socket_addrs()
            .map_err(fail)?
            .next()
            .ok_or_else(|| fail(std::io::ErrorKind::NotFound.into()))?;
        let socket = open(server, self.hops).map_err(fail)?;
        let sent = realtime();
        let start = monotonic();
        // The server copies this into its answer, by which a stray answer is told.
        let cookie = packet::timestamp(sent);
        let request = packet::request(self.version, cookie);
        socket.send(&request).map_err(fail)?;
        let mut bytes = [0; LENGTH];
        loop {
            let waited = monotonic().saturating_sub(start);
            let left = TIMEOUT.checked_sub(waited).filter(|left| !left.is_zero());
            let left = left.ok_or_else(|| fail(std::io::ErrorKind::TimedOut.into()))?;
            socket.set_read_timeout(Some(left)).map_err(fail)?;
            let length = match socket.recv(&mut bytes) {
                Ok(length) => length,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(fail(error)),
            };
            let spent = monotonic().saturating_sub(start);
            if let Some(answer) = Answer::parse(&bytes[..length]).filter(|answer| answer.origin == cookie) {
                let times = Times {
                    sent: packet::seconds(cookie),
                    spent: spent.as_secs_f64(),
                };
                return Ok((answer, times));
            }
        }
    }
}

/// A socket for `server` alone, whose packets go `hops` hops at most.
fn open(server: SocketAddr, hops: u8) -> std::io::Result<UdpSocket> {
    let socket = match server {
        SocketAddr::V4(_) => {
            let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
            socket.set_ttl(hops.into())?;
            socket
        }
        SocketAddr::V6(_) => {
            let socket = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?;
            // `set_ttl` is of IPv4 only: on this socket it succeeds and does nothing.
            setsockopt(&socket, Ipv6Ttl, &hops.into())?;
            socket
        }
    };
    socket.connect(server)?;
    Ok(socket)
}

/// When the query left, in seconds since 1970, and how long the answer took.
#[derive(Debug, Clone, Copy)]
struct Times {
    sent: f64,
    spent: f64,
}

impl Collector for Ntp {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let (answer, times) = self.ask()?;
        emit(&answer, times, &self.options, out);
        Ok(Outcome::Data)
    }
}

fn emit(answer: &Answer, times: Times, options: &Options, out: &mut Families) {
    let arrived = times.sent + times.spent;
    let offset = f64::midpoint(answer.received - times.sent, answer.transmitted - arrived);
    let server_took = answer.transmitted - answer.received;
    let round_trip = (times.spent - server_took).max(0.0);
    for (name, help, value) in [
        ("node_ntp_stratum", "NTPD stratum.", f64::from(answer.stratum)),
        (
            "node_ntp_leap",
            "NTPD leap second indicator, 2 bits.",
            f64::from(answer.leap),
        ),
        ("node_ntp_rtt_seconds", "RTT to NTPD.", round_trip),
        (
            "node_ntp_offset_seconds",
            "ClockOffset between NTP and local clock.",
            offset,
        ),
        (
            "node_ntp_reference_timestamp_seconds",
            "NTPD ReferenceTime, UNIX timestamp.",
            answer.reference.max(0.0),
        ),
        (
            "node_ntp_root_delay_seconds",
            "NTPD RootDelay.",
            answer.root_delay,
        ),
        (
            "node_ntp_root_dispersion_seconds",
            "NTPD RootDispersion.",
            answer.root_dispersion,
        ),
        (
            "node_ntp_sanity",
            "NTPD sanity according to RFC5905 heuristics and configured limits.",
            f64::from(u8::from(is_sane(answer, times, offset, round_trip, options))),
        ),
    ] {
        gauge(out, name, help, &[], value);
    }
}

/// Whether the server may be trusted (RFC 5905, A.5.1.1 and 11.2.2), and its clock is this one.
fn is_sane(answer: &Answer, times: Times, offset: f64, round_trip: f64, options: &Options) -> bool {
    let synchronised = answer.leap != 3 && (1..16).contains(&answer.stratum);
    let in_order = answer.reference <= answer.transmitted && answer.received <= answer.transmitted;
    let distance = f64::midpoint(answer.root_delay, round_trip) + answer.root_dispersion;
    // While a leap second is announced, the clocks may be one apart.
    let leap = if matches!(answer.leap, 1 | 2) { 1.0 } else { 0.0 };
    let apart = (offset.abs() - round_trip / 2.0).max(0.0);
    synchronised
        && in_order
        && times.spent >= 0.0
        && distance <= options.max_distance.as_secs_f64()
        && apart <= options.local_offset_tolerance.as_secs_f64() + leap
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, lines};

    /// A server that answers once, as `change` has it.
    fn serve(change: impl FnOnce(&mut [u8]) + Send + 'static) -> (u32, std::thread::JoinHandle<()>) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port().into();
        let thread = std::thread::spawn(move || {
            let mut query = [0; LENGTH];
            let (length, from) = socket.recv_from(&mut query).unwrap();
            assert_eq!((length, query[0]), (LENGTH, 0x23));
            let mut answer = [0; LENGTH];
            answer[..8].copy_from_slice(&[0x24, 2, 0, 0, 0, 0, 0x80, 0]);
            answer[24..32].copy_from_slice(&query[40..]);
            let now = packet::timestamp(realtime()).to_be_bytes();
            for at in [16, 32, 40] {
                answer[at..at + 8].copy_from_slice(&now);
            }
            change(&mut answer);
            // A stray answer before it is passed over.
            socket.send_to(&[0x24; LENGTH], from).unwrap();
            socket.send_to(&answer, from).unwrap();
        });
        (port, thread)
    }

    fn collect(change: impl FnOnce(&mut [u8]) + Send + 'static) -> Vec<String> {
        let (port, thread) = serve(change);
        let collector = Host::new(&[])
            .collector(&DESCRIPTOR, |options| {
                options.ntp.server_port = port;
                options.ntp.local_offset_tolerance = Duration::from_secs(1);
            })
            .unwrap();
        let mut out = Families::new();
        collector.update(&mut out).unwrap();
        thread.join().unwrap();
        lines(&out)
    }

    #[test]
    fn a_server_of_this_host() {
        let lines = collect(|_| ());
        for expected in [
            "node_ntp_stratum 2",
            "node_ntp_leap 0",
            "node_ntp_root_delay_seconds 0.5",
            "node_ntp_sanity 1",
        ] {
            assert!(lines.contains(&expected.to_owned()), "{expected}: {lines:#?}");
        }
        assert_eq!(lines.len(), 8);
    }

    #[test]
    fn a_server_that_is_not_to_be_trusted() {
        let insane = "node_ntp_sanity 0".to_owned();
        assert!(
            collect(|answer| answer[0] = 0xe4).contains(&insane),
            "not synchronised"
        );
        assert!(collect(|answer| answer[1] = 16).contains(&insane), "stratum");
        assert!(collect(|answer| answer[9] = 9).contains(&insane), "dispersion");
        let early = collect(|answer| answer[16..24].fill(0));
        assert!(
            early.contains(&"node_ntp_reference_timestamp_seconds 0".to_owned()),
            "{early:#?}"
        );
    }

    #[test]
    fn the_hops_of_both_protocols() {
        let socket = open((Ipv4Addr::LOCALHOST, 123).into(), 7).unwrap();
        assert_eq!(socket.ttl().unwrap(), 7);
        if let Err(error) = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)) {
            println!("skipped: no IPv6 on this host: {error}");
            return;
        }
        let socket = open((Ipv6Addr::LOCALHOST, 123).into(), 7).unwrap();
        assert_eq!(nix::sys::socket::getsockopt(&socket, Ipv6Ttl).unwrap(), 7);
    }

    #[test]
    fn mistakes_in_options() {
        let host = Host::new(&[]);
        let build =
            |change: fn(&mut Options)| host.collector(&DESCRIPTOR, |options| change(&mut options.ntp));
        assert!(build(|_| ()).is_ok());
        assert!(build(|ntp| ntp.server = "192.0.2.1".into()).is_err());
        assert!(build(|ntp| ntp.protocol_version = 5).is_err());
        assert!(build(|ntp| ntp.server_port = 65536).is_err());
        assert!(build(|ntp| ntp.ip_ttl = 0).is_err());
        assert!(build(|ntp| ntp.ip_ttl = 256).is_err());
        assert!(build(|ntp| ntp.max_distance = Duration::ZERO).is_err());
    }
}
