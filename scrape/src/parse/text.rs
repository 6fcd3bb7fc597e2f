//! The Prometheus text format, versions 0.0.4 and 1.0.0 (the latter adds quoted UTF-8 names).
//!
//! As strict as Prometheus' own parser, with its accidents where they do no harm (see the README), and three
//! differences: a NUL byte outside of values and comments is an error instead of the end of the input, negative
//! timestamps are accepted, and blanks before a metric name are no part of it.
//!
//! Invariants: one pass, nothing is allocated, an entry borrows from the body; skipped lines take no stack.
//! What [`peek`](Parser::peek) offers is only a guess: it becomes an entry when the caller knows that these very
//! bytes were an entry before.

use ferroalloy_model::MetricKind;

use super::labels::{Collector, SeriesLabels};
use super::lex::{self, Fault, fault, skip_blanks};
use super::number::{fast_float, parse_float, parse_timestamp};
use super::{Entry, Escaped, Format, Options, Parser, Protocol, Sample, Taken, text_error as error};
use crate::error::Error;

/// A parser of one body.
#[derive(Debug, Clone)]
pub struct TextParser<'a> {
    body: &'a [u8],
    at: usize,
    entry: Entry<'a>,
    kind: MetricKind,
    options: Options,
}

static FORMAT: Format = Format {
    name: "text",
    media_type: "text/plain",
    protocols: &[
        Protocol {
            name: "PrometheusText1.0.0",
            media_type: "text/plain",
            parameters: "version=1.0.0",
            escaping: true,
            by_default: true,
        },
        Protocol {
            name: "PrometheusText0.0.4",
            media_type: "text/plain",
            parameters: "version=0.0.4",
            escaping: false,
            by_default: true,
        },
    ],
};

/// Reads the labels of a series from its raw text, as [`Sample::raw`] gives it, into `out`.
///
/// `kind` is the kind of the last `TYPE` line before it, which decides on the form of `le` and `quantile`.
pub fn parse_series(raw: &[u8], kind: MetricKind, out: &mut SeriesLabels) -> Result<(), Error> {
    out.clear();
    let read = match raw.first() {
        Some(b'{') => lex::series(raw, 0, &mut Collector::new(out, kind, raw)),
        Some(_) if lex::starts_name(raw, 0) => lex::series(raw, 0, &mut Collector::new(out, kind, raw)),
        _ => Err(fault(0, "expected a metric name")),
    };
    match read {
        Ok(end) if end == raw.len() => Ok(()),
        Ok(end) => Err(error(raw, fault(end, "unexpected text after the series"))),
        Err(fault) => Err(error(raw, fault)),
    }
}

// === impl TextParser ===

