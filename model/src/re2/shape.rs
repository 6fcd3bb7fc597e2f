//! Patterns that need no engine: a few fixed texts, one fixed text with "anything" before or after it, or a choice of such.
//!
//! Most patterns of real configurations are such: `api|web`, `https?`, `__meta_label_(.+)`, `.*_total`, `up|node_.*`. The shape is
//! read off the finished tree, never off the pattern's text, so it cannot disagree with the grammar.
//!
//! Invariant: a shape accepts exactly the texts that the tree accepts, and where it gives groups, gives the engine's.

use std::ops::Range;

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// The most texts a finite set may have, and the most bytes they may have together.
const MAX_TEXTS: usize = 64;
const MAX_BYTES: usize = 4096;

/// The most alternatives of a choice that are no fixed texts: each of them is tried.
const MAX_GAPPED: usize = 16;

/// How the texts that a pattern accepts can be recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    kind: Kind,
    /// What each group spans, from the first; None when only the engine can tell.
    groups: Option<Box<[Part]>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// One of these texts; sorted, no text twice.
    OneOf(Box<[Box<str>]>),
    /// `head literal tail`; a gap that is None is not there.
    Around {
        head: Option<Gap>,
        literal: Box<str>,
        tail: Option<Gap>,
    },
    /// One of these texts, or what one of the other kinds accepts.
    AnyOf {
        texts: Box<[Box<str>]>,
        others: Box<[Kind]>,
    },
}

/// Any text, or any text but the empty one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gap {
    Any,
    NonEmpty,
}

impl Gap {
    fn accepts(self, length: usize) -> bool {
        self == Self::Any || length > 0
    }
}

/// What a group spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Whole,
    Head,
    Tail,
}

impl Shape {
    /// The shape of a tree with that many groups, when it has one.
    pub(super) fn of(hir: &Hir, groups: usize) -> Option<Self> {
        let HirKind::Concat(parts) = hir.kind() else {
            return None;
        };
        let start = parts.iter().take_while(|part| is_look(part, Look::Start)).count();
        let end = parts
            .iter()
            .rev()
            .take_while(|part| is_look(part, Look::End))
            .count();
        if start == 0 || end == 0 {
            return None;
        }
        let mut parts = parts.get(start..parts.len() - end)?;
        let mut spans = vec![None; groups];
        while let [only] = parts {
            match only.kind() {
                HirKind::Capture(capture) => {
                    note(&mut spans, capture.index, Part::Whole)?;
                    parts = std::slice::from_ref(&*capture.sub);
                }
                HirKind::Concat(inner) => parts = inner,
                _ => break,
            }
        }
        let kind = around(parts, &mut spans)
            .or_else(|| fixed(parts).and_then(sorted).map(Kind::OneOf))
            .or_else(|| any_of(parts))?;
        Some(Self {
            kind,
            groups: spans.into_iter().collect(),
        })
    }

    /// Whether groups can be told without the engine.
    pub(super) fn has_groups(&self) -> bool {
        self.groups.is_some()
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        self.kind.is_match(text)
    }

    /// What the group spans in a text that matches. Only when [`has_groups`](Self::has_groups).
    pub(super) fn group(&self, text: &str, group: usize) -> Option<Range<usize>> {
        let literal = match &self.kind {
            Kind::OneOf(_) | Kind::AnyOf { .. } => "",
            Kind::Around { literal, .. } => literal,
        };
        Some(match self.groups.as_deref()?.get(group)? {
            Part::Whole => 0..text.len(),
            Part::Head => 0..text.len() - literal.len(),
            Part::Tail => literal.len()..text.len(),
        })
    }
}

