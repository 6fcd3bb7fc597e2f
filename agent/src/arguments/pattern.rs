//! Regular expressions.

use ferroalloy_model::re2;
use river_syntax::{FromValue, Mismatch, ToValue, Type, Value};

/// A pattern in Go's dialect that the whole text must match; it has been compiled once, to see that it can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(String);

impl Pattern {
    /// A pattern of the program's own.
    pub(crate) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromValue for Pattern {
    const TYPE: Type = Type::Text("regular expression");

    fn from_value(value: &Value) -> Result<Self, Mismatch> {
        let text = String::from_value(value)?;
        match re2::Regex::anchored(&text) {
            Ok(_) => Ok(Self(text)),
            Err(error) => Err(Mismatch::invalid(crate::error::chain(&error))),
        }
    }
}

impl ToValue for Pattern {
    const TYPE: Type = Type::Text("regular expression");

    fn to_value(&self) -> Value {
        Value::from(self.as_str())
    }
}

/// An expression in Go's dialect that is looked for anywhere in a text; it has been compiled once, to see that it can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Search(String);

impl Search {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromValue for Search {
    const TYPE: Type = <Pattern as FromValue>::TYPE;

    fn from_value(value: &Value) -> Result<Self, Mismatch> {
        let text = String::from_value(value)?;
        match re2::Regex::unanchored(&text) {
            Ok(_) => Ok(Self(text)),
            Err(error) => Err(Mismatch::invalid(crate::error::chain(&error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_compiled_when_it_is_read() {
        assert_eq!(Pattern::from_value(&"a|b".into()), Ok(Pattern::new("a|b")));
        let error = Pattern::from_value(&"(".into()).unwrap_err();
        assert!(error.to_string().contains("missing"), "{error}");
        assert!(
            Pattern::from_value(&r"(?=a)".into()).is_err(),
            "no look-around in Go's dialect"
        );
    }
}
