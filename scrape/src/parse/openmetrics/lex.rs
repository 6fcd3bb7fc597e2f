//! The tokens of OpenMetrics: like those of the text format, but with no blank where none must be, commas
//! between labels, and no line feed within quotes.

use crate::parse::lex::{self, Fault, LABEL, LABEL_START, Visitor, Whole, fault, is, str};

/// Whose labels are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// A series, which has its name within the braces unless `named`.
    Series { named: bool },
    /// An exemplar, which has no name, nor a NUL in its values.
    Exemplar,
}

/// Reads the series that starts at `start` with a name or a brace, and returns where it ends: behind the closing
/// brace or behind the name. What follows is a blank and the value. For a visitor that listens, `text` is not much more
/// than the series, since all of it is checked to be UTF-8.
pub(super) fn series<V: Visitor>(text: &[u8], start: usize, visitor: &mut V) -> Result<usize, Fault> {
    let whole = Whole::for_visitor::<V>(text)?;
    let mut at = start;
    let named = lex::starts_name(text, at);
    if named {
        at = lex::name_end(text, at);
        if V::LISTENS {
            visitor.name(whole.part(start, at));
        }
        if text.get(at) != Some(&b'{') {
            return Ok(at);
        }
    } else if text.get(at) != Some(&b'{') {
        return Err(fault(at, "expected a metric name"));
    }
    let end = read_labels((text, whole), at, Of::Series { named }, visitor)?;
    if !V::LISTENS {
        str(text, start, end)?;
    }
    Ok(end)
}

/// Reads the labels of an exemplar, whose brace is at `brace`, and returns where they end. `text` is as for [`series`].
pub(super) fn exemplar<V: Visitor>(text: &[u8], brace: usize, visitor: &mut V) -> Result<usize, Fault> {
    let whole = Whole::for_visitor::<V>(text)?;
    read_labels((text, whole), brace, Of::Exemplar, visitor)
}

fn read_labels<V: Visitor>(
    (text, whole): (&[u8], Whole<'_>),
    brace: usize,
    of: Of,
    visitor: &mut V,
) -> Result<usize, Fault> {
    let mut named = !matches!(of, Of::Series { named: false });
    let mut at = brace + 1;
    loop {
        let quoted = match text.get(at) {
            Some(b'}') => break,
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
        match text.get(at) {
            // A quoted string alone is the metric name, wherever it stands.
            Some(b',' | b'}') if quoted => {
                if of == Of::Exemplar {
                    return Err(fault(at, "expected = after a label name"));
                }
                if named {
                    return Err(fault(from, "second metric name"));
                }
                named = true;
                if V::LISTENS {
                    visitor.name(whole.part(from, to));
                }
                at += usize::from(text[at] == b',');
                continue;
            }
            Some(b'=') => at += 1,
            _ => return Err(fault(at, "expected = after a label name")),
        }
        if text.get(at) != Some(&b'"') {
            return Err(fault(at, "expected a label value in quotes"));
        }
        let end = quoted_end(text, at, of != Of::Exemplar)?;
        if V::LISTENS {
            visitor.label(whole.part(from, to), whole.part(at + 1, end - 1));
        }
        at = end;
        match text.get(at) {
            // One comma may trail.
            Some(b',') => at += 1,
            Some(b'}') => {}
            _ => return Err(fault(at, "expected a comma or the closing brace")),
        }
    }
    if !named {
        return Err(fault(brace, "series without a metric name"));
    }
    Ok(at + 1)
}

/// The end of the quoted string whose opening quote is at `at`: behind the closing quote.
pub(super) fn quoted_end(text: &[u8], at: usize, nul_allowed: bool) -> Result<usize, Fault> {
    let mut next = at + 1;
    loop {
        let rest = text.get(next..).unwrap_or_default();
        let Some(found) = lex::find(rest, *b"\"\\\n") else {
            return Err(fault(at, "quoted string has no end"));
        };
        let stop = next + found;
        match text[stop] {
            b'"' => {
                if !nul_allowed && let Some(nul) = memchr::memchr(0, &text[at..stop]) {
                    return Err(fault(at + nul, "NUL byte"));
                }
                return Ok(stop + 1);
            }
            b'\n' => return Err(fault(stop, "line feed in a quoted string")),
            _ => {}
        }
        if let None | Some(b'\n') = text.get(stop + 1) {
            return Err(fault(stop, "backslash at the end of a line"));
        }
        next = stop + 2;
    }
}
