//! Where an endpoint is: what is done, and which requests were begun; and the file that keeps it.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::codec::{Input, put, put_len, put_text};
use super::frame::{self, COUNT_END, FILE_HEADER, FileHeader, FileKind, Flaw, Foreign, Found, Kind, Packer};
use super::fs::{Fs, FsFile};
use super::ranges::Ranges;
use crate::queue::{Part, Position};

/// What is done of the log for one endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) done: Ranges,
    /// Batches of which a part is done: the place where the rest begins.
    pub(super) parts: BTreeMap<Position, usize>,
    /// Requests that were begun and have not ended.
    pub(super) requests: BTreeMap<u64, Arc<[Part]>>,
}

/// One change of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// A request with these parts is about to be sent for the first time.
    Begin(u64, Arc<[Part]>),
    /// The request is over.
    End(u64),
    /// These batches are dealt with, by no request.
    Done(Position, Position),
}

/// An endpoint's places with their file.
#[derive(Debug)]
pub(super) struct Places {
    /// The endpoint's name.
    name: String,
    file_name: String,
    pub(super) progress: Progress,
    file: Option<Arc<dyn FsFile>>,
    len: u64,
    /// How long the file was when it was written anew.
    snapshot_len: u64,
    pub(super) dirty: bool,
}

/// A file is written anew when it has grown by this much, and to four times its size.
const GROWTH: u64 = 64 << 10;

// === impl Progress ===

impl Progress {
    /// Everything before is done.
    pub(super) fn floor(&self) -> Position {
        self.done.floor()
    }

    /// The first position that nothing here mentions.
    pub(super) fn end(&self) -> Position {
        let in_requests = self
            .requests
            .values()
            .flat_map(|parts| parts.iter().map(|part| part.position + 1));
        let in_parts = self.parts.keys().map(|position| position + 1);
        in_requests
            .chain(in_parts)
            .chain([self.done.end()])
            .max()
            .unwrap_or(0)
    }

    pub(super) fn apply(&mut self, change: &Change) {
        match change {
            Change::Begin(id, parts) => {
                self.requests.insert(*id, parts.clone());
            }
            Change::End(id) => {
                for part in self.requests.remove(id).iter().flat_map(|parts| parts.iter()) {
                    match part.to {
                        Some(place) => {
                            self.parts.insert(part.position, place);
                        }
                        None => self.finish(part.position, part.position + 1),
                    }
                }
            }
            Change::Done(start, end) => self.finish(*start, *end),
        }
    }

    fn finish(&mut self, start: Position, end: Position) {
        self.done.insert(start, end);
        while let Some((position, _)) = self.parts.range(start..end).next() {
            let position = *position;
            self.parts.remove(&position);
        }
    }

    /// Everything before `position` is done, whatever was known of it.
    pub(super) fn skip_to(&mut self, position: Position) {
        self.finish(0, position);
    }
}

// === what is written ===

fn put_begin(out: &mut Vec<u8>, id: u64, parts: &[Part]) {
    put(out, id);
    put_len(out, parts.len());
    for part in parts {
        put(out, part.position);
        put_len(out, part.from);
        put(out, part.to.map_or(0, |place| place as u64 + 1));
    }
}

/// A number that only rises.
fn count(input: &mut Input<'_>) -> Option<u64> {
    input.number().filter(|number| *number < COUNT_END)
}

/// A range as its start and length; its end.
fn range(input: &mut Input<'_>) -> Option<(Position, Position)> {
    let start = count(input)?;
    Some((start, start + count(input)?)).filter(|(_, end)| *end < COUNT_END)
}

fn read_begin(input: &mut Input<'_>) -> Option<(u64, Arc<[Part]>)> {
    let id = count(input)?;
    let place = |number: u64| usize::try_from(number).ok();
    let parts = input.list(|input| {
        Some(Part {
            position: count(input)?,
            from: place(input.number()?)?,
            to: match input.number()?.checked_sub(1) {
                Some(to) => Some(place(to)?),
                None => None,
            },
        })
    })?;
    Some((id, parts.into()))
}

impl Change {
    fn encode(&self, out: &mut Vec<u8>) -> Kind {
        match self {
            Self::Begin(id, parts) => {
                put_begin(out, *id, parts);
                Kind::Begin
            }
            Self::End(id) => {
                put(out, *id);
                Kind::End
            }
            Self::Done(start, end) => {
                put(out, *start);
                put(out, end - start);
                Kind::Done
            }
        }
    }

    fn decode(kind: Kind, input: &mut Input<'_>) -> Option<Self> {
        let change = match kind {
            Kind::Begin => {
                let (id, parts) = read_begin(input)?;
                Self::Begin(id, parts)
            }
            Kind::End => Self::End(input.number()?),
            Kind::Done => {
                let (start, end) = range(input)?;
                Self::Done(start, end)
            }
            Kind::Layout | Kind::Batch | Kind::Snapshot => return None,
        };
        input.is_at_end().then_some(change)
    }
}

impl Progress {
    fn encode(&self, name: &str, out: &mut Vec<u8>) {
        put_text(out, name);
        put_len(out, self.done.iter().len());
        for (start, end) in self.done.iter() {
            put(out, start);
            put(out, end - start);
        }
        put_len(out, self.parts.len());
        for (position, place) in &self.parts {
            put(out, *position);
            put_len(out, *place);
        }
        put_len(out, self.requests.len());
        for (id, parts) in &self.requests {
            put_begin(out, *id, parts);
        }
    }

