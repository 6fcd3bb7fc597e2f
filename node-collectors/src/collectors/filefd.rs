//! `filefd`: open files of the whole system and the limit on them, `/proc/sys/fs/file-nr` (proc_sys_fs(5)).

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::kernel_file::KernelFile;
use crate::read::Buffer;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "filefd",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Allocated file descriptors and their maximum.",
    sources: &["proc/sys/fs/file-nr"],
    families: &["node_filefd_*"],
    options: &[],
    build: |context| Ok(Box::new(FileFd::new(context))),
};

struct FileFd {
    path: KernelFile,
}

impl FileFd {
    fn new(context: &Context<'_>) -> Self {
        Self {
            path: KernelFile::new(context.roots.proc("sys/fs/file-nr")),
        }
    }
}

impl Collector for FileFd {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        let content = buffer.kept(&self.path)?;
        let (allocated, maximum) =
            parse(content).ok_or_else(|| Error::parse(&self.path, "three numbers with tabs expected"))?;
        let help = "File descriptor statistics: allocated.";
        out.single("node_filefd_allocated", help, MetricKind::Gauge, allocated);
        let help = "File descriptor statistics: maximum.";
        out.single("node_filefd_maximum", help, MetricKind::Gauge, maximum);
        Ok(Outcome::Data)
    }
}

/// The first and the third of the numbers, which tabs separate.
fn parse(content: &[u8]) -> Option<(f64, f64)> {
    let mut words = content.trim_ascii().split(|&byte| byte == b'\t');
    let allocated = text::float(words.next()?)?;
    words.next()?;
    Some((allocated, text::float(words.next()?)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    #[test]
    fn first_and_third_number() {
        let host = Host::new(&[("proc/sys/fs/file-nr", "1024\t0\t1631329\n")]);
        assert_eq!(
            host.samples(&DESCRIPTOR),
            ["node_filefd_allocated 1024", "node_filefd_maximum 1.631329e+06"]
        );
        never_panics("1024\t0\t1631329\n", parse);
    }
}
