//! The series of one classic histogram, put together to a native one with custom buckets.

use ferroalloy_model::histogram::{BucketSpan, Counts, Histogram, ResetHint};

use crate::parse::buckets::compact;

/// The schema of histograms whose bounds are given one by one.
const CUSTOM: i32 = -53;

/// Up to so many empty buckets between others are kept, since a span takes more.
const MOST_EMPTY: i64 = 2;

/// What is known of a classic histogram so far. Its memory is used again.
#[derive(Debug, Clone, Default)]
pub(super) struct Classic {
    /// Upper bounds, ascending, and how many observations are at or below.
    buckets: Vec<(f64, f64)>,
    count: Option<f64>,
    sum: f64,
    broken: bool,
}

impl Classic {
    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.buckets.clear();
        (self.count, self.sum, self.broken) = (None, 0.0, false);
    }

    /// A bucket. Of two with the same bound the first counts; counts that fall break the histogram.
    pub(super) fn bucket(&mut self, bound: f64, count: f64) {
        let at = self.buckets.partition_point(|(before, _)| *before < bound);
        if self.buckets.get(at).is_some_and(|(same, _)| *same == bound) {
            return;
        }
        let below = at.checked_sub(1).and_then(|below| self.buckets.get(below));
        let falls = below.is_some_and(|(_, below)| count < *below)
            || self.buckets.get(at).is_some_and(|(_, above)| *above < count);
        self.broken |= falls || !is_count(count);
        self.buckets.insert(at, (bound, count));
    }

    /// The number of all observations.
    pub(super) fn count(&mut self, count: f64) {
        self.broken |= !is_count(count);
        self.count = Some(count);
    }

    /// Their sum.
    pub(super) fn sum(&mut self, sum: f64) {
        self.sum = sum;
    }

    /// The histogram, if the parts agree.
    pub(super) fn convert(&mut self) -> Option<Histogram> {
        if self.broken {
            return None;
        }
        let last = self.buckets.last().copied();
        let count = self.count.or(last.map(|(_, count)| count)).unwrap_or(0.0);
        match last {
            Some((f64::INFINITY, all)) if all != count => return None,
            Some((f64::INFINITY, _)) => {}
            Some((_, below)) if below > count => return None,
            _ => self.buckets.push((f64::INFINITY, count)),
        }
        let custom_values = self.buckets.iter().map(|(bound, _)| *bound);
        let custom_values = custom_values.filter(|bound| *bound < f64::INFINITY).collect();
        let spans = [BucketSpan {
            offset: 0,
            length: u32::try_from(self.buckets.len()).ok()?,
        }];
        let whole = self
            .buckets
            .iter()
            .map(|(_, count)| *count)
            .chain([count])
            .all(is_whole);
        let (positive_spans, counts) = if whole {
            let mut below = 0;
            let absolute = self.buckets.iter().map(|(_, count)| {
                let count = to_whole(*count);
                count - std::mem::replace(&mut below, count)
            });
            let (spans, absolute) = compact(&spans, absolute, MOST_EMPTY)?;
            let mut before = 0;
            let deltas = absolute
                .into_iter()
                .map(|count| count - std::mem::replace(&mut before, count));
            let counts = Counts::Integer {
                count: to_whole(count).unsigned_abs(),
                zero: 0,
                positive: deltas.collect(),
                negative: Vec::new(),
            };
            (spans, counts)
        } else {
            let mut below = 0.0;
            let absolute = self
                .buckets
                .iter()
                .map(|(_, count)| *count - std::mem::replace(&mut below, *count));
            let (spans, positive) = compact(&spans, absolute, MOST_EMPTY)?;
            let counts = Counts::Float {
                count,
                zero: 0.0,
                positive,
                negative: Vec::new(),
            };
            (spans, counts)
        };
        Some(Histogram {
            schema: CUSTOM,
            zero_threshold: 0.0,
            sum: self.sum,
            counts,
            positive_spans,
            negative_spans: Vec::new(),
            custom_values,
            reset_hint: ResetHint::Unknown,
        })
    }
}

/// Whether a number can be one of observations.
fn is_count(count: f64) -> bool {
    count >= 0.0 && count.is_finite()
}

/// Whether a count is a whole number that 63 bits hold.
fn is_whole(count: f64) -> bool {
    count.fract() == 0.0 && count < 9.2e18
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "only of what `is_whole` says so of"
)]
fn to_whole(count: f64) -> i64 {
    count as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(buckets: &[(f64, f64)], count: Option<f64>) -> Option<Histogram> {
        let mut classic = Classic::default();
        for (bound, count) in buckets {
            classic.bucket(*bound, *count);
        }
        if let Some(count) = count {
            classic.count(count);
        }
        classic.convert()
    }

    #[test]
    fn parts_that_disagree_make_no_histogram() {
        let inf = f64::INFINITY;
        assert!(convert(&[(1.0, 2.0), (inf, 1.0)], None).is_none());
        assert!(convert(&[(inf, 1.0), (1.0, 2.0)], None).is_none());
        assert!(convert(&[(1.0, 2.0), (inf, 2.0)], Some(3.0)).is_none());
        assert!(convert(&[(1.0, 4.0)], Some(3.0)).is_none());
        assert!(convert(&[(1.0, -1.0)], None).is_none());
        assert!(convert(&[(1.0, f64::NAN)], None).is_none());
        assert!(convert(&[], Some(f64::INFINITY)).is_none());
    }

    #[test]
    fn what_is_missing_is_made_of_what_is_there() {
        let histogram = convert(&[(2.0, 3.0), (1.0, 1.0), (2.0, 9.0)], Some(4.0)).expect("agrees");
        assert_eq!(histogram.custom_values, [1.0, 2.0]);
        let counts = Counts::Integer {
            count: 4,
            zero: 0,
            positive: vec![1, 1, -1],
            negative: vec![],
        };
        assert_eq!(histogram.counts, counts);
        let histogram = convert(&[(1.0, 0.5)], None).expect("agrees");
        assert!(matches!(histogram.counts, Counts::Float { count: 0.5, .. }));
    }
}
