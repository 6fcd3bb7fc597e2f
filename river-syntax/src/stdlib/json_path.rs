//! `json_path`

mod parse;
mod select;

use std::sync::Arc;

use crate::stability::Stability;
use crate::types::Type;
use crate::value::{Call, CallError, Function, Params, Value};

pub(super) const JSON_PATH: Function = Function {
    name: "json_path",
    params: Params::fixed(&[("json", Type::String), ("path", Type::String)]),
    result: Type::List(&Type::Any),
    stability: Stability::GenerallyAvailable,
    docs: "What a JSONPath finds in a JSON text; always a list.",
    call: json_path,
};

fn json_path(call: &Call<'_>) -> Result<Value, CallError> {
    let (json, path): (Arc<str>, Arc<str>) = (call.arg(0)?, call.arg(1)?);
    call.budget.text(path.len().saturating_mul(size_of::<Step>()))?;
    let path =
        parse::parse(&path).map_err(|message| CallError::Failed(format!("{message} in \"{path}\"")))?;
    let root = super::encoding::decode_json(&json, call.budget).map_err(CallError::Failed)?;
    Ok(Value::array(select::select(&root, &path, call.budget)?))
}

/// A step of a path: from each value that the steps before have found to values in it.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    /// `.name`, `['a', 0, 1:2]`, `.*`, `[?(…)]`
    Children(Vec<Selector>),
    /// `..`: the values so far and all in them, of which the next step chooses.
    Descend,
}

/// Which children of a value.
#[derive(Clone, Debug, PartialEq)]
enum Selector {
    Name(String),
    /// Counted from the end if negative.
    Index(i64),
    All,
    /// From, to (exclusive) and step.
    Slice(Option<i64>, Option<i64>, Option<i64>),
    Filter(Box<Condition>),
}

/// A condition of a filter.
#[derive(Clone, Debug, PartialEq)]
enum Condition {
    /// One of them holds. They are in a list so that many do not make a high tree.
    Any(Vec<Condition>),
    /// All of them hold.
    All(Vec<Condition>),
    Not(Box<Condition>),
    Compare(Operand, Comparison, Operand),
    /// The path finds something.
    Exists(Operand),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// A side of a comparison.
#[derive(Clone, Debug, PartialEq)]
enum Operand {
    /// `@.a.b`
    Current(Vec<Step>),
    /// `$.a.b`
    Root(Vec<Step>),
    Literal(Value),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::Budget;

    const STORE: &str = r#"{
        "book": [
            {"category": "reference", "title": "A", "price": 8.95},
            {"category": "fiction", "title": "B", "price": 12.99, "isbn": "1"},
            {"category": "fiction", "title": "C", "price": 22.99, "isbn": null}
        ],
        "bicycle": {"color": "red", "price": 19.95}, "odd name": {"x": [[1], [2]]}
    }"#;

    fn check(path: &str, expected: &str) {
        let steps = parse::parse(path).unwrap_or_else(|message| panic!("{path}: {message}"));
        let root = super::super::encoding::decode_json(STORE, &Budget::new()).unwrap();
        assert_eq!(
            Value::array(select::select(&root, &steps, &Budget::new()).unwrap()).to_string(),
            expected,
            "{path}"
        );
    }

    #[test]
    fn paths() {
        check("$.bicycle.color", r#"["red"]"#);
        check("bicycle.color", r#"["red"]"#);
        check("$['bicycle'][\"color\"]", r#"["red"]"#);
        check("$.book[*].title", r#"["A", "B", "C"]"#);
        check("$.book[-1].title", r#"["C"]"#);
        check("$.book[0,2].title", r#"["A", "C"]"#);
        check("$.book[1:].title", r#"["B", "C"]"#);
        check("$.book[::-1].title", r#"["C", "B", "A"]"#);
        check("$.book[:-1:2].title", r#"["A"]"#);
        check("$..price", "[19.95, 8.95, 12.99, 22.99]");
        check("$['odd name'].x[*][0]", "[1, 2]");
        check("$.bicycle.*", r#"["red", 19.95]"#);
        check("$.nothing.here", "[]");
        check("$.book[9]", "[]");
        check("$.book.title", "[]");
    }

    #[test]
    fn filters() {
        check("$.book[?(@.price < 10)].title", r#"["A"]"#);
        check(
            "$.book[?(@.category == 'fiction' && @.price > 20)].title",
            r#"["C"]"#,
        );
        check("$.book[?(@.isbn)].title", r#"["B", "C"]"#);
        check("$.book[?(!(@.isbn))].title", r#"["A"]"#);
        check("$.book[?(@.isbn == null)].title", r#"["C"]"#);
        check(
            "$.book[?(@.title == 'A' || @.title == 'B')].price",
            "[8.95, 12.99]",
        );
        check("$.book[?(@.price >= $.bicycle.price)].title", r#"["C"]"#);
        check("$.book[?@.title != \"A\"].title", r#"["B", "C"]"#);
    }

    #[test]
    fn what_is_not_a_path_is_refused() {
        for path in [
            "",
            "$.",
            "$[",
            "$['a",
            "$[1:2:0]",
            "$[?(@.a ==)]",
            "$[?(@.a",
            "$.a b",
            "$[abc]",
            "$[?(@.a == length())]",
        ] {
            assert!(parse::parse(path).is_err(), "{path}");
        }
        let many = format!("$[?({}@.a)]", "@.a || @.a && ".repeat(100_000));
        assert!(parse::parse(&many).is_ok());
        let deep = format!("$[?({}@.a{})]", "(".repeat(10_000), ")".repeat(10_000));
        assert!(parse::parse(&deep).is_err());
    }
}
