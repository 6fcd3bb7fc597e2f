//! What a scalar stands for, by the rules of Go's `yaml.v3`.

use crate::value::{Number, Value};

/// The value of a scalar. A tag of YAML's own decides; without one, a plain scalar is what it looks like and any other a
/// string. A date stays the string that it is written as.
pub(super) fn value(text: &str, plain: bool, tag: Option<(&str, &str)>) -> Result<Value, String> {
    match tag {
        Some(("tag:yaml.org,2002:", kind)) => tagged(text, kind),
        Some(("!", "")) => Ok(Value::from(text)),
        _ if plain => Ok(untagged(text)),
        _ => Ok(Value::from(text)),
    }
}

fn tagged(text: &str, kind: &str) -> Result<Value, String> {
    let value = untagged(text);
    let fits = match (kind, &value) {
        ("str" | "timestamp", _) => return Ok(Value::from(text)),
        ("float", Value::Number(number)) => return Ok(Value::from(number.to_f64())),
        ("int", Value::Number(Number::Int(_) | Number::Uint(_)))
        | ("bool", Value::Bool(_))
        | ("null", Value::Null) => true,
        ("int" | "float" | "bool" | "null", _) => false,
        _ => return Err(format!("the tag !!{kind} is not supported")),
    };
    if fits {
        Ok(value)
    } else {
        Err(format!("{text:?} is no !!{kind}"))
    }
}

/// What a plain scalar looks like. `yes`, `no`, `on` and `off` are strings.
fn untagged(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Value::from(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Value::from(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Value::from(f64::NEG_INFINITY),
        _ => number(text).map_or_else(|| Value::from(text), Value::Number),
    }
}

/// A number: decimal, or with a prefix of Go's for another base, a leading zero meaning octal; underscores do not count.
fn number(text: &str) -> Option<Number> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return None;
    }
    let text = text.replace('_', "");
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, &*text),
    };
    if let Some(size) = magnitude(digits) {
        return match (negative, i64::try_from(size)) {
            (false, Ok(size)) => Some(Number::Int(size)),
            (false, Err(_)) => Some(Number::Uint(size)),
            (true, Ok(size)) => Some(Number::Int(-size)),
            (true, Err(_)) if size == 1 << 63 => Some(Number::Int(i64::MIN)),
            (true, Err(_)) => digits.parse().ok().map(|size: f64| Number::Float(-size)),
        };
    }
    let decimal = digits
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    let begins = digits.starts_with(|c: char| c.is_ascii_digit())
        || digits
            .strip_prefix('.')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if !(decimal && begins) {
        return None;
    }
    digits
        .parse()
        .ok()
        .map(|size: f64| Number::Float(if negative { -size } else { size }))
}

fn magnitude(digits: &str) -> Option<u64> {
    let (digits, radix) = match digits.get(..2) {
        Some("0x" | "0X") => (&digits[2..], 16),
        Some("0o" | "0O") => (&digits[2..], 8),
        Some("0b" | "0B") => (&digits[2..], 2),
        Some(prefix) if prefix.starts_with('0') => (&digits[1..], 8),
        _ => (digits, 10),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_are_what_they_look_like() {
        for (text, expected) in [
            ("1", "1"),
            ("-7", "-7"),
            ("+7", "7"),
            ("1_000", "1000"),
            ("0x1f", "31"),
            ("0o17", "15"),
            ("017", "15"),
            ("0b101", "5"),
            ("18446744073709551615", "18446744073709551615"),
            ("1.50", "1.5"),
            (".5", "0.5"),
            ("089", "89"),
            ("true", "true"),
            ("yes", "\"yes\""),
            ("~", "null"),
            ("1.2.3", "\"1.2.3\""),
            ("1m", "\"1m\""),
            ("-", "\"-\""),
            (".", "\".\""),
            ("2001-01-01", "\"2001-01-01\""),
            ("127.0.0.1", "\"127.0.0.1\""),
            ("infinity", "\"infinity\""),
        ] {
            assert_eq!(untagged(text).to_string(), expected, "{text}");
        }
        assert!(matches!(untagged("1e3"), Value::Number(Number::Float(value)) if value == 1000.0));
    }

    #[test]
    fn tags_decide() {
        let core = "tag:yaml.org,2002:";
        assert_eq!(value("1", true, Some((core, "str"))), Ok(Value::from("1")));
        assert_eq!(value("1", false, None), Ok(Value::from("1")));
        assert!(matches!(
            value("1", true, Some((core, "float"))),
            Ok(Value::Number(Number::Float(_)))
        ));
        assert!(value("x", true, Some((core, "int"))).is_err());
        assert!(value("x", true, Some((core, "binary"))).is_err());
    }
}
