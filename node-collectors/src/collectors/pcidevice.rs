//! `pcidevice`: PCI devices, `sys/bus/pci/devices` (drivers/pci/pci-sysfs.c).

use std::path::{Path, PathBuf};

use ferroalloy_model::Families;

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::option::options;
use crate::read::{Buffer, entries};
use crate::sysfs::Sysfs;
use crate::text;

mod names;

use names::Names;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "pcidevice",
    linux: Support::Off,
    macos: Support::Absent,
    summary: "PCI devices: what they are, their links, virtual functions and power states.",
    sources: &[
        "sys/bus/pci/devices/*",
        "usr/share/misc/pci.ids, usr/share/hwdata/pci.ids of the running system",
    ],
    families: &["node_pcidevice_*"],
    options: options! {
        "pcidevice.idsfile" = pcidevice.ids_file: String, "File with the names of vendors, devices and classes, in place of the usual ones.";
        "pcidevice.names" = pcidevice.names: bool, "Gives the names of vendors, devices and classes.";
    },
    build: |context| Ok(Box::new(PciDevice::new(context)?)),
};

/// Options of `pcidevice`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The file with names, in the format of `pci.ids`; empty for the system's.
    pub ids_file: String,
    /// Whether names are given.
    pub names: bool,
}

/// Where distributions keep the names.
static IDS_FILES: [&str; 2] = ["/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids"];
/// What a device's power state may be (`Documentation/ABI/testing/sysfs-bus-pci`).
static POWER_STATES: [&str; 7] = ["D0", "D1", "D2", "D3hot", "D3cold", "unknown", "error"];
/// Numbers that are 0 where their file is absent.
static NUMBERS: [(&str, &str, &str); 5] = [
    (
        "d3cold_allowed",
        "node_pcidevice_d3cold_allowed",
        "Whether the PCIe device supports D3cold power state (0/1).",
    ),
    (
        "sriov_drivers_autoprobe",
        "node_pcidevice_sriov_drivers_autoprobe",
        "Whether SR-IOV drivers autoprobe is enabled for the device (0/1).",
    ),
    (
        "sriov_numvfs",
        "node_pcidevice_sriov_numvfs",
        "Number of Virtual Functions (VFs) currently enabled for SR-IOV.",
    ),
    (
        "sriov_totalvfs",
        "node_pcidevice_sriov_totalvfs",
        "Total number of Virtual Functions (VFs) supported by the device.",
    ),
    (
        "sriov_vf_total_msix",
        "node_pcidevice_sriov_vf_total_msix",
        "Total number of MSI-X vectors for Virtual Functions.",
    ),
];
/// Speeds and widths of the link, -1 where absent.
static SPEEDS: [(&str, &str, &str); 2] = [
    (
        "max_link_speed",
        "node_pcidevice_max_link_transfers_per_second",
        "Value of maximum link's transfers per second (T/s)",
    ),
    (
        "current_link_speed",
        "node_pcidevice_current_link_transfers_per_second",
        "Value of current link's transfers per second (T/s)",
    ),
];
static WIDTHS: [(&str, &str, &str); 2] = [
    (
        "max_link_width",
        "node_pcidevice_max_link_width",
        "Value of maximum link's width (number of lanes)",
    ),
    (
        "current_link_width",
        "node_pcidevice_current_link_width",
        "Value of current link's width (number of lanes)",
    ),
];

struct PciDevice {
    folder: PathBuf,
    sysfs: Sysfs,
    names: Option<Names>,
}

impl PciDevice {
    fn new(context: &Context<'_>) -> Result<Self, Error> {
        let options = &context.options.pcidevice;
        Ok(Self {
            folder: context.roots.sys("bus/pci/devices"),
            sysfs: context.sysfs(),
            names: options.names.then(|| names(&options.ids_file)).transpose()?,
        })
    }

