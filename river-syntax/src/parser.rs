//! The parser: tokens to a tree.
//!
//! Recursive descent; binary operators by binding power. It is total: whatever the text, the answer is a tree of what
//! is right and diagnostics for what is wrong, at most one per line and
//! [`MOST_DIAGNOSTICS`] in all. After an error it goes on at the next statement.
//! No tree is higher than [`MAX_DEPTH`], so nothing that walks one can exhaust the stack.

mod body;
mod build;
mod expr;
mod tokens;

use crate::ast::{File, OwnedExpr, Range};
use crate::diag::{self, Diagnostic, MOST_DIAGNOSTICS};
use crate::source::{Source, Span};
use crate::token::{Token, TokenKind};
use build::Builder;
use tokens::Tokens;

/// The height of the highest tree that is accepted, in blocks and expressions within one another.
pub const MAX_DEPTH: u32 = 200;

/// Parses a file. The tree holds the statements without an error; the diagnostics are in order of place.
pub fn parse(source: &Source) -> (File, Vec<Diagnostic>) {
    let mut parser = Parser::new(source);
    parser.file_body();
    let lexed = parser.tokens.finish();
    let mut diagnostics = parser.diagnostics;
    diagnostics.extend(lexed.diagnostics);
    let mut tree = parser.builder.tree;
    tree.comments = lexed.comments;
    (File::new(tree), diag::first(diagnostics))
}

/// Parses a single expression, such as one given on a command line.
pub fn parse_expr(source: &Source) -> Result<OwnedExpr, Vec<Diagnostic>> {
    let mut parser = Parser::new(source);
    let parsed = parser.expr().and_then(|expr| {
        parser.eat(TokenKind::Terminator);
        parser.expect(TokenKind::Eof)?;
        Ok(parser.builder.expr(expr))
    });
    let mut diagnostics = parser.diagnostics;
    diagnostics.extend(parser.tokens.finish().diagnostics);
    match parsed {
        Ok(at) if diagnostics.is_empty() => Ok(OwnedExpr::new(parser.builder.tree, at)),
        _ => Err(diag::first(diagnostics)),
    }
}

/// The statement at hand cannot be parsed further; the reason is among the diagnostics.
struct Bail;

type Parsed<T> = Result<T, Bail>;

struct Parser<'a> {
    source: &'a Source,
    tokens: Tokens<'a>,
    builder: Builder,
    /// Blocks and expressions the parser is in.
    depth: u32,
    diagnostics: Vec<Diagnostic>,
    /// The line of the last diagnostic: a line has one.
    reported: Option<usize>,
}

impl<'a> Parser<'a> {
    fn new(source: &'a Source) -> Parser<'a> {
        Parser {
            source,
            tokens: Tokens::new(source),
            builder: Builder::new(source.clone()),
            depth: 0,
            diagnostics: Vec::new(),
            reported: None,
        }
    }

    fn token(&self) -> Token {
        self.tokens.token()
    }

    fn kind(&self) -> TokenKind {
        self.tokens.kind()
    }

    fn skip(&mut self) {
        self.tokens.skip();
    }

    /// Where the token at hand is.
    fn range(&self) -> Range {
        self.token().span.range()
    }

    fn span(&self, range: Range) -> Span {
        Span::new(self.source.id(), range.start, range.end)
    }

    fn advance(&mut self) -> Token {
        let token = self.token();
        self.skip();
        token
    }

    fn eat(&mut self, kind: TokenKind) -> bool {
        let found = self.kind() == kind;
        if found {
            self.skip();
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

    fn file_body(&mut self) {
        let start = self.range().start;
        let mut body = self.statements(false);
        let end = self.builder.end_of(body).unwrap_or(start);
        body.range = Range { start, end };
        self.builder.tree.root = body;
    }
}
