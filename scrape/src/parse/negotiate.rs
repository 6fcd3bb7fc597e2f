//! Which format a target is asked for, and which one its answer is in.
//!
//! Since Prometheus 3 a response without a usable content type fails the scrape unless a fallback is set: a
//! login page with status 200 must not be taken for metrics.

use std::fmt::Write as _;

use super::{Format, Protocol, formats};
use crate::error::{Error, ErrorKind};

/// The `Accept` header for `protocols`, best first: `text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,…`.
///
/// Weights fall by a tenth from the number of protocols that could be asked for plus one, as Prometheus does it.
pub fn accept_header(protocols: &[&Protocol], escaping: &str) -> String {
    let mut weight = super::protocols().count() + 1;
    let mut out = String::new();
    for protocol in protocols {
        let _ = write!(out, "{};{}", protocol.media_type, protocol.parameters);
        if protocol.escaping {
            let _ = write!(out, ";escaping={escaping}");
        }
        let _ = write!(out, ";q=0.{weight},");
        weight = weight.saturating_sub(1).max(1);
    }
    let _ = write!(out, "*/*;q=0.{weight}");
    out
}

/// The format of a response with this `Content-Type`, or that of `fallback` where the header names none.
pub fn choose(
    content_type: Option<&str>,
    fallback: Option<&'static Protocol>,
) -> Result<&'static Format, Error> {
    let reason = match content_type.map(media_type) {
        None => "the target sends no Content-Type".to_owned(),
        Some(Ok(named)) => match formats().iter().find(|format| format.media_type == named) {
            Some(format) => return Ok(format),
            None => format!("the target sends Content-Type {named:?}, which is not parsed"),
        },
        Some(Err(reason)) => {
            format!(
                "the target sends Content-Type {:?}: {reason}",
                content_type.unwrap_or_default()
            )
        }
    };
    fallback.and_then(Protocol::format).ok_or_else(|| {
        Error::new(
            ErrorKind::ContentType,
            format!("{reason}, and no fallback scrape protocol is set"),
        )
    })
}

/// The media type of a header value, in lower case; RFC 2045 section 5.1 as Go's `mime.ParseMediaType` reads it.
fn media_type(header: &str) -> Result<String, &'static str> {
    let (full, mut rest) = header.split_at(header.find(';').unwrap_or(header.len()));
    let full = full.trim();
    let (kind, subtype) = full.split_once('/').ok_or("no media type")?;
    if !is_token(kind) {
        return Err("no media type");
    }
    if !is_token(subtype) {
        return Err("malformed media subtype");
    }
    let mut seen: Vec<String> = Vec::new();
    while let Some(parameter) = rest.strip_prefix(';') {
        let parameter = parameter.trim_start();
        if parameter.is_empty() {
            break;
        }
        let (name, value) = parameter.split_once('=').ok_or("invalid media parameter")?;
        let name = name.trim().to_ascii_lowercase();
        if !is_token(&name) {
            return Err("invalid media parameter");
        }
        let length = parameter_value(value).ok_or("invalid media parameter")?;
        rest = value[length..].trim_start();
        if !rest.is_empty() && !rest.starts_with(';') {
            return Err("invalid media parameter");
        }
        if seen.contains(&name) {
            return Err("duplicate parameter name");
        }
        seen.push(name);
    }
    Ok(full.to_ascii_lowercase())
}

/// The length of a parameter's value: a token or a quoted string.
fn parameter_value(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    if bytes.first() != Some(&b'"') {
        let length = bytes
            .iter()
            .position(|b| !is_token_byte(*b))
            .unwrap_or(bytes.len());
        return (length > 0).then_some(length);
    }
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    None
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// RFC 7230 `tchar`.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> &'static Protocol {
        Protocol::named(name).expect("known")
    }

    #[test]
    fn the_header_lists_what_is_parsed_best_first() {
        let default: Vec<_> = super::super::protocols()
            .filter(|protocol| protocol.by_default)
            .collect();
        assert_eq!(
            accept_header(&default, "underscores"),
            "application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.6,\
             application/openmetrics-text;version=0.0.1;q=0.5,\
             text/plain;version=1.0.0;escaping=underscores;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
        );
        assert_eq!(
            accept_header(&[named("PrometheusProto")], "allow-utf-8"),
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,\
             */*;q=0.5"
        );
    }

    #[test]
    fn content_types_choose_the_format() {
        for header in [
            "text/plain",
            "text/plain; version=0.0.4",
            "TEXT/Plain;charset=\"utf-8\" ; version=1.0.0",
            "text/plain;",
        ] {
            assert_eq!(choose(Some(header), None).expect(header).name, "text");
        }
        for header in [
            None,
            Some(""),
            Some("invalid/"),
            Some("a/b/c"),
            Some("/"),
            Some("text/html"),
            Some("text/plain; a=1; A=2"),
        ] {
            let error = choose(header, None).expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::ContentType);
            assert!(error.to_string().contains("no fallback"), "{error}");
            assert_eq!(
                choose(header, Some(named("PrometheusText0.0.4")))
                    .expect("fallback")
                    .name,
                "text"
            );
        }
    }

    #[test]
    fn another_exposition_format_is_never_parsed_as_the_fallback() {
        for (header, name) in [
            ("application/openmetrics-text; version=1.0.0", "openmetrics"),
            ("application/vnd.google.protobuf; encoding=delimited", "protobuf"),
        ] {
            let chosen = choose(Some(header), Some(named("PrometheusText0.0.4")));
            assert_eq!(chosen.expect(header).name, name);
        }
    }
}
