//! The lexer: text to tokens.
//!
//! It is total: every input gives a list of tokens that ends with [`TokenKind::Eof`], and what is wrong becomes
//! diagnostics and [`TokenKind::Illegal`] tokens. A line break after a token that can end a statement becomes a
//! [`TokenKind::Terminator`]; a comment that reaches the end of its line counts as that break.

use memchr::{memchr, memchr3, memmem};

use crate::diag::{self, Diagnostic, MOST_DIAGNOSTICS};
use crate::source::{BAD_BYTE, MAX_SOURCE_BYTES, Source, Span};
use crate::token::{Comment, Token, TokenKind};
use crate::unicode;
use crate::work;

/// Diagnostics of one kind that are kept: more than are shown, so that it is known that there are more.
const ENOUGH: usize = MOST_DIAGNOSTICS + 1;

/// What the lexer makes of a source.
#[derive(Clone, Debug, Default)]
pub struct Lexed {
    /// The tokens; the last one is [`TokenKind::Eof`].
    pub tokens: Vec<Token>,
    /// The comments in order.
    pub comments: Vec<Comment>,
    /// What is wrong, in order of place.
    pub diagnostics: Vec<Diagnostic>,
}

/// Splits a source into tokens and comments.
pub fn lex(source: &Source) -> Lexed {
    let mut lexer = Lexer {
        source,
        text: source.text(),
        at: 0,
        pending: false,
        inline_to: 0,
        out: Lexed::default(),
    };
    // About as many as there are in what people write; a file of one long string does not cost more than it is long.
    lexer.out.tokens.reserve((source.text().len() / 5).min(1 << 20));
    if source.is_too_long() {
        let message = format!("file is larger than {} MiB", MAX_SOURCE_BYTES >> 20);
        lexer.error(0, 0, message);
    }
    lexer.run();
    for &at in source.bad_bytes().iter().take(ENOUGH) {
        lexer.report(at as usize, at as usize + 1, "illegal UTF-8 encoding");
    }
    for at in memchr::memchr_iter(0, source.text().as_bytes()).take(ENOUGH) {
        lexer.report(at, at + 1, "illegal character NUL");
    }
    lexer.out.diagnostics = diag::first(lexer.out.diagnostics);
    lexer.out
}

struct Lexer<'a> {
    source: &'a Source,
    text: &'a str,
    at: usize,
    /// Whether a line break here ends a statement.
    pending: bool,
    /// Comments before this offset are followed by a token on their line.
    inline_to: usize,
    out: Lexed,
}

