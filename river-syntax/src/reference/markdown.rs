//! Pages in Markdown.

use std::fmt::{self, Write as _};

use crate::decode::{BlockShape, LabelShape, Shape, ShapeKind};
use crate::reference::Entry;
use crate::stability::Stability;
use crate::stdlib::{self, Member};
use crate::types::Type;

/// The page of a block: what it is for, how it is written, and tables of what it may hold and of its exports.
pub fn page(entry: &Entry<'_>) -> String {
    let mut page = Page::default();
    page.line(format_args!("# {}\n\n{}\n", entry.name, entry.summary));
    if entry.stability != Stability::GenerallyAvailable {
        page.line(format_args!("Stability: {}.\n", entry.stability));
    }
    page.usage(entry);
    page.attributes(entry.shape, "## Arguments");
    page.blocks(entry.shape, "", &mut Vec::new());
    if let Some(Type::Object(fields)) = entry.exports
        && !fields.is_empty()
    {
        page.line(format_args!("## Exports\n"));
        page.line(format_args!("| name | type | meaning |\n| --- | --- | --- |"));
        for field in fields {
            page.line(format_args!(
                "| `{}` | {} | {} |",
                field.name,
                Shown(&field.ty),
                Cell(field.docs)
            ));
        }
        page.line(format_args!(""));
    }
    page.finish()
}

/// The page of the standard library.
pub fn functions_page() -> String {
    let mut page = Page::default();
    page.line(format_args!("# Standard library\n"));
    page.line(format_args!("| name | result | meaning |\n| --- | --- | --- |"));
    for member in stdlib::MEMBERS {
        let signature = match member {
            Member::Function(function) => format!("{}({})", function.name, function.params),
            Member::Constant(constant) => constant.name.to_owned(),
        };
        let ty = match member {
            Member::Function(function) => function.result,
            Member::Constant(_) => Type::String,
        };
        let level = match member.stability() {
            Stability::GenerallyAvailable => String::new(),
            level => format!(" ({level})"),
        };
        page.line(format_args!(
            "| `{signature}` | {} | {}{level} |",
            Shown(&ty),
            Cell(member.docs())
        ));
    }
    page.line(format_args!("\n## Former names\n"));
    page.line(format_args!("They still work, each with a warning.\n"));
    page.line(format_args!("| name | now |\n| --- | --- |"));
    for (old, new) in stdlib::FORMER_NAMES {
        page.line(format_args!("| `{old}` | `{new}` |"));
    }
    page.finish()
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, text: fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{text}");
    }

    fn finish(self) -> String {
        format!("{}\n", self.0.trim_end())
    }

    /// The block with what it must have.
    fn usage(&mut self, entry: &Entry<'_>) {
        let label = match entry.label {
            LabelShape::None => "",
            LabelShape::Optional | LabelShape::Required => " \"LABEL\"",
        };
        let mut lines = Vec::new();
        for field in entry.shape.fields().filter(|field| field.required) {
            lines.push(match field.kind {
                ShapeKind::Attribute(_) => {
                    format!("  {} = {}", field.name, field.name.to_uppercase())
                }
                _ => format!("  {} {{ … }}", field.name),
            });
        }
        self.line(format_args!("```river"));
        if lines.is_empty() {
            self.line(format_args!("{}{label} {{ }}", entry.name));
        } else {
            self.line(format_args!("{}{label} {{\n{}\n}}", entry.name, lines.join("\n")));
        }
        self.line(format_args!("```\n"));
    }

    fn attributes(&mut self, shape: &BlockShape, title: &str) {
        let attributes: Vec<(&Shape, Type)> = shape
            .fields()
            .filter_map(|field| match field.kind {
                ShapeKind::Attribute(ty) => Some((field, ty)),
                _ => None,
            })
            .collect();
        if attributes.is_empty() && shape.rest.is_none() {
            return;
        }
        self.line(format_args!("{title}\n"));
        self.line(format_args!(
            "| name | type | default | meaning |\n| --- | --- | --- | --- |"
        ));
        for (field, ty) in attributes {
            let default = match (field.required, field.default) {
                (true, _) => "required".to_owned(),
                (false, Some(default)) => code(&default()),
                (false, None) => String::new(),
            };
            self.line(format_args!(
                "| `{}` | {} | {default} | {} |",
                field.name,
                Shown(&ty),
                Cell(field.docs)
            ));
        }
        if let Some(ty) = &shape.rest {
            self.line(format_args!("| any | {} | | |", Shown(ty)));
        }
        self.line(format_args!(""));
    }

    /// The nested blocks, each under its path. A shape within itself is shown once.
    fn blocks(&mut self, shape: &BlockShape, path: &str, within: &mut Vec<*const BlockShape>) {
        for field in shape.fields() {
            let ShapeKind::Block { shape, repeated } = field.kind else {
                continue;
            };
            let shape = shape();
            let path = if path.is_empty() {
                field.name.to_owned()
            } else {
                format!("{path} > {}", field.name)
            };
            let label = if shape.label.is_declared() {
                " \"LABEL\""
            } else {
                ""
            };
            let number = match (field.required, repeated) {
                (true, _) => "Required.",
                (false, true) => "Any number of times.",
                (false, false) => "At most once.",
            };
            self.line(format_args!(
                "## Block `{path}{label}`\n\n{} {number}\n",
                field.docs
            ));
            self.attributes(shape, "### Arguments");
            if !within.contains(&std::ptr::from_ref(shape)) {
                within.push(shape);
                self.blocks(shape, &path, within);
                within.pop();
            }
        }
    }
}

/// Text in a table's cell.
struct Cell<'a>(&'a str);

impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.replace('|', "\\|").replace('\n', " "))
    }
}

/// A default as code in a table's cell.
fn code(text: &str) -> String {
    let text = Cell(text).to_string();
    // Code that holds a backtick needs two around it.
    if text.contains('`') {
        format!("`` {text} ``")
    } else {
        format!("`{text}`")
    }
}

/// A type in a table's cell; where only some strings will do, those.
struct Shown<'a>(&'a Type);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Type::Enum(choices) => {
                let choices: Vec<String> = choices
                    .iter()
                    .map(|choice| code(&format!("\"{choice}\"")))
                    .collect();
                f.write_str(&choices.join(", "))
            }
            Type::List(inner) => write!(f, "list of {}", Shown(inner)),
            Type::Map(inner) => write!(f, "map of {}", Shown(inner)),
            Type::Capsule { name, .. } => write!(f, "{name}"),
            other => other.fmt(f),
        }
    }
}
