//! `vmstat`: counters of the virtual memory system, the lines of `/proc/vmstat` (proc_vmstat(5)) whose key an
//! expression accepts, under the kernel's own names.

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::filter::Pattern;
use crate::kernel_file::KernelFile;
use crate::option::options;
use crate::read::Buffer;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "vmstat",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Paging, swapping and out-of-memory counters.",
    sources: &["proc/vmstat"],
    families: &["node_vmstat_*"],
    options: options! {
        "vmstat.fields" = vmstat.fields: String, "Fields of the file to give (expression).";
    },
    build: |context| Ok(Box::new(VmStat::new(context)?)),
};

/// Options of `vmstat`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Expression that a field's name has to match.
    pub fields: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            fields: "^(oom_kill|pgpg|pswp|pg.*fault).*".to_owned(),
        }
    }
}

struct VmStat {
    path: KernelFile,
    /// Without one, every field is given: an empty expression matches all.
    fields: Option<Pattern>,
}

impl VmStat {
    fn new(context: &Context<'_>) -> Result<Self, Error> {
        let fields = Pattern::compile("vmstat.fields", &context.options.vmstat.fields)?;
        Ok(Self {
            path: KernelFile::new(context.roots.proc("vmstat")),
            fields,
        })
    }
}

impl Collector for VmStat {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        let content = buffer.kept(&self.path)?;
        let (mut name, mut help) = (String::new(), String::new());
        for line in text::lines(content) {
            let (key, value) = parse_line(line)
                .ok_or_else(|| Error::parse(&self.path, format_args!("bad line {:?}", text::utf8(line))))?;
            if self.fields.as_ref().is_none_or(|fields| fields.is_match(key)) {
                name.clear();
                name.extend(["node_vmstat_", &text::metric_name(key)]);
                help.clear();
                help.extend(["/proc/vmstat information field ", key, "."]);
                out.single(&name, &help, MetricKind::Unknown, value);
            }
        }
        Ok(Outcome::Data)
    }
}

fn parse_line(line: &[u8]) -> Option<(&str, f64)> {
    let mut words = text::fields(line);
    let key = std::str::from_utf8(words.next()?).ok()?;
    Some((key, text::float(words.next()?)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics, samples};

    const CONTENT: &str = "nr_free_pages 977769\npgpgin 7344136\nthp_split 1\npgmajfault 17\n";

    #[test]
    fn fields_are_chosen_by_name() {
        let host = Host::new(&[("proc/vmstat", CONTENT)]);
        assert_eq!(
            host.samples(&DESCRIPTOR),
            ["node_vmstat_pgmajfault 17", "node_vmstat_pgpgin 7.344136e+06"]
        );
        let all = host
            .collector(&DESCRIPTOR, |options| options.vmstat.fields.clear())
            .unwrap();
        assert_eq!(samples(all.as_ref()).len(), 4);
        assert!(
            host.collector(&DESCRIPTOR, |options| options.vmstat.fields = "[".to_owned())
                .is_err()
        );
        never_panics(CONTENT, |bytes| text::lines(bytes).filter_map(parse_line).count());
    }

    #[test]
    fn a_key_that_is_no_name() {
        let host = Host::new(&[("proc/vmstat", "pgpg{in 7\n")]);
        assert_eq!(host.samples(&DESCRIPTOR), ["node_vmstat_pgpg_in 7"]);
    }
}
