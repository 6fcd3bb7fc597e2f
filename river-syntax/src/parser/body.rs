//! Statements: attributes and blocks, and how to go on after an error.

use super::{Bail, Parsed, Parser};
use crate::ast::{AttributeNode, BlockNode, BodyNode, Range, StatementNode};
use crate::diag::Diagnostic;
use crate::source::Span;
use crate::token::TokenKind;
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
    /// The statements up to the end of the file, or in a block up to its closing brace; where they are is not said yet.
    pub(super) fn statements(&mut self, in_block: bool) -> BodyNode {
        let begun = self.builder.begin_statements();
        let mut broken = false;
        loop {
            if !in_block {
                self.tokens.forget();
            }
            match self.kind() {
                TokenKind::Eof => break,
                TokenKind::RCurly if in_block => break,
                TokenKind::Terminator => {
                    self.skip();
                    continue;
                }
                _ => {}
            }
            let start = self.tokens.at();
            match self.statement() {
                Ok(statement) => {
                    self.builder.statement(statement);
                    match self.kind() {
                        TokenKind::Terminator | TokenKind::Eof => {}
                        TokenKind::RCurly if in_block => {}
                        _ => {
                            self.unexpected_with(TokenKind::Terminator.describe(), |diagnostic| {
                                diagnostic.note(
                                    "a statement ends with its line; the next one begins on a line of its own",
                                )
                            });
                            self.recover(self.tokens.at());
                            broken = true;
                        }
                    }
                }
                Err(Bail) => {
                    self.builder.abandon();
                    self.recover(start);
                    broken = true;
                }
            }
            if self.tokens.at() == start {
                self.advance();
            }
        }
        BodyNode {
            broken,
            ..self.builder.end_statements(begun)
        }
    }

    /// Goes on to the end of the statement that began with the token `start`.
    fn recover(&mut self, start: usize) {
        // So that blocks that are never closed are not looked through once for each that they are in.
        if self.kind() == TokenKind::Eof {
            return;
        }
        let mut brackets = Brackets::default();
        for token in self.tokens.since(start) {
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
    fn block_follows(&mut self) -> bool {
        let mut at = 1;
        loop {
            if self.tokens.ahead(at).kind != TokenKind::Ident {
                return false;
            }
            if self.tokens.ahead(at + 1).kind != TokenKind::Dot {
                break;
            }
            at += 2;
        }
        let label = usize::from(self.tokens.ahead(at + 1).kind == TokenKind::String);
        self.tokens.ahead(at + 1 + label).kind == TokenKind::LCurly
    }

    fn statement(&mut self) -> Parsed<StatementNode> {
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
        let start = self.tokens.at();
        let first = self.advance().span.range();
        let mut name = first;
        let mut length = first.len();
        while self.eat(TokenKind::Dot) {
            let part = self.expect(TokenKind::Ident)?.span.range();
            length += 1 + part.len();
            name = name.to(part);
        }
        match self.kind() {
            TokenKind::Assign if first == name => self.attribute(name),
            TokenKind::Assign => {
                let message = "attribute names may only consist of a single identifier with no \".\"";
                Err(self.error(self.span(name), message))
            }
            TokenKind::LCurly | TokenKind::String => {
                let joined = (length != name.len()).then(|| self.joined(start));
                self.nested(|parser| parser.block(name, joined))
            }
            _ if first == name => Err(self.unexpected("=, a block label or {")),
            _ => Err(self.unexpected("block label")),
        }
    }

    /// The number of the name that the tokens since `start` make, without the blanks and comments between them.
    fn joined(&mut self, start: usize) -> u32 {
        let parts = self
            .tokens
            .since(start)
            .iter()
            .filter(|token| token.kind == TokenKind::Ident);
        let parts: Vec<&str> = parts.map(|token| self.source.slice(token.span)).collect();
        self.builder.joined(parts.join("."))
    }

    fn attribute(&mut self, name: Range) -> Parsed<StatementNode> {
        self.expect(TokenKind::Assign)?;
        let value = self.expr()?;
        let value = self.builder.expr(value);
        Ok(self.builder.attribute(AttributeNode { name, value }))
    }

    fn block(&mut self, name: Range, joined: Option<u32>) -> Parsed<StatementNode> {
        // A wrong label is reported, but what is in the block is still worth reading.
        let label = if self.kind() == TokenKind::String {
            let token = self.advance();
            self.label(token.span)
        } else {
            Ok(Range::default())
        };
        if self.kind() != TokenKind::LCurly {
            return Err(self.unexpected(TokenKind::LCurly.describe()));
        }
        let open = self.advance().span;
        let mut body = self.statements(true);
        if self.kind() != TokenKind::RCurly {
            return Err(self.unclosed(open));
        }
        let close = self.advance().span.range();
        let opened = open.range().end;
        body.range = Range {
            start: opened,
            end: close.start,
        };
        Ok(self.builder.block(BlockNode {
            name,
            joined,
            label: label?,
            body,
            opened,
            closed: close.end,
        }))
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

    /// Where the label of a block is; an empty one is none.
    fn label(&mut self, span: Span) -> Parsed<Range> {
        let text = self.source.slice(span);
        let Some(label) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else {
            let message = "expected block label to be a double quoted string, but got a raw string";
            return Err(self.error(span, message));
        };
        if label.is_empty() {
            return Ok(Range::default());
        }
        if !is_identifier(label) {
            let message = format!("expected block label to be a valid identifier, but got {text}");
            let fixed: String = label.chars().map(|c| if c == '-' { '_' } else { c }).collect();
            let mut diagnostic = Diagnostic::error(span, message);
            if is_identifier(&fixed) {
                diagnostic = diagnostic.suggest(span, format!("\"{fixed}\""));
            }
            return Err(self.report(diagnostic));
        }
        Ok(span.range())
    }
}
