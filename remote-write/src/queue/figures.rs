//! What a log holds, where, and how safe it is.

use std::time::Duration;

use ferroalloy_model::{Families, MetricKind};

/// Why a log is not as safe as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// Since when, on the elapsed clock.
    pub(crate) since: Duration,
    pub(crate) reason: String,
}

/// What a log holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogFigures {
    pub(crate) memory_bytes: usize,
    /// Of a log on disk.
    pub(crate) disk: Option<DiskFigures>,
    pub(crate) trouble: Option<Trouble>,
}

/// What a log has on disk.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DiskFigures {
    pub(crate) bytes: u64,
    pub(crate) max_bytes: u64,
    pub(crate) segments: usize,
    /// Bytes written since the start.
    pub(crate) written_bytes: u64,
    /// Samples that are in memory alone.
    pub(crate) not_written: u64,
    /// Samples that a power cut would lose.
    pub(crate) not_synced: u64,
    pub(crate) syncs: u64,
    pub(crate) sync_time: Duration,
    pub(crate) last_sync: Duration,
    /// Times that the disk refused something.
    pub(crate) failures: u64,
    /// Records that could not be read.
    pub(crate) damaged: u64,
}

impl DiskFigures {
    /// Appends them as metrics.
    pub(crate) fn collect(&self, labels: &[(&str, &str)], out: &mut Families) {
        let (gauge, counter) = (MetricKind::Gauge, MetricKind::Counter);
        for (name, help, kind, value) in [
            (
                "remote_write_queue_disk_bytes",
                "Bytes that the queue has on disk.",
                gauge,
                self.bytes as f64,
            ),
            (
                "remote_write_queue_disk_limit_bytes",
                "Bytes that the queue may have on disk; beyond, the oldest samples are dropped.",
                gauge,
                self.max_bytes as f64,
            ),
            (
                "remote_write_queue_segments",
                "Files that the queue has on disk.",
                gauge,
                self.segments as f64,
            ),
            (
                "remote_write_queue_written_bytes_total",
                "Bytes of samples and series that the queue has written to disk.",
                counter,
                self.written_bytes as f64,
            ),
            (
                "remote_write_queue_samples_not_written",
                "Samples that are in memory alone: the end of the process loses them unless they are sent before.",
                gauge,
                self.not_written as f64,
            ),
            (
                "remote_write_queue_samples_not_synced",
                "Samples that a power cut loses unless they are sent before.",
                gauge,
                self.not_synced as f64,
            ),
            (
                "remote_write_queue_syncs_total",
                "Times that the queue was made durable.",
                counter,
                self.syncs as f64,
            ),
            (
                "remote_write_queue_sync_seconds_total",
                "Time that was spent on making the queue durable.",
                counter,
                self.sync_time.as_secs_f64(),
            ),
            (
                "remote_write_queue_last_sync_seconds",
                "How long it took to make the queue durable the last time.",
                gauge,
                self.last_sync.as_secs_f64(),
            ),
            (
                "remote_write_queue_write_failures_total",
                "Times that the disk refused something.",
                counter,
                self.failures as f64,
            ),
            (
                "remote_write_queue_damaged_records_total",
                "Records of the queue that could not be read.",
                counter,
                self.damaged as f64,
            ),
        ] {
            out.family(name, help, kind).sample(labels, value);
        }
    }
}
