//! Frames: what segments and places are made of. See `FORMAT.md`.

use std::io;

use super::fs::FsFile;

/// The version that this program writes.
pub(super) const VERSION: u32 = 1;

pub(super) const FILE_HEADER: usize = 40;
pub(super) const FRAME_HEADER: usize = 36;
const MARKER: u32 = 0xa70f_5ec3;

/// A frame is not made larger; what claims to be is damage.
const PAYLOAD_AT_MOST: u32 = 1 << 30;
/// Numbers that only rise stay below; a larger one was not written by us.
pub(super) const COUNT_END: u64 = 1 << 62;
/// Payloads below are not worth packing.
const PACK_FROM: usize = 128;

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    Segment,
    Places,
}

/// How a file begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileHeader {
    pub(super) kind: FileKind,
    pub(super) run: u32,
    pub(super) position: u64,
    pub(super) samples: u64,
    /// Seconds since 1970.
    pub(super) wall: u32,
}

/// What is wrong with a file's beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Foreign {
    /// It ends before its header does: it was being made when the process ended.
    Short,
    /// It is not one of ours, or its header is damaged.
    Unknown,
    /// It is of another version.
    Version(u32),
}

/// What a frame is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Layout,
    Batch,
    Snapshot,
    Begin,
    End,
    Done,
}

/// How a frame begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameHeader {
    /// `None` for a kind that is not known.
    pub(super) kind: Option<Kind>,
    pub(super) position: u64,
    pub(super) samples: u64,
    length: u32,
    packed: bool,
    payload_crc: u32,
}

/// What there is at a place of a file.
#[derive(Debug)]
pub(super) enum Found {
    /// A frame whose header is right.
    Frame(FrameHeader),
    /// No frame; the next one may be anywhere behind.
    Damage,
    /// The file ends here, or too early for a header.
    End,
}

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// None begins where one must.
    Header,
    /// Its payload is not what its checksum is of.
    Payload,
    /// Its payload makes no sense.
    Content,
    /// It is a batch whose layout cannot be read.
    NoLayout,
    /// The file ends within it, or in nothing but zeros: it was being written.
    Torn,
}

// === impl FileHeader ===

impl FileKind {
    fn magic(self) -> [u8; 8] {
        match self {
            Self::Segment => *b"FERROSEG",
            Self::Places => *b"FERROPOS",
        }
    }
}

impl FileHeader {
    pub(super) fn encode(&self) -> [u8; FILE_HEADER] {
        let mut out = [0; FILE_HEADER];
        out[..8].copy_from_slice(&self.kind.magic());
        out[8..12].copy_from_slice(&VERSION.to_le_bytes());
        out[12..16].copy_from_slice(&self.run.to_le_bytes());
        out[16..24].copy_from_slice(&self.position.to_le_bytes());
        out[24..32].copy_from_slice(&self.samples.to_le_bytes());
        out[32..36].copy_from_slice(&self.wall.to_le_bytes());
        let crc = crc32c::crc32c(&out[..36]);
        out[36..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    pub(super) fn read(kind: FileKind, file: &dyn FsFile) -> io::Result<Result<Self, Foreign>> {
        let mut bytes = [0; FILE_HEADER];
        let read = file.read_at(&mut bytes, 0)?;
        Ok(Self::decode(kind, &bytes[..read]))
    }

    fn decode(kind: FileKind, bytes: &[u8]) -> Result<Self, Foreign> {
        let magic = kind.magic();
        if !bytes.starts_with(&magic[..bytes.len().min(8)]) {
            return Err(Foreign::Unknown);
        }
        let Some(bytes) = bytes.first_chunk::<FILE_HEADER>() else {
            return Err(Foreign::Short);
        };
        let version = u32_at(bytes, 8);
        if version != VERSION {
            return Err(Foreign::Version(version));
        }
        if crc32c::crc32c(&bytes[..36]) != u32_at(bytes, 36) {
            return Err(Foreign::Unknown);
        }
        let header = Self {
            kind,
            run: u32_at(bytes, 12),
            position: u64_at(bytes, 16),
            samples: u64_at(bytes, 24),
            wall: u32_at(bytes, 32),
        };
        let plausible = header.run < u32::MAX && header.position < COUNT_END && header.samples < COUNT_END;
        plausible.then_some(header).ok_or(Foreign::Unknown)
    }
}

// === impl Kind ===

impl Kind {
    const ALL: [(Self, u8); 6] = [
        (Self::Layout, 1),
        (Self::Batch, 2),
        (Self::Snapshot, 16),
        (Self::Begin, 17),
        (Self::End, 18),
        (Self::Done, 19),
    ];

    fn code(self) -> u8 {
        Self::ALL
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or(0, |(_, code)| *code)
    }

    fn from_code(code: u8) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == code)
            .map(|(kind, _)| *kind)
    }
}

// === impl FrameHeader ===

impl FrameHeader {
    /// Bytes of the frame, its header included.
    pub(super) fn len(&self) -> u64 {
        FRAME_HEADER as u64 + u64::from(self.length)
    }

    fn decode(bytes: &[u8; FRAME_HEADER]) -> Option<Self> {
        if u32_at(bytes, 0) != MARKER || crc32c::crc32c(&bytes[..32]) != u32_at(bytes, 32) {
            return None;
        }
        let length = u32_at(bytes, 4);
        let (position, samples) = (u64_at(bytes, 8), u64_at(bytes, 16));
        let plausible = length <= PAYLOAD_AT_MOST && position < COUNT_END && samples < COUNT_END;
        plausible.then(|| Self {
            kind: Kind::from_code(bytes[24]),
            position,
            samples,
            length,
            packed: bytes[25] == 1,
            payload_crc: u32_at(bytes, 28),
        })
    }

