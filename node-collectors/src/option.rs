//! Options by name, as node_exporter's flags give them: one table per collector drives flag parsing, the
//! generated documentation and the agent's checks.

use std::fmt;
use std::time::Duration;

use crate::collectors::Options;

/// One option of a collector, named as node_exporter's flag without `--collector.`.
pub struct OptionSpec {
    /// The name: `cpu.guest`.
    pub name: &'static str,
    /// One sentence: what it does.
    pub summary: &'static str,
    /// What values it takes.
    pub kind: ValueKind,
    pub(crate) get: fn(&Options) -> String,
    pub(crate) set: fn(&mut Options, &str) -> Result<(), String>,
}

impl OptionSpec {
    /// The value in `options`, as [`crate::Builder::set`] takes it; of a list, its members with commas.
    pub fn value(&self, options: &Options) -> String {
        (self.get)(options)
    }
}

impl fmt::Debug for OptionSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OptionSpec")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// The kind of value an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueKind {
    /// `true` or `false`; as a flag it needs no value and has a `--no-` form.
    Switch,
    /// Text, often a regular expression.
    Text,
    /// Text, given as often as wanted.
    List,
    /// A whole number without sign.
    Number,
    /// A time with units, such as `5s` or `1m30s`.
    Duration,
}

/// A type that an option may have.
pub(crate) trait Value {
    const KIND: ValueKind;
    fn render(&self) -> String;
    fn set(&mut self, text: &str) -> Result<(), String>;
}

impl Value for bool {
    const KIND: ValueKind = ValueKind::Switch;

    fn render(&self) -> String {
        self.to_string()
    }

    fn set(&mut self, text: &str) -> Result<(), String> {
        *self = match text {
            "true" | "1" | "t" | "T" | "TRUE" | "True" => true,
            "false" | "0" | "f" | "F" | "FALSE" | "False" => false,
            _ => return Err(format!("{text:?} is neither true nor false")),
        };
        Ok(())
    }
}

impl Value for String {
    const KIND: ValueKind = ValueKind::Text;

    fn render(&self) -> String {
        self.clone()
    }

    fn set(&mut self, text: &str) -> Result<(), String> {
        text.clone_into(self);
        Ok(())
    }
}

impl Value for u32 {
    const KIND: ValueKind = ValueKind::Number;

    fn render(&self) -> String {
        self.to_string()
    }

    fn set(&mut self, text: &str) -> Result<(), String> {
        *self = text.parse().map_err(|_| format!("{text:?} is not a number"))?;
        Ok(())
    }
}

/// A text for which "not given" differs from "given as empty".
impl Value for Option<String> {
    const KIND: ValueKind = ValueKind::Text;

    fn render(&self) -> String {
        self.clone().unwrap_or_default()
    }

    fn set(&mut self, text: &str) -> Result<(), String> {
        *self = Some(text.to_owned());
        Ok(())
    }
}

impl Value for Vec<String> {
    const KIND: ValueKind = ValueKind::List;

    fn render(&self) -> String {
        self.join(",")
    }

    fn set(&mut self, text: &str) -> Result<(), String> {
        self.push(text.to_owned());
        Ok(())
    }
}

impl Value for Duration {
    const KIND: ValueKind = ValueKind::Duration;

    fn render(&self) -> String {
        format!("{self:?}")
    }

    fn set(&mut self, text: &str) -> Result<(), String> {
        *self = duration(text).ok_or_else(|| format!("{text:?} is not a duration such as 5s"))?;
        Ok(())
    }
}

/// A duration as Go writes it, without sign: numbers with `ns`, `us`, `ms`, `s`, `m` or `h`.
fn duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let end = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "ns" => 1e-9,
            "us" | "\u{b5}s" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        rest = &rest[end..];
        total = total.checked_add(Duration::try_from_secs_f64(number * unit).ok()?)?;
    }
    (!text.is_empty()).then_some(total)
}

/// Declares a collector's options: `options! { "cpu.guest" = cpu.guest: bool, "What it does."; … }`.
macro_rules! options {
    ($($name:literal = $collector:ident.$field:ident: $type:ty, $summary:literal;)*) => {
        &[$($crate::option::OptionSpec {
            name: $name,
            summary: $summary,
            kind: <$type as $crate::option::Value>::KIND,
            get: |options| $crate::option::Value::render(&options.$collector.$field),
            set: |options, text| $crate::option::Value::set(&mut options.$collector.$field, text),
        }),*]
    };
}
pub(crate) use options;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("5s"), Some(Duration::from_secs(5)));
        assert_eq!(duration("1m30s"), Some(Duration::from_secs(90)));
        assert_eq!(duration("1.5h"), Some(Duration::from_mins(90)));
        assert_eq!(duration("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(duration("0"), Some(Duration::ZERO));
        for bad in ["", "5", "s", "-5s", "5x", "1..2s", "99999999999999999999h"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn lists_grow_and_switches_are_strict() {
        let mut list = Vec::new();
        Value::set(&mut list, "a").unwrap();
        Value::set(&mut list, "b").unwrap();
        assert_eq!(list.render(), "a,b");
        assert!(Value::set(&mut true, "yes").is_err());
    }
}
