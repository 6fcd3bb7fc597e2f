//! What a pool counts of itself, under Prometheus' names where Prometheus counts the same.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use ferroalloy_model::{Families, MetricKind};

use crate::error::{Error, ErrorKind};
use crate::report::Counts;

/// Counters and gauges of one pool.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) syncs: AtomicU64,
    pub(crate) syncs_failed: AtomicU64,
    pub(crate) reloads: AtomicU64,
    pub(crate) reloads_failed: AtomicU64,
    pub(crate) target_limit_exceeded: AtomicU64,
    pub(crate) targets: AtomicU64,
    pub(crate) target_limit: AtomicU64,
    pub(crate) scrapes: AtomicU64,
    pub(crate) scrapes_failed: AtomicU64,
    pub(crate) samples: AtomicU64,
    pub(crate) body_size_exceeded: AtomicU64,
    pub(crate) sample_limit_exceeded: AtomicU64,
    pub(crate) label_limit_exceeded: AtomicU64,
    pub(crate) bucket_limit_exceeded: AtomicU64,
    pub(crate) memory_refused: AtomicU64,
    pub(crate) duplicates: AtomicU64,
    pub(crate) out_of_order: AtomicU64,
    pub(crate) out_of_bounds: AtomicU64,
    pub(crate) exemplars_dropped: AtomicU64,
    pub(crate) overrun_ticks: AtomicU64,
    pub(crate) asleep_ticks: AtomicU64,
    pub(crate) commits_late: AtomicU64,
    pub(crate) commits_refused: AtomicU64,
    pub(crate) failure_log_dropped: AtomicU64,
    pub(crate) state_bytes: AtomicI64,
}

pub(crate) fn add(counter: &AtomicU64, count: u64) {
    if count > 0 {
        counter.fetch_add(count, Ordering::Relaxed);
    }
}

impl Metrics {
    /// Counts a scrape.
    pub(crate) fn scraped(&self, counts: &Counts, error: Option<&Error>, sample_limit: usize) {
        add(&self.scrapes, 1);
        add(&self.samples, counts.scraped);
        add(&self.duplicates, counts.duplicates);
        add(&self.out_of_order, counts.out_of_order);
        add(&self.out_of_bounds, counts.out_of_bounds);
        add(&self.exemplars_dropped, counts.exemplars_dropped);
        let Some(error) = error else { return };
        add(&self.scrapes_failed, 1);
        match error.kind() {
            ErrorKind::Memory => add(&self.memory_refused, 1),
            ErrorKind::BucketLimit => add(&self.bucket_limit_exceeded, 1),
            ErrorKind::BodySize => add(&self.body_size_exceeded, 1),
            ErrorKind::Limit if sample_limit > 0 && counts.kept > sample_limit as u64 => {
                add(&self.sample_limit_exceeded, 1);
            }
            ErrorKind::Limit => add(&self.label_limit_exceeded, 1),
            _ => {}
        }
    }

    /// Writes all of them, each with the labels `labels`.
    pub(crate) fn collect(&self, labels: &[(&str, &str)], out: &mut Families) {
        self.collect_pool(labels, out);
        self.collect_limits(labels, out);
        self.collect_scrapes(labels, out);
    }

    fn collect_pool(&self, labels: &[(&str, &str)], out: &mut Families) {
        let mut counter = |name, help, value: &AtomicU64| counter(out, name, help, labels, value);
        counter(
            "prometheus_target_scrape_pool_sync_total",
            "Target lists taken over.",
            &self.syncs,
        );
        counter(
            "prometheus_target_sync_failed_total",
            "Targets refused for their labels.",
            &self.syncs_failed,
        );
        counter(
            "prometheus_target_scrape_pool_reloads_total",
            "Configurations taken over.",
            &self.reloads,
        );
        counter(
            "prometheus_target_scrape_pool_reloads_failed_total",
            "Configurations refused.",
            &self.reloads_failed,
        );
        counter(
            "prometheus_target_scrape_pool_exceeded_target_limit_total",
            "Target lists longer than the target limit.",
            &self.target_limit_exceeded,
        );
        let mut gauge = |name, help, value| {
            out.family(name, help, MetricKind::Gauge).sample(labels, value);
        };
        gauge(
            "prometheus_target_scrape_pool_targets",
            "Targets scraped.",
            self.targets.load(Ordering::Relaxed) as f64,
        );
        gauge(
            "prometheus_target_scrape_pool_target_limit",
            "The target limit; 0 for none.",
            self.target_limit.load(Ordering::Relaxed) as f64,
        );
        gauge(
            "ferroalloy_scrape_state_bytes",
            "Memory held for the series of targets, without label pairs.",
            self.state_bytes.load(Ordering::Relaxed) as f64,
        );
    }

