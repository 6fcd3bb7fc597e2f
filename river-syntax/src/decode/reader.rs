//! The reader that derived code takes a block's fields from. It gathers what is wrong.

use std::collections::BTreeMap;

use crate::ast::{self, Body, Expr, Ident, Statement};
use crate::decode::convert::FromValue;
use crate::decode::mismatch::describe;
use crate::decode::shape::{BlockShape, LabelShape};
use crate::decode::{Block, structure};
use crate::diag::Diagnostic;
use crate::eval::{Budget, EmptyScope, Scope, evaluate_within};
use crate::source::Span;
use crate::types::{self, Type, TypeScope};

/// What is known of the names in expressions.
#[derive(Clone, Copy)]
pub(super) enum Names<'a> {
    /// Their values: expressions are evaluated.
    Values(&'a dyn Scope),
    /// Their types: only what is made of literals alone is evaluated.
    Types(&'a dyn TypeScope),
}

/// Reads the fields of one block. Its methods give `None` for what is wrong, having noted why.
pub struct Reader<'a> {
    body: Body<'a>,
    /// Where what is missing is reported.
    header: Span,
    block: Option<ast::Block<'a>>,
    names: Names<'a>,
    /// Shared by all expressions of a body and of those in it.
    budget: &'a Budget,
    diagnostics: Vec<Diagnostic>,
}

/// Why a block that was decoded does not do, from its `validate` function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    field: Option<String>,
    message: String,
}

impl Invalid {
    /// The block as a whole.
    pub fn block(message: impl Into<String>) -> Invalid {
        Invalid {
            field: None,
            message: message.into(),
        }
    }

