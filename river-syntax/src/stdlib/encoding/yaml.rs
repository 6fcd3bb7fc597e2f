//! YAML, as Go's `yaml.v3` reads it into untyped values.
//!
//! The parser's events become values here, so that aliases share what they stand for and cannot be used to make a value that
//! is too large to be looked through.

mod scalar;

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::eval::Budget;
use crate::value::{Object, Value};

/// The height of the highest value, as in JSON.
const MAX_DEPTH: usize = 128;

/// The most parts a value may have, those that aliases repeat counted each time.
const MAX_PARTS: usize = 1_000_000;

/// The value of the first document of a text; `null` where there is none.
pub(super) fn decode(text: &str, budget: &Budget) -> Result<Value, String> {
    let mut builder = Builder {
        open: Vec::new(),
        anchors: HashMap::new(),
        root: None,
        budget,
    };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| format!("not valid YAML: {error}"))?;
        let line = span.start.line();
        if matches!(event, Event::DocumentEnd) {
            break;
        }
        builder
            .take(event)
            .map_err(|problem| format!("not valid YAML: line {line}: {problem}"))?;
    }
    Ok(builder.root.map(|node| node.value).unwrap_or_default())
}

/// A value with the number of its parts and its height.
#[derive(Clone, Default)]
struct Node {
    value: Value,
    parts: usize,
    height: usize,
}

/// A sequence or mapping that is not at its end.
struct Open {
    anchor: usize,
    parts: usize,
    height: usize,
    kind: Kind,
}

enum Kind {
    Sequence(Vec<Value>),
    Mapping {
        fields: Object,
        /// Fields of mappings that are merged in; own ones count more.
        merged: Object,
        key: Option<Key>,
    },
}

enum Key {
    Name(String),
    /// A plain `<<`.
    Merge,
}

struct Builder<'a> {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
    budget: &'a Budget,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = matches!(style, ScalarStyle::Plain);
                if plain && tag.is_none() && text == "<<" && self.at_key() {
                    return self.set_key(Key::Merge);
                }
                let tag = tag
                    .as_deref()
                    .map(|tag| (tag.handle.as_str(), tag.suffix.as_str()));
                self.budget.text(text.len())?;
                let node = Node {
                    value: scalar::value(&text, plain, tag)?,
                    parts: 1,
                    height: 0,
                };
                self.put(node, anchor)
            }
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned();
                let node = node.ok_or("an alias stands for something that contains it or is not there")?;
                self.put(node, 0)
            }
            Event::SequenceStart(anchor, _) => self.begin(anchor, Kind::Sequence(Vec::new())),
            Event::MappingStart(anchor, _) => self.begin(
                anchor,
                Kind::Mapping {
                    fields: Object::new(),
                    merged: Object::new(),
                    key: None,
                },
            ),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else {
                    return Ok(());
                };
                let value = match open.kind {
                    Kind::Sequence(items) => Value::array(items),
                    Kind::Mapping {
                        fields, mut merged, ..
                    } => {
                        merged.extend(fields);
                        Value::object(merged)
                    }
                };
                let node = Node {
                    value,
                    parts: open.parts,
                    height: open.height + 1,
                };
                self.put(node, open.anchor)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, anchor: usize, kind: Kind) -> Result<(), String> {
        if self.open.len() >= MAX_DEPTH {
            return Err(format!("nested more than {MAX_DEPTH} levels deep"));
        }
        self.open.push(Open {
            anchor,
            parts: 1,
            height: 0,
            kind,
        });
        Ok(())
    }

    /// Whether what comes next is a mapping's key.
    fn at_key(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Open {
                kind: Kind::Mapping { key: None, .. },
                ..
            })
        )
    }

    fn set_key(&mut self, new: Key) -> Result<(), String> {
        if let Some(Open {
            kind: Kind::Mapping { key, fields, .. },
            ..
        }) = self.open.last_mut()
        {
            if let Key::Name(name) = &new
                && fields.contains_key(name)
            {
                return Err(format!("mapping key {name:?} is already defined"));
            }
            *key = Some(new);
        }
        Ok(())
    }

    /// Puts a value where it belongs.
    fn put(&mut self, node: Node, anchor: usize) -> Result<(), String> {
        self.budget.elements(1)?;
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        if self.at_key() {
            return match node.value {
                Value::String(name) => self.set_key(Key::Name(name.to_string())),
                other => Err(format!(
                    "the key of a mapping must be a string, not {}",
                    other.type_name()
                )),
            };
        }
        let depth = self.open.len();
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.parts += node.parts;
        open.height = open.height.max(node.height);
        if open.parts > MAX_PARTS {
            return Err(format!(
                "more than {MAX_PARTS} parts, counting what aliases repeat"
            ));
        }
        if depth + node.height > MAX_DEPTH {
            return Err(format!("nested more than {MAX_DEPTH} levels deep"));
        }
        match &mut open.kind {
            Kind::Sequence(items) => items.push(node.value),
            Kind::Mapping { fields, merged, key } => match key.take() {
                Some(Key::Name(name)) => {
                    self.budget.field(&name)?;
                    fields.insert(name, node.value);
                }
                Some(Key::Merge) => merge(merged, &node.value, self.budget)?,
                None => {}
            },
        }
        Ok(())
    }
}

