//! Interface counters of Linux.

use std::path::PathBuf;

use ferroalloy_model::Families;

use super::{Counter, Device, addresses, emit};
use crate::collector::{Collector, Context, Outcome};
use crate::error::Error;
use crate::filter::Filter;
use crate::kernel_file::KernelFile;
use crate::read::Buffer;
use crate::text;

struct NetDev {
    /// `/proc/net/dev`, if it is to be read instead of asking netlink.
    file: Option<KernelFile>,
    class: PathBuf,
    filter: Filter,
    detailed: bool,
    label_alias: bool,
    address_info: bool,
}

pub(super) fn build(context: &Context<'_>) -> Result<Box<dyn Collector>, Error> {
    let options = &context.options.netdev;
    Ok(Box::new(NetDev {
        file: (!options.netlink).then(|| KernelFile::new(context.roots.proc("net/dev"))),
        class: context.roots.sys("class/net"),
        filter: options.filter()?,
        detailed: options.detailed,
        label_alias: options.label_ifalias,
        address_info: options.address_info,
    }))
}

impl Collector for NetDev {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut devices = match &self.file {
            Some(path) => {
                let mut buffer = Buffer::take();
                parse_file(buffer.kept(path)?)
                    .map_err(|line| Error::parse(path, format_args!("bad line {:?}", text::utf8(line))))?
            }
            None => links()?,
        };
        devices.retain(|device| self.filter.keeps(&device.name));
        for device in &mut devices {
            if !self.detailed {
                device.counters = traditional(&device.counters);
            }
            if self.label_alias {
                let mut buffer = Buffer::take();
                let path = self.class.join(&device.name).join("ifalias");
                device.alias = buffer
                    .attribute(&path)
                    .map(|alias| text::utf8(alias).into_owned())
                    .unwrap_or_default();
            }
        }
        emit(&devices, self.label_alias, out);
        if self.address_info {
            addresses::write(&self.filter, out)?;
        }
        Ok(Outcome::Data)
    }
}

/// Keys of `struct rtnl_link_stats64` (linux/if_link.h), in its order.
#[cfg(target_os = "linux")]
const LINK_KEYS: [&str; 24] = [
    "receive_packets",
    "transmit_packets",
    "receive_bytes",
    "transmit_bytes",
    "receive_errors",
    "transmit_errors",
    "receive_dropped",
    "transmit_dropped",
    "multicast",
    "collisions",
    "receive_length_errors",
    "receive_over_errors",
    "receive_crc_errors",
    "receive_frame_errors",
    "receive_fifo_errors",
    "receive_missed_errors",
    "transmit_aborted_errors",
    "transmit_carrier_errors",
    "transmit_fifo_errors",
    "transmit_heartbeat_errors",
    "transmit_window_errors",
    "receive_compressed",
    "transmit_compressed",
    "receive_nohandler",
];

#[cfg(target_os = "linux")]
fn links() -> Result<Vec<Device>, Error> {
    use crate::netlink::{GET_LINK, NEW_LINK, dump};
    let mut devices = Vec::new();
    dump(GET_LINK, &[0; 16], NEW_LINK, |body| {
        devices.extend(parse_link(body));
    })?;
    Ok(devices)
}

#[cfg(not(target_os = "linux"))]
fn links() -> Result<Vec<Device>, Error> {
    Err(Error::system("netlink", std::io::ErrorKind::Unsupported))
}

/// A link message: `struct ifinfomsg` and attributes. The 64-bit statistics count where there are both.
#[cfg(target_os = "linux")]
fn parse_link(body: &[u8]) -> Option<Device> {
    use crate::netlink::{LINK_NAME, LINK_STATS, LINK_STATS64, attributes, name};
    let mut device = Device::default();
    let mut wide = false;
    for (kind, value) in attributes(body.get(16..)?) {
        match kind {
            LINK_NAME => name(value)?.clone_into(&mut device.name),
            LINK_STATS64 => {
                let words = value.as_chunks().0.iter().map(|word| u64::from_ne_bytes(*word));
                device.counters = LINK_KEYS.into_iter().zip(words).collect();
                wide = true;
            }
            LINK_STATS if !wide => {
                let words = value
                    .as_chunks()
                    .0
                    .iter()
                    .map(|word| u64::from(u32::from_ne_bytes(*word)));
                device.counters = LINK_KEYS.into_iter().zip(words).collect();
            }
            _ => {}
        }
    }
    (!device.name.is_empty() && !device.counters.is_empty()).then_some(device)
}

/// Keys of the columns of `/proc/net/dev`.
const FILE_KEYS: [&str; 16] = [
    "receive_bytes",
    "receive_packets",
    "receive_errors",
    "receive_dropped",
    "receive_fifo",
    "receive_frame",
    "receive_compressed",
    "receive_multicast",
    "transmit_bytes",
    "transmit_packets",
    "transmit_errors",
    "transmit_dropped",
    "transmit_fifo",
    "transmit_colls",
    "transmit_carrier",
    "transmit_compressed",
];

/// Two lines of headings, then `name: columns`. The name may contain colons.
fn parse_file(content: &[u8]) -> Result<Vec<Device>, &[u8]> {
    text::lines(content)
        .skip(2)
        .map(|line| {
            let at = memchr::memrchr(b':', line).ok_or(line)?;
            let name = std::str::from_utf8(line[..at].trim_ascii())
                .map_err(|_| line)?
                .to_owned();
            let words = text::fields(&line[at + 1..]);
            let counters: Option<Vec<Counter>> = FILE_KEYS
                .into_iter()
                .zip(words)
                .map(|(key, word)| Some((key, text::decimal(word)?)))
                .collect();
            let counters = counters
                .filter(|counters| counters.len() == FILE_KEYS.len())
                .ok_or(line)?;
            Ok(Device {
                name,
                alias: String::new(),
                counters,
            })
        })
        .collect()
}

