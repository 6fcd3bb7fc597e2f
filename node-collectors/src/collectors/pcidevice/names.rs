//! Names of PCI vendors, devices and classes: the file `pci.ids` (pci.ids(5)).

use std::collections::HashMap;

use crate::text;

/// Names by number; what has none goes by its number.
#[derive(Debug, Default)]
pub(super) struct Names {
    vendors: HashMap<u64, String>,
    devices: HashMap<[u64; 2], String>,
    subsystems: HashMap<[u64; 4], String>,
    /// By the digits of class, subclass and programming interface, as far as they go.
    classes: HashMap<(usize, u64), String>,
}

impl Names {
    /// Reads what is well formed; other lines are passed over.
    pub(super) fn parse(content: &[u8]) -> Self {
        let mut names = Self::default();
        let mut path = [0; 2];
        let mut classes = false;
        for line in text::lines(content) {
            let depth = line.iter().take_while(|byte| **byte == b'\t').count();
            let rest = &line[depth..];
            if rest.is_empty() || rest.starts_with(b"#") {
                continue;
            }
            let class = depth == 0 && rest.starts_with(b"C ");
            if depth == 0 {
                classes = class;
            }
            let rest = if class { &rest[2..] } else { rest };
            // The name is behind two spaces; one space parts the two numbers of a subsystem.
            let Some(at) = rest.windows(2).position(|pair| pair == b"  ") else {
                continue;
            };
            let name = text::utf8(rest[at..].trim_ascii()).into_owned();
            let mut numbers = text::fields(&rest[..at]).map(text::hexadecimal);
            let Some(Some(number)) = numbers.next() else {
                continue;
            };
            match (depth, classes) {
                (0, false) => {
                    path[0] = number;
                    names.vendors.insert(number, name);
                }
                (1, false) => {
                    path[1] = number;
                    names.devices.insert([path[0], number], name);
                }
                (2, false) => {
                    if let Some(Some(device)) = numbers.next() {
                        names.subsystems.insert([path[0], path[1], number, device], name);
                    }
                }
                (0..=2, true) if number <= 0xff => {
                    let above = match depth {
                        0 => 0,
                        1 => path[0] << 8,
                        _ => path[0] << 16 | path[1] << 8,
                    };
                    if let Some(place) = path.get_mut(depth) {
                        *place = number;
                    }
                    names.classes.insert((depth, above | number), name);
                }
                _ => {}
            }
        }
        names
    }

    pub(super) fn vendor(&self, vendor: u64) -> String {
        or_number(self.vendors.get(&vendor), vendor)
    }

    pub(super) fn device(&self, vendor: u64, device: u64) -> String {
        or_number(self.devices.get(&[vendor, device]), device)
    }

    /// Of vendor, device, and the subsystem's vendor and device.
    pub(super) fn subsystem(&self, ids: [u64; 4]) -> String {
        or_number(self.subsystems.get(&ids), ids[3])
    }

    /// The name of the programming interface, else of the subclass, else of the class.
    pub(super) fn class(&self, class: u64) -> String {
        let of = |depth, number| self.classes.get(&(depth, number));
        of(2, class)
            .or_else(|| of(1, class >> 8))
            .or_else(|| of(0, class >> 16))
            .map_or_else(|| format!("0x{class:06x}"), Clone::clone)
    }
}

fn or_number(name: Option<&String>, number: u64) -> String {
    name.map_or_else(|| format!("0x{number:04x}"), Clone::clone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::never_panics;

    const FILE: &str = "# c\nC 01  Mass storage\n\t08  NVM\n\t\t02  Express\nC 02  Network\n\n10  Vendor\n\t20  Device\n\t\t30 40  Board\nbad\n";

    #[test]
    fn names_by_number() {
        let names = Names::parse(FILE.as_bytes());
        assert_eq!(names.vendor(0x10), "Vendor");
        assert_eq!(names.vendor(0x11), "0x0011");
        assert_eq!(names.device(0x10, 0x20), "Device");
        assert_eq!(names.subsystem([0x10, 0x20, 0x30, 0x40]), "Board");
        assert_eq!(names.class(0x01_0802), "Express");
        assert_eq!(names.class(0x01_0801), "NVM");
        assert_eq!(names.class(0x02_0801), "Network");
        assert_eq!(names.class(0x03_0000), "0x030000");
        never_panics(FILE, Names::parse);
    }
}
