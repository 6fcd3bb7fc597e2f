//! Any text as a pattern: the dialect's parser is total, and what is decided without the engine is what the engine says.
//!
//! The input is a pattern, and after a NUL the text to match.

#![no_main]

use ferroalloy_model::re2::{Captures, Regex};
use libfuzzer_sys::fuzz_target;
use relabel::Template;

fuzz_target!(|data: &[u8]| {
    let Ok(input) = std::str::from_utf8(data) else {
        return;
    };
    let (pattern, text) = input.split_once('\0').unwrap_or((input, "loop12"));
    let mut captures = Captures::new();
    for regex in [Regex::anchored(pattern), Regex::unanchored(pattern)]
        .into_iter()
        .flatten()
    {
        let found = regex.is_match(text);
        assert_eq!(
            found,
            regex.captures(text, &mut captures),
            "{pattern:?} on {text:?}"
        );
        for group in 0..regex.group_count() {
            if let Some(span) = captures.get(group) {
                assert!(
                    text.get(span).is_some(),
                    "a group splits a character: {pattern:?} on {text:?}"
                );
            }
        }
        if found {
            let mut out = String::new();
            Template::new(pattern, &regex).expand(text, &captures, &mut out);
        }
    }
    // The second group never matches, and no pattern with it is decided without the engine.
    if let (Ok(plain), Ok(_), Ok(engine)) = (
        Regex::anchored(pattern),
        Regex::unanchored(pattern),
        Regex::anchored(&format!(r"(?:{pattern})(z\bz)?")),
    ) {
        let mut expected = Captures::new();
        assert_eq!(
            plain.captures(text, &mut captures),
            engine.captures(text, &mut expected),
            "{pattern:?} on {text:?}"
        );
        for group in 0..plain.group_count() {
            assert_eq!(
                captures.get(group),
                expected.get(group),
                "{pattern:?} on {text:?}"
            );
        }
    }
    // A search finds whatever the whole text matches, where the flags are the same.
    if let (Ok(whole), Ok(search)) = (
        Regex::anchored(pattern),
        Regex::unanchored(&format!("(?s:{pattern})")),
    ) {
        assert!(
            !whole.is_match(text) || search.is_match(text),
            "{pattern:?} on {text:?}"
        );
    }
});
