//! The protobuf exposition: `io.prometheus.client.MetricFamily` messages, each behind its length.
//!
//! The only text-free format, and the only one with native histograms. Summaries and classic histograms become the
//! series that the text formats have for them, `_count` and `_sum` first; a bucket for +Inf that is left out is made
//! of the count. Families without metrics are no entries at all.
//!
//! The raw bytes of a series, which stand for it from scrape to scrape, are put together in a buffer that is used
//! again, since they are not in one place of the body.

mod metric;
mod native;
mod wire;

use ferroalloy_model::{Histogram, MetricKind};

use self::metric::Metric;
use self::wire::{Fields, Range, varint};
use super::labels::{SeriesLabels, write_openmetrics_float};
use super::lex::{Fault, fault, str};
use super::{
    Entry, Escaped, Format, HistogramSample, Options, Parser, Protocol, RawExemplar, Sample, Taken,
    text_error as error,
};
use crate::error::Error;

/// A length prefix has at most 32 bits.
const LENGTH: usize = 5;

/// A parser of one body.
#[derive(Debug, Clone)]
pub struct ProtobufParser<'a> {
    body: &'a [u8],
    /// Where the next entry is looked for: at a family's length, or at a metric of which there is more to say.
    at: usize,
    family: Family<'a>,
    /// The metrics of the family that are not read yet.
    rest: Fields<'a>,
    metric: Metric,
    /// Where the tag of the metric is, and where it ends.
    metric_at: Range,
    step: Step,
    entry: Kind,
    /// What names the series: the labels of the metric first, then what differs between its series.
    raw: Vec<u8>,
    /// How much of `raw` the labels are.
    labels: usize,
    histogram: Option<Histogram>,
    options: Options,
    metadata_only: bool,
}

/// What a family says of itself.
#[derive(Debug, Clone, Copy)]
struct Family<'a> {
    /// Where its length is, where it begins, and where it ends.
    prefix: usize,
    start: usize,
    end: usize,
    name: &'a str,
    help: &'a str,
    unit: &'a str,
    kind: MetricKind,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Family,
    Help,
    Unit,
    Type,
    Metric,
    Point(Part),
    End,
}

/// A series of a summary or classic histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Count,
    Sum,
    At(usize),
    /// The bucket for +Inf, which is not among the points.
    Rest,
}

/// The current entry.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    None,
    Help,
    Unit,
    Type,
    Value(f64),
    Point(Part, f64),
    Histogram,
}

static FORMAT: Format = Format {
    name: "protobuf",
    media_type: "application/vnd.google.protobuf",
    protocols: &[Protocol {
        name: "PrometheusProto",
        media_type: "application/vnd.google.protobuf",
        parameters: "proto=io.prometheus.client.MetricFamily;encoding=delimited",
        escaping: false,
        by_default: false,
    }],
};

/// Every NaN is the ordinary one.
fn normal(value: f64) -> f64 {
    if value.is_nan() {
        ferroalloy_model::sample::normal_nan()
    } else {
        value
    }
}

// === impl ProtobufParser ===

impl<'a> ProtobufParser<'a> {
    /// A parser at the start of `body`.
    pub fn new(body: &'a [u8]) -> Self {
        Self::with_options(body, Options::default())
    }

    /// A parser with options at the start of `body`.
    pub fn with_options(body: &'a [u8], options: Options) -> Self {
        Self {
            body,
            at: 0,
            family: Family {
                prefix: 0,
                start: 0,
                end: 0,
                name: "",
                help: "",
                unit: "",
                kind: MetricKind::Unknown,
            },
            rest: Fields::new(body, (0, 0)),
            metric: Metric::default(),
            metric_at: (0, 0),
            step: Step::Family,
            entry: Kind::None,
            raw: Vec::new(),
            labels: 0,
            histogram: None,
            options,
            metadata_only: false,
        }
    }

