//! Numbers as the text formats write them: the syntax of Go's `strconv.ParseFloat` as it was before Go 1.13
//! (no underscores, no hexadecimal), and decimal timestamps.
//!
//! Invariant: the fast path gives the same bits as the general one. It only takes numbers whose digits fit the
//! 53 bits of a double and whose power of ten is exact, where one multiplication or division rounds correctly
//! (Clinger 1990).

/// Bits of the NaN that every NaN read becomes (Prometheus `model/value`, `NormalNaN`).
const NORMAL_NAN: u64 = 0x7ff8_0000_0000_0001;

/// Powers of ten that a double represents exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// Reads the number at the start of `text` where it is an ordinary one that ends before a blank, a line feed
/// or the end. Returns the value and the number's length; `None` says that [`parse_float`] has to look at it.
#[inline]
pub(crate) fn fast_float(text: &[u8]) -> Option<(f64, usize)> {
    // Most values are whole numbers of up to seven digits, and most are followed by more than one byte.
    if let Some(eight) = text.first_chunk() {
        let bytes = u64::from_le_bytes(*eight) ^ (ONES * 0x30);
        let others = others(bytes);
        let at = others.trailing_zeros() as usize / 8;
        if (1..8).contains(&at) && matches!(eight[at], b'\n' | b' ') {
            let value = u32::try_from(eight_digits(bytes << (64 - 8 * at))).ok()?;
            return Some((f64::from(value), at));
        }
    }
    ordinary_float(text)
}

#[inline(never)]
fn ordinary_float(text: &[u8]) -> Option<(f64, usize)> {
    let negative = text.first() == Some(&b'-');
    let mut at = usize::from(negative);
    let (mut mantissa, mut digits) = read_digits(text.get(at..)?, 0);
    at += digits;
    let mut exponent: i32 = 0;
    if text.get(at) == Some(&b'.') {
        at += 1;
        let (joined, fraction) = read_digits(text.get(at..)?, mantissa);
        mantissa = joined;
        at += fraction;
        digits += fraction;
        exponent = -i32::try_from(fraction).ok()?;
    }
    // 19 digits cannot wrap 64 bits.
    if digits == 0 || digits > 19 || mantissa > 1 << 53 {
        return None;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        at += 1;
        let falls = text.get(at) == Some(&b'-');
        at += usize::from(falls || text.get(at) == Some(&b'+'));
        let first = at;
        let mut power: i32 = 0;
        while let Some(digit) = digit(text, at) {
            power = power * 10 + i32::try_from(digit).ok()?;
            at += 1;
            if at - first > 3 {
                return None;
            }
        }
        if at == first {
            return None;
        }
        exponent += if falls { -power } else { power };
    }
    if !matches!(text.get(at), None | Some(b' ' | b'\t' | b'\n')) {
        return None;
    }
    let value = mantissa as f64;
    let value = match exponent {
        0 => value,
        1..=22 => value * POWERS[usize::try_from(exponent).ok()?],
        -22..=-1 => value / POWERS[usize::try_from(-exponent).ok()?],
        _ if mantissa == 0 => value,
        _ => return None,
    };
    Some((if negative { -value } else { value }, at))
}

/// A byte of 1 in each place.
const ONES: u64 = u64::from_le_bytes([1; 8]);

/// The high bit of each byte above 9: of what is no digit, once the bytes of `0` are taken off.
#[inline]
fn others(bytes: u64) -> u64 {
    // What is above 9 carries into the high bit, or has it already.
    (((bytes & (ONES * 0x7f)) + ONES * 0x76) | bytes) & (ONES * 0x80)
}

/// Appends the digits at the start of `text` to the number `mantissa`, and counts them. Wraps if there are too many.
fn read_digits(text: &[u8], mut mantissa: u64) -> (u64, usize) {
    let mut rest = text;
    while let Some((eight, behind)) = rest.split_first_chunk() {
        let bytes = u64::from_le_bytes(*eight) ^ (ONES * 0x30);
        if others(bytes) != 0 {
            break;
        }
        mantissa = mantissa
            .wrapping_mul(100_000_000)
            .wrapping_add(eight_digits(bytes));
        rest = behind;
    }
    let mut at = 0;
    while let Some(digit) = digit(rest, at) {
        mantissa = mantissa.wrapping_mul(10).wrapping_add(digit);
        at += 1;
    }
    (mantissa, text.len() - rest.len() + at)
}

/// The number whose eight digits the bytes are, the first in the lowest: three multiplications instead of eight
/// (after Lemire, "Quickly parsing eight digits", 2022).
#[inline]
fn eight_digits(bytes: u64) -> u64 {
    const LOW: u64 = 0x0000_00ff_0000_00ff;
    // By pairs, then by fours, then all.
    let pairs = bytes.wrapping_mul(10).wrapping_add(bytes >> 8);
    let upper = (pairs & LOW).wrapping_mul(100 + (1_000_000 << 32));
    let lower = ((pairs >> 16) & LOW).wrapping_mul(1 + (10_000 << 32));
    upper.wrapping_add(lower) >> 32
}

