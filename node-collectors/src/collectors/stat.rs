//! `stat`: interrupts, context switches, forks and boot time, the lines of `/proc/stat` (proc_stat(5)) that are not
//! about one CPU.

use ferroalloy_model::{Families, MetricKind};

use crate::collector::{Collector, Context, Descriptor, Outcome, Support};
use crate::error::Error;
use crate::kernel_file::KernelFile;
use crate::option::options;
use crate::read::Buffer;
use crate::text;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "stat",
    linux: Support::On,
    macos: Support::Absent,
    summary: "Boot time, forks, interrupts, context switches, running and blocked processes.",
    sources: &["proc/stat"],
    families: &[
        "node_intr_total",
        "node_context_switches_total",
        "node_forks_total",
        "node_boot_time_seconds",
        "node_procs_running",
        "node_procs_blocked",
        "node_softirqs_total",
    ],
    options: options! {
        "stat.softirq" = stat.softirq: bool, "Gives the calls of each soft interrupt vector.";
    },
    build: |context| Ok(Box::new(Stat::new(context))),
};

/// Options of `stat`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Gives `node_softirqs_total` by vector.
    pub softirq: bool,
}

/// The columns of the line `softirq` after the sum.
const VECTORS: [&str; 10] = [
    "hi",
    "timer",
    "net_tx",
    "net_rx",
    "block",
    "block_iopoll",
    "tasklet",
    "sched",
    "hrtimer",
    "rcu",
];

struct Stat {
    path: KernelFile,
    softirq: bool,
}

impl Stat {
    fn new(context: &Context<'_>) -> Self {
        Self {
            path: KernelFile::new(context.roots.proc("stat")),
            softirq: context.options.stat.softirq,
        }
    }
}

impl Collector for Stat {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        let mut buffer = Buffer::take();
        let content = buffer.kept(&self.path)?;
        let numbers = parse(content)
            .map_err(|line| Error::parse(&self.path, format_args!("bad line {:?}", text::utf8(line))))?;
        emit(&numbers, out);
        if self.softirq {
            let help = "Number of softirq calls.";
            let mut family = out.family("node_softirqs_total", help, MetricKind::Counter);
            for (vector, calls) in VECTORS.iter().zip(numbers.softirqs) {
                family.sample(&[("vector", vector)], calls as f64);
            }
        }
        Ok(Outcome::Data)
    }
}

/// What the file says; lines it lacks stay 0.
#[derive(Debug, Default, PartialEq)]
struct Numbers {
    interrupts: u64,
    context_switches: u64,
    boot_time: u64,
    forks: u64,
    running: u64,
    blocked: u64,
    softirqs: [u64; 10],
}

fn parse(content: &[u8]) -> Result<Numbers, &[u8]> {
    let mut numbers = Numbers::default();
    for line in text::lines(content) {
        let mut words = text::fields(line);
        let field = match words.next() {
            Some(b"intr") => &mut numbers.interrupts,
            Some(b"ctxt") => &mut numbers.context_switches,
            Some(b"btime") => &mut numbers.boot_time,
            Some(b"processes") => &mut numbers.forks,
            Some(b"procs_running") => &mut numbers.running,
            Some(b"procs_blocked") => &mut numbers.blocked,
            Some(b"softirq") => {
                for (place, word) in numbers.softirqs.iter_mut().zip(words.skip(1)) {
                    *place = text::decimal(word).ok_or(line)?;
                }
                continue;
            }
            _ => continue,
        };
        *field = words.next().and_then(text::decimal).ok_or(line)?;
    }
    Ok(numbers)
}

fn emit(numbers: &Numbers, out: &mut Families) {
    let mut single = |name, help, kind, value: u64| out.single(name, help, kind, value as f64);
    let counter = MetricKind::Counter;
    single(
        "node_intr_total",
        "Total number of interrupts serviced.",
        counter,
        numbers.interrupts,
    );
    let help = "Total number of context switches.";
    single(
        "node_context_switches_total",
        help,
        counter,
        numbers.context_switches,
    );
    single(
        "node_forks_total",
        "Total number of forks.",
        counter,
        numbers.forks,
    );
    let gauge = MetricKind::Gauge;
    single(
        "node_boot_time_seconds",
        "Node boot time, in unixtime.",
        gauge,
        numbers.boot_time,
    );
    single(
        "node_procs_running",
        "Number of processes in runnable state.",
        gauge,
        numbers.running,
    );
    let help = "Number of processes blocked waiting for I/O to complete.";
    single("node_procs_blocked", help, gauge, numbers.blocked);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Host, never_panics, samples};

    const CONTENT: &str = "cpu  301854 612 111922 8979004 3552 2 3944 0 44 36\nintr 8885917 17 0 0\nctxt 38014093\n\
        btime 1418183276\nprocesses 26442\nprocs_running 2\nprocs_blocked 1\n\
        softirq 5057579 250191 1481983 1647 211099 186066 0 1783454 622196 12499 508444\n";

    #[test]
    fn totals_and_vectors() {
        let host = Host::new(&[("proc/stat", CONTENT)]);
        let expected = [
            "node_boot_time_seconds 1.418183276e+09",
            "node_context_switches_total 3.8014093e+07",
            "node_forks_total 26442",
            "node_intr_total 8.885917e+06",
            "node_procs_blocked 1",
            "node_procs_running 2",
        ];
        assert_eq!(host.samples(&DESCRIPTOR), expected);
        let with = host
            .collector(&DESCRIPTOR, |options| options.stat.softirq = true)
            .unwrap();
        assert!(samples(with.as_ref()).contains(&"node_softirqs_total{vector=\"rcu\"} 508444".to_owned()));
        assert_eq!(parse(b"ctxt many\n"), Err(&b"ctxt many"[..]));
        never_panics(CONTENT, |bytes| parse(bytes).is_ok());
    }
}
