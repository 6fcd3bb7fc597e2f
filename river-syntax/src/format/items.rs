//! Tokens and comments in one sequence, with what the layout needs to know of each.

use crate::lexer::lex;
use crate::source::Source;
use crate::token::TokenKind;
use crate::work;

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Token(TokenKind),
    /// `// …`
    LineComment,
    /// `/* … */`
    BlockComment,
}

/// A token or a comment.
#[derive(Clone, Debug)]
pub(super) struct Item<'a> {
    pub(super) kind: Kind,
    pub(super) text: std::borrow::Cow<'a, str>,
    /// Line breaks in the source between the item before and this one.
    pub(super) breaks: usize,
    /// Whether a statement ended between the token before and this item.
    pub(super) terminated: bool,
}

impl Item<'_> {
    pub(super) fn is_comment(&self) -> bool {
        !matches!(self.kind, Kind::Token(_))
    }

    pub(super) fn token(&self) -> Option<TokenKind> {
        match self.kind {
            Kind::Token(kind) => Some(kind),
            _ => None,
        }
    }

    pub(super) fn is(&self, kind: TokenKind) -> bool {
        self.kind == Kind::Token(kind)
    }
}

/// The items of a source that parses.
pub(super) fn items(source: &Source) -> Vec<Item<'_>> {
    let lexed = lex(source);
    let mut spans: Vec<(Kind, usize, usize)> = Vec::new();
    for token in lexed.tokens.iter().filter(|token| token.kind != TokenKind::Eof) {
        spans.push((Kind::Token(token.kind), token.span.start(), token.span.end()));
    }
    for comment in &lexed.comments {
        let kind = if comment.block {
            Kind::BlockComment
        } else {
            Kind::LineComment
        };
        spans.push((kind, comment.span.start(), comment.span.end()));
    }
    // A terminator is empty and lies at the start of the comment that follows it.
    spans.sort_by_key(|&(_, start, end)| (start, end));
    let mut items: Vec<Item<'_>> = Vec::new();
    let mut terminated = false;
    let mut last = 0;
    for (kind, start, end) in spans {
        if kind == Kind::Token(TokenKind::Terminator) {
            terminated = true;
            continue;
        }
        let between = source.text().get(last..start).unwrap_or("");
        work::count(end - last);
        let breaks = between.matches('\n').count();
        let text = source.text().get(start..end).unwrap_or("").into();
        items.push(Item {
            kind,
            text,
            breaks,
            terminated,
        });
        last = end;
        if matches!(kind, Kind::Token(_)) {
            terminated = false;
        }
    }
    let dropped: Vec<bool> = (0..items.len())
        .map(|at| is_empty_label(&items, at) || is_needless_comma(&items, at))
        .collect();
    let mut dropped = dropped.into_iter();
    items.retain(|_| !dropped.next().unwrap_or(false));
    quote_keys(&mut items);
    items
}

/// The next item that is not a comment.
fn next_token(items: &[Item<'_>], after: usize) -> Option<usize> {
    (after + 1..items.len()).find(|&at| {
        work::count(1);
        !items[at].is_comment()
    })
}

/// `name "" {` has no label.
fn is_empty_label(items: &[Item<'_>], at: usize) -> bool {
    let neighbour =
        |at: Option<usize>, kind| at.and_then(|at| items.get(at)).is_some_and(|item| item.is(kind));
    items[at].is(TokenKind::String)
        && items[at].text == "\"\""
        && neighbour(at.checked_sub(1), TokenKind::Ident)
        && neighbour(Some(at + 1), TokenKind::LCurly)
}

/// A comma before a closing bracket on the same line goes.
fn is_needless_comma(items: &[Item<'_>], at: usize) -> bool {
    let closes = |item: &Item<'_>| {
        matches!(
            item.token(),
            Some(TokenKind::RBrack | TokenKind::RParen | TokenKind::RCurly)
        )
    };
    items[at].is(TokenKind::Comma)
        && next_token(items, at).is_some_and(|next| {
            closes(&items[next])
                && items[at + 1..=next].iter().all(|item| item.breaks == 0)
                // A comment with a line break in it would end a statement there.
                && items[at + 1..next].iter().all(|item| !item.text.contains('\n'))
        })
}

/// Keys are not unescaped, so backticks around one that quotes can hold as it is are quotes.
fn quote_keys(items: &mut [Item<'_>]) {
    for at in 0..items.len() {
        let is_key = items[at].is(TokenKind::String)
            && next_token(items, at).is_some_and(|next| items[next].is(TokenKind::Assign));
        if !is_key {
            continue;
        }
        let text = &items[at].text;
        let Some(inner) = text.strip_prefix('`').and_then(|text| text.strip_suffix('`')) else {
            continue;
        };
        if !inner.is_empty() && !inner.contains(['"', '\\', '\n', '\r', '\0']) {
            items[at].text = format!("\"{inner}\"").into();
        }
    }
}
