//! The segments of a log: what there is on disk, and what is found there at the start.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::codec::{BatchHead, Input};
use super::frame::{self, FILE_HEADER, FileHeader, FileKind, Foreign, Found, Kind};
use super::fs::{Fs, FsFile};
use crate::queue::Position;

/// One segment.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    pub(crate) run: u32,
    /// Position of its first batch, and the samples in all batches before it.
    pub(crate) first: Position,
    pub(crate) first_samples: u64,
    /// When it was begun, in seconds since 1970, and on the elapsed clock if that was in this run.
    pub(crate) wall: u32,
    pub(crate) born: Option<Duration>,
    /// Bytes of it that were written whole.
    pub(crate) len: u64,
}

/// All segments, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    pub(crate) segments: VecDeque<Segment>,
    /// Behind the last batch that is on disk.
    pub(crate) end: Position,
    pub(crate) end_samples: u64,
}

/// A segment with its end.
#[derive(Clone, Debug)]
pub(crate) struct Located {
    pub(crate) segment: Segment,
    pub(crate) end: Position,
    pub(crate) end_samples: u64,
}

/// What was noticed in opening a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Opened {
    /// Files that are not ours, or of another version.
    pub(crate) set_aside: Vec<String>,
    /// Bytes cut off the newest segment.
    pub(crate) torn: u64,
}

// === impl Segment ===

impl Segment {
    pub(crate) fn name(number: u64) -> String {
        format!("{number:016x}.seg")
    }

    pub(crate) fn number(name: &str) -> Option<u64> {
        let digits = name.strip_suffix(".seg").filter(|digits| digits.len() == 16)?;
        let lower = digits
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let number = u64::from_str_radix(digits, 16).ok().filter(|_| lower);
        number.filter(|number| *number < frame::COUNT_END)
    }

    /// A segment that is there already, of `len` bytes.
    pub(crate) fn found(number: u64, header: &FileHeader, len: u64) -> Self {
        Self {
            number,
            run: header.run,
            first: header.position,
            first_samples: header.samples,
            wall: header.wall,
            born: None,
            len,
        }
    }
}

// === impl Located ===

impl Located {
    /// The samples in all batches before `position`; those before the segment where it cannot be read.
    pub(crate) fn samples_before(&self, fs: &dyn Fs, position: Position) -> u64 {
        self.walk(fs, position).unwrap_or(self.segment.first_samples)
    }

    fn walk(&self, fs: &dyn Fs, position: Position) -> io::Result<u64> {
        if position <= self.segment.first {
            return Ok(self.segment.first_samples);
        }
        let file = fs.open(&Segment::name(self.segment.number))?;
        let mut at = FILE_HEADER as u64;
        while at < self.segment.len {
            match frame::find(&*file, at)? {
                Found::Frame(header) if header.position >= position => return Ok(header.samples),
                Found::Frame(header) => at += header.len(),
                Found::Damage => match frame::resume(&*file, at, self.segment.len)? {
                    Some(next) => at = next,
                    None => break,
                },
                Found::End => break,
            }
        }
        Ok(self.end_samples)
    }
}

// === impl Catalog ===

