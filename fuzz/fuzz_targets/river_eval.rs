//! Any text as a configuration that is evaluated and as an expression, with the whole standard library at hand: no panic,
//! no secret that prints, and no evaluation that makes more than its budget.
//!
//! Values that later attributes may name are kept while they are small: what is named again and again is for the host to
//! bound, which knows how many names there are.

#![no_main]

use std::collections::BTreeMap;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use river_syntax::ast::{Body, Expr, Statement};
use river_syntax::{
    Block, Bytes, Isolated, OptionalSecret, Secret, SourceMap, Value, Variables, check_body, decode_body,
    diag, evaluate, json, parse, parse_expr,
};

/// One field of each type, so that every conversion is met.
#[derive(Debug, Block)]
#[expect(dead_code, reason = "decoding is what is tested")]
struct Fields {
    a: Option<String>,
    b: Option<u16>,
    c: Option<f64>,
    d: Option<Vec<bool>>,
    e: Option<BTreeMap<String, Secret>>,
    f: Option<Duration>,
    g: Option<Bytes>,
    h: Option<OptionalSecret>,
    i: Option<Value>,
    #[river(block)]
    block: Vec<Fields>,
}

fuzz_target!(|text: &str| {
    let mut sources = SourceMap::new();
    let source = sources.add("fuzz.alloy", text);
    let (file, _) = parse(&source);
    let mut scope = Variables::new(Isolated);
    scope.set("secret", Value::Secret(Secret::new("hunter2")));
    scope.set("plain", Value::OptionalSecret(OptionalSecret::plain("seen")));
    if let Ok(expr) = parse_expr(&source) {
        evaluated(expr.get(), &scope, &sources);
    }
    evaluate_all(file.body(), &mut scope, &sources);
    let faults = check_body::<Fields>(file.body());
    let _ = diag::render_all(&faults, &sources);
    if let Err(faults) = decode_body::<Fields>(file.body(), &scope) {
        let _ = diag::to_json(&faults, &sources);
    }
    let _ = json::body(file.body(), Fields::shape(), &scope);
});

/// Every attribute; later ones may refer to earlier ones by name.
fn evaluate_all(body: Body<'_>, scope: &mut Variables<Isolated>, sources: &SourceMap) {
    for statement in body.statements() {
        match statement {
            Statement::Attribute(attribute) => {
                if let Some(value) = evaluated(attribute.value(), scope, sources) {
                    scope.set(attribute.name(), value);
                }
            }
            Statement::Block(block) => evaluate_all(block.body(), scope, sources),
        }
    }
}

/// The value of an expression, if it has one that is small enough to be named.
fn evaluated(expr: Expr<'_>, scope: &Variables<Isolated>, sources: &SourceMap) -> Option<Value> {
    match evaluate(expr, scope) {
        Ok(value) => {
            let shown = value.to_string();
            assert!(!shown.contains("hunter2") || is_exposed(&expr.to_string()));
            // Six bytes for one, as a control character is written, of what a text and names of up to 4 KiB each make.
            assert!(shown.len() < 6 * (64 << 20) + (1 << 24), "{} bytes", shown.len());
            (shown.len() <= 4096).then_some(value)
        }
        Err(fault) => {
            assert!(!diag::render(&fault, sources).is_empty());
            None
        }
    }
}

/// Whether the text itself may have brought the secret to light.
fn is_exposed(text: &str) -> bool {
    text.contains("nonsensitive") || text.contains("hunter2") || !text.contains("secret")
}
