//! What an answer means for the request it answers, and the receiver's words for the user.

use http::{HeaderMap, StatusCode};
use std::time::Duration;

use super::{Written, retry_after};
use crate::{Error, ErrorKind};

/// How much of an answer is read, and how much of it is shown.
pub(super) const READ_AT_MOST: usize = 4096;
const SHOWN_AT_MOST: usize = 300;

/// A request that was not taken.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    /// The answer's status, if there was an answer.
    pub(crate) status: Option<StatusCode>,
    /// How long the receiver wants to be left alone.
    pub(crate) retry_after: Option<Duration>,
    /// What a 2.0 receiver says it wrote nevertheless: the rest is refused for good.
    pub(crate) written: Option<Written>,
}

impl Failure {
    /// Whether the receiver may have taken the request all the same: the answer is lost, or it is that of something between.
    pub(crate) fn may_have_been_taken(&self) -> bool {
        match self.status {
            Some(status) => status.is_server_error(),
            None => self.error.may_have_been_sent(),
        }
    }

    /// Whether the receiver says that samples come too late, in the words of Prometheus or Mimir.
    pub(crate) fn is_about_time(&self) -> bool {
        is_about_time(&self.error.to_string())
    }
}

fn is_about_time(words: &str) -> bool {
    let late = [
        "out of order",
        "out of bounds",
        "too old",
        "out-of-order",
        "too-old",
    ];
    late.iter().any(|late| words.contains(late))
}

/// A good answer to a 2.0 message that does not say what was written: such a receiver took it for an empty 1.0 message.
pub(super) fn not_spoken(status: StatusCode, receiver: &str) -> Failure {
    let code = status.as_u16();
    let words =
        format!("{receiver} answers {code} without saying what it wrote: it does not speak remote write 2.0");
    Failure {
        error: Error::new(ErrorKind::VersionNotSpoken, words),
        status: Some(status),
        retry_after: None,
        written: None,
    }
}

/// What the failure of a request with this status is.
pub(super) fn failure(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    receiver: &str,
    wall: i64,
    retry_on_429: bool,
) -> Failure {
    let kind = match status.as_u16() {
        500.. => ErrorKind::Unavailable,
        429 if retry_on_429 => ErrorKind::Unavailable,
        300..=399 | 401 | 403 | 404 | 408 => ErrorKind::Misconfigured,
        _ => ErrorKind::Refused,
    };
    let wait = headers
        .get(http::header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok());
    let retry_after = wait.filter(|_| kind == ErrorKind::Unavailable);
    Failure {
        error: Error::new(kind, words(receiver, status, headers, body)),
        status: Some(status),
        retry_after: retry_after.and_then(|value| retry_after::parse(value, wall)),
        written: None,
    }
}

/// `<receiver> answers <status>: <what it says> — <what to do about it>`.
fn words(receiver: &str, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> String {
    let said = first_lines(body);
    let mut words = format!("{receiver} answers {}", status.as_u16());
    if said.is_empty() {
        if let Some(reason) = status.canonical_reason() {
            words.push(' ');
            words.push_str(reason);
        }
    } else {
        words.push_str(": ");
        words.push_str(&said);
    }
    let advice = match status.as_u16() {
        // Prometheus without the receiver says itself which flag it wants.
        404 if said.contains("--web.enable-remote-write-receiver") => None,
        404 => Some(
            "is the path of the URL right? Prometheus takes /api/v1/write, Mimir /api/v1/push".to_owned(),
        ),
        401 => Some("are the credentials right?".to_owned()),
        403 => Some("may these credentials write?".to_owned()),
        300..=399 => headers
            .get(http::header::LOCATION)
            .and_then(|to| to.to_str().ok()?.parse::<http::Uri>().ok())
            .map(|to| format!("it wants the data at {}", ferroalloy_http_client::redact(&to))),
        400 if is_about_time(&said) => Some(
            "samples that come so late are taken with storage.tsdb.out_of_order_time_window in Prometheus, or \
             -ingester.out-of-order-time-window in Mimir"
                .to_owned(),
        ),
        _ => None,
    };
    if let Some(advice) = advice {
        words.push_str(" — ");
        words.push_str(&advice);
    }
    words
}

/// What a receiver says, on one line, without control characters and not too much of it. Pages in HTML say nothing to a person who
/// reads a log.
fn first_lines(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    if text.trim_start().starts_with('<') {
        return String::new();
    }
    let mut words = String::new();
    for word in text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
    {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
        if words.len() > SHOWN_AT_MOST {
            words.truncate(words.floor_char_boundary(SHOWN_AT_MOST));
            words.push('…');
            break;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, body: &str, kind: ErrorKind, words: &str) {
        let status = StatusCode::from_u16(status).unwrap();
        let failure = failure(status, &HeaderMap::new(), body.as_bytes(), "prometheus", 0, true);
        assert_eq!(
            (failure.error.kind(), failure.error.to_string().as_str()),
            (kind, words)
        );
    }

    #[test]
    fn statuses_and_words() {
        check(
            500,
            "",
            ErrorKind::Unavailable,
            "prometheus answers 500 Internal Server Error",
        );
        check(
            429,
            "slow\ndown\n",
            ErrorKind::Unavailable,
            "prometheus answers 429: slow down",
        );
        check(
            400,
            "out of order sample",
            ErrorKind::Refused,
            "prometheus answers 400: out of order sample — samples that come so late are taken with \
             storage.tsdb.out_of_order_time_window in Prometheus, or -ingester.out-of-order-time-window in Mimir",
        );
        check(
            413,
            "<html>",
            ErrorKind::Refused,
            "prometheus answers 413 Payload Too Large",
        );
        check(
            404,
            "remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n",
            ErrorKind::Misconfigured,
            "prometheus answers 404: remote write receiver needs to be enabled with --web.enable-remote-write-receiver",
        );
        check(
            401,
            "no",
            ErrorKind::Misconfigured,
            "prometheus answers 401: no — are the credentials right?",
        );
        check(
            307,
            "",
            ErrorKind::Misconfigured,
            "prometheus answers 307 Temporary Redirect",
        );
    }

    #[test]
    fn words_are_bounded() {
        let said = first_lines("é ".repeat(1000).as_bytes());
        assert!(said.len() <= SHOWN_AT_MOST + '…'.len_utf8(), "{}", said.len());
    }

    #[test]
    fn a_429_that_is_not_to_be_retried_is_final() {
        let failure = failure(
            StatusCode::TOO_MANY_REQUESTS,
            &HeaderMap::new(),
            b"",
            "r",
            0,
            false,
        );
        assert_eq!(failure.error.kind(), ErrorKind::Refused);
    }
}
