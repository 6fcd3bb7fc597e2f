//! Prometheus' text format 0.0.4 as client_golang's `expfmt` reads it, into whole families.
//!
//! Strict on purpose: a file that is being written is better left out than half read, so the last line has to end.

use std::collections::{BTreeMap, BTreeSet};

use ferroalloy_model::MetricKind;

/// A family of one file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Family {
    pub(super) name: String,
    pub(super) help: Option<String>,
    pub(super) kind: MetricKind,
    pub(super) series: Vec<Series>,
}

/// What has one set of labels; of a histogram or summary, all its parts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Series {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) group: Group,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Group {
    Value(f64),
    Histogram {
        buckets: BTreeMap<Bound, u64>,
        sum: f64,
        count: u64,
    },
    Summary {
        quantiles: BTreeMap<Bound, f64>,
        sum: f64,
        count: u64,
    },
}

/// A bucket's upper bound or a quantile, ordered as a number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound(pub(super) f64);

impl Ord for Bound {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Bound {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Bound {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Bound {}

/// The families in order of first mention; the error names the line.
pub(super) fn parse(text: &str) -> Result<Vec<Family>, String> {
    let mut parser = Parser::default();
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let at = |fault: &str| format!("line {}: {fault}", number + 1);
        let line = line
            .strip_suffix('\n')
            .ok_or_else(|| at("no line feed at the end"))?;
        let line = line.trim_start_matches(BLANK);
        let parsed = match line.strip_prefix('#') {
            Some(comment) => parser.comment(comment),
            None if line.is_empty() => Ok(()),
            None => parser.sample(line),
        };
        parsed.map_err(at)?;
    }
    parser.families.retain(|family| !family.series.is_empty());
    Ok(parser.families)
}

const BLANK: [char; 2] = [' ', '\t'];

#[derive(Default)]
struct Parser {
    families: Vec<Family>,
    /// Place of a family by its name.
    places: BTreeMap<String, usize>,
    /// Families whose type was declared.
    typed: BTreeSet<String>,
    /// Place of a series by family and labels.
    series: BTreeMap<(usize, BTreeMap<String, String>), usize>,
}

impl Parser {
    fn comment(&mut self, comment: &str) -> Result<(), &'static str> {
        let mut words = comment.trim_start_matches(BLANK).splitn(2, BLANK);
        let (keyword, rest) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if !matches!(keyword, "HELP" | "TYPE") {
            return Ok(());
        }
        let rest = rest.trim_start_matches(BLANK);
        let end = name_end(rest).ok_or("invalid metric name in a comment")?;
        let (name, text) = rest.split_at(end);
        if !text.is_empty() && !text.starts_with(BLANK) {
            return Err("invalid metric name in a comment");
        }
        let text = text.trim_start_matches(BLANK);
        let place = self.place(name);
        let family = &mut self.families[place];
        if keyword == "HELP" {
            if family.help.is_some() {
                return Err("second HELP line of a metric");
            }
            family.help = Some(unescape(text, false).ok_or("invalid escape in HELP")?);
            return Ok(());
        }
        if self.typed.contains(name) {
            return Err("second TYPE line of a metric");
        }
        if !family.series.is_empty() {
            return Err("TYPE after samples of the metric");
        }
        family.kind = match text.trim_end_matches(BLANK).to_ascii_lowercase().as_str() {
            "counter" => MetricKind::Counter,
            "gauge" => MetricKind::Gauge,
            "histogram" => MetricKind::Histogram,
            "summary" => MetricKind::Summary,
            "untyped" => MetricKind::Unknown,
            _ => return Err("unknown metric type"),
        };
        self.typed.insert(name.to_owned());
        Ok(())
    }