impl<'a> TextParser<'a> {
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
            kind: MetricKind::Unknown,
            options,
        }
    }

    /// The next entry; `None` at the end of the body. After an error there is nothing more to read.
    pub fn next_entry(&mut self) -> Result<Option<Entry<'a>>, Error> {
        match self.read() {
            Ok(Some(entry)) => {
                self.entry = entry;
                Ok(Some(entry))
            }
            Ok(None) => Ok(None),
            Err(fault) => {
                self.at = self.body.len();
                Err(error(self.body, fault))
            }
        }
    }

    fn read(&mut self) -> Result<Option<Entry<'a>>, Fault> {
        loop {
            let at = skip_blanks(self.body, self.at);
            match self.body.get(at) {
                None => {
                    self.at = at;
                    return Ok(None);
                }
                Some(b'\n') => self.at = at + 1,
                Some(b'#') => return self.comment(at).map(Some),
                Some(b'{') => return self.sample(at).map(Some),
                _ if lex::starts_name(self.body, at) => return self.sample(at).map(Some),
                Some(0) => return Err(fault(at, "NUL byte")),
                Some(_) => return Err(fault(at, "expected a metric name, a comment or an empty line")),
            }
        }
    }

    fn sample(&mut self, start: usize) -> Result<Entry<'a>, Fault> {
        let end = lex::series(self.body, start, &mut lex::Ignore)?;
        let (value, timestamp, next) = self.value(end)?;
        self.at = next;
        Ok(Entry::Sample(Sample {
            raw: &self.body[start..end],
            offset: start,
            value,
            timestamp,
        }))
    }

    /// Reads what stands behind a series: value, optional timestamp, end of line.
    #[expect(
        clippy::inline_always,
        reason = "half of what a known sample costs; a call would double it"
    )]
    #[inline(always)]
    fn value(&self, end: usize) -> Result<(f64, Option<i64>, usize), Fault> {
        let start = skip_blanks(self.body, end);
        let (value, at) = match fast_float(&self.body[start..]) {
            Some((value, length)) => (value, start + length),
            None => self.slow_value(start)?,
        };
        let at = skip_blanks(self.body, at);
        match self.body.get(at) {
            None => Ok((value, None, at)),
            Some(b'\n') => Ok((value, None, at + 1)),
            Some(_) => {
                let (timestamp, next) = self.timestamp(at)?;
                Ok((value, Some(timestamp), next))
            }
        }
    }

    #[cold]
    fn slow_value(&self, start: usize) -> Result<(f64, usize), Fault> {
        let rest = &self.body[start..];
        let length = rest
            .iter()
            .position(|b| matches!(b, b'{' | b' ' | b'\t' | b'\n'))
            .unwrap_or(rest.len());
        if length == 0 {
            return Err(fault(start, "expected a value"));
        }
        if let Some(nul) = memchr::memchr(0, &rest[..length]) {
            return Err(fault(start + nul, "NUL byte"));
        }
        let value = parse_float(&rest[..length]).map_err(|reason| fault(start, reason))?;
        Ok((value, start + length))
    }

    fn timestamp(&self, start: usize) -> Result<(i64, usize), Fault> {
        let rest = &self.body[start..];
        let length = rest
            .iter()
            .position(|b| matches!(b, b' ' | b'\t' | b'\n'))
            .unwrap_or(rest.len());
        let timestamp = parse_timestamp(&rest[..length]).map_err(|reason| fault(start, reason))?;
        let at = skip_blanks(self.body, start + length);
        match self.body.get(at) {
            None => Ok((timestamp, at)),
            Some(b'\n') => Ok((timestamp, at + 1)),
            Some(_) => Err(fault(at, "expected the end of the line after the timestamp")),
        }
    }

    /// Reads a line that starts with `#`.
    fn comment(&mut self, start: usize) -> Result<Entry<'a>, Fault> {
        let word = skip_blanks(self.body, start + 1);
        let rest = &self.body[word..];
        if word > start + 1 && matches!(rest.get(4), Some(b' ' | b'\t')) {
            if rest.starts_with(b"HELP") {
                return self.help(skip_blanks(self.body, word + 4));
            }
            if rest.starts_with(b"TYPE") {
                return self.kind(skip_blanks(self.body, word + 4));
            }
        }
        let end = self.line_end(start);
        Ok(Entry::Comment(&self.body[start..end]))
    }

    fn help(&mut self, start: usize) -> Result<Entry<'a>, Fault> {
        let (metric, end) = self.family(start)?;
        let (from, to) = self.family_text(end);
        let text = std::str::from_utf8(&self.body[from..to])
            .map_err(|error| fault(from + error.valid_up_to(), "invalid UTF-8 in a help text"))?;
        Ok(Entry::Help {
            metric,
            text: Escaped::help(text),
        })
    }

    fn kind(&mut self, start: usize) -> Result<Entry<'a>, Fault> {
        let (metric, end) = self.family(start)?;
        let (from, to) = self.family_text(end);
        let kind = match &self.body[from..to] {
            b"counter" => MetricKind::Counter,
            b"gauge" => MetricKind::Gauge,
            b"histogram" => MetricKind::Histogram,
            b"summary" => MetricKind::Summary,
            b"untyped" => MetricKind::Unknown,
            other => {
                let shown = String::from_utf8_lossy(&other[..other.len().min(40)]);
                return Err(fault(from, format!("unknown metric type {shown:?}")));
            }
        };
        self.kind = kind;
        Ok(Entry::Type { metric, kind })
    }

    /// The family name of a `HELP` or `TYPE` line, and its end.
    fn family(&self, start: usize) -> Result<(Escaped<'a>, usize), Fault> {
        let (from, to, end) = if self.body.get(start) == Some(&b'"') {
            let end = lex::quoted_end(self.body, start, false)?;
            (start + 1, end - 1, end)
        } else if lex::starts_name(self.body, start) {
            let end = lex::name_end(self.body, start);
            (start, end, end)
        } else {
            return Err(fault(start, "expected a metric name"));
        };
        let name = std::str::from_utf8(&self.body[from..to])
            .map_err(|error| fault(from + error.valid_up_to(), "invalid UTF-8 in a metric name"))?;
        Ok((Escaped::quoted(name), end))
    }

    /// Where the text of a `HELP` or `TYPE` line is: behind the one byte that follows the name, to the end of the
    /// line; of blanks alone nothing is left.
    fn family_text(&mut self, name_end: usize) -> (usize, usize) {
        let end = self.line_end(name_end);
        if skip_blanks(self.body, name_end) >= end {
            (end, end)
        } else {
            (name_end + 1, end)
        }
    }

    /// The end of the line `from` is in; the parser goes on behind it.
    fn line_end(&mut self, from: usize) -> usize {
        let end = memchr::memchr(b'\n', &self.body[from..]).map_or(self.body.len(), |length| from + length);
        self.at = (end + 1).min(self.body.len());
        end
    }
}

