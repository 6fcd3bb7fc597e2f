//! The messages of remote write 2.0 (`io.prometheus.write.v2.Request`). Histograms are those of 1.0 with a field more.

use ferroalloy_model::Labels;

use super::Histogram;

/// What one request carries: `io.prometheus.write.v2.Request`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Request {
    /// Every text once; the first one is empty.
    #[prost(string, repeated, tag = "4")]
    pub symbols: Vec<String>,
    /// Series with their samples.
    #[prost(message, repeated, tag = "5")]
    pub timeseries: Vec<TimeSeries>,
}

/// A series with samples or histograms, in order of time.
#[derive(Clone, PartialEq, prost::Message)]
pub struct TimeSeries {
    /// Name and value of each label in turn, sorted by name, as indexes into the symbols.
    #[prost(uint32, repeated, tag = "1")]
    pub labels_refs: Vec<u32>,
    /// Samples.
    #[prost(message, repeated, tag = "2")]
    pub samples: Vec<Sample>,
    /// Native histograms.
    #[prost(message, repeated, tag = "3")]
    pub histograms: Vec<Histogram>,
    /// Exemplars.
    #[prost(message, repeated, tag = "4")]
    pub exemplars: Vec<Exemplar>,
    /// What is known of the metric family.
    #[prost(message, optional, tag = "5")]
    pub metadata: Option<Metadata>,
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
    /// When counting began, in milliseconds since 1970; 0 where that is not known.
    #[prost(int64, tag = "3")]
    pub start_timestamp: i64,
}

/// An example observation.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Exemplar {
    /// Labels of the exemplar alone, as indexes into the symbols.
    #[prost(uint32, repeated, tag = "1")]
    pub labels_refs: Vec<u32>,
    /// The value observed.
    #[prost(double, tag = "2")]
    pub value: f64,
    /// Milliseconds since 1970.
    #[prost(int64, tag = "3")]
    pub timestamp: i64,
}

/// What is known of a metric family.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Metadata {
    /// Its kind.
    #[prost(enumeration = "super::MetricType", tag = "1")]
    pub r#type: i32,
    /// The help text, as an index into the symbols.
    #[prost(uint32, tag = "3")]
    pub help_ref: u32,
    /// The unit, as an index into the symbols.
    #[prost(uint32, tag = "4")]
    pub unit_ref: u32,
}

impl Request {
    /// The labels that `refs` stand for. `None` when an index is outside of the symbols or a name lacks its value.
    pub fn labels(&self, refs: &[u32]) -> Option<Labels> {
        self.label_pairs(refs).map(Labels::from_pairs)
    }

    /// Names and values that `refs` stand for, as they come.
    pub(crate) fn label_pairs(&self, refs: &[u32]) -> Option<Vec<(&str, &str)>> {
        let symbol = |index: u32| self.symbols.get(index as usize).map(String::as_str);
        let (pairs, rest) = refs.as_chunks::<2>();
        if !rest.is_empty() {
            return None;
        }
        pairs
            .iter()
            .map(|[name, value]| Some((symbol(*name)?, symbol(*value)?)))
            .collect()
    }
}