impl Kind {
    fn is_match(&self, text: &str) -> bool {
        match self {
            Self::OneOf(texts) => is_one_of(texts, text),
            Self::AnyOf { texts, others } => {
                others.iter().any(|kind| kind.is_match(text)) || is_one_of(texts, text)
            }
            Self::Around {
                head: None,
                literal,
                tail: None,
            } => **literal == *text,
            Self::Around {
                head: None,
                literal,
                tail: Some(tail),
            } => {
                text.len() >= literal.len()
                    && text.starts_with(&**literal)
                    && tail.accepts(text.len() - literal.len())
            }
            Self::Around {
                head: Some(head),
                literal,
                tail: None,
            } => {
                text.len() >= literal.len()
                    && text.ends_with(&**literal)
                    && head.accepts(text.len() - literal.len())
            }
            Self::Around {
                head: Some(head),
                literal,
                tail: Some(tail),
            } => {
                // The first place far enough from the start leaves most to the tail.
                let skip = match head {
                    Gap::Any => 0,
                    Gap::NonEmpty => match text.chars().next() {
                        Some(c) => c.len_utf8(),
                        None => return false,
                    },
                };
                text[skip..]
                    .find(&**literal)
                    .is_some_and(|at| tail.accepts(text.len() - skip - at - literal.len()))
            }
        }
    }
}

fn is_one_of(texts: &[Box<str>], text: &str) -> bool {
    match texts {
        [] => false,
        [only] => **only == *text,
        texts => texts.binary_search_by(|known| (**known).cmp(text)).is_ok(),
    }
}

fn note(spans: &mut [Option<Part>], index: u32, part: Part) -> Option<()> {
    *spans.get_mut(usize::try_from(index).ok()?.checked_sub(1)?)? = Some(part);
    Some(())
}

fn is_look(hir: &Hir, look: Look) -> bool {
    matches!(hir.kind(), HirKind::Look(found) if *found == look)
}

/// `.*` or `.+` where the dot is any character at all.
fn gap(hir: &Hir) -> Option<Gap> {
    let HirKind::Repetition(repetition) = hir.kind() else {
        return None;
    };
    let HirKind::Class(Class::Unicode(class)) = repetition.sub.kind() else {
        return None;
    };
    let [range] = class.ranges() else { return None };
    let any = range.start() == '\0' && range.end() == char::MAX;
    match (any, repetition.min, repetition.max) {
        (true, 0, None) => Some(Gap::Any),
        (true, 1, None) => Some(Gap::NonEmpty),
        _ => None,
    }
}

/// As [`gap`], with any number of groups around it.
fn grouped_gap(mut hir: &Hir, indexes: &mut Vec<u32>) -> Option<Gap> {
    while let HirKind::Capture(capture) = hir.kind() {
        indexes.push(capture.index);
        hir = &capture.sub;
    }
    gap(hir)
}

fn around(parts: &[Hir], spans: &mut [Option<Part>]) -> Option<Kind> {
    let (mut head_groups, mut tail_groups) = (Vec::new(), Vec::new());
    let (head, rest) = match parts {
        [first, rest @ ..] => match grouped_gap(first, &mut head_groups) {
            Some(gap) => (Some(gap), rest),
            None => (None, parts),
        },
        [] => return None,
    };
    let (literal, tail) = match rest {
        [] => ("", None),
        [only] => match literal(only) {
            Some(text) => (text, None),
            // Two gaps with nothing between them are left to the engine.
            None if head.is_some() => return None,
            None => ("", Some(grouped_gap(only, &mut tail_groups)?)),
        },
        [first, last] => (literal(first)?, Some(grouped_gap(last, &mut tail_groups)?)),
        _ => return None,
    };
    head_groups.retain(|_| head.is_some());
    // With two gaps it depends on greed where the literal is found.
    if head.is_none() || tail.is_none() {
        for index in head_groups {
            note(spans, index, Part::Head)?;
        }
        for index in tail_groups {
            note(spans, index, Part::Tail)?;
        }
    }
    Some(Kind::Around {
        head,
        literal: literal.into(),
        tail,
    })
}

/// A choice whose alternatives have shapes. The grammar's tree has what they start with in common in front of it.
fn any_of(parts: &[Hir]) -> Option<Kind> {
    let (mut texts, mut others) = (Vec::new(), Vec::new());
    alternatives(parts, &mut texts, &mut others)?;
    Some(Kind::AnyOf {
        texts: sorted(texts)?,
        others: others.into(),
    })
}

