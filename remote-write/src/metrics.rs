//! An endpoint's own metrics: atomics, under the names that Prometheus gives the same things.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ferroalloy_model::{Families, MetricKind};

use crate::client::Written;
use crate::encode::Body;
use crate::endpoint::SAMPLES_AHEAD;
use crate::queue::DropReason;

/// Upper bounds of the histogram of request times, in seconds.
const BUCKETS: [f64; 15] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 60.0, 120.0, 300.0,
];

#[derive(Debug, Default)]
pub(crate) struct EndpointMetrics {
    /// What was in tries, repeated ones included.
    pub(crate) tried: Kinds,
    /// What was in tries that failed and were repeated.
    pub(crate) retried: Kinds,
    /// What a receiver has refused for good.
    failed: Kinds,
    /// Samples that a receiver has taken.
    pub(crate) delivered: AtomicU64,
    /// Samples that a receiver has refused when they were sent again after an answer was lost.
    pub(crate) perhaps_delivered: AtomicU64,
    /// Exemplars of series that the rules kept out.
    pub(crate) exemplars_dropped: AtomicU64,
    pub(crate) bytes: AtomicU64,
    /// Metric families in tries, and bytes of those.
    pub(crate) metadata: AtomicU64,
    pub(crate) metadata_bytes: AtomicU64,
    pub(crate) metadata_retried: AtomicU64,
    pub(crate) metadata_failed: AtomicU64,
    /// Samples that wait or are in a request.
    pub(crate) pending: AtomicU64,
    pub(crate) in_flight: AtomicU64,
    /// The time of the newest sample that a receiver has taken, in milliseconds since 1970.
    pub(crate) newest_sent: AtomicI64,
    /// Milliseconds and one; zero for none.
    oldest_queued: AtomicU64,
    dropped: [AtomicU64; DropReason::ALL.len()],
    refused: Mutex<BTreeMap<u16, u64>>,
    durations: Histogram,
}

/// Counters by kind.
#[derive(Debug, Default)]
pub(crate) struct Kinds {
    samples: AtomicU64,
    exemplars: AtomicU64,
    histograms: AtomicU64,
}

#[derive(Debug, Default)]
struct Histogram {
    buckets: [AtomicU64; BUCKETS.len()],
    count: AtomicU64,
    micros: AtomicU64,
}

/// What is measured by looking at the queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gauges {
    pub(crate) oldest_unsent: Duration,
    pub(crate) lag: Duration,
    pub(crate) healthy: bool,
    pub(crate) max_shards: usize,
    pub(crate) max_samples_per_send: usize,
    pub(crate) newest_accepted: Option<i64>,
}

impl Kinds {
    pub(crate) fn add(&self, body: &Body) {
        self.add_written(Written::all_of(body));
    }

    fn add_written(&self, counts: Written) {
        for (counter, count) in [
            (&self.samples, counts.samples),
            (&self.exemplars, counts.exemplars),
            (&self.histograms, counts.histograms),
        ] {
            counter.fetch_add(count, Ordering::Relaxed);
        }
    }
}

impl EndpointMetrics {
    pub(crate) fn dropped(&self, reason: DropReason, samples: u64) {
        self.dropped[reason as usize].fetch_add(samples, Ordering::Relaxed);
    }

    pub(crate) fn dropped_for(&self, reason: DropReason) -> u64 {
        self.dropped[reason as usize].load(Ordering::Relaxed)
    }

    /// Counts what a receiver has refused for good.
    pub(crate) fn refused(&self, status: u16, refused: Written) {
        self.failed.add_written(refused);
        let points = refused.points();
        if points > 0 {
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            *refused.entry(status).or_default() += points;
        }
    }

