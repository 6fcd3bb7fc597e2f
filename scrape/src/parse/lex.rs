//! The tokens of the text formats: names, quoted strings, label sets.
//!
//! Everything here is a function of bytes and a position. Nothing is unescaped and nothing is allocated;
//! [`series`] tells a visitor where things are.

use std::borrow::Cow;

/// What is wrong, and at which byte.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) reason: Cow<'static, str>,
}

/// Hears of the parts of a series in the order of the text. Quoted parts come without quotes, still escaped.
pub(crate) trait Visitor {
    /// Whether it wants to hear anything. Otherwise the series is only checked, as a whole.
    const LISTENS: bool = true;
    fn name(&mut self, name: &str);
    fn label(&mut self, name: &str, value: &str);
}

/// For those who only want to know where the series ends.
pub(crate) struct Ignore;

impl Visitor for Ignore {
    const LISTENS: bool = false;
    fn name(&mut self, _: &str) {}
    fn label(&mut self, _: &str, _: &str) {}
}

pub(super) const LABEL_START: u8 = 1;
pub(super) const LABEL: u8 = 2;
const NAME_START: u8 = 4;
const NAME: u8 = 8;

/// Which classes a byte belongs to.
static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "the loop ends at 255")]
        let b = byte as u8;
        if b.is_ascii_alphabetic() || b == b'_' {
            table[byte] = LABEL_START | LABEL | NAME_START | NAME;
        } else if b.is_ascii_digit() {
            table[byte] = LABEL | NAME;
        } else if b == b':' {
            table[byte] = NAME_START | NAME;
        }
        byte += 1;
    }
    table
}

/// Whether the byte at `at` belongs to a class.
pub(super) fn is(text: &[u8], at: usize, class: u8) -> bool {
    text.get(at)
        .is_some_and(|b| CLASSES[usize::from(*b)] & class != 0)
}

/// Whether an unquoted metric name may start at `at`.
pub(crate) fn starts_name(text: &[u8], at: usize) -> bool {
    is(text, at, NAME_START)
}

/// Whether the byte at `at` would go on with an unquoted metric name.
pub(crate) fn continues_name(text: &[u8], at: usize) -> bool {
    is(text, at, NAME)
}

/// The end of the unquoted metric name that starts at `at`.
pub(crate) fn name_end(text: &[u8], mut at: usize) -> usize {
    while is(text, at, NAME) {
        at += 1;
    }
    at
}

/// The first position from `at` that holds neither blank nor tab.
#[inline]
pub(crate) fn skip_blanks(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t') = text.get(at) {
        at += 1;
    }
    at
}

/// The first byte of `text` that is one of `wanted`. Most of what is quoted is so short that setting up a search by vectors
/// would cost more than the search.
#[inline]
pub(super) fn find<const N: usize>(text: &[u8], wanted: [u8; N]) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const SHORT: usize = 32;
    let (mut rest, mut at) = (text, 0);
    while at < SHORT
        && let Some((eight, behind)) = rest.split_first_chunk()
    {
        let bytes = u64::from_le_bytes(*eight);
        // The high bit of each byte that is zero, and perhaps of some above the first of these.
        let zeros = |bytes: u64| bytes.wrapping_sub(ONES) & !bytes & (ONES * 0x80);
        let found = wanted
            .iter()
            .fold(0, |found, byte| found | zeros(bytes ^ (ONES * u64::from(*byte))));
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        (rest, at) = (behind, at + 8);
    }
    let found = match wanted[..] {
        [one, two] => memchr::memchr2(one, two, rest),
        [one, two, three] => memchr::memchr3(one, two, three, rest),
        _ => rest.iter().position(|byte| wanted.contains(byte)),
    };
    found.map(|found| at + found)
}

