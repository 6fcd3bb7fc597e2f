//! Texts that are made to cost: twice as long, they may cost twice as much and no more.

use crate::source::SourceMap;
use crate::{diag, format, parse, work};

/// A name, and the text of a size.
type Hostile = (&'static str, fn(usize) -> String);

/// Blocks within one another, fewer than are accepted.
const DEEP: usize = 150;

fn numbered(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}

/// What is refused: the lexer, the parser going on after an error, and the rendering of what is wrong.
const REFUSED: &[Hostile] = &[
    ("errors on one line", |n| "@ ".repeat(n)),
    ("errors on many lines", |n| "= 1\n".repeat(n)),
    ("NUL", |n| "\0".repeat(n)),
    ("braces that close nothing", |n| "}".repeat(n)),
    ("braces that close nothing, on lines", |n| "}\n".repeat(n)),
    ("closed before it is opened", |n| "} b {".repeat(n)),
    ("deep brackets", |n| format!("a = {}", "[".repeat(n))),
    ("deep brackets of all kinds", |n| "a = ([{".repeat(n)),
    ("deep objects on lines", |n| "a = { b = { c = [1, {\n".repeat(n)),
    ("brackets never closed", |n| "a = [\n".repeat(n)),
    ("blocks never closed", |n| "b {\n".repeat(n)),
    ("blocks and brackets never closed", |n| {
        "b \"x\" { c = [\n".repeat(n)
    }),
    ("statements in blocks never closed", |n| {
        "b {\n".repeat(DEEP) + &"a = 1\n".repeat(n)
    }),
    ("wrong statements in deep blocks", |n| {
        "b {\n".repeat(DEEP) + &"a = = 1\n".repeat(n) + &"}\n".repeat(DEEP)
    }),
    ("names in a bracket", |n| {
        format!("x = [\n{}", "a.b.c.d\n".repeat(n))
    }),
    ("a dotted name", |n| "a.".repeat(n)),
    ("a dotted name in a bracket", |n| {
        format!("x = [\n1\n{}", "a.\n".repeat(n))
    }),
    ("a chain of names", |n| format!("x = a{}", ".b".repeat(n))),
    ("a chain of calls", |n| format!("x = f{}", "()[0]".repeat(n))),
    ("operators", |n| {
        format!("a = 1{}", " + 1 * 2 == 3 ^ 1 ||".repeat(n))
    }),
    ("operators to the right", |n| format!("a = 1{}", " ^ 1".repeat(n))),
    ("signs", |n| format!("a = {}1", "-!".repeat(n))),
    ("a string never closed", |n| format!("a = \"{}", "x".repeat(n))),
    ("strings never closed", |n| "a = \"x\n".repeat(n)),
    ("quotes of the wrong kind", |n| "a = 'x\n".repeat(n)),
    ("wrong escapes", |n| format!("a = \"{}\"", "\\q".repeat(n))),
    ("a raw string never closed", |n| {
        format!("a = `{}", "x\n".repeat(n))
    }),
    ("a comment never closed", |n| format!("a = 1 {}", "/* ".repeat(n))),
    ("blocks with wrong labels", |n| "b \"a-b\" { a = 1 }\n".repeat(n)),
    ("statements on a line", |n| "a = 1 b = 2 ".repeat(n)),
];

/// What is right, and is formatted.
const ACCEPTED: &[Hostile] = &[
    ("right operators", |n| {
        "a = 1 + 1 * 2 == 3 ^ 1 || -1 < 2\n".repeat(n)
    }),
    ("escapes", |n| format!("a = \"{}\"", "\\u00e9".repeat(n))),
    ("comments after a value", |n| {
        format!("a = 1 {}", "/**/ ".repeat(n))
    }),
    ("comments after a brace", |n| {
        format!("b {{ {}\n}}", "/**/ ".repeat(n))
    }),
    ("comments on lines after a brace", |n| {
        format!("b {{\n{}}}", "// x\n".repeat(n))
    }),
    ("comments between values", |n| {
        format!("a = [{}]", "1, /**/ ".repeat(n))
    }),
    ("comments after a comma", |n| {
        format!("a = [1, {} 2]", "/**/ ".repeat(n))
    }),
    ("comments after a key", |n| {
        format!("a = {{`k` {} = 2}}", "/**/ ".repeat(n))
    }),
    ("comments on lines", |n| "// x\n".repeat(n)),
    ("comments with carriage returns", |n| "// \r\r\r\n".repeat(n)),
    ("carriage returns", |n| format!("// {}", "\r".repeat(n))),
    ("empty lines", |n| "\n".repeat(n)),
    ("blanks", |n| " ".repeat(n)),
    ("attributes", |n| numbered(n, |at| format!("a{at} = 1 // c\n"))),
    ("a long name beside short ones", |n| {
        format!("{} = 1\n{}", "x".repeat(n * 4), "a = 1\n".repeat(n))
    }),
    ("a long line beside short ones", |n| {
        format!("a = \"{}\" // c\n{}", "x".repeat(n * 4), "a = 1 // c\n".repeat(n))
    }),
    ("keys", |n| {
        format!("a = {{\n{}}}", numbered(n, |at| format!("k{at} = 1,\n")))
    }),
    ("keys on a line", |n| {
        format!("a = {{{}}}", numbered(n, |at| format!("k{at} = 1, ")))
    }),
    ("values over lines", |n| {
        format!("a = {{\n{}}}", "k = `x\ny`, // c\n".repeat(n))
    }),
    ("blocks", |n| "b \"l\" { a = 1 }\n".repeat(n)),
    ("a long number", |n| {
        format!("a = {}.{}", "1".repeat(n), "1".repeat(n))
    }),
];

/// The steps of everything that a text meets: it is parsed, what is wrong is shown in both forms, and it is formatted.
fn steps(text: &str, accepted: bool) -> u64 {
    work::of(|| {
        let mut sources = SourceMap::new();
        let (_, faults) = parse(&sources.add("hostile", text));
        work::count(diag::render_all(&faults, &sources).len());
        work::count(diag::to_json(&faults, &sources).len());
        match format(text) {
            Ok(formatted) => work::count(formatted.len()),
            Err(_) => assert!(!accepted, "it is not formatted"),
        }
    })
}

#[test]
fn work_grows_as_the_text_does() {
    // Long enough that there are more faults than are shown, more levels than are accepted, and wider lines than others
    // are aligned with.
    const SIZE: usize = 5_000;
    let mut excess = Vec::new();
    let refused = REFUSED.iter().map(|row| (row, false));
    for (&(name, make), accepted) in refused.chain(ACCEPTED.iter().map(|row| (row, true))) {
        let (short, long) = (make(SIZE), make(2 * SIZE));
        let (once, twice) = (steps(&short, accepted), steps(&long, accepted));
        assert!(
            once > short.len() as u64 / 2,
            "{name}: only {once} steps are counted"
        );
        if twice > once * 21 / 10 {
            excess.push(format!("{name}: {once} steps, then {twice}"));
        }
    }
    assert!(excess.is_empty(), "{}", excess.join("\n"));
}