    pub(crate) fn observe(&self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        // Each bucket counts its own; they are added up when they are read.
        if let Some(bucket) = BUCKETS.iter().position(|upper| seconds <= *upper) {
            self.durations.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        }
        self.durations.count.fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.durations.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Notes when the oldest batch was accepted that is not dealt with.
    pub(crate) fn set_oldest_queued(&self, queued: Option<Duration>) {
        let millis = queued.and_then(|queued| u64::try_from(queued.as_millis()).ok());
        self.oldest_queued
            .store(millis.map_or(0, |millis| millis + 1), Ordering::Relaxed);
    }

    pub(crate) fn oldest_queued(&self) -> Option<Duration> {
        self.oldest_queued
            .load(Ordering::Relaxed)
            .checked_sub(1)
            .map(Duration::from_millis)
    }

    /// Appends all of them with the endpoint's labels.
    pub(crate) fn collect(&self, labels: &[(&str, &str)], gauges: &Gauges, out: &mut Families) {
        self.collect_counters(labels, out);
        self.collect_durations(labels, out);
        self.collect_gauges(labels, gauges, out);
    }

    fn counters(&self) -> [(&'static str, &'static str, &AtomicU64); 16] {
        [
            (
                "prometheus_remote_storage_samples_total",
                "Samples in requests to the receiver, each try counted.",
                &self.tried.samples,
            ),
            (
                "prometheus_remote_storage_exemplars_total",
                "Exemplars in requests to the receiver, each try counted.",
                &self.tried.exemplars,
            ),
            (
                "prometheus_remote_storage_histograms_total",
                "Native histograms in requests to the receiver, each try counted.",
                &self.tried.histograms,
            ),
            (
                "prometheus_remote_storage_samples_retried_total",
                "Samples in requests that failed and are to be repeated.",
                &self.retried.samples,
            ),
            (
                "prometheus_remote_storage_exemplars_retried_total",
                "Exemplars in requests that failed and are to be repeated.",
                &self.retried.exemplars,
            ),
            (
                "prometheus_remote_storage_histograms_retried_total",
                "Native histograms in requests that failed and are to be repeated.",
                &self.retried.histograms,
            ),
            (
                "prometheus_remote_storage_metadata_total",
                "Metric families in requests of remote write 1.0, each try counted.",
                &self.metadata,
            ),
            (
                "prometheus_remote_storage_metadata_bytes_total",
                "Bytes of request bodies with metric families, compressed, each try counted.",
                &self.metadata_bytes,
            ),
            (
                "prometheus_remote_storage_metadata_retried_total",
                "Metric families in requests that failed and were repeated.",
                &self.metadata_retried,
            ),
            (
                "prometheus_remote_storage_metadata_failed_total",
                "Metric families that the receiver did not take; they are sent again after the interval.",
                &self.metadata_failed,
            ),
            (
                "prometheus_remote_storage_samples_failed_total",
                "Samples that the receiver refused for good.",
                &self.failed.samples,
            ),
            (
                "prometheus_remote_storage_exemplars_failed_total",
                "Exemplars that the receiver refused for good, with their samples or without.",
                &self.failed.exemplars,
            ),
            (
                "prometheus_remote_storage_histograms_failed_total",
                "Native histograms that the receiver refused for good.",
                &self.failed.histograms,
            ),
            (
                "prometheus_remote_storage_bytes_total",
                "Bytes of request bodies, compressed, each try counted.",
                &self.bytes,
            ),
            (
                "remote_write_samples_delivered_total",
                "Samples that the receiver took.",
                &self.delivered,
            ),
            (
                "remote_write_samples_possibly_delivered_total",
                "Samples that were refused when they were sent again after an answer was lost: the receiver has most likely taken them the first time.",
                &self.perhaps_delivered,
            ),
        ]
    }

    fn collect_counters(&self, labels: &[(&str, &str)], out: &mut Families) {
        for (family, help, value) in self.counters() {
            out.family(family, help, MetricKind::Counter)
                .sample(labels, load(value));
        }
        for (name, help, of_histograms) in [
            (
                "prometheus_remote_storage_samples_dropped_total",
                "Samples that were not sent, by reason.",
                false,
            ),
            (
                "prometheus_remote_storage_histograms_dropped_total",
                "Native histograms that were not sent, by reason; those dropped for reasons that samples share are counted with them.",
                true,
            ),
        ] {
            let mut family = out.family(name, help, MetricKind::Counter);
            for reason in DropReason::ALL {
                if reason.of_histograms() == of_histograms {
                    let value = self.dropped_for(reason) as f64;
                    family.sample(&[labels, &[("reason", reason.label())]].concat(), value);
                }
            }
        }
        out.family(
            "prometheus_remote_storage_exemplars_dropped_total",
            "Exemplars that were not sent, by reason.",
            MetricKind::Counter,
        )
        .sample(
            &[labels, &[("reason", DropReason::DroppedSeries.label())]].concat(),
            load(&self.exemplars_dropped),
        );
        let refused = self
            .refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut family = out.family(
            "remote_write_samples_refused_total",
            "Samples that the receiver refused for good, by the status of its answer.",
            MetricKind::Counter,
        );
        for (status, samples) in refused {
            family.sample(
                &[labels, &[("status", status.to_string().as_str())]].concat(),
                samples as f64,
            );
        }
    }

    fn collect_gauges(&self, labels: &[(&str, &str)], gauges: &Gauges, out: &mut Families) {
        let seconds = |millis: i64| millis as f64 / 1000.0;
        let pending = self.pending.load(Ordering::Relaxed);
        let desired = pending.div_ceil(gauges.max_samples_per_send.max(1) as u64);
        let ahead = SAMPLES_AHEAD / gauges.max_shards.max(1);
        let gauges: [(&str, &str, f64); 12] = [
            (
                "prometheus_remote_storage_samples_pending",
                "Samples and native histograms that wait or are in a request.",
                pending as f64,
            ),
            (
                "prometheus_remote_storage_shards",
                "Requests under way, those that wait to be repeated included.",
                load(&self.in_flight),
            ),
            (
                "prometheus_remote_storage_shards_max",
                "Requests that may be under way at the same time.",
                gauges.max_shards as f64,
            ),
            (
                "prometheus_remote_storage_shards_min",
                "Requests that are under way in any case: none.",
                0.0,
            ),
            (
                "prometheus_remote_storage_shards_desired",
                "Requests that would take all that waits, at once.",
                desired as f64,
            ),
            (
                "prometheus_remote_storage_shard_capacity",
                "Samples that are read from the queue ahead for each request that may be under way.",
                ahead as f64,
            ),
            (
                "prometheus_remote_storage_max_samples_per_send",
                "Samples in one request, at most.",
                gauges.max_samples_per_send as f64,
            ),
            (
                "prometheus_remote_storage_queue_highest_sent_timestamp_seconds",
                "Time of the newest sample that the receiver took.",
                seconds(self.newest_sent.load(Ordering::Relaxed)),
            ),
            (
                "prometheus_remote_storage_queue_highest_timestamp_seconds",
                "Time of the newest sample accepted for the receiver.",
                seconds(gauges.newest_accepted.unwrap_or_default()),
            ),
            (
                "remote_write_oldest_unsent_seconds",
                "How long the oldest samples wait that are not dealt with.",
                gauges.oldest_unsent.as_secs_f64(),
            ),
            (
                "remote_write_lag_seconds",
                "By how much the newest sample that the receiver took is older than the newest one accepted.",
                gauges.lag.as_secs_f64(),
            ),
            (
                "remote_write_healthy",
                "Whether the receiver took or answered the last request.",
                f64::from(u8::from(gauges.healthy)),
            ),
        ];
        for (family, help, value) in gauges {
            out.family(family, help, MetricKind::Gauge).sample(labels, value);
        }
    }

    fn collect_durations(&self, labels: &[(&str, &str)], out: &mut Families) {
        let mut cumulative = 0;
        let buckets: Vec<(f64, u64)> = BUCKETS
            .iter()
            .zip(&self.durations.buckets)
            .map(|(upper, count)| {
                cumulative += count.load(Ordering::Relaxed);
                (*upper, cumulative)
            })
            .collect();
        let count = self.durations.count.load(Ordering::Relaxed).max(cumulative);
        let sum = Duration::from_micros(self.durations.micros.load(Ordering::Relaxed)).as_secs_f64();
        out.family(
            "prometheus_remote_storage_sent_batch_duration_seconds",
            "How long each try of a request took.",
            MetricKind::Histogram,
        )
        .histogram(labels, buckets, sum, count);
    }
}

fn load(value: &AtomicU64) -> f64 {
    value.load(Ordering::Relaxed) as f64
}
