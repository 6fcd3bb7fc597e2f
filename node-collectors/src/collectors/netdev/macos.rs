//! macOS: all interfaces and their counters from one `sysctl(3)` list (`NET_RT_IFLIST2`), and the bytes of each
//! from its `struct ifmibdata`.
//!
//! The second call is there because the list gives the byte counters to programs that are not Apple's rounded down to
//! 1024 and cut to 32 bits, since macOS 13.2 (`ALIGN_BYTES` in bsd/net/rtsock.c). Where it fails, node_exporter falls
//! back to those 32 bits silently, so that rates turn wrong every 4 GiB; here their wraps are counted, unless its quirks are
//! wanted.

use std::sync::{Mutex, PoisonError};

use ferroalloy_model::Families;

use super::{Device, Options, addresses, emit};
use crate::collector::{Collector, Outcome};
use crate::error::Error;
use crate::filter::Filter;
use crate::macos::bytes::{text_at, u16_at, u32_at, u64_at};
use crate::macos::calls::{self, Sysctl};
use crate::macos::layout::{INTERFACE_LIST, if_data64, if_msghdr2, ifmibdata, interface_data, sockaddr_dl};
use crate::macos::wrap::Extended;
use crate::mode::Mode;
use crate::text;

/// The step to which the list rounds byte counters down: one that falls by less has not wrapped.
const STEP: u32 = 1024;

pub(super) struct NetDev<S> {
    sysctl: S,
    filter: Filter,
    detailed: bool,
    address_info: bool,
    mode: Mode,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    list: Vec<u8>,
    data: Vec<u8>,
    known: Vec<Known>,
}

/// The bytes of an interface as they were last given.
struct Known {
    index: u16,
    name: Vec<u8>,
    received: Extended,
    sent: Extended,
}

impl<S: Sysctl> NetDev<S> {
    pub(super) fn new(sysctl: S, options: &Options, mode: Mode) -> Result<Self, Error> {
        if !options.netlink || options.label_ifalias {
            let option = if options.netlink {
                "netdev.label-ifalias"
            } else {
                "netdev.netlink"
            };
            return Err(Error::option(format!("{option} is for Linux only")));
        }
        Ok(Self {
            sysctl,
            filter: options.filter()?,
            detailed: options.detailed,
            address_info: options.address_info,
            mode,
            state: Mutex::default(),
        })
    }

    /// The bytes received and sent that the kernel has for this interface alone, with all 64 bits.
    fn exact_bytes(&self, interface: &Interface<'_>, data: &mut Vec<u8>) -> Option<(u64, u64)> {
        self.sysctl
            .by_numbers(&interface_data(interface.index), data)
            .ok()?;
        bytes_of(data, interface.name)
    }
}

impl<S: Sysctl> Collector for NetDev<S> {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        // Held while reading, so that of two scrapes at once none brings older counters than are remembered.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { list, data, known } = &mut *state;
        let call = "sysctl net.route NET_RT_IFLIST2";
        self.sysctl
            .by_numbers(&INTERFACE_LIST, list)
            .map_err(|error| Error::system(call, error))?;
        let mut interfaces = interfaces(list).ok_or_else(|| calls::unexpected(call, list.len()))?;
        interfaces.retain(|interface| self.filter.keeps(&text::utf8(interface.name)));

        known.retain(|known| interfaces.iter().any(|interface| known.is(interface)));
        let mut devices = Vec::with_capacity(interfaces.len());
        for interface in &interfaces {
            let before = known.iter_mut().find(|known| known.is(interface));
            let listed = (
                interface.counter(if_data64::IFI_IBYTES),
                interface.counter(if_data64::IFI_OBYTES),
            );
            let (received, sent) = match (self.exact_bytes(interface, data), &before) {
                (Some(exact), _) => exact,
                (None, Some(before)) if !self.mode.is_compat() => {
                    (proceed(before.received, listed.0), proceed(before.sent, listed.1))
                }
                (None, _) => listed,
            };
            devices.push(interface.device(received, sent, self.detailed));
            let (received, sent) = (Extended::new(received), Extended::new(sent));
            match before {
                Some(before) => (before.received, before.sent) = (received, sent),
                None => {
                    known.push(Known {
                        index: interface.index,
                        name: interface.name.to_vec(),
                        received,
                        sent,
                    });
                }
            }
        }
        drop(state);
        emit(&devices, false, out);
        if self.address_info {
            addresses::write(&self.filter, out)?;
        }
        Ok(Outcome::Data)
    }
}

impl Known {
    fn is(&self, interface: &Interface<'_>) -> bool {
        self.index == interface.index && self.name == interface.name
    }
}

/// The count after `before` when the list says `counter`: the whole of it, or its low 32 bits.
fn proceed(mut before: Extended, counter: u64) -> u64 {
    u32::try_from(counter).map_or(counter, |low| before.advance(low, STEP))
}

