//! `network_route`: the routing table, from rtnetlink (rtnetlink(7), RTM_GETROUTE).

use std::collections::BTreeMap;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "network_route",
    linux: Support::Off,
    macos: Support::Absent,
    summary: "Routes of the routing table and their number by interface.",
    sources: &["rtnetlink RTM_GETROUTE"],
    families: &["node_network_route_info", "node_network_routes"],
    options: &[],
    build: |context| Ok(Box::new(NetworkRoute::new(context))),
};

struct NetworkRoute;

impl NetworkRoute {
    fn new(_: &Context<'_>) -> Self {
        Self
    }
}

impl Collector for NetworkRoute {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let routes = routes()?;
        emit_routes(&routes, interface_name, out);
        Ok(Outcome::Data)
    }
}

/// A hop of a route.
#[derive(Debug, Clone, Default, PartialEq)]
struct Route {
    source: String,
    destination: String,
    gateway: String,
    interface: u32,
    priority: u32,
    protocol: u8,
    /// Of one hop among several.
    weight: Option<u32>,
}

fn interface_name(index: u32) -> Option<String> {
    let name = nix::net::if_::if_indextoname(index).ok()?;
    Some(name.to_string_lossy().into_owned())
}

fn emit_routes(routes: &[Route], name: impl Fn(u32) -> Option<String>, out: &mut Families) {
    let mut names = BTreeMap::new();
    let mut counts = BTreeMap::<String, u32>::new();
    let mut family = out.family(
        "node_network_route_info",
        "network routing table information",
        MetricKind::Gauge,
    );
    for route in routes {
        // An interface that went away meanwhile has no routes any more.
        let Some(device) = names
            .entry(route.interface)
            .or_insert_with(|| name(route.interface))
        else {
            continue;
        };
        let weight = route.weight.map_or_else(String::new, |weight| weight.to_string());
        let labels = [
            ("dest", &*route.destination),
            ("device", &**device),
            ("gw", &*route.gateway),
            ("priority", &*route.priority.to_string()),
            ("proto", protocol_name(route.protocol)),
            ("src", &*route.source),
            ("weight", &*weight),
        ];
        family.sample(&labels, 1.0);
        *counts.entry(device.clone()).or_default() += 1;
    }
    let mut family = out.family(
        "node_network_routes",
        "network routes by interface",
        MetricKind::Gauge,
    );
    for (device, count) in counts {
        family.sample(&[("device", &*device)], f64::from(count));
    }
}

/// `RTPROT_…` of `include/uapi/linux/rtnetlink.h`.
fn protocol_name(number: u8) -> &'static str {
    match number {
        0 => "unspec",
        1 => "redirect",
        2 => "kernel",
        3 => "boot",
        4 => "static",
        8 => "gated",
        9 => "ra",
        10 => "mrt",
        11 => "zebra",
        12 => "bird",
        13 => "dnrouted",
        14 => "xorp",
        15 => "ntk",
        16 => "dhcp",
        17 => "mrouted",
        42 => "babel",
        186 => "bgp",
        187 => "isis",
        188 => "ospf",
        189 => "rip",
        192 => "eigrp",
        _ => "unknown",
    }
}

#[cfg(target_os = "linux")]
fn routes() -> Result<Vec<Route>, Error> {
    use crate::netlink::{GET_ROUTE, NEW_ROUTE, dump};
    let mut routes = Vec::new();
    dump(GET_ROUTE, &[0; 12], NEW_ROUTE, |body| {
        linux::parse(body, &mut routes);
    })?;
    Ok(routes)
}

#[cfg(not(target_os = "linux"))]
fn routes() -> Result<Vec<Route>, Error> {
    Err(Error::system("netlink", std::io::ErrorKind::Unsupported))
}

/// Reading rtnetlink's answers.
#[cfg(target_os = "linux")]
mod linux {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::Route;
    use crate::netlink::attributes;

    const DESTINATION: u16 = 1;
    const INTERFACE: u16 = 4;
    const GATEWAY: u16 = 5;
    const PRIORITY: u16 = 6;
    const PREFERRED_SOURCE: u16 = 7;
    const HOPS: u16 = 9;
    /// `RTN_UNICAST`.
    const UNICAST: u8 = 1;
    /// `struct rtmsg` and `struct rtnexthop`.
    const FIXED: usize = 12;
    const HOP: usize = 8;

