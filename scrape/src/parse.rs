//! The exposition formats: what an entry is, what a parser does, and which formats there are.
//!
//! A format is one file with a type that implements [`Parser`], and one line in `formats!` below. Content
//! negotiation, the `Accept` header and the scrape loop follow from that line.

mod buckets;
mod convert;
mod labels;
mod lex;
mod negotiate;
mod number;
mod openmetrics;
mod protobuf;
mod text;

use std::borrow::Cow;
use std::fmt;

use ferroalloy_model::{Histogram, Labels, MetricKind};

pub use self::convert::Convert;
pub use self::labels::SeriesLabels;
pub use self::negotiate::{accept_header, choose};
pub use self::openmetrics::OpenMetricsParser;
pub use self::protobuf::ProtobufParser;
pub use self::text::{TextParser, parse_series};
use crate::error::{Error, ErrorKind, Position};

/// How a body is read. By default it is read as it stands, native histograms included.
#[expect(clippy::struct_excessive_bools, reason = "they are options, each its own")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// OpenMetrics: a `_created` line is not a series, but says when the series of its metric began.
    pub created_as_start: bool,
    /// Give every series the labels `__type__` and `__unit__` of its family, where those are known. What it exposes
    /// under these names is replaced.
    pub type_and_unit_labels: bool,
    /// Protobuf: read native histograms as if they had only their classic buckets.
    pub ignore_native: bool,
    /// Make native histograms with custom buckets of classic ones, which are then left out.
    pub convert_classic: bool,
    /// Give classic histograms beside the native ones that have the same observations.
    pub keep_classic: bool,
}

/// One thing that a body says. It borrows from the body.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Entry<'a> {
    /// The help text of a family.
    Help {
        /// The family's name.
        metric: Escaped<'a>,
        /// The text.
        text: Escaped<'a>,
    },
    /// The kind of a family.
    Type {
        /// The family's name.
        metric: Escaped<'a>,
        /// Its kind.
        kind: MetricKind,
    },
    /// The unit of a family.
    Unit {
        /// The family's name.
        metric: Escaped<'a>,
        /// The unit; may be empty.
        unit: &'a str,
    },
    /// Any other comment, from its `#` to the end of the line. Not necessarily UTF-8.
    Comment(&'a [u8]),
    /// One sample of one series.
    Sample(Sample<'a>),
    /// One native histogram of one series. [`Parser::take_histogram`] has its buckets.
    Histogram(HistogramSample<'a>),
}

/// One line of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample<'a> {
    /// The bytes that name the series: in the text formats all from the name to the value, blanks as they are.
    /// Equal bytes under the same kind of family mean the same labels.
    pub raw: &'a [u8],
    /// Where `raw` starts in the body.
    pub offset: usize,
    /// The value. Every NaN is the ordinary NaN, so no target can forge a staleness marker.
    pub value: f64,
    /// The explicit timestamp in milliseconds since 1970, where one is given.
    pub timestamp: Option<i64>,
}

/// One native histogram; its fields are those of [`Sample`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistogramSample<'a> {
    /// The bytes that name the series.
    pub raw: &'a [u8],
    /// Where in the body it stands.
    pub offset: usize,
    /// The explicit timestamp in milliseconds since 1970, where one is given.
    pub timestamp: Option<i64>,
}

/// What stands behind a series that was known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Taken {
    /// The value; every NaN is the ordinary NaN.
    pub value: f64,
    /// The explicit timestamp in milliseconds since 1970, where one is given.
    pub timestamp: Option<i64>,
}

/// An exemplar as the target gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct RawExemplar {
    /// Its own labels.
    pub labels: Labels,
    /// The value observed; every NaN is the ordinary NaN.
    pub value: f64,
    /// When, in milliseconds since 1970, where that is given.
    pub timestamp: Option<i64>,
}

/// Text as it stands in the body, with its escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Escaped<'a> {
    raw: &'a str,
    escapes: lex::Escapes,
}

/// A format: what it is called and what it is asked for with.
#[derive(Debug)]
pub struct Format {
    /// A short name, for messages.
    pub name: &'static str,
    /// The media type of responses in this format, without parameters.
    pub media_type: &'static str,
    /// The protocols of `scrape_protocols` that this format serves, best first.
    pub protocols: &'static [Protocol],
}

/// A scrape protocol as configurations name it (`PrometheusText0.0.4`).
#[derive(Debug, PartialEq, Eq)]
pub struct Protocol {
    /// The name in configurations.
    pub name: &'static str,
    /// The media type to ask for.
    pub media_type: &'static str,
    /// The parameters to ask for.
    pub parameters: &'static str,
    /// Whether an `escaping` parameter goes with it.
    pub escaping: bool,
    /// Whether it is asked for where the configuration names none.
    pub by_default: bool,
}

