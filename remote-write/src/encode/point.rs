//! What a series is sent with, whatever the version of the message.

use ferroalloy_model::{Histogram, Metadata};

/// One point of a series, and what goes with it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Point<'a> {
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// When counting began, in milliseconds since 1970; 0 where that is not known. Sent by 2.0 alone.
    pub start_timestamp: i64,
    /// What was measured.
    pub value: Value<'a>,
    /// What is known of the metric family. Sent by 2.0 alone: 1.0 has requests of their own for it.
    pub metadata: Option<&'a Metadata>,
}

/// What was measured.
#[derive(Clone, Copy, Debug, Default)]
pub enum Value<'a> {
    /// Nothing: there are only exemplars.
    #[default]
    None,
    /// A number. The stale NaN marks the series as gone.
    Float(f64),
    /// A native histogram. 1.0 receivers do not take those with custom buckets (schema -53).
    Histogram(&'a Histogram),
}
