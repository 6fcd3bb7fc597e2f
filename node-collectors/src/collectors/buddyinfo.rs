//! `buddyinfo`: free blocks of memory by zone and order, `/proc/buddyinfo` (proc(5)).

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::kernel_file::KernelFile;
use crate::read::Buffer;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "buddyinfo",
    linux: Support::Off,
    macos: Support::Off,
    summary: "Free blocks of memory by node, zone and order.",
    sources: &["proc/buddyinfo"],
    families: &["node_buddyinfo_blocks"],
    options: &[],
    build: |context| Ok(Box::new(BuddyInfo::new(context))),
};

struct BuddyInfo {
    path: KernelFile,
}

impl BuddyInfo {
    fn new(context: &Context<'_>) -> Self {
        Self {
            path: KernelFile::new(context.roots.proc("buddyinfo")),
        }
    }
}

impl Collector for BuddyInfo {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        let rows = parse(buffer.kept(&self.path)?)
            .map_err(|line| Error::parse(&self.path, format_args!("bad line {:?}", text::utf8(line))))?;
        let help = "Count of free blocks according to size.";
        let mut family = out.family("node_buddyinfo_blocks", help, MetricKind::Gauge);
        for row in &rows {
            for (order, blocks) in row.blocks.iter().enumerate() {
                let size = text::Decimal::new(order as u64);
                let labels = [
                    ("node", &*row.node),
                    ("size", size.as_str()),
                    ("zone", &*row.zone),
                ];
                family.sample(&labels, *blocks);
            }
        }
        Ok(Outcome::Data)
    }
}

/// A zone of a node with its free blocks by order.
struct Row<'a> {
    node: std::borrow::Cow<'a, str>,
    zone: std::borrow::Cow<'a, str>,
    blocks: Vec<f64>,
}

/// `Node 0, zone DMA 1 0 …`; all rows have the same number of orders.
fn parse(content: &[u8]) -> Result<Vec<Row<'_>>, &[u8]> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for line in text::lines(content) {
        let mut words = text::fields(line);
        let (Some(b"Node"), Some(node), Some(b"zone"), Some(zone)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(line);
        };
        let blocks = words.map(text::float).collect::<Option<Vec<_>>>().ok_or(line)?;
        if rows
            .first()
            .is_some_and(|first| first.blocks.len() != blocks.len())
        {
            return Err(line);
        }
        rows.push(Row {
            node: text::utf8(node.strip_suffix(b",").unwrap_or(node)),
            zone: text::utf8(zone),
            blocks,
        });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    const CONTENT: &str = "Node 0, zone      DMA      1      0 \nNode 0, zone   Normal   4381   1093 \n";

    #[test]
    fn blocks_by_order() {
        let host = Host::new(&[("proc/buddyinfo", CONTENT)]);
        let samples = host.samples(&DESCRIPTOR);
        assert_eq!(samples.len(), 4);
        assert_eq!(
            samples[3],
            "node_buddyinfo_blocks{node=\"0\",size=\"1\",zone=\"Normal\"} 1093"
        );
        assert!(parse(b"Node 0, zone DMA 1 0\nNode 0, zone DMA32 1\n").is_err());
        assert!(parse(b"Node 0, zone DMA x\n").is_err());
        never_panics(CONTENT, |bytes| parse(bytes).is_ok());
    }
}
