//! From the messages to the model and back.

use ferroalloy_model::MetricKind;
use ferroalloy_model::histogram::{self as model, Counts, ResetHint};

use super::histogram::{Count, ResetHint as Hint, ZeroCount};
use super::{BucketSpan, Histogram, MetricType};

impl From<&model::Histogram> for Histogram {
    /// The histogram without its times.
    fn from(histogram: &model::Histogram) -> Self {
        let spans = |spans: &[model::BucketSpan]| {
            let span = |span: &model::BucketSpan| BucketSpan {
                offset: span.offset,
                length: span.length,
            };
            spans.iter().map(span).collect()
        };
        let mut message = Self {
            sum: histogram.sum,
            schema: histogram.schema,
            zero_threshold: histogram.zero_threshold,
            negative_spans: spans(&histogram.negative_spans),
            positive_spans: spans(&histogram.positive_spans),
            reset_hint: match histogram.reset_hint {
                ResetHint::Unknown => Hint::Unknown,
                ResetHint::Yes => Hint::Yes,
                ResetHint::No => Hint::No,
                ResetHint::Gauge => Hint::Gauge,
            }
            .into(),
            custom_values: histogram.custom_values.clone(),
            ..Self::default()
        };
        match &histogram.counts {
            Counts::Integer {
                count,
                zero,
                positive,
                negative,
            } => {
                message.count = Some(Count::Int(*count));
                message.zero_count = Some(ZeroCount::Int(*zero));
                message.positive_deltas.clone_from(positive);
                message.negative_deltas.clone_from(negative);
            }
            Counts::Float {
                count,
                zero,
                positive,
                negative,
            } => {
                message.count = Some(Count::Float(*count));
                message.zero_count = Some(ZeroCount::Float(*zero));
                message.positive_counts.clone_from(positive);
                message.negative_counts.clone_from(negative);
            }
        }
        message
    }
}

impl Histogram {
    /// The histogram without its times. The error says what does not fit together.
    pub fn to_model(&self) -> Result<model::Histogram, &'static str> {
        let counts = match (self.count, self.zero_count) {
            (Some(Count::Float(count)), zero) => Counts::Float {
                count,
                zero: match zero {
                    Some(ZeroCount::Float(zero)) => zero,
                    Some(ZeroCount::Int(_)) => return Err("the count is a float, the zero bucket is not"),
                    None => 0.0,
                },
                positive: self.positive_counts.clone(),
                negative: self.negative_counts.clone(),
            },
            (count, zero) => Counts::Integer {
                count: match count {
                    Some(Count::Int(count)) => count,
                    _ => 0,
                },
                zero: match zero {
                    Some(ZeroCount::Int(zero)) => zero,
                    Some(ZeroCount::Float(_)) => return Err("the zero bucket is a float, the count is not"),
                    None => 0,
                },
                positive: self.positive_deltas.clone(),
                negative: self.negative_deltas.clone(),
            },
        };
        let other_kind = match &counts {
            Counts::Float { .. } => !self.positive_deltas.is_empty() || !self.negative_deltas.is_empty(),
            Counts::Integer { .. } => !self.positive_counts.is_empty() || !self.negative_counts.is_empty(),
        };
        if other_kind {
            return Err("its buckets are of another kind than its count");
        }
        let (positive, negative) = match &counts {
            Counts::Integer {
                positive, negative, ..
            } => (positive.len(), negative.len()),
            Counts::Float {
                positive, negative, ..
            } => (positive.len(), negative.len()),
        };
        let fits = |spans: &[BucketSpan], buckets: usize| {
            spans.iter().map(|span| u64::from(span.length)).sum::<u64>() == buckets as u64
                && spans.iter().skip(1).all(|span| span.offset >= 0)
        };
        if !fits(&self.positive_spans, positive) || !fits(&self.negative_spans, negative) {
            return Err("its spans and buckets do not agree");
        }
        match self.schema {
            -4..=8 if self.custom_values.is_empty() => {}
            -4..=8 => return Err("custom bounds with an exponential schema"),
            -53 if self.custom_values.is_sorted_by(|a, b| a < b) => {}
            -53 => return Err("its custom bounds do not rise"),
            _ => return Err("its schema is neither -4 to 8 nor -53"),
        }
        let spans = |spans: &[BucketSpan]| {
            let span = |span: &BucketSpan| model::BucketSpan {
                offset: span.offset,
                length: span.length,
            };
            spans.iter().map(span).collect()
        };
        Ok(model::Histogram {
            schema: self.schema,
            zero_threshold: self.zero_threshold,
            sum: self.sum,
            counts,
            positive_spans: spans(&self.positive_spans),
            negative_spans: spans(&self.negative_spans),
            custom_values: self.custom_values.clone(),
            reset_hint: match self.reset_hint() {
                Hint::Unknown => ResetHint::Unknown,
                Hint::Yes => ResetHint::Yes,
                Hint::No => ResetHint::No,
                Hint::Gauge => ResetHint::Gauge,
            },
        })
    }
}

impl From<MetricKind> for MetricType {
    fn from(kind: MetricKind) -> Self {
        match kind {
            MetricKind::Unknown => Self::Unknown,
            MetricKind::Counter => Self::Counter,
            MetricKind::Gauge => Self::Gauge,
            MetricKind::Histogram => Self::Histogram,
            MetricKind::GaugeHistogram => Self::GaugeHistogram,
            MetricKind::Summary => Self::Summary,
            MetricKind::Info => Self::Info,
            MetricKind::StateSet => Self::StateSet,
        }
    }
}

impl From<MetricType> for MetricKind {
    fn from(kind: MetricType) -> Self {
        match kind {
            MetricType::Unknown => Self::Unknown,
            MetricType::Counter => Self::Counter,
            MetricType::Gauge => Self::Gauge,
            MetricType::Histogram => Self::Histogram,
            MetricType::GaugeHistogram => Self::GaugeHistogram,
            MetricType::Summary => Self::Summary,
            MetricType::Info => Self::Info,
            MetricType::StateSet => Self::StateSet,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_of_the_kind_of_the_count() {
        let mut histogram = Histogram {
            count: Some(Count::Float(3.0)),
            zero_count: Some(ZeroCount::Float(3.0)),
            ..Histogram::default()
        };
        histogram.to_model().unwrap();
        let why = "its buckets are of another kind than its count";
        histogram.positive_deltas = vec![1, 0];
        assert_eq!(histogram.to_model().unwrap_err(), why);
        histogram.count = Some(Count::Int(3));
        histogram.zero_count = None;
        histogram.positive_deltas.clear();
        histogram.negative_counts = vec![1.0];
        assert_eq!(histogram.to_model().unwrap_err(), why);
    }
}
