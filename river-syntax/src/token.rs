//! Tokens: what the lexer makes of the text.
//!
//! A token is a kind and a span; its text is the source under the span. Comments are not tokens of the grammar: they
//! are kept beside them for the formatter.

use crate::source::Span;

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A character, or a run of them, that no token starts with; the lexer has reported it.
    Illegal,
    /// The end of the file.
    Eof,
    /// The end of a statement: a line break after a token that can end one. Its span is empty.
    Terminator,
    /// An identifier.
    Ident,
    /// Decimal digits.
    Number,
    /// Digits with a point or an exponent.
    Float,
    /// A string in double quotes or backticks.
    String,
    /// `true` or `false`.
    Bool,
    /// `null`.
    Null,
    /// `||`
    Or,
    /// `&&`
    And,
    /// `!`
    Not,
    /// `=`
    Assign,
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
    /// `{`
    LCurly,
    /// `}`
    RCurly,
    /// `(`
    LParen,
    /// `)`
    RParen,
    /// `[`
    LBrack,
    /// `]`
    RBrack,
    /// `,`
    Comma,
    /// `.`
    Dot,
}

impl TokenKind {
    /// The name of the kind in messages.
    pub fn describe(self) -> &'static str {
        match self {
            TokenKind::Illegal => "ILLEGAL",
            TokenKind::Eof => "EOF",
            TokenKind::Terminator => "TERMINATOR",
            TokenKind::Ident => "IDENT",
            TokenKind::Number => "NUMBER",
            TokenKind::Float => "FLOAT",
            TokenKind::String => "STRING",
            TokenKind::Bool => "BOOL",
            TokenKind::Null => "NULL",
            TokenKind::Or => "||",
            TokenKind::And => "&&",
            TokenKind::Not => "!",
            TokenKind::Assign => "=",
            TokenKind::Eq => "==",
            TokenKind::Ne => "!=",
            TokenKind::Lt => "<",
            TokenKind::Le => "<=",
            TokenKind::Gt => ">",
            TokenKind::Ge => ">=",
            TokenKind::Add => "+",
            TokenKind::Sub => "-",
            TokenKind::Mul => "*",
            TokenKind::Div => "/",
            TokenKind::Mod => "%",
            TokenKind::Pow => "^",
            TokenKind::LCurly => "{",
            TokenKind::RCurly => "}",
            TokenKind::LParen => "(",
            TokenKind::RParen => ")",
            TokenKind::LBrack => "[",
            TokenKind::RBrack => "]",
            TokenKind::Comma => ",",
            TokenKind::Dot => ".",
        }
    }

    /// Whether a line break after this token ends a statement.
    pub(crate) fn ends_statement(self) -> bool {
        matches!(
            self,
            TokenKind::Ident
                | TokenKind::Number
                | TokenKind::Float
                | TokenKind::String
                | TokenKind::Bool
                | TokenKind::Null
                | TokenKind::RCurly
                | TokenKind::RParen
                | TokenKind::RBrack
        )
    }
}

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it is.
    pub span: Span,
}

/// A comment, with its delimiters and without the end of its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Whether it is `/* … */` rather than `// …`.
    pub block: bool,
    /// Where it is.
    pub span: Span,
}
