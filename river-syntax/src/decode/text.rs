//! Types that are written as text and have a parser of their own.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use crate::decode::{FromValue, Mismatch, ToValue};
use crate::types::Type;
use crate::value::Value;

/// Reads a text through its type's own parser; the parser's words follow what was expected.
fn parsed<T>(value: &Value, what: &str) -> Result<T, Mismatch>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    let text = match value {
        Value::String(text) => text.to_string(),
        other if other.as_str().is_some() => String::from_value(other)?,
        other => return Err(Mismatch::wrong_type(what, other)),
    };
    text.parse()
        .map_err(|error| Mismatch::invalid(format!("{text:?} is no valid {what}: {error}")))
}

macro_rules! texts {
    ($($(#[$meta:meta])* $type:ty = $what:literal: $text:expr;)*) => {$(
        $(#[$meta])*
        impl FromValue for $type {
            const TYPE: Type = Type::Text($what);

            fn from_value(value: &Value) -> Result<$type, Mismatch> {
                parsed(value, $what)
            }
        }

        $(#[$meta])*
        impl ToValue for $type {
            const TYPE: Type = Type::Text($what);

            fn to_value(&self) -> Value {
                let text: fn(&$type) -> String = $text;
                Value::from(text(self))
            }
        }
    )*};
}

texts! {
    IpAddr = "IP address": ToString::to_string;
    SocketAddr = "socket address": ToString::to_string;
    /// The syntax of the crate `regex`; it is not anchored.
    #[cfg(feature = "regex")]
    regex::Regex = "regular expression": ToString::to_string;
    /// An absolute URL.
    #[cfg(feature = "url")]
    url::Url = "URL": ToString::to_string;
}

impl FromValue for PathBuf {
    const TYPE: Type = Type::String;

    fn from_value(value: &Value) -> Result<PathBuf, Mismatch> {
        String::from_value(value).map(PathBuf::from)
    }
}

impl ToValue for PathBuf {
    const TYPE: Type = Type::String;

    fn to_value(&self) -> Value {
        Value::from(self.to_string_lossy().into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_go_through_their_parsers() {
        let address = SocketAddr::from_value(&"127.0.0.1:80".into()).unwrap();
        assert_eq!(address.to_value().to_string(), "\"127.0.0.1:80\"");
        let error = IpAddr::from_value(&"127.0.0.300".into()).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("\"127.0.0.300\" is no valid IP address: "),
            "{error}"
        );
        let error = IpAddr::from_value(&Value::from(7_u64)).unwrap_err();
        assert_eq!(error.to_string(), "expected IP address, got number");
        let secret = Value::Secret(crate::Secret::new("127.0.0.1"));
        assert!(IpAddr::from_value(&secret).is_err());
        assert_eq!(
            PathBuf::from_value(&"/a/b".into()).unwrap(),
            PathBuf::from("/a/b")
        );
    }

    #[cfg(feature = "regex")]
    #[test]
    fn patterns_are_checked() {
        assert!(regex::Regex::from_value(&"a+".into()).unwrap().is_match("aa"));
        let error = regex::Regex::from_value(&"(".into()).unwrap_err();
        assert!(
            error.to_string().contains("is no valid regular expression"),
            "{error}"
        );
    }

    #[cfg(feature = "url")]
    #[test]
    fn addresses_are_checked() {
        let url = url::Url::from_value(&"https://h/p".into()).unwrap();
        assert_eq!(url.host_str(), Some("h"));
        let error = url::Url::from_value(&"nowhere".into()).unwrap_err();
        assert!(error.to_string().contains("is no valid URL"), "{error}");
    }
}
