//! The log on standard error, in the forms of Go's `slog`.

use std::io::Write;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Of use when something is looked for.
    Debug,
    /// What happens.
    Info,
    /// What may need care.
    Warn,
    /// What failed.
    Error,
}

impl Level {
    /// The value of `--log.level`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "debug" => Self::Debug,
            "info" => Self::Info,
            "warn" => Self::Warn,
            "error" => Self::Error,
            _ => {
                return Err(format!(
                    "--log.level: {text:?} is none of debug, info, warn, error"
                ));
            }
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `key=value`.
    Logfmt,
    /// An object a line.
    Json,
}

impl Format {
    /// The value of `--log.format`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "logfmt" => Ok(Self::Logfmt),
            "json" => Ok(Self::Json),
            _ => Err(format!("--log.format: {text:?} is none of logfmt, json")),
        }
    }
}

/// Where lines go if they matter enough.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Log {
    /// The least that is written.
    pub(crate) level: Level,
    /// The form of a line.
    pub(crate) format: Format,
}

impl Log {
    /// A line of level info.
    pub(crate) fn info(self, message: &str, about: &[(&str, &str)]) {
        self.write(Level::Info, message, about);
    }

    /// A line.
    pub(crate) fn write(self, level: Level, message: &str, about: &[(&str, &str)]) {
        if level < self.level {
            return;
        }
        let time = jiff::Timestamp::now().to_string();
        let head = [("time", &*time), ("level", level.name()), ("msg", message)];
        let fields = head.iter().chain(about);
        match self.format {
            Format::Logfmt => {
                let fields: Vec<_> = fields
                    .map(|(name, value)| format!("{name}={}", quoted(value)))
                    .collect();
                put(&fields.join(" "));
            }
            Format::Json => {
                let fields: serde_json::Map<_, _> = fields
                    .map(|(name, value)| ((*name).to_owned(), (*value).into()))
                    .collect();
                put(&serde_json::Value::Object(fields).to_string());
            }
        }
    }
}

/// A line that nobody reads any more is no reason to end.
fn put(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// As it is if nothing in it could be mistaken.
fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_graphic() && c != '"' && c != '=' && c != '\\';
    if !value.is_empty() && value.chars().all(plain) {
        value.to_owned()
    } else {
        format!("{value:?}")
    }
}
