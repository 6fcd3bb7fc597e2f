//! Statements: attributes and blocks, and how to go on after an error.

use std::sync::Arc;

use super::{Bail, Parsed, Parser};
use crate::ast::{Attribute, Block, BlockName, Body, Ident, Statement};
use crate::diag::Diagnostic;
use crate::source::Span;
use crate::token::{Token, TokenKind};
use crate::unicode::is_identifier;
use crate::work;

/// The brackets that are open.
#[derive(Default)]
struct Brackets {
    open: Vec<TokenKind>,
    /// How many of them are braces, parentheses and square brackets, so that looking for one is not looking through all.
    counts: [usize; 3],
}

impl Brackets {
    fn index(opening: TokenKind) -> usize {
        match opening {
            TokenKind::LCurly => 0,
            TokenKind::LParen => 1,
            _ => 2,
        }
    }

    fn braces(&self) -> usize {
        self.counts[Self::index(TokenKind::LCurly)]
    }

    /// Takes a token into account. One that closes leaves none open within its pair; one without a partner counts for
    /// nothing.
    fn take(&mut self, kind: TokenKind) {
        let partner = match kind {
            TokenKind::LCurly | TokenKind::LParen | TokenKind::LBrack => {
                self.counts[Self::index(kind)] += 1;
                return self.open.push(kind);
            }
            TokenKind::RCurly => TokenKind::LCurly,
            TokenKind::RParen => TokenKind::LParen,
            TokenKind::RBrack => TokenKind::LBrack,
            _ => return,
        };
        if self.counts[Self::index(partner)] == 0 {
            return;
        }
        while let Some(closed) = self.open.pop() {
            self.counts[Self::index(closed)] -= 1;
            if closed == partner {
                return;
            }
        }
    }
}