/// The counters under the names of `/proc/net/dev`, which hold several of netlink's together
/// (`dev_seq_printf_stats` in net/core/net-procfs.c).
fn traditional(counters: &[Counter]) -> Vec<Counter> {
    let get = |wanted: &str| {
        counters
            .iter()
            .find(|(key, _)| *key == wanted)
            .map_or(0, |(_, value)| *value)
    };
    let sum = |value: u64, others: &[&str]| others.iter().fold(value, |sum, key| sum.wrapping_add(get(key)));
    let mut renamed = Vec::with_capacity(counters.len());
    for &(key, value) in counters {
        renamed.push(match key {
            "receive_errors" => ("receive_errs", value),
            "receive_dropped" => ("receive_drop", sum(value, &["receive_missed_errors"])),
            "receive_fifo_errors" => ("receive_fifo", value),
            "receive_frame_errors" => {
                let others = [
                    "receive_length_errors",
                    "receive_over_errors",
                    "receive_crc_errors",
                ];
                ("receive_frame", sum(value, &others))
            }
            "multicast" => ("receive_multicast", value),
            "transmit_errors" => ("transmit_errs", value),
            "transmit_dropped" => ("transmit_drop", value),
            "transmit_fifo_errors" => ("transmit_fifo", value),
            "collisions" => ("transmit_colls", value),
            "transmit_carrier_errors" => {
                let others = [
                    "transmit_aborted_errors",
                    "transmit_heartbeat_errors",
                    "transmit_window_errors",
                ];
                ("transmit_carrier", sum(value, &others))
            }
            "receive_missed_errors"
            | "receive_length_errors"
            | "receive_over_errors"
            | "receive_crc_errors"
            | "transmit_aborted_errors"
            | "transmit_heartbeat_errors"
            | "transmit_window_errors" => continue,
            _ => (key, value),
        });
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::super::DESCRIPTOR;
    use super::*;
    use crate::testing::{Host, never_panics, samples};

    const FILE: &str = "Inter-|   Receive                                                |  Transmit\n \
        face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n\
        vlan:1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n    lo: 435303245 1832522    0    0    0     0          0         0 435303245 1832522    0    0    0     0       0          0\n";

    #[test]
    fn the_file() {
        let host = Host::new(&[("proc/net/dev", FILE), ("sys/class/net/lo/ifalias", "self\n")]);
        let collector = host
            .collector(&DESCRIPTOR, |options| {
                options.netdev.netlink = false;
                options.netdev.label_ifalias = true;
                "^vlan".clone_into(&mut options.netdev.device_exclude);
            })
            .unwrap();
        let lines = samples(collector.as_ref());
        assert_eq!(lines.len(), 16);
        assert!(lines.contains(
            &"node_network_receive_bytes_total{device=\"lo\",ifalias=\"self\"} 4.35303245e+08".to_owned()
        ));
        let devices = parse_file(FILE.as_bytes()).unwrap();
        assert_eq!(devices[0].name, "vlan:1");
        assert_eq!(traditional(&devices[0].counters)[2], ("receive_errs", 3));
        assert!(parse_file(b"\n\nlo 1 2\n").is_err());
        assert!(parse_file(b"\n\nlo: 1 2\n").is_err());
        never_panics(FILE, |bytes| parse_file(bytes).is_ok());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn netlink_statistics() {
        let mut body = vec![0; 16];
        let mut attribute = |kind: u16, value: &[u8]| {
            body.extend_from_slice(&u16::try_from(value.len() + 4).unwrap().to_ne_bytes());
            body.extend_from_slice(&kind.to_ne_bytes());
            body.extend_from_slice(value);
            body.resize(body.len().next_multiple_of(4), 0);
        };
        let words: Vec<u8> = (1..=25_u64).flat_map(u64::to_ne_bytes).collect();
        attribute(3, b"eth0\0");
        attribute(23, &words);
        attribute(7, &[0; 96]);
        let device = parse_link(&body).unwrap();
        assert_eq!((&*device.name, device.counters.len()), ("eth0", 24));
        let counters = traditional(&device.counters);
        assert_eq!(counters.len(), 17);
        let get = |key: &str| counters.iter().find(|(name, _)| *name == key).unwrap().1;
        assert_eq!(get("receive_drop"), 7 + 16);
        assert_eq!(get("receive_frame"), 14 + 11 + 12 + 13);
        assert_eq!(get("transmit_carrier"), 18 + 17 + 20 + 21);
        assert_eq!(get("receive_nohandler"), 24);
        assert_eq!(parse_link(&body[..16]), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_live_loopback() {
        let host = Host::new(&[]);
        let collector = host
            .collector(&DESCRIPTOR, |options| {
                "^lo$".clone_into(&mut options.netdev.device_include);
                options.netdev.detailed = true;
                options.netdev.address_info = true;
            })
            .unwrap();
        let lines = samples(collector.as_ref());
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with("node_network_receive_errors_total{device=\"lo\"}"))
        );
        assert!(
            host.collector(&DESCRIPTOR, |options| {
                "a".clone_into(&mut options.netdev.device_include);
                "b".clone_into(&mut options.netdev.device_exclude);
            })
            .is_err()
        );
    }
}