impl Catalog {
    /// Reads the headers of all segments, and the newest segment through.
    pub(crate) fn open(fs: &dyn Fs, opened: &mut Opened) -> io::Result<Self> {
        let mut catalog = Self::default();
        for name in fs.list()? {
            let Some(number) = Segment::number(&name) else {
                continue;
            };
            let file = fs.open(&name)?;
            match FileHeader::read(FileKind::Segment, &*file)? {
                Ok(header) => {
                    let found = Segment::found(number, &header, file.len()?);
                    catalog.segments.push_back(found);
                }
                Err(Foreign::Short) => fs.remove(&name)?,
                Err(Foreign::Unknown | Foreign::Version(_)) => {
                    fs.set_aside(&name)?;
                    opened.set_aside.push(name);
                }
            }
        }
        // Numbers and positions rise together, or the files are from two logs: the later number counts.
        let mut segments: Vec<Segment> = catalog.segments.drain(..).collect();
        segments.sort_unstable_by_key(|segment| segment.number);
        for segment in segments {
            while catalog
                .segments
                .pop_back_if(|before| before.first > segment.first)
                .is_some_and(|before| {
                    let name = Segment::name(before.number);
                    let moved = fs.set_aside(&name);
                    opened.set_aside.push(name);
                    moved.is_ok()
                })
            {}
            catalog.segments.push_back(segment);
        }
        if let Some(newest) = catalog.segments.back_mut() {
            let file = fs.open(&Segment::name(newest.number))?;
            let whole = read_through(&*file, newest)?;
            catalog.end = whole.end;
            catalog.end_samples = whole.end_samples;
            if whole.len < newest.len {
                opened.torn = newest.len - whole.len;
                // What cannot be cut is passed over by readers.
                let _read_only = file.cut(whole.len);
                newest.len = whole.len;
            }
        }
        Ok(catalog)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.len).sum()
    }

    pub(crate) fn first(&self) -> Option<&Segment> {
        self.segments.front()
    }

    pub(crate) fn next_number(&self) -> u64 {
        self.segments.back().map_or(1, |newest| newest.number + 1)
    }

    pub(crate) fn next_run(&self) -> u32 {
        self.segments.iter().map(|segment| segment.run).max().unwrap_or(0) + 1
    }

    /// The oldest segment with its end.
    pub(crate) fn oldest(&self) -> Option<Located> {
        self.located(0)
    }

    /// The segment in which `position` is, or the first one behind it.
    pub(crate) fn locate(&self, position: Position) -> Option<Located> {
        let index = self.segments.partition_point(|segment| segment.first <= position);
        self.located(index.saturating_sub(1))
    }

    fn located(&self, index: usize) -> Option<Located> {
        let segment = self.segments.get(index)?.clone();
        let (end, end_samples) = match self.segments.get(index + 1) {
            Some(next) => (next.first, next.first_samples),
            None => (self.end, self.end_samples),
        };
        Some(Located {
            segment,
            end,
            end_samples,
        })
    }
}

/// How far a segment is whole.
struct Whole {
    len: u64,
    end: Position,
    end_samples: u64,
}

/// Reads a segment to its end. Damage with something whole behind it is left to readers; what is torn at the end is not counted in.
fn read_through(file: &dyn FsFile, segment: &Segment) -> io::Result<Whole> {
    let mut whole = Whole {
        len: FILE_HEADER as u64,
        end: segment.first,
        end_samples: segment.first_samples,
    };
    let mut at = whole.len;
    loop {
        let header = match frame::find(file, at)? {
            Found::Frame(header) => header,
            Found::End => return Ok(whole),
            Found::Damage => match frame::resume(file, at, segment.len)? {
                Some(next) => {
                    at = next;
                    continue;
                }
                None => return Ok(whole),
            },
        };
        let payload = header.payload(file, at)?;
        at += header.len();
        let Some(payload) = payload else { continue };
        whole.len = at;
        if header.kind == Some(Kind::Batch) {
            let head = BatchHead::read(&mut Input::new(&payload));
            whole.end = header.position + 1;
            whole.end_samples = header.samples + head.map_or(0, |head| head.samples);
        }
    }
}

/// An open segment that is written to.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) file: Arc<dyn FsFile>,
    pub(crate) len: u64,
}

impl Active {
    /// Begins a segment.
    pub(crate) fn create(fs: &dyn Fs, segment: &Segment) -> io::Result<Self> {
        let header = FileHeader {
            kind: FileKind::Segment,
            run: segment.run,
            position: segment.first,
            samples: segment.first_samples,
            wall: segment.wall,
        };
        let name = Segment::name(segment.number);
        let file = fs.create(&name)?;
        if let Err(error) = file.write_at(&header.encode(), 0) {
            let _left_as_short = fs.remove(&name);
            return Err(error);
        }
        Ok(Self {
            file,
            len: FILE_HEADER as u64,
        })
    }
}
