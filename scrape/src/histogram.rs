//! Native histograms before they are kept: whether their counts agree, and fewer buckets where there are too many.
//!
//! The rules are those of Prometheus' `model/histogram` (`Validate`, `ReduceResolution`). Invariant: time and memory
//! follow the number of buckets, whatever the spans say.

use ferroalloy_model::Histogram;
use ferroalloy_model::histogram::{BucketSpan, Counts};

use crate::config::Config;
use crate::error::{Error, ErrorKind};

/// The schema of custom buckets.
const CUSTOM: i32 = -53;

/// The coarsest exponential schema, and the finest.
const COARSEST: i32 = -4;
const FINEST: i32 = 8;

/// Checks a histogram and brings it within the limits of the options. An error fails the scrape.
pub(crate) fn admit(histogram: &mut Histogram, config: &Config) -> Result<(), Error> {
    check(histogram).map_err(|reason| Error::new(ErrorKind::Parse, reason))?;
    if let Some(most) = schema_for(config.native_histogram_min_bucket_factor)
        && histogram.schema > most
    {
        while histogram.schema > most {
            halve(histogram);
        }
    }
    let limit = config.native_histogram_bucket_limit;
    while limit > 0 && buckets(histogram) > limit {
        if histogram.schema <= COARSEST {
            return Err(Error::new(
                ErrorKind::BucketLimit,
                format!(
                    "histogram has {} buckets at schema {}, native_histogram_bucket_limit is {limit}",
                    buckets(histogram),
                    histogram.schema
                ),
            ));
        }
        halve(histogram);
    }
    Ok(())
}

/// The finest schema whose buckets grow by at least that factor.
fn schema_for(factor: f64) -> Option<i32> {
    if factor <= 1.0 {
        return None;
    }
    let schema = (-factor.log2().log2()).floor();
    (COARSEST..=FINEST)
        .rev()
        .find(|known| f64::from(*known) <= schema)
        .or(Some(COARSEST))
}

fn buckets(histogram: &Histogram) -> usize {
    match &histogram.counts {
        Counts::Integer {
            positive, negative, ..
        } => positive.len() + negative.len(),
        Counts::Float {
            positive, negative, ..
        } => positive.len() + negative.len(),
    }
}

fn check(histogram: &Histogram) -> Result<(), String> {
    if histogram.schema == CUSTOM {
        check_custom(histogram)?;
    } else if !(COARSEST..=FINEST).contains(&histogram.schema) {
        return Err(format!(
            "histogram has schema {}, which is not known",
            histogram.schema
        ));
    } else if !histogram.custom_values.is_empty() {
        return Err("histogram has bounds of its own under an exponential schema".to_owned());
    }
    let (positive, negative) = match &histogram.counts {
        Counts::Integer {
            positive, negative, ..
        } => (positive.len(), negative.len()),
        Counts::Float {
            positive, negative, ..
        } => (positive.len(), negative.len()),
    };
    for (side, spans, buckets) in [
        ("positive", &histogram.positive_spans, positive),
        ("negative", &histogram.negative_spans, negative),
    ] {
        if let Some(span) = spans.iter().skip(1).find(|span| span.offset < 0) {
            return Err(format!(
                "histogram has a {side} span with the gap {}",
                span.offset
            ));
        }
        let spanned: u64 = spans.iter().map(|span| u64::from(span.length)).sum();
        if spanned != buckets as u64 {
            return Err(format!(
                "histogram has {buckets} {side} buckets, its spans {spanned}"
            ));
        }
    }
    match &histogram.counts {
        Counts::Integer {
            count,
            zero,
            positive,
            negative,
        } => {
            let found = sum(positive)?
                .checked_add(sum(negative)?)
                .and_then(|sum| sum.checked_add(*zero));
            let found = found.ok_or("histogram has more observations than can be counted")?;
            // Observations of NaN are counted and in no bucket.
            if if histogram.sum.is_nan() {
                found > *count
            } else {
                found != *count
            } {
                return Err(format!(
                    "histogram has {found} observations in its buckets and {count} altogether"
                ));
            }
        }
        Counts::Float {
            count,
            zero,
            positive,
            negative,
        } => {
            let mut counts = positive.iter().chain(negative).chain([count, zero]);
            if let Some(wrong) = counts.find(|count| **count < 0.0) {
                return Err(format!("histogram has a count of {wrong}"));
            }
        }
    }
    Ok(())
}

