//! Hosts that no proxy is asked for, in the form that `NO_PROXY` has in Go programs.

use std::net::IpAddr;

/// The hosts, with the loopback ones among them.
#[derive(Debug, PartialEq)]
pub(crate) struct Bypass(Vec<Rule>);

#[derive(Debug, PartialEq)]
enum Rule {
    All,
    Network {
        address: IpAddr,
        bits: u8,
    },
    Address {
        address: IpAddr,
        port: Option<u16>,
    },
    Name {
        name: String,
        /// Not the name itself, only names below it.
        only_below: bool,
        port: Option<u16>,
    },
}

impl Bypass {
    /// Reads a list. What is no rule matches nothing, as in Go.
    pub(crate) fn parse(text: &str) -> Self {
        Self(
            text.split(',')
                .filter_map(|item| Rule::parse(item.trim()))
                .collect(),
        )
    }

    /// Whether the host, in lower case and without brackets, is one of them.
    pub(crate) fn contains(&self, host: &str, port: u16) -> bool {
        let address: Option<IpAddr> = host.parse().ok();
        let loopback =
            host == "localhost" || address.is_some_and(|address| address.to_canonical().is_loopback());
        loopback || self.0.iter().any(|rule| rule.matches(host, address, port))
    }
}

impl Rule {
    fn parse(item: &str) -> Option<Self> {
        if item == "*" {
            return Some(Self::All);
        }
        if let Some((address, bits)) = item.split_once('/') {
            let address: IpAddr = address.parse().ok()?;
            let bits: u8 = bits.parse().ok()?;
            let widest = if address.is_ipv4() { 32 } else { 128 };
            return (bits <= widest).then_some(Self::Network { address, bits });
        }
        if let Ok(address) = item.parse() {
            return Some(Self::Address { address, port: None });
        }
        let (host, port) = match item.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (item, None),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = bare.unwrap_or(host);
        if let Ok(address) = host.parse() {
            return Some(Self::Address { address, port });
        }
        let host = host
            .strip_prefix('*')
            .filter(|rest| rest.starts_with('.'))
            .unwrap_or(host);
        let (name, only_below) = match host.strip_prefix('.') {
            Some(name) => (name, true),
            None => (host, false),
        };
        (!name.is_empty()).then(|| Self::Name {
            name: name.to_ascii_lowercase(),
            only_below,
            port,
        })
    }

    fn matches(&self, host: &str, address: Option<IpAddr>, at: u16) -> bool {
        let here = |port: &Option<u16>| port.is_none_or(|port| port == at);
        match self {
            Self::All => true,
            Self::Network {
                address: network,
                bits,
            } => address.is_some_and(|address| shares_prefix(address, *network, *bits)),
            Self::Address {
                address: wanted,
                port,
            } => address.is_some_and(|address| address.to_canonical() == wanted.to_canonical()) && here(port),
            Self::Name {
                name,
                only_below,
                port,
            } => {
                let matched = match host.strip_suffix(name.as_str()) {
                    Some("") => !only_below,
                    Some(above) => above.ends_with('.'),
                    None => false,
                };
                matched && here(port)
            }
        }
    }
}

fn shares_prefix(a: IpAddr, b: IpAddr, bits: u8) -> bool {
    let differ = match (a.to_canonical(), b.to_canonical()) {
        (IpAddr::V4(a), IpAddr::V4(b)) => u128::from(a.to_bits() ^ b.to_bits()) << 96,
        (IpAddr::V6(a), IpAddr::V6(b)) => a.to_bits() ^ b.to_bits(),
        _ => return false,
    };
    differ.leading_zeros() >= u32::from(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(list: &str, inside: &[(&str, u16)], outside: &[(&str, u16)]) {
        let bypass = Bypass::parse(list);
        for (host, port) in inside {
            assert!(bypass.contains(host, *port), "{host}:{port} is in {list:?}");
        }
        for (host, port) in outside {
            assert!(!bypass.contains(host, *port), "{host}:{port} is not in {list:?}");
        }
    }

    #[test]
    fn loopback_is_always_inside() {
        check(
            "",
            &[
                ("localhost", 80),
                ("127.9.9.9", 80),
                ("::1", 80),
                ("::ffff:127.0.0.1", 80),
            ],
            &[("h", 80), ("10.0.0.1", 80)],
        );
    }

    #[test]
    fn names() {
        check(
            " Example.org, .sub.net,*.star.net ,h:81",
            &[
                ("example.org", 80),
                ("a.example.org", 443),
                ("a.sub.net", 80),
                ("b.a.star.net", 80),
                ("h", 81),
                ("a.h", 81),
            ],
            &[
                ("anexample.org", 80),
                ("example.org.net", 80),
                ("sub.net", 80),
                ("star.net", 80),
                ("h", 80),
            ],
        );
        check("*", &[("anything", 1), ("10.0.0.1", 1)], &[]);
    }

    #[test]
    fn addresses_and_networks() {
        check(
            "10.1.2.3, 192.168.0.0/16,[2001:db8::1]:81,2001:db8:1::/48,fe80::1",
            &[
                ("10.1.2.3", 9),
                ("192.168.255.1", 9),
                ("2001:db8::1", 81),
                ("2001:db8:1:ffff::", 9),
                ("fe80::1", 9),
            ],
            &[
                ("10.1.2.4", 9),
                ("192.169.0.1", 9),
                ("2001:db8::1", 80),
                ("2001:db8:2::", 9),
            ],
        );
        check("0.0.0.0/0", &[("8.8.8.8", 53)], &[("2001:db8::1", 53), ("h", 53)]);
    }

    #[test]
    fn what_is_no_rule() {
        for item in ["", "10.0.0.0/33", "10.0.0.0/x", ":80", "h:port", ".", "*."] {
            assert_eq!(Rule::parse(item), None, "{item:?}");
        }
    }
}
