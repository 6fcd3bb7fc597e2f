//! `wifi`: wireless interfaces and stations, from nl80211 (linux/nl80211.h).

use std::path::PathBuf;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::option::options;
use crate::text;

#[cfg(target_os = "linux")]
mod nl80211;
mod recorded;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "wifi",
    linux: Support::Off,
    macos: Support::Absent,
    summary: "Frequencies of wireless interfaces and traffic of their stations.",
    sources: &["generic netlink nl80211"],
    families: &["node_wifi_*"],
    options: options! {
        "wifi.fixtures" = wifi.fixtures: String, "Folder with recorded answers to take instead of asking the kernel, for tests.";
    },
    build: |context| {
        let fixtures = &context.options.wifi.fixtures;
        Ok(Box::new(Wifi {
            fixtures: (!fixtures.is_empty()).then(|| PathBuf::from(fixtures)),
        }))
    },
};

/// Options of `wifi`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Folder with `interfaces.json` and a folder for each interface, as node_exporter's tests have it.
    pub fixtures: String,
}

struct Wifi {
    fixtures: Option<PathBuf>,
}

/// A wireless interface.
#[derive(Debug, Default, PartialEq)]
struct Interface {
    name: String,
    /// Its number, to ask for more.
    #[cfg_attr(
        not(target_os = "linux"),
        allow(dead_code, reason = "only Linux is asked for more")
    )]
    index: u32,
    /// Hertz / 1,000,000.
    megahertz: u64,
    network: Option<Network>,
    stations: Vec<Station>,
}

/// The network that an interface takes part in.
#[derive(Debug, Default, PartialEq)]
struct Network {
    bssid: [u8; 6],
    ssid: String,
    /// 1 associated, 2 joined an ad-hoc network.
    status: u64,
}

/// Another participant, as the interface sees it.
#[derive(Debug, Default, PartialEq)]
struct Station {
    address: [u8; 6],
    connected_seconds: f64,
    inactive_seconds: f64,
    /// Bits per second.
    receive_rate: u64,
    transmit_rate: u64,
    received_bytes: u64,
    transmitted_bytes: u64,
    received_packets: u64,
    transmitted_packets: u64,
    /// dBm.
    signal: i64,
    transmit_retries: u64,
    transmit_failed: u64,
    beacon_loss: u64,
}

/// A family, its HELP and its value.
type Row = (&'static str, &'static str, fn(&Station) -> f64);

static FAMILIES: [Row; 12] = [
    (
        "node_wifi_station_connected_seconds_total",
        "The total number of seconds a station has been connected to an access point.",
        |station| station.connected_seconds,
    ),
    (
        "node_wifi_station_inactive_seconds",
        "The number of seconds since any wireless activity has occurred on a station.",
        |station| station.inactive_seconds,
    ),
    (
        "node_wifi_station_receive_bits_per_second",
        "The current WiFi receive bitrate of a station, in bits per second.",
        |station| station.receive_rate as f64,
    ),
    (
        "node_wifi_station_transmit_bits_per_second",
        "The current WiFi transmit bitrate of a station, in bits per second.",
        |station| station.transmit_rate as f64,
    ),
    (
        "node_wifi_station_receive_bytes_total",
        "The total number of bytes received by a WiFi station.",
        |station| station.received_bytes as f64,
    ),
    (
        "node_wifi_station_transmit_bytes_total",
        "The total number of bytes transmitted by a WiFi station.",
        |station| station.transmitted_bytes as f64,
    ),
    (
        "node_wifi_station_signal_dbm",
        "The current WiFi signal strength, in decibel-milliwatts (dBm).",
        |station| station.signal as f64,
    ),
    (
        "node_wifi_station_transmit_retries_total",
        "The total number of times a station has had to retry while sending a packet.",
        |station| station.transmit_retries as f64,
    ),
    (
        "node_wifi_station_transmit_failed_total",
        "The total number of times a station has failed to send a packet.",
        |station| station.transmit_failed as f64,
    ),
    (
        "node_wifi_station_beacon_loss_total",
        "The total number of times a station has detected a beacon loss.",
        |station| station.beacon_loss as f64,
    ),
    (
        "node_wifi_station_transmitted_packets_total",
        "The total number of packets transmitted by a station.",
        |station| station.transmitted_packets as f64,
    ),
    (
        "node_wifi_station_received_packets_total",
        "The total number of packets received by a station.",
        |station| station.received_packets as f64,
    ),
];

impl Collector for Wifi {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let interfaces = match &self.fixtures {
            Some(folder) => recorded::interfaces(folder)?,
            None => match ask() {
                Ok(interfaces) => interfaces,
                // A kernel without wireless, or one that does not tell us.
                Err(error) if error.is_not_found() || error.is_permission_denied() => {
                    return Ok(Outcome::NoData);
                }
                Err(error) => return Err(error),
            },
        };
        for interface in &interfaces {
            emit_interface(interface, out);
        }
        Ok(Outcome::Data)
    }
}

