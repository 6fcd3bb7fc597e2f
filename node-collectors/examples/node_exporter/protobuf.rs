//! Families as protobuf: `io.prometheus.client.MetricFamily` messages, each with its length before it
//! (<https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto>).

use std::collections::HashMap;

use ferroalloy_model::MetricKind;
use ferroalloy_model::families::{Families, FamilyRef, SampleRef};

/// Appends `families` to `out`, by name; tells how many series were left out because they were there before, or because their family
/// was declared before with another kind or help.
pub(crate) fn write(families: &Families, out: &mut Vec<u8>) -> usize {
    let sorted = families.sorted();
    let mut left_out = 0;
    for parts in sorted.chunk_by(|a, b| a.name() == b.name()) {
        left_out += family(parts, out);
    }
    left_out
}

type Labels<'a> = Vec<(&'a str, &'a str)>;

fn family(parts: &[FamilyRef<'_>], out: &mut Vec<u8>) -> usize {
    let Some(first) = parts.first() else { return 0 };
    let mut left_out = 0;
    let mut samples = Vec::new();
    for part in parts {
        if part.kind() == first.kind() && part.help() == first.help() {
            samples.extend(part.samples());
        } else {
            left_out += part.samples().len();
        }
    }
    if samples.is_empty() {
        return left_out;
    }
    let mut message = Vec::new();
    text(1, first.name(), &mut message);
    text(2, first.help(), &mut message);
    number(3, type_number(first.kind()), &mut message);
    match first.kind() {
        MetricKind::Histogram | MetricKind::GaugeHistogram | MetricKind::Summary => {
            compound(*first, &samples, &mut message);
        }
        kind => left_out += simple(kind, &samples, &mut message),
    }
    varint(message.len() as u64, out);
    out.extend_from_slice(&message);
    left_out
}

/// `MetricType`
fn type_number(kind: MetricKind) -> u64 {
    match kind {
        MetricKind::Counter => 0,
        MetricKind::Gauge => 1,
        MetricKind::Summary => 2,
        MetricKind::Histogram => 4,
        MetricKind::GaugeHistogram => 5,
        _ => 3,
    }
}

/// A metric for each sample, in the order of the text format.
fn simple(kind: MetricKind, samples: &[SampleRef<'_>], out: &mut Vec<u8>) -> usize {
    let mut rows: Vec<(Labels<'_>, SampleRef<'_>)> =
        samples.iter().map(|sample| (labels(*sample), *sample)).collect();
    rows.sort_by(|(a, _), (b, _)| {
        let values = a
            .iter()
            .map(|(_, value)| value)
            .cmp(b.iter().map(|(_, value)| value));
        a.len().cmp(&b.len()).then(values)
    });
    rows.dedup_by(|(a, _), (b, _)| a == b);
    let field = match kind {
        MetricKind::Counter => 3,
        MetricKind::Gauge => 2,
        _ => 5,
    };
    for (labels, sample) in &rows {
        nested(4, out, |out| {
            pairs(labels, out);
            nested(field, out, |out| double(1, sample.value(), out));
            time(*sample, out);
        });
    }
    samples.len() - rows.len()
}

/// What a histogram or a summary has come together from.
#[derive(Default)]
struct Parts {
    count: f64,
    sum: f64,
    /// Upper bounds, or quantiles, with their values.
    points: Vec<(f64, f64)>,
}

/// A metric for each set of labels without the bound, in the order in which they were written.
fn compound(family: FamilyRef<'_>, samples: &[SampleRef<'_>], out: &mut Vec<u8>) {
    let is_summary = family.kind() == MetricKind::Summary;
    let bound = if is_summary { "quantile" } else { "le" };
    let mut at = HashMap::new();
    let mut metrics: Vec<(Labels<'_>, Parts, SampleRef<'_>)> = Vec::new();
    for sample in samples {
        let mut labels = labels(*sample);
        let point = labels.iter().position(|(name, _)| *name == bound);
        let point = point.and_then(|place| labels.remove(place).1.parse().ok());
        let at = *at.entry(labels.clone()).or_insert_with(|| {
            metrics.push((labels, Parts::default(), *sample));
            metrics.len() - 1
        });
        let Some((_, parts, _)) = metrics.get_mut(at) else {
            continue;
        };
        match (sample.name().strip_prefix(family.name()), point) {
            (Some("_sum"), _) => parts.sum = sample.value(),
            (Some("_count"), _) => parts.count = sample.value(),
            (_, Some(point)) => parts.points.push((point, sample.value())),
            _ => {}
        }
    }
    for (labels, parts, sample) in &metrics {
        nested(4, out, |out| {
            pairs(labels, out);
            nested(if is_summary { 4 } else { 7 }, out, |out| {
                number(1, count(parts.count), out);
                double(2, parts.sum, out);
                for (point, value) in &parts.points {
                    nested(3, out, |out| {
                        if is_summary {
                            double(1, *point, out);
                            double(2, *value, out);
                        } else {
                            number(1, count(*value), out);
                            double(2, *point, out);
                        }
                    });
                }
            });
            time(*sample, out);
        });
    }
}

/// Of a number of observations.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is no count comes out as the nearest one"
)]
fn count(value: f64) -> u64 {
    value as u64
}

