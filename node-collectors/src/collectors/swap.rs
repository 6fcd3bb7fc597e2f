//! `swap`: swap space by device, `/proc/swaps` (proc(5)).

use ferroalloy_model::Families;

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::emit;
use crate::error::Error;
use crate::kernel_file::KernelFile;
use crate::read::Buffer;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "swap",
    linux: Support::Off,
    macos: Support::Absent,
    summary: "Size, use and priority of swap devices.",
    sources: &["proc/swaps"],
    families: &["node_swap_*"],
    options: &[],
    build: |context| Ok(Box::new(Swap::new(context))),
};

struct Swap {
    path: KernelFile,
}

impl Swap {
    fn new(context: &Context<'_>) -> Self {
        Self {
            path: KernelFile::new(context.roots.proc("swaps")),
        }
    }
}

impl Collector for Swap {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        let rows = parse(buffer.kept(&self.path)?)
            .map_err(|line| Error::parse(&self.path, format_args!("bad line {:?}", text::utf8(line))))?;
        for row in &rows {
            let labels = [
                ("device", &*text::utf8(row.device)),
                ("swap_type", &*text::utf8(row.kind)),
            ];
            let bytes = |kibibytes: u64| (kibibytes * 1024) as f64;
            emit::gauge(
                out,
                "node_swap_size_bytes",
                "Swap device size in bytes.",
                &labels,
                bytes(row.size),
            );
            emit::gauge(
                out,
                "node_swap_used_bytes",
                "Swap device used in bytes.",
                &labels,
                bytes(row.used),
            );
            emit::gauge(
                out,
                "node_swap_priority",
                "Swap device priority.",
                &labels,
                row.priority as f64,
            );
        }
        Ok(Outcome::Data)
    }
}

struct Row<'a> {
    device: &'a [u8],
    kind: &'a [u8],
    /// KiB.
    size: u64,
    used: u64,
    priority: i64,
}

/// Five columns below a heading.
fn parse(content: &[u8]) -> Result<Vec<Row<'_>>, &[u8]> {
    let kibibytes = |word: &[u8]| text::decimal(word).filter(|value| value.leading_zeros() >= 10);
    text::lines(content)
        .skip(1)
        .map(|line| {
            let mut words = text::fields(line);
            let mut next = || words.next().ok_or(line);
            Ok(Row {
                device: next()?,
                kind: next()?,
                size: kibibytes(next()?).ok_or(line)?,
                used: kibibytes(next()?).ok_or(line)?,
                priority: text::signed(next()?).ok_or(line)?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    const CONTENT: &str =
        "Filename\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/zram0      partition\t8388604\t\t76\t\t-2\n";

    #[test]
    fn a_device() {
        let host = Host::new(&[("proc/swaps", CONTENT)]);
        let labels = "{device=\"/dev/zram0\",swap_type=\"partition\"}";
        let expected = [
            format!("node_swap_priority{labels} -2"),
            format!("node_swap_size_bytes{labels} 8.589930496e+09"),
            format!("node_swap_used_bytes{labels} 77824"),
        ];
        assert_eq!(host.samples(&DESCRIPTOR), expected);
        assert!(parse(b"h\n/dev/sda partition 18446744073709551615 0 0\n").is_err());
        never_panics(CONTENT, |bytes| parse(bytes).is_ok());
    }
}
