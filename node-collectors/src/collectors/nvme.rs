//! `nvme`: NVMe controllers and their namespaces, `sys/class/nvme` (drivers/nvme/host/sysfs.c).

use std::path::{Path, PathBuf};

use ferroalloy_model::Families;

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::read::{entries, entries_if_any};
use crate::sysfs::Sysfs;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "nvme",
    linux: Support::On,
    macos: Support::Absent,
    summary: "NVMe controllers and the size and use of their namespaces.",
    sources: &["sys/class/nvme/*"],
    families: &["node_nvme_*"],
    options: &[],
    build: |context| Ok(Box::new(Nvme::new(context))),
};

struct Nvme {
    class: PathBuf,
    sysfs: Sysfs,
}

impl Nvme {
    fn new(context: &Context<'_>) -> Self {
        Self {
            class: context.roots.sys("class/nvme"),
            sysfs: context.sysfs(),
        }
    }

    fn controller(&self, device: &str, out: &mut Families) -> Result<(), Error> {
        let folder = self.class.join(device);
        let text = |file: &str| self.sysfs.lenient(self.sysfs.text(&folder.join(file)));
        let files = [
            ("cntlid", "cntlid"),
            ("firmware_revision", "firmware_rev"),
            ("model", "model"),
            ("serial", "serial"),
            ("state", "state"),
        ];
        let mut values = Vec::with_capacity(files.len());
        for (label, file) in files {
            values.push((label, text(file)?.unwrap_or_default()));
        }
        let device = ("device", device);
        let mut labels = vec![device];
        labels.extend(values.iter().map(|(label, value)| (*label, &**value)));
        let help = "Non-numeric data from /sys/class/nvme/<device>, value is always 1.";
        emit::gauge(out, "node_nvme_info", help, &labels, 1.0);
        for name in entries_if_any(&folder)? {
            if let Some(id) = namespace_id(&name) {
                let namespace = self.namespace(&folder.join(&name));
                if let Some(namespace) = self.sysfs.lenient(namespace)? {
                    namespace.emit(device, ("nsid", id), out);
                }
            }
        }
        Ok(())
    }

    fn namespace(&self, folder: &Path) -> Result<Namespace, Error> {
        let number = |file: &str| {
            self.sysfs
                .unsigned(&folder.join(file))
                .map(|number| number as f64)
        };
        let state = self.sysfs.text_if_any(&folder.join("ana_state"))?;
        let block = number("queue/logical_block_size")?;
        // The kernel counts sectors of 512 bytes; node_exporter multiplies by the size of a block.
        let size = number("size")? * if self.sysfs.is_compat() { block } else { 512.0 };
        Ok(Namespace {
            state: state.unwrap_or_else(|| "unknown".to_owned()),
            size,
            used: number("nuse")? * block,
            block,
        })
    }
}

struct Namespace {
    state: String,
    /// Bytes, as the other two.
    size: f64,
    used: f64,
    block: f64,
}

impl Namespace {
    fn emit(&self, device: (&str, &str), id: (&str, &str), out: &mut Families) {
        let help = "Information about NVMe namespaces. Value is always 1";
        let labels = [("ana_state", &*self.state), device, id];
        emit::gauge(out, "node_nvme_namespace_info", help, &labels, 1.0);
        for (name, help, value) in [
            (
                "node_nvme_namespace_capacity_bytes",
                "Capacity of the NVMe namespace in bytes. Computed as namespace_size * namespace_logical_block_size",
                self.size,
            ),
            (
                "node_nvme_namespace_size_bytes",
                "Size of the NVMe namespace in bytes. Available in /sys/class/nvme/<device>/<namespace>/size",
                self.size,
            ),
            (
                "node_nvme_namespace_used_bytes",
                "Used space of the NVMe namespace in bytes. Available in /sys/class/nvme/<device>/<namespace>/nuse",
                self.used,
            ),
            (
                "node_nvme_namespace_logical_block_size_bytes",
                "Logical block size of the NVMe namespace in bytes. Usually 4Kb. Available in /sys/class/nvme/<device>/<namespace>/queue/logical_block_size",
                self.block,
            ),
        ] {
            emit::gauge(out, name, help, &[device, id], value);
        }
    }
}

/// The number after `n` of `nvme0n1`, wherever such a name stands in `name`.
fn namespace_id(name: &str) -> Option<&str> {
    let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    name.match_indices("nvme").find_map(|(at, found)| {
        let rest = name.get(at + found.len()..)?;
        let rest = rest.get(digits(rest)..).filter(|_| digits(rest) > 0)?;
        let rest = rest.strip_prefix('n')?;
        rest.get(..digits(rest)).filter(|id| !id.is_empty())
    })
}

impl Collector for Nvme {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let devices = match entries(&self.class) {
            Ok(devices) => devices,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Outcome::NoData),
            Err(error) => return Err(Error::read(&self.class, error)),
        };
        for device in devices {
            self.sysfs.lenient(self.controller(&device, out))?;
        }
        Ok(Outcome::Data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Host;

    #[test]
    fn sizes() {
        let host = Host::new(&[
            ("sys/class/nvme/nvme0/cntlid", "1997\n"),
            ("sys/class/nvme/nvme0/firmware_rev", "1B2QEXP7\n"),
            ("sys/class/nvme/nvme0/model", "Samsung SSD\n"),
            ("sys/class/nvme/nvme0/serial", "S680\n"),
            ("sys/class/nvme/nvme0/state", "live\n"),
            ("sys/class/nvme/nvme0/nvme0n1/nuse", "488281250\n"),
            ("sys/class/nvme/nvme0/nvme0n1/size", "3906250000\n"),
            ("sys/class/nvme/nvme0/nvme0n1/queue/logical_block_size", "4096\n"),
        ]);
        let size =
            |bytes: &str| format!("node_nvme_namespace_size_bytes{{device=\"nvme0\",nsid=\"1\"}} {bytes}");
        let fixed = host.samples(&DESCRIPTOR);
        assert_eq!(fixed.len(), 6);
        assert!(fixed.contains(&size("2e+12")), "{fixed:#?}");
        assert!(host.compat_samples(&DESCRIPTOR).contains(&size("1.6e+13")));
        host.write("sys/class/nvme/nvme1/model", "vanishing\n");
        assert_eq!(host.samples(&DESCRIPTOR).len(), 7);
        assert_eq!(namespace_id("nvme0n12"), Some("12"));
        assert_eq!(namespace_id("nvme0c1n1"), None);
        assert_eq!(namespace_id("nvmen1"), None);
    }
}
