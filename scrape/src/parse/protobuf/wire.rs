//! The wire format of protocol buffers, read in place: fields by position, nothing copied.
//!
//! Total: a length is believed only as far as there are bytes, and a varint has at most 64 bits.

use crate::parse::lex::{Fault, fault};

/// A part of the body.
pub(super) type Range = (usize, usize);

/// The fields of one message, in the order in which they stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    body: &'a [u8],
    at: usize,
    end: usize,
}

/// One field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) number: u32,
    /// Where its tag is.
    pub(super) at: usize,
    value: Value,
}

#[derive(Debug, Clone, Copy)]
enum Value {
    Varint(u64),
    Fixed64(u64),
    Fixed32,
    Bytes(Range),
    Group,
}

/// The varint at `at` and where it ends; at most `limit` bytes long.
#[inline]
pub(super) fn varint(body: &[u8], at: usize, end: usize, limit: usize) -> Result<(u64, usize), Fault> {
    // Most are tags and short lengths.
    match body.get(at) {
        Some(byte) if *byte < 0x80 && at < end => Ok((u64::from(*byte), at + 1)),
        _ => long_varint(body, at, end, limit),
    }
}

fn long_varint(body: &[u8], at: usize, end: usize, limit: usize) -> Result<(u64, usize), Fault> {
    let mut value = 0_u64;
    for (index, next) in (at..end).take(limit).enumerate() {
        let byte = u64::from(body[next]);
        if index == 9 && byte > 1 {
            return Err(fault(at, "varint of more than 64 bits"));
        }
        value |= (byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Ok((value, next + 1));
        }
    }
    let reason = if end - at < limit {
        "message ends within a varint"
    } else {
        "varint is too long"
    };
    Err(fault(at, reason))
}

/// ZigZag: small numbers of either sign are small on the wire.
pub(super) const fn zigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

// === impl Fields ===

impl<'a> Fields<'a> {
    /// The fields of the message that is the bytes `from..to`, which are within the body.
    pub(super) fn new(body: &'a [u8], (from, to): Range) -> Self {
        let end = to.min(body.len());
        Self {
            body,
            at: from.min(end),
            end,
        }
    }

    /// The next field; `None` at the end of the message.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<Field>, Fault> {
        if self.at >= self.end {
            return Ok(None);
        }
        let at = self.at;
        let (number, kind) = self.tag()?;
        let value = match kind {
            3 => {
                self.skip_group(number)?;
                Value::Group
            }
            4 => return Err(fault(at, "end of a group that did not begin")),
            kind => self.value(kind)?,
        };
        Ok(Some(Field { number, at, value }))
    }

    fn tag(&mut self) -> Result<(u32, u8), Fault> {
        let (tag, next) = varint(self.body, self.at, self.end, 10)?;
        let number = u32::try_from(tag >> 3)
            .ok()
            .filter(|number| (1..1 << 29).contains(number));
        let Some(number) = number else {
            return Err(fault(self.at, "invalid field number"));
        };
        self.at = next;
        Ok((number, tag.to_le_bytes()[0] & 7))
    }

    fn value(&mut self, kind: u8) -> Result<Value, Fault> {
        let at = self.at;
        match kind {
            0 => {
                let (value, next) = varint(self.body, at, self.end, 10)?;
                self.at = next;
                Ok(Value::Varint(value))
            }
            1 => {
                let bytes = self.body[at..self.end]
                    .first_chunk::<8>()
                    .ok_or_else(|| fault(at, "message ends within a number"))?;
                self.at = at + 8;
                Ok(Value::Fixed64(u64::from_le_bytes(*bytes)))
            }
            2 => {
                let (length, from) = varint(self.body, at, self.end, 10)?;
                let to = usize::try_from(length)
                    .ok()
                    .and_then(|length| from.checked_add(length))
                    .filter(|to| *to <= self.end)
                    .ok_or_else(|| fault(at, "field is longer than its message"))?;
                self.at = to;
                Ok(Value::Bytes((from, to)))
            }
            5 if self.end - at >= 4 => {
                self.at = at + 4;
                Ok(Value::Fixed32)
            }
            5 => Err(fault(at, "message ends within a number")),
            _ => Err(fault(at, "unknown wire type")),
        }
    }

    /// Goes behind a group, which may hold others.
    fn skip_group(&mut self, number: u32) -> Result<(), Fault> {
        let start = self.at;
        let mut open = vec![number];
        while let Some(innermost) = open.last() {
            if self.at >= self.end {
                return Err(fault(start, "group has no end"));
            }
            let at = self.at;
            match self.tag()? {
                (number, 3) => open.push(number),
                (number, 4) if number == *innermost => drop(open.pop()),
                (_, 4) => return Err(fault(at, "end of another group")),
                (_, kind) => drop(self.value(kind)?),
            }
        }
        Ok(())
    }
}

