//! The tokens that the parser looks at: those of a few statements, so that they stay where they are quick to come by, and
//! those of a long file take no more room than those of a short one.

use crate::lexer::{Lexed, Lexer};
use crate::source::Source;
use crate::token::{Token, TokenKind};
use crate::work;

/// Tokens that are made at once.
const BATCH: usize = 1024;

/// A place in a text. Invariant: the token at hand and the one after it are there, unless the file ends before.
pub(super) struct Tokens<'a> {
    lexer: Lexer<'a>,
    at: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(source: &'a Source) -> Tokens<'a> {
        let mut lexer = Lexer::new(source);
        lexer.run(BATCH);
        Tokens { lexer, at: 0 }
    }

    /// What is not made into tokens yet is looked through for what is wrong with it, too.
    pub(super) fn finish(mut self) -> Lexed {
        while !self.lexer.is_done() {
            self.lexer.out.tokens.clear();
            self.lexer.run(BATCH);
        }
        self.lexer.finish()
    }

    /// The place of the token at hand among those that are kept.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The tokens from a place up to the one at hand.
    pub(super) fn since(&self, start: usize) -> &[Token] {
        let tokens = self.lexer.out.tokens.as_slice();
        tokens.get(start.min(self.at)..self.at).unwrap_or_default()
    }

    pub(super) fn kind(&self) -> TokenKind {
        work::count(1);
        let token = self.lexer.out.tokens.get(self.at);
        token.map_or(TokenKind::Eof, |token| token.kind)
    }

    pub(super) fn token(&self) -> Token {
        self.get(0)
    }

    pub(super) fn next(&self) -> Token {
        self.get(1)
    }

    /// The token `count` places on; past the end it is the last one, the end of the file.
    pub(super) fn ahead(&mut self, count: usize) -> Token {
        self.make(count);
        self.get(count)
    }

    fn get(&self, count: usize) -> Token {
        work::count(1);
        let tokens = &self.lexer.out.tokens;
        match tokens.get(self.at + count).or(tokens.last()) {
            Some(token) => *token,
            None => self.lexer.token(TokenKind::Eof, 0, 0),
        }
    }

    /// Goes on to the next token. There is none after the end of the file.
    pub(super) fn skip(&mut self) {
        if self.kind() != TokenKind::Eof {
            self.at += 1;
            self.make(1);
        }
    }

    /// Sees to it that there are as many tokens beyond the one at hand.
    fn make(&mut self, count: usize) {
        let least = self.at + count + 1;
        if least > self.lexer.out.tokens.len() && !self.lexer.is_done() {
            self.lexer.run(least + BATCH);
        }
    }

    /// Forgets the tokens before the one at hand. Places are others after that.
    pub(super) fn forget(&mut self) {
        if self.at >= BATCH {
            work::count(self.lexer.out.tokens.len() - self.at);
            self.lexer.out.tokens.drain(..self.at);
            self.at = 0;
        }
    }
}
