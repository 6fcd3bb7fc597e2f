//! When a counter began, which OpenMetrics says in a line of its own: `NAME_created`, somewhere in the family.
//!
//! As in Prometheus, the first such line behind a sample decides: it is the sample's own, or the sample has none.
//! A sample behind its own line keeps what the line said. Lines are found by looking ahead; what was looked at is
//! remembered, so a family is looked at twice, however many samples it has.

use std::hash::Hasher;

use ferroalloy_model::MetricKind;
use foldhash::SharedSeed;
use foldhash::fast::FoldHasher;

use super::{OpenMetricsParser, lex};
use crate::parse::lex::Visitor;
use crate::parse::number::to_millis;
use crate::parse::{Entry, Options};

const CREATED: &str = "_created";

/// What is known of `_created` lines.
#[derive(Debug, Clone, Default)]
pub(super) struct Created {
    /// How far was looked ahead: up to and with the line, or to the end of the family.
    until: usize,
    /// The line found there.
    ahead: Option<(u64, i64)>,
    /// The last line that belonged to a sample.
    last: Option<(u64, i64)>,
}

/// Whether series of such families have `_created` lines.
pub(super) const fn applies(kind: MetricKind) -> bool {
    matches!(
        kind,
        MetricKind::Counter | MetricKind::Histogram | MetricKind::Summary
    )
}

/// Whether a raw series is a `_created` line's.
pub(super) fn is_created(raw: &[u8]) -> bool {
    // Every name ends somewhere: most series are told apart without reading their labels.
    if memchr::memmem::find(raw, CREATED.as_bytes()).is_none() {
        return false;
    }
    identity(raw, MetricKind::Unknown).is_some_and(|(_, created)| created)
}

impl Created {
    /// When the series `raw` began; its line in `parser` ends at `at`.
    pub(super) fn start(
        &mut self,
        parser: &OpenMetricsParser<'_>,
        raw: &[u8],
        kind: MetricKind,
        at: usize,
    ) -> Option<i64> {
        let (hash, _) = identity(raw, kind)?;
        if let Some((last, start)) = self.last
            && last == hash
        {
            return Some(start);
        }
        if self.until <= at {
            self.look_ahead(parser, kind, at);
        }
        self.last = self.ahead.filter(|(ahead, _)| *ahead == hash);
        self.last.map(|(_, start)| start)
    }

    fn look_ahead(&mut self, parser: &OpenMetricsParser<'_>, kind: MetricKind, at: usize) {
        let mut ahead = OpenMetricsParser::with_options(parser.body, Options::default());
        ahead.at = at;
        self.ahead = None;
        while let Ok(Some(Entry::Sample(sample))) = ahead.next_entry() {
            if let Some((hash, true)) = identity(sample.raw, kind) {
                self.ahead = Some((hash, to_millis(sample.value)));
                break;
            }
        }
        self.until = ahead.at.max(at + 1);
    }
}

/// The family's name and the labels that all series of one metric share as a number, and whether it is a
/// `_created` line.
fn identity(raw: &[u8], kind: MetricKind) -> Option<(u64, bool)> {
    let mut visitor = Identity {
        labels: FoldHasher::with_seed(1, SharedSeed::global_random()),
        name: 0,
        created: false,
        kind,
    };
    lex::series(raw, 0, &mut visitor).ok()?;
    Some((visitor.labels.finish() ^ visitor.name, visitor.created))
}

struct Identity {
    labels: FoldHasher<'static>,
    name: u64,
    created: bool,
    kind: MetricKind,
}

impl Visitor for Identity {
    fn name(&mut self, name: &str) {
        let suffixes: &[&str] = match self.kind {
            MetricKind::Counter => &["_total"],
            MetricKind::Histogram => &["_bucket", "_count", "_sum"],
            MetricKind::Summary => &["_count", "_sum"],
            _ => &[],
        };
        let created = name.strip_suffix(CREATED);
        self.created = created.is_some();
        let base = created
            .or_else(|| suffixes.iter().find_map(|suffix| name.strip_suffix(suffix)))
            .unwrap_or(name);
        let mut hasher = FoldHasher::with_seed(2, SharedSeed::global_random());
        hasher.write(base.as_bytes());
        self.name = hasher.finish();
    }

    fn label(&mut self, name: &str, value: &str) {
        let own = match self.kind {
            MetricKind::Histogram => "le",
            MetricKind::Summary => "quantile",
            _ => "",
        };
        if name != own {
            for part in [name, value] {
                self.labels.write(part.as_bytes());
                self.labels.write_u8(0xff);
            }
        }
    }
}
