//! `timex`: how the kernel disciplines its clock, adjtimex(2).

use ferroalloy_model::Families;

use crate::collector::{Collector, Descriptor, Outcome, Support};
use crate::error::Error;

pub(crate) const DESCRIPTOR: Descriptor = Descriptor {
    name: "timex",
    linux: Support::On,
    macos: Support::Absent,
    summary: "State and errors of the kernel's clock discipline.",
    sources: &["adjtimex(2)"],
    families: &["node_timex_*"],
    options: &[],
    build: |_| Ok(Box::new(Timex)),
};

struct Timex;

impl Collector for Timex {
    #[cfg(target_os = "linux")]
    fn update(&self, out: &mut Families) -> Result<Outcome, Error> {
        match crate::sys::linux::timex::read() {
            Ok((state, timex)) => {
                linux::emit(state, &timex, out);
                Ok(Outcome::Data)
            }
            Err(error) if error.raw_os_error() == Some(libc::EPERM) => Ok(Outcome::NoData),
            Err(error) => Err(Error::system("adjtimex", error)),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn update(&self, _: &mut Families) -> Result<Outcome, Error> {
        Ok(Outcome::NoData)
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use ferroalloy_model::{Families, MetricKind};

    /// `TIME_ERROR`: the clock is not synchronised.
    const TIME_ERROR: i32 = 5;
    /// `STA_NANO`: the offset is in nanoseconds, else microseconds.
    const STA_NANO: i32 = 0x2000;
    /// Frequencies are in parts per million with 16 binary places.
    const PPM16: f64 = 1_000_000.0 * 65536.0;
    const MICROSECONDS: f64 = 1_000_000.0;
    const NANOSECONDS: f64 = 1_000_000_000.0;

    pub(super) fn emit(state: i32, timex: &libc::timex, out: &mut Families) {
        let divisor = if timex.status & STA_NANO != 0 {
            NANOSECONDS
        } else {
            MICROSECONDS
        };
        let synchronised = if state == TIME_ERROR { 0.0 } else { 1.0 };
        let mut gauge = |name, help, value| out.single(name, help, MetricKind::Gauge, value);
        let help = "Is clock synchronized to a reliable server (1 = yes, 0 = no).";
        gauge("node_timex_sync_status", help, synchronised);
        let help = "Time offset in between local system and reference clock.";
        gauge("node_timex_offset_seconds", help, timex.offset as f64 / divisor);
        let help = "Local clock frequency adjustment.";
        gauge(
            "node_timex_frequency_adjustment_ratio",
            help,
            1.0 + timex.freq as f64 / PPM16,
        );
        let help = "Maximum error in seconds.";
        gauge(
            "node_timex_maxerror_seconds",
            help,
            timex.maxerror as f64 / MICROSECONDS,
        );
        let help = "Estimated error in seconds.";
        gauge(
            "node_timex_estimated_error_seconds",
            help,
            timex.esterror as f64 / MICROSECONDS,
        );
        gauge(
            "node_timex_status",
            "Value of the status array bits.",
            f64::from(timex.status),
        );
        let help = "Phase-locked loop time constant.";
        gauge("node_timex_loop_time_constant", help, timex.constant as f64);
        let help = "Seconds between clock ticks.";
        gauge("node_timex_tick_seconds", help, timex.tick as f64 / MICROSECONDS);
        let help = "Pulse per second frequency.";
        gauge(
            "node_timex_pps_frequency_hertz",
            help,
            timex.ppsfreq as f64 / PPM16,
        );
        let help = "Pulse per second jitter.";
        gauge(
            "node_timex_pps_jitter_seconds",
            help,
            timex.jitter as f64 / divisor,
        );
        let help = "Pulse per second interval duration.";
        gauge("node_timex_pps_shift_seconds", help, f64::from(timex.shift));
        let help = "Pulse per second stability, average of recent frequency changes.";
        gauge(
            "node_timex_pps_stability_hertz",
            help,
            timex.stabil as f64 / PPM16,
        );
        let help = "International Atomic Time (TAI) offset.";
        gauge("node_timex_tai_offset_seconds", help, f64::from(timex.tai));
        let mut counter = |name, help, value| out.single(name, help, MetricKind::Counter, value);
        let help = "Pulse per second count of jitter limit exceeded events.";
        counter("node_timex_pps_jitter_total", help, timex.jitcnt as f64);
        let help = "Pulse per second count of calibration intervals.";
        counter("node_timex_pps_calibration_total", help, timex.calcnt as f64);
        let help = "Pulse per second count of calibration errors.";
        counter("node_timex_pps_error_total", help, timex.errcnt as f64);
        let help = "Pulse per second count of stability limit exceeded events.";
        counter(
            "node_timex_pps_stability_exceeded_total",
            help,
            timex.stbcnt as f64,
        );
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::testing::lines;

        #[test]
        fn units() {
            let (_, mut timex) = crate::sys::linux::timex::read().unwrap();
            timex.status = STA_NANO;
            timex.offset = 1_500_000;
            timex.freq = 65536;
            timex.tick = 10_000;
            let mut out = Families::new();
            emit(TIME_ERROR, &timex, &mut out);
            let text = lines(&out);
            assert_eq!(text.len(), 17);
            for line in [
                "node_timex_offset_seconds 0.0015",
                "node_timex_frequency_adjustment_ratio 1.000001",
                "node_timex_tick_seconds 0.01",
                "node_timex_sync_status 0",
            ] {
                assert!(text.contains(&line.to_owned()), "{line}");
            }
            timex.status = 0;
            out.clear();
            emit(0, &timex, &mut out);
            assert!(lines(&out).contains(&"node_timex_offset_seconds 1.5".to_owned()));
        }
    }
}
