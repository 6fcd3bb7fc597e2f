//! The series that a scrape reports of itself: `up` and its companions.
//!
//! They have the target's labels, are never relabelled, count towards no limit, and have the first slots of a
//! target's layout. Where a target exposes a series of the same labels, its own is the duplicate.

use std::sync::{Arc, LazyLock};

use ferroalloy_model::{Labels, LabelsBuilder, Metadata, MetricKind};

/// How many series are always reported; the others are reported with `extra_metrics`.
pub(crate) const ALWAYS: usize = 5;

/// How many there are.
pub(crate) const COUNT: usize = 8;

const SERIES: [(&str, &str); COUNT] = [
    ("up", "1 if the scrape was good, 0 if it failed."),
    ("scrape_duration_seconds", "How long the scrape took, in seconds."),
    ("scrape_samples_scraped", "Samples that the target exposed."),
    (
        "scrape_samples_post_metric_relabeling",
        "Samples left after metric relabelling.",
    ),
    (
        "scrape_series_added",
        "Series that the scrape before did not have.",
    ),
    ("scrape_timeout_seconds", "The scrape timeout, in seconds."),
    ("scrape_sample_limit", "The sample limit; 0 for none."),
    (
        "scrape_body_size_bytes",
        "Bytes of the decompressed body; 0 if the scrape failed, -1 if it was too large.",
    ),
];

/// What a scrape has to say of itself, besides the counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Report {
    pub(crate) duration_seconds: f64,
    pub(crate) timeout_seconds: f64,
    pub(crate) sample_limit: f64,
    pub(crate) body_size_bytes: f64,
}

/// What was counted while samples were taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    /// Samples read.
    pub(crate) scraped: u64,
    /// Of these, samples that the rules keep; rejected ones and duplicates are among them.
    pub(crate) kept: u64,
    /// Series that the last good scrape did not have.
    pub(crate) added: u64,
    /// Second samples of a series without a time of their own, or with the same.
    pub(crate) duplicates: u64,
    /// Explicit timestamps older than one before of the series.
    pub(crate) out_of_order: u64,
    /// Explicit timestamps too far in the future.
    pub(crate) out_of_bounds: u64,
    /// Exemplars too long for receivers.
    pub(crate) exemplars_dropped: u64,
}

/// Name and metadata of the report series `which`.
pub(crate) fn describe(which: usize) -> (&'static str, Arc<Metadata>) {
    static METADATA: LazyLock<[Arc<Metadata>; COUNT]> = LazyLock::new(|| {
        SERIES.map(|(_, help)| {
            Arc::new(Metadata {
                kind: MetricKind::Gauge,
                help: help.to_owned(),
                unit: String::new(),
            })
        })
    });
    (SERIES[which].0, Arc::clone(&METADATA[which]))
}

/// The labels of the report series `which` of a target.
pub(crate) fn labels(which: usize, target: &Labels, out: &mut LabelsBuilder) {
    out.reset(target);
    out.set("__name__", SERIES[which].0);
}

impl Report {
    /// The values of all report series, in their order.
    pub(crate) fn values(&self, good: bool, counts: &Counts) -> [f64; COUNT] {
        [
            f64::from(u8::from(good)),
            self.duration_seconds,
            counts.scraped as f64,
            counts.kept as f64,
            counts.added as f64,
            self.timeout_seconds,
            self.sample_limit,
            self.body_size_bytes,
        ]
    }
}
