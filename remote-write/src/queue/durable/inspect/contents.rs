//! All batches of a queue, one after the other.

use std::collections::VecDeque;
use std::io;

use ferroalloy_model::Batch;

use super::{Damage, Flaw, QueueFolder};
use crate::Error;
use crate::queue::durable::segment_reader::{Item, SegmentReader, Sources, Stored};
use crate::queue::durable::segments::Segment;

/// What is found in a queue's folder.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "nearly all of them are batches")]
pub enum Found {
    /// A batch.
    Batch(QueuedBatch),
    /// Something that is wrong.
    Damage(Damage),
}

/// A batch as it is stored.
#[derive(Clone, Debug)]
pub struct QueuedBatch {
    /// The segment that it is in: the file's name within the folder.
    pub file: String,
    /// Where in the file, in bytes from its beginning.
    pub offset: u64,
    /// Bytes in the file.
    pub bytes: u64,
    /// Its number in the queue. Numbers rise, by one within a run of the process.
    pub position: u64,
    /// When it was accepted, in milliseconds since 1970.
    pub accepted: i64,
    /// How many samples it counts for.
    pub samples: u64,
    /// The samples as they were accepted, before external labels and rules.
    pub batch: Batch,
}

/// Goes through a queue's folder.
#[derive(Debug)]
pub struct Contents<'a> {
    folder: &'a QueueFolder,
    damage: VecDeque<Damage>,
    next: usize,
    reader: Option<SegmentReader>,
    sources: Sources,
    /// Samples in all batches so far; `None` before the first.
    samples: Option<u64>,
    /// What waits for the damage before it to be told.
    held: Option<QueuedBatch>,
}

impl<'a> Contents<'a> {
    pub(super) fn new(folder: &'a QueueFolder) -> Self {
        Self {
            folder,
            damage: folder.damage.iter().cloned().collect(),
            next: 0,
            reader: None,
            sources: Sources::default(),
            samples: None,
            held: None,
        }
    }

    /// Opens the next segment; false when there is none.
    fn open(&mut self) -> Result<bool, Error> {
        while let Some(segment) = self.folder.segments.get(self.next) {
            self.next += 1;
            let name = Segment::name(segment.number);
            match self.folder.fs.open_to_read(&name) {
                Ok(file) => {
                    self.expect(&name, 0, segment.first_samples);
                    self.reader = Some(SegmentReader::new(segment.number, segment.run, file));
                    return Ok(true);
                }
                // The process that uses the queue is done with it, and so with all before.
                Err(error) if error.kind() == io::ErrorKind::NotFound => self.samples = None,
                Err(error) => return Err(self.folder.failed(Some(&name), &error)),
            }
        }
        Ok(false)
    }

    /// There must have been so many samples before this place.
    fn expect(&mut self, file: &str, offset: u64, before: u64) {
        let missing = self.samples.map_or(0, |samples| before.saturating_sub(samples));
        if missing > 0 {
            self.damage
                .push_back(Damage::new(file, offset, Flaw::Missing(missing)));
        }
        self.samples = Some(before);
    }

    fn batch(&mut self, file: String, stored: Stored) -> Found {
        self.expect(&file, stored.at, stored.before);
        self.samples = Some(stored.before + stored.head.samples);
        let batch = QueuedBatch {
            file,
            offset: stored.at,
            bytes: stored.len,
            position: stored.position,
            accepted: stored.head.wall,
            samples: stored.head.samples,
            batch: stored.batch,
        };
        match self.damage.pop_front() {
            Some(damage) => {
                self.held = Some(batch);
                Found::Damage(damage)
            }
            None => Found::Batch(batch),
        }
    }

    fn step(&mut self) -> Result<Option<Found>, Error> {
        loop {
            if let Some(damage) = self.damage.pop_front() {
                return Ok(Some(Found::Damage(damage)));
            }
            if let Some(batch) = self.held.take() {
                return Ok(Some(Found::Batch(batch)));
            }
            let Some(reader) = &mut self.reader else {
                if !self.open()? {
                    return Ok(None);
                }
                continue;
            };
            let segment = &self.folder.segments[self.next - 1];
            let name = Segment::name(segment.number);
            let item = reader
                .next(segment.len, 0, &mut self.sources, &|_| None)
                .map_err(|error| self.folder.failed(Some(&name), &error))?;
            match item {
                Some(Item::Batch(stored)) => return Ok(Some(self.batch(name, stored))),
                Some(Item::Flaw(at, flaw)) => {
                    return Ok(Some(Found::Damage(Damage::new(&name, at, flaw.into()))));
                }
                None => self.reader = None,
            }
        }
    }
}

impl Iterator for Contents<'_> {
    type Item = Result<Found, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if step.is_err() {
            // What cannot be read is not tried for ever.
            self.reader = None;
        }
        step.transpose()
    }
}
