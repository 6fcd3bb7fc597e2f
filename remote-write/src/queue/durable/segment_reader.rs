//! Reading one segment from its beginning on: its batches, and what cannot be read.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use ferroalloy_model::{Batch, Layout, SourceId};
use foldhash::fast::RandomState;

use super::codec::{BatchHead, Input, LayoutHead, decode_batch, decode_layout};
use super::frame::{self, FILE_HEADER, Flaw, Found, FrameHeader, Kind};
use super::fs::FsFile;
use crate::queue::Position;

/// A layout that needs more others than any that is written is damage.
const CHAIN: usize = 256;

/// The sources of this process that stand for those of a run: what is of one source stays of one.
pub(super) type Sources = HashMap<(u32, u64), SourceId, RandomState>;

/// Where one segment is being read.
#[derive(Debug)]
pub(super) struct SegmentReader {
    pub(super) number: u64,
    run: u32,
    file: Arc<dyn FsFile>,
    at: u64,
    /// Where each layout is defined.
    defined: HashMap<u64, (u64, FrameHeader), RandomState>,
    layouts: HashMap<u64, Arc<Layout>, RandomState>,
}

/// What comes next in a segment.
#[derive(Debug)]
pub(super) enum Item {
    Batch(Stored),
    /// Something that cannot be read, and where.
    Flaw(u64, Flaw),
}

/// A batch as it is stored.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) position: Position,
    /// Samples in all batches before.
    pub(super) before: u64,
    pub(super) head: BatchHead,
    /// Where its frame is, and how long.
    pub(super) at: u64,
    pub(super) len: u64,
    pub(super) batch: Batch,
}

/// Layouts that are in use still, by their number.
pub(super) type Live<'a> = &'a dyn Fn(u64) -> Option<Arc<Layout>>;

impl SegmentReader {
    pub(super) fn new(number: u64, run: u32, file: Arc<dyn FsFile>) -> Self {
        Self {
            number,
            run,
            file,
            at: FILE_HEADER as u64,
            defined: HashMap::default(),
            layouts: HashMap::default(),
        }
    }

    pub(super) fn run(&self) -> u32 {
        self.run
    }

    /// Bytes that were read or passed over.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The next batch from `from` on, or what is wrong before it, within the first `end` bytes. `None` at the end.
    pub(super) fn next(
        &mut self,
        end: u64,
        from: Position,
        sources: &mut Sources,
        live: Live<'_>,
    ) -> io::Result<Option<Item>> {
        while self.at < end {
            let at = self.at;
            let header = match frame::find(&*self.file, at)? {
                Found::Frame(header) if at + header.len() <= end => header,
                found => {
                    self.at = frame::resume(&*self.file, at, end)?.unwrap_or(end);
                    let flaw = frame::flaw(&*self.file, &found, at, self.at, end)?;
                    return Ok(Some(Item::Flaw(at, flaw)));
                }
            };
            self.at += header.len();
            let read = match header.kind {
                Some(Kind::Layout) => self.define(&header, at)?,
                Some(Kind::Batch) if header.position < from => continue,
                Some(Kind::Batch) => self.batch(&header, at, sources, live)?.map(Some),
                // Kinds of a later program in a file of this version are not ours to judge.
                _ => continue,
            };
            match read {
                Ok(Some(stored)) => return Ok(Some(Item::Batch(stored))),
                Ok(None) => {}
                Err(flaw) => return Ok(Some(Item::Flaw(at, flaw))),
            }
        }
        Ok(None)
    }

    fn define(&mut self, header: &FrameHeader, at: u64) -> io::Result<Result<Option<Stored>, Flaw>> {
        let Some(payload) = header.payload(&*self.file, at)? else {
            return Ok(Err(Flaw::Payload));
        };
        let Some(head) = LayoutHead::read(&mut Input::new(&payload)) else {
            return Ok(Err(Flaw::Content));
        };
        self.defined.insert(head.id, (at, *header));
        Ok(Ok(None))
    }

    fn batch(
        &mut self,
        header: &FrameHeader,
        at: u64,
        sources: &mut Sources,
        live: Live<'_>,
    ) -> io::Result<Result<Stored, Flaw>> {
        let Some(payload) = header.payload(&*self.file, at)? else {
            return Ok(Err(Flaw::Payload));
        };
        let mut input = Input::new(&payload);
        let Some(head) = BatchHead::read(&mut input) else {
            return Ok(Err(Flaw::Content));
        };
        let Some(layout) = self.layout(head.layout, sources, live)? else {
            return Ok(Err(Flaw::NoLayout));
        };
        let stored = decode_batch(&mut input, &layout).map(|batch| Stored {
            position: header.position,
            before: header.samples,
            head,
            at,
            len: header.len(),
            batch,
        });
        Ok(stored.ok_or(Flaw::Content))
    }

    /// The layout of this number: one that is in use still, or made anew from what the segment says.
    fn layout(&mut self, id: u64, sources: &mut Sources, live: Live<'_>) -> io::Result<Option<Arc<Layout>>> {
        let mut chain = Vec::new();
        let mut next = Some(id);
        let mut base = None;
        while let Some(id) = next {
            if let Some(layout) = live(id).or_else(|| self.layouts.get(&id).cloned()) {
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
}