    fn decode(input: &mut Input<'_>) -> Option<(String, Self)> {
        let name = input.text()?.to_owned();
        let mut progress = Self::default();
        for (start, end) in input.list(range)? {
            progress.done.insert(start, end);
        }
        let parts = input.list(|input| Some((count(input)?, usize::try_from(input.number()?).ok()?)))?;
        progress.parts = parts.into_iter().collect();
        progress.requests = input.list(read_begin)?.into_iter().collect();
        input.is_at_end().then_some((name, progress))
    }
}

// === impl Places ===

/// What a file with places has to say.
#[derive(Debug)]
pub(super) enum Read {
    /// An endpoint's places, and where what is wrong.
    Known(String, Progress, Vec<(u64, Flaw)>),
    /// There is no snapshot that can be read.
    Damaged(Vec<(u64, Flaw)>),
    Foreign(Foreign),
}

impl Places {
    /// The name of the file for the endpoint `name`.
    pub(super) fn file_name(name: &str) -> String {
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        format!("{hash:016x}.pos")
    }

    pub(super) fn new(name: &str, progress: Progress) -> Self {
        Self {
            name: name.to_owned(),
            file_name: Self::file_name(name),
            progress,
            file: None,
            len: 0,
            snapshot_len: 0,
            dirty: false,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The file is not to be relied on: the next change writes it anew.
    pub(super) fn forget_file(&mut self) {
        self.file = None;
    }

    pub(super) fn is_without_file(&self) -> bool {
        self.file.is_none()
    }

    /// What the file `name` says.
    pub(super) fn read(fs: &dyn Fs, name: &str) -> io::Result<Read> {
        let file = fs.open_to_read(name)?;
        if let Err(foreign) = FileHeader::read(FileKind::Places, &*file)? {
            return Ok(Read::Foreign(foreign));
        }
        let end = file.len()?;
        let mut known: Option<(String, Progress)> = None;
        let (mut at, mut flaws) = (FILE_HEADER as u64, Vec::new());
        while at < end {
            let start = at;
            let header = match frame::find(&*file, at)? {
                Found::Frame(header) if at + header.len() <= end => header,
                found => {
                    at = frame::resume(&*file, at, end)?.unwrap_or(end);
                    flaws.push((start, frame::flaw(&*file, &found, start, at, end)?));
                    continue;
                }
            };
            at += header.len();
            let Some(payload) = header.payload(&*file, start)? else {
                flaws.push((start, Flaw::Payload));
                continue;
            };
            let mut input = Input::new(&payload);
            let understood = match (header.kind, &mut known) {
                (Some(Kind::Snapshot), known) => {
                    let read = Progress::decode(&mut input);
                    let understood = read.is_some();
                    *known = read.or(known.take());
                    understood
                }
                (Some(kind), Some((_, progress))) => {
                    let change = Change::decode(kind, &mut input);
                    if let Some(change) = &change {
                        progress.apply(change);
                    }
                    change.is_some()
                }
                _ => false,
            };
            if !understood {
                flaws.push((start, Flaw::Content));
            }
        }
        Ok(match known {
            Some((name, progress)) => Read::Known(name, progress, flaws),
            None => Read::Damaged(flaws),
        })
    }

    /// Applies changes and writes them down.
    ///
    /// # Errors
    /// Those of the file system. The changes count all the same, and the next write writes everything.
    pub(super) fn change(&mut self, fs: &dyn Fs, packer: &mut Packer, changes: &[Change]) -> io::Result<()> {
        for change in changes {
            self.progress.apply(change);
        }
        if self.file.is_none() || self.len > (self.snapshot_len * 4).max(self.snapshot_len + GROWTH) {
            return self.rewrite(fs, packer);
        }
        let (mut out, mut payload) = (Vec::new(), Vec::new());
        for change in changes {
            payload.clear();
            let kind = change.encode(&mut payload);
            packer.frame(&mut out, kind, self.progress.floor(), 0, &payload);
        }
        let written = match &self.file {
            Some(file) => file.write_at(&out, self.len),
            None => Ok(()),
        };
        self.len += out.len() as u64;
        self.dirty = true;
        if written.is_err() {
            self.file = None;
        }
        written
    }

    /// Writes the file anew, beside the one that is there, which counts until this one is whole.
    pub(super) fn rewrite(&mut self, fs: &dyn Fs, packer: &mut Packer) -> io::Result<()> {
        self.file = None;
        let header = FileHeader {
            kind: FileKind::Places,
            run: 0,
            position: self.progress.floor(),
            samples: 0,
            wall: 0,
        };
        let mut out = header.encode().to_vec();
        let mut payload = Vec::new();
        self.progress.encode(&self.name, &mut payload);
        packer.frame(&mut out, Kind::Snapshot, self.progress.floor(), 0, &payload);
        let temporary = format!("{}.new", self.file_name);
        // One from a run that was killed.
        let _not_there = fs.remove(&temporary);
        let file = fs.create(&temporary)?;
        file.write_at(&out, 0)?;
        file.sync()?;
        fs.rename(&temporary, &self.file_name)?;
        self.len = out.len() as u64;
        self.snapshot_len = self.len;
        self.file = Some(file);
        self.dirty = false;
        Ok(())
    }

    pub(super) fn sync(&mut self) -> io::Result<()> {
        if let Some(file) = self.file.as_ref().filter(|_| self.dirty) {
            file.sync()?;
            self.dirty = false;
        }
        Ok(())
    }
}
