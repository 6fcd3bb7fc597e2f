//! `pressure`: time that tasks waited for a resource, `/proc/pressure/*` (Documentation/accounting/psi.rst).

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::kernel_file::KernelFile;
use crate::read::Buffer;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "pressure",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Time lost waiting for CPU, memory, I/O and interrupts.",
    sources: &[
        "proc/pressure/cpu",
        "proc/pressure/io",
        "proc/pressure/memory",
        "proc/pressure/irq",
    ],
    families: &["node_pressure_*"],
    options: &[],
    build: |context| Ok(Box::new(Pressure::new(context))),
};

/// A resource, with name and HELP of the families for `some` and `full`.
type Resource = (
    &'static str,
    Option<(&'static str, &'static str)>,
    Option<(&'static str, &'static str)>,
);

static RESOURCES: [Resource; 4] = [
    (
        "cpu",
        Some((
            "node_pressure_cpu_waiting_seconds_total",
            "Total time in seconds that processes have waited for CPU time",
        )),
        None,
    ),
    (
        "io",
        Some((
            "node_pressure_io_waiting_seconds_total",
            "Total time in seconds that processes have waited due to IO congestion",
        )),
        Some((
            "node_pressure_io_stalled_seconds_total",
            "Total time in seconds no process could make progress due to IO congestion",
        )),
    ),
    (
        "memory",
        Some((
            "node_pressure_memory_waiting_seconds_total",
            "Total time in seconds that processes have waited for memory",
        )),
        Some((
            "node_pressure_memory_stalled_seconds_total",
            "Total time in seconds no process could make progress due to memory congestion",
        )),
    ),
    (
        "irq",
        None,
        Some((
            "node_pressure_irq_stalled_seconds_total",
            "Total time in seconds no process could make progress due to IRQ congestion",
        )),
    ),
];

struct Pressure {
    /// Of each of [`RESOURCES`].
    files: [KernelFile; RESOURCES.len()],
}

impl Pressure {
    fn new(context: &Context<'_>) -> Self {
        Self {
            files: RESOURCES
                .each_ref()
                .map(|(resource, ..)| KernelFile::new(context.roots.proc(format!("pressure/{resource}")))),
        }
    }
}

impl Collector for Pressure {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        let mut outcome = Outcome::NoData;
        for (file, (_, some, full)) in self.files.iter().zip(&RESOURCES) {
            let content = match buffer.kept_optional(file) {
                Ok(Some(content)) => content,
                Ok(None) => continue,
                // Compiled in, but switched off at boot.
                Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => return Ok(Outcome::NoData),
                Err(error) => return Err(error),
            };
            let totals = parse(content)
                .map_err(|line| Error::parse(file, format_args!("bad line {:?}", text::utf8(line))))?;
            outcome = Outcome::Data;
            for (family, total) in [(some, totals.some), (full, totals.full)] {
                if let (Some((name, help)), Some(microseconds)) = (family, total) {
                    out.single(
                        name,
                        help,
                        MetricKind::Counter,
                        microseconds as f64 / 1000.0 / 1000.0,
                    );
                }
            }
        }
        Ok(outcome)
    }
}

/// Microseconds in which some, or all, tasks waited.
#[derive(Debug, Default, PartialEq)]
struct Totals {
    some: Option<u64>,
    full: Option<u64>,
}

/// `some avg10=0.18 avg60=0.34 avg300=0.10 total=159886802`, likewise `full`.
fn parse(content: &[u8]) -> Result<Totals, &[u8]> {
    let mut totals = Totals::default();
    for line in text::lines(content) {
        let mut words = text::fields(line);
        let place = match words.next() {
            Some(b"some") => &mut totals.some,
            Some(b"full") => &mut totals.full,
            _ => continue,
        };
        let total = words.find_map(|word| word.strip_prefix(b"total="));
        *place = Some(total.and_then(text::decimal).ok_or(line)?);
    }
    Ok(totals)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    const CONTENT: &str = "some avg10=0.00 avg60=0.00 avg300=0.00 total=14036781\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=5\n";

    #[test]
    fn resources() {
        let host = Host::new(&[]);
        let collector = host.collector(&DESCRIPTOR, |_| ()).unwrap();
        assert_eq!(collector.update(&mut Families::new()).unwrap(), Outcome::NoData);
        for resource in ["cpu", "memory"] {
            host.write(&format!("proc/pressure/{resource}"), CONTENT);
        }
        host.write(
            "proc/pressure/irq",
            "full avg10=0.00 avg60=0.00 avg300=0.00 total=8494",
        );
        assert_eq!(
            host.samples(&DESCRIPTOR),
            [
                "node_pressure_cpu_waiting_seconds_total 14.036781000000001",
                "node_pressure_irq_stalled_seconds_total 0.008494",
                "node_pressure_memory_stalled_seconds_total 5e-06",
                "node_pressure_memory_waiting_seconds_total 14.036781000000001",
            ]
        );
        host.write("proc/pressure/cpu", "some avg10=0.00\n");
        assert!(collector.update(&mut Families::new()).is_err());
        never_panics(CONTENT, |bytes| parse(bytes).is_ok());
    }
}
