//! Spans of native buckets, with empty buckets left out as far as that saves something.

use ferroalloy_model::histogram::BucketSpan;

/// The buckets `counts`, which are where `spans` says, without those that are empty: at either end, and where more
/// than `most_empty` stand together. `None`: buckets are further apart than a span can say.
pub(super) fn compact<T: Copy + Default + PartialEq>(
    spans: &[BucketSpan],
    counts: impl Iterator<Item = T>,
    most_empty: i64,
) -> Option<(Vec<BucketSpan>, Vec<T>)> {
    let mut out: (Vec<BucketSpan>, Vec<T>) = (Vec::new(), Vec::new());
    // The bucket behind the last one kept, and the one to come.
    let (mut end, mut next) = (0_i64, 0_i64);
    let mut spans = spans.iter();
    let mut left = 0;
    for count in counts {
        while left == 0 {
            let span = spans.next()?;
            next = next.checked_add(i64::from(span.offset))?;
            left = span.length;
        }
        left -= 1;
        let at = next;
        next += 1;
        if count == T::default() {
            continue;
        }
        let gap = at - end;
        match out.0.last_mut() {
            Some(last) if (0..=most_empty).contains(&gap) => {
                last.length = last.length.checked_add(u32::try_from(gap + 1).ok()?)?;
                for _ in 0..gap {
                    out.1.push(T::default());
                }
            }
            _ => out.0.push(BucketSpan {
                offset: i32::try_from(gap).ok()?,
                length: 1,
            }),
        }
        out.1.push(count);
        end = next;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(spans: &[(i32, u32)]) -> Vec<BucketSpan> {
        let span = |(offset, length): &(i32, u32)| BucketSpan {
            offset: *offset,
            length: *length,
        };
        spans.iter().map(span).collect()
    }

    #[test]
    fn empty_buckets_go_where_they_cost_more_than_a_span() {
        for (given, counts, most, wanted, left) in [
            (&[(0, 0)][..], &[][..], 0, &[][..], &[][..]),
            (&[(0, 4)], &[0, 5, 1, 0], 2, &[(1, 2)], &[5, 1]),
            (&[(-2, 2), (0, 1)], &[1, 2, 3], 0, &[(-2, 3)], &[1, 2, 3]),
            (&[(1, 4)], &[1, 0, 0, 1], 2, &[(1, 4)], &[1, 0, 0, 1]),
            (&[(1, 5)], &[1, 0, 0, 0, 1], 2, &[(1, 1), (3, 1)], &[1, 1]),
            (&[(1, 1), (2, 1)], &[1, 1], 2, &[(1, 4)], &[1, 0, 0, 1]),
            (&[(1, 1), (2, 1)], &[1, 1], 0, &[(1, 1), (2, 1)], &[1, 1]),
        ] {
            let got = compact(&spans(given), counts.iter().copied(), most);
            assert_eq!(got, Some((spans(wanted), left.to_vec())), "{given:?} {counts:?}");
        }
        let far = spans(&[(i32::MAX, 1), (i32::MAX, 1), (i32::MAX, 1)]);
        assert_eq!(compact(&far, [1, 0, 1].into_iter(), 0), None);
    }
}
