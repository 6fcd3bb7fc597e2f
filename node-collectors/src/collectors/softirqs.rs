//! `softirqs`: soft interrupts by CPU and vector, `/proc/softirqs` (proc(5)).

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::kernel_file::KernelFile;
use crate::read::Buffer;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "softirqs",
    linux: Support::Off,
    macos: Support::Absent,
    summary: "Soft interrupts by CPU and vector.",
    sources: &["proc/softirqs"],
    families: &["node_softirqs_functions_total"],
    options: &[],
    build: |context| Ok(Box::new(Softirqs::new(context))),
};

/// The vectors node_exporter knows.
static VECTORS: [&str; 10] = [
    "HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED", "HRTIMER", "RCU",
];

struct Softirqs {
    path: KernelFile,
}

impl Softirqs {
    fn new(context: &Context<'_>) -> Self {
        Self {
            path: KernelFile::new(context.roots.proc("softirqs")),
        }
    }
}

impl Collector for Softirqs {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        let rows = parse(buffer.kept(&self.path)?)
            .map_err(|line| Error::parse(&self.path, format_args!("bad line {:?}", text::utf8(line))))?;
        let mut family = out.family(
            "node_softirqs_functions_total",
            "Softirq counts per CPU.",
            MetricKind::Counter,
        );
        for (vector, counts) in rows {
            for (cpu, count) in counts.iter().enumerate() {
                let cpu = text::Decimal::new(cpu as u64);
                family.sample(&[("cpu", cpu.as_str()), ("type", vector)], *count as f64);
            }
        }
        Ok(Outcome::Data)
    }
}

/// Known vectors with their counts by CPU, below a heading.
fn parse(content: &[u8]) -> Result<Vec<(&'static str, Vec<u64>)>, &[u8]> {
    let mut rows = Vec::new();
    for line in text::lines(content).skip(1) {
        let (name, counts) = text::split_once(line, b':').ok_or(line)?;
        let Some(vector) = VECTORS.iter().find(|vector| vector.as_bytes() == name) else {
            continue;
        };
        let counts = text::fields(counts)
            .map(text::decimal)
            .collect::<Option<Vec<_>>>()
            .ok_or(line)?;
        rows.push((*vector, counts));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    const CONTENT: &str = "      CPU0       CPU1\n      HI:          7          1\n     NEW:   1 2\n";

    #[test]
    fn known_vectors() {
        let host = Host::new(&[("proc/softirqs", CONTENT)]);
        let expected = [
            "node_softirqs_functions_total{cpu=\"0\",type=\"HI\"} 7",
            "node_softirqs_functions_total{cpu=\"1\",type=\"HI\"} 1",
        ];
        assert_eq!(host.samples(&DESCRIPTOR), expected);
        assert!(parse(b"CPU0\nHI: x\n").is_err());
        never_panics(CONTENT, |bytes| parse(bytes).is_ok());
    }
}
