//! Values and bodies as JSON.

use std::collections::BTreeMap;

use river_syntax::json::{attributes, body, value};
use river_syntax::{Block, EmptyScope, Isolated, Secret, SourceMap, Value, Variables, parse};
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
    let shown = body(file.body(), Arguments::shape(), &EmptyScope);
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

#[test]
fn what_shares_parts_with_itself_is_not_written_out() {
    let doubled = (0..100).fold(Value::from("x"), |inner, _| {
        Value::array([inner.clone(), Value::object([("a", inner)])])
    });
    let too_large = json!({ "type": "capsule", "value": "(too large)" });
    assert_eq!(value(&doubled), too_large);
    let object = Value::object([("large", doubled.clone()), ("small", true.into())]);
    assert_eq!(attributes(&object)[0]["value"], too_large);
    let mut scope = Variables::new(Isolated);
    scope.set("large", doubled.clone());
    let shown = |text: &str| {
        let mut sources = SourceMap::new();
        let (file, _) = parse(&sources.add("a.river", text));
        body(file.body(), Arguments::shape(), &scope)
    };
    assert_eq!(shown("user = large\n")[0]["value"], too_large);
    // Where a secret belongs it stays hidden, and needs no room.
    let headers = &shown("headers = { a = [large] }\n")[0];
    let hidden = json!({ "type": "capsule", "value": "(secret)" });
    assert_eq!(headers["value"]["value"][0]["value"]["value"][0], hidden);
    let text = doubled.to_string();
    assert!(
        text.contains('…') && text.len() < 64 << 20,
        "{} bytes",
        text.len()
    );
}
