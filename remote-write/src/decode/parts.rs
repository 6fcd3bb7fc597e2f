//! How many parts a message has, told from its bytes alone: before they become structs of a hundred times their size.

use crate::encode::wire::read_varint;

/// What a length-delimited field is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// A message, by the numbers of those of its fields that are parts.
    Message(&'static [(u64, Part)]),
    /// A text.
    Text,
    /// A list of varints.
    Numbers,
}

use Part::{Message, Numbers, Text};

const LABEL: &[(u64, Part)] = &[(1, Text), (2, Text)];
// Lists of doubles take as many bytes here as they do later.
const HISTOGRAM: &[(u64, Part)] = &[(8, Message(&[])), (9, Numbers), (11, Message(&[])), (12, Numbers)];

/// `prometheus.WriteRequest`.
pub(super) const V1: &[(u64, Part)] = &[
    (
        1,
        Message(&[
            (1, Message(LABEL)),
            (2, Message(&[])),
            (3, Message(&[(1, Message(LABEL))])),
            (4, Message(HISTOGRAM)),
        ]),
    ),
    (3, Message(&[(2, Text), (4, Text), (5, Text)])),
];

/// `io.prometheus.write.v2.Request`.
pub(super) const V2: &[(u64, Part)] = &[
    (4, Text),
    (
        5,
        Message(&[
            (1, Numbers),
            (2, Message(&[])),
            (3, Message(HISTOGRAM)),
            (4, Message(&[(1, Numbers)])),
            (5, Message(&[])),
        ]),
    ),
];

/// So many numbers of a list are one part: they take as much room as a text does.
const NUMBERS: usize = 8;

/// Takes the parts of a message with these fields off `left`. `None` when there are more. What does not look like a message is left to the
/// decoder, which knows what is wrong with it.
pub(super) fn count(mut bytes: &[u8], fields: &[(u64, Part)], left: &mut usize) -> Option<()> {
    // A list may come number by number, each with a tag.
    let mut alone = 0;
    while !bytes.is_empty() {
        let Some((tag, at)) = read_varint(bytes, 0) else {
            return Some(());
        };
        let known = fields.iter().find(|(number, _)| *number == tag >> 3);
        let end = match tag & 7 {
            0 => {
                if matches!(known, Some((_, Numbers))) {
                    alone += 1;
                    *left = left.checked_sub(usize::from(alone % NUMBERS == 0))?;
                }
                read_varint(bytes, at).map(|(_, end)| end)
            }
            1 => at.checked_add(8),
            5 => at.checked_add(4),
            2 => {
                *left = left.checked_sub(1)?;
                let field = read_varint(bytes, at).and_then(|(length, start)| {
                    let end = start.checked_add(usize::try_from(length).ok()?)?;
                    Some((bytes.get(start..end)?, end))
                });
                match (field, known) {
                    (Some((inside, _)), Some((_, Message(fields)))) => count(inside, fields, left)?,
                    (Some((inside, _)), Some((_, Numbers))) => {
                        let numbers = inside.iter().filter(|byte| **byte < 0x80).count();
                        *left = left.checked_sub(numbers / NUMBERS)?;
                    }
                    _ => {}
                }
                field.map(|(_, end)| end)
            }
            _ => None,
        };
        let Some(rest) = end.and_then(|end| bytes.get(end..)) else {
            return Some(());
        };
        bytes = rest;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::proto;

    #[test]
    fn parts_are_what_becomes_structs() {
        let parts = |message: &[u8], fields| {
            let mut left = 1000;
            count(message, fields, &mut left).map(|()| 1000 - left)
        };
        let label = proto::Label {
            name: "a\n\0\x0a\0\x0a\0".into(),
            value: "b".into(),
        };
        let histogram = proto::Histogram {
            positive_spans: vec![proto::BucketSpan {
                offset: 1,
                length: 17,
            }],
            positive_deltas: vec![1000; 17],
            ..proto::Histogram::default()
        };
        let v1 = proto::WriteRequest {
            timeseries: vec![proto::TimeSeries {
                labels: vec![label],
                samples: vec![proto::Sample::default()],
                histograms: vec![histogram.clone()],
                ..proto::TimeSeries::default()
            }],
            metadata: vec![proto::MetricMetadata {
                help: "h".into(),
                ..proto::MetricMetadata::default()
            }],
        };
        // The series; a label and its texts; a sample; a histogram, its span, its list and sixteen of it; a family and a text.
        assert_eq!(parts(&v1.encode_to_vec(), V1), Some(1 + 3 + 1 + 5 + 2));
        let v2 = proto::v2::Request {
            symbols: vec![String::new(), "a".into()],
            timeseries: vec![proto::v2::TimeSeries {
                labels_refs: vec![1; 80],
                histograms: vec![histogram],
                ..proto::v2::TimeSeries::default()
            }],
        };
        assert_eq!(parts(&v2.encode_to_vec(), V2), Some(2 + 1 + 11 + 5));
        assert_eq!(parts(&[0x0a, 0].repeat(1001), V1), None);
        let alone = [[0x2a, 128, 1].as_slice(), &[0x08, 7].repeat(64)].concat();
        assert_eq!(parts(&alone, V2), Some(1 + 8));
    }
}
