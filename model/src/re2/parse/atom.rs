//! What stands for one character: escapes and bracket expressions.
//!
//! Invariant: outside and inside brackets an escape is read by the same code, so it means the same.

use regex_syntax::hir::{Hir, Look};

use super::super::class::{self, Set};
use super::super::error::{Error, ErrorKind};
use super::{MAX_COST, Parser};

impl Parser<'_> {
    /// Reads what a backslash outside a class begins.
    pub(super) fn escape(&mut self) -> Result<(), Error> {
        let start = self.at;
        let look = match self.pattern.as_bytes().get(start + 1) {
            Some(b'A') => Look::Start,
            Some(b'z') => Look::End,
            Some(b'b') => Look::WordAscii,
            Some(b'B') => Look::WordAsciiNegate,
            Some(b'C') => {
                self.at += 2;
                return Err(self.error_from(ErrorKind::InvalidEscape, start));
            }
            Some(b'Q') => {
                self.at += 2;
                let quoted = self.rest();
                let (literal, skip) = match quoted.find("\\E") {
                    Some(end) => (&quoted[..end], end + 2),
                    None => (quoted, quoted.len()),
                };
                for c in literal.chars() {
                    self.literal(u32::from(c))?;
                }
                self.at += skip;
                return Ok(());
            }
            _ => {
                let mut set = Set::new(self.flags.fold_case);
                if self.class_escape(&mut set)? {
                    self.charge(set.cost())?;
                    return self.push(set.into_hir(false));
                }
                let code_point = self.escaped_char()?;
                return self.literal(code_point);
            }
        };
        self.at += 2;
        self.push(Hir::look(look))
    }

    /// Reads `\d`, `\pL`, `\p{Greek}` and the like into the set. False: it is no class, and nothing is read.
    fn class_escape(&mut self, set: &mut Set) -> Result<bool, Error> {
        let start = self.at;
        let rest = self.rest().as_bytes();
        if rest.first() != Some(&b'\\') {
            return Ok(false);
        }
        let Some(&letter) = rest.get(1) else {
            return Ok(false);
        };
        if let Some(named) = class::perl(letter) {
            self.at += 2;
            set.push_named(named);
            return Ok(true);
        }
        if letter != b'p' && letter != b'P' {
            return Ok(false);
        }
        self.at += 2;
        let mut name = if self.peek() == Some(b'{') {
            let braced = self.rest();
            let Some(end) = braced.find('}') else {
                self.at = self.pattern.len();
                return Err(self.error_from(ErrorKind::InvalidCharRange, start));
            };
            self.at += end + 1;
            &braced[1..end]
        } else {
            let from = self.at;
            self.next_char();
            &self.pattern[from..self.at]
        };
        let mut negated = letter == b'P';
        if let Some(rest) = name.strip_prefix('^') {
            negated = !negated;
            name = rest;
        }
        match self.classes.get(name, self.flags.fold_case) {
            Some(class) => {
                set.push_unicode(class, negated);
                Ok(true)
            }
            None => Err(self.error_from(ErrorKind::InvalidCharRange, start)),
        }
    }

    /// Reads an escape that stands for one character, and gives its code point.
    fn escaped_char(&mut self) -> Result<u32, Error> {
        let start = self.at;
        self.at += 1;
        let Some(c) = self.next_char() else {
            return Err(Error::new(ErrorKind::TrailingBackslash, ""));
        };
        let code_point = match c {
            '1'..='7' if !matches!(self.peek(), Some(b'0'..=b'7')) => None,
            '0'..='7' => {
                let mut value = u32::from(c) - u32::from('0');
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.peek() else {
                        break;
                    };
                    self.at += 1;
                    value = value * 8 + u32::from(digit - b'0');
                }
                Some(value)
            }
            'x' => self.hexadecimal(),
            'a' => Some(0x07),
            'f' => Some(0x0C),
            'n' => Some(0x0A),
            'r' => Some(0x0D),
            't' => Some(0x09),
            'v' => Some(0x0B),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Some(u32::from(c)),
            _ => None,
        };
        code_point.ok_or_else(|| self.error_from(ErrorKind::InvalidEscape, start))
    }

    /// The digits of `\x41` or `\x{1F600}`.
    fn hexadecimal(&mut self) -> Option<u32> {
        let first = self.next_char()?;
        if first != '{' {
            let high = first.to_digit(16);
            let low = self.next_char()?.to_digit(16);
            return Some(high? * 16 + low?);
        }
        let mut value = None;
        loop {
            match self.next_char()? {
                '}' => return value,
                c => {
                    let sum = value.unwrap_or(0) * 16 + c.to_digit(16)?;
                    if sum > u32::from(char::MAX) {
                        return None;
                    }
                    value = Some(sum);
                }
            }
        }
    }

    pub(super) fn bracket_class(&mut self) -> Result<(), Error> {
        let start = self.at;
        self.at += 1;
        let negated = self.eat(b'^');
        let mut set = Set::new(self.flags.fold_case);
        let mut first = true;
        while first || self.peek() != Some(b']') {
            first = false;
            if self.posix_class(&mut set)? || self.class_escape(&mut set)? {
                if set.cost() > MAX_COST {
                    return Err(Error::new(ErrorKind::TooLarge, self.pattern));
                }
                continue;
            }
            let range_start = self.at;
            let low = self.class_char(start)?;
            let mut high = low;
            // `[a-]` is `a` and `-`.
            if self.peek() == Some(b'-')
                && !matches!(self.pattern.as_bytes().get(self.at + 1), None | Some(b']'))
            {
                self.at += 1;
                high = self.class_char(start)?;
                if high < low {
                    return Err(self.error_from(ErrorKind::InvalidCharRange, range_start));
                }
            }
            set.push_range(low, high);
            if set.cost() > MAX_COST {
                return Err(Error::new(ErrorKind::TooLarge, self.pattern));
            }
        }
        self.at += 1;
        self.charge(set.cost())?;
        self.push(set.into_hir(negated))
    }

    fn class_char(&mut self, class_start: usize) -> Result<u32, Error> {
        if self.peek() == Some(b'\\') {
            return self.escaped_char();
        }
        match self.next_char() {
            Some(c) => Ok(u32::from(c)),
            None => Err(Error::new(
                ErrorKind::MissingBracket,
                &self.pattern[class_start..],
            )),
        }
    }

    /// Reads `[:name:]` into the set. False: it is none, and nothing is read.
    fn posix_class(&mut self, set: &mut Set) -> Result<bool, Error> {
        let rest = self.rest();
        if rest.len() <= 2 || !rest.starts_with("[:") {
            return Ok(false);
        }
        // Without this, many `[:` with no end would each search the whole pattern.
        if self.last_posix_end.is_none_or(|last| last < self.at + 2) {
            return Ok(false);
        }
        let Some(end) = rest[2..].find(":]") else {
            return Ok(false);
        };
        let start = self.at;
        self.at += end + 4;
        match class::posix(&rest[2..end + 2]) {
            Some(named) => {
                set.push_named(named);
                Ok(true)
            }
            None => Err(self.error_from(ErrorKind::InvalidCharRange, start)),
        }
    }
}
