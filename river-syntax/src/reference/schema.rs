//! The reference as data, for editors that complete and check what is written.

use serde_json::{Value as Json, json};

use crate::decode::{BlockShape, LabelShape, ShapeKind};
use crate::reference::Entry;
use crate::stdlib::{self, Member};
use crate::types::Type;

/// Everything that may stand in a file: `blocks` with their attributes and blocks, and the `functions` and `constants` of the
/// standard library with their `former_names`. A block within itself is given once, further down by `null`.
pub fn schema(entries: &[Entry<'_>]) -> Json {
    let blocks: Vec<Json> = entries
        .iter()
        .map(|entry| {
            let mut out = json!({
                "name": entry.name,
                "docs": entry.summary,
                "stability": entry.stability.name(),
                "label": label(entry.label),
            });
            hold(&mut out, entry.shape, &mut Vec::new());
            if let Some(Type::Object(fields)) = entry.exports {
                out["exports"] = fields
                    .iter()
                    .map(|field| json!({ "name": field.name, "docs": field.docs, "type": ty(&field.ty) }))
                    .collect();
            }
            out
        })
        .collect();
    let functions = stdlib::MEMBERS.iter().filter_map(|member| match member {
        Member::Function(function) => Some(json!({
            "name": function.name,
            "docs": function.docs,
            "stability": function.stability.name(),
            "params": function.params.to_string(),
            "result": ty(&function.result),
        })),
        Member::Constant(_) => None,
    });
    let constants = stdlib::MEMBERS.iter().filter_map(|member| match member {
        Member::Constant(constant) => Some(json!({ "name": constant.name, "docs": constant.docs })),
        Member::Function(_) => None,
    });
    let former = stdlib::FORMER_NAMES
        .iter()
        .map(|(old, new)| json!({ "name": old, "now": new }));
    json!({
        "blocks": blocks,
        "functions": functions.collect::<Json>(),
        "constants": constants.collect::<Json>(),
        "former_names": former.collect::<Json>(),
    })
}

fn hold(out: &mut Json, shape: &'static BlockShape, within: &mut Vec<*const BlockShape>) {
    within.push(shape);
    let attributes = shape.fields().filter_map(|field| match field.kind {
        ShapeKind::Attribute(kind) => Some(json!({
            "name": field.name,
            "docs": field.docs,
            "required": field.required,
            "default": field.default.map(|default| default()),
            "type": ty(&kind),
        })),
        _ => None,
    });
    out["attributes"] = attributes.collect();
    out["any_attribute"] = shape.rest.as_ref().map_or(Json::Null, ty);
    let mut blocks = Vec::new();
    for field in shape.fields() {
        let ShapeKind::Block { shape, repeated } = field.kind else {
            continue;
        };
        let shape = shape();
        let mut block = json!({
            "name": field.name,
            "docs": field.docs,
            "required": field.required,
            "repeated": repeated,
            "label": label(shape.label),
        });
        if within.contains(&std::ptr::from_ref(shape)) {
            block["attributes"] = Json::Null;
            block["blocks"] = Json::Null;
        } else {
            hold(&mut block, shape, within);
        }
        blocks.push(block);
    }
    out["blocks"] = Json::Array(blocks);
    within.pop();
}

fn label(label: LabelShape) -> &'static str {
    match label {
        LabelShape::None => "none",
        LabelShape::Optional => "optional",
        LabelShape::Required => "required",
    }
}

/// A type by its name, with the values of a string of a fixed set and what a list or map is of.
fn ty(kind: &Type) -> Json {
    match kind {
        Type::Enum(values) => json!({ "name": "string", "values": values }),
        Type::List(inner) => json!({ "name": "list", "of": ty(inner) }),
        Type::Map(inner) => json!({ "name": "map", "of": ty(inner) }),
        Type::Capsule { name, .. } => json!({ "name": "capsule", "of": name }),
        other => json!({ "name": other.to_string() }),
    }
}
