//! Reading fields of C structures from byte buffers of the kernel. Everything is total: a field that is not
//! wholly inside the buffer is `None`. Every Mac is little-endian.

/// `LENGTH` bytes at `offset`.
fn array<const LENGTH: usize>(bytes: &[u8], offset: usize) -> Option<[u8; LENGTH]> {
    let end = offset.checked_add(LENGTH)?;
    bytes.get(offset..end)?.try_into().ok()
}

pub(crate) fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    array(bytes, offset).map(u16::from_le_bytes)
}

pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    array(bytes, offset).map(u32::from_le_bytes)
}

pub(crate) fn i32_at(bytes: &[u8], offset: usize) -> Option<i32> {
    array(bytes, offset).map(i32::from_le_bytes)
}

pub(crate) fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    array(bytes, offset).map(u64::from_le_bytes)
}

pub(crate) fn i64_at(bytes: &[u8], offset: usize) -> Option<i64> {
    array(bytes, offset).map(i64::from_le_bytes)
}

/// The text of a `char[size]` field: up to its first NUL, or all of it if there is none.
pub(crate) fn text_at(bytes: &[u8], offset: usize, size: usize) -> Option<&[u8]> {
    let field = bytes.get(offset..offset.checked_add(size)?)?;
    let end = memchr::memchr(0, field).unwrap_or(size);
    Some(&field[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_end_inside_the_buffer() {
        let bytes = [1, 0, 0, 0, 0, 0, 0, 0x80];
        assert_eq!(u64_at(&bytes, 0), Some(0x8000_0000_0000_0001));
        assert_eq!(i64_at(&bytes, 0), Some(i64::MIN + 1));
        assert_eq!(u32_at(&bytes, 4), Some(0x8000_0000));
        assert_eq!(i32_at(&bytes, 4), Some(i32::MIN));
        assert_eq!(u16_at(&bytes, 6), Some(0x8000));
        assert_eq!(u64_at(&bytes, 1), None);
        assert_eq!(u16_at(&bytes, 7), None);
        assert_eq!(u32_at(&bytes, usize::MAX), None);
    }

    #[test]
    fn text_ends_at_nul_or_with_the_field() {
        assert_eq!(text_at(b"apfs\0\0rest", 0, 6), Some(&b"apfs"[..]));
        assert_eq!(text_at(b"apfs", 0, 4), Some(&b"apfs"[..]));
        assert_eq!(text_at(b"apfs", 0, 5), None);
        assert_eq!(text_at(b"apfs", 1, usize::MAX), None);
        assert_eq!(text_at(b"", 0, 0), Some(&b""[..]));
    }
}
