//! Asking nl80211 and reading its answers (linux/nl80211.h, linux/genetlink.h).

use super::{Interface, Network, Station, ssid};
use crate::error::Error;
use crate::netlink::{attributes, dump_generic, generic_family, name};

const GET_INTERFACE: u8 = 5;
const GET_STATION: u8 = 17;
const GET_SCAN: u8 = 32;

/// Attributes of an answer.
const INDEX: u16 = 3;
const NAME: u16 = 4;
const ADDRESS: u16 = 6;
const STATION: u16 = 21;
const FREQUENCY: u16 = 38;
const NETWORK: u16 = 47;

pub(super) fn interfaces() -> Result<Vec<Interface>, Error> {
    let family = generic_family("nl80211")?;
    let mut interfaces = Vec::new();
    dump_generic(family, GET_INTERFACE, &[], |body| {
        interfaces.extend(interface(body));
    })?;
    for interface in &mut interfaces {
        let index = interface.index.to_ne_bytes();
        let about = [&8_u16.to_ne_bytes()[..], &INDEX.to_ne_bytes()[..], &index[..]].concat();
        // An interface that went away meanwhile, or that cannot scan, has no network and no stations.
        let (network, stations) = (&mut interface.network, &mut interface.stations);
        known(dump_generic(family, GET_SCAN, &about, |body| {
            if let Some(found) = network_of(body) {
                *network = Some(found);
            }
        }))?;
        known(dump_generic(family, GET_STATION, &about, |body| {
            stations.extend(station(body));
        }))?;
    }
    Ok(interfaces)
}

fn known(result: Result<(), Error>) -> Result<(), Error> {
    use nix::errno::Errno;
    match result {
        Err(error)
            if [Errno::ENOENT, Errno::ENODEV, Errno::EOPNOTSUPP]
                .iter()
                .any(|errno| error.raw_os_error() == Some(*errno as i32)) =>
        {
            Ok(())
        }
        result => result,
    }
}

fn interface(body: &[u8]) -> Option<Interface> {
    let mut interface = Interface::default();
    for (kind, value) in attributes(body) {
        match kind {
            INDEX => interface.index = word(value)?,
            NAME => name(value)?.clone_into(&mut interface.name),
            FREQUENCY => interface.megahertz = number(value),
            _ => {}
        }
    }
    (!interface.name.is_empty()).then_some(interface)
}

/// The network that the interface takes part in: of those it has seen, the one with a status.
fn network_of(body: &[u8]) -> Option<Network> {
    let (_, nested) = attributes(body).find(|(kind, _)| *kind == NETWORK)?;
    let mut network = Network::default();
    let mut status = None;
    for (kind, value) in attributes(nested) {
        match kind {
            1 => network.bssid = *value.first_chunk()?,
            6 => network.ssid = ssid(value).unwrap_or_default(),
            9 => status = Some(number(value)),
            _ => {}
        }
    }
    status.map(|status| Network { status, ..network })
}

fn station(body: &[u8]) -> Option<Station> {
    let mut station = Station::default();
    let mut nested = None;
    for (kind, value) in attributes(body) {
        match kind {
            ADDRESS => station.address = *value.first_chunk()?,
            STATION => nested = Some(value),
            _ => {}
        }
    }
    // The 64-bit counts come after the 32-bit ones, and take their place.
    for (kind, value) in attributes(nested?) {
        match kind {
            1 => station.inactive_seconds = number(value) as f64 / 1000.0,
            2 | 23 => station.received_bytes = number(value),
            3 | 24 => station.transmitted_bytes = number(value),
            7 => station.signal = i64::from(i8::from_ne_bytes([*value.first()?])),
            8 => station.transmit_rate = rate(value),
            9 => station.received_packets = number(value),
            10 => station.transmitted_packets = number(value),
            11 => station.transmit_retries = number(value),
            12 => station.transmit_failed = number(value),
            14 => station.receive_rate = rate(value),
            16 => station.connected_seconds = number(value) as f64,
            18 => station.beacon_loss = number(value),
            _ => {}
        }
    }
    Some(station)
}

/// Bits per second, of a rate in 100 kbit/s: of 32 bits where there is one, else of 16.
fn rate(value: &[u8]) -> u64 {
    let of = |wanted| attributes(value).find(|(kind, _)| *kind == wanted);
    of(5)
        .or_else(|| of(1))
        .map_or(0, |(_, value)| number(value) * 100_000)
}

fn word(value: &[u8]) -> Option<u32> {
    value.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
}

/// An attribute of one, two, four or eight bytes; 0 for another.
fn number(value: &[u8]) -> u64 {
    match *value {
        [a] => u64::from(a),
        [a, b] => u64::from(u16::from_ne_bytes([a, b])),
        [a, b, c, d] => u64::from(u32::from_ne_bytes([a, b, c, d])),
        _ => value.try_into().map_or(0, u64::from_ne_bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::attribute;
    use proptest::prelude::*;

    #[test]
    fn a_station_and_its_network() {
        let rates = [
            attribute(1, &7_u16.to_ne_bytes()),
            attribute(5, &9_u32.to_ne_bytes()),
        ]
        .concat();
        let nested = [
            attribute(1, &400_u32.to_ne_bytes()),
            attribute(2, &1_u32.to_ne_bytes()),
            attribute(7, &[0xce]),
            attribute(14, &rates),
            attribute(23, &(1_u64 << 40).to_ne_bytes()),
        ]
        .concat();
        let body = [
            attribute(ADDRESS, &[1, 2, 3, 4, 5, 6]),
            attribute(STATION, &nested),
        ]
        .concat();
        let found = station(&body).unwrap();
        assert_eq!(found.address, [1, 2, 3, 4, 5, 6]);
        assert_eq!(found.inactive_seconds, 0.4);
        assert_eq!(found.signal, -50);
        assert_eq!(found.receive_rate, 900_000);
        assert_eq!(found.received_bytes, 1 << 40);
        let seen = attribute(1, &[9; 6]);
        assert_eq!(network_of(&attribute(NETWORK, &seen)), None);
        let joined = [seen, attribute(6, b"\0\x01s"), attribute(9, &1_u32.to_ne_bytes())].concat();
        let network = network_of(&attribute(NETWORK, &joined)).unwrap();
        assert_eq!((&*network.ssid, network.status), ("s", 1));
        assert_eq!(interface(&attribute(INDEX, &[0; 4])), None);
    }

    proptest! {
        #[test]
        fn any_answer_is_read(body: Vec<u8>) {
            let _ = (interface(&body), station(&body), network_of(&body), rate(&body), number(&body));
        }
    }
}
