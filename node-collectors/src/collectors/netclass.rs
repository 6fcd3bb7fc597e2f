//! `netclass`: properties of network interfaces, `sys/class/net/<interface>`
//! (Documentation/ABI/testing/sysfs-class-net).

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::filter::Pattern;
use crate::kernel_folder::{KernelFolder, most_kept};
use crate::option::options;
use crate::read::{Buffer, entries};
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "netclass",
    linux: Support::On,
    macos: Support::Absent,
    summary: "State, speed, MTU, carrier changes and addresses of network interfaces.",
    sources: &["sys/class/net/*"],
    families: &["node_network_*"],
    options: options! {
        "netclass.ignored-devices" = netclass.ignored_devices: String, "Interfaces to leave out (expression).";
        "netclass.ignore-invalid-speed" = netclass.ignore_invalid_speed: bool, "Leaves out a speed that the driver does not know.";
    },
    build: |context| Ok(Box::new(NetClass::new(context)?)),
};

/// Options of `netclass`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Expression for interfaces to leave out.
    pub ignored_devices: String,
    /// Leaves out negative speeds, which mean that the driver does not know.
    pub ignore_invalid_speed: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ignored_devices: "^$".to_owned(),
            ignore_invalid_speed: false,
        }
    }
}

/// A file with a number, its family's name and HELP.
struct Property {
    file: &'static str,
    name: &'static str,
    help: &'static str,
    kind: MetricKind,
}

macro_rules! properties {
    ($($file:literal $name:literal $kind:ident,)*) => {
        [$(Property {
            file: $file,
            name: concat!("node_network_", $name),
            help: concat!("Network device property: ", $name),
            kind: MetricKind::$kind,
        },)*]
    };
}

static PROPERTIES: [Property; 17] = properties! {
    "addr_assign_type" "address_assign_type" Gauge,
    "carrier" "carrier" Gauge,
    "carrier_changes" "carrier_changes_total" Counter,
    "carrier_up_count" "carrier_up_changes_total" Counter,
    "carrier_down_count" "carrier_down_changes_total" Counter,
    "dev_id" "device_id" Gauge,
    "dormant" "dormant" Gauge,
    "flags" "flags" Gauge,
    "ifindex" "iface_id" Gauge,
    "iflink" "iface_link" Gauge,
    "link_mode" "iface_link_mode" Gauge,
    "mtu" "mtu_bytes" Gauge,
    "name_assign_type" "name_assign_type" Gauge,
    "netdev_group" "net_dev_group" Gauge,
    "speed" "speed_bytes" Gauge,
    "tx_queue_len" "transmit_queue_length" Gauge,
    "type" "protocol_type" Gauge,
};

/// The files with text.
static TEXTS: [&str; 5] = ["address", "broadcast", "duplex", "ifalias", "operstate"];

/// How many files an interface has: the numbers, then the texts.
const FILES: usize = PROPERTIES.len() + TEXTS.len();

/// Places in [`PROPERTIES`] of the two that need more than copying.
const FLAGS: usize = 7;
const SPEED: usize = 14;

struct NetClass {
    class: PathBuf,
    ignored: Option<Pattern>,
    ignore_invalid_speed: bool,
    /// The folders of the interfaces with their open files, by name.
    open: Mutex<HashMap<String, KernelFolder<FILES>>>,
}

impl NetClass {
    fn new(context: &Context<'_>) -> Result<Self, Error> {
        let options = &context.options.netclass;
        Ok(Self {
            class: context.roots.sys("class/net"),
            ignored: Pattern::compile("netclass.ignored-devices", &options.ignored_devices)?,
            ignore_invalid_speed: options.ignore_invalid_speed,
            open: Mutex::new(HashMap::new()),
        })
    }
}

/// What the files of an interface say; a number that cannot be read is absent, a text empty.
#[derive(Debug, Default)]
struct Interface {
    device: String,
    numbers: [Option<i64>; PROPERTIES.len()],
    address: String,
    broadcast: String,
    duplex: String,
    alias: String,
    state: String,
}

impl Collector for NetClass {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let names = match entries(&self.class) {
            Ok(names) => names,
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied
                ) =>
            {
                return Ok(Outcome::NoData);
            }
            Err(error) => return Err(Error::read(&self.class, error)),
        };
        let mut interfaces = Vec::with_capacity(names.len());
        // Of two runs at once the later one opens the files for itself.
        let mut before = std::mem::take(&mut *self.open.lock().unwrap_or_else(PoisonError::into_inner));
        let mut after = HashMap::with_capacity(before.len());
        for name in names {
            if self
                .ignored
                .as_ref()
                .is_some_and(|ignored| ignored.is_match(&name))
            {
                continue;
            }
            // A file such as `bonding_masters` is no folder; an interface may go away at any time.
            let kept = before.remove(&name);
            if let Ok(mut folder) = KernelFolder::open(&self.class.join(&name), kept) {
                interfaces.push(self.read(name.clone(), &mut folder));
                if folder.is_of_the_kernel() && (after.len() + 1) * FILES <= most_kept() {
                    after.insert(name, folder);
                }
            }
        }
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = after;
        emit(&interfaces, out);
        Ok(Outcome::Data)
    }
}