    fn sample(&mut self, line: &str) -> Result<(), &'static str> {
        let end = name_end(line).ok_or("invalid metric name")?;
        let (name, rest) = line.split_at(end);
        let rest = rest.trim_start_matches(BLANK);
        let (mut labels, rest) = match rest.strip_prefix('{') {
            Some(rest) => labels(rest)?,
            None if rest.len() == line.len() - end => return Err("a blank expected after the metric name"),
            None => (BTreeMap::new(), rest),
        };
        let mut words = rest.split(BLANK).filter(|word| !word.is_empty());
        let value = words
            .next()
            .and_then(number)
            .ok_or("expected a number as value")?;
        if let Some(timestamp) = words.next() {
            return Err(match timestamp.parse::<i64>() {
                Ok(_) => "a timestamp is not supported",
                Err(_) => "unexpected text after the value",
            });
        }
        let (place, part) = self.owner(name);
        let kind = self.families[place].kind;
        let bound = match (kind, part) {
            (MetricKind::Histogram, Part::Bucket) => labels.remove("le"),
            (MetricKind::Summary, Part::Whole) => labels.remove("quantile"),
            _ => None,
        };
        let bound = match bound {
            Some(bound) => Some(Bound(
                number(&bound).ok_or("expected a number as bucket or quantile")?,
            )),
            None => None,
        };
        let new = match kind {
            MetricKind::Histogram => Group::Histogram {
                buckets: BTreeMap::new(),
                sum: 0.0,
                count: 0,
            },
            MetricKind::Summary => Group::Summary {
                quantiles: BTreeMap::new(),
                sum: 0.0,
                count: 0,
            },
            _ => Group::Value(value),
        };
        let series = &mut self.families[place].series;
        let at = match (&new, self.series.get(&(place, labels.clone()))) {
            // Equal series of plain families stay apart: the writer keeps the first.
            (Group::Histogram { .. } | Group::Summary { .. }, Some(at)) => *at,
            _ => {
                self.series.insert((place, labels.clone()), series.len());
                series.push(Series { labels, group: new });
                series.len() - 1
            }
        };
        match (&mut series[at].group, part) {
            (Group::Histogram { sum, .. } | Group::Summary { sum, .. }, Part::Sum) => *sum = value,
            (Group::Histogram { count, .. } | Group::Summary { count, .. }, Part::Count) => {
                *count = whole(value);
            }
            (Group::Histogram { buckets, .. }, Part::Bucket) => {
                buckets.insert(bound.ok_or("a bucket without the label le")?, whole(value));
            }
            (Group::Summary { quantiles, .. }, Part::Whole) => {
                quantiles.insert(bound.ok_or("a quantile without its label")?, value);
            }
            (Group::Histogram { .. } | Group::Summary { .. }, _) => {
                return Err("unexpected name in a histogram or summary");
            }
            (Group::Value(_), _) => {}
        }
        Ok(())
    }

    /// The family that a sample's name belongs to, and which part of it.
    fn owner(&mut self, name: &str) -> (usize, Part) {
        for (suffix, part) in [
            ("_sum", Part::Sum),
            ("_count", Part::Count),
            ("_bucket", Part::Bucket),
        ] {
            if let Some(base) = name.strip_suffix(suffix)
                && let Some(&place) = self.places.get(base)
            {
                match self.families[place].kind {
                    MetricKind::Histogram => return (place, part),
                    MetricKind::Summary if !matches!(part, Part::Bucket) => return (place, part),
                    _ => {}
                }
            }
        }
        (self.place(name), Part::Whole)
    }

    fn place(&mut self, name: &str) -> usize {
        if let Some(&place) = self.places.get(name) {
            return place;
        }
        let place = self.families.len();
        self.places.insert(name.to_owned(), place);
        self.families.push(Family {
            name: name.to_owned(),
            help: None,
            kind: MetricKind::Unknown,
            series: Vec::new(),
        });
        place
    }
}

#[derive(Debug, Clone, Copy)]
enum Part {
    Whole,
    Sum,
    Count,
    Bucket,
}

/// Counts are whole numbers; a fraction is cut off, as in the reference.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates, which is what is wanted"
)]
fn whole(value: f64) -> u64 {
    value as u64
}

/// Length of the metric name at the start of `text`.
fn name_end(text: &str) -> Option<usize> {
    let valid = |(at, byte): (usize, u8)| {
        byte.is_ascii_alphabetic() || byte == b'_' || byte == b':' || (at > 0 && byte.is_ascii_digit())
    };
    let end = text
        .bytes()
        .enumerate()
        .take_while(|&(at, byte)| valid((at, byte)))
        .count();
    (end > 0).then_some(end)
}

