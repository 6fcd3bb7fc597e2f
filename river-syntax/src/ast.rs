//! The syntax tree.
//!
//! Every node carries its span and owns its text, so a tree outlives its source. Only what is right is in the tree: a
//! statement with an error is left out and reported. Parentheses are kept, so printing needs no knowledge of precedence.

mod print;
mod refs;
mod visit;

use std::borrow::Cow;
use std::sync::Arc;

use crate::source::{SourceId, Span};
use crate::token::Comment;
use crate::value::Value;

pub use refs::Reference;
pub use visit::{Visitor, walk_body, walk_expr};

/// A parsed file.
#[derive(Clone, Debug)]
pub struct File {
    /// The source it was parsed from.
    pub source: SourceId,
    /// Its statements.
    pub body: Body,
    /// Its comments, in order.
    pub comments: Vec<Comment>,
}

/// The statements of a file or of a block.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// The statements, in order.
    pub statements: Vec<Statement>,
    /// From the first statement to the last; for a block, between its braces.
    pub span: Span,
    /// Whether a statement is left out because its syntax is wrong: what seems to be missing may be that.
    pub broken: bool,
}

impl Body {
    /// The blocks among the statements.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.statements.iter().filter_map(|s| match s {
            Statement::Block(block) => Some(block),
            Statement::Attribute(_) => None,
        })
    }

    /// The attributes among the statements.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.statements.iter().filter_map(|s| match s {
            Statement::Attribute(attribute) => Some(attribute),
            Statement::Block(_) => None,
        })
    }
}

/// An attribute or a block.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// `name = value`
    Attribute(Attribute),
    /// `name "label" { … }`
    Block(Block),
}

impl Statement {
    /// The attribute's name or the block's name.
    pub fn name(&self) -> &str {
        match self {
            Statement::Attribute(attribute) => &attribute.name.name,
            Statement::Block(block) => &block.name.text,
        }
    }

    /// The attribute, or the block from its name to its closing brace.
    pub fn span(&self) -> Span {
        match self {
            Statement::Attribute(attribute) => attribute.span,
            Statement::Block(block) => block.span,
        }
    }
}

/// `name = value`
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// The name.
    pub name: Ident,
    /// The value.
    pub value: Expr,
    /// From the name to the end of the value.
    pub span: Span,
}

/// `name "label" { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The dotted name.
    pub name: BlockName,
    /// The label; an empty one counts as none.
    pub label: Option<Ident>,
    /// What is between the braces.
    pub body: Body,
    /// The head, from the name to the opening brace.
    pub header: Span,
    /// From the name to the closing brace.
    pub span: Span,
}

impl Block {
    /// The dotted name.
    pub fn name(&self) -> &str {
        &self.name.text
    }

    /// The label.
    pub fn label(&self) -> Option<&str> {
        self.label.as_ref().map(|label| &*label.name)
    }

    /// The name, and with a dot the label if there is one: `prometheus.scrape.local`.
    pub fn id(&self) -> String {
        match self.label() {
            Some(label) => format!("{}.{label}", self.name()),
            None => self.name().to_owned(),
        }
    }
}

/// The name of a block: identifiers with dots between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockName {
    /// The whole name with its dots.
    pub text: Arc<str>,
    /// From the first part to the last.
    pub span: Span,
}

impl BlockName {
    /// The parts.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.text.split('.')
    }
}

/// A name with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ident {
    /// The name.
    pub name: Arc<str>,
    /// Where it is; for a label, with its quotes.
    pub span: Span,
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it is.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A number, string, bool or `null`.
    Literal(Literal),
    /// A bare name.
    Ident(Ident),
    /// `[a, b]`
    Array(Vec<Expr>),
    /// `{a = 1, "b" = 2}`
    Object(Vec<Field>),
    /// `(a)`
    Paren(Box<Expr>),
    /// `a.name`
    Access(Box<Expr>, Ident),
    /// `a[i]`
    Index(Box<Expr>, Box<Expr>),
    /// `f(a, b)`
    Call(Box<Expr>, Vec<Expr>),
    /// `!a`, `-a`
    Unary(UnaryOp, Box<Expr>),
    /// `a + b`
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
}

impl Expr {
    /// The expression without the parentheses around it.
    pub fn inner(&self) -> &Expr {
        let mut expr = self;
        while let ExprKind::Paren(inner) = &expr.kind {
            expr = inner;
        }
        expr
    }

    /// Whether it is written out: a literal, or an array or object (whatever is in it), rather than computed.
    pub fn is_literal(&self) -> bool {
        matches!(
            self.kind,
            ExprKind::Literal(_) | ExprKind::Array(_) | ExprKind::Object(_)
        )
    }
}

/// A literal: its text and its value.
#[derive(Clone, Debug)]
pub struct Literal {
    /// What it stands for.
    pub value: Value,
    /// As written, unless that is the string between double quotes.
    written: Option<Arc<str>>,
}

impl Literal {
    /// A literal that is written so.
    pub(crate) fn written(text: Arc<str>, value: Value) -> Literal {
        Literal {
            value,
            written: Some(text),
        }
    }

    /// A string in double quotes without escapes.
    pub(crate) fn plain(text: Arc<str>) -> Literal {
        Literal {
            value: Value::String(text),
            written: None,
        }
    }

    /// As written.
    pub fn text(&self) -> Cow<'_, str> {
        match (&self.written, &self.value) {
            (Some(text), _) => Cow::Borrowed(text),
            (None, value) => Cow::Owned(format!("\"{}\"", value.as_str().unwrap_or_default())),
        }
    }
}

impl PartialEq for Literal {
    fn eq(&self, other: &Literal) -> bool {
        self.text() == other.text()
    }
}

/// A field of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The key: the name, or what is between the quotes, which is not unescaped.
    pub key: Ident,
    /// The key as written, with its quotes.
    pub text: Arc<str>,
    /// The value.
    pub value: Expr,
}

/// An operator before its operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `!`
    Not,
    /// `-`
    Neg,
}

impl UnaryOp {
    /// How it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            UnaryOp::Not => "!",
            UnaryOp::Neg => "-",
        }
    }
}

/// An operator between its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Mod,
    /// `^`
    Pow,
}

impl BinaryOp {
    /// How it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOp::Or => "||",
            BinaryOp::And => "&&",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => ">=",
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Mod => "%",
            BinaryOp::Pow => "^",
        }
    }
}
