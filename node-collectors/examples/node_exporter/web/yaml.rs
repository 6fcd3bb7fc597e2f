//! YAML as far as a web config file has it: mappings, sequences and scalars of one document.

use saphyr_parser::{Event, Parser, ScalarStyle};

/// The deepest nesting; the file needs four.
const DEEPEST: usize = 16;

/// A value, which knows its line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// Nothing, or `~`, or `null`.
    Null,
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// The first document, `Null` where there is none.
pub(super) fn parse(text: &str) -> Result<Node, String> {
    let mut open: Vec<(Node, Option<String>)> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| format!("not valid YAML: {error}"))?;
        let line = span.start.line();
        let mut done = match event {
            Event::Scalar(text, style, ..) => {
                let null = matches!(style, ScalarStyle::Plain) && matches!(&*text, "" | "~" | "null");
                let value = if null {
                    Value::Null
                } else {
                    Value::Text(text.into_owned())
                };
                Node { line, value }
            }
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                if open.len() == DEEPEST {
                    return Err(format!("line {line}: too deep"));
                }
                let value = match event {
                    Event::SequenceStart(..) => Value::List(Vec::new()),
                    _ => Value::Map(Vec::new()),
                };
                open.push((Node { line, value }, None));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some((node, _)) => node,
                None => continue,
            },
            Event::Alias(_) => return Err(format!("line {line}: aliases are not supported")),
            Event::DocumentEnd => break,
            _ => continue,
        };
        let Some((parent, key)) = open.last_mut() else {
            return Ok(done);
        };
        match &mut parent.value {
            Value::List(items) => items.push(done),
            Value::Map(fields) => match key.take() {
                Some(name) => fields.push((name, done)),
                None => {
                    let Value::Text(name) = &mut done.value else {
                        return Err(format!("line {line}: a name has to be text"));
                    };
                    if fields.iter().any(|(known, _)| known == name) {
                        return Err(format!("line {line}: {name} is there twice"));
                    }
                    *key = Some(std::mem::take(name));
                }
            },
            Value::Null | Value::Text(_) => {}
        }
    }
    Ok(Node {
        line: 1,
        value: Value::Null,
    })
}

// === impl Node ===

impl Node {
    /// The fields of a mapping; none of nothing.
    pub(super) fn fields(self, what: &str) -> Result<Vec<(String, Self)>, String> {
        match self.value {
            Value::Map(fields) => Ok(fields),
            Value::Null => Ok(Vec::new()),
            _ => Err(format!("line {}: {what} has to be a mapping", self.line)),
        }
    }

    /// The texts of a sequence; none of nothing.
    pub(super) fn texts(self, what: &str) -> Result<Vec<String>, String> {
        match self.value {
            Value::List(items) => items.into_iter().map(|item| item.text(what)).collect(),
            Value::Null => Ok(Vec::new()),
            _ => Err(format!("line {}: {what} has to be a list", self.line)),
        }
    }

    /// A text, empty of nothing.
    pub(super) fn text(self, what: &str) -> Result<String, String> {
        match self.value {
            Value::Text(text) => Ok(text),
            Value::Null => Ok(String::new()),
            _ => Err(format!("line {}: {what} has to be text", self.line)),
        }
    }

    /// `true` or `false`.
    pub(super) fn switch(self, what: &str) -> Result<bool, String> {
        match &self.value {
            Value::Text(text) if text == "true" => Ok(true),
            Value::Text(text) if text == "false" => Ok(false),
            _ => Err(format!("line {}: {what} has to be true or false", self.line)),
        }
    }
}
