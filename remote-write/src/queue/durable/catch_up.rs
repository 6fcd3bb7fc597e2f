//! Reading what is on disk only, in the order in which it was written.
//!
//! It is done on a thread where it may wait for the disk, a chunk at a time.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, PoisonError};

use ferroalloy_model::{Layout, SourceId};
use foldhash::fast::RandomState;

use super::codec::{BatchHead, Input, LayoutHead, decode_batch, decode_layout};
use super::frame::{self, FILE_HEADER, Found, FrameHeader, Kind};
use super::fs::FsFile;
use super::segments::{Located, Segment};
use super::state::Shared;
use crate::queue::{Entry, Position};

/// A chunk ends at so many samples or bytes.
const SAMPLES: u64 = 20_000;
const BYTES: u64 = 1 << 20;
/// A layout that needs more others than any that is written is damage.
const CHAIN: usize = 256;

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
    open: Option<Open>,
    sources: HashMap<(u32, u64), SourceId, RandomState>,
    failures: u32,
}

#[derive(Debug)]
struct Open {
    number: u64,
    run: u32,
    file: Arc<dyn FsFile>,
    at: u64,
    /// Where each layout is defined.
    defined: HashMap<u64, (u64, FrameHeader), RandomState>,
    layouts: HashMap<u64, Arc<Layout>, RandomState>,
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
            open => open.insert(Open {
                number: segment.number,
                run: segment.run,
                file: shared.fs.open(&Segment::name(segment.number))?,
                at: FILE_HEADER as u64,
                defined: HashMap::default(),
                layouts: HashMap::default(),
            }),
        };
        let (mut samples, start) = (0, open.at);
        while open.at < segment.len {
            if !chunk.entries.is_empty() && (samples >= SAMPLES || open.at - start >= BYTES) {
                return Ok(());
            }
            let header = match frame::find(&*open.file, open.at)? {
                Found::Frame(header) if open.at + header.len() <= segment.len => header,
                found => {
                    chunk.damaged += u64::from(!matches!(found, Found::End));
                    match frame::resume(&*open.file, open.at, segment.len)? {
                        Some(next) => open.at = next,
                        None => open.at = segment.len,
                    }
                    continue;
                }
            };
            let at = open.at;
            open.at += header.len();
            match header.kind {
                Some(Kind::Layout) => match open.layout_id(&header, at)? {
                    Some(id) => drop(open.defined.insert(id, (at, header))),
                    None => chunk.damaged += 1,
                },
                Some(Kind::Batch) if header.position < from => {}
                Some(Kind::Batch) => match open.batch(shared, sources, &header, at)? {
                    Some(loaded) => {
                        samples += loaded.samples;
                        chunk.upto = header.position + 1;
                        chunk.upto_samples = header.samples + loaded.samples;
                        chunk.entries.push(loaded);
                    }
                    None => chunk.damaged += 1,
                },
                // Kinds of a later program in a file of this version are not ours to judge.
                _ => {}
            }
        }
        chunk.upto = located.end;
        chunk.upto_samples = located.end_samples;
        Ok(())
    }
}

impl Open {
    fn layout_id(&self, header: &FrameHeader, at: u64) -> io::Result<Option<u64>> {
        let payload = header.payload(&*self.file, at)?;
        Ok(payload.and_then(|payload| Some(LayoutHead::read(&mut Input::new(&payload))?.id)))
    }

    fn batch(
        &mut self,
        shared: &Shared,
        sources: &mut HashMap<(u32, u64), SourceId, RandomState>,
        header: &FrameHeader,
        at: u64,
    ) -> io::Result<Option<Loaded>> {
        let Some(payload) = header.payload(&*self.file, at)? else {
            return Ok(None);
        };
        let mut input = Input::new(&payload);
        let Some(head) = BatchHead::read(&mut input) else {
            return Ok(None);
        };
        let Some(layout) = self.layout(shared, sources, head.layout)? else {
            return Ok(None);
        };
        Ok(decode_batch(&mut input, &layout).map(|batch| Loaded {
            entry: Entry {
                position: header.position,
                run: self.run,
                queued: shared.queued_at(head.wall),
                from: 0,
                batch,
            },
            before: header.samples,
            samples: head.samples,
        }))
    }

    /// The layout of this number: one that is in use still, or made anew from what the segment says.
    fn layout(
        &mut self,
        shared: &Shared,
        sources: &mut HashMap<(u32, u64), SourceId, RandomState>,
        id: u64,
    ) -> io::Result<Option<Arc<Layout>>> {
        let mut chain = Vec::new();
        let mut next = Some(id);
        let mut base = None;
        while let Some(id) = next {
            if let Some(layout) = self.known(shared, id) {
                base = Some(layout);
                break;
            }
            let Some((at, header)) = self.defined.get(&id).filter(|_| chain.len() < CHAIN) else {
                return Ok(None);
            };
            let Some(payload) = header.payload(&*self.file, *at)? else {
                return Ok(None);
            };
            let Some(head) = LayoutHead::read(&mut Input::new(&payload)) else {
                return Ok(None);
            };
            next = head.parent;
            let source = *sources
                .entry((self.run, head.source))
                .or_insert_with(SourceId::new);
            chain.push((payload, source));
        }
        // A parent is not asked for again, since its child is used from now on.
        let mut last = None;
        for (payload, source) in chain.iter().rev() {
            let Some(layout) = decode_layout(&mut Input::new(payload), base.as_ref(), *source) else {
                return Ok(None);
            };
            last = Some(layout.clone());
            base = Some(layout);
        }
        if let Some(made) = last {
            self.layouts.retain(|_, other| other.source() != made.source());
            self.layouts.insert(id, made);
        }
        Ok(base)
    }

    fn known(&self, shared: &Shared, id: u64) -> Option<Arc<Layout>> {
        if self.run == shared.run {
            let live = shared.layouts.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(layout) = live.get(&id).and_then(std::sync::Weak::upgrade) {
                return Some(layout);
            }
        }
        self.layouts.get(&id).cloned()
    }
}