#[cfg(target_os = "linux")]
fn ask() -> Result<Vec<Interface>, Error> {
    nl80211::interfaces()
}

#[cfg(not(target_os = "linux"))]
fn ask() -> Result<Vec<Interface>, Error> {
    Err(Error::system("netlink", std::io::ErrorKind::Unsupported))
}

fn emit_interface(interface: &Interface, out: &mut Families) {
    let device = ("device", &*interface.name);
    let help = "The current frequency a WiFi interface is operating at, in hertz.";
    let name = "node_wifi_interface_frequency_hertz";
    emit::gauge(out, name, help, &[device], interface.megahertz as f64 * 1e6);
    if let Some(network) = &interface.network {
        let mode = match network.status {
            1 => "client",
            2 => "ad-hoc",
            _ => "unknown",
        };
        let bssid = hardware_address(network.bssid);
        let labels = [
            device,
            ("bssid", &*bssid),
            ("ssid", &*network.ssid),
            ("mode", mode),
        ];
        let help = "Labeled WiFi interface station information as provided by the operating system.";
        emit::gauge(out, "node_wifi_station_info", help, &labels, 1.0);
    }
    for (name, help, value) in FAMILIES {
        let kind = if name.ends_with("_total") {
            MetricKind::Counter
        } else {
            MetricKind::Gauge
        };
        for station in &interface.stations {
            let address = hardware_address(station.address);
            let labels = [device, ("mac_address", &*address)];
            out.family(name, help, kind).sample(&labels, value(station));
        }
    }
}

fn hardware_address(address: [u8; 6]) -> String {
    address.map(|byte| format!("{byte:02x}")).join(":")
}

/// The name of a network in the information elements of a beacon (IEEE 802.11, 9.4.2): kind, length, content.
#[cfg_attr(
    not(target_os = "linux"),
    allow(dead_code, reason = "only Linux is asked for networks")
)]
fn ssid(mut elements: &[u8]) -> Option<String> {
    loop {
        let (&[kind, length], rest) = elements.split_first_chunk::<2>()?;
        let content = rest.get(..usize::from(length))?;
        if kind == 0 {
            return Some(text::utf8(content).into_owned());
        }
        elements = &rest[content.len()..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, lines, never_panics};

    #[test]
    fn networks_by_name() {
        assert_eq!(ssid(b"\x01\x02ab\x00\x03net\x07"), Some("net".to_owned()));
        assert_eq!(ssid(b"\x00\x09net"), None);
        assert_eq!(ssid(b"\x00\x00"), Some(String::new()));
        never_panics("\u{1}\u{2}ab\0\u{3}net", ssid);
    }

    #[test]
    fn recorded_interfaces() {
        let host = Host::new(&[
            (
                "w/interfaces.json",
                r#"[{"name":"w0","frequency":2412},{"type":1}]"#,
            ),
            ("w/w0/bss.json", r#"{"ssid":"s","bssid":"AQIDBAUG","status":2}"#),
            (
                "w/w0/stationinfo.json",
                r#"[{"hardwareaddr":"qrvM3e7/","connected":1500000000,"signal":-40}]"#,
            ),
        ]);
        let folder = host.path().join("w");
        let collector = host
            .collector(&DESCRIPTOR, |options| {
                options.wifi.fixtures = folder.to_str().unwrap().to_owned();
            })
            .unwrap();
        let mut out = Families::new();
        assert_eq!(collector.update(&mut out).unwrap(), Outcome::Data);
        let lines = lines(&out);
        for expected in [
            "node_wifi_interface_frequency_hertz{device=\"w0\"} 2.412e+09",
            "node_wifi_station_info{bssid=\"01:02:03:04:05:06\",device=\"w0\",mode=\"ad-hoc\",ssid=\"s\"} 1",
            "node_wifi_station_connected_seconds_total{device=\"w0\",mac_address=\"aa:bb:cc:dd:ee:ff\"} 1.5",
            "node_wifi_station_signal_dbm{device=\"w0\",mac_address=\"aa:bb:cc:dd:ee:ff\"} -40",
        ] {
            assert!(lines.contains(&expected.to_owned()), "{expected}: {lines:#?}");
        }
        host.write("w/interfaces.json", "{");
        assert!(collector.update(&mut out).is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_kernel_answers_or_has_no_wireless() {
        let collector = Host::new(&[]).collector(&DESCRIPTOR, |_| ()).unwrap();
        collector.update(&mut Families::new()).unwrap();
    }
}
