//! `arp`: entries of the IPv4 neighbour table by interface, from rtnetlink (rtnetlink(7), RTM_GETNEIGH) or
//! `/proc/net/arp`.

use std::collections::BTreeMap;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::filter::Filter;
use crate::kernel_file::KernelFile;
use crate::option::options;
use crate::read::Buffer;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "arp",
    linux: Support::On,
    macos: Support::Absent,
    summary: "ARP entries by interface.",
    sources: &["rtnetlink RTM_GETNEIGH", "proc/net/arp"],
    families: &["node_arp_entries"],
    options: options! {
        "arp.device-include" = arp.device_include: String, "Interfaces to give (expression).";
        "arp.device-exclude" = arp.device_exclude: String, "Interfaces to leave out (expression).";
        "arp.netlink" = arp.netlink: bool, "Asks netlink instead of reading /proc/net/arp.";
    },
    build: |context| Ok(Box::new(Arp::new(context)?)),
};

/// Options of `arp`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Expression for interfaces to give.
    pub device_include: String,
    /// Expression for interfaces to leave out; applies beside the include.
    pub device_exclude: String,
    /// Asks netlink instead of reading the file.
    pub netlink: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            device_include: String::new(),
            device_exclude: String::new(),
            netlink: true,
        }
    }
}

struct Arp {
    /// The file, if it is to be read instead of asking netlink.
    file: Option<KernelFile>,
    filter: Filter,
}

impl Arp {
    fn new(context: &Context<'_>) -> Result<Self, Error> {
        let options = &context.options.arp;
        Ok(Self {
            file: (!options.netlink).then(|| KernelFile::new(context.roots.proc("net/arp"))),
            filter: Filter::new(
                ("arp.device-include", &options.device_include),
                ("arp.device-exclude", &options.device_exclude),
            )?,
        })
    }
}

impl Collector for Arp {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let entries = match &self.file {
            Some(path) => {
                let mut buffer = Buffer::take();
                count_file(buffer.kept(path)?)
                    .map_err(|line| Error::parse(path, format_args!("bad line {:?}", text::utf8(line))))?
            }
            None => neighbours()?,
        };
        let mut family = out.family("node_arp_entries", "ARP entries by device", MetricKind::Gauge);
        for (device, count) in entries.iter().filter(|(device, _)| self.filter.keeps(device)) {
            family.sample(&[("device", device)], f64::from(*count));
        }
        Ok(Outcome::Data)
    }
}

/// Rows by interface, the last of six columns, below a heading.
fn count_file(content: &[u8]) -> Result<BTreeMap<String, u32>, &[u8]> {
    let mut entries = BTreeMap::new();
    for line in text::lines(content).skip(1) {
        let device = text::fields(line).nth(5).ok_or(line)?;
        *entries.entry(text::utf8(device).into_owned()).or_default() += 1;
    }
    Ok(entries)
}

/// `AF_INET`, as one byte of netlink's structures holds it.
#[cfg(target_os = "linux")]
const INET: u8 = 2;

#[cfg(target_os = "linux")]
fn neighbours() -> Result<BTreeMap<String, u32>, Error> {
    use crate::netlink::{GET_NEIGHBOUR, NEW_NEIGHBOUR, dump};
    use nix::net::if_::if_indextoname;

    let mut indexes = BTreeMap::<u32, u32>::new();
    let mut request = [0; 12];
    request[0] = INET;
    dump(GET_NEIGHBOUR, &request, NEW_NEIGHBOUR, |body| {
        if let Some(index) = arp_interface(body) {
            *indexes.entry(index).or_default() += 1;
        }
    })?;
    let mut entries = BTreeMap::new();
    for (index, count) in indexes {
        // An interface that went away meanwhile has no entries any more.
        if let Ok(name) = if_indextoname(index) {
            entries.insert(name.to_string_lossy().into_owned(), count);
        }
    }
    Ok(entries)
}

#[cfg(not(target_os = "linux"))]
fn neighbours() -> Result<BTreeMap<String, u32>, Error> {
    Err(Error::system("netlink", std::io::ErrorKind::Unsupported))
}

/// The interface's index of an entry that ARP resolves. `struct ndmsg`: family (1 byte), 3 bytes, index, state (2).
#[cfg(target_os = "linux")]
fn arp_interface(body: &[u8]) -> Option<u32> {
    /// `NUD_NOARP`: an address that needs no resolution, such as a multicast one.
    const NO_ARP: u16 = 0x40;
    let family = *body.first()?;
    let index = u32::from_ne_bytes(*body.get(4..)?.first_chunk()?);
    let state = u16::from_ne_bytes(*body.get(8..)?.first_chunk()?);
    (family == INET && state & NO_ARP == 0).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics, samples};

    const CONTENT: &str = "IP address       HW type     Flags       HW address            Mask     Device\n\
        192.168.1.1      0x1         0x2         cc:aa:dd:ee:aa:bb     *        eth0\n\
        192.168.1.2      0x1         0x2         bb:cc:dd:ee:ff:aa     *        eth0\n\
        10.0.0.1         0x1         0x2         de:ad:be:ef:00:00     *        nope\n";

    #[test]
    fn the_file() {
        let host = Host::new(&[("proc/net/arp", CONTENT)]);
        let collector = host
            .collector(&DESCRIPTOR, |options| {
                options.arp.netlink = false;
                "nope".clone_into(&mut options.arp.device_exclude);
            })
            .unwrap();
        assert_eq!(
            samples(collector.as_ref()),
            ["node_arp_entries{device=\"eth0\"} 2"]
        );
        assert!(count_file(b"heading\n1.2.3.4 0x1\n").is_err());
        never_panics(CONTENT, |bytes| count_file(bytes).is_ok());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn netlink_entries() {
        let entry = |family: u8, state: u16| {
            let mut body = vec![family, 0, 0, 0];
            body.extend_from_slice(&7_u32.to_ne_bytes());
            body.extend_from_slice(&state.to_ne_bytes());
            body
        };
        assert_eq!(arp_interface(&entry(2, 2)), Some(7));
        assert_eq!(arp_interface(&entry(2, 0x40)), None);
        assert_eq!(arp_interface(&entry(10, 2)), None);
        assert_eq!(arp_interface(&entry(2, 2)[..9]), None);
        assert!(neighbours().is_ok());
    }
}
