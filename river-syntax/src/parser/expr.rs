//! Expressions.

use std::sync::Arc;

use super::literal::{number, plain, unescape, unraw};
use super::{MAX_DEPTH, Parsed, Parser, Tall};
use crate::ast::{BinaryOp, Expr, ExprKind, Field, Ident, Literal, UnaryOp};
use crate::source::Span;
use crate::token::{Token, TokenKind};
use crate::value::Value;

/// The operator of a token, with how tightly it binds to the left and to the right.
fn binary(kind: TokenKind) -> Option<(BinaryOp, u8, u8)> {
    let left = |op, power| Some((op, power, power + 1));
    match kind {
        TokenKind::Or => left(BinaryOp::Or, 1),
        TokenKind::And => left(BinaryOp::And, 3),
        TokenKind::Eq => left(BinaryOp::Eq, 5),
        TokenKind::Ne => left(BinaryOp::Ne, 5),
        TokenKind::Lt => left(BinaryOp::Lt, 5),
        TokenKind::Le => left(BinaryOp::Le, 5),
        TokenKind::Gt => left(BinaryOp::Gt, 5),
        TokenKind::Ge => left(BinaryOp::Ge, 5),
        TokenKind::Add => left(BinaryOp::Add, 7),
        TokenKind::Sub => left(BinaryOp::Sub, 7),
        TokenKind::Mul => left(BinaryOp::Mul, 9),
        TokenKind::Div => left(BinaryOp::Div, 9),
        TokenKind::Mod => left(BinaryOp::Mod, 9),
        TokenKind::Pow => Some((BinaryOp::Pow, 12, 11)),
        _ => None,
    }
}

