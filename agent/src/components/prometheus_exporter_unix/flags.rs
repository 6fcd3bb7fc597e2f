//! Values as node_exporter's flags have them.

use std::time::Duration;

use river_syntax::{FromValue, Mismatch, ToValue, Type, Value};

use crate::arguments::Search;

/// A value that one flag says, given as often as there are texts.
pub(super) trait Flags {
    fn flags(&self) -> Vec<String>;
}

impl Flags for bool {
    fn flags(&self) -> Vec<String> {
        vec![self.to_string()]
    }
}

impl Flags for u32 {
    fn flags(&self) -> Vec<String> {
        vec![self.to_string()]
    }
}

impl Flags for String {
    fn flags(&self) -> Vec<String> {
        vec![self.clone()]
    }
}

impl Flags for Search {
    fn flags(&self) -> Vec<String> {
        vec![self.as_str().to_owned()]
    }
}

impl Flags for Duration {
    fn flags(&self) -> Vec<String> {
        vec![river_syntax::format_duration(*self)]
    }
}

impl Flags for Vec<String> {
    fn flags(&self) -> Vec<String> {
        self.clone()
    }
}

/// Names of labels, which one flag has with commas between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Labels(Vec<String>);

impl Flags for Labels {
    fn flags(&self) -> Vec<String> {
        if self.0.is_empty() {
            return Vec::new();
        }
        vec![self.0.join(",")]
    }
}

impl FromValue for Labels {
    const TYPE: Type = <Vec<String> as FromValue>::TYPE;

    fn from_value(value: &Value) -> Result<Self, Mismatch> {
        Vec::from_value(value).map(Self)
    }
}

impl ToValue for Labels {
    const TYPE: Type = <Vec<String> as ToValue>::TYPE;

    fn to_value(&self) -> Value {
        self.0.to_value()
    }
}