    fn collect_limits(&self, labels: &[(&str, &str)], out: &mut Families) {
        let mut counter = |name, help, value: &AtomicU64| counter(out, name, help, labels, value);
        counter(
            "prometheus_target_scrapes_exceeded_body_size_limit_total",
            "Scrapes that failed because the body was too large.",
            &self.body_size_exceeded,
        );
        counter(
            "prometheus_target_scrapes_exceeded_sample_limit_total",
            "Scrapes that failed because of the sample limit.",
            &self.sample_limit_exceeded,
        );
        counter(
            "prometheus_target_scrape_pool_exceeded_label_limits_total",
            "Scrapes that failed because of a label limit.",
            &self.label_limit_exceeded,
        );
        counter(
            "prometheus_target_scrapes_exceeded_native_histogram_bucket_limit_total",
            "Scrapes that failed because a native histogram had too many buckets.",
            &self.bucket_limit_exceeded,
        );
        counter(
            "ferroalloy_scrapes_refused_memory_total",
            "Scrapes that failed because the process had no memory for their new series.",
            &self.memory_refused,
        );
        counter(
            "ferroalloy_scrape_exemplars_dropped_total",
            "Exemplars dropped because receivers refuse such long ones.",
            &self.exemplars_dropped,
        );
        counter(
            "prometheus_target_scrapes_sample_duplicate_timestamp_total",
            "Samples dropped because their series had one of the same time.",
            &self.duplicates,
        );
        counter(
            "prometheus_target_scrapes_sample_out_of_order_total",
            "Samples dropped because their series had a newer one.",
            &self.out_of_order,
        );
        counter(
            "prometheus_target_scrapes_sample_out_of_bounds_total",
            "Samples dropped because their time is too far in the future.",
            &self.out_of_bounds,
        );
    }

    fn collect_scrapes(&self, labels: &[(&str, &str)], out: &mut Families) {
        let mut total = |name, help, value: &AtomicU64| counter(out, name, help, labels, value);
        total("ferroalloy_scrapes_total", "Scrapes made.", &self.scrapes);
        total(
            "ferroalloy_scrapes_failed_total",
            "Scrapes that failed.",
            &self.scrapes_failed,
        );
        total(
            "ferroalloy_scrape_samples_total",
            "Samples read from targets.",
            &self.samples,
        );
        total(
            "ferroalloy_scrape_commits_late_total",
            "Batches that receivers had not made durable after a second.",
            &self.commits_late,
        );
        total(
            "ferroalloy_scrape_commits_refused_total",
            "Batches that a receiver refused.",
            &self.commits_refused,
        );
        total(
            "ferroalloy_scrape_failure_log_dropped_total",
            "Lines that the failure log left out because the disk did not keep up.",
            &self.failure_log_dropped,
        );
        for (reason, value) in [("overrun", &self.overrun_ticks), ("suspend", &self.asleep_ticks)] {
            let labels: Vec<_> = labels.iter().copied().chain([("reason", reason)]).collect();
            counter(
                out,
                "ferroalloy_scrape_ticks_skipped_total",
                "Scrapes left out: the one before took too long, or the machine slept.",
                &labels,
                value,
            );
        }
    }
}

fn counter(out: &mut Families, name: &str, help: &str, labels: &[(&str, &str)], value: &AtomicU64) {
    out.family(name, help, MetricKind::Counter)
        .sample(labels, value.load(Ordering::Relaxed) as f64);
}
