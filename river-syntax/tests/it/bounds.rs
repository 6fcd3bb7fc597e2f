//! What an evaluation may cost, however short its text is.

use std::collections::BTreeMap;

use proptest::prelude::*;
use river_syntax::{
    Isolated, Secret, SourceMap, Value, Variables, decode_body, diag, evaluate, parse, parse_expr, stdlib,
};

/// A scope with a long text and a long list.
fn scope() -> Variables {
    let mut scope = Variables::new(Isolated);
    scope.set("long", "x".repeat(10_000_000));
    scope.set("list", Value::array(vec!["text".into(); 100_000]));
    scope
}

/// `inner` within so many calls.
fn nested(levels: usize, inner: &str, call: &str) -> String {
    (0..levels).fold(inner.to_owned(), |inner, _| call.replace("INNER", &inner))
}

#[test]
fn what_is_too_large_is_refused_before_it_is_made() {
    let name = "a".repeat(1_000);
    let objects = format!("{{{name} = 1}},").repeat(300);
    let deep = format!("{}{}", "[".repeat(120), "]".repeat(120));
    let texts = [
        nested(
            8,
            r#""aaaaaaaaaa""#,
            r#"string.replace(INNER, "a", "aaaaaaaaaa")"#,
        ),
        nested(4, "long", r#"string.replace(INNER, "", "-")"#),
        format!(
            "string.format(\"{}\"{})",
            "%1000000d".repeat(80),
            ", 1".repeat(80)
        ),
        format!("string.format(\"{}\", 1000000, 1.5)", "%[1]*[2]f".repeat(80)),
        format!("string.format(\"{}\", 1.5)", "%#.1000000[1]g".repeat(80)),
        nested(10, "long", "encoding.to_base64(INNER)"),
        r#"encoding.from_json("[" + string.replace(string.format("%01000000d", 0), "0", "0,0,") + "0]")"#
            .to_owned(),
        format!(r#"json_path("{deep}", "$..*..*..*..*..*")"#),
        format!(r#"json_path("[{}1]", "$[?(@ < $..*)]")"#, "1,".repeat(3_000)),
        format!(r#"array.combine_maps([{objects}], [{objects}], ["{name}"])"#),
        format!("array.concat({})", "list,".repeat(20)),
        format!("[{}]", "long + long,".repeat(4)),
        r#"string.split(long, "")"#.to_owned(),
        r#"string.split(long, "x")"#.to_owned(),
        "string.join(list, long)".to_owned(),
        format!("encoding.url_encode({})", ["long"; 6].join(" + ")),
        format!("[{}]", "long == long + \"\",".repeat(200)),
    ];
    let scope = scope();
    for text in texts {
        let mut sources = SourceMap::new();
        let expr = parse_expr(&sources.add("t", text.clone())).unwrap();
        let shown = &text[..text.len().min(80)];
        let fault = evaluate(expr.get(), &scope).expect_err(shown);
        assert!(fault.span().len() > 0, "{shown}");
        let message = fault.message();
        assert!(
            message.contains("more than 64 MiB") || message.contains("more than 1 GiB"),
            "{shown}: {message}"
        );
    }
}

#[test]
fn the_attributes_of_a_body_share_a_budget() {
    let attribute = |at: usize| format!("a{at} = string.format(\"%1000000d\", 1)\n");
    let decoded = |count: usize| {
        let mut sources = SourceMap::new();
        let text: String = (0..count).map(attribute).collect();
        let (file, faults) = parse(&sources.add("t", text));
        assert!(faults.is_empty());
        let decoded = decode_body::<BTreeMap<String, String>>(file.body(), &Variables::new(Isolated));
        decoded.map_err(|faults| diag::render_all(&faults, &sources))
    };
    assert_eq!(decoded(60).unwrap().len(), 60);
    assert!(decoded(70).unwrap_err().contains("more than 64 MiB"));
}

/// Calls of all functions of the library, with arguments that mostly fit and sometimes not.
fn call() -> impl Strategy<Value = String> {
    let texts = [
        r#""""#,
        r#""a""#,
        r#""a,b;c""#,
        r#""ÄßΣ\n\"""#,
        r#""aGVsbG8=""#,
        r#""%20+%""#,
        r#""1.5e3""#,
        r#""%d %5.2f %[2]v %-*s|%q %x %#v""#,
        r#""%.70000g %099999d""#,
        r#"`{"a": [1, {"b": "\ud800x"}], "c": null}"#,
        r#""a: &x [1, 2]\nb: *x\nc: {<<: {d: 1}}""#,
        r#""$..*""#,
        r#""$.a[?(@.b == 'x' || @ > 0)]""#,
        r#""../a//b/.""#,
    ];
    // One of them is a raw string that is closed here, so that it stands in one piece above.
    let texts = texts.map(|text| format!("{text}{}", if text.starts_with('`') { "`" } else { "" }));
    let others = [
        "null",
        "true",
        "0",
        "-3",
        "010",
        "18446744073709551615",
        "1e300",
        "[]",
        "{}",
        r#"["a", "b"]"#,
        r#"[{k = "x", v = 1}, {k = "x", v = [2]}, {k = 1.0}, {v = "y"}]"#,
        r#"[{k = "x", w = null}, {k = 1}, {}]"#,
        r#"["k"]"#,
        r#"{a = [1, "x", null, {b = true}], "c d" = 1e21}"#,
        "password",
        "string.join",
        "constants.os",
    ];
    let others = others.map(str::to_owned);
    let leaf = prop_oneof![
        3 => proptest::sample::select(texts.to_vec()),
        3 => proptest::sample::select(others.to_vec()),
        1 => "[a-c%.$\\[\\]*0-9]{0,8}".prop_map(|text| format!("\"{text}\"")),
    ];
    let functions: Vec<&'static str> = stdlib::MEMBERS
        .iter()
        .map(stdlib::Member::name)
        .filter(|name| !name.starts_with("constants."))
        .collect();
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let args = proptest::collection::vec(inner.clone(), 0..5);
        let function = proptest::sample::select(functions.clone());
        let operator = proptest::sample::select(vec!["+", "==", "<", "*", "^", "&&", "%"]);
        prop_oneof![
            6 => (function, args).prop_map(|(name, args)| format!("{name}({})", args.join(", "))),
            1 => (inner.clone(), operator, inner.clone()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {{x = {b}}}]")),
            1 => (inner.clone(), inner).prop_map(|(a, b)| format!("({a})[{b}]")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn calls_end_and_say_the_same_each_time(text in call()) {
        let mut sources = SourceMap::new();
        let expr = parse_expr(&sources.add("t", text));
        let Ok(expr) = expr else {
            panic!("{}", diag::render_all(&expr.unwrap_err(), &sources));
        };
        let mut scope = Variables::new(Isolated);
        scope.set("password", Secret::new("hunter2"));
        let said = || match evaluate(expr.get(), &scope) {
            Ok(value) => value.to_string(),
            Err(fault) => diag::render(&fault, &sources),
        };
        let first = said();
        prop_assert!(first.len() < 70_000_000);
        prop_assert_eq!(first, said());
    }
}
