//! `conntrack`: the firewall's connection tracking, `/proc/sys/net/netfilter` and `/proc/net/stat/nf_conntrack`.

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::kernel_file::KernelFile;
use crate::read::Buffer;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "conntrack",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Entries of the connection tracking table and its statistics.",
    sources: &[
        "proc/sys/net/netfilter/nf_conntrack_count",
        "proc/sys/net/netfilter/nf_conntrack_max",
        "proc/net/stat/nf_conntrack",
    ],
    families: &["node_nf_conntrack_*"],
    options: &[],
    build: |context| Ok(Box::new(Conntrack::new(context))),
};

struct Conntrack {
    entries: KernelFile,
    limit: KernelFile,
    statistics: KernelFile,
}

impl Conntrack {
    fn new(context: &Context<'_>) -> Self {
        let roots = context.roots;
        Self {
            entries: KernelFile::new(roots.proc("sys/net/netfilter/nf_conntrack_count")),
            limit: KernelFile::new(roots.proc("sys/net/netfilter/nf_conntrack_max")),
            statistics: KernelFile::new(roots.proc("net/stat/nf_conntrack")),
        }
    }
}

/// Families with their column in the statistics; gauges, though they count, as in node_exporter.
static COLUMNS: [(&str, &str, usize); 8] = [
    (
        "node_nf_conntrack_stat_found",
        "Number of searched entries which were successful.",
        2,
    ),
    (
        "node_nf_conntrack_stat_invalid",
        "Number of packets seen which can not be tracked.",
        4,
    ),
    (
        "node_nf_conntrack_stat_ignore",
        "Number of packets seen which are already connected to a conntrack entry.",
        5,
    ),
    (
        "node_nf_conntrack_stat_insert",
        "Number of entries inserted into the list.",
        8,
    ),
    (
        "node_nf_conntrack_stat_insert_failed",
        "Number of entries for which list insertion was attempted but failed.",
        9,
    ),
    (
        "node_nf_conntrack_stat_drop",
        "Number of packets dropped due to conntrack failure.",
        10,
    ),
    (
        "node_nf_conntrack_stat_early_drop",
        "Number of dropped conntrack entries to make room for new ones, if maximum table size was reached.",
        11,
    ),
    (
        "node_nf_conntrack_stat_search_restart",
        "Number of conntrack table lookups which had to be restarted due to hashtable resizes.",
        16,
    ),
];

/// Columns of the statistics; older kernels lack the last.
const COLUMN_COUNT: usize = 17;

impl Collector for Conntrack {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        for (path, name, help) in [
            (
                &self.entries,
                "node_nf_conntrack_entries",
                "Number of currently allocated flow entries for connection tracking.",
            ),
            (
                &self.limit,
                "node_nf_conntrack_entries_limit",
                "Maximum size of connection tracking table.",
            ),
        ] {
            let Some(content) = buffer.kept_optional(path)? else {
                return Ok(Outcome::NoData);
            };
            let value =
                text::decimal(content.trim_ascii()).ok_or_else(|| Error::parse(path, "a number expected"))?;
            out.single(name, help, MetricKind::Gauge, value as f64);
        }
        let Some(content) = buffer.kept_optional(&self.statistics)? else {
            return Ok(Outcome::NoData);
        };
        let sums = parse(content).map_err(|line| {
            Error::parse(&self.statistics, format_args!("bad line {:?}", text::utf8(line)))
        })?;
        for (name, help, column) in &COLUMNS {
            out.single(name, help, MetricKind::Gauge, sums[*column] as f64);
        }
        Ok(Outcome::Data)
    }
}

/// Sums of the CPUs' rows of hexadecimal numbers, below a heading.
fn parse(content: &[u8]) -> Result<[u64; COLUMN_COUNT], &[u8]> {
    let mut sums = [0_u64; COLUMN_COUNT];
    for line in text::lines(content).skip(1) {
        let mut known = 0;
        for (sum, word) in sums.iter_mut().zip(text::fields(line)) {
            *sum = sum.wrapping_add(text::hexadecimal(word).ok_or(line)?);
            known += 1;
        }
        if known + 1 < COLUMN_COUNT {
            return Err(line);
        }
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    const CONTENT: &str = "entries  searched found …\n\
        00000021 0 0 0 00000003 0000588a 0 0 0 0 0 0 0 0 0 0 00000000\n00000021 0 1 0 0000002f 00005688 0 0 0 0 0 0 0 0 0 0 00000004\n";

    #[test]
    fn sums_over_cpus() {
        let host = Host::new(&[("proc/sys/net/netfilter/nf_conntrack_count", "123\n")]);
        let collector = host.collector(&DESCRIPTOR, |_| ()).unwrap();
        assert_eq!(collector.update(&mut Families::new()).unwrap(), Outcome::NoData);
        host.write("proc/sys/net/netfilter/nf_conntrack_max", "65536\n");
        host.write("proc/net/stat/nf_conntrack", CONTENT);
        let lines = host.samples(&DESCRIPTOR);
        assert_eq!(lines.len(), 10);
        for line in [
            "node_nf_conntrack_entries 123",
            "node_nf_conntrack_stat_invalid 50",
            "node_nf_conntrack_stat_search_restart 4",
            "node_nf_conntrack_stat_found 1",
        ] {
            assert!(lines.contains(&line.to_owned()), "{line}");
        }
        assert!(parse(b"heading\n1 2 3\n").is_err());
        never_panics(CONTENT, |bytes| parse(bytes).is_ok());
    }
}