// === impl Field ===

impl Field {
    fn wrong<T>(&self) -> Result<T, Fault> {
        Err(fault(
            self.at,
            format!("field {} has the wrong wire type", self.number),
        ))
    }

    /// A string, bytes or a message.
    pub(super) fn bytes(&self) -> Result<Range, Fault> {
        match self.value {
            Value::Bytes(range) => Ok(range),
            _ => self.wrong(),
        }
    }

    /// An integer.
    pub(super) fn varint(&self) -> Result<u64, Fault> {
        match self.value {
            Value::Varint(value) => Ok(value),
            _ => self.wrong(),
        }
    }

    /// A double.
    pub(super) fn double(&self) -> Result<f64, Fault> {
        match self.value {
            Value::Fixed64(bits) => Ok(f64::from_bits(bits)),
            _ => self.wrong(),
        }
    }

    /// A `sint32`.
    pub(super) fn sint32(&self) -> Result<i32, Fault> {
        let value = self.varint()? & u64::from(u32::MAX);
        i32::try_from(zigzag(value)).or_else(|_| self.wrong())
    }

    /// A `uint32`, of which the low bits count.
    pub(super) fn uint32(&self) -> Result<u32, Fault> {
        let value = self.varint()? & u64::from(u32::MAX);
        u32::try_from(value).or_else(|_| self.wrong())
    }

    /// One element of a repeated `sint64`, or a packed run of them.
    pub(super) fn sint64s(&self, body: &[u8], out: &mut Vec<i64>) -> Result<(), Fault> {
        match self.value {
            Value::Varint(value) => out.push(zigzag(value)),
            Value::Bytes((mut at, end)) => {
                while at < end {
                    let (value, next) = varint(body, at, end, 10)?;
                    out.push(zigzag(value));
                    at = next;
                }
            }
            _ => return self.wrong(),
        }
        Ok(())
    }

    /// One element of a repeated `double`, or a packed run of them.
    pub(super) fn doubles(&self, body: &[u8], out: &mut Vec<f64>) -> Result<(), Fault> {
        match self.value {
            Value::Fixed64(bits) => out.push(f64::from_bits(bits)),
            Value::Bytes((from, to)) => {
                let (numbers, rest) = body[from..to].as_chunks::<8>();
                if !rest.is_empty() {
                    return Err(fault(self.at, "packed numbers end within one"));
                }
                out.extend(numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)));
            }
            _ => return self.wrong(),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Result<Vec<u32>, Fault> {
        let mut fields = Fields::new(bytes, (0, bytes.len()));
        let mut numbers = Vec::new();
        while let Some(field) = fields.next()? {
            numbers.push(field.number);
        }
        Ok(numbers)
    }

    #[test]
    fn damaged_messages_are_refused_where_they_are() {
        for (bytes, at) in [
            (&[0x80][..], 0),
            (&[0x00, 0x01], 0),
            (&[0x08, 0x80], 1),
            (&[0x0a, 0x02, 0x00], 1),
            (&[0x09, 0, 0, 0], 1),
            (&[0x0d, 0, 0, 0], 1),
            (&[0x0e], 1),
            (&[0x0c], 0),
            (&[0x0b, 0x08, 0x01], 1),
            (&[0x0b, 0x14], 1),
            (
                &[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
                1,
            ),
        ] {
            assert_eq!(all(bytes).map_err(|fault| fault.at), Err(at), "{bytes:?}");
        }
        let good = [0x08, 0x01, 0x13, 0x0b, 0x0c, 0x14, 0x1a, 0x00];
        assert_eq!(all(&good).map_err(|fault| fault.reason), Ok(vec![1, 2, 3]));
        assert_eq!([0, 1, 2, u64::MAX].map(zigzag), [0, -1, 1, i64::MIN]);
    }
}
