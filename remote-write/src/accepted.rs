//! What a writer has been given: its own metrics beside those of its endpoints.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use ferroalloy_model::{Batch, Families, Layout, MetricKind, SourceId};
use foldhash::fast::RandomState;

/// Counters of what was accepted, and which sources are there.
#[derive(Debug, Default)]
pub(crate) struct Accepted {
    samples: AtomicU64,
    histograms: AtomicU64,
    exemplars: AtomicU64,
    /// The layout of each source that was seen last. It lives as long as its source, or a batch of it.
    sources: Mutex<HashMap<SourceId, Weak<Layout>, RandomState>>,
}

impl Accepted {
    pub(crate) fn note(&self, batch: &Batch) {
        let (histograms, exemplars, of_rows) = match batch {
            Batch::Columns(columns) => columns.data.sides.as_ref().map_or((0, 0, 0), |sides| {
                (sides.histograms.len(), sides.exemplars.len(), 0)
            }),
            Batch::Rows(rows) => rows.sides.as_ref().map_or((0, 0, 0), |sides| {
                let exemplars = sides.exemplars.len();
                (sides.histograms.len(), exemplars, exemplars)
            }),
        };
        let samples = batch.upper_bound().saturating_sub(histograms + of_rows);
        for (counter, count) in [
            (&self.samples, samples),
            (&self.histograms, histograms),
            (&self.exemplars, exemplars),
        ] {
            counter.fetch_add(count as u64, Ordering::Relaxed);
        }
        let layout = batch.layout();
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let known = sources.entry(layout.source()).or_default();
        if !std::ptr::eq(known.as_ptr(), Arc::as_ptr(layout)) {
            *known = Arc::downgrade(layout);
        }
    }

    /// Series of the sources that are there.
    fn series(&self) -> usize {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let mut series = 0;
        sources.retain(|_, layout| {
            let layout = layout.upgrade();
            series += layout.as_ref().map_or(0, |layout| layout.series_count());
            layout.is_some()
        });
        series
    }

    /// Appends all of them; `newest` is the time of the newest sample, in milliseconds since 1970, and `bytes` what the queue holds.
    pub(crate) fn collect(
        &self,
        labels: &[(&str, &str)],
        newest: Option<i64>,
        bytes: usize,
        out: &mut Families,
    ) {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64;
        let (samples, histograms, exemplars) =
            (load(&self.samples), load(&self.histograms), load(&self.exemplars));
        let counters = [
            (
                "prometheus_remote_storage_samples_in_total",
                "Samples accepted for remote write.",
                samples,
            ),
            (
                "prometheus_remote_storage_histograms_in_total",
                "Native histograms accepted for remote write.",
                histograms,
            ),
            (
                "prometheus_remote_storage_exemplars_in_total",
                "Exemplars accepted for remote write.",
                exemplars,
            ),
            (
                "prometheus_remote_write_wal_samples_appended_total",
                "Samples and native histograms put into the queue.",
                samples + histograms,
            ),
            (
                "prometheus_remote_write_wal_exemplars_appended_total",
                "Exemplars put into the queue.",
                exemplars,
            ),
        ];
        for (name, help, value) in counters {
            out.family(name, help, MetricKind::Counter).sample(labels, value);
        }
        let gauges = [
            (
                "prometheus_remote_storage_highest_timestamp_in_seconds",
                "Time of the newest sample accepted for remote write.",
                newest.unwrap_or_default() as f64 / 1000.0,
            ),
            (
                "prometheus_remote_write_wal_storage_active_series",
                "Series of the sources that write.",
                self.series() as f64,
            ),
            (
                "remote_write_queue_bytes",
                "Bytes that the queue holds in memory.",
                bytes as f64,
            ),
        ];
        for (name, help, value) in gauges {
            out.family(name, help, MetricKind::Gauge).sample(labels, value);
        }
    }
}
