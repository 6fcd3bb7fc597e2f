//! A format's parts: text, and verbs with their flags, widths, precisions and arguments.

use super::output::Spec;
use crate::value::{Number, Value};

/// The widest padding and the highest precision, as in Go.
const MOST: usize = 1_000_000;

/// A part of a format.
pub(super) enum Directive<'a> {
    Text(&'a str),
    /// A value by a verb.
    Value(char, Spec, &'a Value),
    /// A verb whose argument is not there, and what is printed of that.
    Fault(char, &'static str),
}

/// The parts of a format in order, with the arguments that they take.
pub(super) struct Directives<'a> {
    rest: &'a str,
    args: &'a [Value],
    next: usize,
    /// Whether an argument was taken by its index; nothing is said of those that are left then.
    reordered: bool,
    /// Whether the arguments that the verb at hand names are there.
    good: bool,
    /// Printed before the verb at hand.
    faults: Vec<&'static str>,
    pending: Option<Directive<'a>>,
}

impl<'a> Directives<'a> {
    pub(super) fn new(format: &'a str, args: &'a [Value]) -> Directives<'a> {
        Directives {
            rest: format,
            args,
            next: 0,
            reordered: false,
            good: true,
            faults: Vec::new(),
            pending: None,
        }
    }

    /// The arguments that no verb has taken.
    pub(super) fn left(&self) -> &'a [Value] {
        if self.reordered {
            return &[];
        }
        self.args.get(self.next..).unwrap_or_default()
    }

    pub(super) fn next(&mut self) -> Option<Directive<'a>> {
        if !self.faults.is_empty() {
            return Some(Directive::Text(self.faults.remove(0)));
        }
        if let Some(pending) = self.pending.take() {
            return Some(pending);
        }
        let at = self.rest.find('%').unwrap_or(self.rest.len());
        if at > 0 {
            let (text, rest) = self.rest.split_at(at);
            self.rest = rest;
            return Some(Directive::Text(text));
        }
        self.rest = self.rest.strip_prefix('%')?;
        self.pending = Some(self.verb());
        self.next()
    }

    /// What follows a `%`.
    fn verb(&mut self) -> Directive<'a> {
        self.good = true;
        let mut spec = self.flags();
        let mut indexed = self.index();
        if self.eat('*') {
            match self.argument() {
                Some(width) => {
                    spec.width = usize::try_from(width.unsigned_abs()).ok();
                    if width < 0 {
                        spec.minus = true;
                        spec.zero = false;
                    }
                }
                None => self.faults.push("%!(BADWIDTH)"),
            }
            indexed = false;
        } else {
            spec.width = self.number();
            if indexed && spec.width.is_some() {
                self.good = false;
            }
        }
        if self.eat('.') {
            if indexed {
                self.good = false;
            }
            indexed = self.index();
            if self.eat('*') {
                spec.precision = self
                    .argument()
                    .and_then(|precision| usize::try_from(precision).ok());
                if spec.precision.is_none() {
                    self.faults.push("%!(BADPREC)");
                }
                indexed = false;
            } else {
                spec.precision = Some(self.number().unwrap_or(0));
            }
        }
        if !indexed {
            self.index();
        }
        let Some(verb) = self.rest.chars().next() else {
            return Directive::Text("%!(NOVERB)");
        };
        self.rest = &self.rest[verb.len_utf8()..];
        if verb == '%' {
            return Directive::Text("%");
        }
        if !self.good {
            return Directive::Fault(verb, "(BADINDEX)");
        }
        let Some(arg) = self.args.get(self.next) else {
            return Directive::Fault(verb, "(MISSING)");
        };
        self.next += 1;
        if verb == 'v' {
            spec.sharp_v = std::mem::take(&mut spec.sharp);
            // It concerns the fields of structs, which the language has not.
            spec.plus = false;
        }
        Directive::Value(verb, spec, arg)
    }

    fn eat(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn flags(&mut self) -> Spec {
        let mut spec = Spec::default();
        loop {
            match self.rest.bytes().next() {
                Some(b'-') => spec.minus = true,
                Some(b'+') => spec.plus = true,
                Some(b'#') => spec.sharp = true,
                Some(b' ') => spec.space = true,
                Some(b'0') => spec.zero = true,
                _ => return spec,
            }
            self.rest = &self.rest[1..];
        }
    }

    /// A number; after one that is too large the rest of the format is skipped, as in Go.
    fn number(&mut self) -> Option<usize> {
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.rest.split_at(digits);
        self.rest = rest;
        if digits == 0 {
            return None;
        }
        let number = number.parse().ok().filter(|&number| number <= MOST);
        if number.is_none() {
            self.rest = "";
        }
        number
    }

    /// The width or precision that `*` stands for.
    fn argument(&mut self) -> Option<i64> {
        let arg = self.args.get(self.next)?;
        self.next += 1;
        let Value::Number(number @ (Number::Int(_) | Number::Uint(_))) = arg else {
            return None;
        };
        let number = number
            .to_integer()
            .and_then(|number| i64::try_from(number).ok())?;
        (number.unsigned_abs() <= MOST as u64).then_some(number)
    }

    /// The index of the next argument, `[2]`; whether there is one.
    fn index(&mut self) -> bool {
        if !self.rest.starts_with('[') {
            return false;
        }
        self.reordered = true;
        let Some(end) = self.rest.find(']') else {
            self.good = false;
            self.rest = &self.rest[1..];
            return false;
        };
        let index = self.rest[1..end].parse::<usize>().ok();
        let index = index.filter(|_| self.rest[1..end].bytes().all(|byte| byte.is_ascii_digit()));
        self.rest = &self.rest[end + 1..];
        match index.and_then(|index| index.checked_sub(1)) {
            Some(index) if index < self.args.len() => {
                self.next = index;
                true
            }
            _ => {
                self.good = false;
                index.is_some()
            }
        }
    }
}
