//! macOS: ticks of each processor from `host_processor_info`.
//!
//! The kernel counts ticks with 32 bits, which wrap after 497 days in one state. node_exporter shows that as a
//! reset; here the count goes on, as long as the program runs, unless its quirks are wanted.

use std::sync::{Mutex, PoisonError};

use ferroalloy_model::{Families, MetricKind};

use super::Options;
use crate::collector::{Collector, Outcome};
use crate::error::{Error, ErrorKind};
use crate::macos::calls::Mach;
use crate::macos::layout::CPU_STATE_MAX;
use crate::macos::wrap::Extended;
use crate::mode::Mode;
use crate::text::Decimal;

/// In the order of `CPU_STATE_USER` and so on.
const MODES: [&str; CPU_STATE_MAX] = ["user", "system", "idle", "nice"];
/// `CLK_TCK`: ticks in a second of processor time.
const TICKS_PER_SECOND: f64 = 100.0;
/// A fall by less is the kernel's estimate of a running interval put right, not 497 days.
const SLACK: u32 = u32::MAX / 2;

pub(super) struct Cpu<M> {
    mach: M,
    mode: Mode,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    read: Vec<u32>,
    totals: Vec<[Extended; CPU_STATE_MAX]>,
}

impl<M: Mach> Cpu<M> {
    pub(super) fn new(mach: M, options: &Options, mode: Mode) -> Result<Self, Error> {
        let defaults = Options::default();
        let changed = [
            ("cpu.guest", options.guest != defaults.guest),
            ("cpu.info", options.info != defaults.info),
            (
                "cpu.info.flags-include",
                options.flags_include != defaults.flags_include,
            ),
            (
                "cpu.info.bugs-include",
                options.bugs_include != defaults.bugs_include,
            ),
        ];
        if let Some((option, _)) = changed.iter().find(|(_, changed)| *changed) {
            return Err(Error::option(format!("{option} is for Linux only")));
        }
        Ok(Self {
            mach,
            mode,
            state: Mutex::default(),
        })
    }
}

impl<M: Mach> Collector for Cpu<M> {
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        // Held while reading, so that of two scrapes at once none brings older ticks than are remembered.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { read, totals } = &mut *state;
        let processors = self
            .mach
            .processor_ticks(read)
            .map_err(|error| Error::system("host_processor_info", error))?;
        let (cpus, rest) = read.as_chunks::<CPU_STATE_MAX>();
        if cpus.is_empty() || cpus.len() != processors || !rest.is_empty() {
            let words = read.len();
            let message = format!("host_processor_info: {words} numbers for {processors} processors");
            return Err(Error::new(ErrorKind::Parse, message));
        }
        totals.truncate(cpus.len());
        let mut family = out.family(
            "node_cpu_seconds_total",
            "Seconds the CPUs spent in each mode.",
            MetricKind::Counter,
        );
        for (number, ticks) in cpus.iter().enumerate() {
            if number == totals.len() {
                totals.push(ticks.map(|low| Extended::new(u64::from(low))));
            }
            let number_text = Decimal::new(number as u64);
            for ((total, low), mode) in totals[number].iter_mut().zip(ticks).zip(MODES) {
                let continued = total.advance(*low, SLACK);
                let ticks = if self.mode.is_compat() {
                    u64::from(*low)
                } else {
                    continued
                };
                let seconds = ticks as f64 / TICKS_PER_SECOND;
                family.sample(&[("cpu", number_text.as_str()), ("mode", mode)], seconds);
            }
        }
        Ok(Outcome::Data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::macos::inventory;
    use crate::macos::recorded::Recorded;
    use crate::testing::samples;

    fn cpu(processors: usize, ticks: &[u32]) -> Cpu<Recorded> {
        let mac = Recorded::default();
        mac.ticks(processors, ticks);
        Cpu::new(mac, &Options::default(), Mode::Fixed).unwrap()
    }

    #[test]
    fn each_processor_and_mode() {
        assert_eq!(
            samples(&cpu(2, &[1234, 200, 99, 0, 1, 2, 3, 4])),
            [
                "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 0.99",
                "node_cpu_seconds_total{cpu=\"0\",mode=\"nice\"} 0",
                "node_cpu_seconds_total{cpu=\"0\",mode=\"system\"} 2",
                "node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 12.34",
                "node_cpu_seconds_total{cpu=\"1\",mode=\"idle\"} 0.03",
                "node_cpu_seconds_total{cpu=\"1\",mode=\"nice\"} 0.04",
                "node_cpu_seconds_total{cpu=\"1\",mode=\"system\"} 0.02",
                "node_cpu_seconds_total{cpu=\"1\",mode=\"user\"} 0.01",
            ]
        );
    }

    #[test]
    fn goes_on_when_32_bits_wrap_and_stays_when_ticks_fall() {
        let collector = cpu(1, &[u32::MAX, 500, 0, 0]);
        samples(&collector);
        collector.mach.ticks(1, &[99, 498, 0, 0]);
        let lines = samples(&collector);
        assert_eq!(lines[2], "node_cpu_seconds_total{cpu=\"0\",mode=\"system\"} 5");
        assert_eq!(
            lines[3],
            "node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 4.294967395e+07"
        );
    }

    #[test]
    fn wraps_as_node_exporter_does_if_that_is_wanted() {
        let mut collector = cpu(1, &[u32::MAX, 0, 0, 0]);
        collector.mode = Mode::Compat;
        samples(&collector);
        collector.mach.ticks(1, &[99, 0, 0, 0]);
        let line = &samples(&collector)[3];
        assert_eq!(line, "node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 0.99");
    }

    #[test]
    fn processors_may_come_and_go() {
        let collector = cpu(1, &[1, 1, 1, 1]);
        assert_eq!(samples(&collector).len(), 4);
        collector.mach.ticks(2, &[2, 2, 2, 2, 7, 7, 7, 7]);
        assert_eq!(
            samples(&collector)[7],
            "node_cpu_seconds_total{cpu=\"1\",mode=\"user\"} 0.07"
        );
        collector.mach.ticks(1, &[3, 3, 3, 3]);
        assert_eq!(samples(&collector).len(), 4);
    }

    #[test]
    fn an_answer_that_does_not_add_up_is_refused() {
        for (processors, ticks) in [
            (0, &[][..]),
            (1, &[1, 2, 3]),
            (2, &[1, 2, 3, 4]),
            (1, &[0; 5]),
            (1, &[]),
        ] {
            let mut out = Families::new();
            assert!(
                cpu(processors, ticks).update(&mut out).is_err(),
                "{processors} {ticks:?}"
            );
            assert!(out.is_empty());
        }
        let silent = Cpu::new(Recorded::default(), &Options::default(), Mode::Fixed).unwrap();
        let error = silent.update(&mut Families::new()).unwrap_err();
        assert_eq!(error.to_string(), "host_processor_info failed");
    }

    #[test]
    fn options_for_linux_are_refused() {
        let options = Options {
            bugs_include: "x".into(),
            ..Options::default()
        };
        let error = Cpu::new(Recorded::default(), &options, Mode::Fixed)
            .err()
            .unwrap();
        assert_eq!(error.to_string(), "cpu.info.bugs-include is for Linux only");
    }

    #[test]
    fn as_node_exporter_gives_it() {
        inventory::check("cpu", &cpu(1, &[1, 2, 3, 4]), &[], &[]);
    }
}
