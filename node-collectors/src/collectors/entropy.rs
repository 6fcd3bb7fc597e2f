//! `entropy`: the kernel's pool of randomness, random(4).

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::kernel_file::KernelFile;
use crate::read::Buffer;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "entropy",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Available entropy and the size of its pool.",
    sources: &[
        "proc/sys/kernel/random/entropy_avail",
        "proc/sys/kernel/random/poolsize",
    ],
    families: &["node_entropy_*"],
    options: &[],
    build: |context| Ok(Box::new(Entropy::new(context))),
};

struct Entropy {
    available: KernelFile,
    pool_size: KernelFile,
}

impl Entropy {
    fn new(context: &Context<'_>) -> Self {
        Self {
            available: KernelFile::new(context.roots.proc("sys/kernel/random/entropy_avail")),
            pool_size: KernelFile::new(context.roots.proc("sys/kernel/random/poolsize")),
        }
    }
}

impl Collector for Entropy {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let (available, pool_size) = (number(&self.available)?, number(&self.pool_size)?);
        let help = "Bits of available entropy.";
        out.single(
            "node_entropy_available_bits",
            help,
            MetricKind::Gauge,
            available as f64,
        );
        let help = "Bits of entropy pool.";
        out.single(
            "node_entropy_pool_size_bits",
            help,
            MetricKind::Gauge,
            pool_size as f64,
        );
        Ok(Outcome::Data)
    }
}

fn number(path: &KernelFile) -> Result<u64, Error> {
    let mut buffer = Buffer::take();
    let content = buffer.kept(path)?;
    text::decimal(content.trim_ascii()).ok_or_else(|| Error::parse(path, "a number expected"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Host;

    #[test]
    fn both_files_are_needed() {
        let host = Host::new(&[("proc/sys/kernel/random/entropy_avail", "1337\n")]);
        let collector = host.collector(&DESCRIPTOR, |_| ()).unwrap();
        assert!(collector.update(&mut Families::new()).unwrap_err().is_not_found());
        host.write("proc/sys/kernel/random/poolsize", "4096\n");
        assert_eq!(
            host.samples(&DESCRIPTOR),
            [
                "node_entropy_available_bits 1337",
                "node_entropy_pool_size_bits 4096"
            ]
        );
        host.write("proc/sys/kernel/random/poolsize", "x\n");
        assert!(collector.update(&mut Families::new()).is_err());
    }
}
