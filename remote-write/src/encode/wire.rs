//! Protocol-buffer primitives, appended to a buffer.

/// Appends a base-128 varint.
pub(crate) fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// Reads a varint at `at`: the value, and where it ends.
pub(crate) fn read_varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0;
    for (index, byte) in bytes.get(at..)?.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f).checked_shl(7 * u32::try_from(index).ok()?)?;
        if *byte < 0x80 {
            return Some((value, at + index + 1));
        }
    }
    None
}

/// Bytes of a varint.
pub(crate) fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros()).div_ceil(7) as usize
}

/// Appends a length-delimited field whose length is not known before it is written: two bytes are kept for it, which fits
/// from 128 to 16383 bytes, and what is shorter or longer is moved.
pub(crate) fn message(out: &mut Vec<u8>, tag: u8, write: impl FnOnce(&mut Vec<u8>)) {
    const KEPT: usize = 2;
    out.extend_from_slice(&[tag, 0, 0]);
    let start = out.len();
    write(out);
    let length = out.len() - start;
    let needed = varint_len(length as u64);
    if needed != KEPT {
        let at = start - KEPT;
        out.resize(out.len() + needed.saturating_sub(KEPT), 0);
        out.copy_within(start..start + length, at + needed);
        out.truncate(at + needed + length);
    }
    let mut rest = length;
    for byte in &mut out[start - KEPT..start - KEPT + needed] {
        *byte = rest.to_le_bytes()[0] | 0x80;
        rest >>= 7;
    }
    out[start - KEPT + needed - 1] &= 0x7f;
}