impl Lexer<'_> {
    fn run(&mut self) {
        if self.text.starts_with('\u{feff}') {
            self.at = '\u{feff}'.len_utf8();
        }
        loop {
            self.skip_blank();
            let start = self.at;
            work::count(1);
            let Some(byte) = self.byte() else { break };
            match byte {
                b'\n' => {
                    self.terminate(start);
                    self.at += 1;
                }
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.word(),
                b'"' => self.string(),
                b'/' if matches!(self.second(), Some(b'/' | b'*')) => self.comment(),
                b'0'..=b'9' => self.number(),
                b'.' if self.second().is_some_and(|b| b.is_ascii_digit()) => self.number(),
                b'`' => self.raw_string(),
                b'\'' => self.single_quoted(),
                0x80.. => match self.peek() {
                    Some(c) if unicode::is_ident_start(c) => self.word(),
                    Some(c) => self.operator(c),
                    None => break,
                },
                byte => self.operator(char::from(byte)),
            }
        }
        self.terminate(self.at);
        self.push(TokenKind::Eof, self.at);
    }

    fn peek(&self) -> Option<char> {
        work::count(1);
        self.text.get(self.at..)?.chars().next()
    }

    fn second(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at + 1).copied()
    }

    fn byte(&self) -> Option<u8> {
        work::count(1);
        self.text.as_bytes().get(self.at).copied()
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let at = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Span::new(self.source.id(), at(start), at(end))
    }

    fn error(&mut self, start: usize, end: usize, message: impl Into<String>) {
        // They come in order of place but for those of one string, so what is left out is not among the first.
        if self.out.diagnostics.len() < ENOUGH {
            self.report(start, end, message);
        }
    }

    fn report(&mut self, start: usize, end: usize, message: impl Into<String>) {
        let span = self.span(start, end);
        self.out.diagnostics.push(Diagnostic::error(span, message));
    }

    /// Adds the token from `start` to here.
    fn push(&mut self, kind: TokenKind, start: usize) {
        let span = self.span(start, self.at);
        self.out.tokens.push(Token { kind, span });
        self.pending = kind.ends_statement();
    }

    fn terminate(&mut self, at: usize) {
        if self.pending {
            let span = self.span(at, at);
            self.out.tokens.push(Token {
                kind: TokenKind::Terminator,
                span,
            });
            self.pending = false;
        }
    }

    fn skip_blank(&mut self) {
        while let Some(b) = self.byte() {
            if matches!(b, b' ' | b'\t' | b'\r') || (b == b'\n' && !self.pending) {
                self.at += 1;
            } else {
                break;
            }
        }
    }

    fn comment(&mut self) {
        let start = self.at;
        if self.pending && self.comment_ends_line() {
            self.terminate(start);
        }
        let end = self.comment_end(start);
        let block = self.text[start..].starts_with("/*");
        if block && !self.closed(start, end) {
            self.error(start, start + 2, "block comment not terminated");
        }
        // A carriage return before the line's end is no part of a comment.
        let trimmed = if block {
            end
        } else {
            start + self.text[start..end].trim_end_matches('\r').len()
        };
        let span = self.span(start, trimmed);
        self.out.comments.push(Comment { block, span });
        self.at = end;
    }

    fn closed(&self, start: usize, end: usize) -> bool {
        end >= start + 4 && self.text[start..end].ends_with("*/")
    }

    /// The offset after the comment that starts at `start`.
    fn comment_end(&self, start: usize) -> usize {
        let rest = &self.text.as_bytes()[start..];
        let length = if rest.starts_with(b"//") {
            memchr(b'\n', rest)
        } else {
            memmem::find(&rest[2..], b"*/").map(|at| at + 4)
        };
        let end = length.map_or(self.text.len(), |length| start + length);
        work::count(end - start);
        end
    }

    /// Whether nothing but comments and blanks lies between here and the end of the line.
    fn comment_ends_line(&mut self) -> bool {
        // So that a line of many comments is looked through once.
        if self.at < self.inline_to {
            return false;
        }
        let mut at = self.at;
        loop {
            let rest = self.text[at..].trim_start_matches([' ', '\t', '\r']);
            work::count(self.text.len() - rest.len() - at + 1);
            at = self.text.len() - rest.len();
            if rest.is_empty() || rest.starts_with('\n') || rest.starts_with("//") {
                return true;
            }
            if !rest.starts_with("/*") {
                self.inline_to = at;
                return false;
            }
            let end = self.comment_end(at);
            work::count(end - at);
            if self.text[at..end].contains('\n') {
                return true;
            }
            at = end;
        }
    }

    fn digits(&mut self) {
        while self.byte().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn number(&mut self) {
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
        self.push(kind, start);
    }

    fn word(&mut self) {
        let start = self.at;
        while let Some(byte) = self.byte() {
            if byte.is_ascii_alphanumeric() || byte == b'_' {
                self.at += 1;
                continue;
            }
            match self
                .peek()
                .filter(|c| !c.is_ascii() && unicode::is_ident_continue(*c))
            {
                Some(c) => self.at += c.len_utf8(),
                None => break,
            }
        }
        let kind = match &self.text.as_bytes()[start..self.at] {
            b"true" | b"false" => TokenKind::Bool,
            b"null" => TokenKind::Null,
            _ => TokenKind::Ident,
        };
        self.push(kind, start);
    }

    fn string(&mut self) {
        let start = self.at;
        self.at += 1;
        let mut legal = true;
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
                Some(b'\\') => legal &= self.escape(),
                _ => {
                    self.error(start, self.at, "string literal not terminated");
                    legal = false;
                    break;
                }
            }
        }
        self.push(
            if legal {
                TokenKind::String
            } else {
                TokenKind::Illegal
            },
            start,
        );
        // So that the statement ends with its line, as it would if the string were right.
        self.pending = true;
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

    fn raw_string(&mut self) {
        let start = self.at;
        if let Some(length) = memchr(b'`', &self.text.as_bytes()[start + 1..]) {
            work::count(length);
            self.at = start + length + 2;
            self.push(TokenKind::String, start);
        } else {
            work::count(self.text.len() - start);
            self.at = self.text.len();
            self.error(start, start + 1, "raw string literal not terminated");
            self.push(TokenKind::Illegal, start);
        }
    }

    fn single_quoted(&mut self) {
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
        self.push(TokenKind::Illegal, start);
        self.pending = true;
    }

    fn operator(&mut self, c: char) {
        let start = self.at;
        self.at += c.len_utf8();
        let next = self.byte();
        let mut pair = |second: u8, long: TokenKind, short: TokenKind| {
            if next == Some(second) {
                self.at += 1;
                long
            } else {
                short
            }
        };
        let kind = match c {
            '|' => pair(b'|', TokenKind::Or, TokenKind::Illegal),
            '&' => pair(b'&', TokenKind::And, TokenKind::Illegal),
            '!' => pair(b'=', TokenKind::Ne, TokenKind::Not),
            '=' => pair(b'=', TokenKind::Eq, TokenKind::Assign),
            '<' => pair(b'=', TokenKind::Le, TokenKind::Lt),
            '>' => pair(b'=', TokenKind::Ge, TokenKind::Gt),
            '+' => TokenKind::Add,
            '-' => TokenKind::Sub,
            '*' => TokenKind::Mul,
            '/' => TokenKind::Div,
            '%' => TokenKind::Mod,
            '^' => TokenKind::Pow,
            '{' => TokenKind::LCurly,
            '}' => TokenKind::RCurly,
            '(' => TokenKind::LParen,
            ')' => TokenKind::RParen,
            '[' => TokenKind::LBrack,
            ']' => TokenKind::RBrack,
            ',' => TokenKind::Comma,
            '.' => TokenKind::Dot,
            _ => TokenKind::Illegal,
        };
        if kind == TokenKind::Illegal {
            self.illegal(c, start);
        }
        let pending = self.pending;
        self.push(kind, start);
        if kind == TokenKind::Illegal {
            self.pending = pending;
        }
    }

    fn illegal(&mut self, c: char, start: usize) {
        let message = match c {
            '|' | '&' => format!("missing second {c} in {c}{c}"),
            // Reported wherever they are, when the lexer starts.
            '\0' => return,
            '\u{feff}' => "illegal byte order mark; it may only be the first character".to_owned(),
            '\u{1a}'
                if self
                    .source
                    .bad_bytes()
                    .binary_search_by(|&at| (at as usize).cmp(&start))
                    .is_ok() =>
            {
                return;
            }
            '“' | '”' => "illegal typographic quote; use double quotes".to_owned(),
            c => format!("illegal character U+{:04X} '{}'", u32::from(c), c.escape_debug()),
        };
        self.error(start, self.at, message);
    }
}

const _: () = assert!(BAD_BYTE == 0x1a, "the stand-in is matched by its character above");