/// The end of the quoted string whose opening quote is at `at`: behind the closing quote. NUL is only allowed in
/// values; a raw line feed is allowed, but not behind a backslash.
pub(crate) fn quoted_end(text: &[u8], at: usize, nul_allowed: bool) -> Result<usize, Fault> {
    let mut next = at + 1;
    loop {
        let Some(found) = text.get(next..).and_then(|rest| find(rest, *b"\"\\")) else {
            return Err(fault(at, "quoted string has no end"));
        };
        let stop = next + found;
        if text[stop] == b'"' {
            if !nul_allowed && let Some(nul) = memchr::memchr(0, &text[at..stop]) {
                return Err(fault(at + nul, "NUL byte in a name"));
            }
            return Ok(stop + 1);
        }
        if let None | Some(b'\n') = text.get(stop + 1) {
            return Err(fault(stop, "backslash at the end of a line"));
        }
        next = stop + 2;
    }
}

/// Reads the series that starts at `start` with a name or a brace, and returns where it ends: behind the closing
/// brace or behind the name. What follows is the value. For a visitor that listens, `text` is not much more than the
/// series, since all of it is checked to be UTF-8.
pub(crate) fn series<V: Visitor>(text: &[u8], start: usize, visitor: &mut V) -> Result<usize, Fault> {
    let whole = Whole::for_visitor::<V>(text)?;
    let mut named = false;
    let mut at = start;
    if starts_name(text, at) {
        at = name_end(text, at);
        named = true;
        if V::LISTENS {
            visitor.name(whole.part(start, at));
        }
        let brace = skip_blanks(text, at);
        if text.get(brace) != Some(&b'{') {
            return Ok(at);
        }
        at = brace;
    }
    at += 1;
    loop {
        at = skip_blanks(text, at);
        let quoted = match text.get(at) {
            Some(b'}') => {
                at += 1;
                break;
            }
            Some(b'"') => true,
            _ if is(text, at, LABEL_START) => false,
            _ => return Err(fault(at, "expected a label name")),
        };
        let (from, to);
        if quoted {
            let end = quoted_end(text, at, false)?;
            (from, to) = (at + 1, end - 1);
            at = end;
        } else {
            from = at;
            while is(text, at, LABEL) {
                at += 1;
            }
            to = at;
        }
        at = skip_blanks(text, at);
        match text.get(at) {
            // A quoted string alone is the metric name, wherever it stands.
            Some(b',' | b'}') if quoted => {
                if named {
                    return Err(fault(from, "second metric name"));
                }
                named = true;
                if V::LISTENS {
                    visitor.name(whole.part(from, to));
                }
                if text[at] == b',' {
                    at += 1;
                }
                continue;
            }
            Some(b'=') => at = skip_blanks(text, at + 1),
            _ => return Err(fault(at, "expected = after a label name")),
        }
        if text.get(at) != Some(&b'"') {
            return Err(fault(at, "expected a label value in quotes"));
        }
        let end = quoted_end(text, at, true)?;
        if V::LISTENS {
            visitor.label(whole.part(from, to), whole.part(at + 1, end - 1));
        }
        at = skip_blanks(text, end);
        // Commas between labels may be missing, and one may trail.
        if text.get(at) == Some(&b',') {
            at += 1;
        }
    }
    if !named {
        return Err(fault(start, "series without a metric name"));
    }
    if !V::LISTENS {
        str(text, start, at)?;
    }
    Ok(at)
}

/// A text that a visitor hears of in parts: checked once, not part by part.
#[derive(Clone, Copy)]
pub(super) struct Whole<'a>(&'a str);

impl<'a> Whole<'a> {
    /// The text, if the visitor listens; then all of it must be UTF-8.
    pub(super) fn for_visitor<V: Visitor>(text: &'a [u8]) -> Result<Self, Fault> {
        Ok(Self(if V::LISTENS { str(text, 0, text.len())? } else { "" }))
    }

    pub(super) fn part(self, from: usize, to: usize) -> &'a str {
        self.0.get(from..to).unwrap_or_default()
    }
}

pub(super) fn str(text: &[u8], from: usize, to: usize) -> Result<&str, Fault> {
    let part = text.get(from..to).unwrap_or_default();
    std::str::from_utf8(part).map_err(|error| fault(from + error.valid_up_to(), "invalid UTF-8"))
}

pub(crate) fn fault(at: usize, reason: impl Into<Cow<'static, str>>) -> Fault {
    Fault {
        at,
        reason: reason.into(),
    }
}

