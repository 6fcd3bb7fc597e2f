//! OpenMetrics text, versions 0.0.1 and 1.0.0.
//!
//! As strict as Prometheus' own parser, which checks the syntax and not the rules between lines: single blanks, no
//! empty lines, no comments but metadata, `# EOF` at the end and nothing behind it.
//!
//! Invariants: as for the text format. Under [`Options::created_as_start`] and
//! [`Options::type_and_unit_labels`] a line means something only together with others, so nothing is guessed.

mod created;
mod lex;

use ferroalloy_model::{Labels, LabelsBuilder, MetricKind};

use self::created::Created;
use super::labels::{Collector, SeriesLabels};
use super::lex::{Escapes, Fault, Ignore, Visitor, fault, name_end, starts_name, unescape_into};
use super::number::{fast_float, parse_float, parse_seconds};
use super::{
    Entry, Escaped, Format, Options, Parser, Protocol, RawExemplar, Sample, Taken, text_error as error,
};
use crate::error::Error;

/// A parser of one body.
#[derive(Debug, Clone)]
pub struct OpenMetricsParser<'a> {
    body: &'a [u8],
    at: usize,
    entry: Entry<'a>,
    exemplar: Option<Mark>,
    start: Option<i64>,
    kind: MetricKind,
    /// What the last `UNIT` line gave, whichever its family was: Prometheus gives it to all series that follow.
    unit: &'a str,
    options: Options,
    created: Created,
    done: bool,
}

/// Where an exemplar's labels are, and what stands behind them.
#[derive(Debug, Clone, Copy)]
struct Mark {
    /// Where its labels are, braces included.
    from: usize,
    to: usize,
    value: f64,
    timestamp: Option<i64>,
}

/// What stands behind a series.
struct Rest {
    value: f64,
    timestamp: Option<i64>,
    exemplar: Option<Mark>,
    next: usize,
}

const MEDIA_TYPE: &str = "application/openmetrics-text";

static FORMAT: Format = Format {
    name: "openmetrics",
    media_type: MEDIA_TYPE,
    protocols: &[
        Protocol {
            name: "OpenMetricsText1.0.0",
            media_type: MEDIA_TYPE,
            parameters: "version=1.0.0",
            escaping: true,
            by_default: true,
        },
        Protocol {
            name: "OpenMetricsText0.0.1",
            media_type: MEDIA_TYPE,
            parameters: "version=0.0.1",
            escaping: false,
            by_default: true,
        },
    ],
};

// === impl OpenMetricsParser ===

impl<'a> OpenMetricsParser<'a> {
    /// A parser at the start of `body`.
    pub fn new(body: &'a [u8]) -> Self {
        Self::with_options(body, Options::default())
    }

    /// A parser with options at the start of `body`.
    pub fn with_options(body: &'a [u8], options: Options) -> Self {
        Self {
            body,
            at: 0,
            entry: Entry::Comment(&[]),
            exemplar: None,
            start: None,
            kind: MetricKind::Unknown,
            unit: "",
            options,
            created: Created::default(),
            done: false,
        }
    }