impl Parser<'_> {
    /// The statements up to the end of the file, or in a block up to its closing brace.
    /// With it, whether some were left out.
    pub(super) fn statements(&mut self, in_block: bool) -> (Vec<Statement>, bool) {
        let mut statements = Vec::new();
        let mut broken = false;
        loop {
            match self.kind() {
                TokenKind::Eof => break,
                TokenKind::RCurly if in_block => break,
                TokenKind::Terminator => {
                    self.advance();
                    continue;
                }
                _ => {}
            }
            let start = self.at;
            match self.statement() {
                Ok(statement) => {
                    statements.push(statement);
                    let ends = [TokenKind::Terminator, TokenKind::Eof];
                    if !(ends.contains(&self.kind()) || in_block && self.kind() == TokenKind::RCurly) {
                        self.unexpected_with(TokenKind::Terminator.describe(), |diagnostic| {
                            diagnostic.note(
                                "a statement ends with its line; the next one begins on a line of its own",
                            )
                        });
                        self.recover(self.at);
                        broken = true;
                    }
                }
                Err(Bail) => {
                    self.recover(start);
                    broken = true;
                }
            }
            if self.at == start {
                self.advance();
            }
        }
        (statements, broken)
    }

    /// Goes on to the end of the statement that began with the token `start`.
    fn recover(&mut self, start: usize) {
        // So that blocks that are never closed are not looked through once for each that they are in.
        if self.kind() == TokenKind::Eof {
            return;
        }
        let mut brackets = Brackets::default();
        for token in &self.tokens[start.min(self.at)..self.at] {
            work::count(1);
            brackets.take(token.kind);
        }
        loop {
            let kind = self.kind();
            match kind {
                TokenKind::Eof => return,
                // With other brackets open it still closes the block: those were never closed.
                TokenKind::RCurly if brackets.braces() == 0 => return,
                TokenKind::Terminator if brackets.open.is_empty() || self.block_follows() => return,
                _ => {}
            }
            brackets.take(kind);
            self.advance();
        }
    }

    /// Whether the head of a block follows the terminator at hand. No expression looks like one, so a bracket that is
    /// still open then was never closed.
    fn block_follows(&self) -> bool {
        let mut at = 1;
        loop {
            if self.ahead(at).kind != TokenKind::Ident {
                return false;
            }
            if self.ahead(at + 1).kind != TokenKind::Dot {
                break;
            }
            at += 2;
        }
        let label = usize::from(self.ahead(at + 1).kind == TokenKind::String);
        self.ahead(at + 1 + label).kind == TokenKind::LCurly
    }

    fn statement(&mut self) -> Parsed<Statement> {
        if self.kind() != TokenKind::Ident {
            let stray = self.kind() == TokenKind::RCurly;
            return Err(self.unexpected_with("identifier", |diagnostic| {
                if stray {
                    diagnostic.note("no block is open that this brace could close")
                } else {
                    diagnostic
                }
            }));
        }
        let start = self.at;
        let first = self.advance();
        let mut last = first;
        let mut length = first.span.len();
        while self.eat(TokenKind::Dot) {
            last = self.expect(TokenKind::Ident)?;
            length += 1 + last.span.len();
        }
        let name_span = first.span.to(last.span);
        match self.kind() {
            TokenKind::Assign if first.span == last.span => self.attribute(first),
            TokenKind::Assign => {
                let message = "attribute names may only consist of a single identifier with no \".\"";
                Err(self.error(name_span, message))
            }
            TokenKind::LCurly | TokenKind::String => {
                let text = if length == name_span.len() {
                    self.text(name_span)
                } else {
                    self.dotted(start)
                };
                let name = BlockName {
                    text,
                    span: name_span,
                };
                self.nested(|parser| parser.block(name))
            }
            _ if first.span == last.span => Err(self.unexpected("=, a block label or {")),
            _ => Err(self.unexpected("block label")),
        }
    }

    /// The name that the tokens since `start` make, without the blanks and comments between them.
    fn dotted(&self, start: usize) -> Arc<str> {
        let parts = self.tokens[start..self.at]
            .iter()
            .filter(|token| token.kind == TokenKind::Ident);
        let parts: Vec<&str> = parts.map(|token| self.source.slice(token.span)).collect();
        Arc::from(parts.join("."))
    }

    fn attribute(&mut self, name: Token) -> Parsed<Statement> {
        self.expect(TokenKind::Assign)?;
        let value = self.expr()?.expr;
        let span = name.span.to(value.span);
        let name = Ident {
            name: self.text(name.span),
            span: name.span,
        };
        Ok(Statement::Attribute(Attribute { name, value, span }))
    }

    fn block(&mut self, name: BlockName) -> Parsed<Statement> {
        let label = if self.kind() == TokenKind::String {
            Some(self.advance())
        } else {
            None
        };
        // A wrong label is reported, but what is in the block is still worth reading.
        let label = label.map(|token| self.label(token));
        if self.kind() != TokenKind::LCurly {
            return Err(self.unexpected(TokenKind::LCurly.describe()));
        }
        let open = self.advance();
        let body = self.block_body(open.span);
        if self.kind() != TokenKind::RCurly {
            return Err(self.unclosed(open.span));
        }
        let close = self.advance();
        let label = match label {
            None => None,
            Some(Ok(label)) => label,
            Some(Err(Bail)) => return Err(Bail),
        };
        let header = name.span.to(open.span);
        let span = name.span.to(close.span);
        Ok(Statement::Block(Block {
            name,
            label,
            body,
            header,
            span,
        }))
    }

    fn block_body(&mut self, open: Span) -> Body {
        let (statements, broken) = self.statements(true);
        Body {
            statements,
            broken,
            span: open.at_end().to(self.token().span.at_start()),
        }
    }

    fn unclosed(&mut self, open: Span) -> Bail {
        let token = self.token();
        let message = format!(
            "expected {}, got {}",
            TokenKind::RCurly.describe(),
            token.kind.describe()
        );
        self.report(Diagnostic::error(token.span, message).label(open, "the block is opened here"))
    }

    /// The label of a block; an empty one is none.
    fn label(&mut self, token: Token) -> Parsed<Option<Ident>> {
        let text = self.source.slice(token.span);
        let Some(label) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else {
            let message = "expected block label to be a double quoted string, but got a raw string";
            return Err(self.error(token.span, message));
        };
        if label.is_empty() {
            return Ok(None);
        }
        if !is_identifier(label) {
            let message = format!("expected block label to be a valid identifier, but got {text}");
            let fixed: String = label.chars().map(|c| if c == '-' { '_' } else { c }).collect();
            let mut diagnostic = Diagnostic::error(token.span, message);
            if is_identifier(&fixed) {
                diagnostic = diagnostic.suggest(token.span, format!("\"{fixed}\""));
            }
            return Err(self.report(diagnostic));
        }
        Ok(Some(Ident {
            name: Arc::from(label),
            span: token.span,
        }))
    }
}
