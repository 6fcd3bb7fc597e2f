//! `cpu_vulnerabilities`: what the kernel knows and does about faults of the CPU,
//! `sys/devices/system/cpu/vulnerabilities` (Documentation/ABI/testing/sysfs-devices-system-cpu).

use std::path::PathBuf;

use ferroalloy_model::Families;

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::read::entries_if_any;
use crate::sysfs::Sysfs;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "cpu_vulnerabilities",
    linux: Support::Off,
    macos: Support::Absent,
    summary: "State and mitigation of known faults of the CPU.",
    sources: &["sys/devices/system/cpu/vulnerabilities/*"],
    families: &["node_cpu_vulnerabilities_info"],
    options: &[],
    build: |context| Ok(Box::new(Vulnerabilities::new(context))),
};

struct Vulnerabilities {
    folder: PathBuf,
    sysfs: Sysfs,
}

impl Vulnerabilities {
    fn new(context: &Context<'_>) -> Self {
        Self {
            folder: context.roots.sys("devices/system/cpu/vulnerabilities"),
            sysfs: context.sysfs(),
        }
    }
}

impl Collector for Vulnerabilities {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let help = "Details of each CPU vulnerability reported by sysfs. The value of the series is an int encoded state of the vulnerability. The same state is stored as a string in the label";
        for name in entries_if_any(&self.folder)? {
            let Some(content) = self.sysfs.lenient(self.sysfs.text(&self.folder.join(&name)))? else {
                continue;
            };
            let (state, mitigation) = parse(&content);
            let labels = [
                ("codename", &*name),
                ("mitigation", &*mitigation),
                ("state", state),
            ];
            emit::gauge(out, "node_cpu_vulnerabilities_info", help, &labels, 1.0);
        }
        Ok(Outcome::Data)
    }
}

/// State, and what else is said.
fn parse(content: &str) -> (&'static str, String) {
    let state = ["not affected", "vulnerable", "mitigation", "unknown"]
        .into_iter()
        .find(|state| {
            content
                .get(..state.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(state))
        });
    let Some(state) = state else {
        return ("unknown", content.to_owned());
    };
    let rest = content.get(state.len()..).unwrap_or_default();
    let words: Vec<_> = rest
        .trim_start_matches([':', ';', ','])
        .split_whitespace()
        .collect();
    (state, words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Host;

    #[test]
    fn states_and_mitigations() {
        let said = |content| {
            let (state, mitigation) = parse(content);
            format!("{state}|{mitigation}")
        };
        assert_eq!(said("Not affected"), "not affected|");
        assert_eq!(said("Mitigation: PTI"), "mitigation|PTI");
        assert_eq!(
            said("Vulnerable: Clear CPU buffers  attempted"),
            "vulnerable|Clear CPU buffers attempted"
        );
        assert_eq!(
            said("KVM: Mitigation: Split huge pages"),
            "unknown|KVM: Mitigation: Split huge pages"
        );
        let host = Host::new(&[("sys/devices/system/cpu/vulnerabilities/mds", "Not affected\n")]);
        assert_eq!(
            host.samples(&DESCRIPTOR),
            ["node_cpu_vulnerabilities_info{codename=\"mds\",mitigation=\"\",state=\"not affected\"} 1"]
        );
    }
}
