//! Takes a body, or the families of an in-process exporter, into a [`Scrape`].
//!
//! Invariant: while a target says the same series in the same order as last time, a sample costs one hash and one
//! number, and no label is looked at. Both ways give the same series.

use std::sync::Arc;

use ferroalloy_model::sample::normal_nan;
use ferroalloy_model::{Families, Histogram, Metadata, MetricKind};

use crate::error::Error;
use crate::key::{Class, Key};
use crate::parse::{Entry, HistogramSample, Parser, RawExemplar, Sample, SeriesLabels, Taken, WithParser};
use crate::recognize::{Meaning, What};
use crate::series::Scrape;

/// Takes in a body, by whatever parser.
pub(crate) struct Ingest<'a, 's>(pub(crate) &'a mut Scrape<'s>);

impl WithParser for Ingest<'_, '_> {
    type Output = Result<(), Error>;

    fn with<'a, P: Parser<'a>>(self, parser: P) -> Self::Output {
        Body {
            parser,
            class: Class::default(),
            block: Block::default(),
            exemplars: Vec::new(),
        }
        .read(self.0)
    }
}

/// A body on its way.
struct Body<P> {
    parser: P,
    /// What the last `TYPE` line makes of labels.
    class: Class,
    block: Block,
    exemplars: Vec<RawExemplar>,
}

/// What a sample says.
enum Observed {
    Float(f64),
    Histogram(Histogram),
}

/// The metadata lines before the current family. They are only read when a series asks for them.
#[derive(Default)]
struct Block {
    from: usize,
    to: usize,
    /// The last scrape did not have these lines here.
    changed: bool,
    families: Option<Vec<Family>>,
}

struct Family {
    name: String,
    metadata: Arc<Metadata>,
}

impl<'a, P: Parser<'a>> Body<P> {
    fn read(mut self, scrape: &mut Scrape<'_>) -> Result<(), Error> {
        let mut labels = SeriesLabels::new();
        loop {
            self.read_expected(scrape);
            if !self.read_one(scrape, &mut labels)? {
                return scrape.check_limit();
            }
        }
    }

    /// Reads for as long as the body is what the last one was.
    fn read_expected(&mut self, scrape: &mut Scrape<'_>) {
        while let Some(expected) = scrape.expected() {
            let length = expected.length as usize;
            let at = self.parser.offset();
            let Some(bytes) = self.parser.peek(length) else {
                return;
            };
            if scrape.keys.key(self.class, bytes) != expected.key {
                return;
            }
            if let Meaning::Metadata(class) = expected.what.meaning() {
                self.parser.skip(length);
                self.class = class;
                self.block = Block {
                    from: at,
                    to: at + length,
                    ..Block::default()
                };
            } else {
                let Some(Taken { value, timestamp }) = self.parser.take(length) else {
                    return;
                };
                if self.block.changed {
                    let (block, parser) = (&mut self.block, &self.parser);
                    scrape.redescribe(expected.what, |name| block.metadata(parser, name));
                }
                if let Some(slot) = scrape.record(expected.what, value, timestamp) {
                    self.sides(scrape, slot);
                }
            }
            scrape.confirm();
        }
    }

    /// Reads one sample and the metadata before it. False: there is none left.
    fn read_one(&mut self, scrape: &mut Scrape<'_>, labels: &mut SeriesLabels) -> Result<bool, Error> {
        let from = self.parser.offset();
        let before = self.class;
        let (offset, timestamp, mut value) = loop {
            if !self.parser.advance()? {
                return Ok(false);
            }
            match self.parser.entry() {
                Entry::Type { kind, .. } => self.class = kind.into(),
                Entry::Sample(sample) => {
                    break (
                        sample.offset,
                        sample.timestamp,
                        Some(Observed::Float(sample.value)),
                    );
                }
                Entry::Histogram(sample) => break (sample.offset, sample.timestamp, None),
                Entry::Help { .. } | Entry::Unit { .. } | Entry::Comment(_) => {}
            }
        };
        if value.is_none() {
            value = self.parser.take_histogram().map(Observed::Histogram);
        }
        let (key, length) = self.key(scrape, labels)?;
        if offset > from {
            let lines = self.parser.slice(from, offset);
            let changed = scrape.metadata(
                scrape.keys.key(before, lines),
                u32::try_from(lines.len()).unwrap_or(u32::MAX),
                self.class,
            );
            self.block = Block {
                from,
                to: offset,
                changed,
                families: None,
            };
        }
        let (block, parser) = (&mut self.block, &self.parser);
        let what = if let Some(what) = scrape.find(key, length) {
            if block.changed {
                scrape.redescribe(what, |name| block.metadata(parser, name));
            }
            Some(what)
        } else {
            parser.labels(self.class.into(), labels)?;
            scrape.learn((key, length), labels, || block.metadata(parser, labels.name()))?
        };
        if let (Some(what), Some(value)) = (what, value) {
            self.record(scrape, what, value, timestamp)?;
        }
        Ok(true)
    }

    /// What the current series is known by from scrape to scrape.
    fn key(&self, scrape: &Scrape<'_>, labels: &mut SeriesLabels) -> Result<(Key, u32), Error> {
        let (Entry::Sample(Sample { raw, .. }) | Entry::Histogram(HistogramSample { raw, .. })) =
            self.parser.entry()
        else {
            return Ok((scrape.keys.key(self.class, b""), 0));
        };
        let mut key = scrape.keys.key(self.class, raw);
        // Then equal bytes are not equal labels: the labels have to be looked at.
        if scrape.parse_options().type_and_unit_labels {
            self.parser.labels(self.class.into(), labels)?;
            key = scrape.keys.key(self.class, format!("{labels:?}").as_bytes());
        }
        Ok((key, u32::try_from(raw.len()).unwrap_or(u32::MAX)))
    }