/// Takes the fields of a mapping, or of each of a sequence of them, that are not there yet.
fn merge(into: &mut Object, value: &Value, budget: &Budget) -> Result<(), String> {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields.iter() {
                budget.field(name)?;
                into.entry(name.clone()).or_insert_with(|| field.clone());
            }
            Ok(())
        }
        Value::Array(items) if items.iter().all(|item| matches!(item, Value::Object(_))) => {
            items.iter().try_for_each(|item| merge(into, item, budget))
        }
        _ => Err("only a mapping or a sequence of mappings can be merged".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn decoded(text: &str) -> String {
        match decode(text, &Budget::new()) {
            Ok(value) => value.to_string(),
            Err(error) => error,
        }
    }

    #[test]
    fn documents() {
        assert_eq!(decoded(""), "null");
        assert_eq!(decoded("# nothing\n"), "null");
        assert_eq!(
            decoded("a: 1\nb: [x, 2.5, true]\nc:\n  d: ~\n"),
            "{a = 1, b = [\"x\", 2.5, true], c = {d = null}}"
        );
        assert_eq!(decoded("---\na: 1\n---\nb: 2\n"), "{a = 1}");
        assert_eq!(decoded("text: |\n  one\n  two\n"), "{text = \"one\\ntwo\\n\"}");
    }

    #[test]
    fn aliases_and_merges() {
        let text = "base: &b {x: 1, y: 2}\nmore: {<<: *b, y: 3}\nlist: [*b]\n";
        assert_eq!(
            decoded(text),
            "{base = {x = 1, y = 2}, list = [{x = 1, y = 2}], more = {x = 1, y = 3}}"
        );
        assert!(
            decoded("a: &a [*a]\n").contains("alias"),
            "{}",
            decoded("a: &a [*a]\n")
        );
    }

    #[test]
    fn what_is_wrong_has_its_line() {
        assert_eq!(
            decoded("a: 1\na: 2\n"),
            "not valid YAML: line 2: mapping key \"a\" is already defined"
        );
        assert_eq!(
            decoded("1: x\n"),
            "not valid YAML: line 1: the key of a mapping must be a string, not number"
        );
        assert!(
            decoded("a: [1").starts_with("not valid YAML: "),
            "{}",
            decoded("a: [1")
        );
    }

    #[test]
    fn bombs_do_not_go_off() {
        let mut text = String::from("l0: &l0 [x]\n");
        for level in 1..30 {
            let before = level - 1;
            let _ = writeln!(text, "l{level}: &l{level} [*l{before}, *l{before}, *l{before}]");
        }
        assert!(decoded(&text).contains("parts"), "{}", decoded(&text).len());
        assert!(decoded(&"[".repeat(10_000)).contains("not valid YAML"));
        let mut text = String::from("a0: &a0 []\n");
        for level in 1..200 {
            let _ = writeln!(text, "a{level}: &a{level} [*a{}]", level - 1);
        }
        assert!(decoded(&text).contains("levels deep"));
    }
}
