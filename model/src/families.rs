//! Metric families as data: what host collectors and a program's own metrics say.
//!
//! [`Families`] is an arena: text and samples lie in three buffers that are emptied and filled again at each
//! scrape, so that a collection in the steady state allocates nothing. It is read as data, written as text
//! by [`crate::text`], or taken over by a scrape without becoming text.

use crate::sample::MetricKind;

/// Own metrics of something: a struct of atomics that can say where it stands. There is no global registry;
/// whoever owns the struct collects it.
pub trait Collect: Send + Sync {
    /// Appends the metrics to `out`.
    fn collect(&self, out: &mut Families);
}

/// Metric families with their samples, in the order in which they were written.
#[derive(Debug, Default, Clone)]
pub struct Families {
    text: Vec<u8>,
    entries: Vec<Entry>,
    samples: Vec<Sample>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    name: Span,
    help: Span,
    kind: MetricKind,
    first_sample: u32,
    end_sample: u32,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    key: Span,
    value: f64,
    timestamp: Option<i64>,
}

#[derive(Debug, Clone, Copy)]
struct Span {
    start: u32,
    end: u32,
}

/// Stands between the parts of a key. It is in no UTF-8 text.
const SEPARATOR: u8 = 0xff;

impl Families {
    /// An empty arena.
    pub const fn new() -> Self {
        Self {
            text: Vec::new(),
            entries: Vec::new(),
            samples: Vec::new(),
        }
    }

    /// Empties the arena and keeps its buffers.
    pub fn clear(&mut self) {
        self.text.clear();
        self.entries.clear();
        self.samples.clear();
    }

    /// Whether there are no families.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Number of samples.
    pub fn sample_count(&self) -> usize {
        self.samples.len()
    }

    fn put(&mut self, text: &[u8]) -> Span {
        let start = offset(self.text.len());
        self.text.extend_from_slice(text);
        Span {
            start,
            end: offset(self.text.len()),
        }
    }

    fn slice(&self, span: Span) -> &[u8] {
        self.text
            .get(span.start as usize..span.end as usize)
            .unwrap_or_default()
    }

    fn str(&self, span: Span) -> &str {
        std::str::from_utf8(self.slice(span)).unwrap_or_default()
    }

    /// Opens a family. One name may be opened several times; readers in [order of name](Self::sorted) see its
    /// parts as one family, with the first one's help and kind.
    pub fn family(&mut self, name: &str, help: &str, kind: MetricKind) -> FamilyWriter<'_> {
        let name = self.put(name.as_bytes());
        let help = self.put(help.as_bytes());
        let first = offset(self.samples.len());
        self.entries.push(Entry {
            name,
            help,
            kind,
            first_sample: first,
            end_sample: first,
        });
        FamilyWriter { families: self }
    }

    /// A family of one sample without labels.
    pub fn single(&mut self, name: &str, help: &str, kind: MetricKind, value: f64) {
        self.family(name, help, kind).sample(&[], value);
    }

    /// Appends all of `other`.
    pub fn append(&mut self, other: &Self) {
        let (text, samples) = (offset(self.text.len()), offset(self.samples.len()));
        let moved = |span: Span| Span {
            start: span.start + text,
            end: span.end + text,
        };
        self.text.extend_from_slice(&other.text);
        self.samples.extend(other.samples.iter().map(|s| Sample {
            key: moved(s.key),
            ..*s
        }));
        self.entries.extend(other.entries.iter().map(|f| Entry {
            name: moved(f.name),
            help: moved(f.help),
            kind: f.kind,
            first_sample: f.first_sample + samples,
            end_sample: f.end_sample + samples,
        }));
    }

    /// Appends all of `other`, each sample with further labels: how metrics of several objects of a kind are
    /// told apart by their owner.
    pub fn append_labelled(&mut self, other: &Self, labels: &[(&str, &str)]) {
        let first_sample = self.samples.len();
        self.append(other);
        for index in first_sample..self.samples.len() {
            let Span { start, end } = self.samples[index].key;
            let moved = offset(self.text.len());
            self.text.extend_from_within(start as usize..end as usize);
            self.put_labels(labels);
            self.samples[index].key = Span {
                start: moved,
                end: offset(self.text.len()),
            };
        }
    }

    fn put_labels(&mut self, labels: &[(&str, &str)]) {
        for (name, value) in labels {
            self.text.push(SEPARATOR);
            self.text.extend_from_slice(name.as_bytes());
            self.text.push(SEPARATOR);
            self.text.extend_from_slice(value.as_bytes());
        }
    }

    /// The families in the order in which they were written.
    pub fn iter(&self) -> impl Iterator<Item = FamilyRef<'_>> {
        self.entries.iter().map(|entry| FamilyRef {
            families: self,
            entry,
        })
    }

    /// The families by name. Parts of one family come one after another.
    pub fn sorted(&self) -> Vec<FamilyRef<'_>> {
        let mut families: Vec<_> = self.iter().collect();
        // Bytes of UTF-8 are in the order of their characters.
        families.sort_by(|a, b| self.slice(a.entry.name).cmp(self.slice(b.entry.name)));
        families
    }
}

