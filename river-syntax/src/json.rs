//! Values and bodies as JSON, in the form of Alloy's HTTP API: every value says its type, so that nothing is lost that JSON
//! has no form for.
//!
//! A secret stays one: what is assigned to an attribute that holds a secret is hidden, even where the file has it in plain
//! text.

use serde_json::{Value as Json, json};

use crate::ast::{Attribute, Body, Expr};
use crate::decode::{BlockShape, ShapeKind};
use crate::eval::{EmptyScope, Scope, evaluate};
use crate::parser::parse_expr;
use crate::source::SourceMap;
use crate::types::Type;
use crate::value::{Number, OptionalSecret, Secret, Value};

/// A value: `{"type": "number", "value": 1}`. An array's value is a list of values, an object's a list of
/// `{"key": …, "value": …}` in order of key; functions, secrets and capsules are shown by their text form.
///
/// ```
/// use river_syntax::{Value, json};
///
/// let value = Value::object([("a", Value::from(true))]);
/// assert_eq!(
///     json::value(&value).to_string(),
///     r#"{"type":"object","value":[{"key":"a","value":{"type":"bool","value":true}}]}"#
/// );
/// ```
pub fn value(value: &Value) -> Json {
    let (kind, content) = match value {
        Value::Null => ("null", Json::Null),
        Value::Number(number) => ("number", number_json(*number)),
        Value::String(text) => ("string", json!(**text)),
        Value::OptionalSecret(text) if !text.is_secret() => ("string", json!(text.expose())),
        Value::Bool(value) => ("bool", json!(value)),
        Value::Array(items) => ("array", items.iter().map(self::value).collect()),
        Value::Object(fields) => (
            "object",
            fields
                .iter()
                .map(|(key, field)| json!({ "key": key, "value": self::value(field) }))
                .collect(),
        ),
        Value::Function(function) => ("function", json!(format!("function({})", function.name))),
        Value::Secret(_) | Value::OptionalSecret(_) | Value::Capsule(_) => {
            ("capsule", json!(value.to_string()))
        }
    };
    json!({ "type": kind, "value": content })
}

/// JSON has no infinities and no NaN; their text stands for them.
fn number_json(number: Number) -> Json {
    match number {
        Number::Int(value) => json!(value),
        Number::Uint(value) => json!(value),
        Number::Float(value) if value.is_finite() => json!(value),
        Number::Float(value) => json!(value.to_string()),
    }
}

/// The statements of a body as they evaluate in `scope`, in the order of the shape, with the defaults of attributes that are
/// absent unless they are zero: `{"name": …, "type": "attr", "value": …}` and
/// `{"name": …, "type": "block", "label": …, "body": […]}`. What does not evaluate is null.
pub fn body(body: &Body, shape: &BlockShape, scope: &dyn Scope) -> Json {
    let mut out = Vec::new();
    for field in shape.fields() {
        match field.kind {
            ShapeKind::Attribute(ty) => {
                let given = body.attributes().find(|given| *given.name.name == *field.name);
                let shown = match given {
                    Some(given) => Some(evaluated(&given.value, scope)),
                    None => field
                        .default
                        .and_then(|default| constant(default()))
                        .filter(|value| !value.is_zero()),
                };
                out.extend(shown.map(|value| attribute(field.name, &hide(&value, &ty))));
            }
            ShapeKind::Block { shape, .. } => {
                for block in body.blocks().filter(|block| block.name() == field.name) {
                    let mut entry = json!({ "name": field.name, "type": "block" });
                    if let Some(label) = block.label() {
                        entry["label"] = json!(label);
                    }
                    entry["body"] = self::body(&block.body, shape(), scope);
                    out.push(entry);
                }
            }
            // The fields have been flattened.
            ShapeKind::Flatten(_) => {}
        }
    }
    if let Some(ty) = &shape.rest {
        let rest = body
            .attributes()
            .filter(|given| shape.field(&given.name.name).is_none());
        out.extend(
            rest.map(|Attribute { name, value, .. }| {
                attribute(&name.name, &hide(&evaluated(value, scope), ty))
            }),
        );
    }
    Json::Array(out)
}

/// One attribute: `{"name": …, "type": "attr", "value": …}`.
pub fn attribute(name: &str, value: &Value) -> Json {
    json!({ "name": name, "type": "attr", "value": self::value(value) })
}

/// The fields of an object as attributes, such as a component's exports.
pub fn attributes(object: &Value) -> Json {
    match object {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| attribute(name, value))
            .collect(),
        _ => json!([]),
    }
}

fn evaluated(expr: &Expr, scope: &dyn Scope) -> Value {
    evaluate(expr, scope).unwrap_or_default()
}

/// The value of a default, which is written in the language; `None` where it is described in words instead.
fn constant(text: String) -> Option<Value> {
    let source = SourceMap::new().add("default", text);
    evaluate(&parse_expr(&source).ok()?, &EmptyScope).ok()
}

/// The value as its place has it: strings where a secret belongs are secrets.
fn hide(value: &Value, ty: &Type) -> Value {
    match (ty, value) {
        (Type::Secret, Value::Null) => Value::Null,
        (Type::Secret, _) => Value::Secret(Secret::default()),
        (Type::OptionalSecret, Value::Secret(_)) => Value::OptionalSecret(OptionalSecret::secret("")),
        (Type::List(inner), Value::Array(items)) => Value::array(items.iter().map(|item| hide(item, inner))),
        (Type::Map(inner), Value::Object(fields)) => Value::object(
            fields
                .iter()
                .map(|(key, field)| (key.clone(), hide(field, inner))),
        ),
        (Type::Object(known), Value::Object(fields)) => Value::object(fields.iter().map(|(key, field)| {
            let ty = known
                .iter()
                .find(|known| known.name == key)
                .map_or(Type::Any, |known| known.ty);
            (key.clone(), hide(field, &ty))
        })),
        _ => value.clone(),
    }
}
