//! Any bytes as a configuration file: the parser is total, its diagnostics point into the text, and what it accepts is
//! printed so that it parses to the same again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use river_syntax::diag::render;
use river_syntax::{Diagnostic, SourceMap, parse, parse_expr};

fuzz_target!(|data: &[u8]| {
    let mut sources = SourceMap::new();
    let source = sources.add("fuzz.alloy", data);
    let _ = parse_expr(&source);
    let (file, diagnostics) = parse(&source);
    for diagnostic in &diagnostics {
        assert!(
            source
                .text()
                .get(diagnostic.span().start()..diagnostic.span().end())
                .is_some()
        );
        assert!(!render(diagnostic, &sources).is_empty());
    }
    if diagnostics.iter().any(Diagnostic::is_error) {
        return;
    }
    let printed = file.to_string();
    let again = sources.add("printed.alloy", printed.as_bytes());
    let (file, diagnostics) = parse(&again);
    assert!(
        !diagnostics.iter().any(Diagnostic::is_error),
        "printed text does not parse:\n{printed}"
    );
    assert_eq!(file.to_string(), printed);
});