    /// The next entry; `None` at the end of the body. After an error there is nothing more to read.
    pub fn next_entry(&mut self) -> Result<Option<Entry<'a>>, Error> {
        if self.done {
            return Ok(None);
        }
        match self.read() {
            Ok(Some(entry)) => {
                self.entry = entry;
                Ok(Some(entry))
            }
            Ok(None) => {
                self.done = true;
                Ok(None)
            }
            Err(fault) => {
                self.done = true;
                self.at = self.body.len();
                Err(error(self.body, fault))
            }
        }
    }

    fn read(&mut self) -> Result<Option<Entry<'a>>, Fault> {
        loop {
            let at = self.at;
            match self.body.get(at) {
                None => return Err(no_eof(at)),
                Some(b'#') => return self.comment(at),
                Some(b'{') => {}
                _ if starts_name(self.body, at) => {}
                Some(_) => return Err(fault(at, "expected a metric name or metadata")),
            }
            if let Some(sample) = self.sample(at)? {
                return Ok(Some(Entry::Sample(sample)));
            }
        }
    }

    /// Reads a sample. `None`: it was one that says when others began.
    fn sample(&mut self, start: usize) -> Result<Option<Sample<'a>>, Fault> {
        let end = lex::series(self.body, start, &mut Ignore)?;
        let rest = self.rest(end)?;
        self.at = rest.next;
        self.exemplar = rest.exemplar;
        let raw = &self.body[start..end];
        self.start = None;
        if self.options.created_as_start && created::applies(self.kind) {
            if created::is_created(raw) {
                return Ok(None);
            }
            let mut created = std::mem::take(&mut self.created);
            self.start = created.start(self, raw, self.kind, self.at);
            self.created = created;
        }
        Ok(Some(Sample {
            raw,
            offset: start,
            value: rest.value,
            timestamp: rest.timestamp,
        }))
    }

    /// Reads what stands behind a series: value, optional timestamp, optional exemplar, end of line.
    #[expect(
        clippy::inline_always,
        reason = "half of what a known sample costs; a call would double it"
    )]
    #[inline(always)]
    fn rest(&self, end: usize) -> Result<Rest, Fault> {
        if self.body.get(end) != Some(&b' ') {
            return Err(fault(end, "expected a blank and a value"));
        }
        let start = end + 1;
        if let Some((value, length)) = fast_float(&self.body[start..])
            && self.body.get(start + length) == Some(&b'\n')
        {
            return Ok(Rest {
                value,
                timestamp: None,
                exemplar: None,
                next: start + length + 1,
            });
        }
        self.long_rest(start)
    }

    fn long_rest(&self, start: usize) -> Result<Rest, Fault> {
        let (value, mut at) = self.number(start)?;
        let mut timestamp = None;
        if self.body.get(at) == Some(&b' ') && !self.body[at..].starts_with(b" # {") {
            let end = self.token_end(at + 1);
            timestamp = Some(parse_seconds(&self.body[at + 1..end]).map_err(|reason| fault(at + 1, reason))?);
            at = end;
        }
        let mut exemplar = None;
        if self.body[at..].starts_with(b" # {") {
            let (mark, end) = self.exemplar(at + 3)?;
            exemplar = Some(mark);
            at = end;
        }
        match self.body.get(at) {
            Some(b'\n') => Ok(Rest {
                value,
                timestamp,
                exemplar,
                next: at + 1,
            }),
            None => Err(no_eof(at)),
            Some(_) => Err(fault(at, "expected the end of the line")),
        }
    }

    fn exemplar(&self, from: usize) -> Result<(Mark, usize), Fault> {
        let end = lex::exemplar(self.body, from, &mut Ignore)?;
        super::lex::str(self.body, from, end)?;
        if self.body.get(end) != Some(&b' ') {
            return Err(fault(end, "expected a value after the labels of an exemplar"));
        }
        let (value, mut at) = self.number(end + 1)?;
        let mut timestamp = None;
        if self.body.get(at) == Some(&b' ') {
            let token_end = self.token_end(at + 1);
            let token = &self.body[at + 1..token_end];
            timestamp = Some(parse_seconds(token).map_err(|reason| fault(at + 1, reason))?);
            at = token_end;
        }
        Ok((
            Mark {
                from,
                to: end,
                value,
                timestamp,
            },
            at,
        ))
    }

    fn number(&self, start: usize) -> Result<(f64, usize), Fault> {
        let end = self.token_end(start);
        let token = &self.body[start..end];
        match fast_float(token) {
            Some((value, length)) if length == token.len() => Ok((value, end)),
            _ if token.is_empty() => Err(fault(start, "expected a value")),
            _ => Ok((parse_float(token).map_err(|reason| fault(start, reason))?, end)),
        }
    }

    /// Where the token ends that starts at `start`.
    fn token_end(&self, start: usize) -> usize {
        let rest = self.body.get(start..).unwrap_or_default();
        memchr::memchr2(b' ', b'\n', rest).map_or(self.body.len(), |length| start + length)
    }

    /// Reads a line that starts with `#`.
    fn comment(&mut self, start: usize) -> Result<Option<Entry<'a>>, Fault> {
        let rest = &self.body[start..];
        if let Some(behind) = rest.strip_prefix(b"# EOF") {
            if !matches!(behind, b"" | b"\n") {
                return Err(fault(start + 5, "unexpected data after # EOF"));
            }
            self.at = self.body.len();
            return Ok(None);
        }
        let keyword = rest.get(..7).unwrap_or_default();
        if !matches!(keyword, b"# HELP " | b"# TYPE " | b"# UNIT ") {
            return Err(fault(start, "expected # HELP, # TYPE, # UNIT or # EOF"));
        }
        let (metric, text, from) = self.metadata(start + 7)?;
        match keyword {
            b"# HELP " => help(metric, text, from),
            b"# TYPE " => self.kind(metric, text, from),
            _ => self.unit(metric, text, from),
        }
        .map(Some)
    }

    /// The family name of a line of metadata, its text, and where that starts. The parser goes on behind the line.
    fn metadata(&mut self, start: usize) -> Result<(Escaped<'a>, &'a [u8], usize), Fault> {
        let (from, to, end) = if self.body.get(start) == Some(&b'"') {
            let end = lex::quoted_end(self.body, start, false)?;
            (start + 1, end - 1, end)
        } else if starts_name(self.body, start) {
            let end = name_end(self.body, start);
            (start, end, end)
        } else {
            return Err(fault(start, "expected a metric name"));
        };
        let name = super::lex::str(self.body, from, to)?;
        if self.body.get(end) != Some(&b' ') {
            return Err(fault(end, "expected a blank and text after the metric name"));
        }
        let text = &self.body[end + 1..];
        let length = memchr::memchr(b'\n', text).ok_or_else(|| no_eof(self.body.len()))?;
        self.at = end + 1 + length + 1;
        Ok((Escaped::quoted(name), &text[..length], end + 1))
    }

    fn kind(&mut self, metric: Escaped<'a>, text: &'a [u8], from: usize) -> Result<Entry<'a>, Fault> {
        let kind = match text {
            b"counter" => MetricKind::Counter,
            b"gauge" => MetricKind::Gauge,
            b"histogram" => MetricKind::Histogram,
            b"gaugehistogram" => MetricKind::GaugeHistogram,
            b"summary" => MetricKind::Summary,
            b"info" => MetricKind::Info,
            b"stateset" => MetricKind::StateSet,
            b"unknown" => MetricKind::Unknown,
            other => {
                let shown = String::from_utf8_lossy(&other[..other.len().min(40)]);
                return Err(fault(from, format!("unknown metric type {shown:?}")));
            }
        };
        self.kind = kind;
        Ok(Entry::Type { metric, kind })
    }

    fn unit(&mut self, metric: Escaped<'a>, text: &'a [u8], from: usize) -> Result<Entry<'a>, Fault> {
        let unit = std::str::from_utf8(text)
            .map_err(|error| fault(from + error.valid_up_to(), "invalid UTF-8 in a unit"))?;
        let ends_in_unit = || metric.raw().strip_suffix(unit)?.strip_suffix('_');
        if !unit.is_empty() && ends_in_unit().is_none() {
            return Err(fault(
                from,
                format!("unit {unit:?} is not a suffix of {:?}", metric.raw()),
            ));
        }
        self.unit = unit;
        Ok(Entry::Unit { metric, unit })
    }

    /// Whether lines may be taken by what they were last time.
    fn guesses(&self) -> bool {
        !self.options.created_as_start && !self.options.type_and_unit_labels && !self.done
    }
}