/// Offsets are counted in 32 bits: an exposition of 4 GiB is not met.
fn offset(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// Adds samples to the family that was opened last.
#[derive(Debug)]
pub struct FamilyWriter<'a> {
    families: &'a mut Families,
}

impl FamilyWriter<'_> {
    /// Adds a sample under the family's name. Labels come in any order, each name once.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: f64) -> &mut Self {
        self.push("", labels, value, None)
    }

    /// Adds a sample under the family's name and a suffix such as `_bucket`, `_sum`, `_count`.
    pub fn sample_suffix(&mut self, suffix: &str, labels: &[(&str, &str)], value: f64) -> &mut Self {
        self.push(suffix, labels, value, None)
    }

    /// Adds a sample with a time of its own (milliseconds since 1970).
    pub fn sample_at(&mut self, labels: &[(&str, &str)], value: f64, timestamp: i64) -> &mut Self {
        self.push("", labels, value, Some(timestamp))
    }

    /// Adds the buckets, the sum and the count of a classic histogram. `buckets` are upper bounds with
    /// cumulative counts, ascending, without +Inf.
    pub fn histogram(
        &mut self,
        labels: &[(&str, &str)],
        buckets: impl IntoIterator<Item = (f64, u64)>,
        sum: f64,
        count: u64,
    ) -> &mut Self {
        let mut bound = Vec::new();
        for (upper, cumulative) in buckets.into_iter().chain([(f64::INFINITY, count)]) {
            bound.clear();
            crate::float::write_go(upper, &mut bound);
            let mut with_bound = labels.to_vec();
            with_bound.push(("le", std::str::from_utf8(&bound).unwrap_or_default()));
            self.push("_bucket", &with_bound, cumulative as f64, None);
        }
        self.push("_sum", labels, sum, None);
        self.push("_count", labels, count as f64, None)
    }

    fn push(
        &mut self,
        suffix: &str,
        labels: &[(&str, &str)],
        value: f64,
        timestamp: Option<i64>,
    ) -> &mut Self {
        let families = &mut *self.families;
        let Some(Entry { name, .. }) = families.entries.last().copied() else {
            return self;
        };
        let start = families.text.len();
        families
            .text
            .extend_from_within(name.start as usize..name.end as usize);
        families.text.extend_from_slice(suffix.as_bytes());
        families.put_labels(labels);
        let key = Span {
            start: offset(start),
            end: offset(families.text.len()),
        };
        families.samples.push(Sample {
            key,
            value,
            timestamp,
        });
        let end = offset(families.samples.len());
        if let Some(family) = families.entries.last_mut() {
            family.end_sample = end;
        }
        self
    }
}

