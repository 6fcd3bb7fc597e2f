//! The native part of a histogram message: whether it has one, and its buckets.

use ferroalloy_model::histogram::{BucketSpan, Counts, Histogram, ResetHint};
use ferroalloy_model::sample::normal_nan;

use super::wire::{Field, Fields, Range};
use crate::parse::buckets::compact;
use crate::parse::lex::{Fault, fault};

/// The fields of a histogram message that are about native buckets. Its vectors are used again and again.
#[derive(Debug, Clone, Default)]
pub(super) struct Native {
    count: u64,
    count_float: f64,
    sum: f64,
    schema: i32,
    zero_threshold: f64,
    zero: u64,
    zero_float: f64,
    positive: Side,
    negative: Side,
}

#[derive(Debug, Clone, Default)]
struct Side {
    spans: Vec<BucketSpan>,
    deltas: Vec<i64>,
    counts: Vec<f64>,
}

// === impl Native ===

impl Native {
    /// Forgets the histogram, keeps the memory.
    pub(super) fn clear(&mut self) {
        (self.count, self.count_float, self.sum) = (0, 0.0, 0.0);
        (self.schema, self.zero_threshold, self.zero, self.zero_float) = (0, 0.0, 0, 0.0);
        self.positive.clear();
        self.negative.clear();
    }

    /// Takes a field of the histogram message.
    pub(super) fn take(&mut self, body: &[u8], field: &Field) -> Result<(), Fault> {
        match field.number {
            1 => self.count = field.varint()?,
            2 => self.sum = field.double()?,
            4 => self.count_float = field.double()?,
            5 => self.schema = field.sint32()?,
            6 => self.zero_threshold = field.double()?,
            7 => self.zero = field.varint()?,
            8 => self.zero_float = field.double()?,
            9 => self.negative.spans.push(span(body, field.bytes()?)?),
            10 => field.sint64s(body, &mut self.negative.deltas)?,
            11 => field.doubles(body, &mut self.negative.counts)?,
            12 => self.positive.spans.push(span(body, field.bytes()?)?),
            13 => field.sint64s(body, &mut self.positive.deltas)?,
            14 => field.doubles(body, &mut self.positive.counts)?,
            _ => {}
        }
        Ok(())
    }

    /// Whether there is a native histogram: a span, though it be empty, or something about the zero bucket.
    pub(super) fn is_native(&self) -> bool {
        !self.positive.spans.is_empty()
            || !self.negative.spans.is_empty()
            || self.zero_threshold > 0.0
            || self.zero > 0
    }

    /// All observations, whichever way they are given.
    pub(super) fn count(&self) -> f64 {
        if self.count_float > 0.0 {
            self.count_float
        } else {
            self.count as f64
        }
    }

    /// The sum of the observations.
    pub(super) fn sum(&self) -> f64 {
        self.sum
    }

    /// The histogram, without empty buckets. `at` is where faults are.
    pub(super) fn histogram(&self, gauge: bool, at: usize) -> Result<Histogram, Fault> {
        let float = self.count_float > 0.0 || self.zero_float > 0.0;
        let (positive, negative) = (self.positive.read(float, at)?, self.negative.read(float, at)?);
        let counts = if float {
            Counts::Float {
                count: self.count_float,
                zero: self.zero_float,
                positive: positive.counts,
                negative: negative.counts,
            }
        } else {
            Counts::Integer {
                count: self.count,
                zero: self.zero,
                positive: positive.deltas,
                negative: negative.deltas,
            }
        };
        Ok(Histogram {
            schema: self.schema,
            zero_threshold: self.zero_threshold,
            sum: if self.sum.is_nan() { normal_nan() } else { self.sum },
            counts,
            positive_spans: positive.spans,
            negative_spans: negative.spans,
            custom_values: Vec::new(),
            reset_hint: if gauge {
                ResetHint::Gauge
            } else {
                ResetHint::Unknown
            },
        })
    }
}

// === impl Side ===

impl Side {
    fn clear(&mut self) {
        self.spans.clear();
        self.deltas.clear();
        self.counts.clear();
    }

    /// The buckets that are not empty.
    fn read(&self, float: bool, at: usize) -> Result<Self, Fault> {
        let buckets = if float {
            self.counts.len()
        } else {
            self.deltas.len()
        };
        let spanned: u64 = self.spans.iter().map(|span| u64::from(span.length)).sum();
        if spanned != buckets as u64 {
            let reason = format!("histogram has {buckets} buckets, its spans {spanned}");
            return Err(fault(at, reason));
        }
        let mut out = Self::default();
        let compacted = if float {
            compact(&self.spans, self.counts.iter().copied(), 0).map(|(spans, counts)| {
                out.spans = spans;
                out.counts = counts;
            })
        } else {
            let absolute = self.deltas.iter().scan(0_i64, |count, delta| {
                *count = count.wrapping_add(*delta);
                Some(*count)
            });
            compact(&self.spans, absolute, 0).map(|(spans, counts)| {
                out.spans = spans;
                let mut before = 0_i64;
                out.deltas = counts
                    .into_iter()
                    .map(|count| count.wrapping_sub(std::mem::replace(&mut before, count)))
                    .collect();
            })
        };
        compacted.ok_or_else(|| fault(at, "histogram has buckets too far apart"))?;
        Ok(out)
    }
}

fn span(body: &[u8], range: Range) -> Result<BucketSpan, Fault> {
    let mut span = BucketSpan { offset: 0, length: 0 };
    let mut fields = Fields::new(body, range);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => span.offset = field.sint32()?,
            2 => span.length = field.uint32()?,
            _ => {}
        }
    }
    Ok(span)
}
