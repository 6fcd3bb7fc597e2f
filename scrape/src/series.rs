//! The series of one target from scrape to scrape: which there are, which were there last time, and the batch
//! that a scrape becomes.
//!
//! Invariants:
//! - A series keeps its slot as long as it is seen, whatever bytes name it: labels decide, not spelling.
//! - A series that is missing gets one staleness marker. Its slot stays its own until another layout is needed
//!   anyway, so a series that comes and goes costs no new layout.
//! - A scrape that fails leaves layout and recognition as they were; only the markers go out.

mod exemplars;
mod learn;
mod placement;

use std::collections::HashMap;
use std::sync::Arc;

use ferroalloy_model::{
    Batch, ColumnData, Columns, Histogram, Labels, LabelsBuilder, Layout, LayoutBuilder, Metadata, Pair,
    Presence, Row, SourceId, stale_nan,
};

use self::learn::Staged;
use crate::config::{Config, Naming};
use crate::error::{Error, ErrorKind};
use crate::histogram;
use crate::key::{Class, Key, Keys};
use crate::parse::Options;
use crate::recognize::{Known, Meaning, Recognizer, What};
use crate::report::{self, Counts, Report};

/// Explicit timestamps further ahead than this are dropped.
const FUTURE: i64 = 10 * 60 * 1000;

/// What is kept of a target between scrapes.
#[derive(Debug)]
pub(crate) struct SeriesState {
    /// The labels that every series gets.
    target: Labels,
    layout: Arc<Layout>,
    recognizer: Recognizer,
    /// Slots of the report series.
    report: [Option<u32>; report::COUNT],
    /// Series that get a marker when they are missing.
    live: Presence,
    /// Series of the last good scrape.
    last_seen: Presence,
    /// The newest explicit timestamp by slot.
    times: HashMap<u32, i64>,
    /// The last exemplar by slot, as a hash: one that a target goes on showing is taken once.
    exemplars: HashMap<u32, u64>,
    /// Scrapes for which many slots had no use.
    idle_for: u32,
    /// Whether anything was sent that needs a marker in the end.
    reported: bool,
    /// The options under which bytes were given their series.
    naming: Option<Naming>,
}

/// A scrape being taken in.
#[derive(Debug)]
pub(crate) struct Scrape<'s> {
    state: &'s mut SeriesState,
    config: &'s Config,
    pub(crate) keys: Keys,
    data: ColumnData,
    pub(crate) counts: Counts,
    /// New series. Until the end they have the slots behind those of the layout.
    staged: Vec<Staged>,
    /// The labels of new series, one after another.
    staged_pairs: Vec<Pair>,
    /// Series whose metadata has changed.
    described: Vec<(u32, Arc<Metadata>)>,
    /// Slots by labels: made when the first new series comes.
    identities: Option<HashMap<(u64, u64), u32, foldhash::fast::RandomState>>,
    /// Explicit timestamps of this scrape, the newest by slot.
    explicit: HashMap<u32, i64>,
    /// The last exemplar of this scrape by slot.
    exemplars: HashMap<u32, u64>,
    /// Slots with a native histogram, before new series have their slots.
    native: Presence,
    /// Series that are there although their sample was dropped.
    seen_only: Vec<u32>,
    over_limit: bool,
    /// There is no memory for series that are new.
    full: bool,
    scratch: Vec<u8>,
    builder: LabelsBuilder,
    retired: Option<Arc<Layout>>,
}

/// What a scrape became.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) batch: Batch,
    pub(crate) counts: Counts,
    /// The layout before, to be held until the batch was delivered.
    pub(crate) retired: Option<Arc<Layout>>,
}

// === impl SeriesState ===

impl SeriesState {
    /// A target without series. `origin` names it in messages.
    pub(crate) fn new(origin: &str, target: Labels) -> Self {
        Self {
            target,
            layout: LayoutBuilder::new(SourceId::new(), origin).build(),
            recognizer: Recognizer::default(),
            report: [None; report::COUNT],
            live: Presence::default(),
            last_seen: Presence::default(),
            times: HashMap::new(),
            exemplars: HashMap::new(),
            idle_for: 0,
            reported: false,
            naming: None,
        }
    }