fn check_custom(histogram: &Histogram) -> Result<(), String> {
    let bounds = &histogram.custom_values;
    let zero = match &histogram.counts {
        Counts::Integer { zero, .. } => *zero != 0,
        Counts::Float { zero, .. } => *zero != 0.0,
    };
    if zero || histogram.zero_threshold != 0.0 || !histogram.negative_spans.is_empty() {
        return Err("histogram with custom buckets has a zero bucket or negative ones".to_owned());
    }
    if bounds
        .iter()
        .any(|bound| bound.is_nan() || *bound == f64::INFINITY)
        || !bounds.is_sorted_by(|a, b| a < b)
    {
        return Err("histogram has custom bounds that do not rise".to_owned());
    }
    let end: i64 = histogram
        .positive_spans
        .iter()
        .map(|span| i64::from(span.offset) + i64::from(span.length))
        .sum();
    let first = histogram.positive_spans.first().map_or(0, |span| span.offset);
    if first < 0 || end > i64::try_from(bounds.len()).unwrap_or(i64::MAX).saturating_add(1) {
        return Err(format!(
            "histogram has custom buckets beyond its {} bounds",
            bounds.len()
        ));
    }
    Ok(())
}

/// The observations of buckets that are written as differences.
fn sum(deltas: &[i64]) -> Result<u64, String> {
    let (mut count, mut sum) = (0_i64, 0_u64);
    for delta in deltas {
        count = count
            .checked_add(*delta)
            .ok_or("histogram has a count that is too large")?;
        let observations =
            u64::try_from(count).map_err(|_| format!("histogram has a bucket with the count {count}"))?;
        sum = sum
            .checked_add(observations)
            .ok_or("histogram has more observations than can be counted")?;
    }
    Ok(sum)
}

/// Puts each two neighbouring buckets into one.
fn halve(histogram: &mut Histogram) {
    histogram.schema -= 1;
    let Histogram {
        counts,
        positive_spans,
        negative_spans,
        ..
    } = histogram;
    match counts {
        Counts::Integer {
            positive, negative, ..
        } => {
            for (spans, deltas) in [(positive_spans, positive), (negative_spans, negative)] {
                let absolute = deltas.iter().scan(0_i64, |count, delta| {
                    *count += delta;
                    Some(*count)
                });
                let (merged, counts) = merge(spans, absolute);
                let mut before = 0;
                *deltas = counts
                    .into_iter()
                    .map(|count| count - std::mem::replace(&mut before, count))
                    .collect();
                *spans = merged;
            }
        }
        Counts::Float {
            positive, negative, ..
        } => {
            for (spans, counts) in [(positive_spans, positive), (negative_spans, negative)] {
                (*spans, *counts) = merge(spans, counts.iter().copied());
            }
        }
    }
}

/// Buckets with half the resolution: those with the numbers 2n-1 and 2n become n.
fn merge<T: Copy + std::ops::AddAssign>(
    spans: &[BucketSpan],
    counts: impl Iterator<Item = T>,
) -> (Vec<BucketSpan>, Vec<T>) {
    let (mut merged, mut out): (Vec<BucketSpan>, Vec<T>) = (Vec::new(), Vec::new());
    let mut start = 0_i64;
    let numbers = spans.iter().flat_map(move |span| {
        let from = start + i64::from(span.offset);
        start = from + i64::from(span.length);
        from..start
    });
    // The number of the last bucket made.
    let mut last: Option<i64> = None;
    for (number, count) in numbers.zip(counts) {
        let number = (number + 1) >> 1;
        let gap = number - last.map_or(0, |last| last + 1);
        if let (Some(sum), true) = (out.last_mut(), last == Some(number)) {
            *sum += count;
            continue;
        }
        match merged.last_mut() {
            Some(span) if gap == 0 => span.length += 1,
            _ => merged.push(BucketSpan {
                offset: i32::try_from(gap).unwrap_or(i32::MAX),
                length: 1,
            }),
        }
        out.push(count);
        last = Some(number);
    }
    (merged, out)
}

#[cfg(test)]
mod tests {
    use ferroalloy_model::histogram::ResetHint;

    use super::*;

