//! The dialect's grammar: a pattern in, a `regex-syntax` tree out.
//!
//! The parser keeps a stack of open groups instead of recursing, so its own stack use is constant; the tree it builds
//! is at most [`MAX_HEIGHT`] high, because the engine's compiler does recurse over it. It looks at each byte of the
//! pattern a constant number of times.

mod atom;

use regex_syntax::hir::{Capture, Dot, Hir, Look, Repetition};

use super::class::{Set, UnicodeClasses};
use super::error::{Error, ErrorKind};

/// The most copies a count may ask for, nested counts multiplied (Go's `maxRepeat`).
const MAX_REPEAT: u32 = 1000;
/// Open groups at one time.
const MAX_OPEN: usize = 1000;
/// Levels of the finished tree.
const MAX_HEIGHT: u32 = 250;
/// Nodes and class ranges of the finished tree.
const MAX_COST: u64 = 1 << 20;

/// A pattern read to its end.
pub(super) struct Parsed {
    pub(super) hir: Hir,
    /// Names of the groups by number; the first is the whole match, which has none. A name may occur twice.
    pub(super) names: Vec<Option<Box<str>>>,
}

/// Reads a pattern.
pub(super) fn parse(pattern: &str) -> Result<Parsed, Error> {
    let mut parser = Parser {
        pattern,
        at: 0,
        flags: Flags::default(),
        open: Vec::new(),
        group: Group::default(),
        names: vec![None],
        classes: UnicodeClasses::default(),
        cost: 0,
        last_posix_end: pattern.rfind(":]"),
    };
    parser.run()?;
    if !parser.open.is_empty() {
        return Err(Error::new(ErrorKind::MissingParen, pattern));
    }
    let whole = std::mem::take(&mut parser.group);
    let node = parser.close(whole)?;
    Ok(Parsed {
        hir: node.hir,
        names: parser.names,
    })
}

/// What `(?imsU)` sets. Named for the letter.
#[derive(Clone, Copy, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the dialect has four independent flags"
)]
struct Flags {
    fold_case: bool,
    multi_line: bool,
    dot_newline: bool,
    swap_greed: bool,
}

/// A finished part of the tree.
struct Node {
    hir: Hir,
    height: u32,
    /// How many copies of the innermost part its counts ask for.
    copies: u32,
}

impl Node {
    fn leaf(hir: Hir) -> Self {
        Self {
            hir,
            height: 1,
            copies: 1,
        }
    }
}

/// A group being read: the alternatives that are done and the one that is not.
#[derive(Default)]
struct Group {
    alternatives: Vec<Node>,
    sequence: Vec<Node>,
    /// The number of the group, when it captures.
    number: Option<usize>,
    /// The flags to return to when it closes.
    outer_flags: Flags,
}

/// What a brace begins.
enum Count {
    Between(u32, Option<u32>),
    OutOfBounds,
    Literal,
}

struct Parser<'p> {
    pattern: &'p str,
    at: usize,
    flags: Flags,
    open: Vec<Group>,
    group: Group,
    names: Vec<Option<Box<str>>>,
    classes: UnicodeClasses,
    cost: u64,
    /// Where the last `:]` of the pattern is.
    last_posix_end: Option<usize>,
}

impl<'p> Parser<'p> {
    fn rest(&self) -> &'p str {
        &self.pattern[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.pattern.as_bytes().get(self.at).copied()
    }

    fn next_char(&mut self) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// An error about the pattern from `start` to where the parser stands.
    fn error_from(&self, kind: ErrorKind, start: usize) -> Error {
        Error::new(kind, &self.pattern[start..self.at])
    }

    fn charge(&mut self, cost: u64) -> Result<(), Error> {
        self.cost += cost;
        if self.cost > MAX_COST {
            return Err(Error::new(ErrorKind::TooLarge, self.pattern));
        }
        Ok(())
    }

    fn push(&mut self, hir: Hir) -> Result<(), Error> {
        self.charge(1)?;
        self.group.sequence.push(Node::leaf(hir));
        Ok(())
    }

