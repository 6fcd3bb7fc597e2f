//! `rapl`: energy used by parts of the CPU, `sys/class/powercap` (Documentation/power/powercap/powercap.rst). Most
//! kernels let only root read it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ferroalloy_model::Families;

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::option::options;
use crate::read::entries;
use crate::sysfs::Sysfs;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "rapl",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Energy used, by zone of the power capping framework.",
    sources: &["sys/class/powercap/*"],
    families: &["node_rapl_*"],
    options: options! {
        "rapl.enable-zone-label" = rapl.enable_zone_label: bool, "Gives one family with a label for the zone.";
    },
    build: |context| Ok(Box::new(Rapl::new(context))),
};

/// Options of `rapl`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Gives one family with a label for the zone, not one for each zone.
    pub enable_zone_label: bool,
}

struct Rapl {
    class: PathBuf,
    sysfs: Sysfs,
    zone_label: bool,
}

impl Rapl {
    fn new(context: &Context<'_>) -> Self {
        Self {
            class: context.roots.sys("class/powercap"),
            sysfs: context.sysfs(),
            zone_label: context.options.rapl.enable_zone_label,
        }
    }
}

impl Collector for Rapl {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let folders = match entries(&self.class) {
            Ok(folders) => folders,
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
        // How many zones of a name there were.
        let mut seen = BTreeMap::<String, u64>::new();
        for folder in folders {
            let folder = self.class.join(folder);
            let Ok(name) = self.sysfs.text(&folder.join("name")) else {
                continue;
            };
            let (zone, index) = zone(&name, &mut seen);
            let joules = match self.sysfs.unsigned(&folder.join("energy_uj")) {
                Ok(microjoules) => microjoules as f64 / 1e6,
                Err(error) if error.is_permission_denied() => return Ok(Outcome::NoData),
                Err(error) => {
                    self.sysfs.lenient(Err::<(), _>(error))?;
                    continue;
                }
            };
            let path = folder.to_string_lossy();
            let labels = [("index", &*index), ("path", &*path), ("rapl_zone", &*zone)];
            if self.zone_label {
                let help = "Current RAPL value in joules";
                emit::counter(out, "node_rapl_joules_total", help, &labels, joules);
            } else {
                let name = format!("node_rapl_{}_joules_total", text::metric_name(&zone));
                let help = format!("Current RAPL {zone} value in joules");
                emit::counter(out, &name, &help, &labels[..2], joules);
            }
        }
        Ok(Outcome::Data)
    }
}

/// Name and index of a zone: `package-0` has its own, others are numbered as they come.
fn zone(name: &str, seen: &mut BTreeMap<String, u64>) -> (String, String) {
    if let Some((zone, index)) = name.rsplit_once('-')
        && text::decimal(index.as_bytes()).is_some()
    {
        return (zone.to_owned(), index.to_owned());
    }
    let count = seen.entry(name.to_owned()).or_default();
    let index = count.to_string();
    *count += 1;
    (name.to_owned(), index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, samples};

    #[test]
    fn zones() {
        let host = Host::new(&[
            ("sys/class/powercap/intel-rapl/enabled", "1\n"),
            ("sys/class/powercap/intel-rapl:0/name", "package-0\n"),
            ("sys/class/powercap/intel-rapl:0/energy_uj", "240422366267\n"),
            ("sys/class/powercap/intel-rapl:0:0/name", "core\n"),
            ("sys/class/powercap/intel-rapl:0:0/energy_uj", "118821284256\n"),
        ]);
        let path = host.path().join("sys/class/powercap").display().to_string();
        let expected = [
            format!(
                "node_rapl_core_joules_total{{index=\"0\",path=\"{path}/intel-rapl:0:0\"}} 118821.284256"
            ),
            format!(
                "node_rapl_package_joules_total{{index=\"0\",path=\"{path}/intel-rapl:0\"}} 240422.366267"
            ),
        ];
        assert_eq!(host.samples(&DESCRIPTOR), expected);
        let collector = host
            .collector(&DESCRIPTOR, |options| options.rapl.enable_zone_label = true)
            .unwrap();
        assert!(samples(collector.as_ref())[1].contains("rapl_zone=\"core\""));
    }
}
