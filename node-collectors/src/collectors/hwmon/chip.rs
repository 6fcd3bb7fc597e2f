//! Chips and their labels: bus and device, else the chip's name, else the folder's. Labels are unique.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::clean;
use crate::error::Error;
use crate::read::{Buffer, entries};
use crate::text;

/// A folder of sensors.
#[derive(Debug)]
pub(super) struct Chip {
    pub(super) folder: PathBuf,
    pub(super) label: String,
    /// The cleaned content of the file `name`, if that says anything.
    pub(super) name: Option<String>,
}

/// The chips below `class`; `None` if there is no such folder.
pub(super) fn find(class: &Path) -> Result<Option<Vec<Chip>>, Error> {
    let names = match entries(class) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::read(class, error)),
    };
    let mut chips: Vec<Chip> = names
        .iter()
        .map(|entry| class.join(entry))
        .filter(|folder| folder.is_dir())
        .map(|folder| {
            let name = name(&folder);
            let label = device(&folder)
                .or_else(|| name.clone())
                .unwrap_or_else(|| last_part(&folder));
            Chip { folder, label, name }
        })
        .collect();
    tell_apart(&mut chips);
    Ok(Some(chips))
}

fn name(folder: &Path) -> Option<String> {
    let mut buffer = Buffer::take();
    let content = buffer.attribute(&folder.join("name")).ok()?;
    Some(clean(&text::utf8(content))).filter(|name| !name.is_empty())
}

/// `platform_coretemp_0` for a chip whose device is `…/platform/coretemp.0`.
fn device(folder: &Path) -> Option<String> {
    let device = folder.join("device").canonicalize().ok()?;
    let part = |path: Option<&Path>| path.map(last_part).unwrap_or_default();
    let (bus, name) = (part(device.parent()), last_part(&device));
    match (bus.is_empty(), name.is_empty()) {
        (_, true) => None,
        (true, false) => Some(name),
        (false, false) => Some(format!("{bus}_{name}")),
    }
}

/// The cleaned last part of a path.
fn last_part(path: &Path) -> String {
    let real = path.canonicalize();
    let part = real.as_deref().unwrap_or(path).file_name().unwrap_or_default();
    clean(&text::utf8(part.as_encoded_bytes()))
}

/// Several chips of one device get their name behind the label, or where names are equal too, that of their folder.
fn tell_apart(chips: &mut [Chip]) {
    let mut same: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, chip) in chips.iter().enumerate() {
        same.entry(chip.label.clone()).or_default().push(at);
    }
    for group in same.values().filter(|group| group.len() > 1) {
        let suffixes: Vec<String> = group
            .iter()
            .map(|&at| {
                let name = chips[at].name.as_ref();
                let unique = |name: &&String| {
                    group
                        .iter()
                        .filter(|&&other| chips[other].name.as_ref() == Some(*name))
                        .count()
                        == 1
                };
                name.filter(unique)
                    .cloned()
                    .unwrap_or_else(|| last_part(&chips[at].folder))
            })
            .collect();
        for (&at, suffix) in group.iter().zip(suffixes) {
            chips[at].label = format!("{}_{suffix}", chips[at].label);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_told_apart() {
        let chip = |folder: &str, name: Option<&str>| Chip {
            folder: folder.into(),
            label: "phy0".to_owned(),
            name: name.map(str::to_owned),
        };
        let mut chips = [
            chip("/x/hwmon0", Some("a")),
            chip("/x/hwmon1", Some("b")),
            chip("/x/hwmon2", Some("b")),
            chip("/x/hwmon3", None),
        ];
        tell_apart(&mut chips);
        let labels: Vec<_> = chips.iter().map(|chip| &*chip.label).collect();
        assert_eq!(labels, ["phy0_a", "phy0_hwmon1", "phy0_hwmon2", "phy0_hwmon3"]);
        tell_apart(&mut chips[..1]);
        assert_eq!(chips[0].label, "phy0_a");
    }
}
