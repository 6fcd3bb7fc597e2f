//! `nvmesubsystem`: paths to NVMe subsystems, `sys/class/nvme-subsystem` (drivers/nvme/host/sysfs.c).

use std::path::PathBuf;

use ferroalloy_model::Families;

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::read::{entries, entries_if_any};
use crate::sysfs::Sysfs;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "nvmesubsystem",
    linux: Support::Off,
    macos: Support::Absent,
    summary: "NVMe subsystems and the state of the paths to them.",
    sources: &["sys/class/nvme-subsystem/*"],
    families: &["node_nvmesubsystem_*"],
    options: &[],
    build: |context| Ok(Box::new(NvmeSubsystem::new(context))),
};

/// The states of a path; what else is said counts as unknown.
static STATES: [&str; 7] = [
    "connecting",
    "dead",
    "deleting",
    "live",
    "new",
    "resetting",
    "unknown",
];

struct NvmeSubsystem {
    class: PathBuf,
    sysfs: Sysfs,
}

impl NvmeSubsystem {
    fn new(context: &Context<'_>) -> Self {
        Self {
            class: context.roots.sys("class/nvme-subsystem"),
            sysfs: context.sysfs(),
        }
    }

    fn subsystem(&self, name: &str, out: &mut Families) -> Result<(), Error> {
        let folder = self.class.join(name);
        let text = |file: &str| self.sysfs.text(&folder.join(file));
        let (nqn, model, serial, policy) = (
            text("subsysnqn")?,
            text("model")?,
            text("serial")?,
            text("iopolicy")?,
        );
        let subsystem = ("subsystem", name);
        let labels = [
            subsystem,
            ("nqn", &*nqn),
            ("model", &*model),
            ("serial", &*serial),
            ("iopolicy", &*policy),
        ];
        let help = "Non-numeric information about an NVMe subsystem.";
        emit::gauge(out, "node_nvmesubsystem_info", help, &labels, 1.0);
        let (mut paths, mut live) = (0_u32, 0_u32);
        for entry in entries_if_any(&folder)? {
            let Some(rest) = entry.strip_prefix("nvme") else {
                continue;
            };
            if rest.contains('n') && !rest.contains('c') {
                let help = "Maps an NVMe namespace block device to its subsystem.";
                let labels = [subsystem, ("device", &*entry)];
                emit::gauge(out, "node_nvmesubsystem_namespace_info", help, &labels, 1.0);
            } else if text::decimal(rest.as_bytes()).is_some() {
                let path = folder.join(&entry);
                let state = self.sysfs.text(&path.join("state")).unwrap_or_default();
                let transport = self.sysfs.text(&path.join("transport")).unwrap_or_default();
                let state = match &*state {
                    "deleting (no IO)" => "deleting",
                    state => STATES
                        .into_iter()
                        .find(|known| *known == state)
                        .unwrap_or("unknown"),
                };
                paths += 1;
                live += u32::from(state == "live");
                for known in STATES {
                    let help =
                        "Current NVMe controller path state (1 for the current state, 0 for all others).";
                    let labels = [
                        subsystem,
                        ("controller", &*entry),
                        ("transport", &*transport),
                        ("state", known),
                    ];
                    let value = f64::from(u8::from(known == state));
                    emit::gauge(out, "node_nvmesubsystem_path_state", help, &labels, value);
                }
            }
        }
        let help = "Number of controller paths for an NVMe subsystem.";
        emit::gauge(out, "node_nvmesubsystem_paths", help, &[subsystem], paths.into());
        let help = "Number of controller paths in live state for an NVMe subsystem.";
        emit::gauge(
            out,
            "node_nvmesubsystem_paths_live",
            help,
            &[subsystem],
            live.into(),
        );
        Ok(())
    }
}

impl Collector for NvmeSubsystem {
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
        for name in names.iter().filter(|name| name.starts_with("nvme-subsys")) {
            self.sysfs.lenient(self.subsystem(name, out))?;
        }
        Ok(Outcome::Data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Host;

    #[test]
    fn paths_by_state() {
        let folder = "sys/class/nvme-subsystem/nvme-subsys0";
        let host = Host::new(&[]);
        for (file, content) in [
            ("subsysnqn", "nqn.x"),
            ("model", "M"),
            ("serial", "S"),
            ("iopolicy", "numa"),
            ("nvme0/state", "deleting (no IO)"),
            ("nvme0/transport", "fc"),
            ("nvme1/state", "live"),
            ("nvme1/transport", "tcp"),
            ("nvme0n1/x", ""),
            ("nvme0c1n1/x", ""),
        ] {
            host.write(&format!("{folder}/{file}"), content);
        }
        let samples = host.samples(&DESCRIPTOR);
        assert_eq!(samples.len(), 1 + 1 + 14 + 2, "{samples:#?}");
        assert!(samples.contains(&"node_nvmesubsystem_paths_live{subsystem=\"nvme-subsys0\"} 1".to_owned()));
        let deleting = "node_nvmesubsystem_path_state{controller=\"nvme0\",state=\"deleting\",subsystem=\"nvme-subsys0\",transport=\"fc\"} 1";
        assert!(samples.contains(&deleting.to_owned()));
    }
}
