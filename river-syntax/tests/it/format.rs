//! The formatter.

use river_syntax::{SourceMap, TokenKind, format, lex};

use super::conformance::{folder, records};

#[test]
fn layouts() {
    super::golden::check("format", "out", |_, text| format(text).unwrap());
}

#[test]
fn conformance() {
    let Some(folder) = folder() else { return };
    let mut wrong = Vec::new();
    let mut count = 0;
    for record in records(&folder, "fmt") {
        let read = |key: &str| std::fs::read_to_string(folder.join(record[key].as_str().unwrap())).unwrap();
        let formatted = format(&read("file")).unwrap();
        count += 1;
        if formatted != read("expect") {
            wrong.push(record["file"].as_str().unwrap().to_owned());
        }
        assert_eq!(
            format(&formatted).unwrap(),
            formatted,
            "{} changes again",
            record["file"]
        );
    }
    println!("{} of {count} as expected", count - wrong.len());
    assert!(
        wrong.is_empty(),
        "{} of {count} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// The tokens of a text without what the formatter may change.
pub(super) fn essence(text: &str) -> Vec<String> {
    let mut sources = SourceMap::new();
    let source = sources.add("t", text);
    let lexed = lex(&source);
    let tokens = lexed.tokens.iter().filter(|token| {
        let empty_label = token.kind == TokenKind::String && source.slice(token.span) == "\"\"";
        !matches!(token.kind, TokenKind::Comma | TokenKind::Terminator) && !empty_label
    });
    let tokens = tokens.map(|token| source.slice(token.span).replace('`', "\""));
    let comments = lexed
        .comments
        .iter()
        .map(|comment| source.slice(comment.span).to_owned());
    tokens.chain(comments).collect()
}

#[test]
fn syntax_errors_are_reported() {
    let mut sources = SourceMap::new();
    let text = "a = [1\n";
    let source = sources.add("t", text);
    let problems = format(text).unwrap_err();
    assert_eq!(sources.locate(problems[0].span()), "t:1:7");
    assert_eq!(source.id(), problems[0].span().source());
}