    fn device(&self, name: &str, out: &mut Families) -> Result<(), Error> {
        let folder = self.folder.join(name);
        let Some(place) = Place::parse(name) else {
            return Err(Error::parse(&folder, "not the place of a device"));
        };
        let parent = std::fs::canonicalize(&folder)
            .map_err(|error| Error::read(&folder, error))?
            .parent()
            .and_then(|parent| Place::parse(parent.file_name()?.to_str()?));
        let id = place.labels(["segment", "bus", "device", "function"]);
        let id: Vec<(&str, &str)> = id.iter().map(|(name, value)| (*name, &**value)).collect();
        self.info(&folder, &id, parent.as_ref(), out)?;
        for (file, name, help) in SPEEDS {
            let speed = match self.sysfs.text_if_any(&folder.join(file))? {
                Some(text) => speed(&text)
                    .ok_or_else(|| Error::parse(&folder.join(file), "not a speed in GT/s PCIe"))?,
                None => -1.0,
            };
            emit::gauge(out, name, help, &id, speed);
        }
        for (file, name, help) in WIDTHS {
            let width = self.sysfs.unsigned_if_any(&folder.join(file))?;
            emit::gauge(out, name, help, &id, width.map_or(-1.0, |width| width as f64));
        }
        for (file, name, help) in NUMBERS {
            let number = self.sysfs.unsigned_if_any(&folder.join(file))?;
            emit::gauge(out, name, help, &id, number.unwrap_or(0) as f64);
        }
        let path = folder.join("numa_node");
        let node = crate::sysfs::if_any(self.sysfs.parsed(&path, text::signed))?;
        if let Some(node) = node.filter(|node| *node != -1) {
            let help = "NUMA node number for the PCI device. -1 indicates unknown or not available.";
            emit::gauge(out, "node_pcidevice_numa_node", help, &id, node as f64);
        }
        if let Some(state) = self.sysfs.text_if_any(&folder.join("power_state"))? {
            for known in POWER_STATES {
                let labels = [&id[..], &[("state", known)]].concat();
                let help = "PCIe device power state, one of: D0, D1, D2, D3hot, D3cold, unknown or error.";
                let value = f64::from(u8::from(known == state));
                emit::gauge(out, "node_pcidevice_power_state", help, &labels, value);
            }
        }
        Ok(())
    }

    fn info(
        &self,
        folder: &Path,
        id: &[(&str, &str)],
        parent: Option<&Place>,
        out: &mut Families,
    ) -> Result<(), Error> {
        let number = |file: &str| {
            let parse = |content: &[u8]| text::hexadecimal(content.strip_prefix(b"0x")?);
            self.sysfs.parsed(&folder.join(file), parse)
        };
        let (class, vendor, device) = (number("class")?, number("vendor")?, number("device")?);
        let (sub_vendor, sub_device) = (number("subsystem_vendor")?, number("subsystem_device")?);
        let mut labels = vec![
            ("class_id", format!("0x{class:06x}")),
            ("vendor_id", format!("0x{vendor:04x}")),
            ("device_id", format!("0x{device:04x}")),
            ("subsystem_vendor_id", format!("0x{sub_vendor:04x}")),
            ("subsystem_device_id", format!("0x{sub_device:04x}")),
            ("revision", format!("0x{:02x}", number("revision")?)),
        ];
        let heads = ["parent_segment", "parent_bus", "parent_device", "parent_function"];
        match parent {
            Some(parent) => labels.extend(parent.labels(heads)),
            None => labels.extend(heads.map(|head| (head, "*".to_owned()))),
        }
        if let Some(names) = &self.names {
            labels.push(("vendor_name", names.vendor(vendor)));
            labels.push(("device_name", names.device(vendor, device)));
            labels.push(("subsystem_vendor_name", names.vendor(sub_vendor)));
            let subsystem = names.subsystem([vendor, device, sub_vendor, sub_device]);
            labels.push(("subsystem_device_name", subsystem));
            labels.push(("class_name", names.class(class)));
        }
        let labels: Vec<_> = labels.iter().map(|(name, value)| (*name, &**value)).collect();
        let help = "Non-numeric data from /sys/bus/pci/devices/<location>, value is always 1.";
        emit::gauge(out, "node_pcidevice_info", help, &[id, &labels].concat(), 1.0);
        Ok(())
    }
}

impl Collector for PciDevice {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let devices = match entries(&self.folder) {
            Ok(devices) => devices,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Outcome::NoData),
            Err(error) => return Err(Error::read(&self.folder, error)),
        };
        for device in devices {
            self.sysfs.lenient(self.device(&device, out))?;
        }
        Ok(Outcome::Data)
    }
}