    fn run(&mut self) -> Result<(), Error> {
        // Where the operator just read began: two in a row are refused.
        let mut last_repeat = None;
        while let Some(byte) = self.peek() {
            let start = self.at;
            let mut repeat = None;
            match byte {
                b'(' => self.open_group()?,
                b'|' => {
                    self.at += 1;
                    self.end_alternative()?;
                }
                b')' => self.close_group()?,
                b'^' => {
                    self.at += 1;
                    self.push(Hir::look(if self.flags.multi_line {
                        Look::StartLF
                    } else {
                        Look::Start
                    }))?;
                }
                b'$' => {
                    self.at += 1;
                    self.push(Hir::look(if self.flags.multi_line {
                        Look::EndLF
                    } else {
                        Look::End
                    }))?;
                }
                b'.' => {
                    self.at += 1;
                    let dot = if self.flags.dot_newline {
                        Dot::AnyChar
                    } else {
                        Dot::AnyCharExceptLF
                    };
                    self.push(Hir::dot(dot))?;
                }
                b'[' => self.bracket_class()?,
                b'*' | b'+' | b'?' => {
                    self.at += 1;
                    let (min, max) = match byte {
                        b'*' => (0, None),
                        b'+' => (1, None),
                        _ => (0, Some(1)),
                    };
                    self.repeat(min, max, false, start, last_repeat)?;
                    repeat = Some(start);
                }
                b'{' => match self.count() {
                    Count::Between(min, max) => {
                        self.repeat(min, max, true, start, last_repeat)?;
                        repeat = Some(start);
                    }
                    Count::OutOfBounds => return Err(self.error_from(ErrorKind::InvalidRepeatSize, start)),
                    Count::Literal => {
                        self.at = start + 1;
                        self.literal(u32::from('{'))?;
                    }
                },
                b'\\' => self.escape()?,
                _ => {
                    if let Some(c) = self.next_char() {
                        self.literal(u32::from(c))?;
                    }
                }
            }
            last_repeat = repeat;
        }
        Ok(())
    }

    /// One character as it stands, or as a set of its cases.
    fn literal(&mut self, code_point: u32) -> Result<(), Error> {
        let Some(c) = char::from_u32(code_point) else {
            // A surrogate: Go has it in the program, but no text contains it.
            return self.push(Hir::fail());
        };
        if self.flags.fold_case {
            let mut set = Set::new(true);
            set.push_range(code_point, code_point);
            return self.push(set.into_hir(false));
        }
        let mut buffer = [0; 4];
        self.push(Hir::literal(c.encode_utf8(&mut buffer).as_bytes()))
    }

    // Repetition.

    /// Applies an operator that began at `start` to the part just read.
    fn repeat(
        &mut self,
        min: u32,
        max: Option<u32>,
        counted: bool,
        start: usize,
        last_repeat: Option<usize>,
    ) -> Result<(), Error> {
        let lazy = self.eat(b'?');
        if let Some(last) = last_repeat {
            return Err(self.error_from(ErrorKind::InvalidRepeatOp, last));
        }
        let Some(node) = self.group.sequence.pop() else {
            return Err(self.error_from(ErrorKind::MissingRepeatArgument, start));
        };
        let copies = match (counted, max) {
            (false, _) => node.copies,
            (true, Some(0)) => 1,
            (true, max) => node.copies.saturating_mul(max.unwrap_or(min).max(1)),
        };
        if copies > MAX_REPEAT {
            return Err(self.error_from(ErrorKind::InvalidRepeatSize, start));
        }
        self.charge(1)?;
        let hir = Hir::repetition(Repetition {
            min,
            max,
            greedy: lazy == self.flags.swap_greed,
            sub: Box::new(node.hir),
        });
        let node = self.checked(Node {
            hir,
            height: node.height + 1,
            copies,
        })?;
        self.group.sequence.push(node);
        Ok(())
    }

    /// Reads `{n}`, `{n,}` or `{n,m}`, standing on the brace.
    fn count(&mut self) -> Count {
        self.at += 1;
        let Some(min) = self.number() else {
            return Count::Literal;
        };
        let max = if !self.eat(b',') {
            Some(min)
        } else if self.peek() == Some(b'}') {
            None
        } else if let Some(max) = self.number() {
            Some(max)
        } else {
            return Count::Literal;
        };
        if !self.eat(b'}') {
            return Count::Literal;
        }
        if min > MAX_REPEAT || max.is_some_and(|max| max > MAX_REPEAT || min > max) {
            return Count::OutOfBounds;
        }
        Count::Between(min, max)
    }

    /// A decimal number without leading zeros; one that does not fit is as good as the largest.
    fn number(&mut self) -> Option<u32> {
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        let text = &self.rest()[..digits];
        if text.is_empty() || (digits > 1 && text.starts_with('0')) {
            return None;
        }
        self.at += digits;
        Some(text.parse().unwrap_or(u32::MAX))
    }

    // Groups.

    fn open_group(&mut self) -> Result<(), Error> {
        let start = self.at;
        self.at += 1;
        if self.peek() == Some(b'?') {
            return self.perl_group(start);
        }
        self.names.push(None);
        self.enter(Some(self.names.len() - 1), self.flags)
    }

