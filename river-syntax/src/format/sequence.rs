//! The items of a file with what each has around it.
//!
//! What a comment needs to know of the tokens around it is found once for all comments between the same two tokens, so
//! that ten thousand comments in a row are not looked through ten thousand times.

use super::items::{Item, Kind};
use crate::token::TokenKind;
use crate::work;

/// The items, in order.
pub(super) struct Sequence<'a> {
    items: Vec<Item<'a>>,
    around: Vec<Around>,
}

/// What lies around an item.
#[derive(Clone, Copy, Default)]
struct Around {
    /// The token before it.
    before: Option<TokenKind>,
    /// The token after it.
    after: Option<TokenKind>,
    /// The token that ends the comments it is among: itself if it is no comment.
    end: Option<TokenKind>,
    /// Whether no line breaks between the token before it and that one.
    flat: bool,
}

impl<'a> Sequence<'a> {
    pub(super) fn new(items: Vec<Item<'a>>) -> Sequence<'a> {
        let mut around = vec![Around::default(); items.len()];
        let (mut before, mut start) = (None, 0);
        for (at, item) in items.iter().enumerate() {
            work::count(1);
            let token = match item.kind {
                Kind::Token(kind) => Some(kind),
                // Comments before the end of the file have no token after them.
                _ if at + 1 == items.len() => None,
                _ => continue,
            };
            let among = &items[start..=at];
            let flat = among
                .iter()
                .all(|item| item.breaks == 0 && (item.token().is_some() || !item.text.contains('\n')));
            for place in &mut around[start..=at] {
                work::count(1);
                (place.before, place.after, place.end, place.flat) = (before, token, token, flat);
            }
            before = token;
            start = at + 1;
        }
        let mut after = None;
        for (place, item) in around.iter_mut().zip(&items).rev() {
            if item.token().is_some() {
                place.after = after;
                after = item.token();
            }
        }
        Sequence { items, around }
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn get(&self, at: usize) -> Option<&Item<'a>> {
        work::count(1);
        self.items.get(at)
    }

    /// The items from one on.
    pub(super) fn rest(&self, at: usize) -> impl Iterator<Item = &Item<'a>> {
        self.items[at..].iter().inspect(|_| work::count(1))
    }

    /// The token before an item.
    pub(super) fn token_before(&self, at: usize) -> Option<TokenKind> {
        self.around[at].before
    }

    /// The token after an item.
    pub(super) fn token_after(&self, at: usize) -> Option<TokenKind> {
        self.around[at].after
    }

    /// Whether there is nothing but comments between the opening brace before an item and the brace that closes it,
    /// all on one line.
    pub(super) fn within_flat_braces(&self, at: usize) -> bool {
        let around = &self.around[at];
        around.flat && around.end == Some(TokenKind::RCurly)
    }
}

impl<'a> std::ops::Index<usize> for Sequence<'a> {
    type Output = Item<'a>;

    fn index(&self, at: usize) -> &Item<'a> {
        work::count(1);
        &self.items[at]
    }
}
