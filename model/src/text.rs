//! The Prometheus text format 0.0.4, as client_golang writes it: families by name, labels by name, series by
//! their label values.

use std::cmp::Ordering;

use crate::families::{Families, FamilyRef, SampleRef};
use crate::float::write_go;
use crate::sample::MetricKind;

/// The `Content-Type` of what [`write()`] gives.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Appends `families` to `out` and tells how many series were left out because a series with the same name
/// and labels stands before them, or because their family was declared before with another kind or help.
pub fn write(families: &Families, out: &mut Vec<u8>) -> usize {
    let sorted = families.sorted();
    let mut left_out = 0;
    for parts in sorted.chunk_by(|a, b| a.name() == b.name()) {
        left_out += write_family(parts, out);
    }
    left_out
}

fn write_family(parts: &[FamilyRef<'_>], out: &mut Vec<u8>) -> usize {
    let Some(first) = parts.first() else { return 0 };
    let mut rows = Vec::new();
    let mut left_out = 0;
    for part in parts {
        if part.kind() == first.kind() && part.help() == first.help() {
            rows.extend(part.samples().map(Row::new));
        } else {
            left_out += part.samples().len();
        }
    }
    if rows.is_empty() {
        return left_out;
    }
    out.extend_from_slice(b"# HELP ");
    out.extend_from_slice(first.name().as_bytes());
    out.push(b' ');
    escape(first.help(), false, out);
    out.extend_from_slice(b"\n# TYPE ");
    out.extend_from_slice(first.name().as_bytes());
    out.push(b' ');
    out.extend_from_slice(first.kind().text_name().as_bytes());
    out.push(b'\n');
    // Buckets and quantiles stand in the order of their bounds, which is the order they were written in.
    if !matches!(
        first.kind(),
        MetricKind::Histogram | MetricKind::GaugeHistogram | MetricKind::Summary
    ) {
        rows.sort_by(Row::order);
        let all = rows.len();
        rows.dedup_by(|later, earlier| later.same_series(earlier));
        left_out += all - rows.len();
    }
    for row in &rows {
        row.write(out);
    }
    left_out
}

struct Row<'a> {
    sample: SampleRef<'a>,
    labels: Vec<(&'a str, &'a str)>,
}

impl<'a> Row<'a> {
    fn new(sample: SampleRef<'a>) -> Self {
        let mut labels: Vec<_> = sample.labels().collect();
        labels.sort_unstable();
        Self { sample, labels }
    }

    /// Fewer labels first, then value by value.
    fn order(&self, other: &Self) -> Ordering {
        let values = || {
            self.labels
                .iter()
                .map(|(_, value)| value)
                .cmp(other.labels.iter().map(|(_, value)| value))
        };
        self.labels.len().cmp(&other.labels.len()).then_with(values)
    }

    fn same_series(&self, other: &Self) -> bool {
        self.labels == other.labels && self.sample.name() == other.sample.name()
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.sample.name().as_bytes());
        let mut before = b'{';
        for (name, value) in &self.labels {
            out.push(before);
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"=\"");
            escape(value, true, out);
            out.push(b'"');
            before = b',';
        }
        if before == b',' {
            out.push(b'}');
        }
        out.push(b' ');
        write_go(self.sample.value(), out);
        if let Some(timestamp) = self.sample.timestamp() {
            out.push(b' ');
            out.extend_from_slice(timestamp.to_string().as_bytes());
        }
        out.push(b'\n');
    }
}

fn escape(text: &str, quotes: bool, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'"' if quotes => out.extend_from_slice(b"\\\""),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(families: &Families) -> (String, usize) {
        let mut out = Vec::new();
        let left_out = write(families, &mut out);
        (String::from_utf8(out).unwrap(), left_out)
    }

    #[test]
    fn families_labels_and_series_in_order() {
        let mut families = Families::new();
        families
            .family("b_total", "Two\nlines \\ \"quoted\".", MetricKind::Counter)
            .sample(&[("mode", "x\"\\\n"), ("cpu", "2")], 1e6)
            .sample(&[("mode", "idle"), ("cpu", "10")], 0.5);
        families.single("a", "First.", MetricKind::Gauge, f64::NAN);
        families
            .family("b_total", "Two\nlines \\ \"quoted\".", MetricKind::Counter)
            .sample(&[], 7.0);
        families.family("none", "No samples.", MetricKind::Gauge);
        let expected = "# HELP a First.\n# TYPE a gauge\na NaN\n\
            # HELP b_total Two\\nlines \\\\ \"quoted\".\n# TYPE b_total counter\nb_total 7\n\
            b_total{cpu=\"10\",mode=\"idle\"} 0.5\nb_total{cpu=\"2\",mode=\"x\\\"\\\\\\n\"} 1e+06\n";
        assert_eq!(text(&families), (expected.to_owned(), 0));
    }

    #[test]
    fn the_first_of_equal_series_counts() {
        let mut families = Families::new();
        families
            .family("a", "h", MetricKind::Gauge)
            .sample(&[("x", "1"), ("y", "2")], 1.0);
        families
            .family("a", "h", MetricKind::Gauge)
            .sample(&[("y", "2"), ("x", "1")], 2.0);
        families
            .family("a", "other", MetricKind::Gauge)
            .sample(&[("x", "3")], 3.0);
        let (text, left_out) = text(&families);
        assert_eq!(left_out, 2);
        assert!(text.ends_with("\na{x=\"1\",y=\"2\"} 1\n"), "{text}");
    }

    #[test]
    fn histograms_keep_the_order_of_their_buckets() {
        let mut families = Families::new();
        families.family("h", "", MetricKind::Histogram).histogram(
            &[("a", "b")],
            [(0.5, 1), (10.0, 2)],
            4.5,
            3,
        );
        let expected = "# HELP h \n# TYPE h histogram\nh_bucket{a=\"b\",le=\"0.5\"} 1\nh_bucket{a=\"b\",le=\"10\"} 2\n\
            h_bucket{a=\"b\",le=\"+Inf\"} 3\nh_sum{a=\"b\"} 4.5\nh_count{a=\"b\"} 3\n";
        assert_eq!(text(&families).0, expected);
    }
}