impl Parser<'_> {
    pub(super) fn expr(&mut self) -> Parsed<Tall> {
        self.nested(|parser| parser.operators(0))
    }

    /// A chain of binary operators that bind at least as tightly as `power`.
    fn operators(&mut self, power: u8) -> Parsed<Tall> {
        let mut left = self.unary()?;
        while let Some((op, to_left, to_right)) = binary(self.kind()) {
            if to_left < power {
                break;
            }
            self.advance();
            let right = self.nested(|parser| parser.operators(to_right))?;
            let span = left.expr.span.to(right.expr.span);
            let height = left.height.max(right.height);
            let kind = ExprKind::Binary(op, Box::new(left.expr), Box::new(right.expr));
            left = self.tall(kind, span, height)?;
        }
        Ok(left)
    }

    /// A node over others whose highest is `height`.
    fn tall(&mut self, kind: ExprKind, span: Span, height: u32) -> Parsed<Tall> {
        if height >= MAX_DEPTH {
            return Err(self.too_deep(span));
        }
        Ok(Tall {
            expr: Expr { kind, span },
            height: height + 1,
        })
    }

    fn unary(&mut self) -> Parsed<Tall> {
        let op = match self.kind() {
            TokenKind::Not => UnaryOp::Not,
            TokenKind::Sub => UnaryOp::Neg,
            _ => return self.postfix(),
        };
        let sign = self.advance();
        let inner = self.nested(Self::unary)?;
        let span = sign.span.to(inner.expr.span);
        self.tall(ExprKind::Unary(op, Box::new(inner.expr)), span, inner.height)
    }

    fn postfix(&mut self) -> Parsed<Tall> {
        let mut left = self.primary()?;
        loop {
            let start = left.expr.span;
            let (kind, end, height) = match self.kind() {
                TokenKind::Dot => {
                    self.advance();
                    let name = self.expect(TokenKind::Ident)?;
                    let ident = Ident {
                        name: self.text(name.span),
                        span: name.span,
                    };
                    (
                        ExprKind::Access(Box::new(left.expr), ident),
                        name.span,
                        left.height,
                    )
                }
                TokenKind::LBrack => {
                    self.advance();
                    let index = self.expr()?;
                    let close = self.expect(TokenKind::RBrack)?;
                    let kind = ExprKind::Index(Box::new(left.expr), Box::new(index.expr));
                    (kind, close.span, left.height.max(index.height))
                }
                TokenKind::LParen => {
                    self.advance();
                    let (args, close, height) = self.list(TokenKind::RParen, "argument list", |parser| {
                        let arg = parser.expr()?;
                        Ok((arg.expr, arg.height))
                    })?;
                    (
                        ExprKind::Call(Box::new(left.expr), args),
                        close.span,
                        left.height.max(height),
                    )
                }
                _ => return Ok(left),
            };
            left = self.tall(kind, start.to(end), height)?;
        }
    }

    fn primary(&mut self) -> Parsed<Tall> {
        let token = self.token();
        match token.kind {
            TokenKind::Ident => {
                self.advance();
                self.identifier(token)
            }
            TokenKind::Number | TokenKind::Float | TokenKind::String | TokenKind::Bool | TokenKind::Null => {
                self.advance();
                let literal = self.literal(token)?;
                self.tall(ExprKind::Literal(literal), token.span, 0)
            }
            TokenKind::LParen => {
                self.advance();
                let inner = self.expr()?;
                let close = self.expect(TokenKind::RParen)?;
                let kind = ExprKind::Paren(Box::new(inner.expr));
                self.tall(kind, token.span.to(close.span), inner.height)
            }
            TokenKind::LBrack => {
                self.advance();
                let (items, close, height) = self.list(TokenKind::RBrack, "expression list", |parser| {
                    let item = parser.expr()?;
                    Ok((item.expr, item.height))
                })?;
                self.tall(ExprKind::Array(items), token.span.to(close.span), height)
            }
            TokenKind::LCurly => {
                self.advance();
                let (fields, close, height) = self.list(TokenKind::RCurly, "field list", Self::field)?;
                self.tall(ExprKind::Object(fields), token.span.to(close.span), height)
            }
            _ => Err(self.unexpected("expression")),
        }
    }

    fn identifier(&mut self, token: Token) -> Parsed<Tall> {
        let is_block = match self.kind() {
            TokenKind::LCurly => true,
            TokenKind::String => self.ahead(1).kind == TokenKind::LCurly,
            _ => false,
        };
        if is_block {
            return Err(self.error(token.span, "cannot use a block as an expression"));
        }
        let ident = Ident {
            name: self.text(token.span),
            span: token.span,
        };
        self.tall(ExprKind::Ident(ident), token.span, 0)
    }

    fn literal(&mut self, token: Token) -> Parsed<Literal> {
        let source = self.source;
        let text = source.slice(token.span);
        let value = match token.kind {
            TokenKind::Bool => Value::Bool(text == "true"),
            TokenKind::Null => Value::Null,
            TokenKind::String if text.starts_with('`') => Value::from(unraw(text)),
            TokenKind::String => match plain(text) {
                Some(inner) => return Ok(Literal::plain(self.names.get(inner))),
                None => match unescape(text) {
                    Some(text) => Value::from(text),
                    None => {
                        return Err(
                            self.error(token.span, "the escapes in this string do not make valid UTF-8")
                        );
                    }
                },
            },
            kind => match number(text, kind == TokenKind::Float) {
                Some(number) => Value::Number(number),
                None => return Err(self.error(token.span, format!("{text} is not a number"))),
            },
        };
        Ok(Literal::written(self.names.get(text), value))
    }

    fn field(&mut self) -> Parsed<(Field, u32)> {
        let token = self.token();
        let text = self.text(token.span);
        let key = match token.kind {
            TokenKind::Ident => Arc::clone(&text),
            TokenKind::String => raw_key(&text),
            _ => return Err(self.unexpected("field name (string or identifier)")),
        };
        self.advance();
        self.expect(TokenKind::Assign)?;
        let value = self.expr()?;
        let key = Ident {
            name: key,
            span: token.span,
        };
        Ok((
            Field {
                key,
                text,
                value: value.expr,
            },
            value.height,
        ))
    }

    /// Items with commas between, up to the closing token; also the height of the highest.
    fn list<T>(
        &mut self,
        close: TokenKind,
        what: &str,
        mut item: impl FnMut(&mut Self) -> Parsed<(T, u32)>,
    ) -> Parsed<(Vec<T>, Token, u32)> {
        let mut items = Vec::new();
        let mut highest = 0;
        loop {
            if self.kind() == close {
                return Ok((items, self.advance(), highest));
            }
            let (parsed, height) = item(self)?;
            // Most lists have one item: a vector that grows by itself begins with room for four.
            if items.is_empty() {
                items.reserve_exact(1);
            }
            items.push(parsed);
            highest = highest.max(height);
            if self.eat(TokenKind::Comma) || self.kind() == close {
                continue;
            }
            let token = self.token();
            return Err(match token.kind {
                TokenKind::Illegal | TokenKind::Eof => self.unexpected(close.describe()),
                _ => self.error(token.span, format!("missing ',' in {what}")),
            });
        }
    }
}

/// The key that a quoted key stands for: what is between the quotes, as it is. An empty one keeps its quotes, as in Alloy.
fn raw_key(text: &Arc<str>) -> Arc<str> {
    match text.get(1..text.len().saturating_sub(1)) {
        Some(inner) if !inner.is_empty() => Arc::from(inner),
        _ => Arc::clone(text),
    }
}
