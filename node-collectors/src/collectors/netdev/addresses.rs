//! The addresses of interfaces, from getifaddrs(3), which Linux and macOS share.

use std::net::Ipv6Addr;

use ferroalloy_model::{Families, MetricKind};

use crate::error::Error;
use crate::filter::Filter;
use crate::text;

/// Writes a series per IP address of the interfaces that `filter` keeps.
pub(super) fn write(filter: &Filter, out: &mut Families) -> Result<(), Error> {
    let addresses = nix::ifaddrs::getifaddrs().map_err(|error| Error::system("getifaddrs", error))?;
    let help = "node network address by device";
    let mut family = out.family("node_network_address_info", help, MetricKind::Gauge);
    for entry in addresses.filter(|entry| filter.keeps(&entry.interface_name)) {
        let (Some(address), Some(mask)) = (entry.address, entry.netmask) else {
            continue;
        };
        let (address, prefix, scope) = if let Some(address) = address.as_sockaddr_in() {
            let mask = mask.as_sockaddr_in().map_or(0, |mask| mask.ip().to_bits());
            let address = address.ip();
            let local = address.is_loopback() || address.is_link_local();
            (
                address.to_string(),
                mask.count_ones(),
                scope(local, !address.is_unspecified()),
            )
        } else if let Some(address) = address.as_sockaddr_in6() {
            let mask = mask.as_sockaddr_in6().map_or(0, |mask| mask.ip().to_bits());
            let address = without_index(address.ip());
            let local = address.is_loopback() || address.is_unicast_link_local();
            (
                address.to_string(),
                mask.count_ones(),
                scope(local, !address.is_unspecified()),
            )
        } else {
            continue;
        };
        family.sample(
            &[
                ("address", &address),
                ("device", &entry.interface_name),
                ("netmask", text::Decimal::new(prefix.into()).as_str()),
                ("scope", scope),
            ],
            1.0,
        );
    }
    Ok(())
}

/// node_exporter counts the loopback as link-local.
fn scope(link_local: bool, global: bool) -> &'static str {
    match (link_local, global) {
        (true, _) => "link-local",
        (false, true) => "global",
        (false, false) => "",
    }
}

/// The kernels of BSD keep the number of the interface in the second 16 bits of a link-local address, which are
/// zero on the wire (RFC 4291 2.5.6).
fn without_index(address: Ipv6Addr) -> Ipv6Addr {
    if address.is_unicast_link_local() {
        Ipv6Addr::from_bits(address.to_bits() & !(0xffff << 96))
    } else {
        address
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::lines;

    #[test]
    fn the_loopback_has_an_address() {
        let filter = Filter::new(("i", "^lo0?$"), ("e", "")).unwrap();
        let mut out = Families::new();
        write(&filter, &mut out).unwrap();
        let lines = lines(&out);
        assert!(
            lines.iter().any(|line| line.contains("address=\"127.0.0.1\"")),
            "{lines:#?}"
        );
        assert!(
            lines
                .iter()
                .all(|line| line.contains("netmask=\"8\"") || line.contains(':')),
            "{lines:#?}"
        );
    }

    #[test]
    fn link_local_addresses_lose_the_kernels_number() {
        let plain = |text: &str| without_index(text.parse().unwrap()).to_string();
        assert_eq!(plain("fe80:4::1"), "fe80::1");
        assert_eq!(plain("fe80::aede:48ff:fe00:1122"), "fe80::aede:48ff:fe00:1122");
        assert_eq!(plain("2001:db8::1"), "2001:db8::1");
    }

    #[test]
    fn scopes() {
        assert_eq!(scope(true, true), "link-local");
        assert_eq!(scope(false, true), "global");
        assert_eq!(scope(false, false), "");
    }
}
