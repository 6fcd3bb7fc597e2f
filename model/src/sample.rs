//! The small values that travel with series: kinds, metadata, exemplars, and the staleness marker.

use std::fmt;

use crate::labels::Labels;

/// Bits of the NaN that marks a series as gone (Prometheus `model/value`).
pub const STALE_NAN_BITS: u64 = 0x7ff0_0000_0000_0002;

/// Bits of the NaN that every other NaN read from outside becomes, so that no target can forge a marker.
pub const NORMAL_NAN_BITS: u64 = 0x7ff8_0000_0000_0001;

/// The staleness marker as a value. Compare with [`is_stale`], never with `==`.
pub const fn stale_nan() -> f64 {
    f64::from_bits(STALE_NAN_BITS)
}

/// The ordinary NaN as a value.
pub const fn normal_nan() -> f64 {
    f64::from_bits(NORMAL_NAN_BITS)
}

/// Whether `value` is the staleness marker, by bits.
pub const fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_NAN_BITS
}

/// What a metric family measures: the `TYPE` of the exposition formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum MetricKind {
    /// Not told; `untyped` in the text format 0.0.4.
    #[default]
    Unknown,
    /// Only rises, or starts again at zero.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Cumulative buckets with sum and count.
    Histogram,
    /// Buckets that may fall (OpenMetrics).
    GaugeHistogram,
    /// Quantiles with sum and count.
    Summary,
    /// Constant 1 with facts in its labels (OpenMetrics).
    Info,
    /// One series a state, 0 or 1 (OpenMetrics).
    StateSet,
}

impl MetricKind {
    /// The word of the Prometheus text format 0.0.4, which knows five kinds: the others are `untyped`.
    pub const fn text_name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
            Self::Unknown | Self::GaugeHistogram | Self::Info | Self::StateSet => "untyped",
        }
    }
}

/// What is known of a metric family besides its samples.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Metadata {
    /// The family's kind.
    pub kind: MetricKind,
    /// The help text, unescaped.
    pub help: String,
    /// The unit (OpenMetrics); empty where none is given.
    pub unit: String,
}

/// An example observation beside a sample: typically a trace id.
#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar {
    /// Labels of the exemplar alone.
    pub labels: Labels,
    /// The value observed.
    pub value: f64,
    /// Milliseconds since 1970.
    pub timestamp: i64,
}

impl fmt::Display for MetricKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "unknown",
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::GaugeHistogram => "gaugehistogram",
            Self::Summary => "summary",
            Self::Info => "info",
            Self::StateSet => "stateset",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_marker_is_stale() {
        assert!(is_stale(stale_nan()));
        assert!(stale_nan().is_nan() && normal_nan().is_nan());
        assert!(!is_stale(normal_nan()));
        assert!(!is_stale(f64::NAN));
    }
}