    /// Starts a scrape of that time (milliseconds since 1970).
    ///
    /// Where the options that name series have changed since the last one, all are read anew: those whose labels
    /// are the same keep their slots, the others get their markers. With `full`, one that is new fails the scrape.
    /// `data` is a buffer for the samples.
    pub(crate) fn begin<'s>(
        &'s mut self,
        config: &'s Config,
        time: i64,
        full: bool,
        mut data: ColumnData,
    ) -> Scrape<'s> {
        let naming = config.naming();
        if self.naming.as_ref() != Some(&naming) {
            self.recognizer.clear();
            self.naming = Some(naming);
        }
        let retired = self.prepare_report(config.extra_metrics);
        let slots = self.layout.len();
        data.reset(time, slots);
        if data.values.capacity() > 2 * slots + 1024 {
            data.values.shrink_to(slots);
        }
        Scrape {
            state: self,
            config,
            keys: Keys::new(),
            data,
            counts: Counts::default(),
            staged: Vec::new(),
            staged_pairs: Vec::new(),
            described: Vec::new(),
            identities: None,
            explicit: HashMap::new(),
            exemplars: HashMap::new(),
            native: Presence::default(),
            seen_only: Vec::new(),
            over_limit: false,
            full,
            scratch: Vec::new(),
            builder: LabelsBuilder::new(),
            retired,
        }
    }

    /// Adds the report series that are missing, and gives up those no longer wanted.
    fn prepare_report(&mut self, extra: bool) -> Option<Arc<Layout>> {
        let wanted = if extra { report::COUNT } else { report::ALWAYS };
        for slot in self.report[wanted..].iter_mut().filter_map(Option::take) {
            self.live.set(slot);
        }
        if self.report[..wanted].iter().all(Option::is_some) {
            return None;
        }
        let mut builder = LayoutBuilder::from_parent(&self.layout);
        let mut labels = LabelsBuilder::new();
        for which in 0..wanted {
            if self.report[which].is_none() {
                report::labels(which, &self.target, &mut labels);
                let (_, metadata) = report::describe(which);
                // The series may still have the slot that it had before it was given up.
                let held =
                    (0..self.layout.len()).find(|slot| self.layout.series(*slot).iter().eq(labels.iter()));
                let slot = match held.and_then(|slot| u32::try_from(slot).ok()) {
                    Some(slot) => {
                        self.live.unset(slot);
                        slot
                    }
                    None => builder.push(labels.iter(), Some(&metadata)),
                };
                self.report[which] = Some(slot);
            }
        }
        Some(std::mem::replace(&mut self.layout, builder.build()))
    }

    /// The markers of a target that is gone; `None` where nothing of it was ever sent.
    pub(crate) fn retire(&mut self, time: i64) -> Option<Batch> {
        if !std::mem::take(&mut self.reported) {
            return None;
        }
        let mut data = ColumnData::default();
        data.reset(time, self.layout.len());
        self.live.for_each(|slot| data.set(slot, stale_nan()));
        for slot in self.report.into_iter().flatten() {
            data.set(slot, stale_nan());
        }
        self.live = Presence::default();
        Some(
            Columns {
                layout: Arc::clone(&self.layout),
                data: Arc::new(data),
            }
            .into(),
        )
    }

    /// The target this is the series of.
    pub(crate) fn target(&self) -> &Labels {
        &self.target
    }

    /// Bytes on the heap, the layout included.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.layout.heap_bytes()
            + self.recognizer.heap_bytes()
            + self.live.heap_bytes()
            + self.last_seen.heap_bytes()
    }
}

// === impl Scrape ===

