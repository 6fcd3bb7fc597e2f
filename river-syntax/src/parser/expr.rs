//! Expressions.

use super::{MAX_DEPTH, Parsed, Parser};
use crate::ast::{BinaryOp, ExprNode, NodeKind, Range, UnaryOp};
use crate::token::TokenKind;

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
    pub(super) fn expr(&mut self) -> Parsed<ExprNode> {
        self.nested(|parser| parser.operators(0))
    }

    /// A chain of binary operators that bind at least as tightly as `power`.
    fn operators(&mut self, power: u8) -> Parsed<ExprNode> {
        let mut left = self.unary()?;
        while let Some((op, to_left, to_right)) = binary(self.kind()) {
            if to_left < power {
                break;
            }
            self.skip();
            let right = self.nested(|parser| parser.operators(to_right))?;
            let range = left.range.to(right.range);
            let height = left.height.max(right.height);
            let first = self.builder.expr(left);
            self.builder.expr(right);
            left = self.tall(NodeKind::Binary(op, first), range, height)?;
        }
        Ok(left)
    }

    /// A node over others whose highest is `height`.
    fn tall(&mut self, kind: NodeKind, range: Range, height: u32) -> Parsed<ExprNode> {
        if height >= MAX_DEPTH {
            return Err(self.too_deep(self.span(range)));
        }
        Ok(ExprNode {
            kind,
            range,
            height: height + 1,
        })
    }

    fn unary(&mut self) -> Parsed<ExprNode> {
        let op = match self.kind() {
            TokenKind::Not => UnaryOp::Not,
            TokenKind::Sub => UnaryOp::Neg,
            _ => return self.postfix(),
        };
        let sign = self.advance().span.range();
        let inner = self.nested(Self::unary)?;
        let kind = NodeKind::Unary(op, self.builder.expr(inner));
        self.tall(kind, sign.to(inner.range), inner.height)
    }

    fn postfix(&mut self) -> Parsed<ExprNode> {
        let mut left = self.primary()?;
        loop {
            let (kind, end, height) = match self.kind() {
                TokenKind::Dot => {
                    self.skip();
                    let end = self.expect(TokenKind::Ident)?.span.range();
                    let inner = self.builder.expr(left);
                    let name = end.start;
                    (NodeKind::Access { inner, name }, end, left.height)
                }
                TokenKind::LBrack => {
                    self.skip();
                    let index = self.expr()?;
                    let end = self.expect(TokenKind::RBrack)?.span.range();
                    let kind = NodeKind::Index {
                        inner: self.builder.expr(left),
                        index: self.builder.expr(index),
                    };
                    (kind, end, left.height.max(index.height))
                }
                TokenKind::LParen => {
                    self.skip();
                    let begun = self.builder.begin_exprs();
                    let (end, height) = self.list(TokenKind::RParen, "argument list", Self::item)?;
                    let kind = self.builder.call(left, begun);
                    (kind, end, left.height.max(height))
                }
                _ => return Ok(left),
            };
            left = self.tall(kind, left.range.to(end), height)?;
        }
    }

    fn primary(&mut self) -> Parsed<ExprNode> {
        let token = self.token();
        let range = token.span.range();
        match token.kind {
            TokenKind::Ident => {
                self.skip();
                if self.is_block() {
                    return Err(self.error(token.span, "cannot use a block as an expression"));
                }
                self.tall(NodeKind::Ident, range, 0)
            }
            TokenKind::String | TokenKind::Number | TokenKind::Float | TokenKind::Bool | TokenKind::Null => {
                self.skip();
                self.tall(NodeKind::Literal(token.kind), range, 0)
            }
            TokenKind::LParen => {
                self.skip();
                let inner = self.expr()?;
                let close = self.expect(TokenKind::RParen)?.span.range();
                let kind = NodeKind::Paren(self.builder.expr(inner));
                self.tall(kind, range.to(close), inner.height)
            }
            TokenKind::LBrack => {
                self.skip();
                let begun = self.builder.begin_exprs();
                let (close, height) = self.list(TokenKind::RBrack, "expression list", Self::item)?;
                let kind = self.builder.array(begun);
                self.tall(kind, range.to(close), height)
            }
            TokenKind::LCurly => {
                self.skip();
                let begun = self.builder.begin_fields();
                let (close, height) = self.list(TokenKind::RCurly, "field list", Self::field)?;
                let kind = self.builder.object(begun);
                self.tall(kind, range.to(close), height)
            }
            _ => Err(self.unexpected("expression")),
        }
    }

    /// Whether the name before the token at hand is that of a block.
    fn is_block(&self) -> bool {
        match self.kind() {
            TokenKind::LCurly => true,
            TokenKind::String => self.tokens.next().kind == TokenKind::LCurly,
            _ => false,
        }
    }

    /// One item of a list; its height.
    fn item(&mut self) -> Parsed<u32> {
        let item = self.expr()?;
        self.builder.item(item);
        Ok(item.height)
    }

    /// One field of an object; the height of its value.
    fn field(&mut self) -> Parsed<u32> {
        if !matches!(self.kind(), TokenKind::Ident | TokenKind::String) {
            return Err(self.unexpected("field name (string or identifier)"));
        }
        let key = self.advance().span.range();
        self.expect(TokenKind::Assign)?;
        let value = self.expr()?;
        self.builder.field(key, value);
        Ok(value.height)
    }

    /// Items with commas between, up to the closing token, of which it says where it is; also the height of the highest.
    fn list(
        &mut self,
        close: TokenKind,
        what: &str,
        item: fn(&mut Self) -> Parsed<u32>,
    ) -> Parsed<(Range, u32)> {
        let mut highest = 0;
        loop {
            if self.kind() == close {
                return Ok((self.advance().span.range(), highest));
            }
            highest = highest.max(item(self)?);
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
