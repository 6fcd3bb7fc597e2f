//! `lnstat`: statistics of network caches, the files of `/proc/net/stat` (lnstat(8)).

use std::path::PathBuf;

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::read::{Buffer, entries_if_any};
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "lnstat",
    linux: Support::Off,
    macos: Support::Absent,
    summary: "Statistics of the network caches of the kernel, by CPU.",
    sources: &["proc/net/stat/*"],
    families: &["node_lnstat_*"],
    options: &[],
    build: |context| Ok(Box::new(LnStat::new(context))),
};

struct LnStat {
    folder: PathBuf,
}

impl LnStat {
    fn new(context: &Context<'_>) -> Self {
        Self {
            folder: context.roots.proc("net/stat"),
        }
    }
}

impl Collector for LnStat {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        for subsystem in entries_if_any(&self.folder)? {
            let path = self.folder.join(&subsystem);
            let table = parse(buffer.file(&path)?)
                .map_err(|line| Error::parse(&path, format_args!("bad line {:?}", text::utf8(line))))?;
            for (name, column) in table {
                let name = format!("node_lnstat_{}_total", text::metric_name(&text::utf8(name)));
                let mut family = out.family(&name, "linux network cache stats", MetricKind::Counter);
                for (cpu, value) in column.iter().enumerate() {
                    let cpu = text::Decimal::new(cpu as u64);
                    family.sample(
                        &[("cpu", cpu.as_str()), ("subsystem", &*subsystem)],
                        *value as f64,
                    );
                }
            }
        }
        Ok(Outcome::Data)
    }
}

/// A name with its values by CPU.
type Column<'a> = (&'a [u8], Vec<u64>);

/// A heading, then a row of hexadecimal numbers for each CPU.
fn parse(content: &[u8]) -> Result<Vec<Column<'_>>, &[u8]> {
    let mut lines = text::lines(content);
    let heading = lines.next().ok_or(content)?;
    let mut table: Vec<_> = text::fields(heading).map(|name| (name, Vec::new())).collect();
    for line in lines {
        for (column, word) in text::fields(line).enumerate() {
            let (_, values) = table.get_mut(column).ok_or(line)?;
            values.push(text::hexadecimal(word).ok_or(line)?);
        }
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    const CONTENT: &str = "entries  allocs\n00000014  0000000d\n00000014  00000001\n";

    #[test]
    fn columns_by_cpu() {
        let host = Host::new(&[("proc/net/stat/arp_cache", CONTENT)]);
        let expected = [
            "node_lnstat_allocs_total{cpu=\"0\",subsystem=\"arp_cache\"} 13",
            "node_lnstat_allocs_total{cpu=\"1\",subsystem=\"arp_cache\"} 1",
            "node_lnstat_entries_total{cpu=\"0\",subsystem=\"arp_cache\"} 20",
            "node_lnstat_entries_total{cpu=\"1\",subsystem=\"arp_cache\"} 20",
        ];
        assert_eq!(host.samples(&DESCRIPTOR), expected);
        assert!(parse(b"a\n1 2\n").is_err());
        never_panics(CONTENT, |bytes| parse(bytes).is_ok());
    }

    #[test]
    fn a_heading_that_is_no_name() {
        let content = b"entries,allocs,dest\x9c\x9c000014 00000001\n00000014 0000000d\n";
        let host = Host::new(&[("proc/net/stat/arp_cache", "")]);
        std::fs::write(host.path().join("proc/net/stat/arp_cache"), content).unwrap();
        let expected = [
            "node_lnstat_00000001_total{cpu=\"0\",subsystem=\"arp_cache\"} 13",
            "node_lnstat_entries_allocs_dest_000014_total{cpu=\"0\",subsystem=\"arp_cache\"} 20",
        ];
        assert_eq!(host.samples(&DESCRIPTOR), expected);
    }
}
