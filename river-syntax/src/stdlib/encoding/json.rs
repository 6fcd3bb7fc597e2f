//! JSON, as Go's `encoding/json` reads and writes it.

use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::value::{Number, Object, Value};

/// The value of a JSON text. Numbers become floats.
pub(in crate::stdlib) fn decode(text: &str) -> Result<Value, String> {
    let json: Json = serde_json::from_str(text).map_err(|error| format!("not valid JSON: {error}"))?;
    Ok(value(json))
}

fn value(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => Value::from(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => text.into(),
        Json::Array(items) => Value::array(items.into_iter().map(value)),
        Json::Object(fields) => Value::object(fields.into_iter().map(|(key, field)| (key, value(field)))),
    }
}

/// An object as JSON: keys sorted, no blanks, `<`, `>` and `&` escaped.
pub(super) fn encode(fields: &Object) -> Result<String, String> {
    let mut out = String::new();
    object(&mut out, fields)?;
    Ok(out)
}

fn object(out: &mut String, fields: &Object) -> Result<(), String> {
    out.push('{');
    for (at, (key, field)) in fields.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        string(out, key);
        out.push(':');
        write(out, field)?;
    }
    out.push('}');
    Ok(())
}

fn write(out: &mut String, value: &Value) -> Result<(), String> {
    match value.view() {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        Value::Number(Number::Float(value)) if !value.is_finite() => {
            return Err(format!("{} has no form in JSON", Number::Float(value)));
        }
        Value::Number(number) => out.push_str(&json_number(number)),
        Value::String(text) => string(out, &text),
        Value::OptionalSecret(secret) if !secret.is_secret() => string(out, secret.expose()),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(out, item)?;
            }
            out.push(']');
        }
        Value::Object(fields) => object(out, &fields)?,
        other => return Err(format!("{} has no form in JSON", other.type_name())),
    }
    Ok(())
}

/// A number as Go's `encoding/json` writes it: an exponent below 1e-6 and from 1e21 on, without a leading zero.
fn json_number(number: Number) -> String {
    let Number::Float(value) = number else {
        return number.to_string();
    };
    let size = value.abs();
    if value != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{value:e}");
        return match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
            _ => text,
        };
    }
    number.to_string()
}

fn string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_as_go_does() {
        let fields = [
            ("b".to_owned(), "<a&b>\n".into()),
            (
                "a".to_owned(),
                Value::array([1e21.into(), 0.000_000_1.into(), 1.5.into()]),
            ),
        ];
        assert_eq!(
            encode(&Object::from(fields)).unwrap(),
            r#"{"a":[1e+21,1e-7,1.5],"b":"\u003ca\u0026b\u003e\n"}"#
        );
    }

    #[test]
    fn numbers_are_floats() {
        assert!(matches!(decode("1").unwrap(), Value::Number(Number::Float(_))));
        assert!(decode("{").unwrap_err().starts_with("not valid JSON"));
    }
}
