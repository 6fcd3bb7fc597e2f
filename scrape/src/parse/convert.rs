//! Classic histograms as native ones with custom buckets, whatever the format.
//!
//! The series of one classic histogram stand together in every exposition. They are collected until something else
//! comes, and then a histogram comes first. One whose parts disagree is left out, without a word, as in Prometheus;
//! and none is made beside an exponential histogram of the same labels.
//!
//! A series means something only together with its neighbours, so nothing is guessed from the last scrape.

mod classic;

use ferroalloy_model::{Histogram, MetricKind};

use self::classic::Classic;
use super::labels::SeriesLabels;
use super::number::parse_float;
use super::{Entry, Format, HistogramSample, Options, Parser, RawExemplar, Taken};
use crate::error::Error;

/// A parser whose classic histograms are converted.
#[derive(Debug, Clone)]
pub struct Convert<P> {
    inner: P,
    keep_classic: bool,
    /// What the last `TYPE` said.
    kind: MetricKind,
    family: String,
    /// The histogram being collected.
    group: Group,
    collecting: bool,
    /// The histogram that was put together last.
    done: Group,
    histogram: Option<Histogram>,
    shown: Shown,
    /// The entry of `inner` is still to come, and where it was looked for.
    pending: Option<usize>,
    ended: bool,
    /// What the current sample of `inner` is a part of, and which.
    labels: SeriesLabels,
    part: Option<Part>,
    /// Labels of the last exponential histogram.
    exponential: SeriesLabels,
}

/// Whose entry is the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Inner,
    /// That of `done`.
    Converted,
}

/// A classic histogram on its way.
#[derive(Debug, Clone, Default)]
struct Group {
    labels: SeriesLabels,
    classic: Classic,
    exemplars: Vec<RawExemplar>,
    offset: usize,
    timestamp: Option<i64>,
    start: Option<i64>,
    raw: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
enum Part {
    Bucket(f64),
    Count,
    Sum,
}

impl<'a, P: Parser<'a>> Convert<P> {
    /// Converts what `inner` parses.
    pub fn over(inner: P, keep_classic: bool) -> Self {
        Self {
            inner,
            keep_classic,
            kind: MetricKind::Unknown,
            family: String::new(),
            group: Group::default(),
            collecting: false,
            done: Group::default(),
            histogram: None,
            shown: Shown::Inner,
            pending: None,
            ended: false,
            labels: SeriesLabels::new(),
            part: None,
            exponential: SeriesLabels::new(),
        }
    }

    /// Looks what the entry of `inner` is a part of.
    fn classify(&mut self) -> Result<(), Error> {
        self.part = None;
        if self.kind != MetricKind::Histogram || !matches!(self.inner.entry(), Entry::Sample(_)) {
            return Ok(());
        }
        self.inner.labels(self.kind, &mut self.labels)?;
        let Some(suffix) = self.labels.name().strip_prefix(self.family.as_str()) else {
            return Ok(());
        };
        self.part = match suffix {
            "_count" => Some(Part::Count),
            "_sum" => Some(Part::Sum),
            "_bucket" => self
                .labels
                .iter()
                .find(|(name, _)| *name == "le")
                .and_then(|(_, bound)| parse_float(bound.as_bytes()).ok())
                .filter(|bound| !bound.is_nan())
                .map(Part::Bucket),
            _ => None,
        };
        if self.part.is_some() {
            self.labels.remove("le");
            self.labels.set_name(&self.family);
            if same(&self.labels, &self.exponential) {
                self.part = None;
            }
        }
        Ok(())
    }

    /// Takes the current sample in, if it is part of a histogram.
    fn collect(&mut self) -> bool {
        let Entry::Sample(sample) = self.inner.entry() else {
            return false;
        };
        let Some(part) = self.part else { return false };
        let group = &mut self.group;
        if !self.collecting {
            self.collecting = true;
            group.labels.clone_from(&self.labels);
            group.classic.clear();
            group.exemplars.clear();
            group.offset = sample.offset;
            group.timestamp = sample.timestamp;
            group.start = self.inner.start_time();
        }
        match part {
            Part::Bucket(bound) => group.classic.bucket(bound, sample.value),
            Part::Count => group.classic.count(sample.value),
            Part::Sum => group.classic.sum(sample.value),
        }
        if self.inner.has_exemplars() {
            self.inner.exemplars(&mut group.exemplars);
            if P::NATIVE {
                group.exemplars.retain(|exemplar| exemplar.timestamp.is_some());
            }
        }
        true
    }

