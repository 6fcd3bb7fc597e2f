//! Parsing of kernel text as bytes. Everything here is total: odd input gives `None` or fewer items, never a
//! panic, and nothing allocates but the repair of invalid UTF-8.

use std::borrow::Cow;

/// The lines of `text`, without their line feeds; no empty line for a final line feed.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let empty = text.is_empty();
    text.split(|&byte| byte == b'\n').filter(move |_| !empty)
}

/// The words of `line`, split at runs of ASCII white space.
pub(crate) fn fields(line: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    line.split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
}

/// The text before and after the first `byte`, both trimmed.
pub(crate) fn split_once(line: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(byte, line)?;
    Some((line[..at].trim_ascii(), line[at + 1..].trim_ascii()))
}

/// A decimal number without sign.
pub(crate) fn decimal(word: &[u8]) -> Option<u64> {
    if word.is_empty() {
        return None;
    }
    word.iter().try_fold(0_u64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// A decimal number with an optional sign.
pub(crate) fn signed(word: &[u8]) -> Option<i64> {
    match word.split_first()? {
        (b'-', digits) => 0_i64.checked_sub_unsigned(decimal(digits)?),
        (b'+', digits) => decimal(digits)?.try_into().ok(),
        _ => decimal(word)?.try_into().ok(),
    }
}

/// A hexadecimal number without prefix or sign.
pub(crate) fn hexadecimal(word: &[u8]) -> Option<u64> {
    if word.is_empty() {
        return None;
    }
    word.iter().try_fold(0_u64, |value, byte| {
        let digit = char::from(*byte).to_digit(16)?;
        if value >> 60 != 0 {
            return None;
        }
        Some(value << 4 | u64::from(digit))
    })
}

/// A number whose base its prefix tells, as Go's `strconv` reads base 0: `0x`, `0o`, `0b`, leading `0` for
/// octal; with an optional sign.
pub(crate) fn auto_base(word: &[u8]) -> Option<i128> {
    let (negative, digits) = match word.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, word),
    };
    let (radix, digits) = match digits {
        [b'0', b'x' | b'X', rest @ ..] => (16, rest),
        [b'0', b'o' | b'O', rest @ ..] => (8, rest),
        [b'0', b'b' | b'B', rest @ ..] => (2, rest),
        [b'0', rest @ ..] if !rest.is_empty() => (8, rest),
        _ => (10, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let value = digits.iter().try_fold(0_u64, |value, byte| {
        let digit = char::from(*byte).to_digit(radix)?;
        value.checked_mul(u64::from(radix))?.checked_add(u64::from(digit))
    })?;
    Some(if negative {
        -i128::from(value)
    } else {
        i128::from(value)
    })
}

/// A number as Go's `strconv.ParseFloat` reads it. Whole numbers, nearly all the kernel prints, take a short way.
pub(crate) fn float(word: &[u8]) -> Option<f64> {
    match decimal(word) {
        Some(value) => Some(value as f64),
        None => std::str::from_utf8(word).ok()?.parse().ok(),
    }
}

/// `bytes` as text; each run of invalid UTF-8 becomes one U+FFFD, since a label value has to be valid.
pub(crate) fn utf8(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    let mut open = false;
    for chunk in bytes.utf8_chunks() {
        if !chunk.valid().is_empty() {
            text.push_str(chunk.valid());
            open = false;
        }
        if !chunk.invalid().is_empty() && !open {
            text.push(char::REPLACEMENT_CHARACTER);
            open = true;
        }
    }
    Cow::Owned(text)
}

/// `name` as part of a metric's name: each run of other characters, with the underscores about it, is one underscore.
pub(crate) fn metric_name(name: &str) -> String {
    let mut clean = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()) {
        clean.push_str(rest[..at].trim_end_matches('_'));
        clean.push('_');
        rest = rest[at..]
            .trim_start_matches(|c: char| c != '_' && !c.is_ascii_alphanumeric())
            .trim_start_matches('_');
    }
    clean.push_str(rest);
    clean
}

/// Decimal digits of a number on the stack: label values such as CPU numbers.
pub(crate) struct Decimal {
    digits: [u8; 20],
    start: usize,
}

impl Decimal {
    pub(crate) fn new(mut value: u64) -> Self {
        let mut digits = [b'0'; 20];
        let mut start = digits.len();
        loop {
            start -= 1;
            digits[start] += (value % 10) as u8;
            value /= 10;
            if value == 0 {
                return Self { digits, start };
            }
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.digits[self.start..]).unwrap_or_default()
    }
}

/// The members of a kernel CPU list such as `0-3,8`; `None` if it is malformed or absurdly long.
pub(crate) fn cpu_list(list: &[u8]) -> Option<Vec<u64>> {
    const MOST: u64 = 1 << 16;
    let mut cpus = Vec::new();
    for part in list
        .trim_ascii()
        .split(|&byte| byte == b',')
        .filter(|part| !part.is_empty())
    {
        let (from, to) = match split_once(part, b'-') {
            Some((from, to)) => (decimal(from)?, decimal(to)?),
            None => (decimal(part)?, decimal(part)?),
        };
        if to.checked_sub(from)? >= MOST || cpus.len() as u64 >= MOST {
            return None;
        }
        cpus.extend(from..=to);
    }
    Some(cpus)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers() {
        assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(decimal(b"18446744073709551616"), None);
        assert_eq!(decimal(b""), None);
        assert_eq!(decimal(b"-1"), None);
        assert_eq!(signed(b"-9223372036854775808"), Some(i64::MIN));
        assert_eq!(signed(b"+7"), Some(7));
        assert_eq!(hexadecimal(b"ffffffffffffffff"), Some(u64::MAX));
        assert_eq!(hexadecimal(b"1ffffffffffffffff"), None);
        assert_eq!(auto_base(b"0x10"), Some(16));
        assert_eq!(auto_base(b"010"), Some(8));
        assert_eq!(auto_base(b"-0b11"), Some(-3));
        assert_eq!(auto_base(b"0"), Some(0));
        assert_eq!(auto_base(b"09"), None);
        assert_eq!(float(b"12.5"), Some(12.5));
        assert_eq!(Decimal::new(u64::MAX).as_str(), "18446744073709551615");
        assert_eq!(Decimal::new(0).as_str(), "0");
    }

    #[test]
    fn lists() {
        assert_eq!(cpu_list(b"0-2,5\n"), Some(vec![0, 1, 2, 5]));
        assert_eq!(cpu_list(b"\n"), Some(vec![]));
        assert_eq!(cpu_list(b"3-1"), None);
        assert_eq!(cpu_list(b"0-18446744073709551615"), None);
        assert_eq!(lines(b"a\n\nb\n").count(), 3);
        assert_eq!(lines(b"").count(), 0);
    }

    #[test]
    fn names_of_metrics() {
        assert_eq!(metric_name("fs.file-nr"), "fs_file_nr");
        assert_eq!(metric_name("a_-_.b__c"), "a__b__c");
        assert_eq!(metric_name("-a-"), "_a_");
        assert_eq!(metric_name("package"), "package");
    }

    #[test]
    fn one_replacement_for_a_run_of_bad_bytes() {
        assert_eq!(utf8(b"a\xff\xfe\xfdb\xff"), "a\u{fffd}b\u{fffd}");
        assert_eq!(utf8("gr\u{fc}n".as_bytes()), "gr\u{fc}n");
    }

    proptest! {
        #[test]
        fn decimal_digits_read_back(value: u64) {
            prop_assert_eq!(decimal(Decimal::new(value).as_str().as_bytes()), Some(value));
            prop_assert_eq!(hexadecimal(format!("{value:x}").as_bytes()), Some(value));
        }

        #[test]
        fn nothing_panics(word: Vec<u8>) {
            let _ = (signed(&word), hexadecimal(&word), auto_base(&word), float(&word), cpu_list(&word));
            prop_assert!(fields(&word).all(|field| !field.is_empty()));
            prop_assert!(utf8(&word).chars().count() <= word.len());
        }
    }
}
