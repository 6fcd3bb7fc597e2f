//! Values to JSON.

use std::fmt::Write as _;

use crate::eval::{Budget, Exceeded};
use crate::value::{Number, Object, Value};

/// An object as JSON: keys sorted, no blanks, `<`, `>` and `&` escaped.
pub(in crate::stdlib) fn encode(fields: &Object, budget: &Budget) -> Result<String, String> {
    let mut out = Out {
        text: String::new(),
        budget,
    };
    out.object(fields)?;
    Ok(out.text)
}

/// The text so far. What is shared is written each time, so it counts each time.
struct Out<'a> {
    text: String,
    budget: &'a Budget,
}

impl Out<'_> {
    fn push(&mut self, text: &str) -> Result<(), Exceeded> {
        self.budget.text(text.len())?;
        self.text.push_str(text);
        Ok(())
    }

    fn object(&mut self, fields: &Object) -> Result<(), String> {
        self.push("{")?;
        for (at, (key, field)) in fields.iter().enumerate() {
            self.push(if at > 0 { "," } else { "" })?;
            self.string(key)?;
            self.push(":")?;
            self.value(field)?;
        }
        Ok(self.push("}")?)
    }

    fn value(&mut self, value: &Value) -> Result<(), String> {
        match value.view() {
            Value::Null => self.push("null")?,
            Value::Bool(value) => self.push(if value { "true" } else { "false" })?,
            Value::Number(Number::Float(value)) if !value.is_finite() => {
                return Err(format!("{} has no form in JSON", Number::Float(value)));
            }
            Value::Number(number) => self.push(&json_number(number))?,
            Value::String(text) => self.string(&text)?,
            Value::OptionalSecret(secret) if !secret.is_secret() => self.string(secret.expose())?,
            Value::Array(items) => {
                self.push("[")?;
                for (at, item) in items.iter().enumerate() {
                    self.push(if at > 0 { "," } else { "" })?;
                    self.value(item)?;
                }
                self.push("]")?;
            }
            Value::Object(fields) => self.object(&fields)?,
            other => return Err(format!("{} has no form in JSON", other.type_name())),
        }
        Ok(())
    }

    fn string(&mut self, text: &str) -> Result<(), Exceeded> {
        let escapes = text.chars().filter(|c| needs_escape(*c)).count();
        // Six bytes for each are what it is at most.
        self.budget.text(text.len() + 6 * escapes + 2)?;
        self.text.push('"');
        let mut rest = text;
        while let Some(at) = rest.find(needs_escape) {
            self.text.push_str(&rest[..at]);
            let mut chars = rest[at..].chars();
            match chars.next() {
                Some('"') => self.text.push_str("\\\""),
                Some('\\') => self.text.push_str("\\\\"),
                Some('\n') => self.text.push_str("\\n"),
                Some('\r') => self.text.push_str("\\r"),
                Some('\t') => self.text.push_str("\\t"),
                Some('\u{8}') => self.text.push_str("\\b"),
                Some('\u{c}') => self.text.push_str("\\f"),
                // Writing to a string does not fail.
                Some(c) => drop(write!(self.text, "\\u{:04x}", u32::from(c))),
                None => {}
            }
            rest = chars.as_str();
        }
        self.text.push_str(rest);
        self.text.push('"');
        Ok(())
    }
}

fn needs_escape(c: char) -> bool {
    matches!(
        c,
        '"' | '\\' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}'
    )
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
            encode(&Object::from(fields), &Budget::new()).unwrap(),
            r#"{"a":[1e+21,1e-7,1.5],"b":"\u003ca\u0026b\u003e\n"}"#
        );
    }

    #[test]
    fn what_is_shared_counts_each_time() {
        let shared = (0..60).fold(Value::from("\""), |inner, _| Value::array([inner.clone(), inner]));
        let fields = Object::from([("a".to_owned(), shared)]);
        assert!(encode(&fields, &Budget::of(1 << 20, 1 << 20)).is_err());
    }
}
