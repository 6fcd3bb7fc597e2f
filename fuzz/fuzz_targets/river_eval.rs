//! Any text as a configuration that is evaluated, with the whole standard library at hand: no panic, and no value that a
//! short text blows up beyond what can be held.

#![no_main]

use std::collections::BTreeMap;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use river_syntax::ast::{Body, Statement};
use river_syntax::{
    Block, Bytes, Isolated, OptionalSecret, Secret, SourceMap, Value, Variables, check_body, decode_body,
    diag, evaluate, json, parse,
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
    let (file, _) = parse(&sources.add("fuzz.alloy", text));
    let mut scope = Variables::new(Isolated);
    scope.set("secret", Value::Secret(Secret::new("hunter2")));
    scope.set("plain", Value::OptionalSecret(OptionalSecret::plain("seen")));
    evaluate_all(&file.body, &mut scope, &sources);
    let faults = check_body::<Fields>(&file.body);
    let _ = diag::render_all(&faults, &sources);
    if let Err(faults) = decode_body::<Fields>(&file.body, &scope) {
        let _ = diag::to_json(&faults, &sources);
    }
    let _ = json::body(&file.body, Fields::shape(), &scope);
});

/// Every attribute; later ones may refer to earlier ones by name.
fn evaluate_all(body: &Body, scope: &mut Variables<Isolated>, sources: &SourceMap) {
    for statement in &body.statements {
        match statement {
            Statement::Attribute(attribute) => match evaluate(&attribute.value, scope) {
                Ok(value) => {
                    let shown = value.to_string();
                    assert!(!shown.contains("hunter2") || is_exposed(&attribute.value.to_string()));
                    scope.set(&*attribute.name.name, value);
                }
                Err(fault) => assert!(!diag::render(&fault, sources).is_empty()),
            },
            Statement::Block(block) => evaluate_all(&block.body, scope, sources),
        }
    }
}

/// Whether the text itself may have brought the secret to light.
fn is_exposed(text: &str) -> bool {
    text.contains("nonsensitive") || text.contains("hunter2") || !text.contains("secret")
}
