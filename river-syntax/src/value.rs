//! Values: what expressions evaluate to.
//!
//! Cloning a value is reference counting. A secret never prints: neither by `Debug` nor by `Display`.

mod capsule;
mod function;
mod number;
mod same;
mod secret;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

pub use capsule::{Capsule, CapsuleType};
pub use function::{Call, CallError, Function, Params};
pub use number::Number;
pub use secret::{OptionalSecret, Secret};

/// The fields of an object, by name.
pub type Object = BTreeMap<String, Value>;

/// A value of the language.
#[derive(Clone, Default)]
pub enum Value {
    /// `null`: decodes to the zero value of any type.
    #[default]
    Null,
    /// A number.
    Number(Number),
    /// A string.
    String(Arc<str>),
    /// A bool.
    Bool(bool),
    /// An array; the elements may differ in type.
    Array(Arc<Vec<Value>>),
    /// An object.
    Object(Arc<Object>),
    /// A function of the standard library or of the host.
    Function(&'static Function),
    /// A string that must not be shown.
    Secret(Secret),
    /// A string that may have to be hidden.
    OptionalSecret(OptionalSecret),
    /// A native value of the host.
    Capsule(Capsule),
}

impl Value {
    /// An object of the given fields.
    pub fn object<K: Into<String>>(fields: impl IntoIterator<Item = (K, Value)>) -> Value {
        Value::Object(Arc::new(
            fields
                .into_iter()
                .map(|(key, value)| (key.into(), value))
                .collect(),
        ))
    }

    /// An array of the given elements.
    pub fn array(items: impl IntoIterator<Item = Value>) -> Value {
        Value::Array(Arc::new(items.into_iter().collect()))
    }

    /// The name of the type, as messages have it.
    pub fn type_name(&self) -> String {
        match self {
            Value::Null => "null".to_owned(),
            Value::Number(_) => "number".to_owned(),
            Value::String(_) => "string".to_owned(),
            Value::Bool(_) => "bool".to_owned(),
            Value::Array(_) => "array".to_owned(),
            Value::Object(_) => "object".to_owned(),
            Value::Function(_) => "function".to_owned(),
            Value::Secret(_) => "secret".to_owned(),
            Value::OptionalSecret(_) => "optional secret".to_owned(),
            Value::Capsule(capsule) => format!("capsule(\"{}\")", capsule.type_name()),
        }
    }

    /// Whether this is `null` or the zero value of its type: 0, `false`, and what is empty.
    pub fn is_zero(&self) -> bool {
        match self {
            Value::Null => true,
            Value::Number(number) => number.to_f64() == 0.0,
            Value::String(text) => text.is_empty(),
            Value::Bool(value) => !value,
            Value::Array(items) => items.is_empty(),
            Value::Object(fields) => fields.is_empty(),
            Value::Secret(secret) => secret.expose().is_empty(),
            Value::OptionalSecret(secret) => secret.expose().is_empty(),
            Value::Function(_) | Value::Capsule(_) => false,
        }
    }

    /// The text, if this is a string or an optional secret that is not one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            Value::OptionalSecret(secret) if !secret.is_secret() => Some(secret.expose()),
            _ => None,
        }
    }

    /// What a capsule shows itself as, else the value itself.
    #[must_use]
    pub fn view(&self) -> Value {
        match self {
            Value::Capsule(capsule) => capsule.view().unwrap_or_else(|| self.clone()),
            other => other.clone(),
        }
    }
}

/// Different types are unequal; functions are equal to nothing; capsules compare as their type says.
impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        same::equal(self, other)
    }
}

/// Parts that are printed of a value; one that shares parts with itself may have many more.
const PRINTED: usize = 1 << 20;

/// The value as the language would write it; what has no literal form is in parentheses. After a million parts `…` stands
/// for the rest.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = PRINTED;
        self.print(f, &mut left)
    }
}

impl Value {
    fn print(&self, f: &mut fmt::Formatter<'_>, left: &mut usize) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Number(number) => write!(f, "{number}"),
            Value::String(text) => write_quoted(f, text),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Array(items) => {
                f.write_str("[")?;
                for (at, item) in items.iter().enumerate() {
                    f.write_str(if at > 0 { ", " } else { "" })?;
                    if !take_one(left) {
                        f.write_str("…")?;
                        break;
                    }
                    item.print(f, left)?;
                }
                f.write_str("]")
            }
            Value::Object(fields) => {
                f.write_str("{")?;
                for (at, (key, value)) in fields.iter().enumerate() {
                    f.write_str(if at > 0 { ", " } else { "" })?;
                    if !take_one(left) {
                        f.write_str("…")?;
                        break;
                    }
                    if crate::unicode::is_identifier(key) {
                        f.write_str(key)?;
                    } else {
                        write_quoted(f, key)?;
                    }
                    f.write_str(" = ")?;
                    value.print(f, left)?;
                }
                f.write_str("}")
            }
            Value::Function(function) => write!(f, "(function {})", function.name),
            Value::Secret(secret) => write!(f, "{secret}"),
            Value::OptionalSecret(secret) if secret.is_secret() => f.write_str("(secret)"),
            Value::OptionalSecret(secret) => write_quoted(f, secret.expose()),
            Value::Capsule(capsule) => write!(f, "{capsule}"),
        }
    }
}

fn take_one(left: &mut usize) -> bool {
    let taken = left.checked_sub(1);
    *left = taken.unwrap_or(0);
    taken.is_some()
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Writes a string in double quotes, with escapes that the lexer knows.
fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if c.is_control() => write!(f, "\\u{:04x}", u32::from(c))?,
            c => write!(f, "{c}")?,
        }
    }
    f.write_str("\"")
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(Arc::from(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::String(Arc::from(text))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Number(Number::Int(value))
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Value {
        Value::Number(Number::Uint(value))
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Value {
        Value::Number(Number::Float(value))
    }
}

impl From<Number> for Value {
    fn from(value: Number) -> Value {
        Value::Number(value)
    }
}

impl From<Secret> for Value {
    fn from(value: Secret) -> Value {
        Value::Secret(value)
    }
}

impl From<Capsule> for Value {
    fn from(value: Capsule) -> Value {
        Value::Capsule(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_print_as_they_are_written() {
        let value = Value::object([
            ("a", Value::array([1_i64.into(), 2.5.into()])),
            ("b-c", "x\"\n".into()),
            ("s", Secret::new("hunter2").into()),
        ]);
        assert_eq!(
            value.to_string(),
            r#"{a = [1, 2.5], "b-c" = "x\"\n", s = (secret)}"#
        );
        assert_eq!(format!("{value:?}"), value.to_string());
    }

    #[test]
    fn numbers_of_different_kinds_compare_by_value() {
        assert_eq!(Value::from(3_i64), Value::from(3.0));
        assert_ne!(Value::from(-1_i64), Value::from(u64::MAX));
        assert_ne!(Value::from("3"), Value::from(3_i64));
    }
}
