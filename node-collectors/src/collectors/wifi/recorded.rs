//! Answers from files, as node_exporter's tests have them: times in nanoseconds, addresses in base64.

use std::path::Path;

use serde_json::Value;

use super::{Interface, Network, Station};
use crate::error::Error;
use crate::read::Buffer;

pub(super) fn interfaces(folder: &Path) -> Result<Vec<Interface>, Error> {
    let path = folder.join("interfaces.json");
    let list = json(&path)?.ok_or_else(|| Error::parse(&path, "no such file"))?;
    let mut interfaces = Vec::new();
    for entry in list.as_array().into_iter().flatten() {
        let name = entry["name"].as_str().unwrap_or_default().to_owned();
        if name.is_empty() {
            continue;
        }
        let network = json(&folder.join(&name).join("bss.json"))?;
        let stations = json(&folder.join(&name).join("stationinfo.json"))?;
        interfaces.push(Interface {
            megahertz: entry["frequency"].as_u64().unwrap_or_default(),
            index: 0,
            network: network.as_ref().map(network_of),
            stations: stations
                .iter()
                .filter_map(|list| list.as_array())
                .flatten()
                .map(station)
                .collect(),
            name,
        });
    }
    Ok(interfaces)
}

fn json(path: &Path) -> Result<Option<Value>, Error> {
    let mut buffer = Buffer::take();
    let Some(content) = buffer.optional(path)? else {
        return Ok(None);
    };
    serde_json::from_slice(content)
        .map(Some)
        .map_err(|error| Error::parse(path, error))
}

fn network_of(value: &Value) -> Network {
    Network {
        bssid: address(&value["bssid"]),
        ssid: value["ssid"].as_str().unwrap_or_default().to_owned(),
        status: value["status"].as_u64().unwrap_or_default(),
    }
}

fn station(value: &Value) -> Station {
    let number = |name: &str| value[name].as_u64().unwrap_or_default();
    Station {
        address: address(&value["hardwareaddr"]),
        connected_seconds: number("connected") as f64 / 1e9,
        inactive_seconds: number("inactive") as f64 / 1e9,
        receive_rate: number("receivebitrate"),
        transmit_rate: number("transmitbitrate"),
        received_bytes: number("receivedbytes"),
        transmitted_bytes: number("transmittedbytes"),
        received_packets: number("receivedpackets"),
        transmitted_packets: number("transmittedpackets"),
        signal: value["signal"].as_i64().unwrap_or_default(),
        transmit_retries: number("transmitretries"),
        transmit_failed: number("transmitfailed"),
        beacon_loss: number("beaconloss"),
    }
}

/// The six bytes that eight characters of base64 stand for; zeros for anything else.
fn address(value: &Value) -> [u8; 6] {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = value.as_str().unwrap_or_default().as_bytes();
    let bits = text.iter().try_fold(0_u64, |bits, byte| {
        let digit = DIGITS.iter().position(|known| known == byte)?;
        Some(bits << 6 | digit as u64)
    });
    match (bits, text.len()) {
        (Some(bits), 8) => {
            let [_, _, address @ ..] = bits.to_be_bytes();
            address
        }
        _ => [0; 6],
    }
}
