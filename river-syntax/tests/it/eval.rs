//! Evaluation: each attribute of the inputs and what it gives.

use std::fmt::Write as _;
use std::sync::Arc;

use river_syntax::{
    Capsule, CapsuleType, EmptyScope, Environment, Isolated, Secret, SourceMap, Type, Value, Variables, diag,
    evaluate, parse, parse_expr,
};

struct Recorded;

impl Environment for Recorded {
    fn variable(&self, name: &str) -> Option<String> {
        (name == "HOME").then(|| "/home/me".to_owned())
    }

    fn hostname(&self) -> String {
        "host1".to_owned()
    }

    fn version(&self) -> String {
        "v1.2.3".to_owned()
    }

    fn os(&self) -> &'static str {
        "linux"
    }

    fn arch(&self) -> &'static str {
        "arm64"
    }
}

#[test]
fn values() {
    super::golden::check("eval", "out", |name, text| {
        let mut sources = SourceMap::new();
        let (file, diagnostics) = parse(&sources.add(name, text));
        assert!(
            diagnostics.is_empty(),
            "{}",
            diag::render_all(&diagnostics, &sources)
        );
        let mut scope = Variables::new(Recorded);
        scope.set("password", Secret::new("hunter2"));
        scope.set("local.file.x", Value::object([("content", "text".into())]));
        let mut out = String::new();
        for attribute in file.body().attributes() {
            match evaluate(attribute.value(), &scope) {
                Ok(value) => writeln!(out, "{} = {value}", attribute.name()).unwrap(),
                Err(error) => {
                    write!(out, "{}: {}", attribute.name(), diag::render(&error, &sources)).unwrap();
                }
            }
        }
        out
    });
}

#[derive(Debug)]
struct Target(&'static str);

impl CapsuleType for Target {
    const NAME: &'static str = "target";
    const VIEW: Option<&'static Type> = Some(&Type::Map(&Type::String));

    fn view(&self) -> Option<Value> {
        Some(Value::object([("__address__", self.0.into())]))
    }
}

fn eval(text: &str, scope: &Variables) -> Value {
    let mut sources = SourceMap::new();
    let expr = parse_expr(&sources.add("t", text)).unwrap();
    evaluate(expr.get(), scope).unwrap()
}

#[test]
fn capsules_are_seen_through_their_views() {
    let mut scope = Variables::new(Isolated);
    scope.set("t", Capsule::new(Arc::new(Target("a:1"))));
    assert_eq!(eval("t.__address__", &scope), "a:1".into());
    assert_eq!(eval(r#"t["missing"]"#, &scope), Value::Null);
    assert_eq!(eval(r#"t == {__address__ = "a:1"}"#, &scope), true.into());
    assert_eq!(eval("t == t", &scope), true.into());
    assert_eq!(
        eval("encoding.to_json(t)", &scope),
        r#"{"__address__":"a:1"}"#.into()
    );
}

#[test]
fn the_longest_known_prefix_wins() {
    let mut scope = Variables::new(Isolated);
    scope.set("a", Value::object([("b", Value::object([("c", 1_i64.into())]))]));
    scope.set("a.b", Value::object([("c", 2_i64.into())]));
    assert_eq!(eval("a.b.c", &scope), 2_i64.into());
    assert_eq!(eval("a[\"b\"].c", &scope), 1_i64.into());
}

#[test]
fn a_name_of_the_host_hides_the_library() {
    let mut scope = Variables::new(Isolated);
    scope.set("string.format", 1_i64);
    assert_eq!(eval("string.format", &scope), 1_i64.into());
}

#[test]
fn nothing_is_read_unless_the_host_says_so() {
    let mut sources = SourceMap::new();
    let expr = parse_expr(&sources.add("t", "sys.env(\"PATH\") + constants.hostname")).unwrap();
    assert_eq!(evaluate(expr.get(), &EmptyScope).unwrap(), "".into());
}
