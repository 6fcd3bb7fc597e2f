//! `dmi`: what the firmware says of the machine, `sys/class/dmi/id` (drivers/firmware/dmi-id.c); read
//! once, since it does not change.

use std::path::{Path, PathBuf};

use ferroalloy_model::Families;

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::sysfs::Sysfs;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "dmi",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Vendor, model, serial numbers and firmware of the machine.",
    sources: &["sys/class/dmi/id/*"],
    families: &["node_dmi_info"],
    options: &[],
    build: |context| Ok(Box::new(Dmi::new(context))),
};

/// Label and file; they differ for one.
static FIELDS: [(&str, &str); 20] = [
    ("bios_date", "bios_date"),
    ("bios_release", "bios_release"),
    ("bios_vendor", "bios_vendor"),
    ("bios_version", "bios_version"),
    ("board_asset_tag", "board_asset_tag"),
    ("board_name", "board_name"),
    ("board_serial", "board_serial"),
    ("board_vendor", "board_vendor"),
    ("board_version", "board_version"),
    ("chassis_asset_tag", "chassis_asset_tag"),
    ("chassis_serial", "chassis_serial"),
    ("chassis_vendor", "chassis_vendor"),
    ("chassis_version", "chassis_version"),
    ("product_family", "product_family"),
    ("product_name", "product_name"),
    ("product_serial", "product_serial"),
    ("product_sku", "product_sku"),
    ("product_uuid", "product_uuid"),
    ("product_version", "product_version"),
    ("system_vendor", "sys_vendor"),
];

/// Label and value of what could be read.
type Labels = Vec<(&'static str, String)>;

struct Dmi {
    folder: PathBuf,
    sysfs: Sysfs,
    /// Absent while a file cannot be read that node_exporter fails for.
    labels: Option<Labels>,
}

impl Dmi {
    fn new(context: &Context<'_>) -> Self {
        let folder = context.roots.sys("class/dmi/id");
        let sysfs = context.sysfs();
        let labels = read(&folder, sysfs).ok();
        Self {
            folder,
            sysfs,
            labels,
        }
    }
}

fn read(folder: &Path, sysfs: Sysfs) -> Result<Labels, Error> {
    let mut labels = Vec::new();
    for (label, file) in FIELDS {
        match sysfs.text(&folder.join(file)) {
            // Serial numbers are for root only.
            Err(error) if error.is_not_found() || error.is_permission_denied() => {}
            result => labels.extend(sysfs.lenient(result)?.map(|value| (label, value))),
        }
    }
    Ok(labels)
}

impl Collector for Dmi {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let again;
        let labels = match &self.labels {
            Some(labels) => labels,
            None => {
                again = read(&self.folder, self.sysfs)?;
                &again
            }
        };
        if labels.is_empty() {
            return Ok(Outcome::NoData);
        }
        let labels: Vec<_> = labels.iter().map(|(label, value)| (*label, &**value)).collect();
        emit::gauge(
            out,
            "node_dmi_info",
            "A metric with a constant '1' value labeled by bios_date, bios_release, bios_vendor, bios_version, board_asset_tag, board_name, board_serial, board_vendor, board_version, chassis_asset_tag, chassis_serial, chassis_vendor, chassis_version, product_family, product_name, product_serial, product_sku, product_uuid, product_version, system_vendor if provided by DMI.",
            &labels,
            1.0,
        );
        Ok(Outcome::Data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Host;

    #[test]
    fn labels_are_what_can_be_read() {
        let host = Host::new(&[
            ("sys/class/dmi/id/bios_vendor", "Dell Inc.\n"),
            ("sys/class/dmi/id/chassis_version", "\n"),
            ("sys/class/dmi/id/sys_vendor", "Dell Inc.\n"),
        ]);
        assert_eq!(
            host.samples(&DESCRIPTOR),
            ["node_dmi_info{bios_vendor=\"Dell Inc.\",chassis_version=\"\",system_vendor=\"Dell Inc.\"} 1"]
        );
        let none = Host::new(&[]).collector(&DESCRIPTOR, |_| ()).unwrap();
        assert_eq!(none.update(&mut Families::new()).unwrap(), Outcome::NoData);
    }
    #[test]
    fn what_cannot_be_read_fails_the_collector_or_is_left_out_and_never_hinders_the_others() {
        // Found by the fuzz target: the folder of a file is a file.
        let host = Host::new(&[("sys/class/dmi", "")]);
        let compat = host
            .collector_as(crate::Mode::Compat, &DESCRIPTOR, |_| ())
            .unwrap();
        assert!(compat.update(&mut Families::new()).is_err());
        let fixed = host.collector(&DESCRIPTOR, |_| ()).unwrap();
        assert_eq!(fixed.update(&mut Families::new()).unwrap(), Outcome::NoData);
    }
}
