//! Addresses of HTTP servers.

use axum::http::Uri;
use river_syntax::{FromValue, Mismatch, ToValue, Type, Value};

/// The URL of something that is reached over HTTP, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HttpUrl {
    text: String,
    uri: Uri,
}

impl HttpUrl {
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }
}

impl FromValue for HttpUrl {
    const TYPE: Type = Type::Text("URL");

    // What is wrong is said without the text: it may hold a password.
    fn from_value(value: &Value) -> Result<Self, Mismatch> {
        let text = String::from_value(value)?;
        let uri: Uri = text
            .parse()
            .map_err(|error| Mismatch::invalid(format!("not a URL: {error}")))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(Mismatch::invalid(
                "not a URL: it must begin with http:// or https://",
            ));
        }
        if uri.host().is_none_or(str::is_empty) {
            return Err(Mismatch::invalid("not a URL: it names no host"));
        }
        Ok(Self { text, uri })
    }
}

impl ToValue for HttpUrl {
    const TYPE: Type = Type::Text("URL");

    fn to_value(&self) -> Value {
        Value::from(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_reached_over_http_is_refused() {
        let url = |text: &str| HttpUrl::from_value(&text.into()).map_err(|mismatch| mismatch.to_string());
        assert_eq!(url("http://h:9/p").unwrap().as_str(), "http://h:9/p");
        for (text, expected) in [
            ("", "not a URL: empty string"),
            (
                "localhost:9090",
                "not a URL: it must begin with http:// or https://",
            ),
            ("ftp://h/", "not a URL: it must begin with http:// or https://"),
            ("/path", "not a URL: it must begin with http:// or https://"),
            ("http://user:pass word@h/", "not a URL: invalid uri character"),
        ] {
            assert_eq!(url(text).unwrap_err(), expected, "{text}");
        }
    }
}