    /// An attribute or nested block; the report is at its place if it is there.
    pub fn field(name: impl Into<String>, message: impl Into<String>) -> Invalid {
        Invalid {
            field: Some(name.into()),
            message: message.into(),
        }
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(body: Body<'a>, header: Span, names: Names<'a>, budget: &'a Budget) -> Reader<'a> {
        Reader {
            body,
            header,
            block: None,
            names,
            budget,
            diagnostics: Vec::new(),
        }
    }

    pub(super) fn for_block(self, block: ast::Block<'a>) -> Reader<'a> {
        Reader {
            block: Some(block),
            ..self
        }
    }

    pub(super) fn decode<T: Block>(mut self, with_label: bool) -> Result<T, Vec<Diagnostic>> {
        let value = self.read::<T>(with_label);
        match value {
            Some(value) if !self.diagnostics.iter().any(Diagnostic::is_error) => Ok(value),
            _ => Err(self.finish()),
        }
    }

    pub(super) fn check<T: Block>(mut self, with_label: bool) -> (Option<T>, Vec<Diagnostic>) {
        let value = self.read::<T>(with_label);
        (value, self.finish())
    }

    fn read<T: Block>(&mut self, with_label: bool) -> Option<T> {
        let shape = T::shape();
        self.diagnostics
            .extend(structure::check(self.body, self.header, shape));
        if with_label && let Some(block) = self.block {
            self.diagnostics
                .extend(structure::check_label(block, shape.label));
        }
        T::read(self)
    }

    fn finish(mut self) -> Vec<Diagnostic> {
        self.diagnostics.sort_by_key(Diagnostic::span);
        self.diagnostics
    }

    fn value_of(&self, name: &str) -> Option<Expr<'a>> {
        self.body
            .attributes()
            .find(|attribute| attribute.name() == name)
            .map(ast::Attribute::value)
    }

    fn decode_expr<T: FromValue>(&mut self, expr: Expr<'_>) -> Option<T> {
        let scope = match self.names {
            Names::Values(scope) => scope,
            Names::Types(_) if expr.references().is_empty() => &EmptyScope,
            Names::Types(types) => {
                let faults = types::check(expr, &T::TYPE, types);
                let known_to_fit = faults.is_empty();
                self.diagnostics.extend(faults);
                return if known_to_fit { T::unknown() } else { None };
            }
        };
        let decoded = evaluate_within(expr, scope, self.budget)
            .and_then(|value| T::from_value(&value).map_err(|mismatch| describe(&mismatch, expr)));
        match decoded {
            Ok(value) => Some(value),
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                None
            }
        }
    }

    /// A required attribute.
    pub fn required<T: FromValue>(&mut self, name: &str) -> Option<T> {
        let expr = self.value_of(name)?;
        self.decode_expr(expr)
    }

    /// An attribute that may be absent.
    pub fn optional<T: FromValue>(&mut self, name: &str) -> Option<Option<T>> {
        match self.value_of(name) {
            Some(expr) => self.decode_expr(expr),
            None => Some(None),
        }
    }

    /// An attribute with a default.
    pub fn with_default<T: FromValue>(&mut self, name: &str, default: impl FnOnce() -> T) -> Option<T> {
        match self.value_of(name) {
            Some(expr) => self.decode_expr(expr),
            None => Some(default()),
        }
    }

    /// All attributes whose names are not in the shape.
    pub fn rest<T: FromValue>(&mut self, shape: &BlockShape) -> Option<BTreeMap<String, T>> {
        let body = self.body;
        let mut out = Some(BTreeMap::new());
        for attribute in body
            .attributes()
            .filter(|attribute| shape.field(attribute.name()).is_none())
        {
            let value = self.decode_expr(attribute.value());
            match (&mut out, value) {
                (Some(map), Some(value)) => {
                    if map.insert(attribute.name().to_owned(), value).is_some() {
                        let name = attribute.name();
                        let message = format!("attribute \"{name}\" may only be provided once");
                        self.diagnostics
                            .push(Diagnostic::error(attribute.span(), message));
                    }
                }
                _ => out = None,
            }
        }
        out
    }

    fn nested<T: Block>(&mut self, block: ast::Block<'a>) -> Option<T> {
        let mut reader = Reader::new(block.body(), block.header(), self.names, self.budget).for_block(block);
        let value = reader.read(true);
        self.diagnostics.append(&mut reader.diagnostics);
        value
    }

    fn named(&self, name: &str) -> impl Iterator<Item = ast::Block<'a>> + use<'a> {
        let name = name.to_owned();
        self.body.blocks().filter(move |block| block.name() == name)
    }

    /// A required block.
    pub fn block<T: Block>(&mut self, name: &str) -> Option<T> {
        let block = self.named(name).next()?;
        self.nested(block)
    }

    /// A block that may be absent.
    pub fn optional_block<T: Block>(&mut self, name: &str) -> Option<Option<T>> {
        match self.named(name).next() {
            Some(block) => self.nested(block).map(Some),
            None => Some(None),
        }
    }

    /// A block with a default.
    pub fn block_with_default<T: Block>(&mut self, name: &str, default: impl FnOnce() -> T) -> Option<T> {
        match self.named(name).next() {
            Some(block) => self.nested(block),
            None => Some(default()),
        }
    }

    /// Any number of blocks, in order.
    pub fn blocks<T: Block>(&mut self, name: &str) -> Option<Vec<T>> {
        let blocks: Vec<ast::Block<'_>> = self.named(name).collect();
        let all = blocks.len();
        let read: Vec<T> = blocks
            .into_iter()
            .filter_map(|block| self.nested(block))
            .collect();
        (read.len() == all).then_some(read)
    }

    fn label_ident(&self) -> Option<Ident<'a>> {
        self.block.and_then(ast::Block::label_ident)
    }

    /// A required label.
    pub fn label(&mut self) -> Option<String> {
        self.label_ident().map(|label| label.name.to_owned())
    }

    /// A label that may be absent.
    pub fn optional_label(&mut self) -> Option<Option<String>> {
        Some(self.label_ident().map(|label| label.name.to_owned()))
    }

    /// Notes what a `validate` function found.
    pub fn validated(&mut self, result: Result<(), Invalid>) -> Option<()> {
        let Err(invalid) = result else { return Some(()) };
        let statement = invalid.field.as_deref().and_then(|name| {
            self.body
                .statements()
                .iter()
                .find(|statement| statement.name() == name)
        });
        let span = match statement {
            Some(Statement::Attribute(attribute)) => attribute.value().span(),
            Some(Statement::Block(block)) => block.header(),
            None => self.header,
        };
        self.diagnostics.push(Diagnostic::error(span, invalid.message));
        None
    }
}

impl std::fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("diagnostics", &self.diagnostics)
            .finish_non_exhaustive()
    }
}

/// A block of attributes of any names.
impl<T: FromValue> Block for BTreeMap<String, T> {
    fn shape() -> &'static BlockShape {
        const {
            &BlockShape {
                docs: "",
                label: LabelShape::None,
                shapes: &[],
                rest: Some(rest_type::<T>()),
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Option<BTreeMap<String, T>> {
        reader.rest(Self::shape())
    }
}

const fn rest_type<T: FromValue>() -> Type {
    T::TYPE
}
