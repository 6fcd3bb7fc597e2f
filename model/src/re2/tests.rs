//! The dialect, case by case, as Go's `regexp/syntax` defines it, and what must hold for every pattern.

use proptest::prelude::*;
use regex_automata::meta;

use super::error::ErrorKind;
use super::parse::parse;
use super::{Captures, Regex};

/// Pattern, texts that the whole of it matches, texts that it does not.
const MATCHES: &[(&str, &[&str], &[&str])] = &[
    // Perl classes are ASCII; `\s` has no vertical tab, `[[:space:]]` has.
    (r"\d", &["5"], &["٣", "a"]),
    (r"\w", &["a", "_", "7"], &["é", "-"]),
    (r"\s", &[" ", "\t", "\n", "\x0c", "\r"], &["\x0b", "\u{a0}"]),
    (r"\D\W\S", &["é\u{a0}\x0b"], &["1é\x0b"]),
    (r"a\b.", &["a-", "aé"], &["ab"]),
    (r"a\B.", &["ab"], &["a-"]),
    ("[[:space:]]", &["\x0b", " "], &["\u{a0}"]),
    ("[[:^alpha:]0]", &["0", "é"], &["a"]),
    ("[[:word:]-]+", &["a_-1"], &["é"]),
    ("[[:foo]+", &["[:fo"], &["x"]),
    // Literals that Rust's dialect has other ideas about.
    (r"\Qa.b\E", &["a.b"], &["axb"]),
    (r"\Qa\E*", &["", "aaa"], &["a*"]),
    (r"x\Q\E*", &["", "xx"], &["x*"]),
    (r"\Q\Q\E", &[r"\Q"], &["Q"]),
    ("{", &["{"], &[""]),
    ("a{", &["a{"], &["a"]),
    ("a{,3}", &["a{,3}"], &["aaa"]),
    ("a{1,2", &["a{1,2"], &["a"]),
    ("a{01}", &["a{01}"], &["a"]),
    ("a{1}{", &["a{"], &["a"]),
    (r"\07", &["\x07"], &["07"]),
    (r"\12", &["\n"], &["12"]),
    (r"\1234", &["S4"], &["1234"]),
    (r"\x41\x{1F600}", &["A😀"], &["x41"]),
    (r"\a\f\n\r\t\v", &["\x07\x0c\n\r\t\x0b"], &["afnrtv"]),
    (r"\<a\>\_\ \#\%", &["<a>_ #%"], &["a"]),
    // Bracket expressions.
    ("[a&&b]+", &["a&b"], &["c"]),
    ("[a~~b]+", &["a~b"], &["c"]),
    ("[[a]+", &["[a"], &["b"]),
    ("[]a]+", &["]a"], &["b"]),
    ("[^]a]+", &["b["], &["]", "a"]),
    ("[a-]+", &["a-"], &["b"]),
    ("[-a]+", &["a-"], &["b"]),
    (r"[\d-z]+", &["3-z"], &["a"]),
    (r"[a\]\-]+", &["a]-"], &[r"\"]),
    ("[^a]", &["\n", "b"], &["a"]),
    (r"[\D\d]", &["x"], &[]),
    // Unicode.
    (r"\pN", &["٣", "5"], &["a"]),
    (r"\PN", &["a"], &["5"]),
    (r"\p{^N}", &["a"], &["5"]),
    (r"\P{^N}", &["5"], &["a"]),
    (r"\p{Greek}\p{Lu}[\p{Han}x]", &["αB漢", "ωÉx"], &["aBx", "αbx"]),
    (
        r"\p{Old_Italic}\p{Zl}\p{Letter}\p{Any}",
        &["𐌀\u{2028}a\n"],
        &["a\u{2028}aa"],
    ),
    (r"\P{Cs}", &["a"], &[]),
    (".", &["é", "\n", "😀"], &["", "ab"]),
    // Flags.
    (
        "(?i)stra[ß-ß]e",
        &["STRAßE", "StraẞE", "\u{17f}traße"],
        &["STRASSE"],
    ),
    ("(?i)k[^k]", &["\u{212a}a", "Kb"], &["k\u{212a}", "kK"]),
    (r"(?i)\w", &["\u{17f}", "\u{212a}", "a"], &["é"]),
    (r"(?i)\W", &["é"], &["\u{17f}", "a"]),
    (r"(?i)\p{Lu}[[:lower:]]", &["aA", "Éa"], &["1a"]),
    ("(?i:a)b", &["Ab", "ab"], &["aB"]),
    ("a(?i)b|c", &["aB", "C"], &["A"]),
    ("(a(?i)b)c", &["aBc"], &["aBC"]),
    ("(?-s).", &["a"], &["\n"]),
    ("(?m)^a$\n^b$", &["a\nb"], &["ab"]),
    ("a$\nb", &[], &["a\nb"]),
    (r"\Aab\z", &["ab"], &["ab\n"]),
    ("(?is-m)A.", &["a\n"], &["b"]),
    ("(?)a", &["a"], &["?a"]),
    // Groups and repetition.
    ("a|b|", &["a", "b", ""], &["ab"]),
    ("(?:ab)+", &["abab"], &["aba"]),
    ("(?P<n>a)(?<m>b)", &["ab"], &["a"]),
    ("(?P<1a>x)(?P<1a>y)", &["xy"], &["x"]),
    ("^*$?a", &["a"], &[]),
    ("(?:a*)*", &["", "aaa"], &["b"]),
    ("a*(?i)*", &["", "aa"], &["A"]),
    ("a{2}b{1,}c{0,1}d{0}", &["aab", "aabbbc"], &["ab", "aabd"]),
    ("a{1000}", &[], &["a"]),
    ("(?:a{10}){100}", &[], &["a"]),
    ("(?:a{1000}){0}b", &["b"], &["ab"]),
    ("(?:(?:a{1000}){0}){1000}", &[""], &["a"]),
    // The anchors are pasted around the pattern, so this is two groups.
    ("a)(b", &["ab"], &["a"]),
];

#[test]
fn what_patterns_match() {
    for (pattern, yes, no) in MATCHES {
        let regex = Regex::anchored(pattern).unwrap_or_else(|error| panic!("{error}"));
        for text in *yes {
            assert!(regex.is_match(text), "`{pattern}` should match {text:?}");
        }
        for text in *no {
            assert!(!regex.is_match(text), "`{pattern}` should not match {text:?}");
        }
    }
}

#[test]
fn what_is_refused() {
    use ErrorKind as E;
    let many = "(".repeat(2000);
    let high = format!("{}a{}", "(".repeat(400), ")".repeat(400));
    let cases: &[(&str, ErrorKind, &str)] = &[
        ("[a--b]", E::InvalidCharRange, "a--"),
        ("[b-a]", E::InvalidCharRange, "b-a"),
        ("[[:nope:]]", E::InvalidCharRange, "[:nope:]"),
        (r"\p{Nope}", E::InvalidCharRange, r"\p{Nope}"),
        (r"\p{IsGreek}", E::InvalidCharRange, r"\p{IsGreek}"),
        (r"\p{Grek}", E::InvalidCharRange, r"\p{Grek}"),
        (r"\p{sc=Greek}", E::InvalidCharRange, r"\p{sc=Greek}"),
        (r"\p{Alphabetic}", E::InvalidCharRange, r"\p{Alphabetic}"),
        (r"\p{Greek", E::InvalidCharRange, r"\p{Greek"),
        (r"\pé", E::InvalidCharRange, r"\pé"),
        (r"[a-\d]", E::InvalidEscape, r"\d"),
        (r"\C", E::InvalidEscape, r"\C"),
        (r"\Z", E::InvalidEscape, r"\Z"),
        (r"\1", E::InvalidEscape, r"\1"),
        (r"\8", E::InvalidEscape, r"\8"),
        (r"\é", E::InvalidEscape, r"\é"),
        (r"\u0041", E::InvalidEscape, r"\u"),
        (r"\xg1", E::InvalidEscape, r"\xg1"),
        (r"\x{110000}", E::InvalidEscape, r"\x{110000"),
        (r"\x{}", E::InvalidEscape, r"\x{}"),
        ("(?P<>a)", E::InvalidNamedCapture, "(?P<>"),
        ("(?P<a-b>a)", E::InvalidNamedCapture, "(?P<a-b>"),
        ("(?<é>a)", E::InvalidNamedCapture, "(?<é>"),
        ("(?P<aa)", E::InvalidNamedCapture, "(?P<aa)"),
        ("(?=a)", E::InvalidPerlOp, "(?="),
        ("(?<=a)", E::InvalidNamedCapture, "(?<=a)"),
        ("(?!a)", E::InvalidPerlOp, "(?!"),
        ("(?P=a)", E::InvalidPerlOp, "(?P"),
        ("(?x)a", E::InvalidPerlOp, "(?x"),
        ("(?i-)a", E::InvalidPerlOp, "(?i-)"),
        ("(?i--s)a", E::InvalidPerlOp, "(?i--"),
        ("(?", E::InvalidPerlOp, "(?"),
        ("a**", E::InvalidRepeatOp, "**"),
        ("a+?*", E::InvalidRepeatOp, "+?*"),
        ("a??+", E::InvalidRepeatOp, "??+"),
        ("a{2}*", E::InvalidRepeatOp, "{2}*"),
        ("a{1001}", E::InvalidRepeatSize, "{1001}"),
        ("a{1,1001}", E::InvalidRepeatSize, "{1,1001}"),
        ("a{99999999999}", E::InvalidRepeatSize, "{99999999999}"),
        ("a{2,1}", E::InvalidRepeatSize, "{2,1}"),
        ("(?:a{10}){101}", E::InvalidRepeatSize, "{101}"),
        ("(?:a{10,}b*){101,}", E::InvalidRepeatSize, "{101,}"),
        ("[a", E::MissingBracket, "[a"),
        ("x[]", E::MissingBracket, "[]"),
        ("(a", E::MissingParen, "(a"),
        ("a)", E::UnexpectedParen, "a)"),
        ("*", E::MissingRepeatArgument, "*"),
        ("a|*?", E::MissingRepeatArgument, "*?"),
        ("(+)", E::MissingRepeatArgument, "+"),
        ("{2}", E::MissingRepeatArgument, "{2}"),
        ("(?i)*", E::MissingRepeatArgument, "*"),
        ("a\\", E::TrailingBackslash, ""),
        (&many, E::NestingDepth, &many),
        (&high, E::NestingDepth, &high),
        (r"\pL{1000}", E::TooLarge, r"\pL{1000}"),
    ];
    for (pattern, kind, fragment) in cases {
        let error = Regex::unanchored(pattern).expect_err(pattern);
        assert_eq!((error.kind(), error.fragment()), (*kind, *fragment), "{pattern}");
    }
    let error = Regex::anchored("abc(def").expect_err("open group");
    assert_eq!(
        error.to_string(),
        "error parsing regexp: missing closing ): `^(?s:abc(def)$`"
    );
}

fn groups(regex: &Regex, text: &str) -> Option<Vec<Option<String>>> {
    let mut captures = Captures::new();
    let found = regex.captures(text, &mut captures);
    assert_eq!(found, regex.is_match(text), "{regex} on {text:?}");
    found.then(|| {
        (0..regex.group_count())
            .map(|i| captures.get(i).map(|r| text[r].to_owned()))
            .collect()
    })
}

#[test]
fn groups_and_greed() {
    let all = |pattern: &str, text: &str| {
        groups(&Regex::anchored(pattern).expect(pattern), text).map(|found| {
            found
                .into_iter()
                .map(|group| group.unwrap_or_else(|| "-".into()))
                .collect::<Vec<_>>()
                .join(" ")
        })
    };
    assert_eq!(all("a(.*)", "abc").as_deref(), Some("abc bc"));
    assert_eq!(all("(.+)_total", "x_total").as_deref(), Some("x_total x"));
    assert_eq!(all("(.+)_total", "_total"), None);
    assert_eq!(all("((foo|bar))", "bar").as_deref(), Some("bar bar bar"));
    assert_eq!(all("(foo)|(bar)", "bar").as_deref(), Some("bar - bar"));
    assert_eq!(all("(.*)a(.*)", "xaya").as_deref(), Some("xaya xay "));
    assert_eq!(all("(.*?)a(.*)", "xaya").as_deref(), Some("xaya x ya"));
    assert_eq!(all("(?U)(.*)a(.*)", "xaya").as_deref(), Some("xaya x ya"));
    assert_eq!(all("(?U)(.*?)a(.*)", "xaya").as_deref(), Some("xaya xay "));
    assert_eq!(all("(a){0}(b)", "b").as_deref(), Some("b - b"));
    assert_eq!(all("(b)(a){0}", "b").as_deref(), Some("b b -"));

    let named = Regex::anchored("(?P<x>a)|(?<x>b)(?P<y>c)").expect("pattern");
    assert_eq!(named.groups_named("x").collect::<Vec<_>>(), [1, 2]);
    assert_eq!(named.groups_named("z").count(), 0);

    let search = Regex::unanchored("b(c*)").expect("pattern");
    assert_eq!(
        groups(&search, "abccd"),
        Some(vec![Some("bcc".into()), Some("cc".into())])
    );
}

#[test]
fn the_highest_tree_compiles_on_a_small_stack() {
    let deep = format!("{}a{}", "(".repeat(240), ")".repeat(240));
    let compile = move || Regex::unanchored(&deep).is_ok_and(|regex| regex.is_match("a"));
    let thread = std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(compile)
        .expect("thread");
    assert!(thread.join().expect("no overflow"));
}

/// Patterns that are mostly well formed.
fn patterns() -> impl Strategy<Value = String> {
    let atom = prop_oneof![
        4 => "[a-c]{1,3}",
        2 => Just(".*".to_owned()),
        1 => Just(".+".to_owned()),
        1 => Just(".".to_owned()),
        1 => r"[\[\](){}^$\\?*+|,:&-]",
        1 => r"\\[dDwWsSbBAzpPQEx<\-0-9]",
        1 => Just("[^a]".to_owned()),
        1 => Just("[a-c]".to_owned()),
        1 => Just("(?i)".to_owned()),
        1 => Just("(?-s)".to_owned()),
        1 => Just("é".to_owned()),
        1 => Just("{2}".to_owned()),
    ];
    let sequence = proptest::collection::vec(atom, 0..4).prop_map(|parts| parts.concat());
    sequence.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|p| format!("({p})")),
            inner.clone().prop_map(|p| format!("(?:{p})?")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}|{b}")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("{a}{b}")),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_a_pattern_or_an_error(pattern in any::<String>(), text in any::<String>()) {
        for regex in [Regex::anchored(&pattern), Regex::unanchored(&pattern)].into_iter().flatten() {
            prop_assert_eq!(regex.is_match(&text), regex.is_match(&text));
        }
    }

    #[test]
    fn shapes_decide_as_the_engine(pattern in patterns(), texts in proptest::collection::vec("[a-cAé\n]{0,6}", 1..8)) {
        let Ok(regex) = Regex::anchored(&pattern) else { return Ok(()) };
        let parsed = parse(&format!("^(?s:{pattern})$")).expect("accepted before");
        let engine = meta::Builder::new().build_from_hir(&parsed.hir).expect("accepted before");
        for text in &texts {
            prop_assert_eq!(regex.is_match(text), engine.is_match(text), "`{}` on {:?}", pattern, text);
            let mut slots = vec![None; 2 * parsed.names.len()];
            let found = engine.search_slots(&regex_automata::Input::new(text), &mut slots).is_some();
            let expected = found.then(|| {
                slots
                    .chunks(2)
                    .map(|slot| Some(text[slot[0]?.get()..slot[1]?.get()].to_owned()))
                    .collect::<Vec<_>>()
            });
            prop_assert_eq!(groups(&regex, text), expected, "`{}` on {:?}", pattern, text);
        }
    }

    #[test]
    fn a_quoted_text_matches_itself(text in "[^\\\\]{0,20}", other in "[^\\\\]{0,20}") {
        let regex = Regex::anchored(&format!(r"\Q{text}\E")).expect("quoted");
        prop_assert!(regex.is_match(&text));
        prop_assert_eq!(regex.is_match(&other), text == other);
    }
}
