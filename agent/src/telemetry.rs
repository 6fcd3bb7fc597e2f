//! The program's own metrics that belong to no component: loads and evaluations, under Alloy's names.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use ferroalloy_model::{Collect, Families, MetricKind};

/// Upper bounds of Alloy's evaluation histogram, in seconds.
const BOUNDS: [f64; 12] = [
    0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0,
];

/// The labels that Alloy gives the controller's metrics; the root controller is the only one here.
pub const CONTROLLER: [(&str, &str); 2] = [("controller_path", "/"), ("controller_id", "")];

/// What the controller did.
#[derive(Debug, Default)]
pub struct Telemetry {
    evaluating: AtomicU64,
    evaluations: Mutex<Distribution>,
    last_load_successful: AtomicBool,
    last_load_success: AtomicI64,
    load_failures: AtomicU64,
}

#[derive(Debug, Default, Clone, Copy)]
struct Distribution {
    buckets: [u64; BOUNDS.len()],
    sum: f64,
    count: u64,
}

impl Telemetry {
    /// Notes that an evaluation begins.
    pub fn evaluation_started(&self) {
        self.evaluating.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that an evaluation ended, and how long it took.
    pub fn evaluation_ended(&self, took: Duration) {
        self.evaluating.fetch_sub(1, Ordering::Relaxed);
        let seconds = took.as_secs_f64();
        let mut evaluations = self.evaluations.lock().unwrap_or_else(PoisonError::into_inner);
        evaluations.sum += seconds;
        evaluations.count += 1;
        for (bucket, bound) in evaluations.buckets.iter_mut().zip(BOUNDS) {
            *bucket += u64::from(seconds <= bound);
        }
    }

    /// Notes the outcome of a load or reload at `now` (milliseconds since 1970).
    pub fn loaded(&self, success: bool, now: i64) {
        self.last_load_successful.store(success, Ordering::Relaxed);
        if success {
            self.last_load_success.store(now, Ordering::Relaxed);
        } else {
            self.load_failures.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Collect for Telemetry {
    fn collect(&self, out: &mut Families) {
        let evaluating = self.evaluating.load(Ordering::Relaxed) as f64;
        out.family(
            "alloy_component_controller_evaluating",
            "Tracks if the controller is currently in the middle of a graph evaluation",
            MetricKind::Gauge,
        )
        .sample(&CONTROLLER, evaluating);
        let evaluations = *self.evaluations.lock().unwrap_or_else(PoisonError::into_inner);
        out.family(
            "alloy_component_evaluation_seconds",
            "Time spent performing component evaluation",
            MetricKind::Histogram,
        )
        .histogram(
            &CONTROLLER,
            BOUNDS.into_iter().zip(evaluations.buckets),
            evaluations.sum,
            evaluations.count,
        );
        out.single(
            "alloy_config_last_load_successful",
            "Config loaded successfully.",
            MetricKind::Gauge,
            f64::from(u8::from(self.last_load_successful.load(Ordering::Relaxed))),
        );
        out.single(
            "alloy_config_last_load_success_timestamp_seconds",
            "Timestamp of the last successful configuration load.",
            MetricKind::Gauge,
            self.last_load_success.load(Ordering::Relaxed) as f64 / 1e3,
        );
        out.single(
            "alloy_config_load_failures_total",
            "Configuration load failures.",
            MetricKind::Counter,
            self.load_failures.load(Ordering::Relaxed) as f64,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evaluations_are_counted_by_duration() {
        let telemetry = Telemetry::default();
        telemetry.evaluation_started();
        telemetry.evaluation_ended(Duration::from_millis(30));
        telemetry.loaded(false, 1_000);
        telemetry.loaded(true, 2_000);
        let mut families = Families::new();
        telemetry.collect(&mut families);
        let mut text = Vec::new();
        ferroalloy_model::text::write(&families, &mut text);
        let text = String::from_utf8(text).unwrap();
        for line in [
            "alloy_component_evaluation_seconds_bucket{controller_id=\"\",controller_path=\"/\",le=\"0.025\"} 0",
            "alloy_component_evaluation_seconds_bucket{controller_id=\"\",controller_path=\"/\",le=\"0.1\"} 1",
            "alloy_config_last_load_successful 1",
            "alloy_config_last_load_success_timestamp_seconds 2",
            "alloy_config_load_failures_total 1",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
        }
    }
}
