//! Short ways to add one sample.

use ferroalloy_model::{Families, MetricKind};

/// Adds a sample to a gauge.
pub(crate) fn gauge(out: &mut Families, name: &str, help: &str, labels: &[(&str, &str)], value: f64) {
    out.family(name, help, MetricKind::Gauge).sample(labels, value);
}

/// Adds a sample to a counter.
pub(crate) fn counter(out: &mut Families, name: &str, help: &str, labels: &[(&str, &str)], value: f64) {
    out.family(name, help, MetricKind::Counter).sample(labels, value);
}
