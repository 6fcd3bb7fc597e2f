//! Parsing: trees and diagnostics.

use river_syntax::ast::{ExprKind, Reference};
use river_syntax::{
    Block, EmptyScope, MAX_DEPTH, SourceMap, Value, check_body, diag, evaluate, format, parse, parse_expr,
};

fn messages(text: &str) -> Vec<String> {
    let mut sources = SourceMap::new();
    let source = sources.add("t", text);
    let (_, diagnostics) = parse(&source);
    diagnostics
        .iter()
        .map(|d| format!("{}: {}", source.position(d.span().start()), d.message()))
        .collect()
}

#[test]
fn trees() {
    super::golden::check("parse", "tree", |name, text| {
        let mut sources = SourceMap::new();
        let (file, diagnostics) = parse(&sources.add(name, text));
        assert!(
            diagnostics.is_empty(),
            "{}",
            diag::render_all(&diagnostics, &sources)
        );
        file.to_string()
    });
}

#[test]
fn diagnostics() {
    super::golden::check("diag", "out", |name, text| {
        let mut sources = SourceMap::new();
        let (_, diagnostics) = parse(&sources.add(name, text));
        assert!(!diagnostics.is_empty(), "{name} is right");
        diag::render_all(&diagnostics, &sources)
    });
}

#[test]
fn several_errors_are_found() {
    let found = messages("a = ]\nb {\n  c = 1 d = 2\n  e = [1 2]\n}\nf = 'x'\ng = 1\n");
    assert_eq!(
        found,
        [
            "1:5: expected expression, got ]",
            "3:9: expected TERMINATOR, got IDENT",
            "4:10: missing ',' in expression list",
            "6:5: illegal single-quoted string; use double quotes",
        ]
    );
}

#[test]
fn other_encodings_are_refused_in_a_word() {
    for (mark, name) in [
        (&b"\xff\xfea\0"[..], "UTF-16LE"),
        (b"\xfe\xff\0a", "UTF-16BE"),
        (b"\xff\xfe\0\0a\0\0\0", "UTF-32LE"),
        (b"\0\0\xfe\xff\0\0\0a", "UTF-32BE"),
    ] {
        let mut sources = SourceMap::new();
        let (_, diagnostics) = parse(&sources.add("t", mark));
        let messages: Vec<&str> = diagnostics.iter().map(diag::Diagnostic::message).collect();
        assert_eq!(
            messages,
            [format!("configuration is encoded with {name} but must be utf8")]
        );
        assert!(!diag::render_all(&diagnostics, &sources).is_empty());
    }
}

#[test]
fn what_is_refused_is_not_in_the_tree() {
    for text in [
        &b"a = \"x\0y\"\n"[..],
        b"a = `x\0y`\n",
        b"a = \"x\xffy\"\n",
        b"a = {\"\0\" = 1}\n",
        b"a \"\0\" { }\n",
        b"a = \"\\xff\"\n",
        b"a = \"\\q\"\n",
        b"a = 1e\n",
    ] {
        let mut sources = SourceMap::new();
        let text = [b"z = 1\n", text, b"// \0\nb = `\r`\n"].concat();
        let (file, diagnostics) = parse(&sources.add("t", text));
        assert_eq!(diagnostics.len(), 2, "{diagnostics:?}");
        assert!(file.body().is_broken());
        assert_eq!(file.to_string(), "z = 1\nb = `\r`\n");
    }
}

#[test]
fn an_open_bracket_does_not_swallow_the_next_block() {
    let mut sources = SourceMap::new();
    let source = sources.add("t", "a \"x\" {\n  b = [1,\n}\n\nc \"y\" {\n  d = 1\n}\n");
    let (_, diagnostics) = parse(&source);
    assert!(!diagnostics.is_empty());
    assert_eq!(source.position(diagnostics[0].span().start()).line, 3);
}

/// Tokens are made some at a time: wherever that ends, the tree and the faults are the same.
#[test]
fn a_long_file_is_read_to_its_end() {
    let block = "b \"l\" {\n\ta = [1, x.y]\n}\n";
    for before in 0..20 {
        let lead = "z = 1\n".repeat(before);
        let right = lead.clone() + &block.repeat(500);
        let mut sources = SourceMap::new();
        let (file, diagnostics) = parse(&sources.add("t", right.as_str()));
        assert!(diagnostics.is_empty());
        assert_eq!(file.to_string(), right);
        let mixed = lead + &format!("{block}b {{ a = [1 2, (\n}}\nc = = d\n").repeat(300);
        let (file, diagnostics) = parse(&sources.add("t", mixed));
        assert_eq!(file.body().blocks().count(), 600);
        assert_eq!(diagnostics.len(), 600);
        let expr = format!("[{}]", "x.y, ".repeat(1_000 + before));
        let expr = parse_expr(&sources.add("t", expr)).unwrap();
        assert_eq!(expr.get().references().len(), 1_000 + before);
    }
}

