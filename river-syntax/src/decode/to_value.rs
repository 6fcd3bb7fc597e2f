//! Rust types into values: what a component exports, and defaults as the reference shows them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::decode::{Bytes, CapsuleOf, format_duration};
use crate::types::Type;
use crate::value::{Capsule, CapsuleType, Number, OptionalSecret, Secret, Value};

/// A type that can be made a value. Derive it on a struct to make it an object:
///
/// ```
/// use river_syntax::{ToValue, Type};
///
/// #[derive(ToValue)]
/// struct Exports {
///     /// Where the server listens.
///     address: String,
///     ports: Vec<u16>,
/// }
///
/// let exports = Exports { address: "localhost".to_owned(), ports: vec![80, 443] };
/// assert_eq!(exports.to_value().to_string(), r#"{address = "localhost", ports = [80, 443]}"#);
/// assert_eq!(Exports::TYPE.field("ports"), Some(Type::List(&Type::Number)));
/// ```
pub trait ToValue {
    /// The static type, for checking references without evaluating anything.
    const TYPE: Type;

    /// Makes the value.
    fn to_value(&self) -> Value;
}

impl ToValue for Value {
    const TYPE: Type = Type::Any;

    fn to_value(&self) -> Value {
        self.clone()
    }
}

impl ToValue for bool {
    const TYPE: Type = Type::Bool;

    fn to_value(&self) -> Value {
        Value::Bool(*self)
    }
}

impl ToValue for f64 {
    const TYPE: Type = Type::Number;

    fn to_value(&self) -> Value {
        Value::from(*self)
    }
}

impl ToValue for Number {
    const TYPE: Type = Type::Number;

    fn to_value(&self) -> Value {
        Value::Number(*self)
    }
}

macro_rules! integers {
    ($($kind:ident as $wide:ty: $($int:ty)*;)*) => {$($(
        impl ToValue for $int {
            const TYPE: Type = Type::Number;

            #[expect(clippy::allow_attributes, reason = "some of these casts are from the type to itself")]
            fn to_value(&self) -> Value {
                #[allow(clippy::cast_lossless, clippy::unnecessary_cast, reason = "every cast here widens")]
                Value::Number(Number::$kind(*self as $wide))
            }
        }
    )*)*};
}

integers! {
    Int as i64: i8 i16 i32 i64 isize;
    Uint as u64: u8 u16 u32 u64 usize;
}

impl ToValue for str {
    const TYPE: Type = Type::String;

    fn to_value(&self) -> Value {
        Value::from(self)
    }
}

impl ToValue for String {
    const TYPE: Type = Type::String;

    fn to_value(&self) -> Value {
        Value::from(self.as_str())
    }
}

impl ToValue for Arc<str> {
    const TYPE: Type = Type::String;

    fn to_value(&self) -> Value {
        Value::String(Arc::clone(self))
    }
}

impl ToValue for Secret {
    const TYPE: Type = Type::Secret;

    fn to_value(&self) -> Value {
        Value::Secret(self.clone())
    }
}

impl ToValue for OptionalSecret {
    const TYPE: Type = Type::OptionalSecret;

    fn to_value(&self) -> Value {
        Value::OptionalSecret(self.clone())
    }
}

impl ToValue for Duration {
    const TYPE: Type = Type::Text("duration");

    fn to_value(&self) -> Value {
        Value::from(format_duration(*self))
    }
}

impl ToValue for Bytes {
    const TYPE: Type = Type::Text("byte size");

    fn to_value(&self) -> Value {
        Value::from(self.to_string())
    }
}

impl<T: ToValue> ToValue for Option<T> {
    const TYPE: Type = T::TYPE;

    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, ToValue::to_value)
    }
}

impl<T: ToValue> ToValue for Vec<T> {
    const TYPE: Type = Type::List(&T::TYPE);

    fn to_value(&self) -> Value {
        Value::array(self.iter().map(ToValue::to_value))
    }
}

impl<T: ToValue> ToValue for BTreeMap<String, T> {
    const TYPE: Type = Type::Map(&T::TYPE);

    fn to_value(&self) -> Value {
        Value::object(self.iter().map(|(key, value)| (key.clone(), value.to_value())))
    }
}

impl<T: CapsuleType> ToValue for CapsuleOf<T> {
    const TYPE: Type = <T as CapsuleType>::TYPE;

    fn to_value(&self) -> Value {
        Value::Capsule(Capsule::new(Arc::clone(&self.0)))
    }
}
