//! `schedstat`: how long tasks ran and waited on each CPU, `/proc/schedstat`
//! (Documentation/scheduler/sched-stats.rst).

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::kernel_file::KernelFile;
use crate::read::Buffer;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "schedstat",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Time run and waited, and time slices, of each CPU's scheduler.",
    sources: &["proc/schedstat"],
    families: &["node_schedstat_*"],
    options: &[],
    build: |context| Ok(Box::new(SchedStat::new(context))),
};

struct SchedStat {
    path: KernelFile,
}

impl SchedStat {
    fn new(context: &Context<'_>) -> Self {
        Self {
            path: KernelFile::new(context.roots.proc("schedstat")),
        }
    }
}

/// A CPU's number and its last three columns.
#[derive(Debug, PartialEq)]
struct Row<'a> {
    cpu: &'a str,
    running_nanoseconds: u64,
    waiting_nanoseconds: u64,
    time_slices: u64,
}

/// `cpuN` and nine numbers; anything else, such as the lines of domains, is `None`.
fn parse_line(line: &[u8]) -> Option<Row<'_>> {
    let mut words = text::fields(line);
    let cpu = words.next()?.strip_prefix(b"cpu")?;
    text::decimal(cpu)?;
    let mut words = words.skip(6);
    let mut next = || text::decimal(words.next()?);
    Some(Row {
        cpu: std::str::from_utf8(cpu).ok()?,
        running_nanoseconds: next()?,
        waiting_nanoseconds: next()?,
        time_slices: next()?,
    })
}

impl Collector for SchedStat {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        let Some(content) = buffer.kept_optional(&self.path)? else {
            return Ok(Outcome::NoData);
        };
        let rows: Vec<_> = text::lines(content).filter_map(parse_line).collect();
        let mut family = |name, help, value: &dyn Fn(&Row<'_>) -> f64| {
            let mut family = out.family(name, help, MetricKind::Counter);
            for row in &rows {
                family.sample(&[("cpu", row.cpu)], value(row));
            }
        };
        let help = "Number of seconds CPU spent running a process.";
        let name = "node_schedstat_running_seconds_total";
        family(name, help, &|row| row.running_nanoseconds as f64 / 1e9);
        let help = "Number of seconds spent by processing waiting for this CPU.";
        let name = "node_schedstat_waiting_seconds_total";
        family(name, help, &|row| row.waiting_nanoseconds as f64 / 1e9);
        let help = "Number of timeslices executed by CPU.";
        family("node_schedstat_timeslices_total", help, &|row| {
            row.time_slices as f64
        });
        Ok(Outcome::Data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics};

    const CONTENT: &str = "version 15\ntimestamp 15819019232\ncpu0 498494191 0 3533438552 2553969831 3853684107 2465731542 2045936778163039 343796328169361 4767485306\ndomain0 00000003 1 2\n";

    #[test]
    fn last_three_columns() {
        let host = Host::new(&[]);
        let collector = host.collector(&DESCRIPTOR, |_| ()).unwrap();
        assert_eq!(collector.update(&mut Families::new()).unwrap(), Outcome::NoData);
        host.write("proc/schedstat", CONTENT);
        assert_eq!(
            host.samples(&DESCRIPTOR),
            [
                "node_schedstat_running_seconds_total{cpu=\"0\"} 2.045936778163039e+06",
                "node_schedstat_timeslices_total{cpu=\"0\"} 4.767485306e+09",
                "node_schedstat_waiting_seconds_total{cpu=\"0\"} 343796.328169361",
            ]
        );
        never_panics(CONTENT, |bytes| text::lines(bytes).filter_map(parse_line).count());
    }
}
