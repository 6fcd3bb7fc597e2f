//! Native histograms, as both remote-write messages and the protobuf exposition carry them.

/// A run of consecutive buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BucketSpan {
    /// Gap to the end of the span before, or the first bucket's index; may be negative only there.
    pub offset: i32,
    /// Number of buckets.
    pub length: u32,
}

/// What is known of a counter reset before a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ResetHint {
    /// Nothing is known.
    #[default]
    Unknown,
    /// A reset happened.
    Yes,
    /// None happened.
    No,
    /// A gauge histogram: resets do not apply.
    Gauge,
}

/// The counts of a histogram: whole observations, or weighted ones.
#[derive(Debug, Clone, PartialEq)]
pub enum Counts {
    /// Buckets hold the difference to the bucket before (the first one is absolute).
    Integer {
        /// All observations.
        count: u64,
        /// Observations within the zero bucket.
        zero: u64,
        /// Buckets above zero.
        positive: Vec<i64>,
        /// Buckets below zero.
        negative: Vec<i64>,
    },
    /// Buckets hold absolute counts.
    Float {
        /// All observations.
        count: f64,
        /// Observations within the zero bucket.
        zero: f64,
        /// Buckets above zero.
        positive: Vec<f64>,
        /// Buckets below zero.
        negative: Vec<f64>,
    },
}

/// One native histogram sample. A staleness marker is one whose `sum` is the stale NaN.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Resolution: -4..=8 for exponential buckets, -53 for custom ones.
    pub schema: i32,
    /// Width of the zero bucket.
    pub zero_threshold: f64,
    /// Sum of the observations.
    pub sum: f64,
    /// The counts.
    pub counts: Counts,
    /// Where the positive buckets are.
    pub positive_spans: Vec<BucketSpan>,
    /// Where the negative buckets are.
    pub negative_spans: Vec<BucketSpan>,
    /// Upper bounds of custom buckets, without +Inf; empty for exponential ones.
    pub custom_values: Vec<f64>,
    /// Counter reset before this sample.
    pub reset_hint: ResetHint,
}

impl Histogram {
    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        let buckets = match &self.counts {
            Counts::Integer {
                positive, negative, ..
            } => positive.capacity() + negative.capacity(),
            Counts::Float {
                positive, negative, ..
            } => positive.capacity() + negative.capacity(),
        };
        let spans = self.positive_spans.capacity() + self.negative_spans.capacity();
        (buckets + self.custom_values.capacity()) * size_of::<f64>() + spans * size_of::<BucketSpan>()
    }
}
