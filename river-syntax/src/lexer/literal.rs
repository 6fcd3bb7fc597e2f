//! Numbers and strings.

use memchr::{memchr, memchr3};

use super::Lexer;
use crate::ast::unescape;
use crate::token::TokenKind;
use crate::work;

impl Lexer<'_> {
    fn digits(&mut self) {
        while self.byte().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
    }

    pub(super) fn number(&mut self) {
        let start = self.at;
        let mut kind = TokenKind::Number;
        self.digits();
        if self.byte() == Some(b'.') {
            kind = TokenKind::Float;
            self.at += 1;
            self.digits();
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            kind = TokenKind::Float;
            self.at += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            let exponent = self.at;
            self.digits();
            if exponent == self.at {
                self.error(start, self.at, "exponent has no digits");
                kind = TokenKind::Illegal;
            }
        }
        self.push_literal(kind, start);
    }

    pub(super) fn string(&mut self) {
        let start = self.at;
        self.at += 1;
        let (mut legal, mut has_escapes) = (true, false);
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            let skipped = memchr3(b'"', b'\\', b'\n', rest);
            let skipped = skipped.unwrap_or(rest.len());
            work::count(skipped);
            self.at += skipped;
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    break;
                }
                Some(b'\\') => {
                    has_escapes = true;
                    legal &= self.escape();
                }
                _ => {
                    self.error(start, self.at, "string literal not terminated");
                    legal = false;
                    break;
                }
            }
        }
        // Each escape is right, but bytes that are written as such need not make UTF-8 together.
        if legal && has_escapes && unescape(&self.text[start..self.at]).is_none() {
            self.error(
                start,
                self.at,
                "the escapes in this string do not make valid UTF-8",
            );
            legal = false;
        }
        self.push_string(start, legal);
    }

    /// Adds the string from `start` to here, unless something in it is wrong.
    fn push_string(&mut self, start: usize, legal: bool) {
        let legal = legal && !(self.has_wrong_bytes && self.wrong_byte_since(start));
        let kind = if legal {
            TokenKind::String
        } else {
            TokenKind::Illegal
        };
        self.push_literal(kind, start);
    }

    fn push_literal(&mut self, kind: TokenKind, start: usize) {
        self.push(kind, start);
        // So that the statement ends with its line, as it would if the literal were right.
        self.pending = true;
    }

    /// Whether there is a NUL, or a byte that was not UTF-8, between `start` and here. It is reported when all is read.
    fn wrong_byte_since(&self, start: usize) -> bool {
        let bad = self.source.bad_bytes();
        let next = bad.partition_point(|&at| (at as usize) < start);
        let bytes = &self.text.as_bytes()[start..self.at];
        work::count(bytes.len());
        bad.get(next).is_some_and(|&at| (at as usize) < self.at) || memchr(0, bytes).is_some()
    }

    /// Checks one escape sequence; its value is taken when the tree is built.
    fn escape(&mut self) -> bool {
        let start = self.at;
        self.at += 1;
        let (count, base, limit) = match self.peek() {
            Some('a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | '\\' | '"') => {
                self.at += 1;
                return true;
            }
            Some('0'..='7') => (3, 8, 255),
            Some('x') => (2, 16, 255),
            Some('u') => (4, 16, u32::from(char::MAX)),
            Some('U') => (8, 16, u32::from(char::MAX)),
            None | Some('\n') => {
                self.error(start, self.at, "escape sequence not terminated");
                return false;
            }
            Some(c) => {
                self.at += c.len_utf8();
                self.error(start, self.at, "unknown escape sequence");
                return false;
            }
        };
        if base == 16 {
            self.at += 1;
        }
        let mut value = 0_u64;
        for _ in 0..count {
            let Some(digit) = self.peek().and_then(|c| c.to_digit(base)) else {
                self.error(start, self.at, "illegal character in escape sequence");
                return false;
            };
            value = value * u64::from(base) + u64::from(digit);
            self.at += 1;
        }
        if value > u64::from(limit) || (0xd800..0xe000).contains(&value) {
            self.error(
                start,
                self.at,
                "escape sequence is not a valid Unicode code point",
            );
            return false;
        }
        true
    }

    pub(super) fn raw_string(&mut self) {
        let start = self.at;
        if let Some(length) = memchr(b'`', &self.text.as_bytes()[start + 1..]) {
            work::count(length);
            self.at = start + length + 2;
            self.push_string(start, true);
        } else {
            work::count(self.text.len() - start);
            self.at = self.text.len();
            self.error(start, start + 1, "raw string literal not terminated");
            self.push(TokenKind::Illegal, start);
        }
    }

    pub(super) fn single_quoted(&mut self) {
        let start = self.at;
        self.at += 1;
        let mut closed = false;
        while let Some(c) = self.peek() {
            if c == '\n' {
                break;
            }
            self.at += c.len_utf8();
            if c == '\\' {
                self.at += self.peek().filter(|&c| c != '\n').map_or(0, char::len_utf8);
            } else if c == '\'' {
                closed = true;
                break;
            }
        }
        self.error(start, self.at, "illegal single-quoted string; use double quotes");
        if !closed {
            self.error(start, self.at, "string literal not terminated");
        }
        self.push_literal(TokenKind::Illegal, start);
    }
}
