#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod ast;
mod decode;
pub mod diag;
mod eval;
mod format;
pub mod json;
mod lexer;
mod parser;
pub mod reference;
mod source;
mod stability;
pub mod stdlib;
mod token;
mod types;
mod unicode;
mod value;
mod work;

pub use decode::{
    Block, BlockShape, Bytes, CapsuleOf, Fields, FromValue, Invalid, LabelShape, Mismatch, Reader, Shape,
    ShapeKind, ToValue, check, check_body, check_types, check_value, decode, decode_body, format_duration,
    parse_duration,
};
pub use diag::{Diagnostic, Severity};
pub use eval::{
    Budget, EmptyScope, Environment, Exceeded, Found, Isolated, Nested, Process, Scope, Variables, evaluate,
};
pub use format::{format, format_body, format_source};
pub use lexer::{Lexed, lex};
pub use parser::{MAX_DEPTH, parse, parse_expr};
pub use river_syntax_derive::{Block, FromValue, ToValue};
pub use source::{MAX_SOURCE_BYTES, Position, Source, SourceId, SourceMap, Span};
pub use stability::Stability;
pub use token::{Comment, Token, TokenKind};
pub use types::{Field, Type, TypeScope, UnknownTypes};
pub use value::{
    Call, CallError, Capsule, CapsuleType, Function, Number, Object, OptionalSecret, Params, Secret, Value,
};