    fn integer(schema: i32, spans: &[(i32, u32)], positive: &[i64], count: u64) -> Histogram {
        Histogram {
            schema,
            zero_threshold: 0.0,
            sum: 1.0,
            counts: Counts::Integer {
                count,
                zero: 0,
                positive: positive.to_vec(),
                negative: vec![],
            },
            positive_spans: spans
                .iter()
                .map(|(offset, length)| BucketSpan {
                    offset: *offset,
                    length: *length,
                })
                .collect(),
            negative_spans: vec![],
            custom_values: vec![],
            reset_hint: ResetHint::Unknown,
        }
    }

    fn limits(bucket_limit: usize, factor: f64) -> Config {
        Config {
            native_histogram_bucket_limit: bucket_limit,
            native_histogram_min_bucket_factor: factor,
            ..Config::default()
        }
    }

    #[test]
    fn counts_must_agree() {
        let config = limits(0, 0.0);
        assert!(admit(&mut integer(3, &[(0, 2)], &[2, -1], 3), &config).is_ok());
        let mut nan = integer(3, &[(0, 2)], &[2, -1], 4);
        nan.sum = f64::NAN;
        assert!(
            admit(&mut nan, &config).is_ok(),
            "an observation of NaN is in no bucket"
        );
        let mut negative_gap = integer(3, &[(0, 1), (-1, 1)], &[1, 0], 2);
        let mut custom = integer(CUSTOM, &[(0, 3)], &[1, 0, 0], 3);
        custom.custom_values = vec![1.0];
        let mut falling = integer(CUSTOM, &[(0, 1)], &[1], 1);
        falling.custom_values = vec![2.0, 1.0];
        for (mut wrong, reason) in [
            (
                integer(3, &[(0, 2)], &[2, -1], 4),
                "3 observations in its buckets and 4",
            ),
            (integer(3, &[(0, 2)], &[2, -3], 1), "the count -1"),
            (integer(3, &[(0, 2)], &[i64::MAX, i64::MAX], 1), "too large"),
            (
                integer(3, &[(0, 3)], &[1, 0], 2),
                "2 positive buckets, its spans 3",
            ),
            (integer(9, &[(0, 1)], &[1], 1), "schema 9"),
            (
                std::mem::replace(&mut negative_gap, integer(0, &[], &[], 0)),
                "the gap -1",
            ),
            (custom, "beyond its 1 bounds"),
            (falling, "do not rise"),
        ] {
            let error = admit(&mut wrong, &config).expect_err(reason);
            assert_eq!(error.kind(), ErrorKind::Parse);
            assert!(error.to_string().contains(reason), "{error}");
        }
    }

    #[test]
    fn resolution_is_halved_until_it_fits() {
        // Buckets 1 to 4 with 1, 2, 3, 4 observations, and bucket 9 with 5.
        let fine = integer(3, &[(1, 4), (4, 1)], &[1, 1, 1, 1, 1], 15);
        let mut coarse = fine.clone();
        admit(&mut coarse, &limits(3, 0.0)).expect("fits");
        assert_eq!(coarse, integer(2, &[(1, 2), (2, 1)], &[3, 4, -2], 15));
        let mut coarser = fine.clone();
        admit(&mut coarser, &limits(2, 0.0)).expect("fits");
        assert_eq!(coarser, integer(1, &[(1, 1), (1, 1)], &[10, -5], 15));
        let mut wide = integer(-4, &[(0, 3)], &[1, 0, 0], 3);
        let error = admit(&mut wide, &limits(2, 0.0)).expect_err("too many");
        assert_eq!(error.kind(), ErrorKind::BucketLimit);
    }

    #[test]
    fn a_growth_factor_is_a_schema() {
        for (factor, schema) in [
            (0.0, None),
            (1.0, None),
            (1.002, Some(8)),
            (1.1, Some(2)),
            (2.0, Some(0)),
            (4.0, Some(-1)),
            (1e9, Some(-4)),
        ] {
            assert_eq!(schema_for(factor), schema, "{factor}");
        }
        let mut fine = integer(3, &[(0, 2)], &[2, -1], 3);
        admit(&mut fine, &limits(0, 2.0)).expect("good");
        assert_eq!(fine, integer(0, &[(0, 2)], &[2, -1], 3));
    }
}