/// A family, or a part of one.
#[derive(Debug, Clone, Copy)]
pub struct FamilyRef<'a> {
    families: &'a Families,
    entry: &'a Entry,
}

impl<'a> FamilyRef<'a> {
    /// The family's name.
    pub fn name(self) -> &'a str {
        self.families.str(self.entry.name)
    }

    /// The help text, unescaped.
    pub fn help(self) -> &'a str {
        self.families.str(self.entry.help)
    }

    /// What it measures.
    pub fn kind(self) -> MetricKind {
        self.entry.kind
    }

    /// Its samples in the order in which they were written.
    pub fn samples(self) -> impl ExactSizeIterator<Item = SampleRef<'a>> {
        let Entry {
            first_sample,
            end_sample,
            ..
        } = *self.entry;
        let samples = self
            .families
            .samples
            .get(first_sample as usize..end_sample as usize)
            .unwrap_or_default();
        samples.iter().map(move |sample| SampleRef {
            families: self.families,
            sample,
        })
    }
}

/// One sample of a family.
#[derive(Debug, Clone, Copy)]
pub struct SampleRef<'a> {
    families: &'a Families,
    sample: &'a Sample,
}

impl<'a> SampleRef<'a> {
    /// Name and labels as written: the name, then for each label 0xff, its name, 0xff, its value. Equal for
    /// equal series that are written alike, so its hash recognises a series from scrape to scrape.
    pub fn raw_key(self) -> &'a [u8] {
        self.families.slice(self.sample.key)
    }

    /// The metric name, suffix included.
    pub fn name(self) -> &'a str {
        let key = self.raw_key();
        let end = key.iter().position(|b| *b == SEPARATOR).unwrap_or(key.len());
        std::str::from_utf8(&key[..end]).unwrap_or_default()
    }

    /// The labels as written.
    pub fn labels(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let mut parts = self.raw_key().split(|b| *b == SEPARATOR).skip(1);
        std::iter::from_fn(move || {
            let name = std::str::from_utf8(parts.next()?).ok()?;
            let value = std::str::from_utf8(parts.next()?).ok()?;
            Some((name, value))
        })
    }

    /// The value.
    pub fn value(self) -> f64 {
        self.sample.value
    }

    /// The sample's own time, if it has one; milliseconds since 1970.
    pub fn timestamp(self) -> Option<i64> {
        self.sample.timestamp
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut families = Families::new();
        families.single("up", "is up", MetricKind::Gauge, 1.0);
        families
            .family("cpu", "time", MetricKind::Counter)
            .sample(&[("cpu", "0"), ("mode", "")], 2.5)
            .sample_at(&[], 3.0, 99);
        let names: Vec<_> = families.sorted().into_iter().map(FamilyRef::name).collect();
        assert_eq!(names, ["cpu", "up"]);
        let cpu: Vec<_> = families.sorted()[0].samples().collect();
        assert_eq!(cpu[0].labels().collect::<Vec<_>>(), [("cpu", "0"), ("mode", "")]);
        assert_eq!(
            (cpu[0].name(), cpu[0].value(), cpu[0].timestamp()),
            ("cpu", 2.5, None)
        );
        assert_eq!(cpu[1].timestamp(), Some(99));
        let mut twice = families.clone();
        twice.append(&families);
        assert_eq!(twice.sample_count(), 6);
        assert_eq!(twice.iter().last().map(|f| f.samples().count()), Some(2));
        let mut labelled = Families::new();
        labelled.append_labelled(&families, &[("component", "x")]);
        let samples: Vec<_> = labelled.iter().flat_map(FamilyRef::samples).collect();
        assert_eq!(samples[0].labels().collect::<Vec<_>>(), [("component", "x")]);
        assert_eq!(samples[1].labels().last(), Some(("component", "x")));
        assert_eq!((samples[1].name(), samples[2].timestamp()), ("cpu", Some(99)));
    }
}