impl<'a> Parser<'a> for TextParser<'a> {
    fn format() -> &'static Format {
        &FORMAT
    }

    fn new(body: &'a [u8], options: Options) -> Self {
        TextParser::with_options(body, options)
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
            out.set_type_and_unit(self.kind, "");
        }
        Ok(())
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
        // With the label of the type, a series means something only together with lines before it.
        if self.options.type_and_unit_labels {
            return None;
        }
        self.body.get(self.at..self.at.checked_add(length)?)
    }

    fn skip(&mut self, length: usize) {
        self.at = (self.at + length).min(self.body.len());
    }

    #[inline]
    fn take(&mut self, length: usize) -> Option<Taken> {
        let end = self.at + length;
        // A name without labels may go on, and labels may follow it behind blanks: then it is another series.
        if self.body.get(end.wrapping_sub(1)) != Some(&b'}')
            && (lex::continues_name(self.body, end)
                || self.body.get(skip_blanks(self.body, end)) == Some(&b'{'))
        {
            return None;
        }
        let (value, timestamp, next) = self.value(end).ok()?;
        self.at = next;
        Some(Taken { value, timestamp })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn read(body: &[u8]) -> Result<Vec<Entry<'_>>, Error> {
        let mut parser = TextParser::new(body);
        let mut entries = Vec::new();
        while let Some(entry) = parser.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }

    #[test]
    fn a_body_becomes_entries() {
        let body = b"# HELP m \\\\ a\\nb\n# TYPE m counter\n\n  m{a=\"1\"} 2 -3\n#x\nn 1";
        let entries = read(body).expect("parses");
        assert_eq!(entries.len(), 5);
        let Entry::Help { metric, text } = entries[0] else {
            panic!("{:?}", entries[0])
        };
        assert_eq!((&*metric.unescape(), &*text.unescape()), ("m", "\\ a\nb"));
        assert!(matches!(
            entries[1],
            Entry::Type {
                kind: MetricKind::Counter,
                ..
            }
        ));
        assert_eq!(
            entries[2],
            Entry::Sample(Sample {
                raw: b"m{a=\"1\"}",
                offset: 37,
                value: 2.0,
                timestamp: Some(-3)
            })
        );
        assert_eq!(entries[3], Entry::Comment(b"#x"));
        assert_eq!(
            entries[4],
            Entry::Sample(Sample {
                raw: b"n",
                offset: 54,
                value: 1.0,
                timestamp: None
            })
        );
    }

    #[test]
    fn nul_is_an_error_but_in_values_and_comments() {
        for body in [&b"\0\0"[..], b"m 1\n\0n x", b"a\0 1", b"a 0 1\0", b"a 1\0"] {
            assert_eq!(
                read(body).map_err(|e| e.kind()),
                Err(ErrorKind::Parse),
                "{body:?}"
            );
        }
        assert!(read(b"a{b=\"\0\"} 1\n# a\0b\n# HELP a \0\n").is_ok());
    }

    #[test]
    fn errors_tell_line_and_reason() {
        let error = read(b"m 1\nn x\n").expect_err("bad value");
        assert_eq!(error.to_string(), "line 2, column 3 (byte 6): invalid number");
    }

    #[test]
    fn a_guess_is_taken_only_where_the_series_ends() {
        for (body, length) in [
            (&b"foobar 1"[..], 3),
            (b"foo {a=\"1\"} 1", 3),
            (b"foo:x 1", 3),
            (b"foo x", 3),
        ] {
            assert_eq!(TextParser::new(body).take(length), None, "{body:?}");
        }
        let mut parser = TextParser::new(b"foo{}1 5\nbar 2");
        let taken = |value, timestamp| Some(Taken { value, timestamp });
        assert_eq!(parser.take(5), taken(1.0, Some(5)));
        assert_eq!(parser.peek(3), Some(&b"bar"[..]));
        assert_eq!(parser.take(3), taken(2.0, None));
        assert_eq!(parser.next_entry().expect("end"), None);
    }

    #[test]
    fn labels_are_unescaped_and_normalised() {
        let mut labels = SeriesLabels::new();
        parse_series(
            b"m_bucket{ le = \"1\", a=\"x\\\"y\"}",
            MetricKind::Histogram,
            &mut labels,
        )
        .expect("parses");
        assert_eq!(labels.name(), "m_bucket");
        assert_eq!(labels.iter().collect::<Vec<_>>(), [("le", "1.0"), ("a", "x\"y")]);
        assert!(parse_series(b"m 1", MetricKind::Gauge, &mut labels).is_err());
        assert!(parse_series(b"", MetricKind::Gauge, &mut labels).is_err());
    }
}