/// A number as Go reads it, without hexadecimal floats and digit separators.
fn number(text: &str) -> Option<f64> {
    if text.contains(['p', 'P', '_', 'x', 'X']) {
        return None;
    }
    text.parse().ok()
}

/// Labels after `{`, and the text after `}`.
fn labels(mut rest: &str) -> Result<(BTreeMap<String, String>, &str), &'static str> {
    let mut labels = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches(BLANK);
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((labels, after));
        }
        let end = rest
            .bytes()
            .position(|byte| byte != b'_' && !byte.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) || name == "__name__" {
            return Err("invalid label name");
        }
        let after = after
            .trim_start_matches(BLANK)
            .strip_prefix('=')
            .ok_or("expected = after a label name")?;
        let after = after
            .trim_start_matches(BLANK)
            .strip_prefix('"')
            .ok_or("expected a quoted label value")?;
        let mut escaped = false;
        let end = after.find(|character| {
            let closes = character == '"' && !escaped;
            escaped = character == '\\' && !escaped;
            closes
        });
        let end = end.ok_or("a label value without an end")?;
        let value = unescape(&after[..end], true).ok_or("invalid escape in a label value")?;
        if labels.insert(name.to_owned(), value).is_some() {
            return Err("a label twice");
        }
        rest = after[end + 1..].trim_start_matches(BLANK);
        if let Some(after) = rest.strip_prefix(',') {
            rest = after;
        } else if !rest.starts_with('}') {
            return Err("expected , or } after a label value");
        }
    }
}

fn unescape(text: &str, quotes: bool) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        plain.push(match characters.next()? {
            '\\' => '\\',
            'n' => '\n',
            '"' if quotes => '"',
            _ => return None,
        });
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::never_panics;

    const TEXT: &str = "# a comment\n# HELP m Some \\\\ help.\n# TYPE m counter\nm{a=\"x\\\"y\\n\", b=\"}\",} 1e3\n\n  m 5\n\
        # TYPE h histogram\nh_bucket{le=\"0.5\",a=\"b\"} 1\nh_sum{a=\"b\"} 2\nh_count{a=\"b\"} 3\nplain_sum NaN\n";

    #[test]
    fn families() {
        let families = parse(TEXT).unwrap();
        let names: Vec<_> = families
            .iter()
            .map(|family| (&*family.name, family.series.len()))
            .collect();
        assert_eq!(names, [("m", 2), ("h", 1), ("plain_sum", 1)]);
        assert_eq!(families[0].help.as_deref(), Some("Some \\ help."));
        assert_eq!(families[0].series[0].labels["a"], "x\"y\n");
        assert_eq!(families[0].series[0].group, Group::Value(1000.0));
        let buckets = BTreeMap::from([(Bound(0.5), 1)]);
        assert_eq!(
            families[1].series[0].group,
            Group::Histogram {
                buckets,
                sum: 2.0,
                count: 3
            }
        );
    }

    #[test]
    fn mistakes() {
        for (text, fault) in [
            ("m 1", "line 1: no line feed at the end"),
            ("m 1\nm 1 5\n", "line 2: a timestamp is not supported"),
            ("m x\n", "line 1: expected a number as value"),
            ("m\n", "line 1: a blank expected after the metric name"),
            ("1m 1\n", "line 1: invalid metric name"),
            ("m{a=\"1\",a=\"2\"} 1\n", "line 1: a label twice"),
            ("m{a=\"1} 1\n", "line 1: a label value without an end"),
            ("m{a=\"\\q\"} 1\n", "line 1: invalid escape in a label value"),
            (
                "m 1\n# TYPE m gauge\n",
                "line 2: TYPE after samples of the metric",
            ),
            (
                "# TYPE m gauge\n# TYPE m gauge\n",
                "line 2: second TYPE line of a metric",
            ),
            ("# HELP m a\n# HELP m a\n", "line 2: second HELP line of a metric"),
            ("# TYPE m thing\n", "line 1: unknown metric type"),
            ("m 0x1p3\n", "line 1: expected a number as value"),
        ] {
            assert_eq!(parse(text), Err(fault.to_owned()), "{text:?}");
        }
        never_panics(TEXT, |bytes| parse(&String::from_utf8_lossy(bytes)).is_ok());
    }
}
