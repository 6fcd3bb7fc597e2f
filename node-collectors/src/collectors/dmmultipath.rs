//! `dmmultipath`: multipath devices of the device mapper, `sys/block/dm-*`
//! (Documentation/ABI/testing/sysfs-block-dm).

use std::path::PathBuf;

use ferroalloy_model::Families;

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::read::{entries, entries_if_any};
use crate::sysfs::Sysfs;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "dmmultipath",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Multipath devices and the state of their paths.",
    sources: &[
        "sys/block/dm-*/dm/{name,uuid,suspended}",
        "sys/block/dm-*/{size,slaves}",
        "sys/block/*/device/state",
    ],
    families: &["node_dmmultipath_*"],
    options: &[],
    build: |context| Ok(Box::new(DmMultipath::new(context))),
};

struct DmMultipath {
    block: PathBuf,
    sysfs: Sysfs,
}

impl DmMultipath {
    fn new(context: &Context<'_>) -> Self {
        Self {
            block: context.roots.sys("block"),
            sysfs: context.sysfs(),
        }
    }

    /// The device, if it is a multipath one.
    fn device(&self, sysfs_name: &str) -> Result<Option<Device>, Error> {
        let folder = self.block.join(sysfs_name);
        let Some(uuid) = self.sysfs.text_if_any(&folder.join("dm/uuid"))? else {
            return Ok(None);
        };
        if !uuid.starts_with("mpath-") {
            return Ok(None);
        }
        let mut paths = Vec::new();
        for name in entries_if_any(&folder.join("slaves"))? {
            let state = self.sysfs.text(&self.block.join(&name).join("device/state"));
            let state = state.unwrap_or_else(|_| "unknown".to_owned());
            paths.push((name, state));
        }
        Ok(Some(Device {
            name: self.sysfs.text(&folder.join("dm/name"))?,
            uuid,
            suspended: self.sysfs.text(&folder.join("dm/suspended"))? == "1",
            sectors: self.sysfs.unsigned(&folder.join("size"))?,
            paths,
        }))
    }
}

struct Device {
    name: String,
    uuid: String,
    suspended: bool,
    /// 512 bytes each.
    sectors: u64,
    /// Name and state.
    paths: Vec<(String, String)>,
}

impl Collector for DmMultipath {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let names = match entries(&self.block) {
            Ok(names) => names,
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied
                ) =>
            {
                return Ok(Outcome::NoData);
            }
            Err(error) => return Err(Error::read(&self.block, error)),
        };
        for sysfs_name in names.iter().filter(|name| name.starts_with("dm-")) {
            if let Some(Some(device)) = self.sysfs.lenient(self.device(sysfs_name))? {
                device.emit(sysfs_name, out);
            }
        }
        Ok(Outcome::Data)
    }
}

impl Device {
    fn emit(&self, sysfs_name: &str, out: &mut Families) {
        let (device, sysfs_name) = (("device", &*self.name), ("sysfs_name", sysfs_name));
        let help = "Non-numeric information about a DM-multipath device.";
        let labels = [device, sysfs_name, ("uuid", &*self.uuid)];
        emit::gauge(out, "node_dmmultipath_device_info", help, &labels, 1.0);
        let paths = self.paths.len() as f64;
        // A path over SCSI is `running`, one over NVMe `live`.
        let live = |state: &String| matches!(&**state, "running" | "live");
        let active = self.paths.iter().filter(|(_, state)| live(state)).count() as f64;
        for (name, help, value) in [
            (
                "node_dmmultipath_device_active",
                "Whether the multipath device-mapper device is active (1) or suspended (0).",
                f64::from(u8::from(!self.suspended)),
            ),
            (
                "node_dmmultipath_device_size_bytes",
                "Size of the multipath device in bytes, read from /sys/block/<dm>/size.",
                self.sectors as f64 * 512.0,
            ),
            (
                "node_dmmultipath_device_paths",
                "Number of paths for a multipath device.",
                paths,
            ),
            (
                "node_dmmultipath_device_paths_active",
                "Number of paths in active state (SCSI running or NVMe live) for a multipath device.",
                active,
            ),
            (
                "node_dmmultipath_device_paths_failed",
                "Number of paths not in active state for a multipath device.",
                paths - active,
            ),
        ] {
            emit::gauge(out, name, help, &[device, sysfs_name], value);
        }
        for (path, state) in &self.paths {
            let help = "Reports the underlying device state for a multipath path, as read from /sys/block/<dev>/device/state.";
            let labels = [device, ("path", &**path), ("state", &**state)];
            emit::gauge(out, "node_dmmultipath_path_state", help, &labels, 1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Host;

    #[test]
    fn paths_by_state() {
        let host = Host::new(&[
            ("sys/block/dm-5/dm/uuid", "mpath-36"),
            ("sys/block/dm-5/dm/name", "mpathA"),
            ("sys/block/dm-5/dm/suspended", "0"),
            ("sys/block/dm-5/size", "104857600"),
            ("sys/block/dm-5/slaves/sdi/x", ""),
            ("sys/block/dm-5/slaves/sdl/x", ""),
            ("sys/block/sdi/device/state", "running\n"),
            ("sys/block/sdl/device/state", "offline\n"),
            ("sys/block/dm-6/dm/uuid", "mpath-half-gone"),
            ("sys/block/dm-7/dm/uuid", "LVM-abc"),
        ]);
        let device = "{device=\"mpathA\",sysfs_name=\"dm-5\"}";
        let expected = [
            format!("node_dmmultipath_device_active{device} 1"),
            "node_dmmultipath_device_info{device=\"mpathA\",sysfs_name=\"dm-5\",uuid=\"mpath-36\"} 1"
                .to_owned(),
            format!("node_dmmultipath_device_paths{device} 2"),
            format!("node_dmmultipath_device_paths_active{device} 1"),
            format!("node_dmmultipath_device_paths_failed{device} 1"),
            format!("node_dmmultipath_device_size_bytes{device} 5.36870912e+10"),
            "node_dmmultipath_path_state{device=\"mpathA\",path=\"sdi\",state=\"running\"} 1".to_owned(),
            "node_dmmultipath_path_state{device=\"mpathA\",path=\"sdl\",state=\"offline\"} 1".to_owned(),
        ];
        assert_eq!(host.samples(&DESCRIPTOR), expected);
    }
}
