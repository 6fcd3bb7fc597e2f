//! Character classes: the named ones (Perl's, POSIX', Unicode's) and the set that a bracket expression adds up to.
//!
//! Invariant: with case folding on, a set is folded before it is negated, as Go does it, so `(?i)[^k]` leaves out the
//! Kelvin sign.

use std::collections::HashMap;

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind};

/// A named class: its ranges, and whether the name negates them.
pub(super) type Named = (&'static [(char, char)], bool);

/// The first and last characters that have another case in any supported version of Unicode.
const FOLDABLE: (u32, u32) = ('A' as u32, 0x1_E943);

const DIGIT: &[(char, char)] = &[('0', '9')];
const PERL_SPACE: &[(char, char)] = &[('\t', '\n'), ('\x0c', '\r'), (' ', ' ')];
const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];

/// `\d`, `\s`, `\w` and their negations, by the letter.
pub(super) fn perl(letter: u8) -> Option<Named> {
    Some(match letter {
        b'd' => (DIGIT, false),
        b'D' => (DIGIT, true),
        b's' => (PERL_SPACE, false),
        b'S' => (PERL_SPACE, true),
        b'w' => (WORD, false),
        b'W' => (WORD, true),
        _ => return None,
    })
}

/// `[:alpha:]`, `[:^alpha:]` and the like, by what stands between the colons.
pub(super) fn posix(name: &str) -> Option<Named> {
    let (name, negated) = match name.strip_prefix('^') {
        Some(rest) => (rest, true),
        None => (name, false),
    };
    let ranges: &'static [(char, char)] = match name {
        "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        "alpha" => &[('A', 'Z'), ('a', 'z')],
        "ascii" => &[('\0', '\x7f')],
        "blank" => &[('\t', '\t'), (' ', ' ')],
        "cntrl" => &[('\0', '\x1f'), ('\x7f', '\x7f')],
        "digit" => DIGIT,
        "graph" => &[('!', '~')],
        "lower" => &[('a', 'z')],
        "print" => &[(' ', '~')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "space" => &[('\t', '\r'), (' ', ' ')],
        "upper" => &[('A', 'Z')],
        "word" => WORD,
        "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return None,
    };
    Some((ranges, negated))
}

/// Scripts whose full name has four letters. Other names of four letters are ISO 15924 codes, which Go does not know.
const FOUR_LETTER_SCRIPTS: [&str; 9] = [
    "ahom", "cham", "kawi", "lisu", "miao", "modi", "newa", "thai", "toto",
];

/// The general category or script of that name, read loosely as Go 1.25 does (case, `_`, `-` and blanks do not
/// count).
fn unicode(name: &str) -> Option<ClassUnicode> {
    let key: String = name
        .chars()
        .filter(|c| !matches!(c, '_' | '-' | ' '))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    if key.is_empty() || !key.bytes().all(|b| b.is_ascii_alphanumeric()) || key.starts_with("is") {
        return None;
    }
    if key == "cs" || key == "surrogate" {
        // Text is UTF-8: there are none.
        return Some(ClassUnicode::empty());
    }
    let look_up = |property: &str| {
        let hir = regex_syntax::parse(&format!(r"\p{{{property}={key}}}")).ok()?;
        match hir.into_kind() {
            HirKind::Class(Class::Unicode(class)) => Some(class),
            HirKind::Literal(literal) => {
                let only = std::str::from_utf8(&literal.0).ok()?.chars().next()?;
                Some(ClassUnicode::new([ClassUnicodeRange::new(only, only)]))
            }
            _ => None,
        }
    };
    look_up("gc").or_else(|| {
        let is_code = key.len() == 4 && !FOUR_LETTER_SCRIPTS.contains(&key.as_str());
        if is_code { None } else { look_up("sc") }
    })
}

/// Unicode classes already looked up (and folded) while parsing one pattern.
#[derive(Debug, Default)]
pub(super) struct UnicodeClasses(HashMap<(String, bool), Option<ClassUnicode>>);

impl UnicodeClasses {
    /// The class of that name, folded if asked. None: there is no such name.
    pub(super) fn get(&mut self, name: &str, fold: bool) -> Option<&ClassUnicode> {
        self.0
            .entry((name.to_owned(), fold))
            .or_insert_with(|| {
                let mut class = unicode(name)?;
                if fold {
                    class.case_fold_simple();
                }
                Some(class)
            })
            .as_ref()
    }
}

/// A set of characters being added up.
#[derive(Debug, Default)]
pub(super) struct Set {
    ranges: Vec<ClassUnicodeRange>,
    fold: bool,
    /// Characters folded one by one so far: what `(?i)` costs.
    folded: u64,
}

impl Set {
    pub(super) fn new(fold: bool) -> Self {
        Self {
            fold,
            ..Self::default()
        }
    }

    /// Adds the code points from `low` to `high`. Surrogates among them are left out, since no text has them.
    pub(super) fn push_range(&mut self, low: u32, high: u32) {
        let low = if (0xD800..=0xDFFF).contains(&low) {
            0xE000
        } else {
            low
        };
        let high = if (0xD800..=0xDFFF).contains(&high) {
            0xD7FF
        } else {
            high
        };
        let (Some(start), Some(end)) = (char::from_u32(low), char::from_u32(high)) else {
            return;
        };
        if start > end {
            return;
        }
        self.ranges.push(ClassUnicodeRange::new(start, end));
        if !self.fold || (low <= FOLDABLE.0 && high >= FOLDABLE.1) {
            return;
        }
        let (low, high) = (low.max(FOLDABLE.0), high.min(FOLDABLE.1));
        if low > high {
            return;
        }
        if let (Some(start), Some(end)) = (char::from_u32(low), char::from_u32(high)) {
            self.folded += u64::from(high - low) + 1;
            let mut class = ClassUnicode::new([ClassUnicodeRange::new(start, end)]);
            class.case_fold_simple();
            self.ranges.extend(class.iter().copied());
        }
    }

    /// Adds a Perl or POSIX class.
    pub(super) fn push_named(&mut self, (ranges, negated): Named) {
        let mut class = ClassUnicode::new(
            ranges
                .iter()
                .map(|&(start, end)| ClassUnicodeRange::new(start, end)),
        );
        if self.fold {
            self.folded += class.iter().map(|range| range.len() as u64).sum::<u64>();
            class.case_fold_simple();
        }
        if negated {
            class.negate();
        }
        self.ranges.extend(class.iter().copied());
    }

    /// Adds a Unicode class, which the caller took in its folded form where needed.
    pub(super) fn push_unicode(&mut self, class: &ClassUnicode, negated: bool) {
        if negated {
            let mut class = class.clone();
            class.negate();
            self.ranges.extend(class.iter().copied());
        } else {
            self.ranges.extend(class.iter().copied());
        }
    }

    /// Ranges held, doubles counted: what the set costs.
    pub(super) fn cost(&self) -> u64 {
        self.ranges.len() as u64 + self.folded / 16
    }

    pub(super) fn into_hir(self, negated: bool) -> Hir {
        let mut class = ClassUnicode::new(self.ranges);
        if negated {
            class.negate();
        }
        Hir::class(Class::Unicode(class))
    }
}
