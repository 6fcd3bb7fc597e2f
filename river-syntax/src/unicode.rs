//! Which characters make an identifier: letters and `_`, then also decimal digits.

/// Whether an identifier may start with `c`.
pub(crate) fn is_ident_start(c: char) -> bool {
    c == '_' || c.is_ascii_alphabetic() || (!c.is_ascii() && c.is_alphabetic())
}

/// Whether an identifier may go on with `c`.
pub(crate) fn is_ident_continue(c: char) -> bool {
    is_ident_start(c) || c.is_ascii_digit() || (!c.is_ascii() && c.is_numeric() && is_decimal_digit(c))
}

/// Whether the name is an identifier; keywords are not.
pub(crate) fn is_identifier(name: &str) -> bool {
    let in_full = || {
        let mut chars = name.chars();
        chars.next().is_some_and(is_ident_start) && chars.all(is_ident_continue)
    };
    let in_ascii = || {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    (in_ascii() || in_full()) && !matches!(name, "true" | "false" | "null")
}

/// First digits of the runs of ten that make up the category Nd beyond ASCII (Unicode 16, BMP and the common supplementary ones).
const DIGIT_RUNS: &[u32] = &[
    0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0de6,
    0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0,
    0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30,
    0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0,
    0x11950, 0x11c50, 0x11d50, 0x11da0, 0x11f50, 0x16a60, 0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2,
    0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e950, 0x1fbf0,
];

fn is_decimal_digit(c: char) -> bool {
    let code = u32::from(c);
    let run = DIGIT_RUNS.partition_point(|&first| first <= code);
    run.checked_sub(1).is_some_and(|run| code - DIGIT_RUNS[run] < 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_take_unicode_letters_and_decimal_digits() {
        for name in ["a", "_", "größe", "x٣", "名前", "a_1"] {
            assert!(is_identifier(name), "{name}");
        }
        for name in ["", "1a", "a-b", "x²", "true", "a b"] {
            assert!(!is_identifier(name), "{name}");
        }
    }
}
