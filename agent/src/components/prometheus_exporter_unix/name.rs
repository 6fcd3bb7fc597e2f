//! Names of collectors.

use node_collectors::NodeCollectors;
use river_syntax::{FromValue, Mismatch, ToValue, Type, Value};

/// The name of a collector: `WANTED` of one that is to run here, and else of one that need not exist here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CollectorName<const WANTED: bool>(String);

impl<const WANTED: bool> FromValue for CollectorName<WANTED> {
    const TYPE: Type = Type::String;

    fn from_value(value: &Value) -> Result<Self, Mismatch> {
        let name = String::from_value(value)?;
        let none = NodeCollectors::builder().disable_defaults();
        let chosen = if WANTED {
            none.enable(&name)
        } else {
            none.disable(&name)
        };
        match chosen.build() {
            Ok(_) => Ok(Self(name)),
            Err(error) => Err(Mismatch::invalid(error.to_line())),
        }
    }
}

impl<const WANTED: bool> ToValue for CollectorName<WANTED> {
    const TYPE: Type = Type::String;

    fn to_value(&self) -> Value {
        Value::from(self.0.as_str())
    }
}

impl<const WANTED: bool> From<&CollectorName<WANTED>> for String {
    fn from(name: &CollectorName<WANTED>) -> Self {
        name.0.clone()
    }
}
