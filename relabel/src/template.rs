//! Replacement templates: `$1`, `${1}`, `${name}` and `$$`, read once and expanded often.
//!
//! Invariant: what a template reads as, and what it expands to, is what Go's `Regexp.Expand` makes of it.

use std::sync::LazyLock;

use ferroalloy_model::re2::{Captures, Regex};

/// A template whose groups are resolved against one pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Box<[Part]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(Box<str>),
    /// The first of these groups that took part in the match. A pattern may have a name twice.
    Group(Box<[usize]>),
}

impl Template {
    /// Reads a template for matches of `regex`. A group that the pattern does not have expands to nothing; a `$` that
    /// begins no reference stands for itself.
    pub fn new(template: &str, regex: &Regex) -> Self {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('$') {
            literal.push_str(before);
            if let Some(after) = after.strip_prefix('$') {
                literal.push('$');
                rest = after;
            } else if let Some((name, after)) = reference(after) {
                let groups = resolve(name, regex);
                if !groups.is_empty() {
                    if !literal.is_empty() {
                        parts.push(Part::Literal(std::mem::take(&mut literal).into()));
                    }
                    parts.push(Part::Group(groups));
                }
                rest = after;
            } else {
                literal.push('$');
                rest = after;
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal.into()));
        }
        Self { parts: parts.into() }
    }

    /// What the template expands to whatever the match is, when it uses no groups.
    pub fn as_literal(&self) -> Option<&str> {
        match &*self.parts {
            [] => Some(""),
            [Part::Literal(literal)] => Some(literal),
            _ => None,
        }
    }

    /// Appends the expansion for a match in `text`.
    pub fn expand(&self, text: &str, captures: &Captures, out: &mut String) {
        for part in &self.parts {
            match part {
                Part::Literal(literal) => out.push_str(literal),
                Part::Group(groups) => {
                    let span = groups.iter().find_map(|group| captures.get(*group));
                    out.push_str(span.and_then(|span| text.get(span)).unwrap_or_default());
                }
            }
        }
    }
}

/// Reads the reference that follows a `$`, and gives what comes after it. The longest name counts: `$1_x` is the group
/// `1_x`.
fn reference(text: &str) -> Option<(&str, &str)> {
    let (braced, text) = match text.strip_prefix('{') {
        Some(inner) => (true, inner),
        None => (false, text),
    };
    let end = text.find(|c| !is_name_char(c)).unwrap_or(text.len());
    let (name, mut rest) = text.split_at(end);
    if name.is_empty() {
        return None;
    }
    if braced {
        rest = rest.strip_prefix('}')?;
    }
    Some((name, rest))
}

/// Letters and decimal digits of any script, and `_`.
fn is_name_char(c: char) -> bool {
    static OTHER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::anchored(r"[\p{L}\p{Nd}]").ok());
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    OTHER
        .as_ref()
        .is_some_and(|class| class.is_match(c.encode_utf8(&mut [0; 4])))
}

fn resolve(name: &str, regex: &Regex) -> Box<[usize]> {
    // Go reads up to nine digits without a leading zero as a number, and anything else as a name.
    let is_number = name.len() <= 9
        && name.bytes().all(|b| b.is_ascii_digit())
        && (name == "0" || !name.starts_with('0'));
    match (is_number, name.parse()) {
        (true, Ok(group)) if group < regex.group_count() => Box::new([group]),
        (true, Ok(_)) => Box::default(),
        _ => regex.groups_named(name).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(pattern: &str, text: &str, template: &str) -> String {
        let regex = Regex::anchored(pattern).expect("pattern");
        let mut captures = Captures::new();
        assert!(regex.captures(text, &mut captures), "{pattern} on {text}");
        let template = Template::new(template, &regex);
        let mut out = String::new();
        template.expand(text, &captures, &mut out);
        if let Some(literal) = template.as_literal() {
            assert_eq!(literal, out);
        }
        out
    }

    #[test]
    fn references() {
        let xy = |template| expand("(x)(?P<second>y)", "xy", template);
        assert_eq!(xy("$1-${2}-$second-${second}-$0"), "x-y-y-y-xy");
        assert_eq!(xy("$1_x|${1}_x|$1x"), "|x_x|");
        assert_eq!(xy("$$1$$"), "$1$");
        assert_eq!(xy("$|${|${}|${a-b}|$-|$"), "$|${|${}|${a-b}|$-|$");
        assert_eq!(xy("${1"), "${1");
        assert_eq!(xy("<$3$third$01$99999999999999999999>"), "<>");
        assert_eq!(xy("$1é|$1٣|${1}é"), "||xé");
        assert_eq!(xy("$1\u{2160}"), "x\u{2160}", "a Roman numeral is no letter");
        assert_eq!(xy(""), "");
    }

    #[test]
    fn of_groups_with_one_name_the_one_that_matched_counts() {
        assert_eq!(expand("(?P<n>a)|(?P<n>b)", "b", "<$n>"), "<b>");
        assert_eq!(expand("(?P<1a>a)", "a", "<$1a>"), "<a>");
        assert_eq!(expand("(?P<01>a)(b)", "ab", "<$01>"), "<a>");
    }
}