    /// Adds the hops of a route. `struct rtmsg`: family, length of destination and source, type of service, table,
    /// protocol, scope, type (1 byte each), flags (4).
    pub(super) fn parse(body: &[u8], routes: &mut Vec<Route>) {
        let (Some(&[_, length, _, _, _, protocol, _, kind]), Some(rest)) =
            (body.first_chunk::<8>(), body.get(FIXED..))
        else {
            return;
        };
        if kind != UNICAST {
            return;
        }
        let mut route = Route {
            protocol,
            destination: "default".to_owned(),
            ..Route::default()
        };
        let mut hops = None;
        for (kind, value) in attributes(rest) {
            match kind {
                DESTINATION if length > 0 => route.destination = format!("{}/{length}", address(value)),
                INTERFACE => route.interface = number(value),
                GATEWAY => route.gateway = address(value),
                PRIORITY => route.priority = number(value),
                PREFERRED_SOURCE => route.source = address(value),
                HOPS => hops = Some(value),
                _ => {}
            }
        }
        match hops {
            None => routes.push(route),
            Some(hops) => add_hops(hops, &route, routes),
        }
    }

    /// `struct rtnexthop`: length (2 bytes), flags, hops (1 each), interface (4), then attributes.
    fn add_hops(mut hops: &[u8], route: &Route, routes: &mut Vec<Route>) {
        while let Some(&[low, high, _, weight, index @ ..]) = hops.first_chunk::<HOP>() {
            let length = usize::from(u16::from_ne_bytes([low, high]));
            let Some(body) = hops.get(HOP..length) else { return };
            let mut hop = Route {
                interface: u32::from_ne_bytes(index),
                weight: Some(u32::from(weight) + 1),
                ..route.clone()
            };
            if let Some((_, value)) = attributes(body).find(|(kind, _)| *kind == GATEWAY) {
                hop.gateway = address(value);
            }
            routes.push(hop);
            hops = hops.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
    }

    fn number(value: &[u8]) -> u32 {
        value.first_chunk().map_or(0, |bytes| u32::from_ne_bytes(*bytes))
    }

    fn address(value: &[u8]) -> String {
        if let Ok(bytes) = <[u8; 4]>::try_from(value) {
            Ipv4Addr::from(bytes).to_string()
        } else if let Ok(bytes) = <[u8; 16]>::try_from(value) {
            Ipv6Addr::from(bytes).to_string()
        } else {
            String::new()
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::netlink::attribute;
    use crate::testing::{lines, never_panics};

    #[test]
    fn routes_and_hops() {
        let fixed = |length| vec![2, length, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0];
        let mut single = fixed(24);
        single.extend(attribute(1, &[192, 0, 2, 0]));
        single.extend(attribute(4, &7_u32.to_ne_bytes()));
        single.extend(attribute(7, &[192, 0, 2, 9]));
        let hop = |weight: u8, gateway: u8| {
            let gateway = attribute(5, &[192, 0, 2, gateway]);
            let mut bytes = 16_u16.to_ne_bytes().to_vec();
            bytes.extend([0, weight]);
            bytes.extend(7_u32.to_ne_bytes());
            bytes.extend(gateway);
            bytes
        };
        let mut several = fixed(0);
        several.extend(attribute(9, &[hop(0, 1), hop(4, 2)].concat()));
        let mut routes = Vec::new();
        linux::parse(&single, &mut routes);
        linux::parse(&several, &mut routes);
        linux::parse(&[2, 24, 0, 0, 255, 2, 0, 2, 0, 0, 0, 0], &mut routes);
        let mut out = Families::new();
        emit_routes(&routes, |index| (index == 7).then(|| "eth0".to_owned()), &mut out);
        let info = |rest: &str| format!("node_network_route_info{{{rest}}} 1");
        let expected = [
            info(
                "dest=\"192.0.2.0/24\",device=\"eth0\",gw=\"\",priority=\"0\",proto=\"boot\",src=\"192.0.2.9\",weight=\"\"",
            ),
            info(
                "dest=\"default\",device=\"eth0\",gw=\"192.0.2.1\",priority=\"0\",proto=\"boot\",src=\"\",weight=\"1\"",
            ),
            info(
                "dest=\"default\",device=\"eth0\",gw=\"192.0.2.2\",priority=\"0\",proto=\"boot\",src=\"\",weight=\"5\"",
            ),
            "node_network_routes{device=\"eth0\"} 3".to_owned(),
        ];
        assert_eq!(lines(&out), expected);
        never_panics("\u{2}\u{18}\0\0\0\u{3}\0\u{1}\0\0\0\0\u{8}\0\u{9}\0", |bytes| {
            linux::parse(bytes, &mut Vec::new());
        });
    }
}
