//! What a block holds against what it may hold: names, forms and numbers, without looking at any value.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::ast::{Block, Body, Statement};
use crate::decode::shape::{BlockShape, LabelShape, ShapeKind};
use crate::diag::Diagnostic;
use crate::source::Span;

/// Everything that is wrong with the statements of a body. `header` is where what is missing is reported.
pub(super) fn check(body: Body<'_>, header: Span, shape: &BlockShape) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    if !body.is_broken() {
        missing(body, header, shape, &mut out);
    }
    let mut first: HashMap<&str, Statement<'_>> = HashMap::new();
    for statement in body.statements() {
        let name = statement.name();
        let earlier = match first.entry(name) {
            Entry::Occupied(entry) => Some(*entry.get()),
            Entry::Vacant(entry) => {
                entry.insert(statement);
                None
            }
        };
        let field = shape.field(name);
        match (field.map(|field| field.kind), statement) {
            (Some(ShapeKind::Attribute(_)), Statement::Attribute(_))
            | (Some(ShapeKind::Block { repeated: true, .. }), Statement::Block(_)) => {
                if let (Some(earlier), Statement::Attribute(attribute)) = (earlier, statement) {
                    let message = format!("attribute \"{name}\" may only be provided once");
                    out.push(
                        Diagnostic::error(attribute.span(), message)
                            .label(place(earlier), "provided here first"),
                    );
                }
            }
            (Some(ShapeKind::Block { .. }), Statement::Block(block)) => {
                if let Some(earlier) = earlier {
                    let message = format!("block \"{name}\" may only be specified once");
                    out.push(
                        Diagnostic::error(block.header(), message)
                            .label(place(earlier), "specified here first"),
                    );
                }
            }
            (Some(ShapeKind::Block { .. }), Statement::Attribute(attribute)) => {
                let message = format!("\"{name}\" must be a block, but is used as an attribute");
                let help = format!("write `{name} {{ … }}` instead of `{name} = …`");
                out.push(Diagnostic::error(attribute.span(), message).note(help));
            }
            (Some(_), Statement::Block(block)) => {
                let message = format!("\"{name}\" must be an attribute, but is used as a block");
                let help = format!("write `{name} = …` instead of `{name} {{ … }}`");
                out.push(Diagnostic::error(block.header(), message).note(help));
            }
            (None, Statement::Attribute(_)) if shape.rest.is_some() => {}
            (None, statement) => out.push(unrecognized(statement, shape)),
            (Some(ShapeKind::Flatten(_)), Statement::Attribute(_)) => {}
        }
    }
    out
}

/// Attributes of any name may also be given once only.
fn unrecognized(statement: Statement<'_>, shape: &BlockShape) -> Diagnostic {
    let name = statement.name();
    let names = |attributes: bool| {
        shape
            .fields()
            .filter(move |f| matches!(f.kind, ShapeKind::Attribute(_)) == attributes)
            .map(|f| f.name)
    };
    match statement {
        Statement::Attribute(attribute) => Diagnostic::error(
            attribute.span(),
            format!("unrecognized attribute name \"{name}\""),
        )
        .suggest_from(attribute.name_span(), name, names(true)),
        Statement::Block(block) if shape.rest.is_some() => {
            Diagnostic::error(block.header(), "nested blocks not supported here")
        }
        Statement::Block(block) => Diagnostic::error(
            block.header(),
            format!("unrecognized block name \"{name}\""),
        )
        .suggest_from(block.name_span(), name, names(false)),
    }
}

fn missing(body: Body<'_>, header: Span, shape: &BlockShape, out: &mut Vec<Diagnostic>) {
    for field in shape.fields().filter(|field| field.required) {
        if body
            .statements()
            .iter()
            .any(|statement| statement.name() == field.name)
        {
            continue;
        }
        let form = if matches!(field.kind, ShapeKind::Block { .. }) {
            "block"
        } else {
            "attribute"
        };
        out.push(Diagnostic::error(
            header,
            format!("missing required {form} \"{}\"", field.name),
        ));
    }
}

/// What is wrong with the label of a block.
pub(super) fn check_label(block: Block<'_>, label: LabelShape) -> Option<Diagnostic> {
    let name = block.name();
    match (label, block.label_ident()) {
        (LabelShape::Required, None) => Some(Diagnostic::error(
            block.header(),
            format!("block \"{name}\" requires non-empty label"),
        )),
        (LabelShape::None, Some(found)) => Some(Diagnostic::error(
            found.span,
            format!("block \"{name}\" does not support specifying labels"),
        )),
        _ => None,
    }
}

fn place(statement: Statement<'_>) -> Span {
    match statement {
        Statement::Attribute(attribute) => attribute.span(),
        Statement::Block(block) => block.header(),
    }
}
