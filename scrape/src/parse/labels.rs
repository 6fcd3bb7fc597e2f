//! The labels of one series, unescaped: the reusable buffer that label parsing writes to.

use ferroalloy_model::MetricKind;
use ferroalloy_model::float;

use super::lex::{Escapes, Visitor, unescape_into};
use super::number::parse_float;

/// Name and labels of one series as the target gave them: in the order of the text, duplicates and empty values
/// included. Buffers are kept from series to series.
#[derive(Debug, Default, Clone)]
pub struct SeriesLabels {
    text: String,
    /// Ends in `text` of a label's name and of its value, by turns.
    ends: Vec<usize>,
    /// End in `text` of the metric name, which comes first or is moved there.
    name: String,
}

impl SeriesLabels {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets the series, keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.name.clear();
    }

    /// The metric name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Name and value of each label but the metric name, in the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + '_ {
        let mut start = 0;
        self.ends.chunks_exact(2).map(move |ends| {
            let label = (&self.text[start..ends[0]], &self.text[ends[0]..ends[1]]);
            start = ends[1];
            label
        })
    }

    /// Sets the metric name.
    pub fn set_name(&mut self, name: &str) {
        self.name.clear();
        self.name.push_str(name);
    }

    /// Appends to the metric name.
    pub(crate) fn extend_name(&mut self, suffix: &str) {
        self.name.push_str(suffix);
    }

    /// Adds a label, normalised as the family's `kind` asks for.
    ///
    /// Under `histogram` the value of `le`, under `summary` that of `quantile`, is rewritten to the form of
    /// OpenMetrics (`1` becomes `1.0`), so that a series keeps its identity whatever format a target chooses.
    pub fn push(&mut self, kind: MetricKind, name: &str, value: &str) {
        self.text.push_str(name);
        self.ends.push(self.text.len());
        self.text.push_str(value);
        self.ends.push(self.text.len());
        self.normalise_last(kind);
    }

    /// Sets the labels `__type__` and `__unit__` to what is known, in place of any of that name.
    pub(crate) fn set_type_and_unit(&mut self, kind: MetricKind, unit: &str) {
        let kind_name = kind.to_string();
        let kind = if kind == MetricKind::Unknown {
            ""
        } else {
            &kind_name
        };
        for (name, value) in [("__type__", kind), ("__unit__", unit)] {
            if value.is_empty() {
                continue;
            }
            self.remove(name);
            self.push(MetricKind::Unknown, name, value);
        }
    }

    /// Takes out the labels of that name.
    pub(crate) fn remove(&mut self, name: &str) {
        if !self.iter().any(|(label, _)| label == name) {
            return;
        }
        let mut kept = Self {
            name: std::mem::take(&mut self.name),
            ..Self::default()
        };
        for (label, value) in self.iter().filter(|(label, _)| *label != name) {
            kept.push(MetricKind::Unknown, label, value);
        }
        *self = kept;
    }

    fn push_escaped(&mut self, kind: MetricKind, name: &str, value: &str) {
        unescape_into(name, Escapes::Quoted, &mut self.text);
        self.ends.push(self.text.len());
        unescape_into(value, Escapes::Quoted, &mut self.text);
        self.ends.push(self.text.len());
        self.normalise_last(kind);
    }

    fn normalise_last(&mut self, kind: MetricKind) {
        let wanted = match kind {
            MetricKind::Histogram => "le",
            MetricKind::Summary => "quantile",
            _ => return,
        };
        let [.., name_end, value_end] = self.ends[..] else {
            return;
        };
        let start = self.ends.len().checked_sub(3).map_or(0, |index| self.ends[index]);
        if &self.text[start..name_end] != wanted {
            return;
        }
        if let Ok(value) = parse_float(&self.text.as_bytes()[name_end..value_end]) {
            self.text.truncate(name_end);
            write_openmetrics_float(value, &mut self.text);
            if let Some(end) = self.ends.last_mut() {
                *end = self.text.len();
            }
        }
    }
}

/// Hears of the parts of a text series and keeps them unescaped.
pub(super) struct Collector<'a> {
    out: &'a mut SeriesLabels,
    kind: MetricKind,
    /// Whether there is any escape at all.
    escaped: bool,
}

impl<'a> Collector<'a> {
    /// One for the labels of the series whose raw text is `raw`.
    pub(super) fn new(out: &'a mut SeriesLabels, kind: MetricKind, raw: &[u8]) -> Self {
        Self {
            out,
            kind,
            escaped: memchr::memchr(b'\\', raw).is_some(),
        }
    }
}

impl Visitor for Collector<'_> {
    fn name(&mut self, name: &str) {
        if self.escaped {
            self.out.name.clear();
            unescape_into(name, Escapes::Quoted, &mut self.out.name);
        } else {
            self.out.set_name(name);
        }
    }

    fn label(&mut self, name: &str, value: &str) {
        if self.escaped {
            self.out.push_escaped(self.kind, name, value);
        } else {
            self.out.push(self.kind, name, value);
        }
    }
}

/// The form OpenMetrics gives to bucket bounds and quantiles: Go's shortest form, always with a point or an exponent.
pub(super) fn write_openmetrics_float(value: f64, out: &mut String) {
    let mut digits = Vec::with_capacity(24);
    // Minus zero comes out as zero.
    float::write_go(value + 0.0, &mut digits);
    let plain = value.is_finite() && !digits.iter().any(|b| matches!(b, b'.' | b'e'));
    out.extend(digits.into_iter().map(char::from));
    if plain {
        out.push_str(".0");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_normalised_under_their_kind_only() {
        for (kind, name, value, expected) in [
            (MetricKind::Histogram, "le", "1", "1.0"),
            (MetricKind::Histogram, "le", "1e3", "1000.0"),
            (MetricKind::Histogram, "le", "1e6", "1e+06"),
            (MetricKind::Histogram, "le", "+Inf", "+Inf"),
            (MetricKind::Histogram, "le", "-0", "0.0"),
            (MetricKind::Histogram, "le", "x", "x"),
            (MetricKind::Histogram, "quantile", "1", "1"),
            (MetricKind::Summary, "quantile", "0", "0.0"),
            (MetricKind::Summary, "quantile", "nan", "NaN"),
            (MetricKind::Summary, "le", "1", "1"),
            (MetricKind::Gauge, "le", "1", "1"),
        ] {
            let mut labels = SeriesLabels::new();
            labels.push(kind, "a", "1");
            labels.push(kind, name, value);
            assert_eq!(
                labels.iter().collect::<Vec<_>>(),
                [("a", "1"), (name, expected)],
                "{kind} {name} {value}"
            );
        }
    }
}
