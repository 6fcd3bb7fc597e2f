//! Where lines break and what stands on each.
//!
//! Statements get lines of their own. Within brackets a line break stays where the source has one, after the opening
//! bracket, after a comma, before the closing bracket and around comments; elsewhere an expression is put on one line. A
//! bracket indents what follows its first line break, so that brackets opened together indent once.

use super::items::{Item, Kind};
use super::sequence::Sequence;
use crate::token::TokenKind;

/// One line of the result.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) indent: usize,
    /// Whether an empty line goes before it.
    pub(super) blank: bool,
    /// The text, or what stands before the `=` that is aligned.
    pub(super) head: String,
    /// The text from that `=` on.
    pub(super) value: Option<String>,
    /// Comments at the end of the line.
    pub(super) comment: Option<String>,
    /// The number of the bracket or block that the line is in.
    pub(super) owner: usize,
    /// Tokens on the line.
    tokens: usize,
}

impl Line {
    fn push(&mut self, text: &str) {
        self.value.as_mut().unwrap_or(&mut self.head).push_str(text);
    }
}

/// What lies between two items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gap {
    None,
    Space,
    /// The item is a comment that ends the line.
    Trailing,
    Break {
        blank: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Context {
    /// Statements: the file or a block.
    Body,
    Object,
    /// An array, arguments, or an expression in parentheses.
    List,
}

#[derive(Debug)]
struct Bracket {
    context: Context,
    /// Whether lines in it are indented, because it has a line break of its own.
    indented: bool,
    id: usize,
}

/// Lays the items out.
pub(super) fn lines(items: &Sequence<'_>) -> Vec<Line> {
    let file = Bracket {
        context: Context::Body,
        indented: false,
        id: 0,
    };
    let mut layout = Layout {
        items,
        stack: vec![file],
        lines: Vec::new(),
        brackets: 0,
        unary: false,
    };
    for at in 0..items.len() {
        layout.item(at);
    }
    layout.lines
}

struct Layout<'a> {
    items: &'a Sequence<'a>,
    stack: Vec<Bracket>,
    lines: Vec<Line>,
    brackets: usize,
    /// Whether the last token is an operator before its operand.
    unary: bool,
}

