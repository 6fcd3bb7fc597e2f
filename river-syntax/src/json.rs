//! Values and bodies as JSON, in the form of Alloy's HTTP API: every value says its type, so that nothing is lost that JSON
//! has no form for.
//!
//! A secret stays one: what is assigned to an attribute that holds a secret is hidden, even where the file has it in plain
//! text.

use serde_json::{Value as Json, json};

use crate::ast::{Body, Expr};
use crate::decode::{BlockShape, ShapeKind};
use crate::eval::{Budget, EmptyScope, Exceeded, Scope, evaluate};
use crate::parser::parse_expr;
use crate::source::SourceMap;
use crate::types::Type;
use crate::value::{Number, Secret, Value};

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
///
/// What would take more than 16 MiB, as one may that shares parts with itself again and again, is shown as `(too large)`.
pub fn value(value: &Value) -> Json {
    shown(value, &Type::Any, &budget())
}

/// What is shown of one body or value. It takes a multiple of that in memory, and nobody reads as much.
fn budget() -> Budget {
    Budget::of(16 << 20, 0)
}

/// A value as a place of type `ty` has it: strings where a secret belongs are secrets.
fn shown(value: &Value, ty: &Type, budget: &Budget) -> Json {
    let parts = parts(value, ty, budget);
    parts.unwrap_or_else(|_| json!({ "type": "capsule", "value": "(too large)" }))
}

fn parts(value: &Value, ty: &Type, budget: &Budget) -> Result<Json, Exceeded> {
    budget.elements(1)?;
    let string = |text: &str| {
        budget.text(text.len())?;
        Ok::<_, Exceeded>(("string", json!(text)))
    };
    let hidden = || Ok(("capsule", json!(Secret::default().to_string())));
    let (kind, content) = match value {
        Value::Null => ("null", Json::Null),
        _ if *ty == Type::Secret => hidden()?,
        Value::Number(number) => ("number", number_json(*number)),
        Value::String(text) => string(text)?,
        Value::OptionalSecret(text) if !text.is_secret() => string(text.expose())?,
        Value::Bool(value) => ("bool", json!(value)),
        Value::Array(items) => {
            let inner = match ty {
                Type::List(inner) => inner,
                _ => &Type::Any,
            };
            let items: Result<Json, Exceeded> = items.iter().map(|item| parts(item, inner, budget)).collect();
            ("array", items?)
        }
        Value::Object(fields) => {
            let fields: Result<Json, Exceeded> = fields
                .iter()
                .map(|(key, field)| {
                    budget.text(key.len())?;
                    let field = parts(field, &field_type(ty, key), budget)?;
                    Ok(object([("key", key.as_str().into()), ("value", field)]))
                })
                .collect();
            ("object", fields?)
        }
        Value::Function(function) => ("function", json!(format!("function({})", function.name))),
        Value::Secret(_) | Value::OptionalSecret(_) => hidden()?,
        Value::Capsule(_) => ("capsule", json!(value.to_string())),
    };
    Ok(object([("type", kind.into()), ("value", content)]))
}

/// An object that takes its values as they are; the macro would copy them.
fn object<const N: usize>(fields: [(&str, Json); N]) -> Json {
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    Json::Object(fields.into_iter().collect())
}

/// The type of a field; any where it is not known.
fn field_type(ty: &Type, key: &str) -> Type {
    match ty {
        Type::Map(inner) => **inner,
        Type::Object(known) => {
            let field = known.iter().find(|known| known.name == key);
            field.map_or(Type::Any, |known| known.ty)
        }
        _ => Type::Any,
    }
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
pub fn body(body: Body<'_>, shape: &BlockShape, scope: &dyn Scope) -> Json {
    statements(body, shape, scope, &budget())
}

fn statements(body: Body<'_>, shape: &BlockShape, scope: &dyn Scope, budget: &Budget) -> Json {
    let mut out = Vec::new();
    for field in shape.fields() {
        match field.kind {
            ShapeKind::Attribute(ty) => {
                let given = body.attributes().find(|given| given.name() == field.name);
                let value = match given {
                    Some(given) => Some(evaluated(given.value(), scope)),
                    None => field
                        .default
                        .and_then(|default| constant(default()))
                        .filter(|value| !value.is_zero()),
                };
                out.extend(value.map(|value| entry(field.name, shown(&value, &ty, budget))));
            }
            ShapeKind::Block { shape, .. } => {
                for block in body.blocks().filter(|block| block.name() == field.name) {
                    let mut entry = json!({ "name": field.name, "type": "block" });
                    if let Some(label) = block.label() {
                        entry["label"] = json!(label);
                    }
                    entry["body"] = statements(block.body(), shape(), scope, budget);
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
            .filter(|given| shape.field(given.name()).is_none());
        out.extend(
            rest.map(|given| entry(given.name(), shown(&evaluated(given.value(), scope), ty, budget))),
        );
    }
    Json::Array(out)
}

/// One attribute: `{"name": …, "type": "attr", "value": …}`.
pub fn attribute(name: &str, value: &Value) -> Json {
    entry(name, self::value(value))
}

fn entry(name: &str, value: Json) -> Json {
    object([("name", name.into()), ("type", "attr".into()), ("value", value)])
}

/// The fields of an object as attributes, such as a component's exports.
pub fn attributes(object: &Value) -> Json {
    let budget = budget();
    match object {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| entry(name, shown(value, &Type::Any, &budget)))
            .collect(),
        _ => json!([]),
    }
}

fn evaluated(expr: Expr<'_>, scope: &dyn Scope) -> Value {
    evaluate(expr, scope).unwrap_or_default()
}

/// The value of a default, which is written in the language; `None` where it is described in words instead.
fn constant(text: String) -> Option<Value> {
    let source = SourceMap::new().add("default", text);
    evaluate(parse_expr(&source).ok()?.get(), &EmptyScope).ok()
}