#[inline]
fn digit(text: &[u8], at: usize) -> Option<u64> {
    let digit = text.get(at)?.wrapping_sub(b'0');
    (digit < 10).then_some(u64::from(digit))
}

/// Reads a whole number token. The error is the reason, for a message.
pub(crate) fn parse_float(token: &[u8]) -> Result<f64, &'static str> {
    if token.iter().any(|b| matches!(b, b'p' | b'P' | b'_')) {
        return Err("unsupported character in number");
    }
    let text = std::str::from_utf8(token).map_err(|_| "invalid number")?;
    let value: f64 = text.parse().map_err(|_| "invalid number")?;
    if value.is_nan() {
        // Go takes no sign before NaN.
        return if token.len() == 3 {
            Ok(f64::from_bits(NORMAL_NAN))
        } else {
            Err("invalid number")
        };
    }
    if value.is_infinite() && token.iter().any(u8::is_ascii_digit) {
        return Err("number out of range");
    }
    Ok(value)
}

/// Reads a timestamp in milliseconds: decimal digits, with an optional minus sign before them.
///
/// The format document has a negative timestamp in its example; Prometheus' lexer knows digits only.
pub(crate) fn parse_timestamp(token: &[u8]) -> Result<i64, &'static str> {
    let digits = token.strip_prefix(b"-").unwrap_or(token);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err("invalid timestamp");
    }
    std::str::from_utf8(token)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or("timestamp out of range")
}

/// Reads a timestamp of OpenMetrics, in seconds, as milliseconds; what is below one is cut off.
pub(crate) fn parse_seconds(token: &[u8]) -> Result<i64, &'static str> {
    let seconds = match fast_float(token) {
        Some((seconds, length)) if length == token.len() => seconds,
        _ => parse_float(token)?,
    };
    if !seconds.is_finite() {
        return Err("timestamp is not a time");
    }
    Ok(to_millis(seconds))
}

/// Seconds as milliseconds, within what there is.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast saturates, and what is below a millisecond goes"
)]
pub(crate) fn to_millis(seconds: f64) -> i64 {
    (seconds * 1000.0) as i64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn goes_float_syntax_and_nothing_more() {
        for (text, value) in [
            ("0", 0.0),
            ("+1.5", 1.5),
            (".5", 0.5),
            ("5.", 5.0),
            ("1e3", 1000.0),
            ("-1E-3", -0.001),
            ("Inf", f64::INFINITY),
            ("+inf", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
            ("5e-324", 5e-324),
            ("1e-400", 0.0),
        ] {
            assert_eq!(parse_float(text.as_bytes()), Ok(value), "{text}");
        }
        for text in [
            "", ".", "e5", "1e", "1e+", "0x1p4", "1_000", "+nan", "-NaN", "nano", "infi", "1e400", "true",
            "1 ",
        ] {
            assert!(parse_float(text.as_bytes()).is_err(), "{text}");
        }
        for text in ["NaN", "nan", "NAN"] {
            assert_eq!(parse_float(text.as_bytes()).map(f64::to_bits), Ok(NORMAL_NAN));
        }
    }

    #[test]
    fn minus_zero_keeps_its_sign() {
        assert_eq!(
            fast_float(b"-0").map(|(value, _)| value.to_bits()),
            Some((-0.0f64).to_bits())
        );
    }

    #[test]
    fn the_fast_path_leaves_the_unusual_to_the_general_one() {
        for text in [
            "NaN",
            "+1",
            "1x",
            "1e",
            "",
            "-",
            ".",
            "12345678901234567890",
            "1e23",
            "9007199254740993",
            "1{",
        ] {
            assert_eq!(fast_float(text.as_bytes()), None, "{text}");
        }
        assert_eq!(fast_float(b"0e999 5"), Some((0.0, 5)));
        assert_eq!(fast_float(b"1.5e+03\n"), Some((1500.0, 7)));
    }

    #[test]
    fn timestamps_are_decimal_integers() {
        assert_eq!(parse_timestamp(b"-5"), Ok(-5));
        assert_eq!(parse_timestamp(b"9223372036854775807"), Ok(i64::MAX));
        for text in ["", "-", "+5", "5.5", "NaN", "9223372036854775808", "--5"] {
            assert!(parse_timestamp(text.as_bytes()).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn both_paths_agree(text in r"-?[0-9]{0,20}(\.[0-9]{0,20})?([eE][+-]?[0-9]{1,3})?") {
            if let Some((value, length)) = fast_float(text.as_bytes()) {
                prop_assert_eq!(length, text.len());
                prop_assert_eq!(parse_float(text.as_bytes()).map(f64::to_bits), Ok(value.to_bits()));
                // What follows changes nothing, though more bytes are looked at.
                for behind in ["\n", " 1234567890", "\n99999999\u{ff}\u{ff}"] {
                    prop_assert_eq!(fast_float(format!("{text}{behind}").as_bytes()), Some((value, length)));
                }
            }
        }

        #[test]
        fn no_input_panics(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = fast_float(&text);
            let _ = parse_float(&text);
            let _ = parse_timestamp(&text);
        }
    }
}
