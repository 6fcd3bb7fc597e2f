//! Diagnostics as JSON, for tools and editors.

use serde_json::{Value as Json, json};

use crate::diag::Diagnostic;
use crate::source::{SourceMap, Span};

/// The diagnostics as a JSON array, on one line. Each has `severity` (`error`, `warning`), `message`, `file`, `start` and
/// `end` (`line` and `column` in bytes from 1, `offset` from 0; `end` is exclusive), `labels`, `notes` and `suggestion`
/// (`null`, or the place and its `replacement`).
pub fn to_json<'a>(diagnostics: impl IntoIterator<Item = &'a Diagnostic>, sources: &SourceMap) -> String {
    let list: Vec<Json> = diagnostics.into_iter().map(|d| entry(d, sources)).collect();
    Json::Array(list).to_string()
}

fn entry(diagnostic: &Diagnostic, sources: &SourceMap) -> Json {
    let mut out = place(diagnostic.span(), sources);
    out["severity"] = json!(diagnostic.severity().to_string().to_lowercase());
    out["message"] = json!(diagnostic.message());
    out["notes"] = json!(diagnostic.notes());
    out["labels"] = diagnostic
        .labels()
        .iter()
        .map(|l| with(l.span, sources, "message", &l.message))
        .collect();
    out["suggestion"] = diagnostic.suggestion().map_or(Json::Null, |s| {
        with(s.span, sources, "replacement", &s.replacement)
    });
    out
}

fn with(span: Span, sources: &SourceMap, key: &str, text: &str) -> Json {
    let mut out = place(span, sources);
    out[key] = json!(text);
    out
}

fn place(span: Span, sources: &SourceMap) -> Json {
    let Some(source) = sources.get(span.source()) else {
        return json!({ "file": null, "start": { "offset": span.start() }, "end": { "offset": span.end() } });
    };
    let point = |at: usize| {
        let position = source.position(at);
        json!({ "line": position.line, "column": position.column, "offset": at })
    };
    json!({ "file": source.name(), "start": point(span.start()), "end": point(span.end()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_has_its_place() {
        let mut sources = SourceMap::new();
        let source = sources.add("a.alloy", "tragets = []\n");
        let span = Span::new(source.id(), 0, 7);
        let diagnostic = Diagnostic::error(span, "unknown")
            .suggest(span, "targets")
            .note("why")
            .label(span, "here");
        let start = json!({ "line": 1, "column": 1, "offset": 0 });
        let end = json!({ "line": 1, "column": 8, "offset": 7 });
        let expected = json!([{
            "severity": "error", "message": "unknown", "file": "a.alloy", "start": start, "end": end,
            "labels": [{ "file": "a.alloy", "start": start, "end": end, "message": "here" }],
            "notes": ["why"],
            "suggestion": { "file": "a.alloy", "start": start, "end": end, "replacement": "targets" },
        }]);
        assert_eq!(
            serde_json::from_str::<Json>(&to_json([&diagnostic], &sources)).unwrap(),
            expected
        );
    }
}
