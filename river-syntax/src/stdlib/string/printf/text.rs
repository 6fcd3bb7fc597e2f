//! Texts, plainly, quoted and in hexadecimal.

use std::fmt::Write as _;

use super::output::Output;
use crate::eval::Exceeded;

pub(super) fn has(verb: char) -> bool {
    "vsqxX".contains(verb)
}

pub(super) fn write(out: &mut Output<'_>, verb: char, text: &str) -> Result<(), Exceeded> {
    let spec = out.spec;
    match verb {
        'x' | 'X' => hexadecimal(out, verb == 'X', text),
        'v' if !spec.sharp_v => out.pad(cut(text, spec.precision)),
        's' => out.pad(cut(text, spec.precision)),
        _ => {
            let text = cut(text, spec.precision);
            if spec.sharp && can_be_raw(text) {
                return out.pad(&format!("`{text}`"));
            }
            out.pad(&quoted(text, spec.plus))
        }
    }
}

/// The first so many characters.
fn cut(text: &str, precision: Option<usize>) -> &str {
    let end = precision.and_then(|precision| text.char_indices().nth(precision));
    end.map_or(text, |(end, _)| &text[..end])
}

fn hexadecimal(out: &mut Output<'_>, upper: bool, text: &str) -> Result<(), Exceeded> {
    let spec = out.spec;
    let bytes = text.as_bytes();
    let bytes = &bytes[..bytes.len().min(spec.precision.unwrap_or(usize::MAX))];
    let prefix = match (spec.sharp, upper) {
        (false, _) => "",
        (true, false) => "0x",
        (true, true) => "0X",
    };
    let mut digits = String::new();
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 && spec.space {
            digits.push(' ');
        }
        if at == 0 || spec.space {
            digits.push_str(prefix);
        }
        // Writing to a string does not fail.
        let _ = if upper {
            write!(digits, "{byte:02X}")
        } else {
            write!(digits, "{byte:02x}")
        };
    }
    out.pad(&digits)
}

/// Whether a raw string of Go can hold it.
fn can_be_raw(text: &str) -> bool {
    !text
        .chars()
        .any(|c| matches!(c, '`' | '\u{feff}' | '\u{7f}') || (c < ' ' && c != '\t'))
}

/// A text in double quotes, with Go's escapes.
fn quoted(text: &str, ascii: bool) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    text.chars().for_each(|c| escape(&mut out, c, '"', ascii));
    out.push('"');
    out
}

/// A character in single quotes, with Go's escapes.
pub(super) fn quoted_char(c: char, ascii: bool) -> String {
    let mut out = String::from("'");
    escape(&mut out, c, '\'', ascii);
    out.push('\'');
    out
}

fn escape(out: &mut String, c: char, quote: char, ascii: bool) {
    match c {
        '\\' => out.push_str("\\\\"),
        '\u{7}' => out.push_str("\\a"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{b}' => out.push_str("\\v"),
        c if c == quote => {
            out.push('\\');
            out.push(c);
        }
        c if is_printable(c) && (c.is_ascii() || !ascii) => out.push(c),
        c => {
            let code = u32::from(c);
            // Writing to a string does not fail.
            let _ = match code {
                0..0x20 | 0x7f => write!(out, "\\x{code:02x}"),
                0..0x10000 => write!(out, "\\u{code:04x}"),
                _ => write!(out, "\\U{code:08x}"),
            };
        }
    }
}

/// Letters, marks, numbers, punctuation, symbols and the ASCII blank, as Go's `unicode.IsPrint`.
pub(super) fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return c == ' ' || c.is_ascii_graphic();
    }
    // Behind another character, so that a mark that stands on it counts.
    let mut text = String::from("a");
    text.push(c);
    text.escape_debug().nth(1) == Some(c)
}