    fn read(&mut self) -> Result<bool, Fault> {
        loop {
            match self.step {
                Step::End => return Ok(false),
                Step::Family => {
                    if self.at >= self.body.len() {
                        self.step = Step::End;
                    } else if self.read_family()? {
                        self.step = Step::Help;
                    } else {
                        self.at = self.family.end;
                    }
                }
                Step::Help => {
                    self.step = Step::Unit;
                    self.entry = Kind::Help;
                    return Ok(true);
                }
                Step::Unit => {
                    self.step = Step::Type;
                    if !self.family.unit.is_empty() {
                        self.entry = Kind::Unit;
                        return Ok(true);
                    }
                }
                Step::Type => {
                    self.step = if self.metadata_only {
                        Step::End
                    } else {
                        Step::Metric
                    };
                    self.entry = Kind::Type;
                    return Ok(true);
                }
                Step::Metric => {
                    if self.read_metric()? {
                        return Ok(true);
                    }
                }
                Step::Point(part) => {
                    self.read_point(part);
                    return Ok(true);
                }
            }
        }
    }

    /// Reads what the family at `at` says of itself. False: it has no metrics.
    fn read_family(&mut self) -> Result<bool, Fault> {
        let body = self.body;
        let (length, start) = varint(body, self.at, body.len(), LENGTH)?;
        let end = usize::try_from(length)
            .ok()
            .and_then(|length| start.checked_add(length))
            .filter(|end| *end <= body.len())
            .ok_or_else(|| fault(self.at, "message is longer than the rest of the body"))?;
        let (mut name, mut help, mut unit) = ((start, start), (start, start), (start, start));
        let mut kind = (0, start);
        let mut first = None;
        let mut fields = Fields::new(body, (start, end));
        while let Some(field) = fields.next()? {
            match field.number {
                1 => name = field.bytes()?,
                2 => help = field.bytes()?,
                3 => kind = (field.varint()?, field.at),
                4 => {
                    field.bytes()?;
                    first.get_or_insert(field.at);
                }
                5 => unit = field.bytes()?,
                _ => {}
            }
        }
        self.family.end = end;
        let Some(first) = first else {
            return Ok(false);
        };
        self.family = Family {
            prefix: self.at,
            start,
            end,
            name: str(body, name.0, name.1)?,
            help: str(body, help.0, help.1)?,
            unit: str(body, unit.0, unit.1)?,
            kind: match kind.0 {
                0 => MetricKind::Counter,
                1 => MetricKind::Gauge,
                2 => MetricKind::Summary,
                3 => MetricKind::Unknown,
                4 => MetricKind::Histogram,
                5 => MetricKind::GaugeHistogram,
                other => return Err(fault(kind.1, format!("unknown metric type {other}"))),
            },
        };
        if self.family.name.is_empty() {
            return Err(fault(name.0, "family without a name"));
        }
        if !self.family.unit_fits() {
            let Family { unit, name, .. } = self.family;
            return Err(fault(first, format!("unit {unit:?} is not a suffix of {name:?}")));
        }
        self.rest = Fields::new(body, (first, end));
        Ok(true)
    }

    /// Reads the next metric of the family and its first series. False: there is no other.
    fn read_metric(&mut self) -> Result<bool, Fault> {
        let (at, range) = loop {
            let Some(field) = self.rest.next()? else {
                self.at = self.family.end;
                self.step = Step::Family;
                return Ok(false);
            };
            if field.number == 4 {
                break (field.at, field.bytes()?);
            }
        };
        self.metric_at = (at, range.1);
        self.at = at;
        self.metric.read(self.body, range)?;
        self.raw.clear();
        for (name, value) in &self.metric.labels {
            for part in [name, value] {
                self.raw.extend_from_slice(&self.body[part.0..part.1]);
                self.raw.push(0xff);
            }
        }
        self.labels = self.raw.len();
        match self.family.kind {
            MetricKind::Summary => {
                self.read_point(Part::Count);
                return Ok(true);
            }
            MetricKind::Histogram | MetricKind::GaugeHistogram => {
                if self.options.ignore_native || !self.metric.native.is_native() {
                    self.read_point(Part::Count);
                    return Ok(true);
                }
                let gauge = self.family.kind == MetricKind::GaugeHistogram;
                self.histogram = Some(self.metric.native.histogram(gauge, at)?);
                self.name("", None);
                self.entry = Kind::Histogram;
                if self.options.keep_classic && !self.metric.histogram.list.is_empty() {
                    self.step = Step::Point(Part::Count);
                    return Ok(true);
                }
            }
            MetricKind::Counter => self.entry = Kind::Value(normal(self.metric.counter.number)),
            MetricKind::Gauge => self.entry = Kind::Value(normal(self.metric.gauge.number)),
            _ => self.entry = Kind::Value(normal(self.metric.untyped.number)),
        }
        if self.entry != Kind::Histogram {
            self.name("", None);
        }
        self.end_metric();
        Ok(true)
    }