    fn record(
        &mut self,
        scrape: &mut Scrape<'_>,
        what: What,
        value: Observed,
        timestamp: Option<i64>,
    ) -> Result<(), Error> {
        let slot = match value {
            Observed::Float(value) => scrape.record(what, value, timestamp),
            Observed::Histogram(histogram) => scrape.record_histogram(what, histogram, timestamp)?,
        };
        if let Some(slot) = slot {
            self.sides(scrape, slot);
        }
        Ok(())
    }

    /// Takes in what stands beside the current sample.
    #[inline]
    fn sides(&mut self, scrape: &mut Scrape<'_>, slot: u32) {
        if self.parser.has_exemplars() {
            self.parser.exemplars(&mut self.exemplars);
            scrape.record_exemplars(slot, &mut self.exemplars);
        }
        if let Some(start) = self.parser.start_time() {
            scrape.record_start(slot, start);
        }
    }
}

impl Block {
    /// The metadata of the family that the series `name` belongs to, if these lines tell it.
    fn metadata<'a, P: Parser<'a>>(&mut self, parser: &P, name: &str) -> Option<Arc<Metadata>> {
        let families = self
            .families
            .get_or_insert_with(|| read_families(parser.section(self.from, self.to)));
        families
            .iter()
            .find(|family| family.has(name))
            .map(|family| Arc::clone(&family.metadata))
    }
}

/// Reads a block of metadata lines. What cannot be read is left out: the lines were parsed before.
fn read_families<'a, P: Parser<'a>>(mut lines: P) -> Vec<Family> {
    let mut families: Vec<(String, Metadata)> = Vec::new();
    while let Ok(true) = lines.advance() {
        let (Entry::Help { metric, .. } | Entry::Type { metric, .. } | Entry::Unit { metric, .. }) =
            lines.entry()
        else {
            continue;
        };
        let name = metric.unescape();
        let known = families.iter().position(|(known, _)| *known == name);
        let at = known.unwrap_or_else(|| {
            families.push((name.into_owned(), Metadata::default()));
            families.len() - 1
        });
        match lines.entry() {
            Entry::Help { text, .. } => families[at].1.help = text.unescape().into_owned(),
            Entry::Type { kind, .. } => families[at].1.kind = kind,
            Entry::Unit { unit, .. } => unit.clone_into(&mut families[at].1.unit),
            _ => {}
        }
    }
    families
        .into_iter()
        .map(|(name, metadata)| Family {
            name,
            metadata: Arc::new(metadata),
        })
        .collect()
}

impl Family {
    /// Whether a series of that name belongs to the family: it has its name, or a suffix that goes with its kind.
    fn has(&self, name: &str) -> bool {
        let Some(suffix) = name.strip_prefix(self.name.as_str()) else {
            return false;
        };
        let suffixes: &[&str] = match self.metadata.kind {
            MetricKind::Counter => &["_total"],
            MetricKind::Histogram => &["_bucket", "_sum", "_count"],
            MetricKind::GaugeHistogram => &["_bucket", "_gsum", "_gcount"],
            MetricKind::Summary => &["_sum", "_count"],
            MetricKind::Info => &["_info"],
            MetricKind::Gauge | MetricKind::StateSet | MetricKind::Unknown => &[],
        };
        suffix.is_empty() || suffixes.contains(&suffix)
    }
}

/// Takes in the families of an in-process exporter.
pub(crate) fn ingest_families(families: &Families, scrape: &mut Scrape<'_>) -> Result<(), Error> {
    let mut labels = SeriesLabels::new();
    let mut lines = Vec::new();
    for family in families.iter() {
        let class = Class::from(family.kind());
        lines.clear();
        for part in [
            family.name().as_bytes(),
            family.kind().text_name().as_bytes(),
            family.help().as_bytes(),
        ] {
            lines.extend_from_slice(part);
            lines.push(0xff);
        }
        let length = u32::try_from(lines.len()).unwrap_or(u32::MAX);
        let changed = scrape.metadata(scrape.keys.key(class, &lines), length, class);
        let mut shared: Option<Arc<Metadata>> = None;
        let mut metadata = || {
            let metadata = shared.get_or_insert_with(|| {
                Arc::new(Metadata {
                    kind: family.kind(),
                    help: family.help().to_owned(),
                    unit: String::new(),
                })
            });
            Some(Arc::clone(metadata))
        };
        for sample in family.samples() {
            let raw = sample.raw_key();
            let value = if sample.value().is_nan() {
                normal_nan()
            } else {
                sample.value()
            };
            let (key, length) = (
                scrape.keys.key(class, raw),
                u32::try_from(raw.len()).unwrap_or(u32::MAX),
            );
            let expected = scrape
                .expected()
                .filter(|known| known.key == key && known.length == length);
            let known = match expected {
                Some(known) => {
                    scrape.confirm();
                    Some(known.what)
                }
                None => scrape.find(key, length),
            };
            let what = if let Some(what) = known {
                if changed {
                    scrape.redescribe(what, |_| metadata());
                }
                Some(what)
            } else {
                labels.clear();
                labels.set_name(sample.name());
                for (name, value) in sample.labels() {
                    labels.push(family.kind(), name, value);
                }
                scrape.learn((key, length), &labels, &mut metadata)?
            };
            if let Some(what) = what {
                scrape.record(what, value, sample.timestamp());
            }
        }
    }
    scrape.check_limit()
}