fn help<'a>(metric: Escaped<'a>, text: &'a [u8], from: usize) -> Result<Entry<'a>, Fault> {
    let text = std::str::from_utf8(text)
        .map_err(|error| fault(from + error.valid_up_to(), "invalid UTF-8 in a help text"))?;
    Ok(Entry::Help {
        metric,
        text: Escaped::quoted(text),
    })
}

fn no_eof(at: usize) -> Fault {
    fault(at, "the body does not end with # EOF")
}

/// Reads the labels of a raw series into `out`.
fn parse_series(raw: &[u8], kind: MetricKind, out: &mut SeriesLabels) -> Result<(), Error> {
    out.clear();
    lex::series(raw, 0, &mut Collector::new(out, kind, raw))
        .map(drop)
        .map_err(|fault| error(raw, fault))
}

impl<'a> Parser<'a> for OpenMetricsParser<'a> {
    fn format() -> &'static Format {
        &FORMAT
    }

    fn new(body: &'a [u8], options: Options) -> Self {
        OpenMetricsParser::with_options(body, options)
    }

    fn advance(&mut self) -> Result<bool, Error> {
        self.next_entry().map(|entry| entry.is_some())
    }

    fn entry(&self) -> Entry<'_> {
        self.entry
    }

    fn labels(&self, kind: MetricKind, out: &mut SeriesLabels) -> Result<(), Error> {
        let Entry::Sample(sample) = self.entry else {
            out.clear();
            return Ok(());
        };
        parse_series(sample.raw, kind, out)?;
        if self.options.type_and_unit_labels {
            out.set_type_and_unit(self.kind, self.unit);
        }
        Ok(())
    }

    fn has_exemplars(&self) -> bool {
        self.exemplar.is_some()
    }

    fn exemplars(&self, out: &mut Vec<RawExemplar>) {
        let Some(mark) = self.exemplar else { return };
        let mut labels = ExemplarLabels::default();
        // It was read before.
        if lex::exemplar(self.slice(mark.from, mark.to), 0, &mut labels).is_ok() {
            out.push(RawExemplar {
                labels: labels.finish(),
                value: mark.value,
                timestamp: mark.timestamp,
            });
        }
    }

    fn start_time(&self) -> Option<i64> {
        self.start
    }

    fn offset(&self) -> usize {
        self.at
    }

    fn slice(&self, from: usize, to: usize) -> &[u8] {
        self.body.get(from..to).unwrap_or_default()
    }

    fn section(&self, from: usize, to: usize) -> Self {
        Self::new(self.body.get(from..to).unwrap_or_default())
    }

    #[inline]
    fn peek(&self, length: usize) -> Option<&[u8]> {
        if !self.guesses() {
            return None;
        }
        self.body.get(self.at..self.at.checked_add(length)?)
    }

    fn skip(&mut self, length: usize) {
        self.at = (self.at + length).min(self.body.len());
    }

    #[inline]
    fn take(&mut self, length: usize) -> Option<Taken> {
        // A longer name, or labels behind it, would not begin with the blank that has to follow.
        let rest = self.rest(self.at + length).ok()?;
        self.at = rest.next;
        self.exemplar = rest.exemplar;
        Some(Taken {
            value: rest.value,
            timestamp: rest.timestamp,
        })
    }
}

