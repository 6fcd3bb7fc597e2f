//! `slabinfo`: objects in the kernel's slab caches, `/proc/slabinfo` (slabinfo(5)), which only root may read.

use std::path::PathBuf;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::filter::Filter;
use crate::option::options;
use crate::read::Buffer;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "slabinfo",
    linux: Support::Off,
    macos: Support::Absent,
    summary: "Objects in the slab caches of the kernel.",
    sources: &["proc/slabinfo"],
    families: &["node_slabinfo_*"],
    options: options! {
        "slabinfo.slabs-include" = slabinfo.slabs_include: String, "Caches to give (expression).";
        "slabinfo.slabs-exclude" = slabinfo.slabs_exclude: String, "Caches to leave out (expression).";
    },
    build: |context| Ok(Box::new(SlabInfo::new(context)?)),
};

/// Options of `slabinfo`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Expression for caches to give.
    pub slabs_include: String,
    /// Expression for caches to leave out; applies beside the include.
    pub slabs_exclude: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            slabs_include: ".*".to_owned(),
            slabs_exclude: String::new(),
        }
    }
}

/// Family and HELP of columns 2 to 6.
static COLUMNS: [(&str, &str); 5] = [
    (
        "node_slabinfo_active_objects",
        "The number of objects that are currently active (i.e., in use).",
    ),
    (
        "node_slabinfo_objects",
        "The total number of allocated objects (i.e., objects that are both in use and not in use).",
    ),
    (
        "node_slabinfo_object_size_bytes",
        "The size of objects in this slab, in bytes.",
    ),
    (
        "node_slabinfo_objects_per_slab",
        "The number of objects stored in each slab.",
    ),
    (
        "node_slabinfo_pages_per_slab",
        "The number of pages allocated for each slab.",
    ),
];

struct SlabInfo {
    path: PathBuf,
    filter: Filter,
}

impl SlabInfo {
    fn new(context: &Context<'_>) -> Result<Self, Error> {
        let options = &context.options.slabinfo;
        Ok(Self {
            path: context.roots.proc("slabinfo"),
            filter: Filter::new(
                ("slabinfo.slabs-include", &options.slabs_include),
                ("slabinfo.slabs-exclude", &options.slabs_exclude),
            )?,
        })
    }
}

impl Collector for SlabInfo {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        let slabs = parse(buffer.file(&self.path)?)
            .map_err(|line| Error::parse(&self.path, format_args!("bad line {:?}", text::utf8(line))))?;
        let slabs: Vec<_> = slabs
            .iter()
            .map(|(name, numbers)| (text::utf8(name), numbers))
            .filter(|(name, _)| self.filter.keeps(name))
            .collect();
        for (column, (name, help)) in COLUMNS.iter().enumerate() {
            let mut family = out.family(name, help, MetricKind::Gauge);
            for (slab, numbers) in &slabs {
                family.sample(&[("slab", &**slab)], numbers[column]);
            }
        }
        Ok(Outcome::Data)
    }
}

/// A name with the numbers of the next five columns.
type Row<'a> = (&'a [u8], [f64; 5]);

/// Rows of 16 columns.
fn parse(content: &[u8]) -> Result<Vec<Row<'_>>, &[u8]> {
    text::lines(content)
        .filter(|line| !line.starts_with(b"slabinfo - version:") && !line.starts_with(b"#"))
        .map(|line| {
            let mut words = text::fields(line);
            if words.clone().count() != 16 {
                return Err(line);
            }
            let name = words.next().ok_or(line)?;
            let mut numbers = [0.0; 5];
            for (number, word) in numbers.iter_mut().zip(words) {
                *number = text::float(word).ok_or(line)?;
            }
            Ok((name, numbers))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics, samples};

    const CONTENT: &str = "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize>\n\
        tw_sock_TCP          704    864    256   32    2 : tunables    0    0    0 : slabdata     27     27      0\n\
        kmalloc-8192         132    148   8192    4    8 : tunables    0    0    0 : slabdata     37     37      0\n";

    #[test]
    fn caches() {
        let host = Host::new(&[("proc/slabinfo", CONTENT)]);
        assert_eq!(host.samples(&DESCRIPTOR).len(), 10);
        let collector = host
            .collector(&DESCRIPTOR, |options| {
                "^tw".clone_into(&mut options.slabinfo.slabs_exclude);
            })
            .unwrap();
        let expected = [
            "node_slabinfo_active_objects{slab=\"kmalloc-8192\"} 132",
            "node_slabinfo_object_size_bytes{slab=\"kmalloc-8192\"} 8192",
            "node_slabinfo_objects{slab=\"kmalloc-8192\"} 148",
            "node_slabinfo_objects_per_slab{slab=\"kmalloc-8192\"} 4",
            "node_slabinfo_pages_per_slab{slab=\"kmalloc-8192\"} 8",
        ];
        assert_eq!(samples(collector.as_ref()), expected);
        assert!(parse(b"a 1 2 3\n").is_err());
        never_panics(CONTENT, |bytes| parse(bytes).is_ok());
    }
}
