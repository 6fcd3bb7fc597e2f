//! The parser: tokens to a tree.
//!
//! Recursive descent; binary operators by binding power. It is total: whatever the text, the answer is a tree of what
//! is right and diagnostics for what is wrong, at most one per line and
//! [`MOST_DIAGNOSTICS`] in all. After an error it goes on at the next statement.
//! No tree is higher than [`MAX_DEPTH`], so nothing that walks one can exhaust the stack.

mod body;
mod expr;
mod literal;
mod names;

use std::sync::Arc;

use crate::ast::{Body, Expr, File};
use crate::diag::{self, Diagnostic, MOST_DIAGNOSTICS};
use crate::lexer::lex;
use crate::source::{Source, Span};
use crate::token::{Token, TokenKind};
use crate::work;
use names::Names;

/// The height of the highest tree that is accepted, in blocks and expressions within one another.
pub const MAX_DEPTH: u32 = 200;

/// Parses a file. The tree holds the statements without an error; the diagnostics are in order of place.
pub fn parse(source: &Source) -> (File, Vec<Diagnostic>) {
    let lexed = lex(source);
    let mut parser = Parser::new(source, &lexed.tokens);
    let body = parser.file_body();
    let mut diagnostics = parser.diagnostics;
    diagnostics.extend(lexed.diagnostics);
    (
        File {
            source: source.id(),
            body,
            comments: lexed.comments,
        },
        diag::first(diagnostics),
    )
}

/// Parses a single expression, such as one given on a command line.
pub fn parse_expr(source: &Source) -> Result<Expr, Vec<Diagnostic>> {
    let lexed = lex(source);
    let mut parser = Parser::new(source, &lexed.tokens);
    let parsed = parser.expr().and_then(|tall| {
        parser.eat(TokenKind::Terminator);
        parser.expect(TokenKind::Eof)?;
        Ok(tall.expr)
    });
    let mut diagnostics = parser.diagnostics;
    diagnostics.extend(lexed.diagnostics);
    match parsed {
        Ok(expr) if diagnostics.is_empty() => Ok(expr),
        _ => Err(diag::first(diagnostics)),
    }
}

/// The statement at hand cannot be parsed further; the reason is among the diagnostics.
struct Bail;

type Parsed<T> = Result<T, Bail>;

/// An expression with the height of its tree.
struct Tall {
    expr: Expr,
    height: u32,
}

struct Parser<'a> {
    source: &'a Source,
    tokens: &'a [Token],
    names: Names,
    at: usize,
    /// Blocks and expressions the parser is in.
    depth: u32,
    diagnostics: Vec<Diagnostic>,
    /// The line of the last diagnostic: a line has one.
    reported: Option<usize>,
}

impl<'a> Parser<'a> {
    fn new(source: &'a Source, tokens: &'a [Token]) -> Parser<'a> {
        Parser {
            source,
            tokens,
            names: Names::new(source.text().len()),
            at: 0,
            depth: 0,
            diagnostics: Vec::new(),
            reported: None,
        }
    }

    fn token(&self) -> Token {
        work::count(1);
        match self.tokens.get(self.at) {
            Some(token) => *token,
            None => self.ahead(0),
        }
    }

    /// The token `count` places on; past the end it is the last one, the end of the file.
    fn ahead(&self, count: usize) -> Token {
        work::count(1);
        let eof = Token {
            kind: TokenKind::Eof,
            span: Span::new(self.source.id(), 0, 0),
        };
        self.tokens
            .get(self.at + count)
            .or(self.tokens.last())
            .copied()
            .unwrap_or(eof)
    }

    fn kind(&self) -> TokenKind {
        self.token().kind
    }

    fn advance(&mut self) -> Token {
        let token = self.token();
        if token.kind != TokenKind::Eof {
            self.at += 1;
        }
        token
    }

    fn eat(&mut self, kind: TokenKind) -> bool {
        let found = self.kind() == kind;
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, kind: TokenKind) -> Parsed<Token> {
        if self.kind() == kind {
            return Ok(self.advance());
        }
        Err(self.unexpected(kind.describe()))
    }

    /// Reports that something else was expected than the token at hand.
    fn unexpected(&mut self, expected: &str) -> Bail {
        self.unexpected_with(expected, |diagnostic| diagnostic)
    }

    /// As [`Parser::unexpected`], with more to say.
    fn unexpected_with(&mut self, expected: &str, more: impl FnOnce(Diagnostic) -> Diagnostic) -> Bail {
        let token = self.token();
        // What is illegal has been reported by the lexer, in better words.
        if token.kind == TokenKind::Illegal {
            self.reported = Some(self.source.position(token.span.start()).line);
            return Bail;
        }
        let message = format!("expected {expected}, got {}", token.kind.describe());
        self.report(more(Diagnostic::error(token.span, message)))
    }

    fn error(&mut self, span: Span, message: impl Into<String>) -> Bail {
        self.report(Diagnostic::error(span, message))
    }

    fn report(&mut self, diagnostic: Diagnostic) -> Bail {
        let line = self.source.position(diagnostic.span().start()).line;
        if self.reported != Some(line) {
            self.reported = Some(line);
            if self.diagnostics.len() <= MOST_DIAGNOSTICS {
                self.diagnostics.push(diagnostic);
            }
        }
        Bail
    }

    fn text(&mut self, span: Span) -> Arc<str> {
        self.names.get(self.source.slice(span))
    }

    /// Parses something that is one level deeper.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            return Err(self.too_deep(self.token().span));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn too_deep(&mut self, span: Span) -> Bail {
        self.error(span, format!("nested more than {MAX_DEPTH} levels deep"))
    }

    fn file_body(&mut self) -> Body {
        let start = self.token().span;
        let (statements, broken) = self.statements(false);
        let span = statements
            .last()
            .map_or(start.at_start(), |last| start.to(last.span()));
        Body {
            statements,
            span,
            broken,
        }
    }
}
