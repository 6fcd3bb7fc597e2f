//! The lexer: text to tokens.
//!
//! It is total: every input gives a list of tokens that ends with [`TokenKind::Eof`], and what is wrong becomes
//! diagnostics and [`TokenKind::Illegal`] tokens. A line break after a token that can end a statement becomes a
//! [`TokenKind::Terminator`]; a comment that reaches the end of its line counts as that break.

mod class;
mod literal;

use memchr::{memchr, memmem};

use crate::diag::{self, Diagnostic, MOST_DIAGNOSTICS};
use crate::source::{BAD_BYTE, Source, SourceId, Span};
use crate::token::{Comment, Token, TokenKind};
use crate::unicode;
use crate::work;
use class::{CLASSES, Class, SINGLES, word_length};

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
    let mut lexer = Lexer::new(source);
    // About as many as there are in what people write; a file of one long string does not cost more than it is long.
    lexer.out.tokens.reserve((source.text().len() / 5).min(1 << 20));
    lexer.run(usize::MAX);
    lexer.finish()
}

/// A text of which some is made into tokens.
pub(crate) struct Lexer<'a> {
    source: &'a Source,
    id: SourceId,
    text: &'a str,
    at: usize,
    /// Whether a line break here ends a statement.
    pending: bool,
    /// Comments before this offset are followed by a token on their line.
    inline_to: usize,
    /// Whether there are NULs, or bytes that were not UTF-8.
    has_wrong_bytes: bool,
    done: bool,
    pub(crate) out: Lexed,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(source: &'a Source) -> Lexer<'a> {
        let text = source.text();
        let mut lexer = Lexer {
            source,
            id: source.id(),
            text,
            at: 0,
            pending: false,
            inline_to: 0,
            has_wrong_bytes: !source.bad_bytes().is_empty() || memchr(0, text.as_bytes()).is_some(),
            done: false,
            out: Lexed::default(),
        };
        if let Some(reason) = source.refused() {
            lexer.error(0, 0, reason);
        }
        if text.starts_with('\u{feff}') {
            lexer.at = '\u{feff}'.len_utf8();
        }
        lexer
    }

    /// Whether all of the text is made into tokens.
    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// What is wrong is only known here, the tokens and comments before.
    pub(crate) fn finish(mut self) -> Lexed {
        for &at in self.source.bad_bytes().iter().take(ENOUGH) {
            self.report(at as usize, at as usize + 1, "illegal UTF-8 encoding");
        }
        if self.has_wrong_bytes {
            for at in memchr::memchr_iter(0, self.text.as_bytes()).take(ENOUGH) {
                self.report(at, at + 1, "illegal character NUL");
            }
        }
        self.out.diagnostics = diag::first(self.out.diagnostics);
        self.out
    }

    /// Makes tokens until there are as many, or to the end.
    pub(crate) fn run(&mut self, count: usize) {
        let bytes = self.text.as_bytes();
        while self.out.tokens.len() < count {
            while let Some(b' ' | b'\t' | b'\r') = bytes.get(self.at) {
                work::count(1);
                self.at += 1;
            }
            let Some(&byte) = bytes.get(self.at) else {
                return self.end();
            };
            work::count(1);
            match CLASSES[usize::from(byte)] {
                Class::Break => {
                    self.terminate(self.at);
                    self.at += 1;
                }
                Class::Word => self.word(),
                Class::Single => self.operator(SINGLES[usize::from(byte & 0x7f)], 1),
                Class::Double => self.double(byte),
                Class::Quote => self.string(),
                Class::Slash if matches!(self.second(), Some(b'/' | b'*')) => self.comment(),
                Class::Slash => self.operator(TokenKind::Div, 1),
                Class::Dot if !self.second().is_some_and(|b| b.is_ascii_digit()) => {
                    self.operator(TokenKind::Dot, 1);
                }
                Class::Digit | Class::Dot => self.number(),
                Class::Backtick => self.raw_string(),
                Class::Apostrophe => self.single_quoted(),
                Class::Wide => match self.peek() {
                    Some(c) if unicode::is_ident_start(c) => self.word(),
                    Some(c) => self.illegal(c),
                    None => return self.end(),
                },
                Class::None => self.illegal(char::from(byte)),
            }
        }
    }

    fn end(&mut self) {
        if !self.done {
            self.terminate(self.at);
            self.push(TokenKind::Eof, self.at);
            self.done = true;
        }
    }

    fn operator(&mut self, kind: TokenKind, length: usize) {
        let start = self.at;
        self.at += length;
        self.push(kind, start);
    }

    fn double(&mut self, byte: u8) {
        let (second, long, short) = class::double(byte);
        if self.second() == Some(second) {
            self.operator(long, 2);
        } else if short == TokenKind::Illegal {
            self.illegal(char::from(byte));
        } else {
            self.operator(short, 1);
        }
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
        Span::new(self.id, place(start), place(end))
    }

    pub(crate) fn token(&self, kind: TokenKind, start: usize, end: usize) -> Token {
        Token {
            kind,
            span: self.span(start, end),
        }
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
        self.out.tokens.push(self.token(kind, start, self.at));
        self.pending = kind.ends_statement();
    }

    fn terminate(&mut self, at: usize) {
        if self.pending {
            self.out.tokens.push(self.token(TokenKind::Terminator, at, at));
            self.pending = false;
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

    #[inline]
    fn word(&mut self) {
        let start = self.at;
        let bytes = self.text.as_bytes();
        loop {
            let length = word_length(bytes.get(self.at..).unwrap_or_default());
            work::count(length + 1);
            self.at += length;
            if !matches!(bytes.get(self.at), Some(0x80..)) {
                break;
            }
            match self.peek().filter(|&c| unicode::is_ident_continue(c)) {
                Some(c) => self.at += c.len_utf8(),
                None => break,
            }
        }
        let kind = match &bytes[start..self.at] {
            b"true" | b"false" => TokenKind::Bool,
            b"null" => TokenKind::Null,
            _ => TokenKind::Ident,
        };
        self.push(kind, start);
    }

    /// Reports a character that no token begins with. What it stands between goes on as if it were not there.
    fn illegal(&mut self, c: char) {
        let start = self.at;
        self.at += c.len_utf8();
        let pending = self.pending;
        self.push(TokenKind::Illegal, start);
        self.pending = pending;
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

/// An offset as a span has it.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a source is at most `MAX_SOURCE_BYTES` long"
)]
fn place(offset: usize) -> u32 {
    offset as u32
}

const _: () = assert!(BAD_BYTE == 0x1a, "the stand-in is matched by its character above");