/// Which escapes a text knows. Any other backslash stands for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escapes {
    /// None: formats that are not text.
    None,
    /// `\\`, `\n` and `\"`: names and label values.
    Quoted,
    /// `\\` and `\n`: `HELP` of the text format.
    Help,
}

/// Appends `raw` to `out` with its escapes resolved.
pub(crate) fn unescape_into(raw: &str, escapes: Escapes, out: &mut String) {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let (resolved, length) = match rest.as_bytes().get(at + 1) {
            _ if escapes == Escapes::None => ('\\', 1),
            Some(b'\\') => ('\\', 2),
            Some(b'n') => ('\n', 2),
            Some(b'"') if escapes == Escapes::Quoted => ('"', 2),
            _ => ('\\', 1),
        };
        out.push(resolved);
        rest = &rest[at + length..];
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Collect(Vec<(String, String)>);

    impl Visitor for Collect {
        fn name(&mut self, name: &str) {
            self.0.push(("__name__".into(), name.into()));
        }
        fn label(&mut self, name: &str, value: &str) {
            self.0.push((name.into(), value.into()));
        }
    }

    #[track_caller]
    fn check(text: &str, raw: &str, parts: &[(&str, &str)]) {
        let mut seen = Collect::default();
        let end = series(text.as_bytes(), 0, &mut seen).unwrap_or_else(|f| panic!("{text}: {f:?}"));
        assert_eq!(&text[..end], raw);
        let parts: Vec<_> = parts
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        assert_eq!(seen.0, parts);
    }

    #[test]
    fn series_end_before_their_value() {
        check("up 1", "up", &[("__name__", "up")]);
        check("a:b{} 1", "a:b{}", &[("__name__", "a:b")]);
        check(
            "m { a = \"1\" b=\"}\", } 1",
            "m { a = \"1\" b=\"}\", }",
            &[("__name__", "m"), ("a", "1"), ("b", "}")],
        );
        check(
            "{\"x y\",\"l.l\"=\"\\\"\"} 1",
            "{\"x y\",\"l.l\"=\"\\\"\"}",
            &[("__name__", "x y"), ("l.l", "\\\"")],
        );
        check(
            "{l=\"v\",\"late\"} 1",
            "{l=\"v\",\"late\"}",
            &[("l", "v"), ("__name__", "late")],
        );
    }

    #[test]
    fn faults_are_where_they_are() {
        for (text, at) in [
            ("m{,} 1", 2),
            ("m{a} 1", 3),
            ("m{\"b\"} 1", 3),
            ("{a=\"b\"} 1", 0),
            ("m{a=1} 1", 4),
            ("m{a=\"1} 1", 4),
            ("m{a=\"1\\\n\"} 1", 6),
            ("m{", 2),
            ("{\"a\0\"} 1", 3),
        ] {
            assert_eq!(
                series(text.as_bytes(), 0, &mut Ignore).map_err(|f| f.at),
                Err(at),
                "{text:?}"
            );
        }
        assert_eq!(
            series(b"m{a=\"\xff\"} 1", 0, &mut Ignore).map_err(|f| f.at),
            Err(5)
        );
    }

    #[test]
    fn bytes_are_found_wherever_they_are() {
        for length in 0..80 {
            let mut text = vec![b'!'; length];
            assert_eq!(find(&text, [b'"', b'\\']), None);
            for at in 0..length {
                text[at] = if at % 2 == 0 { b'"' } else { b'\\' };
                assert_eq!(find(&text, [b'"', b'\\']), Some(at), "{length}");
                assert_eq!(find(&text, [b'\n', b'\\', b'"']), Some(at), "{length}");
                // Bytes that differ from a wanted one by little.
                text[at] = [b'#', 0xa2, 0x80, 0xff][at % 4];
            }
        }
    }

    #[test]
    fn only_known_escapes_are_resolved() {
        let mut out = String::new();
        unescape_into(r#"a\\b\nc\"d\xe\"#, Escapes::Quoted, &mut out);
        assert_eq!(out, "a\\b\nc\"d\\xe\\");
        out.clear();
        unescape_into(r#"\"\n"#, Escapes::Help, &mut out);
        assert_eq!(out, "\\\"\n");
    }
}