    fn read(&mut self) -> Result<bool, Error> {
        self.shown = Shown::Inner;
        self.histogram = None;
        loop {
            if self.pending.take().is_none() {
                if self.ended {
                    return Ok(false);
                }
                let at = self.inner.offset();
                self.ended = !self.inner.advance()?;
                if !self.ended {
                    self.classify()?;
                }
                let goes_on = !self.ended && self.part.is_some() && same(&self.labels, &self.group.labels);
                if self.collecting && !goes_on && self.finish() {
                    self.pending = (!self.ended).then_some(at);
                    return Ok(true);
                }
                if self.ended {
                    return Ok(false);
                }
            }
            match self.inner.entry() {
                Entry::Type { metric, kind } => {
                    self.family = metric.unescape().into_owned();
                    self.kind = kind;
                }
                Entry::Histogram(_) => self.inner.labels(self.kind, &mut self.exponential)?,
                _ => {}
            }
            if !self.collect() || self.keep_classic {
                return Ok(true);
            }
        }
    }

    /// Makes a histogram of what was collected. False: there is none.
    fn finish(&mut self) -> bool {
        if !std::mem::take(&mut self.collecting) {
            return false;
        }
        self.histogram = self.group.classic.convert();
        if self.histogram.is_none() {
            return false;
        }
        std::mem::swap(&mut self.group, &mut self.done);
        self.done.name();
        self.shown = Shown::Converted;
        true
    }
}

impl Group {
    /// Names the series as Prometheus prints it.
    fn name(&mut self) {
        let mut labels: Vec<_> = self.labels.iter().collect();
        labels.sort_unstable();
        self.raw.clear();
        self.raw.extend_from_slice(self.labels.name().as_bytes());
        let mut before = b'{';
        for (name, value) in labels {
            self.raw.push(before);
            before = b',';
            self.raw.extend_from_slice(name.as_bytes());
            self.raw.extend_from_slice(b"=\"");
            for byte in value.bytes() {
                match byte {
                    b'\\' => self.raw.extend_from_slice(b"\\\\"),
                    b'"' => self.raw.extend_from_slice(b"\\\""),
                    b'\n' => self.raw.extend_from_slice(b"\\n"),
                    other => self.raw.push(other),
                }
            }
            self.raw.push(b'"');
        }
        if before == b',' {
            self.raw.push(b'}');
        }
    }
}

/// Whether two series have the same name and labels, in whatever order.
fn same(a: &SeriesLabels, b: &SeriesLabels) -> bool {
    a.name() == b.name()
        && a.iter().count() == b.iter().count()
        && a.iter().all(|label| b.iter().any(|other| label == other))
}

impl<'a, P: Parser<'a>> Parser<'a> for Convert<P> {
    const NATIVE: bool = P::NATIVE;

    fn format() -> &'static Format {
        P::format()
    }

    fn new(body: &'a [u8], options: Options) -> Self {
        Self::over(P::new(body, options), options.keep_classic)
    }

    fn advance(&mut self) -> Result<bool, Error> {
        let more = self.read();
        if more.is_err() {
            self.ended = true;
            self.collecting = false;
        }
        more
    }

    fn entry(&self) -> Entry<'_> {
        if self.shown == Shown::Converted {
            Entry::Histogram(HistogramSample {
                raw: &self.done.raw,
                offset: self.done.offset,
                timestamp: self.done.timestamp,
            })
        } else {
            self.inner.entry()
        }
    }

    fn take_histogram(&mut self) -> Option<Histogram> {
        if self.shown == Shown::Converted {
            self.histogram.take()
        } else {
            self.inner.take_histogram()
        }
    }

    fn has_exemplars(&self) -> bool {
        if self.shown == Shown::Converted {
            !self.done.exemplars.is_empty()
        } else {
            self.inner.has_exemplars()
        }
    }

    fn exemplars(&self, out: &mut Vec<RawExemplar>) {
        if self.shown == Shown::Converted {
            out.extend_from_slice(&self.done.exemplars);
        } else {
            self.inner.exemplars(out);
        }
    }

    fn start_time(&self) -> Option<i64> {
        if self.shown == Shown::Converted {
            self.done.start
        } else {
            self.inner.start_time()
        }
    }

    fn labels(&self, kind: MetricKind, out: &mut SeriesLabels) -> Result<(), Error> {
        if self.shown == Shown::Converted {
            out.clone_from(&self.done.labels);
            return Ok(());
        }
        self.inner.labels(kind, out)
    }

    fn offset(&self) -> usize {
        self.pending.unwrap_or_else(|| self.inner.offset())
    }

    fn slice(&self, from: usize, to: usize) -> &[u8] {
        self.inner.slice(from, to)
    }

    fn section(&self, from: usize, to: usize) -> Self {
        Self::over(self.inner.section(from, to), self.keep_classic)
    }

    fn peek(&self, _: usize) -> Option<&[u8]> {
        None
    }

    fn skip(&mut self, _: usize) {}

    fn take(&mut self, _: usize) -> Option<Taken> {
        None
    }
}
