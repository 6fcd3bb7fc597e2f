//! `kernel_hung`: tasks that the kernel found hung, `/proc/sys/kernel/hung_task_detect_count`
//! (Documentation/admin-guide/sysctl/kernel.rst).

use std::path::PathBuf;

use ferroalloy_model::Families;

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::sysfs::Sysfs;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "kernel_hung",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Tasks that the kernel found hung since boot.",
    sources: &["proc/sys/kernel/hung_task_detect_count"],
    families: &["node_kernel_hung_tasks_total"],
    options: &[],
    build: |context| Ok(Box::new(KernelHung::new(context))),
};

struct KernelHung {
    path: PathBuf,
    sysfs: Sysfs,
}

impl KernelHung {
    fn new(context: &Context<'_>) -> Self {
        Self {
            path: context.roots.proc("sys/kernel/hung_task_detect_count"),
            sysfs: context.sysfs(),
        }
    }
}

impl Collector for KernelHung {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let Some(count) = self.sysfs.unsigned_if_any(&self.path)? else {
            return Ok(Outcome::NoData);
        };
        let help = "Total number of tasks that have been detected as hung since the system booted.";
        emit::counter(out, "node_kernel_hung_tasks_total", help, &[], count as f64);
        Ok(Outcome::Data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Host;

    #[test]
    fn a_count_or_no_data() {
        let host = Host::new(&[("proc/sys/kernel/hung_task_detect_count", "3\n")]);
        assert_eq!(host.samples(&DESCRIPTOR), ["node_kernel_hung_tasks_total 3"]);
        let without = Host::new(&[]);
        let collector = without.collector(&DESCRIPTOR, |_| ()).unwrap();
        assert_eq!(collector.update(&mut Families::new()).unwrap(), Outcome::NoData);
    }
}