#[test]
fn depth_is_bounded() {
    let most = MAX_DEPTH as usize;
    for (open, inner, close) in [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{a = ", "1", "}"),
        ("-", "1", ""),
        ("f(", "1", ")"),
        ("", "1", " + 1"),
        ("1 ^ ", "1", ""),
        ("", "a", ".b"),
        ("", "a", "[0]"),
        ("", "a", "()"),
    ] {
        let text = |count: usize| format!("x = {}{inner}{}\n", open.repeat(count), close.repeat(count));
        assert_eq!(messages(&text(most / 2)), [""; 0], "{open}…{close}");
        for count in [most + 1, 100_000] {
            let found = messages(&text(count));
            assert_eq!(found.len(), 1, "{open}…{close}: {found:?}");
            assert!(found[0].ends_with("levels deep"), "{found:?}");
        }
    }
    let blocks = |count: usize| "b {\n".repeat(count) + &"}\n".repeat(count);
    assert_eq!(messages(&blocks(most)), [""; 0]);
    assert!(messages(&blocks(100_000))[0].ends_with("levels deep"));
}

#[test]
fn the_highest_tree_can_be_walked() {
    let depth = MAX_DEPTH as usize - 10;
    for (open, inner, close) in [
        ("(", "a", ")"),
        ("[", "a", "]"),
        ("{k = ", "a", "}"),
        ("-", "a", ""),
        ("", "a", " + 1"),
        ("", "a", ".b"),
    ] {
        let text = format!("x = {}{inner}{}\n", open.repeat(depth), close.repeat(depth));
        let mut sources = SourceMap::new();
        let (file, diagnostics) = parse(&sources.add("t", text.clone()));
        assert!(diagnostics.is_empty(), "{text}");
        let attribute = file.body().attributes().next().unwrap();
        assert!(evaluate(attribute.value(), &EmptyScope).is_err());
        assert_eq!(attribute.value().references().len(), 1);
        assert_eq!(format(&file.to_string()).unwrap(), format(&text).unwrap());
        assert!(check_body::<Loose>(file.body()).is_empty());
    }
}

#[derive(Block)]
struct Loose {
    #[river(default)]
    #[expect(dead_code, reason = "only the check matters")]
    x: Value,
}

#[test]
fn references_are_as_long_as_the_text_has_them() {
    let mut sources = SourceMap::new();
    let source = sources.add("t", "f.g([a.b.c[i.j].d, (e).x], {k = l.m}) + -n");
    let expr = parse_expr(&source).unwrap();
    let found: Vec<String> = expr.get().references().iter().map(Reference::text).collect();
    assert_eq!(found, ["f.g", "a.b.c", "i.j", "e", "l.m", "n"]);
    let first = &expr.get().references()[1];
    assert_eq!(source.slice(first.span()), "a.b.c");
    assert_eq!(source.slice(first.prefix_span(2)), "a.b");
}

#[test]
fn blocks_say_what_they_are() {
    let mut sources = SourceMap::new();
    let source = sources.add("t", "a.b \"c\" {\n}\nd \"\" { }\n");
    let (file, _) = parse(&source);
    let blocks: Vec<_> = file.body().blocks().collect();
    assert_eq!(
        (blocks[0].name(), blocks[0].label(), blocks[0].id().as_str()),
        ("a.b", Some("c"), "a.b.c")
    );
    assert_eq!(source.slice(blocks[0].header()), "a.b \"c\" {");
    assert_eq!(source.slice(blocks[0].span()), "a.b \"c\" {\n}");
    assert_eq!(blocks[1].label(), None);
}

#[test]
fn powers_bind_to_the_right_and_signs_tighter() {
    let mut sources = SourceMap::new();
    let expr = parse_expr(&sources.add("t", "-1 ^ 2 ^ 3")).unwrap();
    let ExprKind::Binary(_, left, right) = expr.get().kind() else {
        panic!("{expr}")
    };
    assert_eq!(
        (left.to_string(), right.to_string()),
        ("-1".to_owned(), "2 ^ 3".to_owned())
    );
}
