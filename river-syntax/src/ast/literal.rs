//! Literals and what they stand for.

use crate::token::TokenKind;
use crate::value::{Number, Value};

/// A literal, as it is written. The parser has seen to it that it stands for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Literal<'t> {
    pub(super) text: &'t str,
    pub(super) kind: TokenKind,
}

impl<'t> Literal<'t> {
    /// As written.
    pub fn text(self) -> &'t str {
        self.text
    }

    /// A number, float, string, bool or `null`.
    pub fn kind(self) -> TokenKind {
        self.kind
    }

    /// What it stands for.
    pub fn value(self) -> Value {
        let value = match self.kind {
            TokenKind::Bool => Some(Value::Bool(self.text == "true")),
            TokenKind::Number | TokenKind::Float => {
                number(self.text, self.kind == TokenKind::Float).map(Value::Number)
            }
            TokenKind::String if self.text.starts_with('`') => Some(Value::from(unraw(self.text))),
            TokenKind::String => match plain(self.text) {
                Some(text) => Some(Value::from(text)),
                None => unescape(self.text).map(Value::from),
            },
            _ => None,
        };
        value.unwrap_or_default()
    }
}

/// The value of a number. A leading zero means octal, as in Alloy, where that makes sense; what is too large for a signed
/// integer becomes unsigned, and then a float.
fn number(text: &str, float: bool) -> Option<Number> {
    if !float {
        let (digits, radix) = match text.strip_prefix('0') {
            Some(rest) if !rest.is_empty() => (rest, 8),
            _ => (text, 10),
        };
        if let Ok(value) = i64::from_str_radix(digits, radix) {
            return Some(Number::Int(value));
        }
        if let Ok(value) = u64::from_str_radix(digits, radix) {
            return Some(Number::Uint(value));
        }
    }
    text.parse().ok().map(Number::Float)
}

/// The value of a raw string: what is between the backticks, without carriage returns.
fn unraw(text: &str) -> String {
    text.trim_matches('`').replace('\r', "")
}

/// What is between the quotes of a string that has no escapes.
fn plain(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    memchr::memchr(b'\\', inner.as_bytes()).is_none().then_some(inner)
}

/// The value of a quoted string that the lexer found right; `None` when its byte escapes do not make UTF-8.
pub(crate) fn unescape(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        let escape = &rest[at + 1..];
        let kind = escape.chars().next()?;
        let (length, digits) = match kind {
            '0'..='7' => (3, 8),
            'x' => (3, 16),
            'u' => (5, 16),
            'U' => (9, 16),
            _ => (1, 0),
        };
        let digits_text = || escape.get(usize::from(digits == 16)..length);
        match kind {
            'a' => out.push(0x07),
            'b' => out.push(0x08),
            'f' => out.push(0x0c),
            'n' => out.push(b'\n'),
            'r' => out.push(b'\r'),
            't' => out.push(b'\t'),
            'v' => out.push(0x0b),
            '\\' | '"' => out.push(u8::try_from(kind).ok()?),
            '0'..='7' | 'x' => out.push(u8::from_str_radix(digits_text()?, digits).ok()?),
            'u' | 'U' => {
                let code = u32::from_str_radix(digits_text()?, digits).ok()?;
                let mut buffer = [0; 4];
                out.extend_from_slice(char::from_u32(code)?.encode_utf8(&mut buffer).as_bytes());
            }
            _ => return None,
        }
        rest = escape.get(length..)?;
    }
    out.extend_from_slice(rest.as_bytes());
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_the_narrowest_type_that_holds_them() {
        assert_eq!(number("010", false), Some(Number::Int(8)));
        assert_eq!(number("08", false), Some(Number::Float(8.0)));
        assert_eq!(number("0", false), Some(Number::Int(0)));
        assert_eq!(number("9223372036854775808", false), Some(Number::Uint(1 << 63)));
        assert_eq!(
            number("18446744073709551616", false),
            Some(Number::Float(18_446_744_073_709_551_616.0))
        );
        assert_eq!(number("1.", true), Some(Number::Float(1.0)));
        assert_eq!(number(".5e1", true), Some(Number::Float(5.0)));
    }

    #[test]
    fn escapes() {
        assert_eq!(
            unescape(r#""\a\t\"\\\101\x41\u00e9\U0001F600""#).as_deref(),
            Some("\u{7}\t\"\\AAé😀")
        );
        assert_eq!(unescape(r#""\xc3\xa9""#).as_deref(), Some("é"));
        assert_eq!(unescape(r#""\xff""#), None);
    }
}