fn alternatives(parts: &[Hir], texts: &mut Vec<Vec<u8>>, others: &mut Vec<Kind>) -> Option<()> {
    // A choice that has groups leaves these to the engine.
    if let Some(kind) = around(parts, &mut [None; MAX_TEXTS]) {
        others.push(kind);
    } else if let Some(fixed) = fixed(parts) {
        texts.extend(fixed);
    } else {
        let (mut last, before) = parts.split_last()?;
        while let HirKind::Capture(capture) = last.kind() {
            last = &capture.sub;
        }
        let branches = match last.kind() {
            HirKind::Alternation(branches) if before.iter().all(|part| literal(part).is_some()) => branches,
            HirKind::Concat(inner) if before.is_empty() => return alternatives(inner, texts, others),
            _ => return None,
        };
        for branch in branches {
            let whole = Hir::concat(before.iter().chain([branch]).cloned().collect());
            match whole.kind() {
                HirKind::Concat(parts) => alternatives(parts, texts, others)?,
                _ => alternatives(std::slice::from_ref(&whole), texts, others)?,
            }
        }
    }
    (texts.len() <= MAX_TEXTS && others.len() <= MAX_GAPPED).then_some(())
}

/// All texts that the parts accept one after another; none where they accept others than fixed ones.
fn fixed(parts: &[Hir]) -> Option<Vec<Vec<u8>>> {
    parts.iter().try_fold(vec![Vec::new()], append)
}

fn sorted(texts: Vec<Vec<u8>>) -> Option<Box<[Box<str>]>> {
    let mut texts = texts
        .into_iter()
        .map(|text| String::from_utf8(text).ok().map(String::into_boxed_str))
        .collect::<Option<Vec<_>>>()?;
    texts.sort_unstable();
    texts.dedup();
    Some(texts.into_boxed_slice())
}

fn literal(hir: &Hir) -> Option<&str> {
    let HirKind::Literal(literal) = hir.kind() else {
        return None;
    };
    std::str::from_utf8(&literal.0).ok()
}

/// All texts that `hir` accepts, each after each of `before`. None: too many, or not only fixed texts. Groups inside
/// are allowed; their spans stay unknown.
fn append(before: Vec<Vec<u8>>, hir: &Hir) -> Option<Vec<Vec<u8>>> {
    let after = match hir.kind() {
        HirKind::Empty => before,
        HirKind::Literal(literal) => with_each(&before, std::iter::once(&*literal.0)),
        HirKind::Class(Class::Unicode(class)) => {
            if class
                .iter()
                .map(regex_syntax::hir::ClassUnicodeRange::len)
                .sum::<usize>()
                > MAX_TEXTS
            {
                return None;
            }
            let chars: Vec<String> = class
                .iter()
                .flat_map(|range| range.start()..=range.end())
                .map(String::from)
                .collect();
            with_each(&before, chars.iter().map(String::as_bytes))
        }
        // The class that nothing matches is one of bytes.
        HirKind::Class(Class::Bytes(class)) if class.ranges().is_empty() => Vec::new(),
        HirKind::Class(Class::Bytes(_)) | HirKind::Look(_) => return None,
        HirKind::Repetition(repetition) => {
            if (repetition.min, repetition.max) != (0, Some(1)) {
                return None;
            }
            let mut texts = before.clone();
            texts.extend(append(before, &repetition.sub)?);
            texts
        }
        HirKind::Capture(capture) => append(before, &capture.sub)?,
        HirKind::Concat(parts) => {
            let mut texts = before;
            for part in parts {
                texts = append(texts, part)?;
            }
            texts
        }
        HirKind::Alternation(parts) => {
            let mut texts = Vec::new();
            for part in parts {
                texts.extend(append(before.clone(), part)?);
                if texts.len() > MAX_TEXTS {
                    return None;
                }
            }
            texts
        }
    };
    let bytes: usize = after.iter().map(Vec::len).sum();
    (after.len() <= MAX_TEXTS && bytes <= MAX_BYTES).then_some(after)
}