    /// The metric has no more series. Behind the last one is the next family.
    fn end_metric(&mut self) {
        self.step = Step::Metric;
        let mut rest = self.rest;
        // All of it was read before, so there is no error to tell.
        while let Ok(Some(field)) = rest.next() {
            if field.number == 4 {
                self.at = field.at;
                return;
            }
        }
        self.at = self.family.end;
        self.step = Step::Family;
    }

    /// Puts the bytes together that name the series.
    fn name(&mut self, suffix: &str, at: Option<f64>) {
        self.raw.truncate(self.labels);
        self.raw.extend_from_slice(self.family.name.as_bytes());
        self.raw.extend_from_slice(suffix.as_bytes());
        self.raw.push(0xff);
        if let Some(at) = at {
            self.raw.extend_from_slice(&at.to_bits().to_le_bytes());
        }
    }

    /// Whether the metric is a summary and not a classic histogram.
    fn is_summary(&self) -> bool {
        self.family.kind == MetricKind::Summary
    }

    fn points(&self) -> &metric::Points {
        if self.is_summary() {
            &self.metric.summary
        } else {
            &self.metric.histogram
        }
    }

    fn read_point(&mut self, part: Part) {
        let points = self.points();
        let (value, at) = match part {
            Part::Count => (points.count, None),
            Part::Sum => (points.sum, None),
            Part::At(index) => points
                .list
                .get(index)
                .map_or((0.0, None), |point| (point.value, Some(point.at))),
            Part::Rest => (points.count, Some(f64::INFINITY)),
        };
        let next = match part {
            Part::Count => Some(Part::Sum),
            // What is behind the bucket for +Inf is no bucket.
            Part::At(_) if !self.is_summary() && at == Some(f64::INFINITY) => None,
            Part::Rest => None,
            Part::Sum | Part::At(_) => {
                let index = if let Part::At(index) = part { index + 1 } else { 0 };
                if index < points.list.len() {
                    Some(Part::At(index))
                } else {
                    (!self.is_summary()).then_some(Part::Rest)
                }
            }
        };
        let suffix = self.suffix(part);
        self.name(suffix, at);
        self.entry = Kind::Point(part, normal(value));
        match next {
            Some(part) => self.step = Step::Point(part),
            None => self.end_metric(),
        }
    }

    fn suffix(&self, part: Part) -> &'static str {
        match part {
            Part::Count => "_count",
            Part::Sum => "_sum",
            _ if self.is_summary() => "",
            _ => "_bucket",
        }
    }

    /// The bound or quantile that the series has as a label.
    fn bound(&self, part: Part) -> Option<f64> {
        match part {
            Part::Count | Part::Sum => None,
            Part::At(index) => self.points().list.get(index).map(|point| point.at),
            Part::Rest => Some(f64::INFINITY),
        }
    }

    /// Calls `each` with the exemplars of the current series.
    fn each_exemplar(&self, mut each: impl FnMut(&metric::Exemplar)) {
        match self.entry {
            Kind::Value(_) if self.family.kind == MetricKind::Counter => {
                self.metric.counter.exemplar.iter().for_each(each);
            }
            Kind::Point(Part::At(index), _) if !self.is_summary() => {
                let point = self.metric.histogram.list.get(index);
                point
                    .and_then(|point| point.exemplar.as_ref())
                    .iter()
                    .for_each(|e| each(e));
            }
            Kind::Histogram => self.metric.native_exemplars().for_each(each),
            _ => {}
        }
    }
}

// === impl Family ===

