//! Values into Rust types.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use crate::decode::{Bytes, Mismatch, parse_duration};
use crate::types::Type;
use crate::value::{CapsuleType, Number, OptionalSecret, Secret, Value};

/// A type that values are decoded into. A host implements it for types of its own:
///
/// ```
/// use river_syntax::{FromValue, Mismatch, Type, Value};
///
/// struct Port(u16);
///
/// impl FromValue for Port {
///     const TYPE: Type = Type::Number;
///     fn from_value(value: &Value) -> Result<Port, Mismatch> {
///         match u16::from_value(value)? {
///             0 => Err(Mismatch::invalid("port 0 cannot be dialled")),
///             port => Ok(Port(port)),
///         }
///     }
/// }
/// ```
///
/// `null` should give the type's zero value where there is one.
///
/// For a string of a fixed set, derive it on an enum; the names are the variants' in snake case unless they are given:
///
/// ```
/// use river_syntax::{FromValue, Type};
///
/// #[derive(Debug, FromValue, PartialEq)]
/// enum Protocol {
///     Http,
///     #[river(name = "h2")]
///     Http2,
/// }
///
/// assert_eq!(Protocol::TYPE, Type::Enum(&["http", "h2"]));
/// assert_eq!(Protocol::from_value(&"h2".into()).unwrap(), Protocol::Http2);
/// let error = Protocol::from_value(&"http1".into()).unwrap_err();
/// assert_eq!(error.to_string(), r#"unknown value "http1", expected one of "http", "h2""#);
/// ```
pub trait FromValue: Sized {
    /// The type in the reference and for the type checker. It must fit whatever is accepted; [`Type::Any`] always does.
    const TYPE: Type;

    /// Whether no rule between fields looks into such a value, as none looks into a capsule: where a check does not know
    /// the values of a list of them, an empty one stands for it, so that the rules are checked all the same.
    const OPAQUE: bool = false;

    /// Converts a value.
    fn from_value(value: &Value) -> Result<Self, Mismatch>;

    /// What stands for a value that a check does not know.
    #[doc(hidden)]
    fn unknown() -> Option<Self> {
        None
    }
}

impl FromValue for Value {
    const TYPE: Type = Type::Any;

    fn from_value(value: &Value) -> Result<Value, Mismatch> {
        Ok(value.clone())
    }
}

impl FromValue for bool {
    const TYPE: Type = Type::Bool;

    fn from_value(value: &Value) -> Result<bool, Mismatch> {
        match value {
            Value::Null => Ok(false),
            Value::Bool(value) => Ok(*value),
            other => Err(Mismatch::wrong_type("bool", other)),
        }
    }
}

/// The number that a value is or that its text says.
fn number(value: &Value) -> Result<Number, Mismatch> {
    if let Value::Number(number) = value {
        return Ok(*number);
    }
    let wrong = || Mismatch::wrong_type("number", value);
    let text = value.as_str().ok_or_else(wrong)?;
    if text.contains(['.', 'e', 'E']) {
        text.parse().map(Number::Float).map_err(|_| wrong())
    } else if text.starts_with('-') {
        text.parse().map(Number::Int).map_err(|_| wrong())
    } else if text.starts_with('+') {
        Err(wrong())
    } else {
        text.parse().map(Number::Uint).map_err(|_| wrong())
    }
}

impl FromValue for f64 {
    const TYPE: Type = Type::Number;

    fn from_value(value: &Value) -> Result<f64, Mismatch> {
        match value {
            Value::Null => Ok(0.0),
            value => number(value).map(Number::to_f64),
        }
    }
}

impl FromValue for Number {
    const TYPE: Type = Type::Number;

    fn from_value(value: &Value) -> Result<Number, Mismatch> {
        match value {
            Value::Null => Ok(Number::Int(0)),
            value => number(value),
        }
    }
}

/// Fractions are cut off, as in Alloy; what is out of range is refused rather than wrapped.
macro_rules! integers {
    ($($int:ty)*) => {$(
        impl FromValue for $int {
            const TYPE: Type = Type::Number;

            fn from_value(value: &Value) -> Result<$int, Mismatch> {
                if matches!(value, Value::Null) {
                    return Ok(0);
                }
                let number = number(value)?;
                number.to_integer().and_then(|integer| <$int>::try_from(integer).ok()).ok_or_else(|| {
                    Mismatch::invalid(format!("{number} is out of range: it must be from {} to {}", <$int>::MIN, <$int>::MAX))
                })
            }
        }
    )*};
}

integers!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

impl FromValue for String {
    const TYPE: Type = Type::String;

    fn from_value(value: &Value) -> Result<String, Mismatch> {
        match value {
            Value::Null => Ok(String::new()),
            Value::Number(number) => Ok(number.to_string()),
            Value::Secret(_) => Err(secret_as_string()),
            Value::OptionalSecret(secret) if secret.is_secret() => Err(secret_as_string()),
            other => other
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| Mismatch::wrong_type("string", other)),
        }
    }
}

fn secret_as_string() -> Mismatch {
    Mismatch::invalid("secrets may not be converted into strings")
}

impl FromValue for Arc<str> {
    const TYPE: Type = Type::String;

