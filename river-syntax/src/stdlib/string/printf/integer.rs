//! Integers, and the characters that they stand for.

use std::fmt::Write as _;

use super::output::Output;
use super::text::quoted_char;
use crate::eval::Exceeded;

pub(super) fn has(verb: char) -> bool {
    "vdboOxXcqU".contains(verb)
}

pub(super) fn write(out: &mut Output<'_>, verb: char, value: i128, signed: bool) -> Result<(), Exceeded> {
    let spec = out.spec;
    let size = value.unsigned_abs();
    let digits = match verb {
        'c' => return out.pad(character(value).encode_utf8(&mut [0; char::MAX_LEN_UTF8])),
        'q' => {
            let quoted = quoted_char(character(value), spec.plus);
            return out.pad(&quoted);
        }
        'U' => return unicode(out, value),
        'v' if spec.sharp_v && !signed => format!("0x{size:x}"),
        'd' | 'v' => size.to_string(),
        'b' => format!("{size:b}"),
        'o' | 'O' => format!("{size:o}"),
        'x' => format!("{size:x}"),
        _ => format!("{size:X}"),
    };
    let sign = match (value < 0, spec.plus, spec.space) {
        (true, _, _) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        (false, false, false) => "",
    };
    if spec.precision == Some(0) && size == 0 {
        return out.pad_with_blanks("");
    }
    // Zeros are digits here, so that they come after the sign and the prefix.
    let least = match (spec.precision, spec.width) {
        (Some(precision), _) => precision,
        (None, Some(width)) if spec.zero && !spec.minus => width - sign.len().min(width),
        _ => 0,
    };
    let zeros = least.saturating_sub(digits.len());
    let prefix = match verb {
        'O' => "0o",
        'b' if spec.sharp => "0b",
        'x' if spec.sharp => "0x",
        'X' if spec.sharp => "0X",
        'o' if spec.sharp && zeros == 0 && !digits.starts_with('0') => "0",
        _ => "",
    };
    let text = out.with_zeros(&format!("{sign}{prefix}"), zeros, &digits)?;
    out.pad_with_blanks(&text)
}

/// What is no character is the replacement character.
fn character(value: i128) -> char {
    u32::try_from(value)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// `U+0041`, with `#` also the character.
fn unicode(out: &mut Output<'_>, value: i128) -> Result<(), Exceeded> {
    // As in Go, the bits of a negative number.
    let bits = value & i128::from(u64::MAX);
    let digits = format!("{bits:X}");
    let least = out.spec.precision.unwrap_or(0).max(4);
    let mut text = out.with_zeros("U+", least.saturating_sub(digits.len()), &digits)?;
    if let Some(c) = u32::try_from(bits).ok().and_then(char::from_u32)
        && out.spec.sharp
        && super::text::is_printable(c)
    {
        // Writing to a string does not fail.
        let _ = write!(text, " '{c}'");
    }
    out.pad_with_blanks(&text)
}