/// The names of the file given, or of the first that the system has; a system without any has no names.
fn names(file: &str) -> Result<Names, Error> {
    let mut buffer = Buffer::take();
    if !file.is_empty() {
        return Ok(Names::parse(buffer.file(Path::new(file))?));
    }
    for file in IDS_FILES {
        if let Some(content) = buffer.optional(Path::new(file))? {
            return Ok(Names::parse(content));
        }
    }
    Ok(Names::default())
}

/// Where a device is: `0000:45:00.0`.
#[derive(Debug, PartialEq)]
struct Place([u64; 4]);

impl Place {
    fn parse(name: &str) -> Option<Self> {
        let (head, function) = name.split_once('.')?;
        let mut parts = head.split(':').chain([function]);
        let mut next = || text::hexadecimal(parts.next()?.as_bytes());
        let place = Self([next()?, next()?, next()?, next()?]);
        parts.next().is_none().then_some(place)
    }

    fn labels(&self, names: [&'static str; 4]) -> [(&'static str, String); 4] {
        let [segment, bus, device, function] = self.0;
        [
            (names[0], format!("{segment:04x}")),
            (names[1], format!("{bus:02x}")),
            (names[2], format!("{device:02x}")),
            (names[3], format!("{function:x}")),
        ]
    }
}

/// Transfers per second; -1 if the link does not know.
fn speed(text: &str) -> Option<f64> {
    if text.starts_with("Unknown") {
        return Some(-1.0);
    }
    let number: f64 = text.strip_suffix(" GT/s PCIe")?.trim().parse().ok()?;
    number.is_finite().then_some(number * 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Host;

    #[test]
    fn places_and_speeds() {
        assert_eq!(Place::parse("0000:45:1f.7"), Some(Place([0, 0x45, 0x1f, 7])));
        for bad in ["pci0000:00", "0000:45:1f", "0:0:0:0.0", "x:0:0.0"] {
            assert_eq!(Place::parse(bad), None, "{bad}");
        }
        assert_eq!(speed("8.0 GT/s PCIe"), Some(8e9));
        assert_eq!(speed("Unknown"), Some(-1.0));
        assert_eq!(speed("inf GT/s PCIe"), None);
        assert_eq!(speed("2.5 MB/s"), None);
    }

    #[test]
    fn a_device_without_most_files() {
        let folder = "sys/bus/pci/devices/0000:01:02.3";
        let host = Host::new(&[]);
        for (file, content) in [
            ("class", "0x010802"),
            ("vendor", "0x10"),
            ("device", "0x20"),
            ("subsystem_vendor", "0x30"),
            ("subsystem_device", "0x40"),
            ("revision", "0x1"),
            ("numa_node", "-1"),
            ("max_link_speed", "Unknown"),
        ] {
            host.write(&format!("{folder}/{file}"), content);
        }
        host.write("sys/bus/pci/devices/0000:01:02.4/class", "?");
        let samples = host.samples(&DESCRIPTOR);
        let id = "bus=\"01\",device=\"02\",function=\"3\",segment=\"0001\"".replace("0001", "0000");
        assert!(samples.contains(&format!(
            "node_pcidevice_max_link_transfers_per_second{{{id}}} -1"
        )));
        assert!(samples.contains(&format!("node_pcidevice_sriov_numvfs{{{id}}} 0")));
        assert!(samples.iter().any(|line| {
            line.starts_with("node_pcidevice_info{")
                && line.contains("class_id=\"0x010802\"")
                && line.contains("parent_bus=\"*\"")
        }));
        assert_eq!(samples.len(), 1 + 4 + 5, "{samples:#?}");
    }

    #[test]
    fn absent_names_are_a_mistake_only_if_they_were_asked_for() {
        let host = Host::new(&[]);
        let build = |file: &str| {
            host.collector(&DESCRIPTOR, |options| {
                options.pcidevice.names = true;
                file.clone_into(&mut options.pcidevice.ids_file);
            })
        };
        assert!(build("/absent/pci.ids").is_err());
        let collector = build("").unwrap();
        assert_eq!(collector.update(&mut Families::new()).unwrap(), Outcome::NoData);
    }
}
