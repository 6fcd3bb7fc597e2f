//! Any bytes through the formatter: what comes out has the same tokens, comments and tree, and formatting it again changes
//! nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;
use river_syntax::{SourceMap, TokenKind, format, format_source, lex, parse};

fuzz_target!(|data: &[u8]| {
    let mut sources = SourceMap::new();
    let source = sources.add("fuzz.alloy", data);
    let Ok(formatted) = format_source(&source) else {
        return;
    };
    assert_eq!(
        essence(source.text()),
        essence(&formatted),
        "formatting changed tokens or comments:\n{formatted}"
    );
    let again = sources.add("formatted.alloy", formatted.as_bytes());
    let ((before, _), (after, faults)) = (parse(&source), parse(&again));
    assert!(faults.is_empty(), "formatted text does not parse:\n{formatted}");
    assert_eq!(
        quoted(&before.to_string()),
        quoted(&after.to_string()),
        "formatting changed the meaning:\n{formatted}"
    );
    assert_eq!(
        format(&formatted).ok(),
        Some(formatted),
        "formatting twice is not formatting once"
    );
});

/// The tokens and comments of a text without what the formatter may change: commas, line breaks, labels that are empty, the
/// quotes of a key, and blanks at the end of a comment's line.
fn essence(text: &str) -> Vec<String> {
    let mut sources = SourceMap::new();
    let source = sources.add("text", text);
    let lexed = lex(&source);
    let tokens = lexed.tokens.iter().filter(|token| {
        let empty_label = token.kind == TokenKind::String && source.slice(token.span) == "\"\"";
        !matches!(token.kind, TokenKind::Comma | TokenKind::Terminator) && !empty_label
    });
    let tokens = tokens.map(|token| quoted(source.slice(token.span)));
    let comments = lexed.comments.iter().map(|comment| {
        let lines = source.slice(comment.span).lines();
        lines.map(str::trim_end).collect::<Vec<_>>().join("\n")
    });
    tokens.chain(comments).collect()
}

/// The text with quotes for backticks, which keys may get.
fn quoted(text: &str) -> String {
    text.replace('`', "\"")
}
