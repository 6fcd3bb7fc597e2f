//! What a server of tokens answers (RFC 6749, sections 5.1 and 5.2).

use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use crate::Secret;

/// Longest part of an answer's words in a message.
const WORDS: usize = 200;

#[derive(Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) token: Secret,
    /// The first word of the header.
    pub(super) kind: String,
    /// `None` for one without an end.
    pub(super) lifetime: Option<Duration>,
}

impl Answer {
    /// The token, or why there is none.
    pub(super) fn read(status: StatusCode, body: &[u8]) -> Result<Self, String> {
        let json: Option<Value> = serde_json::from_slice(body).ok();
        let text = |name: &str| {
            let value = json.as_ref().and_then(|json| json.get(name));
            value.and_then(Value::as_str).filter(|text| !text.is_empty())
        };
        if let Some(error) = text("error") {
            let words: String = match text("error_description") {
                Some(description) => format!("{error}: {description}").chars().take(WORDS).collect(),
                None => error.chars().take(WORDS).collect(),
            };
            return Err(format!("{status}: {words}"));
        }
        if !status.is_success() {
            return Err(format!("the answer was {status}"));
        }
        let Some(token) = text("access_token") else {
            let why = if json.is_some() {
                "there is no access_token in the answer"
            } else {
                "the answer is not JSON"
            };
            return Err(why.to_owned());
        };
        let kind = text("token_type").filter(|kind| !kind.eq_ignore_ascii_case("bearer"));
        let seconds = json
            .as_ref()
            .and_then(|json| json.get("expires_in"))
            .and_then(|value| match value {
                Value::Number(number) => number.as_f64(),
                // Some servers write the number as a string.
                Value::String(text) => text.parse().ok(),
                _ => None,
            });
        let lifetime = seconds.filter(|seconds| *seconds > 0.0);
        Ok(Self {
            token: token.into(),
            kind: kind.unwrap_or("Bearer").to_owned(),
            lifetime: lifetime.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Result<Answer, String> {
        Answer::read(StatusCode::from_u16(status).unwrap(), body.as_bytes())
    }

    #[track_caller]
    fn check(body: &str, token: &str, kind: &str, lifetime: Option<u64>) {
        let answer = read(200, body).unwrap();
        let expected = Answer {
            token: token.into(),
            kind: kind.into(),
            lifetime: lifetime.map(Duration::from_secs),
        };
        assert_eq!(answer, expected, "{body}");
    }

    #[test]
    fn tokens() {
        check(
            r#"{"access_token":"t","token_type":"bearer","expires_in":3600,"more":[1]}"#,
            "t",
            "Bearer",
            Some(3600),
        );
        check(
            r#"{"access_token":"t","token_type":"MAC","expires_in":"60"}"#,
            "t",
            "MAC",
            Some(60),
        );
        check(r#"{"access_token":"t","expires_in":0}"#, "t", "Bearer", None);
        check(r#"{"access_token":"t","expires_in":1e300}"#, "t", "Bearer", None);
    }

    #[test]
    fn refusals() {
        for (status, body, expected) in [
            (
                401,
                r#"{"error":"invalid_client","error_description":"who?"}"#,
                "401 Unauthorized: invalid_client: who?",
            ),
            (200, r#"{"error":"invalid_scope"}"#, "200 OK: invalid_scope"),
            (503, "<html>", "the answer was 503 Service Unavailable"),
            (200, "<html>", "the answer is not JSON"),
            (200, "{}", "there is no access_token in the answer"),
            (
                200,
                r#"{"access_token":""}"#,
                "there is no access_token in the answer",
            ),
        ] {
            assert_eq!(read(status, body).unwrap_err(), expected);
        }
    }
}