/// Collects the labels of an exemplar.
#[derive(Default)]
struct ExemplarLabels {
    builder: LabelsBuilder,
    name: String,
    value: String,
}

impl ExemplarLabels {
    fn finish(&self) -> Labels {
        self.builder.labels()
    }
}

impl Visitor for ExemplarLabels {
    fn name(&mut self, _: &str) {}

    fn label(&mut self, name: &str, value: &str) {
        self.name.clear();
        self.value.clear();
        unescape_into(name, Escapes::Quoted, &mut self.name);
        unescape_into(value, Escapes::Quoted, &mut self.value);
        self.builder.set(&self.name, &self.value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &[u8], options: Options) -> Result<Vec<(String, f64, Option<i64>)>, Error> {
        let mut parser = OpenMetricsParser::with_options(body, options);
        let mut samples = Vec::new();
        while let Some(entry) = parser.next_entry()? {
            if let Entry::Sample(sample) = entry {
                let raw = String::from_utf8_lossy(sample.raw).into_owned();
                samples.push((raw, sample.value, parser.start_time()));
            }
        }
        Ok(samples)
    }

    #[test]
    fn what_is_loose_in_the_text_format_is_refused() {
        for body in [
            "m  1\n# EOF\n",
            "m\t1\n# EOF\n",
            "m 1 \n# EOF\n",
            " m 1\n# EOF\n",
            "m 1\n\n# EOF\n",
            "m{ a=\"1\"} 1\n# EOF\n",
            "m{a=\"1\"b=\"2\"} 1\n# EOF\n",
            "m{a=\"1\"}1\n# EOF\n",
            "m {a=\"1\"} 1\n# EOF\n",
            "m{a=\"\n\"} 1\n# EOF\n",
            "# x\n# EOF\n",
            "m 1\n",
            "m 1\n# EOF\n\n",
            "m 1 # {\"a\"} 1\n# EOF\n",
            "m 1 #  {a=\"b\"} 1\n# EOF\n",
        ] {
            let error = read(body.as_bytes(), Options::default()).expect_err(body);
            assert!(error.position().is_some(), "{body}");
        }
        for body in ["# EOF", "# EOF\n", "m{a=\"1\",} 1 -0.5 # {} 1 2\n# EOF"] {
            assert!(read(body.as_bytes(), Options::default()).is_ok(), "{body}");
        }
    }

    #[test]
    fn exemplars_stay_with_their_sample() {
        let body = b"a_total{b=\"c\"} 1 2.5 # {id=\"x\\\"y\",\"u.v\"=\"w\"} 0.5 1.0009\na_total 2\n# EOF\n";
        let mut parser = OpenMetricsParser::new(body);
        let mut exemplars = Vec::new();
        assert!(parser.advance().expect("parses") && parser.has_exemplars());
        parser.exemplars(&mut exemplars);
        assert_eq!(
            exemplars,
            [RawExemplar {
                labels: Labels::from_pairs([("id", "x\"y"), ("u.v", "w")]),
                value: 0.5,
                timestamp: Some(1000)
            }]
        );
        assert!(parser.advance().expect("parses") && !parser.has_exemplars());
        assert!(!parser.advance().expect("ends"));
        let mut parser = OpenMetricsParser::new(body);
        let taken = parser.take(14).expect("known");
        assert_eq!((taken.value, taken.timestamp), (1.0, Some(2500)));
        assert!(parser.has_exemplars());
        assert!(parser.take(1).is_none(), "the name goes on");
    }

    #[test]
    fn created_lines_become_start_times() {
        let body = b"# TYPE a counter\na_total{x=\"1\"} 1\na_created{x=\"1\"} 5\na_total{x=\"1\"} 1\n\
            a_total{x=\"2\"} 1\n# TYPE b histogram\nb_bucket{le=\"1\"} 1\nb_sum 1\nb_created 7.5\nb_count 1\n\
            # TYPE c_created gauge\nc_created 3\n# EOF\n";
        let options = Options {
            created_as_start: true,
            ..Options::default()
        };
        let starts: Vec<_> = read(body, options)
            .expect("parses")
            .into_iter()
            .map(|(raw, _, start)| (raw, start))
            .collect();
        let expected = [
            ("a_total{x=\"1\"}", Some(5000)),
            ("a_total{x=\"1\"}", Some(5000)),
            ("a_total{x=\"2\"}", None),
            ("b_bucket{le=\"1\"}", Some(7500)),
            ("b_sum", Some(7500)),
            ("b_count", Some(7500)),
            ("c_created", None),
        ]
        .map(|(raw, start)| (raw.to_owned(), start));
        assert_eq!(starts, expected);
        assert_eq!(read(body, Options::default()).expect("parses").len(), 9);
    }
}