impl Layout<'_> {
    fn item(&mut self, at: usize) {
        let item = &self.items[at];
        let gap = if at == 0 {
            Gap::Break { blank: false }
        } else {
            self.gap(at)
        };
        match gap {
            Gap::Break { blank } => self.start_line(at, blank),
            Gap::Space => self.line().push(" "),
            Gap::None => {}
            Gap::Trailing => {
                let comment = self.line().comment.get_or_insert_default();
                if !comment.is_empty() {
                    comment.push(' ');
                }
                comment.push_str(&item.text);
                return;
            }
        }
        self.align_here(at);
        self.line().push(&item.text);
        if let Some(kind) = item.token() {
            self.line().tokens += 1;
            self.unary = matches!(kind, TokenKind::Not | TokenKind::Sub) && !self.operand_before(at);
            self.brackets(at, kind);
        }
    }

    /// The line at hand; there is one from the first item on.
    fn line(&mut self) -> &mut Line {
        if self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        let last = self.lines.len() - 1;
        &mut self.lines[last]
    }

    fn context(&self) -> Context {
        self.stack.last().map_or(Context::Body, |bracket| bracket.context)
    }

    fn start_line(&mut self, at: usize, blank: bool) {
        let closing = self.closes(at);
        // A line break within an attribute's value but in no bracket of it.
        let continued = self.context() == Context::Body && at > 0 && !closing && !self.at_statement(at);
        if let Some(bracket) = self.stack.last_mut()
            && bracket.id != 0
            && !continued
        {
            bracket.indented = true;
        }
        let indented = self.stack.iter().filter(|bracket| bracket.indented).count();
        let owner = self.stack.last().map_or(0, |bracket| bracket.id);
        let indent = indented + usize::from(continued) - usize::from(closing && indented > 0);
        self.lines.push(Line {
            indent,
            blank,
            owner,
            ..Line::default()
        });
    }

    /// Starts the aligned part of the line if this is the `=` after a name that the line begins with.
    fn align_here(&mut self, at: usize) {
        let named = self.items[at].is(TokenKind::Assign) && self.context() != Context::List;
        let line = self.line();
        if named && line.tokens == 1 && line.value.is_none() {
            let name = line.head.trim_end().len();
            line.head.truncate(name);
            line.value = Some(String::new());
        }
    }

    fn brackets(&mut self, at: usize, kind: TokenKind) {
        let context = match kind {
            TokenKind::LCurly if self.opens_block(at) => Context::Body,
            TokenKind::LCurly => Context::Object,
            TokenKind::LParen | TokenKind::LBrack => Context::List,
            TokenKind::RCurly | TokenKind::RParen | TokenKind::RBrack => {
                self.stack.pop();
                return;
            }
            _ => return,
        };
        self.brackets += 1;
        self.stack.push(Bracket {
            context,
            indented: false,
            id: self.brackets,
        });
    }

    fn operand_before(&self, at: usize) -> bool {
        self.items.token_before(at).is_some_and(TokenKind::ends_statement)
    }

    /// Whether this brace opens a block: in an expression no brace follows a name or a string.
    fn opens_block(&self, at: usize) -> bool {
        matches!(
            self.items.token_before(at),
            Some(TokenKind::Ident | TokenKind::String)
        )
    }

    fn closes(&self, at: usize) -> bool {
        let kind = self.items[at].token();
        matches!(
            kind,
            Some(TokenKind::RCurly | TokenKind::RParen | TokenKind::RBrack)
        )
    }

    /// Whether the bracket at hand has been opened by the token before this item.
    fn just_opened(&self, at: usize) -> bool {
        let before = self.items.token_before(at);
        matches!(
            before,
            Some(TokenKind::LCurly | TokenKind::LParen | TokenKind::LBrack)
        )
    }

    /// Whether what comes at an item is a statement or a comment before one.
    fn at_statement(&self, at: usize) -> bool {
        let item = &self.items[at];
        self.context() == Context::Body
            && (item.terminated || self.items.token_before(at).is_none() || self.just_opened(at))
    }

    /// Whether the statement that starts here is a block.
    fn starts_block(&self, at: usize) -> bool {
        let mut tokens = self.items.rest(at).filter_map(Item::token).skip(1).peekable();
        while tokens.peek() == Some(&TokenKind::Dot) {
            tokens.next();
            tokens.next();
        }
        tokens.next_if_eq(&TokenKind::String);
        tokens.next() == Some(TokenKind::LCurly)
    }

    /// What lies before an item that is not the first.
    fn gap(&self, at: usize) -> Gap {
        let (item, before) = (&self.items[at], &self.items[at - 1]);
        match (item.is_comment(), self.context()) {
            (true, _) => self.before_comment(at),
            (false, Context::Body) if self.closes(at) => self.before_block_end(at),
            (false, Context::Body) if self.at_statement(at) => self.before_statement(at),
            (false, _) if before.kind == Kind::LineComment || (before.is_comment() && item.breaks > 0) => {
                let blank = item.breaks > 1 && !self.closes(at);
                Gap::Break { blank }
            }
            (false, Context::Body) => self.space(at),
            (false, _) => self.in_brackets(at),
        }
    }

    /// Whether a comment is the last thing on its line, in the result.
    fn ends_line(&self, at: usize) -> bool {
        let next = self.items.get(at + 1);
        self.items[at].kind == Kind::LineComment || next.is_none_or(|next| next.breaks > 0)
    }

    fn before_comment(&self, at: usize) -> Gap {
        let (item, before) = (&self.items[at], &self.items[at - 1]);
        let opened = self.just_opened(at) && !before.is_comment();
        if item.breaks > 0 || before.kind == Kind::LineComment {
            // In a block an empty line before a first comment stays, as it does in Alloy.
            let kept = !opened || self.context() == Context::Body;
            return Gap::Break {
                blank: item.breaks > 1 && kept,
            };
        }
        let after_trailing =
            before.is_comment() && self.lines.last().is_some_and(|line| line.comment.is_some());
        if after_trailing {
            return Gap::Trailing;
        }
        if self.context() != Context::Body {
            return if self.ends_line(at) && !before.is_comment() {
                Gap::Trailing
            } else {
                Gap::Space
            };
        }
        if self.inline_body(at) || before.is_comment() {
            return Gap::Space;
        }
        if opened && before.is(TokenKind::LCurly) {
            return if self.ends_line(at) {
                Gap::Trailing
            } else {
                Gap::Break { blank: false }
            };
        }
        let ends_block = self.items.token_after(at) == Some(TokenKind::RCurly);
        if item.terminated || self.ends_line(at) || ends_block {
            Gap::Trailing
        } else {
            Gap::Space
        }
    }

    /// Whether an item is in a block that holds comments only, on one line.
    fn inline_body(&self, at: usize) -> bool {
        self.just_opened(at) && self.items.within_flat_braces(at)
    }

    fn before_block_end(&self, at: usize) -> Gap {
        let empty = self.items[at - 1].is(TokenKind::LCurly) && self.just_opened(at);
        if empty || self.inline_body(at) {
            Gap::Space
        } else {
            Gap::Break { blank: false }
        }
    }

    fn before_statement(&self, at: usize) -> Gap {
        let (item, before) = (&self.items[at], &self.items[at - 1]);
        if before.is_comment() {
            let trailing = self.lines.last().is_some_and(|line| line.comment.is_some());
            let own_line = before.kind == Kind::BlockComment && !trailing;
            if item.breaks == 0 && own_line {
                return Gap::Space;
            }
            return Gap::Break {
                blank: item.breaks > 1,
            };
        }
        if self.just_opened(at) {
            return Gap::Break { blank: false };
        }
        Gap::Break {
            blank: item.breaks > 1 || self.starts_block(at),
        }
    }

    fn in_brackets(&self, at: usize) -> Gap {
        let (item, before) = (&self.items[at], &self.items[at - 1]);
        let opened = self.just_opened(at) && !before.is_comment();
        let closes = self.closes(at);
        if opened && closes {
            return Gap::None;
        }
        if item.breaks > 0 && (opened || closes || before.is(TokenKind::Comma)) {
            return Gap::Break {
                blank: item.breaks > 1 && !opened && !closes,
            };
        }
        self.space(at)
    }

    /// Whether a blank goes between two items on a line.
    fn space(&self, at: usize) -> Gap {
        let (item, before) = (&self.items[at], &self.items[at - 1]);
        if before.is_comment() {
            return Gap::Space;
        }
        let (Some(kind), Some(last)) = (item.token(), before.token()) else {
            return Gap::Space;
        };
        match (last, kind) {
            // A point right after digits would be read as part of the number.
            (TokenKind::Number, TokenKind::Dot) => Gap::Space,
            (_, TokenKind::Comma | TokenKind::Dot | TokenKind::RParen | TokenKind::RBrack)
            | (TokenKind::Dot | TokenKind::LParen | TokenKind::LBrack, _) => Gap::None,
            (TokenKind::LCurly, _) | (_, TokenKind::RCurly) if self.context() == Context::Object => Gap::None,
            (TokenKind::Not | TokenKind::Sub, _) if self.unary => Gap::None,
            (last, TokenKind::LParen | TokenKind::LBrack) if last.ends_statement() => Gap::None,
            _ => Gap::Space,
        }
    }
}