/// A pull parser over one body.
///
/// The scrape loop first tries [`peek`](Self::peek) and [`take`](Self::take) with the length that the series had
/// at this place in the last scrape; only what is not recognised costs [`advance`](Self::advance).
pub trait Parser<'a>: Sized {
    /// Whether the format has native histograms, whose exemplars must have a time.
    const NATIVE: bool = false;

    /// What this parser parses.
    fn format() -> &'static Format;

    /// A parser at the start of `body`.
    fn new(body: &'a [u8], options: Options) -> Self;

    /// Reads the next entry; false at the end of the body. After an error there is nothing more to read.
    fn advance(&mut self) -> Result<bool, Error>;

    /// The entry that the last [`advance`](Self::advance) read.
    fn entry(&self) -> Entry<'_>;

    /// The buckets of the current [`Entry::Histogram`], the first time it is asked.
    fn take_histogram(&mut self) -> Option<Histogram> {
        None
    }

    /// Whether the current sample or histogram has exemplars.
    fn has_exemplars(&self) -> bool {
        false
    }

    /// Appends the exemplars of the current sample or histogram to `out`.
    fn exemplars(&self, _out: &mut Vec<RawExemplar>) {}

    /// When the current series began, in milliseconds since 1970, where the target tells.
    fn start_time(&self) -> Option<i64> {
        None
    }

    /// Writes the labels of the current sample or histogram to `out`. `kind` is the kind of the last `Type` entry.
    fn labels(&self, kind: MetricKind, out: &mut SeriesLabels) -> Result<(), Error>;

    /// Where the next entry starts to be looked for.
    fn offset(&self) -> usize;

    /// The bytes `from..to` of the body.
    fn slice(&self, from: usize, to: usize) -> &[u8];

    /// A parser of the part `from..to` of the body, which must start and end at entries.
    #[must_use]
    fn section(&self, from: usize, to: usize) -> Self;

    /// The next `length` bytes, if that many are left: a guess at the next series or block of metadata.
    fn peek(&self, length: usize) -> Option<&[u8]>;

    /// Goes behind `length` bytes that are known to be whole metadata lines.
    fn skip(&mut self, length: usize);

    /// Reads the sample whose series is the next `length` bytes, which the caller knows to be a series. `None`,
    /// and nothing is read, where they are only the start of a longer one or the rest is not as it should be.
    fn take(&mut self, length: usize) -> Option<Taken>;
}

/// What to do with a body, whichever parser its format needs.
pub trait WithParser {
    /// What comes of it.
    type Output;

    /// Does it.
    fn with<'a, P: Parser<'a>>(self, parser: P) -> Self::Output;
}

macro_rules! formats {
    ($($parser:ident),* $(,)?) => {
        /// All formats there are. Their order is the order of preference.
        pub fn formats() -> &'static [&'static Format] {
            static ALL: std::sync::LazyLock<Vec<&'static Format>> =
                std::sync::LazyLock::new(|| vec![$(<$parser<'static> as Parser<'static>>::format()),*]);
            &ALL
        }

        impl Format {
            /// Hands `work` a parser of `body`.
            pub fn parse<W: WithParser>(
                &self,
                body: &[u8],
                options: Options,
                work: W,
            ) -> Result<W::Output, Error> {
                $(if std::ptr::eq(self, <$parser<'static> as Parser<'static>>::format()) {
                    let parser = <$parser<'_> as Parser<'_>>::new(body, options);
                    return Ok(if options.convert_classic {
                        work.with(Convert::over(parser, options.keep_classic))
                    } else {
                        work.with(parser)
                    });
                })*
                Err(Error::new(ErrorKind::ContentType, format!("format {} is not registered", self.name)))
            }
        }
    };
}

formats! {
    OpenMetricsParser,
    TextParser,
    ProtobufParser,
}

/// All protocols that `scrape_protocols` may name; those asked for by default are first, in that order.
pub fn protocols() -> impl Iterator<Item = &'static Protocol> {
    formats().iter().flat_map(|format| format.protocols)
}

impl Protocol {
    /// The protocol of that name. The error lists those there are.
    pub fn named(name: &str) -> Result<&'static Self, Error> {
        protocols().find(|protocol| protocol.name == name).ok_or_else(|| {
            let known: Vec<_> = protocols().map(|protocol| protocol.name).collect();
            Error::new(
                ErrorKind::Config,
                format!(
                    "scrape protocol {name:?} is not supported; supported are {}",
                    known.join(", ")
                ),
            )
        })
    }

    /// The format that parses this protocol's responses.
    pub fn format(&self) -> Option<&'static Format> {
        formats()
            .iter()
            .copied()
            .find(|format| format.protocols.iter().any(|protocol| protocol == self))
    }
}

/// A fault in a body that is text.
fn text_error(body: &[u8], fault: lex::Fault) -> Error {
    Error::new(ErrorKind::Parse, fault.reason).with_position(Position::locate(body, fault.at))
}

// === impl Escaped ===

impl<'a> Escaped<'a> {
    pub(crate) const fn quoted(raw: &'a str) -> Self {
        Self {
            raw,
            escapes: lex::Escapes::Quoted,
        }
    }

    pub(crate) const fn help(raw: &'a str) -> Self {
        Self {
            raw,
            escapes: lex::Escapes::Help,
        }
    }

    /// The text as it stands in the body.
    pub const fn raw(&self) -> &'a str {
        self.raw
    }

    pub(crate) const fn plain(raw: &'a str) -> Self {
        Self {
            raw,
            escapes: lex::Escapes::None,
        }
    }

    /// The text it stands for. Borrows where there is nothing to resolve.
    pub fn unescape(&self) -> Cow<'a, str> {
        if self.escapes == lex::Escapes::None || memchr::memchr(b'\\', self.raw.as_bytes()).is_none() {
            return Cow::Borrowed(self.raw);
        }
        let mut out = String::with_capacity(self.raw.len());
        lex::unescape_into(self.raw, self.escapes, &mut out);
        Cow::Owned(out)
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.unescape())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_protocol_has_one_format_and_one_name() {
        let names: BTreeSet<_> = protocols().map(|protocol| protocol.name).collect();
        assert_eq!(names.len(), protocols().count());
        for protocol in protocols() {
            assert_eq!(Protocol::named(protocol.name).expect("known"), protocol);
            assert!(protocol.format().is_some());
        }
        let error = Protocol::named("Graphite").expect_err("unknown");
        assert!(error.to_string().contains("PrometheusText0.0.4"), "{error}");
    }
}
