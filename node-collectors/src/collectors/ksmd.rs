//! `ksmd`: merging of equal pages, `sys/kernel/mm/ksm` (Documentation/admin-guide/mm/ksm.rst).

use std::path::PathBuf;

use ferroalloy_model::Families;

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::sysfs::{Sysfs, if_any};
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "ksmd",
    linux: Support::Off,
    macos: Support::Absent,
    summary: "What the kernel samepage merging daemon has done.",
    sources: &["sys/kernel/mm/ksm/*"],
    families: &["node_ksmd_*"],
    options: &[],
    build: |context| Ok(Box::new(Ksmd::new(context))),
};

/// File, family, HELP.
static FILES: [(&str, &str, &str); 10] = [
    (
        "full_scans",
        "node_ksmd_full_scans_total",
        "How many times all mergeable areas have been scanned.",
    ),
    (
        "general_profit",
        "node_ksmd_general_profit_bytes",
        "How effective is KSM. ksm_saved_pages * sizeof(page) - (all_rmap_items) * sizeof(rmap_item)",
    ),
    (
        "merge_across_nodes",
        "node_ksmd_merge_across_nodes",
        "Specifies if pages from different NUMA nodes can be merged.",
    ),
    (
        "pages_shared",
        "node_ksmd_pages_shared",
        "How many shared pages are being used.",
    ),
    (
        "pages_sharing",
        "node_ksmd_pages_sharing",
        "How many more sites are sharing them i.e. how much saved.",
    ),
    (
        "pages_to_scan",
        "node_ksmd_pages_to_scan",
        "How many pages to scan before ksmd goes to sleep.",
    ),
    (
        "pages_unshared",
        "node_ksmd_pages_unshared",
        "How many pages unique but repeatedly checked for merging.",
    ),
    (
        "pages_volatile",
        "node_ksmd_pages_volatile",
        "How many pages changing too fast to be placed in a tree.",
    ),
    (
        "run",
        "node_ksmd_run",
        "The status of ksmd. stopped = 0, running = 1",
    ),
    (
        "sleep_millisecs",
        "node_ksmd_sleep_seconds",
        "How many seconds ksmd should sleep before next scan.",
    ),
];

struct Ksmd {
    folder: PathBuf,
    sysfs: Sysfs,
}

impl Ksmd {
    fn new(context: &Context<'_>) -> Self {
        Self {
            folder: context.roots.sys("kernel/mm/ksm"),
            sysfs: context.sysfs(),
        }
    }
}

impl Collector for Ksmd {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        for (file, name, help) in FILES {
            let path = self.folder.join(file);
            // The profit may be negative, which node_exporter fails of.
            let value = if self.sysfs.is_compat() {
                if_any(self.sysfs.unsigned(&path))?.map(|value| value as f64)
            } else {
                let value = if_any(self.sysfs.parsed(&path, text::signed))?;
                value.map(|value| value as f64)
            };
            let Some(value) = value else { continue };
            match file {
                "full_scans" => emit::counter(out, name, help, &[], value),
                "sleep_millisecs" => emit::gauge(out, name, help, &[], value / 1000.0),
                _ => emit::gauge(out, name, help, &[], value),
            }
        }
        Ok(Outcome::Data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mode::Mode;
    use crate::testing::Host;

    #[test]
    fn what_is_there_is_given() {
        let host = Host::new(&[
            ("sys/kernel/mm/ksm/full_scans", "323\n"),
            ("sys/kernel/mm/ksm/sleep_millisecs", "20\n"),
            ("sys/kernel/mm/ksm/general_profit", "-8\n"),
        ]);
        let expected = [
            "node_ksmd_full_scans_total 323",
            "node_ksmd_general_profit_bytes -8",
            "node_ksmd_sleep_seconds 0.02",
        ];
        assert_eq!(host.samples(&DESCRIPTOR), expected);
        let compat = host.collector_as(Mode::Compat, &DESCRIPTOR, |_| ()).unwrap();
        assert!(compat.update(&mut Families::new()).is_err());
    }
}
