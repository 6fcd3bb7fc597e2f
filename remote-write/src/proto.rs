//! The messages of remote write 1.0 (`prometheus.WriteRequest`) and, in [`v2`], those of 2.0, for decoding and for tests.
//!
//! Field numbers are those of the specifications. Sending goes another way: [`crate::encode`] writes the
//! same bytes without building these structs first.

mod convert;
pub mod v2;

/// What one request carries: `prometheus.WriteRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct WriteRequest {
    /// Series with their samples.
    #[prost(message, repeated, tag = "1")]
    pub timeseries: Vec<TimeSeries>,
    /// Metadata of metric families.
    #[prost(message, repeated, tag = "3")]
    pub metadata: Vec<MetricMetadata>,
}

/// A series with samples or histograms, in order of time.
#[derive(Clone, PartialEq, prost::Message)]
pub struct TimeSeries {
    /// The full label set, sorted by name.
    #[prost(message, repeated, tag = "1")]
    pub labels: Vec<Label>,
    /// Samples.
    #[prost(message, repeated, tag = "2")]
    pub samples: Vec<Sample>,
    /// Exemplars.
    #[prost(message, repeated, tag = "3")]
    pub exemplars: Vec<Exemplar>,
    /// Native histograms.
    #[prost(message, repeated, tag = "4")]
    pub histograms: Vec<Histogram>,
}

/// A label.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Label {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its value, not empty.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// A float sample.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Sample {
    /// The value. A NaN's bits matter: one of them marks the series as gone.
    #[prost(double, tag = "1")]
    pub value: f64,
    /// Milliseconds since 1970.
    #[prost(int64, tag = "2")]
    pub timestamp: i64,
}

/// An example observation.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Exemplar {
    /// Labels of the exemplar alone.
    #[prost(message, repeated, tag = "1")]
    pub labels: Vec<Label>,
    /// The value observed.
    #[prost(double, tag = "2")]
    pub value: f64,
    /// Milliseconds since 1970.
    #[prost(int64, tag = "3")]
    pub timestamp: i64,
}

/// A native histogram, of either version.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Histogram {
    /// All observations.
    #[prost(oneof = "histogram::Count", tags = "1, 2")]
    pub count: Option<histogram::Count>,
    /// Sum of the observations.
    #[prost(double, tag = "3")]
    pub sum: f64,
    /// Resolution.
    #[prost(sint32, tag = "4")]
    pub schema: i32,
    /// Width of the zero bucket.
    #[prost(double, tag = "5")]
    pub zero_threshold: f64,
    /// Observations within the zero bucket.
    #[prost(oneof = "histogram::ZeroCount", tags = "6, 7")]
    pub zero_count: Option<histogram::ZeroCount>,
    /// Where the negative buckets are.
    #[prost(message, repeated, tag = "8")]
    pub negative_spans: Vec<BucketSpan>,
    /// Integer histograms: each bucket's difference to the one before.
    #[prost(sint64, repeated, tag = "9")]
    pub negative_deltas: Vec<i64>,
    /// Float histograms: each bucket's count.
    #[prost(double, repeated, tag = "10")]
    pub negative_counts: Vec<f64>,
    /// Where the positive buckets are.
    #[prost(message, repeated, tag = "11")]
    pub positive_spans: Vec<BucketSpan>,
    /// Integer histograms: each bucket's difference to the one before.
    #[prost(sint64, repeated, tag = "12")]
    pub positive_deltas: Vec<i64>,
    /// Float histograms: each bucket's count.
    #[prost(double, repeated, tag = "13")]
    pub positive_counts: Vec<f64>,
    /// What is known of a counter reset.
    #[prost(enumeration = "histogram::ResetHint", tag = "14")]
    pub reset_hint: i32,
    /// Milliseconds since 1970.
    #[prost(int64, tag = "15")]
    pub timestamp: i64,
    /// Bounds of custom buckets, which 1.0 receivers do not take.
    #[prost(double, repeated, tag = "16")]
    pub custom_values: Vec<f64>,
    /// When counting began, in milliseconds since 1970; 0 where that is not known. In 2.0 alone.
    #[prost(int64, tag = "17")]
    pub start_timestamp: i64,
}

/// A run of buckets.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct BucketSpan {
    /// Gap to the run before, or the first bucket's index.
    #[prost(sint32, tag = "1")]
    pub offset: i32,
    /// Number of buckets.
    #[prost(uint32, tag = "2")]
    pub length: u32,
}

/// Types within [`Histogram`].
pub mod histogram {
    /// Integer or float, which decides what kind of histogram it is.
    #[derive(Clone, Copy, PartialEq, prost::Oneof)]
    pub enum Count {
        /// Whole observations.
        #[prost(uint64, tag = "1")]
        Int(u64),
        /// Weighted observations.
        #[prost(double, tag = "2")]
        Float(f64),
    }

    /// Of the same kind as the count.
    #[derive(Clone, Copy, PartialEq, prost::Oneof)]
    pub enum ZeroCount {
        /// Whole observations.
        #[prost(uint64, tag = "6")]
        Int(u64),
        /// Weighted observations.
        #[prost(double, tag = "7")]
        Float(f64),
    }

    /// What is known of a counter reset before the histogram.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
    #[repr(i32)]
    pub enum ResetHint {
        /// Nothing.
        Unknown = 0,
        /// A reset happened.
        Yes = 1,
        /// None happened.
        No = 2,
        /// A gauge histogram.
        Gauge = 3,
    }
}

/// What is known of a metric family.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct MetricMetadata {
    /// Its kind.
    #[prost(enumeration = "MetricType", tag = "1")]
    pub r#type: i32,
    /// Its name, without suffixes.
    #[prost(string, tag = "2")]
    pub metric_family_name: String,
    /// The help text.
    #[prost(string, tag = "4")]
    pub help: String,
    /// The unit.
    #[prost(string, tag = "5")]
    pub unit: String,
}

/// The kind of a metric family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum MetricType {
    /// Not told.
    Unknown = 0,
    /// Only rises.
    Counter = 1,
    /// Goes up and down.
    Gauge = 2,
    /// Buckets, sum and count.
    Histogram = 3,
    /// Buckets that may fall.
    GaugeHistogram = 4,
    /// Quantiles, sum and count.
    Summary = 5,
    /// Constant 1 with facts in its labels.
    Info = 6,
    /// One series a state.
    StateSet = 7,
}