    fn enter(&mut self, number: Option<usize>, outer_flags: Flags) -> Result<(), Error> {
        if self.open.len() >= MAX_OPEN {
            return Err(Error::new(ErrorKind::NestingDepth, self.pattern));
        }
        let group = Group {
            number,
            outer_flags,
            ..Group::default()
        };
        self.open.push(std::mem::replace(&mut self.group, group));
        Ok(())
    }

    /// `(?P<name>`, `(?<name>`, `(?flags)` and `(?flags:`; the parser stands on the question mark.
    fn perl_group(&mut self, start: usize) -> Result<(), Error> {
        let text = &self.pattern[start..];
        let named = if text.len() > 4 && text.starts_with("(?P<") {
            Some(4)
        } else if text.len() > 3 && text.starts_with("(?<") {
            Some(3)
        } else {
            None
        };
        if let Some(name_at) = named {
            let Some(end) = text.find('>') else {
                return Err(Error::new(ErrorKind::InvalidNamedCapture, text));
            };
            let name = &text[name_at..end];
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                return Err(Error::new(ErrorKind::InvalidNamedCapture, &text[..=end]));
            }
            self.at = start + end + 1;
            self.names.push(Some(name.into()));
            return self.enter(Some(self.names.len() - 1), self.flags);
        }

        self.at += 1;
        let mut flags = self.flags;
        let mut on = true;
        let mut seen = false;
        while let Some(c) = self.next_char() {
            match c {
                'i' => flags.fold_case = on,
                'm' => flags.multi_line = on,
                's' => flags.dot_newline = on,
                'U' => flags.swap_greed = on,
                '-' if on => {
                    on = false;
                    seen = false;
                    continue;
                }
                ':' | ')' if on || seen => {
                    let outer = std::mem::replace(&mut self.flags, flags);
                    return if c == ':' { self.enter(None, outer) } else { Ok(()) };
                }
                _ => break,
            }
            seen = true;
        }
        Err(self.error_from(ErrorKind::InvalidPerlOp, start))
    }

    fn end_alternative(&mut self) -> Result<(), Error> {
        self.charge(1)?;
        let sequence = std::mem::take(&mut self.group.sequence);
        let node = self.concat(sequence)?;
        self.group.alternatives.push(node);
        Ok(())
    }

    fn close_group(&mut self) -> Result<(), Error> {
        let Some(outer) = self.open.pop() else {
            return Err(Error::new(ErrorKind::UnexpectedParen, self.pattern));
        };
        self.at += 1;
        let group = std::mem::replace(&mut self.group, outer);
        self.flags = group.outer_flags;
        let number = group.number;
        let mut node = self.close(group)?;
        if let Some(index) = number {
            self.charge(1)?;
            let index = u32::try_from(index).map_err(|_| Error::new(ErrorKind::TooLarge, self.pattern))?;
            // The name stays out of the tree: Go allows a name twice, the engine does not.
            let hir = Hir::capture(Capture {
                index,
                name: None,
                sub: Box::new(node.hir),
            });
            node = self.checked(Node {
                hir,
                height: node.height + 1,
                copies: node.copies,
            })?;
        }
        self.group.sequence.push(node);
        Ok(())
    }

    /// The finished tree of a group: its alternatives and the last sequence.
    fn close(&self, group: Group) -> Result<Node, Error> {
        let last = self.concat(group.sequence)?;
        if group.alternatives.is_empty() {
            return Ok(last);
        }
        let mut nodes = group.alternatives;
        nodes.push(last);
        self.join(nodes, Hir::alternation)
    }

    fn concat(&self, mut nodes: Vec<Node>) -> Result<Node, Error> {
        if let (1, Some(_)) = (nodes.len(), nodes.first()) {
            return Ok(nodes.remove(0));
        }
        self.join(nodes, Hir::concat)
    }

    fn join(&self, nodes: Vec<Node>, build: fn(Vec<Hir>) -> Hir) -> Result<Node, Error> {
        let height = nodes.iter().map(|node| node.height).max().unwrap_or(0) + 1;
        let copies = nodes.iter().map(|node| node.copies).max().unwrap_or(1);
        let hir = build(nodes.into_iter().map(|node| node.hir).collect());
        self.checked(Node { hir, height, copies })
    }

    fn checked(&self, node: Node) -> Result<Node, Error> {
        if node.height > MAX_HEIGHT {
            return Err(Error::new(ErrorKind::NestingDepth, self.pattern));
        }
        Ok(node)
    }
}
