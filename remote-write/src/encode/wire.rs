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

/// Appends a double with a tag of its own, zero left out. Minus zero is not zero.
pub(crate) fn double(out: &mut Vec<u8>, tag: u8, value: f64) {
    if value.to_bits() != 0 {
        fixed(out, tag, value);
    }
}

/// Appends a double whatever it is.
pub(crate) fn fixed(out: &mut Vec<u8>, tag: u8, value: f64) {
    out.push(tag);
    out.extend_from_slice(&value.to_bits().to_le_bytes());
}

/// Appends a number, zero left out. A negative one is sign-extended to ten bytes.
pub(crate) fn int64(out: &mut Vec<u8>, tag: &[u8], value: i64) {
    if value != 0 {
        out.extend_from_slice(tag);
        varint(out, value.cast_unsigned());
    }
}

/// Appends a text, an empty one left out.
pub(crate) fn text(out: &mut Vec<u8>, tag: u8, text: &str) {
    if !text.is_empty() {
        out.push(tag);
        varint(out, text.len() as u64);
        out.extend_from_slice(text.as_bytes());
    }
}

/// The tag of a sample in a series, in both versions.
pub(crate) const SAMPLE: u8 = 0x12;

/// The most that a sample takes: tag and length, a double, two varints of ten bytes.
const SAMPLE_AT_MOST: usize = 2 + 9 + 11 + 11;

/// Appends a sample as field 2 of a series, as both versions have it. A start of zero is left out.
#[inline]
pub(crate) fn sample(out: &mut Vec<u8>, value: f64, timestamp: i64, start: i64) {
    let mut encoded = [0; SAMPLE_AT_MOST];
    let mut length = 2;
    encoded[0] = SAMPLE;
    let bits = value.to_bits();
    if bits != 0 {
        encoded[length] = 0x09;
        encoded[length + 1..length + 9].copy_from_slice(&bits.to_le_bytes());
        length += 9;
    }
    for (tag, number) in [(0x10, timestamp), (0x18, start)] {
        if number == 0 {
            continue;
        }
        encoded[length] = tag;
        length += 1;
        let mut rest = number.cast_unsigned();
        while rest >= 0x80 {
            encoded[length] = rest.to_le_bytes()[0] | 0x80;
            length += 1;
            rest >>= 7;
        }
        encoded[length] = rest.to_le_bytes()[0];
        length += 1;
    }
    encoded[1] = u8::try_from(length - 2).unwrap_or(u8::MAX);
    out.extend_from_slice(&encoded[..length]);
}
