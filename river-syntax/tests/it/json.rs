//! Values and bodies as JSON.

use std::collections::BTreeMap;

use river_syntax::json::{attributes, body, value};
use river_syntax::{Block, EmptyScope, Secret, SourceMap, Value, parse};
use serde_json::{Value as Json, json};

#[derive(Block, Debug)]
#[expect(dead_code, reason = "the shape is what is tested")]
struct Arguments {
    /// The user.
    user: String,
    /// The password.
    password: Option<Secret>,
    /// More headers.
    #[river(default)]
    headers: BTreeMap<String, Vec<Secret>>,
    /// How often.
    #[river(default = 3_u8)]
    tries: u8,
    /// Not shown where it is absent.
    #[river(default)]
    zero: u8,
    /// Parts.
    #[river(block)]
    part: Vec<Part>,
}

#[derive(Block, Debug)]
#[expect(dead_code, reason = "the shape is what is tested")]
struct Part {
    /// Its name.
    #[river(label)]
    name: String,
    /// Whether it is on.
    on: bool,
}

#[test]
fn a_body_is_shown_with_its_defaults_and_without_its_secrets() {
    let mut sources = SourceMap::new();
    let source = sources.add(
        "a.river",
        "password = \"hunter2\"\nheaders = { a = [\"hunter\" + \"3\"] }\nuser = \"me\"\npart \"x\" { on = !false }\n",
    );
    let (file, faults) = parse(&source);
    assert!(faults.is_empty());
    let shown = body(&file.body, Arguments::shape(), &EmptyScope);
    let attr = |name: &str, kind: &str, value: Json| json!({ "name": name, "type": "attr", "value": { "type": kind, "value": value } });
    let hidden = json!({ "type": "capsule", "value": "(secret)" });
    let expected = json!([
        attr("user", "string", json!("me")),
        attr("password", "capsule", json!("(secret)")),
        attr("headers", "object", json!([{ "key": "a", "value": { "type": "array", "value": [hidden] } }])),
        attr("tries", "number", json!(3)),
        { "name": "part", "type": "block", "label": "x", "body": [attr("on", "bool", json!(true))] },
    ]);
    assert_eq!(shown, expected);
    assert!(!shown.to_string().contains("hunter"));
}

#[test]
fn what_json_has_no_form_for_is_text() {
    let nan = Value::from(f64::NAN);
    assert_eq!(value(&nan), json!({ "type": "number", "value": "NaN" }));
    let object = Value::object([("s", Value::Secret(Secret::new("x")))]);
    assert_eq!(
        attributes(&object),
        json!([{ "name": "s", "type": "attr", "value": { "type": "capsule", "value": "(secret)" } }])
    );
}