impl Family<'_> {
    /// Whether the unit is a suffix of the name, before `_total` of counters.
    fn unit_fits(&self) -> bool {
        let total = (self.kind == MetricKind::Counter).then(|| self.name.strip_suffix("_total"));
        let name = total.flatten().unwrap_or(self.name);
        self.unit.is_empty()
            || name
                .strip_suffix(self.unit)
                .is_some_and(|before| before.ends_with('_'))
    }
}

impl<'a> Parser<'a> for ProtobufParser<'a> {
    const NATIVE: bool = true;

    fn format() -> &'static Format {
        &FORMAT
    }

    fn new(body: &'a [u8], options: Options) -> Self {
        ProtobufParser::with_options(body, options)
    }

    fn advance(&mut self) -> Result<bool, Error> {
        self.histogram = None;
        self.read().map_err(|fault| {
            self.step = Step::End;
            self.entry = Kind::None;
            self.at = self.body.len();
            error(self.body, fault)
        })
    }

    fn entry(&self) -> Entry<'_> {
        let metric = Escaped::plain(self.family.name);
        let timestamp = (self.metric.timestamp != 0).then_some(self.metric.timestamp);
        let offset = self.metric_at.0;
        match self.entry {
            Kind::None => Entry::Comment(&[]),
            Kind::Help => Entry::Help {
                metric,
                text: Escaped::plain(self.family.help),
            },
            Kind::Unit => Entry::Unit {
                metric,
                unit: self.family.unit,
            },
            Kind::Type => Entry::Type {
                metric,
                kind: self.family.kind,
            },
            Kind::Value(value) | Kind::Point(_, value) => Entry::Sample(Sample {
                raw: &self.raw,
                offset,
                value,
                timestamp,
            }),
            Kind::Histogram => Entry::Histogram(HistogramSample {
                raw: &self.raw,
                offset,
                timestamp,
            }),
        }
    }

    fn take_histogram(&mut self) -> Option<Histogram> {
        self.histogram.take()
    }

    fn has_exemplars(&self) -> bool {
        let mut some = false;
        self.each_exemplar(|_| some = true);
        some
    }

    fn exemplars(&self, out: &mut Vec<RawExemplar>) {
        self.each_exemplar(|exemplar| out.push(exemplar.raw(self.body)));
    }

    fn start_time(&self) -> Option<i64> {
        match self.family.kind {
            MetricKind::Counter => self.metric.counter.start,
            MetricKind::Summary => self.metric.summary.start,
            MetricKind::Histogram | MetricKind::GaugeHistogram => self.metric.histogram.start,
            _ => None,
        }
    }

    fn labels(&self, _: MetricKind, out: &mut SeriesLabels) -> Result<(), Error> {
        out.clear();
        let (suffix, bound) = match self.entry {
            Kind::Point(part, _) => (self.suffix(part), self.bound(part)),
            _ => ("", None),
        };
        out.set_name(self.family.name);
        out.extend_name(suffix);
        for (name, value) in &self.metric.labels {
            let text = |range: &Range| str(self.body, range.0, range.1).unwrap_or_default();
            out.push(MetricKind::Unknown, text(name), text(value));
        }
        if let Some(bound) = bound {
            let mut text = String::with_capacity(24);
            write_openmetrics_float(bound, &mut text);
            let name = if self.is_summary() { "quantile" } else { "le" };
            out.push(MetricKind::Unknown, name, &text);
        }
        if self.options.type_and_unit_labels {
            out.set_type_and_unit(self.family.kind, self.family.unit);
        }
        Ok(())
    }

    fn offset(&self) -> usize {
        self.at
    }

    /// Without the length of the family, which changes with values.
    fn slice(&self, from: usize, to: usize) -> &[u8] {
        self.body.get(from.max(self.family.start)..to).unwrap_or_default()
    }

    /// Metadata is not by itself, so the section is all that the current family says of itself.
    fn section(&self, _: usize, _: usize) -> Self {
        let mut section = Self::new(self.body);
        section.at = self.family.prefix;
        section.metadata_only = true;
        section
    }

    /// Series are not in one piece here: nothing can be guessed.
    fn peek(&self, _: usize) -> Option<&[u8]> {
        None
    }

    fn skip(&mut self, _: usize) {}

    fn take(&mut self, _: usize) -> Option<Taken> {
        None
    }
}
