//! Numbers in as many bytes as they need: most of what is measured is zero or a small whole number.
//!
//! That takes less than half of the room, at a tenth of what a general compressor costs.

use super::Input;

/// Bytes of a value by its tag: a whole number of so many bytes, or an f64.
const WIDTHS: [usize; 4] = [0, 2, 4, 8];
const FLOAT: u8 = 3;

/// Appends `count` values: the tags, four in a byte, then the values.
pub(super) fn put(out: &mut Vec<u8>, count: usize, values: impl Iterator<Item = f64>) {
    let start = out.len();
    let mut at = start + count.div_ceil(4);
    // Room for each at its longest; what is written of a shorter one is written over by the next.
    out.resize(at + 8 * count, 0);
    let mut tags = 0;
    for (nth, value) in values.take(count).enumerate() {
        let (tag, bytes) = narrow(value);
        tags |= tag << (nth % 4 * 2);
        if nth % 4 == 3 {
            out[start + nth / 4] = tags;
            tags = 0;
        }
        out[at..at + 8].copy_from_slice(&bytes);
        at += WIDTHS[usize::from(tag)];
    }
    if !count.is_multiple_of(4) {
        out[start + count / 4] = tags;
    }
    out.truncate(at);
}

/// The tag of a value and its bytes, those that count first.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "what does not come back is kept as it is"
)]
fn narrow(value: f64) -> (u8, [u8; 8]) {
    let whole = value as i32;
    // Compared as bits: minus zero is not zero, and no NaN is another.
    if f64::from(whole).to_bits() != value.to_bits() {
        return (FLOAT, value.to_bits().to_le_bytes());
    }
    let tag = u8::from(whole != 0) + u8::from(i32::from(whole as i16) != whole);
    (tag, i64::from(whole).to_le_bytes())
}

/// Reads `count` values and gives each to `each`; `None` when they are not all there.
pub(super) fn read(input: &mut Input<'_>, count: usize, mut each: impl FnMut(f64)) -> Option<()> {
    let tags = input.bytes(count.div_ceil(4))?;
    for nth in 0..count {
        let tag = tags.get(nth / 4)? >> (nth % 4 * 2) & 3;
        let bytes = input.bytes(WIDTHS[usize::from(tag)])?;
        each(match tag {
            0 => 0.0,
            1 => i16::from_le_bytes(*bytes.first_chunk()?).into(),
            2 => i32::from_le_bytes(*bytes.first_chunk()?).into(),
            _ => f64::from_bits(u64::from_le_bytes(*bytes.first_chunk()?)),
        });
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn again(values: &[f64]) -> (usize, Vec<u64>) {
        let (mut out, mut read_again) = (vec![7], Vec::new());
        put(&mut out, values.len(), values.iter().copied());
        let mut input = Input::new(&out[1..]);
        read(&mut input, values.len(), |value| read_again.push(value.to_bits())).unwrap();
        assert!(input.is_at_end());
        // What is cut off is missed.
        let mut short = Input::new(&out[1..out.len() - 1]);
        assert!(read(&mut short, values.len(), |_| ()).is_none());
        (out.len() - 1, read_again)
    }

    #[test]
    fn small_numbers_are_short() {
        let of_each = [
            (0.0, 1),
            (-0.0, 9),
            (1.0, 3),
            (-32_768.0, 3),
            (32_768.0, 5),
            (2_147_483_647.0, 5),
            (-2_147_483_648.0, 5),
            (2_147_483_648.0, 9),
            (0.5, 9),
            (f64::INFINITY, 9),
            (f64::from_bits(0x7ff0_0000_0000_0002), 9),
        ];
        for (value, bytes) in of_each {
            assert_eq!(again(&[value]), (bytes, vec![value.to_bits()]), "{value}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(values in proptest::collection::vec(prop_oneof![
            any::<f64>(), any::<i16>().prop_map(f64::from), any::<i32>().prop_map(f64::from), Just(0.0),
        ], 1..40)) {
            let bits: Vec<u64> = values.iter().map(|value| value.to_bits()).collect();
            prop_assert_eq!(again(&values).1, bits);
        }
    }
}
