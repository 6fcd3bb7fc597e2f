//! The README's table of collectors follows the registry.

use std::fmt::Write;
use std::path::Path;

use node_collectors::{Options, Support, registry};

const BEGIN: &str = "<!-- collectors: written by the test `readme`, UPDATE_GOLDEN=1 renews it -->\n";
const END: &str = "<!-- end of collectors -->\n";

fn mark(support: Support) -> &'static str {
    match support {
        Support::On => "on",
        Support::Off => "off",
        Support::Absent => "\u{2013}",
    }
}

fn table() -> String {
    let defaults = Options::default();
    let mut table = String::from(
        "| Collector | Linux | macOS | What it gives | Families | Reads | Options |\n|---|---|---|---|---|---|---|\n",
    );
    for descriptor in registry() {
        let code = |words: &[&str]| {
            let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
            words.join(", ")
        };
        let options: Vec<_> = descriptor.options.iter().map(|spec| spec.name).collect();
        writeln!(
            table,
            "| `{}` | {} | {} | {} | {} | {} | {} |",
            descriptor.name,
            mark(descriptor.linux),
            mark(descriptor.macos),
            descriptor.summary,
            code(descriptor.families),
            code(descriptor.sources),
            code(&options)
        )
        .unwrap();
    }
    table.push_str("\n| Option | Default on Linux | Meaning |\n|---|---|---|\n");
    for spec in registry().iter().flat_map(|descriptor| descriptor.options) {
        let value = spec.value(&defaults);
        let value = if value.is_empty() {
            String::new()
        } else {
            format!("`{}`", value.replace('|', "\\|"))
        };
        writeln!(table, "| `{}` | {value} | {} |", spec.name, spec.summary).unwrap();
    }
    table
}

#[test]
fn readme() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let begin = text.find(BEGIN).expect("the begin mark") + BEGIN.len();
    let end = text.find(END).expect("the end mark");
    let table = table();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, format!("{}{table}{}", &text[..begin], &text[end..])).unwrap();
    } else {
        assert_eq!(&text[begin..end], table, "run the test with UPDATE_GOLDEN=1");
    }
}
