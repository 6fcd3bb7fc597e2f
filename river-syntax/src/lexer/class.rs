//! What tokens begin with, by byte.

use crate::token::TokenKind;

/// What a byte begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// A line break.
    Break,
    /// An identifier or a keyword.
    Word,
    Digit,
    /// A number or a token of its own.
    Dot,
    /// A comment or a token of its own.
    Slash,
    Quote,
    Backtick,
    Apostrophe,
    /// A token of one byte.
    Single,
    /// A token of one or two bytes.
    Double,
    /// A character of several bytes.
    Wide,
    /// No token.
    None,
}

/// The class of each byte.
pub(super) static CLASSES: [Class; 256] = classes();

/// The kind of the token that a byte is.
pub(super) static SINGLES: [TokenKind; 128] = singles();

const fn singles() -> [TokenKind; 128] {
    let mut singles = [TokenKind::Illegal; 128];
    singles[b'+' as usize] = TokenKind::Add;
    singles[b'-' as usize] = TokenKind::Sub;
    singles[b'*' as usize] = TokenKind::Mul;
    singles[b'%' as usize] = TokenKind::Mod;
    singles[b'^' as usize] = TokenKind::Pow;
    singles[b'{' as usize] = TokenKind::LCurly;
    singles[b'}' as usize] = TokenKind::RCurly;
    singles[b'(' as usize] = TokenKind::LParen;
    singles[b')' as usize] = TokenKind::RParen;
    singles[b'[' as usize] = TokenKind::LBrack;
    singles[b']' as usize] = TokenKind::RBrack;
    singles[b',' as usize] = TokenKind::Comma;
    singles
}

/// The byte that a token of one or two bytes goes on with, and what it is with that and without.
pub(super) fn double(first: u8) -> (u8, TokenKind, TokenKind) {
    match first {
        b'|' => (b'|', TokenKind::Or, TokenKind::Illegal),
        b'&' => (b'&', TokenKind::And, TokenKind::Illegal),
        b'!' => (b'=', TokenKind::Ne, TokenKind::Not),
        b'<' => (b'=', TokenKind::Le, TokenKind::Lt),
        b'>' => (b'=', TokenKind::Ge, TokenKind::Gt),
        _ => (b'=', TokenKind::Eq, TokenKind::Assign),
    }
}

const fn classes() -> [Class; 256] {
    let mut classes = [Class::None; 256];
    let mut byte = 0_u8;
    loop {
        classes[byte as usize] = class(byte);
        if byte == u8::MAX {
            return classes;
        }
        byte += 1;
    }
}

const fn class(byte: u8) -> Class {
    match byte {
        b'\n' => Class::Break,
        b'a'..=b'z' | b'A'..=b'Z' | b'_' => Class::Word,
        b'0'..=b'9' => Class::Digit,
        b'.' => Class::Dot,
        b'/' => Class::Slash,
        b'"' => Class::Quote,
        b'`' => Class::Backtick,
        b'\'' => Class::Apostrophe,
        b'|' | b'&' | b'!' | b'=' | b'<' | b'>' => Class::Double,
        b'+' | b'-' | b'*' | b'%' | b'^' | b'{' | b'}' | b'(' | b')' | b'[' | b']' | b',' => Class::Single,
        0x80.. => Class::Wide,
        _ => Class::None,
    }
}

/// How many of the first bytes are ASCII letters, digits and underscores, eight at a time.
pub(super) fn word_length(bytes: &[u8]) -> usize {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut length = 0;
    while let Some(eight) = bytes.get(length..).and_then(<[u8]>::first_chunk) {
        // The high bit of each byte says whether the byte is one of them; no sum carries, as the high bits are clear before.
        let text = u64::from_le_bytes(*eight);
        let ascii = text & !HIGH;
        let lower = ascii | each(0x20);
        let letters = (lower + each(0x80 - b'a')) & !(lower + each(0x7f - b'z'));
        let digits = (ascii + each(0x80 - b'0')) & !(ascii + each(0x7f - b'9'));
        let underscores = !((ascii ^ each(b'_')) + each(0x7f));
        let others = !((letters | digits | underscores) & !text) & HIGH;
        if others != 0 {
            return length + others.trailing_zeros() as usize / 8;
        }
        length += eight.len();
    }
    let rest = bytes.get(length..).unwrap_or_default();
    let word = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    length + rest.iter().take_while(word).count()
}

const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_at_what_is_no_letter_digit_or_underscore() {
        for byte in 0..=u8::MAX {
            let word = byte.is_ascii_alphanumeric() || byte == b'_';
            for before in 0..20 {
                for after in [0, 1, 20] {
                    let text = [vec![b'z'; before], vec![byte], vec![b'0'; after]].concat();
                    let length = if word { text.len() } else { before };
                    assert_eq!(word_length(&text), length, "{}", text.escape_ascii());
                }
            }
        }
    }
}
