//! Reading what is on disk only, in the order in which it was written.
//!
//! It is done on a thread where it may wait for the disk, a chunk at a time.

use std::io;

use super::frame::Flaw;
use super::segment_reader::{Item, SegmentReader, Sources};
use super::segments::{Located, Segment};
use super::state::Shared;
use crate::queue::{Entry, Position};

/// A chunk ends at so many samples or bytes.
const SAMPLES: u64 = 20_000;
const BYTES: u64 = 1 << 20;

/// A batch with the samples before it and in it.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) entry: Entry,
    pub(super) before: u64,
    pub(super) samples: u64,
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub(super) entries: Vec<Loaded>,
    /// Everything before is in this chunk or was in one before, or cannot be read; and the samples before.
    pub(super) upto: Position,
    pub(super) upto_samples: u64,
    /// Frames that cannot be read.
    pub(super) damaged: u64,
    /// What the disk says.
    pub(super) error: Option<io::Error>,
}

/// Where one reader is on disk.
#[derive(Debug, Default)]
pub(super) struct CatchUp {
    open: Option<SegmentReader>,
    sources: Sources,
    failures: u32,
}

impl CatchUp {
    /// Reads on from `from`.
    pub(super) fn read(&mut self, shared: &Shared, from: Position) -> Chunk {
        let mut chunk = Chunk {
            upto: from,
            ..Chunk::default()
        };
        let located = shared.lock().catalog.locate(from);
        let Some(located) = located.filter(|located| located.end > from) else {
            return chunk;
        };
        match self.read_segment(shared, &located, from, &mut chunk) {
            Ok(()) => self.failures = 0,
            Err(error) => {
                self.open = None;
                self.failures += 1;
                let gone = error.kind() == io::ErrorKind::NotFound;
                if gone || self.failures >= 3 {
                    // What cannot be read after several tries is given up, not waited for.
                    self.failures = 0;
                    chunk.upto = located.end;
                    chunk.upto_samples = located.end_samples;
                    chunk.damaged += 1;
                }
                chunk.error = Some(error);
            }
        }
        chunk
    }

    fn read_segment(
        &mut self,
        shared: &Shared,
        located: &Located,
        from: Position,
        chunk: &mut Chunk,
    ) -> io::Result<()> {
        let segment = &located.segment;
        let Self { open, sources, .. } = self;
        let open = match open {
            Some(open) if open.number == segment.number => open,
            open => {
                let file = shared.fs.open_to_read(&Segment::name(segment.number))?;
                open.insert(SegmentReader::new(segment.number, segment.run, file))
            }
        };
        let run = open.run();
        let live = |id| (run == shared.run).then(|| shared.live_layout(id)).flatten();
        let (mut samples, start) = (0, open.at());
        while chunk.entries.is_empty() || (samples < SAMPLES && open.at() - start < BYTES) {
            match open.next(segment.len, from, sources, &live)? {
                Some(Item::Batch(stored)) => {
                    samples += stored.head.samples;
                    chunk.upto = stored.position + 1;
                    chunk.upto_samples = stored.before + stored.head.samples;
                    chunk.entries.push(Loaded {
                        entry: Entry {
                            position: stored.position,
                            run,
                            queued: shared.queued_at(stored.head.wall),
                            from: 0,
                            batch: stored.batch,
                        },
                        before: stored.before,
                        samples: stored.head.samples,
                    });
                }
                // What was being written when the process ended was never committed.
                Some(Item::Flaw(_, Flaw::Torn)) => {}
                Some(Item::Flaw(..)) => chunk.damaged += 1,
                None => {
                    chunk.upto = located.end;
                    chunk.upto_samples = located.end_samples;
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
