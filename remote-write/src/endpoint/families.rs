//! Kinds, help texts and units for receivers of 1.0: requests of their own, now and then, since 1.0 has no place for them beside samples.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use ferroalloy_model::{Layout, LayoutId, Metadata, MetricKind, SourceId};
use foldhash::fast::RandomState;

use super::delivery::{Settings, Shared};
use crate::encode::{Body, Encoder};

/// A request that fails is tried this often in all; what it says is said again after the interval.
const TRIES: u32 = 3;

/// The layouts whose families are to be sent.
#[derive(Debug, Default)]
pub(super) struct Families {
    sources: HashMap<SourceId, Weak<Layout>, RandomState>,
    /// The layout of each source that was seen last, whether or not it has any family.
    seen: HashMap<SourceId, LayoutId, RandomState>,
    /// When they were sent last, or would have been.
    last: Option<Duration>,
}

impl Families {
    /// Notes that `layout` is the newest of its source.
    pub(super) fn see(&mut self, layout: &Arc<Layout>) {
        let source = layout.source();
        if self.seen.insert(source, layout.id()) == Some(layout.id()) {
            return;
        }
        if (0..layout.len()).any(|slot| layout.metadata(slot).is_some()) {
            self.sources.insert(source, Arc::downgrade(layout));
        } else {
            self.sources.remove(&source);
        }
    }

    /// In how long they are to be sent. `None` when there is nothing to be sent.
    pub(super) fn due(&mut self, now: Duration, settings: &Settings) -> Option<Duration> {
        let metadata = &settings.endpoint.metadata;
        if !metadata.send || self.sources.is_empty() {
            return None;
        }
        let last = *self.last.get_or_insert(now);
        Some(metadata.send_interval.saturating_sub(now.saturating_sub(last)))
    }

    /// The requests' bodies, each with the number of families in it.
    pub(super) fn bodies(&mut self, now: Duration, settings: &Settings) -> Vec<(Body, u64)> {
        self.last = Some(now);
        let mut families: BTreeMap<String, Arc<Metadata>> = BTreeMap::new();
        self.sources.retain(|_, layout| {
            let Some(layout) = layout.upgrade() else {
                return false;
            };
            collect(&layout, settings, &mut families);
            true
        });
        let sources = &self.sources;
        self.seen.retain(|source, _| sources.contains_key(source));
        let families: Vec<_> = families.into_iter().collect();
        let mut encoder = Encoder::new();
        families
            .chunks(settings.endpoint.metadata.max_samples_per_send)
            .map(|families| {
                for (family, metadata) in families {
                    encoder.metadata(family, metadata);
                }
                (encoder.finish(), families.len() as u64)
            })
            .collect()
    }
}

fn collect(layout: &Arc<Layout>, settings: &Settings, families: &mut BTreeMap<String, Arc<Metadata>>) {
    let view = settings.stage.view(layout);
    let mut last: Option<&Arc<Metadata>> = None;
    for slot in 0..layout.len() {
        let Some(metadata) = layout.metadata(slot) else {
            continue;
        };
        // The series of a family follow one another.
        if layout.is_vacant(slot) || last.is_some_and(|last| Arc::ptr_eq(last, metadata)) {
            continue;
        }
        let mut name = None;
        let mut label = |pair: &ferroalloy_model::Pair| {
            if pair.name() == "__name__" {
                name = Some(family_of(pair.value(), metadata.kind).to_owned());
            }
        };
        let sent = settings.stage.labels(view.as_deref(), layout, slot, &mut label);
        if let Some(name) = name.filter(|_| sent) {
            last = Some(metadata);
            families.insert(name, metadata.clone());
        }
    }
}

/// The family that a series of this name belongs to.
fn family_of(name: &str, kind: MetricKind) -> &str {
    let suffixes: &[&str] = match kind {
        MetricKind::Histogram => &["_bucket", "_sum", "_count"],
        MetricKind::GaugeHistogram => &["_bucket", "_gsum", "_gcount"],
        MetricKind::Summary => &["_sum", "_count"],
        _ => &[],
    };
    suffixes
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix))
        .unwrap_or(name)
}

/// Sends the bodies one after the other. Nobody waits for them and they are not kept: the next ones say the same.
pub(super) async fn send(bodies: Vec<(Body, u64)>, shared: Arc<Shared>, settings: Arc<Settings>) {
    let metrics = &shared.metrics;
    'bodies: for (body, families) in bodies {
        for attempt in 0..TRIES {
            metrics.metadata.fetch_add(families, Ordering::Relaxed);
            let bytes = body.bytes().len() as u64;
            metrics.metadata_bytes.fetch_add(bytes, Ordering::Relaxed);
            match settings.client.attempt(&body, attempt).await {
                Ok(_) => continue 'bodies,
                Err(failure) if failure.error.is_retryable() && attempt + 1 < TRIES => {
                    metrics.metadata_retried.fetch_add(families, Ordering::Relaxed);
                    let wait = settings.endpoint.queue.max_backoff;
                    shared
                        .clock
                        .sleep(failure.retry_after.unwrap_or_default().max(wait))
                        .await;
                }
                Err(failure) => {
                    metrics.metadata_failed.fetch_add(families, Ordering::Relaxed);
                    tracing::debug!(
                        endpoint = settings.endpoint.display_name(),
                        err = failure.error.to_string(),
                        "metadata is not sent until the next interval"
                    );
                    break;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_have_no_suffixes() {
        for (name, kind, family) in [
            ("a_bucket", MetricKind::Histogram, "a"),
            ("a_count", MetricKind::Summary, "a"),
            ("a_count", MetricKind::Gauge, "a_count"),
            ("a_total", MetricKind::Counter, "a_total"),
        ] {
            assert_eq!(family_of(name, kind), family);
        }
    }
}
