//! JSONPath text to steps (RFC 9535 without functions; the `$` may be left out).

use super::{Comparison, Condition, Operand, Selector, Step};
use crate::value::Value;

/// Conditions and paths within one another.
const MAX_DEPTH: u32 = 32;

/// Parses a path; the error says what and where.
pub(super) fn parse(text: &str) -> Result<Vec<Step>, String> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
    };
    if text.is_empty() {
        return Err("empty path".to_owned());
    }
    let mut steps = Vec::new();
    if !parser.eat("$") && !text.starts_with(['.', '[']) {
        steps.push(parser.dotted()?);
    }
    steps.extend(parser.steps()?);
    if parser.rest().is_empty() {
        Ok(steps)
    } else {
        Err(parser.unexpected())
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    fn expect(&mut self, text: &str) -> Result<(), String> {
        if self.eat(text) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn unexpected(&self) -> String {
        match self.rest().chars().next() {
            Some(c) => format!("unexpected '{}' at byte {}", c.escape_debug(), self.at),
            None => "unexpected end of path".to_owned(),
        }
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn steps(&mut self) -> Result<Vec<Step>, String> {
        let mut steps = Vec::new();
        loop {
            if self.eat("..") {
                steps.push(Step::Descend);
                steps.push(if self.rest().starts_with('[') {
                    self.bracket()?
                } else {
                    self.dotted()?
                });
            } else if self.eat(".") {
                steps.push(self.dotted()?);
            } else if self.rest().starts_with('[') {
                steps.push(self.bracket()?);
            } else {
                return Ok(steps);
            }
        }
    }

    /// What follows a point: a name or `*`.
    fn dotted(&mut self) -> Result<Step, String> {
        if self.eat("*") {
            return Ok(Step::Children(vec![Selector::All]));
        }
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
            .unwrap_or(rest.len());
        if end == 0 {
            return Err(self.unexpected());
        }
        self.at += end;
        Ok(Step::Children(vec![Selector::Name(rest[..end].to_owned())]))
    }

    fn bracket(&mut self) -> Result<Step, String> {
        self.expect("[")?;
        let mut selectors = Vec::new();
        loop {
            self.blanks();
            selectors.push(self.selector()?);
            self.blanks();
            if self.eat("]") {
                return Ok(Step::Children(selectors));
            }
            self.expect(",")?;
        }
    }

    fn selector(&mut self) -> Result<Selector, String> {
        match self.rest().chars().next() {
            Some('*') => {
                self.at += 1;
                Ok(Selector::All)
            }
            Some('?') => {
                self.at += 1;
                self.blanks();
                Ok(Selector::Filter(Box::new(self.or()?)))
            }
            Some('\'' | '"') => Ok(Selector::Name(self.quoted()?)),
            _ => self.index_or_slice(),
        }
    }

    fn index_or_slice(&mut self) -> Result<Selector, String> {
        let start = self.integer()?;
        self.blanks();
        if !self.eat(":") {
            return start.map(Selector::Index).ok_or_else(|| self.unexpected());
        }
        self.blanks();
        let end = self.integer()?;
        self.blanks();
        let step = if self.eat(":") {
            self.blanks();
            self.integer()?
        } else {
            None
        };
        if step == Some(0) {
            return Err("a slice's step is zero".to_owned());
        }
        Ok(Selector::Slice(start, end, step))
    }

    fn integer(&mut self) -> Result<Option<i64>, String> {
        let rest = self.rest();
        let sign = usize::from(rest.starts_with('-'));
        let digits = rest[sign..].bytes().take_while(u8::is_ascii_digit).count();
        if sign + digits == 0 {
            return Ok(None);
        }
        let number = rest[..sign + digits].parse().map_err(|_| self.unexpected())?;
        self.at += sign + digits;
        Ok(Some(number))
    }

    fn quoted(&mut self) -> Result<String, String> {
        let mut chars = self.rest().char_indices();
        let Some((_, quote)) = chars.next() else {
            return Err(self.unexpected());
        };
        let mut out = String::new();
        while let Some((at, c)) = chars.next() {
            match c {
                c if c == quote => {
                    self.at += at + 1;
                    return Ok(out);
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => out.push('\n'),
                    Some((_, 't')) => out.push('\t'),
                    Some((_, c @ ('\'' | '"' | '\\' | '/'))) => out.push(c),
                    _ => return Err(format!("unknown escape sequence at byte {}", self.at + at)),
                },
                c => out.push(c),
            }
        }
        Err("a string is not closed".to_owned())
    }

    fn or(&mut self) -> Result<Condition, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("conditions are nested too deeply".to_owned());
        }
        let first = self.and()?;
        let condition = if self.operator("||") {
            let mut all = vec![first, self.and()?];
            while self.operator("||") {
                all.push(self.and()?);
            }
            Condition::Any(all)
        } else {
            first
        };
        self.depth -= 1;
        Ok(condition)
    }

    fn and(&mut self) -> Result<Condition, String> {
        let first = self.condition()?;
        if !self.operator("&&") {
            return Ok(first);
        }
        let mut all = vec![first, self.condition()?];
        while self.operator("&&") {
            all.push(self.condition()?);
        }
        Ok(Condition::All(all))
    }

    /// Skips blanks and an operator, if it is there.
    fn operator(&mut self, text: &str) -> bool {
        self.blanks();
        let found = self.eat(text);
        self.blanks();
        found
    }

    fn condition(&mut self) -> Result<Condition, String> {
        let negations = self.rest().bytes().take_while(|&b| b == b'!').count();
        self.at += negations;
        let condition = if self.operator("(") {
            let inner = self.or()?;
            self.blanks();
            self.expect(")")?;
            inner
        } else {
            self.comparison()?
        };
        Ok(if negations % 2 == 1 {
            Condition::Not(Box::new(condition))
        } else {
            condition
        })
    }

    fn comparison(&mut self) -> Result<Condition, String> {
        let left = self.operand()?;
        let operators = [
            ("==", Comparison::Eq),
            ("!=", Comparison::Ne),
            ("<=", Comparison::Le),
            (">=", Comparison::Ge),
            ("<", Comparison::Lt),
            (">", Comparison::Gt),
        ];
        self.blanks();
        match operators.into_iter().find(|(text, _)| self.operator(text)) {
            Some((_, comparison)) => Ok(Condition::Compare(left, comparison, self.operand()?)),
            None if matches!(left, Operand::Literal(_)) => Err(self.unexpected()),
            None => Ok(Condition::Exists(left)),
        }
    }

    fn operand(&mut self) -> Result<Operand, String> {
        if self.eat("@") {
            return Ok(Operand::Current(self.steps()?));
        }
        if self.eat("$") {
            return Ok(Operand::Root(self.steps()?));
        }
        if self.rest().starts_with(['\'', '"']) {
            return Ok(Operand::Literal(self.quoted()?.into()));
        }
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || "+-.".contains(c)))
            .unwrap_or(rest.len());
        let value = match &rest[..end] {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            number if number.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => number
                .parse::<f64>()
                .map(Value::from)
                .map_err(|_| self.unexpected())?,
            _ => return Err(self.unexpected()),
        };
        self.at += end;
        Ok(Operand::Literal(value))
    }
}