impl Scrape<'_> {
    /// How bodies are read.
    pub(crate) fn parse_options(&self) -> Options {
        self.config.parse
    }

    /// What is likely to come next.
    #[inline]
    pub(crate) fn expected(&self) -> Option<Known> {
        self.state.recognizer.expected()
    }

    /// The expected came.
    #[inline]
    pub(crate) fn confirm(&mut self) {
        self.state.recognizer.confirm();
    }

    /// Looks for bytes that were not expected.
    pub(crate) fn find(&mut self, key: Key, length: u32) -> Option<What> {
        self.state.recognizer.find(key, length)
    }

    /// Takes note of a block of metadata. True: the last scrape did not have it, or elsewhere.
    pub(crate) fn metadata(&mut self, key: Key, length: u32, class: Class) -> bool {
        if self.state.recognizer.find_near(key, length).is_some() {
            return false;
        }
        self.state.recognizer.learn(Known {
            key,
            length,
            what: What::metadata(class),
        });
        true
    }

    /// Takes the sample of a known series. What goes with the sample goes to the slot that is returned.
    #[inline]
    pub(crate) fn record(&mut self, what: What, value: f64, timestamp: Option<i64>) -> Option<u32> {
        let slot = self.count(what)?;
        match timestamp {
            Some(timestamp) if self.config.honor_timestamps => {
                return self.record_explicit(slot, value, timestamp);
            }
            _ if self.is_taken(slot) => {
                self.counts.duplicates += 1;
                return None;
            }
            _ => self.data.set(slot, value),
        }
        Some(slot)
    }

    /// Takes the native histogram of a known series, as [`record`](Self::record) does a sample. An error
    /// fails the scrape.
    pub(crate) fn record_histogram(
        &mut self,
        what: What,
        mut histogram: Histogram,
        timestamp: Option<i64>,
    ) -> Result<Option<u32>, Error> {
        let Some(slot) = self.count(what) else {
            return Ok(None);
        };
        histogram::admit(&mut histogram, self.config)?;
        let timestamp = timestamp.filter(|_| self.config.honor_timestamps);
        // Only the first of several is kept, whatever their times are.
        if self.is_taken(slot) {
            self.counts.duplicates += 1;
            return Ok(None);
        }
        if let Some(timestamp) = timestamp {
            if !self.admit(slot, timestamp) {
                self.seen_only.push(slot);
                return Ok(None);
            }
            self.data.sides_mut().timestamps.push((slot, timestamp));
        }
        self.native.set(slot);
        self.data.sides_mut().histograms.push((slot, histogram));
        Ok(Some(slot))
    }

    /// When a counter began, in milliseconds since 1970.
    pub(crate) fn record_start(&mut self, slot: u32, start: i64) {
        let starts = &mut self.data.sides_mut().start_times;
        if starts.last().is_none_or(|(last, _)| *last != slot) {
            starts.push((slot, start));
        }
    }

    fn is_taken(&self, slot: u32) -> bool {
        self.data.presence.contains(slot) || self.native.contains(slot)
    }

    /// Counts a sample. `None`: it is not kept.
    #[inline]
    fn count(&mut self, what: What) -> Option<u32> {
        self.counts.scraped += 1;
        let slot = match what.meaning() {
            Meaning::Slot(slot) => slot,
            Meaning::Shadowed => {
                self.counts.kept += 1;
                self.counts.duplicates += 1;
                return None;
            }
            Meaning::Dropped | Meaning::Metadata(_) => return None,
        };
        self.counts.kept += 1;
        if self.config.sample_limit > 0 && self.counts.kept > self.config.sample_limit as u64 {
            self.over_limit = true;
            return None;
        }
        Some(slot)
    }

    /// Whether a sample with that explicit time is newer than those before it. One that is not is counted.
    fn admit(&mut self, slot: u32, timestamp: i64) -> bool {
        let newest = self
            .explicit
            .get(&slot)
            .copied()
            .or(self.is_taken(slot).then_some(self.data.timestamp));
        let before = newest.max(self.state.times.get(&slot).copied());
        if timestamp > self.data.timestamp.saturating_add(FUTURE) {
            self.counts.out_of_bounds += 1;
        } else if before.is_some_and(|before| timestamp == before) {
            self.counts.duplicates += 1;
        } else if before.is_some_and(|before| timestamp < before) {
            self.counts.out_of_order += 1;
        } else {
            self.explicit.insert(slot, timestamp);
            return true;
        }
        false
    }

    #[cold]
    fn record_explicit(&mut self, slot: u32, value: f64, timestamp: i64) -> Option<u32> {
        let present = self.is_taken(slot);
        if !self.admit(slot, timestamp) {
            if !present {
                self.seen_only.push(slot);
            }
            return None;
        }
        if present {
            self.data.sides_mut().extra.push(Row {
                slot,
                timestamp,
                value,
            });
        } else {
            self.data.set(slot, value);
            self.data.sides_mut().timestamps.push((slot, timestamp));
        }
        Some(slot)
    }

    /// Whether the samples so far are more than `sample_limit` allows.
    pub(crate) fn check_limit(&self) -> Result<(), Error> {
        if !self.over_limit {
            return Ok(());
        }
        let (kept, limit) = (self.counts.kept, self.config.sample_limit);
        Err(Error::new(
            ErrorKind::Limit,
            format!("{kept} samples, sample_limit is {limit}"),
        ))
    }

    /// Ends a good scrape.
    pub(crate) fn finish(mut self, report: &Report) -> Delivery {
        let mut seen = self.seen();
        let mut missing = Vec::new();
        self.state.live.for_each_missing(&seen, |slot| missing.push(slot));
        seen.for_each_missing(&self.state.last_seen, |_| self.counts.added += 1);
        self.place(&mut seen);
        let mut live = seen.clone();
        if !self.config.track_timestamps_staleness {
            self.explicit
                .keys()
                .chain(&self.seen_only)
                .for_each(|slot| live.unset(*slot));
        }
        for slot in missing {
            self.data.set(slot, stale_nan());
        }
        self.state.live = live;
        self.state.last_seen = seen;
        self.state.times.extend(&self.explicit);
        self.state.exemplars.extend(&self.exemplars);
        if let Some(sides) = &mut self.data.sides {
            sides.timestamps.sort_unstable();
            sides.start_times.sort_unstable();
            sides.histograms.sort_by_key(|(slot, _)| *slot);
            sides
                .exemplars
                .sort_by_key(|(slot, exemplar)| (*slot, exemplar.timestamp));
        }
        self.deliver(true, report)
    }

    /// Ends a scrape that failed: nothing of it is kept, and every series gets a marker, once.
    pub(crate) fn fail(mut self, report: &Report) -> Delivery {
        self.counts.added = self.staged.len() as u64;
        self.state.recognizer.abort();
        self.data.reset(self.data.timestamp, self.state.layout.len());
        let Self { data, state, .. } = &mut self;
        state.live.for_each(|slot| data.set(slot, stale_nan()));
        state.live = Presence::default();
        self.deliver(false, report)
    }

    fn deliver(mut self, good: bool, report: &Report) -> Delivery {
        let values = report.values(good, &self.counts);
        for (slot, value) in self.state.report.into_iter().zip(values) {
            if let Some(slot) = slot {
                self.data.set(slot, value);
            }
        }
        self.state.reported = true;
        Delivery {
            batch: Columns {
                layout: Arc::clone(&self.state.layout),
                data: Arc::new(self.data),
            }
            .into(),
            counts: self.counts,
            retired: self.retired,
        }
    }

    fn seen(&self) -> Presence {
        let mut seen = self.data.presence.clone();
        for (slot, _) in self.data.sides.iter().flat_map(|sides| &sides.histograms) {
            seen.set(*slot);
        }
        self.seen_only.iter().for_each(|slot| seen.set(*slot));
        seen
    }
}