/// The labels of a sample by name.
fn labels(sample: SampleRef<'_>) -> Labels<'_> {
    let mut labels: Labels<'_> = sample.labels().collect();
    labels.sort_unstable();
    labels
}

fn pairs(labels: &Labels<'_>, out: &mut Vec<u8>) {
    for (name, value) in labels {
        nested(1, out, |out| {
            text(1, name, out);
            text(2, value, out);
        });
    }
}

fn time(sample: SampleRef<'_>, out: &mut Vec<u8>) {
    if let Some(timestamp) = sample.timestamp() {
        number(6, timestamp.cast_unsigned(), out);
    }
}

fn text(field: u64, text: &str, out: &mut Vec<u8>) {
    varint(field << 3 | 2, out);
    varint(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

fn number(field: u64, value: u64, out: &mut Vec<u8>) {
    varint(field << 3, out);
    varint(value, out);
}

fn double(field: u64, value: f64, out: &mut Vec<u8>) {
    varint(field << 3 | 1, out);
    out.extend_from_slice(&value.to_le_bytes());
}

/// A message in a field. Its length is put before it once it is known.
fn nested(field: u64, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    varint(field << 3 | 2, out);
    let start = out.len();
    write(out);
    let end = out.len();
    varint((end - start) as u64, out);
    let length = out.len() - end;
    out[start..].rotate_right(length);
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            out.push(low & 0x7f);
            return;
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields of a message: numbers as they are, the bytes of others.
    fn fields(mut message: &[u8]) -> Vec<(u64, Vec<u8>)> {
        fn varint(message: &mut &[u8]) -> u64 {
            let (mut value, mut shift) = (0, 0);
            loop {
                let (first, rest) = message.split_first().unwrap();
                *message = rest;
                value |= u64::from(first & 0x7f) << shift;
                shift += 7;
                if first & 0x80 == 0 {
                    return value;
                }
            }
        }
        let mut found = Vec::new();
        while !message.is_empty() {
            let key = varint(&mut message);
            let length = match key & 7 {
                0 => {
                    found.push((key >> 3, varint(&mut message).to_string().into_bytes()));
                    continue;
                }
                1 => 8,
                _ => usize::try_from(varint(&mut message)).unwrap(),
            };
            let (bytes, rest) = message.split_at(length);
            let number = |bytes: &[u8]| f64::from_le_bytes(bytes.try_into().unwrap()).to_string();
            let value = if key & 7 == 1 {
                number(bytes).into_bytes()
            } else {
                bytes.to_vec()
            };
            found.push((key >> 3, value));
            message = rest;
        }
        found
    }

    fn shown(message: &[u8], path: &[u64]) -> Vec<String> {
        let Some((first, rest)) = path.split_first() else {
            return vec![String::from_utf8_lossy(message).into_owned()];
        };
        let of_field = fields(message).into_iter().filter(|(field, _)| field == first);
        of_field.flat_map(|(_, value)| shown(&value, rest)).collect()
    }

    #[test]
    fn families_become_messages() {
        let mut families = Families::new();
        families
            .family("b_total", "Two.", MetricKind::Counter)
            .sample(&[("mode", "z"), ("cpu", "1")], 2.5)
            .sample(&[("cpu", "1"), ("mode", "a")], 1.5)
            .sample(&[("mode", "z"), ("cpu", "1")], 9.0);
        families
            .family("a", "", MetricKind::Gauge)
            .sample_at(&[], -1.0, -5);
        families
            .family("b_total", "Other.", MetricKind::Counter)
            .sample(&[], 1.0);
        families.family("h", "H", MetricKind::Histogram).histogram(
            &[("x", "y")],
            [(0.5, 1), (1.0, 300)],
            7.5,
            301,
        );
        families
            .family("s", "S", MetricKind::Summary)
            .sample(&[("quantile", "0.5")], 4.0)
            .sample_suffix("_sum", &[], 8.0)
            .sample_suffix("_count", &[], 2.0);
        let mut body = Vec::new();
        assert_eq!(write(&families, &mut body), 2);
        // Each is a field of its length's bytes, were there a key before it.
        let mut messages = Vec::new();
        let mut rest = &*body;
        while let Some(first) = rest.first() {
            let (length, head) = match rest.get(1) {
                Some(second) if first & 0x80 != 0 => {
                    (usize::from(first & 0x7f) | usize::from(*second) << 7, 2)
                }
                _ => (usize::from(*first), 1),
            };
            messages.push(&rest[head..head + length]);
            rest = &rest[head + length..];
        }
        let names: Vec<_> = messages.iter().flat_map(|message| shown(message, &[1])).collect();
        assert_eq!(names, ["a", "b_total", "h", "s"]);
        assert_eq!(shown(messages[0], &[4, 2, 1]), ["-1"]);
        assert_eq!(
            shown(messages[0], &[4, 6]),
            [u64::MAX.wrapping_sub(4).to_string()]
        );
        assert_eq!(shown(messages[1], &[4, 3, 1]), ["1.5", "2.5"]);
        assert_eq!(shown(messages[1], &[4, 1, 2]), ["1", "a", "1", "z"]);
        assert_eq!(shown(messages[2], &[4, 7, 3, 1]), ["1", "300", "301"]);
        assert_eq!(shown(messages[2], &[4, 7, 3, 2]), ["0.5", "1", "inf"]);
        assert_eq!(shown(messages[2], &[4, 7, 2]), ["7.5"]);
        assert_eq!(shown(messages[3], &[4, 4, 1]), ["2"]);
        assert_eq!(shown(messages[3], &[4, 4, 3, 2]), ["4"]);
    }
}
