//! JSON to values.

use crate::eval::{Budget, Exceeded};
use crate::value::{Object, Value};

/// The height of the highest value.
const MAX_DEPTH: usize = 128;

/// The value of a JSON text. Numbers become floats; half of a surrogate pair becomes the replacement character, as in Go.
pub(in crate::stdlib) fn decode(text: &str, budget: &Budget) -> Result<Value, String> {
    let mut reader = Reader {
        text,
        at: 0,
        depth: 0,
        budget,
    };
    reader.document().map_err(|fault| match fault {
        Fault::Exceeded(exceeded) => exceeded.to_string(),
        Fault::Wrong(problem) => format!("not valid JSON: {problem} {}", reader.place()),
    })
}

enum Fault {
    Exceeded(Exceeded),
    /// What is at the reader's place is wrong.
    Wrong(String),
}

impl From<Exceeded> for Fault {
    fn from(exceeded: Exceeded) -> Fault {
        Fault::Exceeded(exceeded)
    }
}

type Read<T> = Result<T, Fault>;

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    budget: &'a Budget,
}

impl Reader<'_> {
    fn place(&self) -> String {
        let before = &self.text[..self.text.floor_char_boundary(self.at)];
        let line = before.matches('\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1;
        format!("at line {line} column {column}")
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.byte() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn unexpected(&self, expected: &str) -> Fault {
        let rest = self.text.get(self.at..).unwrap_or("");
        Fault::Wrong(match rest.chars().next() {
            Some(c) => format!("expected {expected}, got '{}'", c.escape_debug()),
            None => format!("expected {expected}, got the end of the text"),
        })
    }

    fn document(&mut self) -> Read<Value> {
        let value = self.value()?;
        self.blanks();
        match self.byte() {
            None => Ok(value),
            Some(_) => Err(self.unexpected("the end of the text")),
        }
    }

    fn value(&mut self) -> Read<Value> {
        self.budget.elements(1)?;
        self.blanks();
        match self.byte() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => Ok(self.string()?.into()),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                let words = [
                    ("null", Value::Null),
                    ("true", Value::Bool(true)),
                    ("false", Value::Bool(false)),
                ];
                let rest = &self.text[self.at..];
                match words.into_iter().find(|(word, _)| rest.starts_with(word)) {
                    Some((word, value)) => {
                        self.at += word.len();
                        Ok(value)
                    }
                    None => Err(self.unexpected("a value")),
                }
            }
        }
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Read<Value>) -> Read<Value> {
        if self.depth >= MAX_DEPTH {
            return Err(Fault::Wrong(format!("nested more than {MAX_DEPTH} levels deep")));
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn array(&mut self) -> Read<Value> {
        let mut items = Vec::new();
        self.blanks();
        if self.eat(b']') {
            return Ok(Value::array(items));
        }
        loop {
            items.push(self.value()?);
            self.blanks();
            if self.eat(b']') {
                return Ok(Value::array(items));
            }
            if !self.eat(b',') {
                return Err(self.unexpected("',' or ']'"));
            }
        }
    }

    fn object(&mut self) -> Read<Value> {
        let mut fields = Object::new();
        self.blanks();
        if self.eat(b'}') {
            return Ok(Value::object(fields));
        }
        loop {
            self.blanks();
            if self.byte() != Some(b'"') {
                return Err(self.unexpected("a key in quotes"));
            }
            let key = self.string()?;
            self.budget.field(&key)?;
            self.blanks();
            if !self.eat(b':') {
                return Err(self.unexpected("':'"));
            }
            let value = self.value()?;
            fields.insert(key, value);
            self.blanks();
            if self.eat(b'}') {
                return Ok(Value::object(fields));
            }
            if !self.eat(b',') {
                return Err(self.unexpected("',' or '}'"));
            }
        }
    }

    fn digits(&mut self) -> Read<()> {
        let start = self.at;
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.unexpected("a digit"));
        }
        Ok(())
    }

    fn number(&mut self) -> Read<Value> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _ = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        let text = &self.text[start..self.at];
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number.into()),
            _ => {
                self.at = start;
                Err(Fault::Wrong(format!("{text} is too large a number")))
            }
        }
    }

    fn string(&mut self) -> Read<String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let end = rest
                .bytes()
                .position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))
                .unwrap_or(rest.len());
            self.budget.text(end)?;
            out.push_str(&rest[..end]);
            self.at += end;
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    self.budget.text(char::MAX_LEN_UTF8)?;
                    self.escape(&mut out)?;
                }
                Some(_) => return Err(Fault::Wrong("a control character in a string".to_owned())),
                None => return Err(self.unexpected("'\"'")),
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Read<()> {
        self.at += 1;
        out.push(match self.byte() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                let Some(unit) = self.unit(self.at) else {
                    return Err(self.unexpected("four hexadecimal digits"));
                };
                self.at += 4;
                out.push(self.character(unit));
                return Ok(());
            }
            _ => return Err(self.unexpected("an escape sequence")),
        });
        self.at += 1;
        Ok(())
    }

    /// The four hexadecimal digits at a place.
    fn unit(&self, at: usize) -> Option<u16> {
        let digits = self.text.get(at..at + 4)?;
        let hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        u16::from_str_radix(digits, 16).ok().filter(|_| hexadecimal)
    }

    /// The character of a UTF-16 unit, with the one that follows if it takes both.
    fn character(&mut self, unit: u16) -> char {
        let second = self.text[self.at..]
            .starts_with("\\u")
            .then(|| self.unit(self.at + 2))
            .flatten();
        if let Some(second) = second
            && let [Ok(c)] = char::decode_utf16([unit, second]).collect::<Vec<_>>()[..]
        {
            self.at += 6;
            return c;
        }
        char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Number;

    fn decoded(text: &str) -> String {
        match decode(text, &Budget::new()) {
            Ok(value) => value.to_string(),
            Err(error) => error,
        }
    }

    #[test]
    fn numbers_are_exact_floats() {
        let number = decode(" 1 ", &Budget::new()).unwrap();
        assert!(matches!(number, Value::Number(Number::Float(_))));
        assert_eq!(
            decoded("[-0.5e1, 1E2, 0, 9007199254740993]"),
            "[-5, 100, 0, 9007199254740992]"
        );
        let exact = decode("123456789.01234567", &Budget::new()).unwrap();
        assert_eq!(exact, 123_456_789.012_345_67.into());
    }

    #[test]
    fn what_is_not_json_is_refused_where_it_is_wrong() {
        for (text, problem) in [
            ("", "expected a value, got the end of the text at line 1 column 1"),
            (
                "{",
                "expected a key in quotes, got the end of the text at line 1 column 2",
            ),
            ("[1,\n 2,]", "expected a value, got ']' at line 2 column 4"),
            ("[1 2]", "expected ',' or ']', got '2' at line 1 column 4"),
            ("{\"a\" 1}", "expected ':', got '1' at line 1 column 6"),
            (
                "{\"a\": 1,}",
                "expected a key in quotes, got '}' at line 1 column 9",
            ),
            ("01", "expected the end of the text, got '1' at line 1 column 2"),
            (
                "1.",
                "expected a digit, got the end of the text at line 1 column 3",
            ),
            ("+1", "expected a value, got '+' at line 1 column 1"),
            ("1e999", "1e999 is too large a number at line 1 column 1"),
            ("\"a\n\"", "a control character in a string at line 1 column 3"),
            (
                "\"\\x\"",
                "expected an escape sequence, got 'x' at line 1 column 3",
            ),
            (
                "\"\\u+123\"",
                "expected four hexadecimal digits, got '+' at line 1 column 4",
            ),
            ("\"é", "expected '\"', got the end of the text at line 1 column 4"),
            ("nul", "expected a value, got 'n' at line 1 column 1"),
        ] {
            assert_eq!(decoded(text), format!("not valid JSON: {problem}"), "{text}");
        }
        assert!(decoded(&"[".repeat(100_000)).contains("128 levels deep"));
        assert!(!decoded(&format!("{}{}", "[".repeat(128), "]".repeat(128))).contains("deep"));
    }

    #[test]
    fn surrogates() {
        assert_eq!(decoded(r#""\ud83d\ude00""#), "\"😀\"");
        assert_eq!(decoded(r#""\ud83d""#), "\"\u{fffd}\"");
        assert_eq!(decoded(r#""\ude00\ud83dx""#), "\"\u{fffd}\u{fffd}x\"");
        assert_eq!(
            decoded(r#""\ud83d\u0041\ud83d\ud83d\ude00""#),
            "\"\u{fffd}A\u{fffd}😀\""
        );
        assert_eq!(decoded(r#""\\ud83d\/\u00e9""#), "\"\\\\ud83d/é\"");
    }

    #[test]
    fn the_last_of_equal_keys_counts() {
        assert_eq!(
            decoded(r#"{"a": 1, "b": {}, "a": [true, false, null]}"#),
            "{a = [true, false, null], b = {}}"
        );
    }
}