impl NetClass {
    fn read(&self, device: String, folder: &mut KernelFolder<FILES>) -> Interface {
        let mut buffer = Buffer::take();
        let mut interface = Interface {
            device,
            ..Interface::default()
        };
        for (at, (place, property)) in interface.numbers.iter_mut().zip(&PROPERTIES).enumerate() {
            let content = folder.attribute(at, property.file, &mut buffer).ok();
            *place = content
                .and_then(text::auto_base)
                .and_then(|number| i64::try_from(number).ok());
        }
        let speed = &mut interface.numbers[SPEED];
        *speed = speed
            .filter(|megabits| *megabits >= 0 || !self.ignore_invalid_speed)
            .map(|megabits| megabits.saturating_mul(1_000_000) / 8);
        let mut places = (PROPERTIES.len()..).zip(&TEXTS);
        let [address, broadcast, duplex, alias, state] = std::array::from_fn(|_| {
            let (at, file) = places.next()?;
            let content = folder.attribute(at, file, &mut buffer).ok()?;
            Some(text::utf8(content).into_owned())
        })
        .map(Option::unwrap_or_default);
        Interface {
            address,
            broadcast,
            duplex,
            alias,
            state,
            ..interface
        }
    }
}

fn emit(interfaces: &[Interface], out: &mut Families) {
    let help = "Value is 1 if operstate is 'up', 0 otherwise.";
    let mut family = out.family("node_network_up", help, MetricKind::Gauge);
    for interface in interfaces {
        let up = f64::from(u8::from(interface.state == "up"));
        family.sample(&[("device", &interface.device)], up);
    }
    let help = "Non-numeric data from /sys/class/net/<iface>, value is always 1.";
    let mut family = out.family("node_network_info", help, MetricKind::Gauge);
    for interface in interfaces {
        let administrative = match interface.numbers[FLAGS] {
            // IFF_UP
            Some(flags) if flags & 1 != 0 => "up",
            Some(_) => "down",
            None => "unknown",
        };
        family.sample(
            &[
                ("address", &interface.address),
                ("adminstate", administrative),
                ("broadcast", &interface.broadcast),
                ("device", &interface.device),
                ("duplex", &interface.duplex),
                ("ifalias", &interface.alias),
                ("operstate", &interface.state),
            ],
            1.0,
        );
    }
    for (at, property) in PROPERTIES.iter().enumerate() {
        let mut family = out.family(property.name, property.help, property.kind);
        for interface in interfaces {
            if let Some(number) = interface.numbers[at] {
                family.sample(&[("device", &interface.device)], number as f64);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, samples};

    #[test]
    fn interfaces() {
        assert_eq!(
            (PROPERTIES[FLAGS].file, PROPERTIES[SPEED].file),
            ("flags", "speed")
        );
        let host = Host::new(&[
            ("sys/class/net/bonding_masters", "bond0\n"),
            ("sys/class/net/eth0/flags", "0x1303\n"),
            ("sys/class/net/eth0/speed", "1000\n"),
            ("sys/class/net/eth0/operstate", "up\n"),
            ("sys/class/net/eth0/address", "01:02:03:04:05:06\n"),
            ("sys/class/net/eth1/speed", "-1\n"),
            ("sys/class/net/eth1/mtu", "much\n"),
            ("sys/class/net/veth7/mtu", "1500\n"),
        ]);
        let ignoring = |invalid: bool| {
            let collector = host.collector(&DESCRIPTOR, |options| {
                "^veth".clone_into(&mut options.netclass.ignored_devices);
                options.netclass.ignore_invalid_speed = invalid;
            });
            samples(collector.unwrap().as_ref())
        };
        assert_eq!(
            ignoring(false),
            [
                "node_network_flags{device=\"eth0\"} 4867",
                "node_network_info{address=\"\",adminstate=\"unknown\",broadcast=\"\",device=\"eth1\",duplex=\"\",ifalias=\"\",operstate=\"\"} 1",
                "node_network_info{address=\"01:02:03:04:05:06\",adminstate=\"up\",broadcast=\"\",device=\"eth0\",duplex=\"\",ifalias=\"\",operstate=\"up\"} 1",
                "node_network_speed_bytes{device=\"eth0\"} 1.25e+08",
                "node_network_speed_bytes{device=\"eth1\"} -125000",
                "node_network_up{device=\"eth0\"} 1",
                "node_network_up{device=\"eth1\"} 0",
            ]
        );
        assert!(!ignoring(true).iter().any(|line| line.contains("-125000")));
        let empty = Host::new(&[]).collector(&DESCRIPTOR, |_| ()).unwrap();
        assert_eq!(empty.update(&mut Families::new()).unwrap(), Outcome::NoData);
    }
}