    /// The payload of the frame that begins at `at`. `None` when it is damaged.
    pub(super) fn payload(&self, file: &dyn FsFile, at: u64) -> io::Result<Option<Vec<u8>>> {
        let start = at + FRAME_HEADER as u64;
        // Nothing is reserved for a length that the file does not have.
        if start + u64::from(self.length) > file.len()? {
            return Ok(None);
        }
        let mut stored = vec![0; self.length as usize];
        let read = file.read_at(&mut stored, start)?;
        if read < stored.len() || crc32c::crc32c(&stored) != self.payload_crc {
            return Ok(None);
        }
        if !self.packed {
            return Ok(Some(stored));
        }
        // Room is made for what it says it becomes, which is at most so much: 64 bytes for three.
        let fits = snap::raw::decompress_len(&stored)
            .is_ok_and(|len| len <= PAYLOAD_AT_MOST as usize && len <= stored.len().saturating_mul(22));
        Ok(fits
            .then(|| snap::raw::Decoder::new().decompress_vec(&stored).ok())
            .flatten())
    }
}

/// The frame at `at`, if there is one.
pub(super) fn find(file: &dyn FsFile, at: u64) -> io::Result<Found> {
    let mut bytes = [0; FRAME_HEADER];
    if file.read_at(&mut bytes, at)? < FRAME_HEADER {
        return Ok(Found::End);
    }
    Ok(FrameHeader::decode(&bytes).map_or(Found::Damage, Found::Frame))
}

/// Where the first frame begins behind damage at `at`; `None` when there is no more in the first `end` bytes of the file.
pub(super) fn resume(file: &dyn FsFile, at: u64, end: u64) -> io::Result<Option<u64>> {
    const WINDOW: usize = 64 << 10;
    let mut window = vec![0; WINDOW];
    let mut start = at + 1;
    while start + FRAME_HEADER as u64 <= end {
        let read = file.read_at(&mut window, start)?;
        let found = window[..read]
            .windows(FRAME_HEADER)
            .position(|bytes| bytes.first_chunk().and_then(FrameHeader::decode).is_some());
        if let Some(offset) = found {
            return Ok(Some(start + offset as u64).filter(|found| *found < end));
        }
        if read < window.len() {
            break;
        }
        start += (read - (FRAME_HEADER - 1)) as u64;
    }
    Ok(None)
}

/// What is wrong where `found` was found at `at`, in a file of `end` bytes in which the next frame is at `next`.
pub(super) fn flaw(file: &dyn FsFile, found: &Found, at: u64, next: u64, end: u64) -> io::Result<Flaw> {
    Ok(match found {
        Found::Damage if next < end || !is_blank(file, at, end)? => Flaw::Header,
        // A frame that claims to be longer than the file is damage if there are others in it.
        Found::Frame(_) if next < end => Flaw::Header,
        _ => Flaw::Torn,
    })
}

/// Whether there is nothing but zeros from `at` to `end`: what a file system leaves where a power cut came between a file's new size and its bytes.
fn is_blank(file: &dyn FsFile, at: u64, end: u64) -> io::Result<bool> {
    let mut window = vec![0; 64 << 10];
    let mut start = at;
    while start < end {
        let read = file.read_at(&mut window, start)?;
        let within = usize::try_from(end - start).map_or(read, |rest| rest.min(read));
        if read == 0 || window[..within].iter().any(|byte| *byte != 0) {
            return Ok(read == 0);
        }
        start += read as u64;
    }
    Ok(true)
}

/// Makes frames, with room that is used again.
pub(super) struct Packer {
    encoder: snap::raw::Encoder,
    packed: Vec<u8>,
}

/// Room that is kept from frame to frame.
const PACKED_KEPT: usize = 256 << 10;

impl Packer {
    pub(super) fn new() -> Self {
        Self {
            encoder: snap::raw::Encoder::new(),
            packed: Vec::new(),
        }
    }

    /// Appends a frame. What is large is packed if that makes it smaller by an eighth.
    pub(super) fn frame(
        &mut self,
        out: &mut Vec<u8>,
        kind: Kind,
        position: u64,
        samples: u64,
        payload: &[u8],
    ) {
        let mut stored = payload;
        let mut packed = false;
        if payload.len() >= PACK_FROM {
            self.packed.resize(snap::raw::max_compress_len(payload.len()), 0);
            if let Ok(len) = self.encoder.compress(payload, &mut self.packed)
                && len <= payload.len() - payload.len() / 8
            {
                stored = &self.packed[..len];
                packed = true;
            }
        }
        put_frame(out, kind, (position, samples), packed, stored);
    }

    /// Gives back room that was needed for something large.
    pub(super) fn trim(&mut self) {
        if self.packed.capacity() > PACKED_KEPT {
            self.packed.clear();
            self.packed.shrink_to(PACKED_KEPT);
        }
    }
}

/// Appends a frame with a payload as it is stored.
pub(super) fn put_frame(
    out: &mut Vec<u8>,
    kind: Kind,
    (position, samples): (u64, u64),
    packed: bool,
    stored: &[u8],
) {
    let start = out.len();
    out.extend_from_slice(&MARKER.to_le_bytes());
    out.extend_from_slice(&u32::try_from(stored.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(&position.to_le_bytes());
    out.extend_from_slice(&samples.to_le_bytes());
    out.extend_from_slice(&[kind.code(), u8::from(packed), 0, 0]);
    out.extend_from_slice(&crc32c::crc32c(stored).to_le_bytes());
    let crc = crc32c::crc32c(&out[start..]);
    out.extend_from_slice(&crc.to_le_bytes());
    out.extend_from_slice(stored);
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .map_or(0, |four| u32::from_le_bytes(*four))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .map_or(0, |eight| u64::from_le_bytes(*eight))
}
