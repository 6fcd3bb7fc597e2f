//! `softnet`: how each CPU got through its received packets, `/proc/net/softnet_stat` (softnet_seq_show in
//! net/core/net-procfs.c).

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::kernel_file::KernelFile;
use crate::read::Buffer;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "softnet",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Packets processed, dropped and put off by each CPU.",
    sources: &["proc/net/softnet_stat"],
    families: &["node_softnet_*"],
    options: &[],
    build: |context| Ok(Box::new(SoftNet::new(context))),
};

struct SoftNet {
    path: KernelFile,
}

impl SoftNet {
    fn new(context: &Context<'_>) -> Self {
        Self {
            path: KernelFile::new(context.roots.proc("net/softnet_stat")),
        }
    }
}

/// Columns of every kernel.
const LEAST: usize = 9;
/// Column of the CPU's number, since 5.10; before, rows are counted.
const CPU: usize = 12;

/// Families with their column.
static COLUMNS: [(&str, &str, MetricKind, usize); 7] = [
    (
        "node_softnet_processed_total",
        "Number of processed packets",
        MetricKind::Counter,
        0,
    ),
    (
        "node_softnet_dropped_total",
        "Number of dropped packets",
        MetricKind::Counter,
        1,
    ),
    (
        "node_softnet_times_squeezed_total",
        "Number of times processing packets ran out of quota",
        MetricKind::Counter,
        2,
    ),
    (
        "node_softnet_cpu_collision_total",
        "Number of collision occur while obtaining device lock while transmitting",
        MetricKind::Counter,
        8,
    ),
    (
        "node_softnet_received_rps_total",
        "Number of times cpu woken up received_rps",
        MetricKind::Counter,
        9,
    ),
    (
        "node_softnet_flow_limit_count_total",
        "Number of times flow limit has been reached",
        MetricKind::Counter,
        10,
    ),
    (
        "node_softnet_backlog_len",
        "Softnet backlog status",
        MetricKind::Gauge,
        11,
    ),
];

/// The hexadecimal columns, those that the kernel lacks being 0, and how many there are.
fn parse_line(line: &[u8]) -> Option<([u64; CPU + 1], usize)> {
    let mut columns = [0; CPU + 1];
    let mut known = 0;
    for (column, word) in columns.iter_mut().zip(text::fields(line)) {
        *column = text::hexadecimal(word)?;
        known += 1;
    }
    (known >= LEAST).then_some((columns, known))
}

impl Collector for SoftNet {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        let content = buffer.kept(&self.path)?;
        let mut rows = Vec::new();
        for (number, line) in text::lines(content).enumerate() {
            let (columns, known) = parse_line(line)
                .ok_or_else(|| Error::parse(&self.path, format_args!("bad line {:?}", text::utf8(line))))?;
            rows.push((if known > CPU { columns[CPU] } else { number as u64 }, columns));
        }
        for (name, help, kind, column) in &COLUMNS {
            let mut family = out.family(name, help, *kind);
            for (cpu, columns) in &rows {
                family.sample(
                    &[("cpu", text::Decimal::new(*cpu).as_str())],
                    columns[*column] as f64,
                );
            }
        }
        Ok(Outcome::Data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    const CONTENT: &str = "00049279 00000001 00000002 0 0 0 0 0 00000003\n\
        000dfb82 00000029 0000000a 0 0 0 0 0 00000000 00000004 00000005 00000006 00000007 0 0\n";

    #[test]
    fn old_and_new_kernels() {
        let host = Host::new(&[("proc/net/softnet_stat", CONTENT)]);
        let lines = host.samples(&DESCRIPTOR);
        assert_eq!(lines.len(), 14);
        for line in [
            "node_softnet_processed_total{cpu=\"0\"} 299641",
            "node_softnet_cpu_collision_total{cpu=\"0\"} 3",
            "node_softnet_backlog_len{cpu=\"7\"} 6",
            "node_softnet_received_rps_total{cpu=\"0\"} 0",
        ] {
            assert!(lines.contains(&line.to_owned()), "{line}");
        }
        assert_eq!(parse_line(b"0 1 2"), None);
        never_panics(CONTENT, |bytes| text::lines(bytes).filter_map(parse_line).count());
    }
}