/// One interface in the list.
#[derive(Debug, PartialEq)]
struct Interface<'a> {
    name: &'a [u8],
    index: u16,
    /// Its `struct if_data64`.
    data: &'a [u8; if_data64::SIZE],
}

/// The fields of `struct if_data64` that are given, with node_exporter's traditional key and that of detailed metrics.
const FIELDS: [(usize, &str, &str); 11] = [
    (if_data64::IFI_IPACKETS, "receive_packets", "receive_packets"),
    (if_data64::IFI_OPACKETS, "transmit_packets", "transmit_packets"),
    (if_data64::IFI_IBYTES, "receive_bytes", "receive_bytes"),
    (if_data64::IFI_OBYTES, "transmit_bytes", "transmit_bytes"),
    (if_data64::IFI_IERRORS, "receive_errs", "receive_errors"),
    (if_data64::IFI_OERRORS, "transmit_errs", "transmit_errors"),
    (if_data64::IFI_IQDROPS, "receive_drop", "receive_dropped"),
    (if_data64::IFI_IMCASTS, "receive_multicast", "receive_multicast"),
    (if_data64::IFI_OMCASTS, "transmit_multicast", "transmit_multicast"),
    (if_data64::IFI_COLLISIONS, "transmit_colls", "collisions"),
    (if_data64::IFI_NOPROTO, "noproto", "noproto"),
];

impl Interface<'_> {
    fn counter(&self, offset: usize) -> u64 {
        u64_at(self.data, offset).unwrap_or_default()
    }

    /// All counters, with these for the bytes received and sent.
    fn device(&self, received: u64, sent: u64, detailed: bool) -> Device {
        let counters = FIELDS.map(|(offset, key, detailed_key)| {
            let value = match offset {
                if_data64::IFI_IBYTES => received,
                if_data64::IFI_OBYTES => sent,
                _ => self.counter(offset),
            };
            (if detailed { detailed_key } else { key }, value)
        });
        Device {
            name: text::utf8(self.name).into_owned(),
            alias: String::new(),
            counters: counters.into(),
        }
    }
}

/// The interfaces in a list of routing messages. A message about something else, or an interface without a name or
/// counters, is passed over; `None` if a message does not end inside the list.
fn interfaces(list: &[u8]) -> Option<Vec<Interface<'_>>> {
    let mut found = Vec::new();
    let mut rest = list;
    while !rest.is_empty() {
        let length = usize::from(u16_at(rest, if_msghdr2::IFM_MSGLEN)?);
        if length <= if_msghdr2::IFM_TYPE {
            return None;
        }
        let (message, after) = rest.split_at_checked(length)?;
        rest = after;
        let kind = (message[if_msghdr2::IFM_VERSION], message[if_msghdr2::IFM_TYPE]);
        if kind == (if_msghdr2::RTM_VERSION, if_msghdr2::RTM_IFINFO2) {
            found.extend(interface(message));
        }
    }
    Some(found)
}

fn interface(message: &[u8]) -> Option<Interface<'_>> {
    let present = u32_at(message, if_msghdr2::IFM_ADDRS)?;
    Some(Interface {
        name: link_name(message.get(if_msghdr2::SIZE..)?, present)?,
        index: u16_at(message, if_msghdr2::IFM_INDEX)?,
        data: message
            .get(if_msghdr2::IFM_DATA..if_msghdr2::SIZE)?
            .try_into()
            .ok()?,
    })
}

/// The name in the link address among `addresses`, of which the bits of `present` say which are there. Each is as
/// long as its first byte says, rounded up to four, and four bytes if that is zero.
fn link_name(addresses: &[u8], present: u32) -> Option<&[u8]> {
    let mut address = addresses;
    for place in 0..if_msghdr2::RTAX_IFP {
        if present & 1 << place != 0 {
            let length = usize::from(*address.first()?).next_multiple_of(4).max(4);
            address = address.get(length..)?;
        }
    }
    if present & 1 << if_msghdr2::RTAX_IFP == 0
        || *address.get(sockaddr_dl::SDL_FAMILY)? != sockaddr_dl::AF_LINK
    {
        return None;
    }
    let address = address.get(..usize::from(address[sockaddr_dl::SDL_LEN]))?;
    let length = usize::from(*address.get(sockaddr_dl::SDL_NLEN)?);
    address
        .get(sockaddr_dl::SDL_DATA..)?
        .get(..length)
        .filter(|name| !name.is_empty())
}

/// Bytes received and sent in `struct ifmibdata`, if it is that of the interface called `name`.
fn bytes_of(data: &[u8], name: &[u8]) -> Option<(u64, u64)> {
    if data.len() < ifmibdata::SIZE || text_at(data, ifmibdata::IFMD_NAME, ifmibdata::NAME)? != name {
        return None;
    }
    let data = data.get(ifmibdata::IFMD_DATA..)?;
    Some((
        u64_at(data, if_data64::IFI_IBYTES)?,
        u64_at(data, if_data64::IFI_OBYTES)?,
    ))
}

#[cfg(test)]
mod tests;
