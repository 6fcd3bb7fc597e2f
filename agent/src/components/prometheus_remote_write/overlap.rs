//! Tells when two sources send the same series: receivers then see one series whose samples jump between two values, or
//! refuse every other request.
//!
//! Of each source the few series with the least hashes are known, so two that send the same set are found, and two that
//! share few series perhaps not. This costs time when a layout is new, by the series that are new in it, and some hundred
//! bytes a source. A source counts as sending when it does so after the other one was met, so one that another takes over
//! from is none.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use ferroalloy_model::layout::StageKey;
use ferroalloy_model::{Batch, Clock, Commit, Families, Layout, MetricKind, Receiver, SourceId, is_stale};

/// Series that are known of a source.
const KNOWN: usize = 8;

/// Pairs of sources that are remembered as told.
const TOLD: usize = 10_000;

/// The least time between two warnings. Pairs between are counted and not told.
const PAUSE: Duration = Duration::from_secs(10);

/// Looks at what goes to a receiver.
#[derive(Debug)]
pub(super) struct Overlap {
    next: Arc<dyn Receiver>,
    clock: Arc<dyn Clock>,
    key: StageKey,
    sources: Arc<Mutex<Sources>>,
    pairs: AtomicU64,
}

#[derive(Debug, Default)]
struct Sources {
    /// By the hash of a series.
    known: HashMap<u64, Vec<Weak<Known>>>,
    told: HashSet<(SourceId, SourceId)>,
    quiet_until: Duration,
}

/// What is known of a layout, and attached to it.
#[derive(Debug)]
struct Known {
    source: SourceId,
    origin: String,
    /// Hash and slot of series, ascending.
    series: Vec<(u64, u32)>,
    /// Whether there are others.
    met: AtomicBool,
    /// Sources that have come later with one of these series, by its slot here.
    others: Mutex<Vec<(u32, SourceId, String)>>,
    sources: Weak<Mutex<Sources>>,
}

impl Overlap {
    pub(super) fn new(next: Arc<dyn Receiver>, clock: Arc<dyn Clock>) -> Self {
        Self {
            next,
            clock,
            key: StageKey::new(),
            sources: Arc::default(),
            pairs: AtomicU64::new(0),
        }
    }

    /// Takes note of a layout that is new.
    fn meet(&self, layout: &Arc<Layout>) -> Arc<Known> {
        let parent = layout
            .parent_layout()
            .and_then(|parent| parent.attachment::<Known>(&self.key));
        let known = Arc::new(Known {
            source: layout.source(),
            origin: layout.origin().to_owned(),
            series: least(layout, parent.as_deref()),
            met: AtomicBool::new(false),
            others: Mutex::default(),
            sources: Arc::downgrade(&self.sources),
        });
        // What is dropped by the last who holds it takes the lock itself, so nothing is dropped under it.
        let mut held = Vec::new();
        let mut sources = lock(&self.sources);
        for (hash, _) in &known.series {
            let entries = sources.known.entry(*hash).or_default();
            for other in entries.iter().filter_map(Weak::upgrade) {
                if other.source != known.source
                    && let Some((_, slot)) = other.series.iter().find(|(known, _)| known == hash)
                {
                    lock(&other.others).push((*slot, known.source, known.origin.clone()));
                    other.met.store(true, Ordering::Relaxed);
                }
                held.push(other);
            }
            entries.push(Arc::downgrade(&known));
        }
        drop(sources);
        drop(held);
        layout.attach(&self.key, Arc::clone(&known));
        known
    }

    /// A source sends after another came with the same series.
    #[cold]
    fn tell(&self, known: &Known, batch: &Batch) {
        let others = std::mem::take(&mut *lock(&known.others));
        let mut sent = HashSet::new();
        batch.for_each_sample(|row| {
            if !is_stale(row.value) {
                sent.insert(row.slot);
            }
        });
        for (slot, other, origin) in others.into_iter().filter(|(slot, ..)| sent.contains(slot)) {
            let pair = (known.source.min(other), known.source.max(other));
            let mut sources = lock(&self.sources);
            if sources.told.len() >= TOLD || !sources.told.insert(pair) {
                continue;
            }
            self.pairs.fetch_add(1, Ordering::Relaxed);
            let now = self.clock.elapsed();
            if now < sources.quiet_until {
                continue;
            }
            sources.quiet_until = now + PAUSE;
            drop(sources);
            tracing::warn!(
                series = %batch.layout().series(slot as usize),
                one = known.origin,
                other = origin,
                "two sources send the same series"
            );
        }
    }

    pub(super) fn collect(&self, out: &mut Families) {
        out.single(
            "ferroalloy_remote_write_overlapping_sources_total",
            "Pairs of sources that were found to send the same series.",
            MetricKind::Counter,
            self.pairs.load(Ordering::Relaxed) as f64,
        );
    }
}

