//! What holds for every text.

use proptest::prelude::*;
use river_syntax::{EmptyScope, SourceMap, diag, evaluate, format, parse};

use super::format::essence;

/// Pieces that texts of the language are made of, right or wrong.
fn piece() -> impl Strategy<Value = String> {
    let fixed = [
        "a",
        "b.c",
        "true",
        "null",
        "1",
        "08",
        "1.5e3",
        ".5",
        "\"s\"",
        "\"\\n\\x41\"",
        "\"",
        "`raw\n`",
        "'q'",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ".",
        "=",
        "==",
        "!",
        "!=",
        "<",
        "<=",
        "+",
        "-",
        "*",
        "/",
        "%",
        "^",
        "||",
        "&&",
        "&",
        "\n",
        "\n\n",
        " ",
        "\t",
        "// c\n",
        "/* c */",
        "/* c\n*/",
        "/*",
        "a = 1\n",
        "b \"l\" {\n",
        "}\n",
        "x = [1,\n2,\n]\n",
        "é",
        "#",
        "\0",
        "\r\n",
    ];
    prop_oneof![8 => proptest::sample::select(fixed.to_vec()).prop_map(str::to_owned), 1 => ".{0,3}"]
}

fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(piece(), 0..60).prop_map(|pieces| pieces.concat())
}

/// Expressions that are right.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        proptest::sample::select(vec![
            "1",
            "2.5",
            "010",
            "\"s\\n\"",
            "true",
            "null",
            "a",
            "a.b.c",
            "`r\n`",
            "18446744073709551615",
        ])
        .prop_map(str::to_owned),
        any::<u32>().prop_map(|n| n.to_string()),
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        let many = || proptest::collection::vec(inner.clone(), 0..4);
        let operator = proptest::sample::select(vec!["+", "-", "*", "/", "%", "^", "==", "<", "&&", "||"]);
        prop_oneof![
            many().prop_map(|items| format!("[{}]", items.join(", "))),
            many().prop_map(|items| {
                let fields: Vec<String> = items
                    .iter()
                    .enumerate()
                    .map(|(at, item)| format!("{}k{at}\" = {item}", '"'))
                    .collect();
                format!("{{{}}}", fields.join(", "))
            }),
            inner.clone().prop_map(|inner| format!("({inner})")),
            inner.clone().prop_map(|inner| format!("-{inner}")),
            inner.clone().prop_map(|inner| format!("({inner}).f")),
            (inner.clone(), many()).prop_map(|(f, args)| format!("({f})({})", args.join(", "))),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})[{b}]")),
            (inner.clone(), operator, inner).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        ]
    })
}

fn file() -> impl Strategy<Value = String> {
    proptest::collection::vec((expression(), expression()), 0..4).prop_map(|pairs| {
        let statements = pairs
            .iter()
            .map(|(a, b)| format!("x = {a}\nblock.name \"l\" {{\n  // why\n  y = {b}\n}}\n"));
        statements.collect()
    })
}

/// Files that are right, with white space and comments between their tokens.
fn commented() -> impl Strategy<Value = String> {
    let gaps = [
        " ",
        "",
        "\n",
        "\n\n\n",
        "\t",
        " /* c */ ",
        "// l\n",
        "/* m\nm */",
        "\n  // own\n",
        "\n/* b */",
    ];
    let gaps = proptest::collection::vec(proptest::sample::select(gaps.to_vec()), 1..40);
    let files = [
        "a = [ 1 , 2 , { b = 1 , c = [ ] , } , ]\n",
        "x \"\" { y = f ( 1 , g . h [ 0 ] , ) \n z { } \n w = - 1 + ! true } \n v = 1 \n",
        "a { b { c = { d = `r\n` , \"e\" = 2 } } }\nf = ( 1 + 2 ) * 3\n",
    ];
    (proptest::sample::select(files.to_vec()), gaps).prop_map(|(file, gaps)| {
        let mut gaps = gaps.into_iter().cycle();
        file.split(' ').fold(String::new(), |mut out, piece| {
            if !out.is_empty() {
                out.push_str(gaps.next().unwrap_or(" "));
            }
            out + piece
        })
    })
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut sources = SourceMap::new();
        let (file, diagnostics) = parse(&sources.add("t", bytes));
        diag::render_all(&diagnostics, &sources);
        diag::to_json(&diagnostics, &sources);
        let _ = file.to_string();
    }

    #[test]
    fn no_text_makes_it_panic(text in text()) {
        let mut sources = SourceMap::new();
        let (file, diagnostics) = parse(&sources.add("t", text));
        diag::render_all(&diagnostics, &sources);
        for attribute in file.body().attributes() {
            if let Err(error) = evaluate(attribute.value(), &EmptyScope) {
                diag::render(&error, &sources);
            }
        }
    }

    #[test]
    fn formatting_keeps_tokens_and_is_done_after_once(text in prop_oneof![text(), file(), commented()]) {
        if let Ok(once) = format(&text) {
            prop_assert_eq!(essence(&text), essence(&once), "{}", once);
            prop_assert_eq!(format(&once).map_err(|d| d[0].to_string()), Ok(once));
        }
    }

    #[test]
    fn what_is_printed_parses_to_an_equal_tree(text in file()) {
        let mut sources = SourceMap::new();
        let (first, diagnostics) = parse(&sources.add("t", text.clone()));
        prop_assert!(diagnostics.is_empty(), "{}", diag::render_all(&diagnostics, &sources));
        let printed = first.to_string();
        let (second, diagnostics) = parse(&sources.add("printed", printed.clone()));
        prop_assert!(diagnostics.is_empty(), "{}", diag::render_all(&diagnostics, &sources));
        let tokens = |text: &str| -> Vec<String> {
            essence(text).into_iter().filter(|token| !token.starts_with("//")).collect()
        };
        prop_assert_eq!(tokens(&text), tokens(&printed));
        prop_assert_eq!(printed, second.to_string());
    }
}
