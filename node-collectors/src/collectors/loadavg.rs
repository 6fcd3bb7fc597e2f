//! `loadavg`: how many tasks want to run, averaged over 1, 5 and 15 minutes.
//!
//! Linux: the first three words of `/proc/loadavg` (proc_loadavg(5)). macOS: `vm.loadavg`.

mod macos;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Platform, Support};
use crate::error::Error;
use crate::kernel_file::KernelFile;
use crate::read::Buffer;
use crate::sys::Kernel;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "loadavg",
    linux: Support::On,
    macos: Support::On,
    summary: "Load averages over 1, 5 and 15 minutes.",
    sources: &["proc/loadavg", "sysctl vm.loadavg"],
    families: &["node_load1", "node_load5", "node_load15"],
    options: &[],
    build: |context| {
        Ok(match context.platform {
            Platform::MacOs => Box::new(macos::LoadAvg::new(Kernel)),
            Platform::Linux => Box::new(LoadAvg::new(context)),
        })
    },
};

struct LoadAvg {
    path: KernelFile,
}

impl LoadAvg {
    fn new(context: &Context<'_>) -> Self {
        Self {
            path: KernelFile::new(context.roots.proc("loadavg")),
        }
    }
}

impl Collector for LoadAvg {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        let content = buffer.kept(&self.path)?;
        let loads = parse(content).ok_or_else(|| Error::parse(&self.path, "three numbers expected"))?;
        emit(loads, out);
        Ok(Outcome::Data)
    }
}

fn parse(content: &[u8]) -> Option<[f64; 3]> {
    let mut words = text::fields(content);
    let mut next = || text::float(words.next()?);
    Some([next()?, next()?, next()?])
}

/// Writes the averages over 1, 5 and 15 minutes.
fn emit([one, five, fifteen]: [f64; 3], out: &mut Families) {
    out.single("node_load1", "1m load average.", MetricKind::Gauge, one);
    out.single("node_load5", "5m load average.", MetricKind::Gauge, five);
    out.single("node_load15", "15m load average.", MetricKind::Gauge, fifteen);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    #[test]
    fn linux() {
        let host = Host::new(&[("proc/loadavg", "0.21 0.37 0.39 1/719 19737\n")]);
        assert_eq!(
            host.samples(&DESCRIPTOR),
            ["node_load1 0.21", "node_load15 0.39", "node_load5 0.37"]
        );
        host.write("proc/loadavg", "0.21 0.37\n");
        let error = host
            .collector(&DESCRIPTOR, |_| ())
            .unwrap()
            .update(&mut Families::new())
            .unwrap_err();
        assert!(
            error.to_string().ends_with("loadavg: three numbers expected"),
            "{error}"
        );
        never_panics("0.21 0.37 0.39 1/719 19737\n", parse);
    }
}