    fn from_value(value: &Value) -> Result<Arc<str>, Mismatch> {
        match value {
            Value::String(text) => Ok(Arc::clone(text)),
            other => String::from_value(other).map(Arc::from),
        }
    }
}

impl FromValue for Secret {
    const TYPE: Type = Type::Secret;

    fn from_value(value: &Value) -> Result<Secret, Mismatch> {
        match value {
            Value::Null => Ok(Secret::default()),
            Value::Secret(secret) => Ok(secret.clone()),
            Value::String(text) => Ok(Secret::new(Arc::clone(text))),
            Value::OptionalSecret(secret) => Ok(Secret::new(secret.expose())),
            other => Err(Mismatch::wrong_type("secret", other)),
        }
    }
}

impl FromValue for OptionalSecret {
    const TYPE: Type = Type::OptionalSecret;

    fn from_value(value: &Value) -> Result<OptionalSecret, Mismatch> {
        match value {
            Value::Null => Ok(OptionalSecret::default()),
            Value::Secret(secret) => Ok(OptionalSecret::secret(secret.expose())),
            Value::String(text) => Ok(OptionalSecret::plain(Arc::clone(text))),
            Value::OptionalSecret(secret) => Ok(secret.clone()),
            other => Err(Mismatch::wrong_type("optional secret", other)),
        }
    }
}

/// Go's duration syntax.
impl FromValue for Duration {
    const TYPE: Type = Type::Text("duration");

    fn from_value(value: &Value) -> Result<Duration, Mismatch> {
        match value {
            Value::Null => Ok(Duration::ZERO),
            Value::Secret(_) => Err(secret_as_string()),
            other => match other.as_str() {
                Some(text) => parse_duration(text).map_err(Mismatch::invalid),
                None => Err(Mismatch::wrong_type("duration", other)),
            },
        }
    }
}

impl FromValue for Bytes {
    const TYPE: Type = Type::Text("byte size");

    fn from_value(value: &Value) -> Result<Bytes, Mismatch> {
        match value {
            Value::Null => Ok(Bytes(0)),
            Value::Number(_) => u64::from_value(value).map(Bytes),
            other => match other.as_str() {
                Some(text) => text.parse().map_err(|message: String| Mismatch::invalid(message)),
                None => Err(Mismatch::wrong_type("byte size", other)),
            },
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    const TYPE: Type = T::TYPE;

    fn from_value(value: &Value) -> Result<Option<T>, Mismatch> {
        match value {
            Value::Null => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    const TYPE: Type = Type::List(&T::TYPE);
    const OPAQUE: bool = T::OPAQUE;

    fn unknown() -> Option<Vec<T>> {
        T::OPAQUE.then(Vec::new)
    }

    fn from_value(value: &Value) -> Result<Vec<T>, Mismatch> {
        match value.view() {
            Value::Null => Ok(Vec::new()),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(at, item)| T::from_value(item).map_err(|mismatch| mismatch.at_index(at)))
                .collect(),
            _ => Err(Mismatch::wrong_type("array", value)),
        }
    }
}

impl<T: FromValue> FromValue for BTreeMap<String, T> {
    const TYPE: Type = Type::Map(&T::TYPE);

    fn from_value(value: &Value) -> Result<BTreeMap<String, T>, Mismatch> {
        match value.view() {
            Value::Null => Ok(BTreeMap::new()),
            Value::Object(fields) => fields
                .iter()
                .map(|(key, field)| match T::from_value(field) {
                    Ok(field) => Ok((key.clone(), field)),
                    Err(mismatch) => Err(mismatch.at_key(key)),
                })
                .collect(),
            _ => Err(Mismatch::wrong_type("object", value)),
        }
    }
}

impl<T: FromValue> FromValue for Box<T> {
    const TYPE: Type = T::TYPE;

    fn from_value(value: &Value) -> Result<Box<T>, Mismatch> {
        T::from_value(value).map(Box::new)
    }
}

/// A capsule's content, of a known type.
pub struct CapsuleOf<T>(pub Arc<T>);

impl<T> Clone for CapsuleOf<T> {
    fn clone(&self) -> CapsuleOf<T> {
        CapsuleOf(Arc::clone(&self.0))
    }
}

impl<T> Deref for CapsuleOf<T> {
    type Target = Arc<T>;

    fn deref(&self) -> &Arc<T> {
        &self.0
    }
}

impl<T: CapsuleType> fmt::Debug for CapsuleOf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "capsule(\"{}\")", T::NAME)
    }
}

impl<T: CapsuleType> PartialEq for CapsuleOf<T> {
    fn eq(&self, other: &CapsuleOf<T>) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.same(&other.0)
    }
}

impl<T: CapsuleType> FromValue for CapsuleOf<T> {
    const TYPE: Type = <T as CapsuleType>::TYPE;
    const OPAQUE: bool = true;

    fn from_value(value: &Value) -> Result<CapsuleOf<T>, Mismatch> {
        let found = match value {
            Value::Capsule(capsule) => capsule.downcast().map(CapsuleOf),
            _ => None,
        };
        found.ok_or_else(|| Mismatch::wrong_type(Self::TYPE.to_string(), value))
    }
}
