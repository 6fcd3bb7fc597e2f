//! The fields of an event and how they are written.

use std::fmt::{self, Write};

use jiff::Timestamp;
use tracing::field::{Field, Visit};

/// Key and value of each field in the order of the source, with the message apart.
#[derive(Debug, Default, Clone)]
pub(super) struct Fields {
    message: String,
    rest: Vec<(&'static str, String)>,
}

impl Fields {
    /// Adds the fields of an enclosing span that the event does not have itself.
    pub(super) fn inherit(&mut self, span: &Self) {
        for (key, value) in &span.rest {
            if !self.rest.iter().any(|(known, _)| known == key) {
                self.rest.push((key, value.clone()));
            }
        }
    }

    pub(super) fn logfmt(&self, time: Timestamp, level: &str) -> String {
        let mut line = format!("ts={time:.9} level={level} msg={}", Quoted(&self.message));
        for (key, value) in &self.rest {
            // Writing to a String cannot fail.
            let _ = write!(line, " {key}={}", Quoted(value));
        }
        line.push('\n');
        line
    }

    pub(super) fn json(&self, time: Timestamp, level: &str) -> String {
        let mut object = serde_json::Map::new();
        object.insert("ts".into(), format!("{time:.9}").into());
        object.insert("level".into(), level.into());
        object.insert("msg".into(), self.message.clone().into());
        for (key, value) in &self.rest {
            object.insert((*key).into(), value.clone().into());
        }
        format!("{}\n", serde_json::Value::Object(object))
    }

    fn put(&mut self, field: &Field, value: String) {
        if field.name() == "message" {
            self.message = value;
        } else {
            self.rest.push((field.name(), value));
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.to_owned());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.put(field, crate::error::chain(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}

/// A logfmt value: bare where that is unambiguous, else in quotes.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bare = |c: char| c > ' ' && !matches!(c, '"' | '=' | '\u{7f}' | '\u{fffd}');
        if !self.0.is_empty() && self.0.chars().all(bare) {
            f.write_str(self.0)
        } else {
            write!(f, "{:?}", self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logfmt_quotes_what_needs_it() {
        let fields = Fields {
            message: "started".into(),
            rest: vec![
                ("url", "http://x/".into()),
                ("why", "a \"b\"\nc".into()),
                ("empty", String::new()),
            ],
        };
        let line = fields.logfmt(Timestamp::UNIX_EPOCH, "info");
        assert_eq!(
            line,
            "ts=1970-01-01T00:00:00.000000000Z level=info msg=started url=http://x/ why=\"a \\\"b\\\"\\nc\" empty=\"\"\n"
        );
    }

    #[test]
    fn json_is_one_line() {
        let fields = Fields {
            message: "a\nb".into(),
            rest: vec![("n", "1".into())],
        };
        let line = fields.json(Timestamp::UNIX_EPOCH, "warn");
        assert_eq!(line.matches('\n').count(), 1);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["msg"], "a\nb");
    }

    #[test]
    fn an_event_wins_over_its_span() {
        let mut event = Fields {
            message: String::new(),
            rest: vec![("id", "event".into())],
        };
        event.inherit(&Fields {
            message: String::new(),
            rest: vec![("id", "span".into()), ("x", "y".into())],
        });
        assert_eq!(event.rest, [("id", "event".to_owned()), ("x", "y".to_owned())]);
    }
}