fn with_each<'t>(before: &[Vec<u8>], texts: impl Iterator<Item = &'t [u8]>) -> Vec<Vec<u8>> {
    texts
        .flat_map(|text| before.iter().map(move |start| [start.as_slice(), text].concat()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::re2::parse::parse;

    fn shape(pattern: &str) -> Option<Shape> {
        let parsed = parse(&format!("^(?s:{pattern})$")).expect("pattern");
        Shape::of(&parsed.hir, parsed.names.len() - 1)
    }

    fn texts(pattern: &str) -> Vec<String> {
        match shape(pattern).expect("shape").kind {
            Kind::OneOf(texts) => texts.iter().map(ToString::to_string).collect(),
            Kind::Around {
                head: None,
                literal,
                tail: None,
            } => vec![literal.to_string()],
            kind => panic!("{kind:?}"),
        }
    }

    #[test]
    fn fixed_texts_are_listed() {
        assert_eq!(texts(""), [""]);
        assert_eq!(texts("foo"), ["foo"]);
        assert_eq!(texts("^foo$"), ["foo"]);
        assert_eq!(texts("foo|bar|foo"), ["bar", "foo"]);
        assert_eq!(texts("(https?)"), ["http", "https"]);
        assert_eq!(texts("[ab]c|d(e|f)?"), ["ac", "bc", "d", "de", "df"]);
        assert_eq!(texts("(?i)ab"), ["AB", "Ab", "aB", "ab"]);
        assert_eq!(texts(r"[^\x00-\x{10FFFF}]"), Vec::<String>::new());
    }

    #[test]
    fn gaps_are_found() {
        for pattern in [
            ".*",
            "(.+)",
            "a.*",
            "a(.+)",
            ".*a",
            "(.*)a",
            ".*a.*",
            ".+a.+",
            "(?P<x>a(.*))",
        ] {
            let shape = shape(pattern).expect(pattern);
            assert!(matches!(shape.kind, Kind::Around { .. }), "{pattern}: {shape:?}");
            assert!(shape.has_groups(), "{pattern}");
        }
        assert!(!shape("(.*)a(.*)").expect("shape").has_groups());
        assert!(!shape("(a)|(b)").expect("shape").has_groups());
    }

    #[test]
    fn choices_are_taken_apart() {
        for (pattern, yes, no) in [
            (
                "app_.*|node_.*|up",
                vec!["app_", "node_x", "up"],
                vec!["upp", "app", "xup", ""],
            ),
            (
                "app_(1|22|33)_total|go_gc_.+",
                vec!["app_1_total", "app_33_total", "go_gc_x"],
                vec!["app_2_total", "go_gc_", "go_gc"],
            ),
            (
                "node_(cpu.*|disk_(io|read.+))",
                vec!["node_cpu", "node_disk_io", "node_disk_reads"],
                vec!["node_disk_read"],
            ),
            (
                ".*_bucket|.*_sum|x",
                vec!["_bucket", "a_sum", "x"],
                vec!["bucket", "xx"],
            ),
            ("|a.*", vec!["", "ab"], vec!["b"]),
        ] {
            let shape = shape(pattern).expect(pattern);
            assert!(matches!(shape.kind, Kind::AnyOf { .. }), "{pattern}: {shape:?}");
            for text in yes {
                assert!(shape.is_match(text), "{pattern} {text}");
            }
            for text in no {
                assert!(!shape.is_match(text), "{pattern} {text}");
            }
        }
        assert!(!shape("(a.*)|b").expect("shape").has_groups());
        assert!(shape("a.*|b").expect("shape").has_groups());
        assert_eq!(shape("a.*|b+"), None);
    }

    #[test]
    fn other_patterns_have_no_shape() {
        for pattern in [
            "(?-s:.*)", "a+", r"\PL", r"a\b.*", "[^a].*", "a{2,3}", "(a.*)b", ".*.*", "[a-z]{3}",
        ] {
            assert_eq!(shape(pattern), None, "{pattern}");
        }
        let parsed = parse("a|b").expect("pattern");
        assert_eq!(Shape::of(&parsed.hir, 0), None);
    }
}