impl Receiver for Overlap {
    fn accept(&self, batch: &Batch) -> Commit {
        let layout = batch.layout();
        let known = layout
            .attachment::<Known>(&self.key)
            .unwrap_or_else(|| self.meet(layout));
        if known.met.load(Ordering::Relaxed) && known.met.swap(false, Ordering::Relaxed) {
            self.tell(&known, batch);
        }
        self.next.accept(batch)
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        let Some(sources) = self.sources.upgrade() else {
            return;
        };
        let mut sources = lock(&sources);
        for (hash, _) in &self.series {
            if let Some(entries) = sources.known.get_mut(hash) {
                entries.retain(|entry| entry.strong_count() > 0);
                if entries.is_empty() {
                    sources.known.remove(hash);
                }
            }
        }
    }
}

/// The series with the least hashes: those of the parent that are still there, and what is new.
fn least(layout: &Layout, parent: Option<&Known>) -> Vec<(u64, u32)> {
    let changed = layout.changed();
    let mut series = Vec::with_capacity(KNOWN + 1);
    let mut put = |candidate: (u64, u32)| {
        let at = series.partition_point(|known| *known < candidate);
        if at < KNOWN {
            series.insert(at, candidate);
            series.truncate(KNOWN);
        }
    };
    let stays = |(_, slot): &&(u64, u32)| !changed.contains(*slot);
    let mut kept = parent
        .iter()
        .flat_map(|parent| parent.series.iter().filter(stays))
        .peekable();
    if kept.peek().is_some() {
        kept.for_each(|known| put(*known));
        changed
            .iter()
            .filter_map(|slot| hashed(layout, slot))
            .for_each(put);
    } else {
        let all = 0..u32::try_from(layout.len()).unwrap_or(u32::MAX);
        all.filter_map(|slot| hashed(layout, slot)).for_each(put);
    }
    series
}

fn hashed(layout: &Layout, slot: u32) -> Option<(u64, u32)> {
    let series = layout.series(slot as usize);
    let mut hasher = DefaultHasher::new();
    for label in series.iter() {
        label.hash(&mut hasher);
    }
    (!series.is_vacant()).then(|| (hasher.finish(), slot))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use ferroalloy_model::{ColumnData, Columns, Committed, LayoutBuilder, ManualClock, stale_nan};

    use super::*;

    #[derive(Debug)]
    struct Nobody;

    impl Receiver for Nobody {
        fn accept(&self, _: &Batch) -> Commit {
            Commit::done(Committed::Memory)
        }
    }

    fn overlap() -> Overlap {
        Overlap::new(Arc::new(Nobody), Arc::new(ManualClock::new(0)))
    }

    fn layout(origin: &str, job: &str) -> Arc<Layout> {
        let mut builder = LayoutBuilder::new(SourceId::new(), origin);
        for n in 0..100 {
            builder.push([("__name__", "m"), ("job", job), ("n", &n.to_string())], None);
        }
        builder.build()
    }

    fn send(overlap: &Overlap, layout: &Arc<Layout>, value: f64) {
        let mut data = ColumnData::default();
        data.reset(1, layout.len());
        for slot in 0..u32::try_from(layout.len()).expect("few") {
            data.set(slot, value);
        }
        let batch = Batch::from(Columns {
            layout: Arc::clone(layout),
            data: Arc::new(data),
        });
        drop(overlap.accept(&batch));
    }

    fn pairs(overlap: &Overlap) -> u64 {
        overlap.pairs.load(Ordering::Relaxed)
    }

    #[test]
    fn two_sources_of_the_same_series_are_told_once() {
        let overlap = overlap();
        let (one, two, other) = (layout("one", "j"), layout("two", "j"), layout("other", "k"));
        for _ in 0..3 {
            for layout in [&one, &two, &other] {
                send(&overlap, layout, 1.0);
            }
        }
        assert_eq!(pairs(&overlap), 1);
        let third = layout("third", "j");
        send(&overlap, &third, 1.0);
        send(&overlap, &two, 1.0);
        send(&overlap, &one, 1.0);
        assert_eq!(pairs(&overlap), 3);
    }

    #[test]
    fn a_source_that_takes_over_is_no_second_one() {
        let overlap = overlap();
        let (old, new) = (layout("old", "j"), layout("new", "j"));
        send(&overlap, &old, 1.0);
        send(&overlap, &new, 1.0);
        // The old one ends.
        send(&overlap, &old, stale_nan());
        drop(old);
        send(&overlap, &new, 1.0);
        assert_eq!(pairs(&overlap), 0);
    }

    #[test]
    fn what_is_gone_is_forgotten_and_children_are_known_by_what_changed() {
        let overlap = overlap();
        let one = layout("one", "j");
        send(&overlap, &one, 1.0);
        let mut builder = LayoutBuilder::from_parent(&one);
        let known = one.attachment::<Known>(&overlap.key).expect("attached");
        for (_, slot) in &known.series[..4] {
            builder.vacate(*slot);
        }
        builder.push([("__name__", "new")], None);
        let child = builder.build();
        send(&overlap, &child, 1.0);
        let after = child.attachment::<Known>(&overlap.key).expect("attached");
        assert!(
            known.series[4..]
                .iter()
                .all(|series| after.series.contains(series))
        );
        drop((known, after, one, child));
        assert!(lock(&overlap.sources).known.is_empty());
    }
}
