//! Any bytes as the files of a queue on disk: looking at them fails at nothing, the queue opens, a reader comes to its end and is given nothing
//! that was not shown, and what is appended then is given.
//!
//! The input is files one behind the other, each with its kind (a byte: even for a segment, odd for places; half of it is the segment's
//! number) and its length (two bytes) before it. The first byte says whether checksums are made right: else hardly anything gets past them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use remote_write::fuzz::queue_files;

const MARKER: u32 = 0xa70f_5ec3;
const FILE_HEADER: usize = 40;
const FRAME_HEADER: usize = 36;

fuzz_target!(|data: &[u8]| {
    let Some((mode, mut rest)) = data.split_first() else {
        return;
    };
    let mut files = Vec::new();
    while let [kind, low, high, more @ ..] = rest {
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(more.len());
        let (bytes, behind) = more.split_at(length);
        rest = behind;
        let mut bytes = bytes.to_vec();
        if mode % 2 == 1 {
            mend(&mut bytes);
        }
        let number = kind / 2;
        let name = match kind % 2 {
            0 => format!("{number:016x}.seg"),
            _ => format!("{number:016x}.pos"),
        };
        files.push((name, bytes));
    }
    queue_files(&files);
});

/// Makes the checksums right of a file's header and of each frame that follows the one before.
fn mend(bytes: &mut [u8]) {
    sum(bytes, 0, FILE_HEADER - 4);
    let mut at = FILE_HEADER;
    while let Some(header) = bytes.get(at..at + FRAME_HEADER) {
        let length = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
        let start = at + FRAME_HEADER;
        let end = start.saturating_add(length);
        if header[..4] != MARKER.to_le_bytes() || end > bytes.len() {
            return;
        }
        let payload = crc32c::crc32c(&bytes[start..end]);
        bytes[at + 28..at + 32].copy_from_slice(&payload.to_le_bytes());
        sum(bytes, at, 32);
        at = end;
    }
}

/// Puts the checksum of `length` bytes behind them.
fn sum(bytes: &mut [u8], at: usize, length: usize) {
    if bytes.len() >= at + length + 4 {
        let crc = crc32c::crc32c(&bytes[at..at + length]);
        bytes[at + length..at + length + 4].copy_from_slice(&crc.to_le_bytes());
    }
}
