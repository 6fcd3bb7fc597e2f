//! Targets: label sets, written as a list of objects.

use ferroalloy_model::{Labels, float};
use river_syntax::{FromValue, Mismatch, Number, ToValue, Type, Value};

/// One target's labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target(pub(crate) Labels);

impl FromValue for Target {
    const TYPE: Type = Type::Map(&Type::Scalar);
    const OPAQUE: bool = true;

    fn from_value(value: &Value) -> Result<Self, Mismatch> {
        let view = value.view();
        let Value::Object(fields) = &view else {
            return Err(Mismatch::wrong_type("target", value));
        };
        let mut labels = Vec::with_capacity(fields.len());
        for (name, value) in fields.iter() {
            labels.push((
                name.as_str(),
                text(value).map_err(|mismatch| mismatch.at_key(name))?,
            ));
        }
        Ok(Self(labels.into_iter().collect()))
    }
}

/// A label's value. Numbers and bools are printed as Alloy does, which is as Go does: a large float has an exponent.
fn text(value: &Value) -> Result<String, Mismatch> {
    match value {
        Value::Bool(value) => Ok(value.to_string()),
        Value::Number(Number::Float(value)) => {
            let mut text = Vec::new();
            float::write_go(*value, &mut text);
            Ok(String::from_utf8_lossy(&text).into_owned())
        }
        Value::Null => Err(Mismatch::invalid("null cannot be the value of a target's label")),
        Value::Secret(_) => Err(Mismatch::invalid("cannot use a secret as a target value")),
        Value::OptionalSecret(secret) if secret.is_secret() => {
            Err(Mismatch::invalid("cannot use a secret as a target value"))
        }
        other => String::from_value(other),
    }
}

impl ToValue for Target {
    const TYPE: Type = Type::Map(&Type::String);

    fn to_value(&self) -> Value {
        Value::object(self.0.iter().map(|(name, value)| (name, Value::from(value))))
    }
}

/// The exports of components that find targets.
#[derive(Debug, ToValue)]
pub(crate) struct TargetsExports {
    /// What was found.
    pub(crate) targets: Vec<Target>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printable_becomes_a_label() {
        let value = Value::object([
            ("__address__", Value::from("h:1")),
            ("up", Value::Bool(true)),
            ("shard", Value::from(3.0)),
            ("count", Value::from(1_000_000_u64)),
            ("large", Value::from(1e6)),
        ]);
        let target = Target::from_value(&value).unwrap();
        assert_eq!(
            target.0.to_string(),
            r#"{__address__="h:1", count="1000000", large="1e+06", shard="3", up="true"}"#
        );
        assert_eq!(Target::from_value(&target.to_value()).unwrap(), target);
        let error = Target::from_value(&Value::object([("a", Value::Null)])).unwrap_err();
        assert!(error.message().contains("null"));
    }
}
