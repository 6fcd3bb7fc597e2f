//! The values that a path finds.

use super::{Comparison, Condition, Operand, Selector, Step};
use crate::eval::{Budget, Exceeded, equal};
use crate::value::Value;

type Selected<T> = Result<T, Exceeded>;

/// The values in `root` that the steps lead to. Each one that is found on the way counts.
pub(super) fn select(root: &Value, steps: &[Step], budget: &Budget) -> Selected<Vec<Value>> {
    Search { root, budget }.follow(root, steps)
}

/// What is searched, and what that may cost.
#[derive(Clone, Copy)]
struct Search<'a> {
    root: &'a Value,
    budget: &'a Budget,
}

impl Search<'_> {
    fn follow(self, from: &Value, steps: &[Step]) -> Selected<Vec<Value>> {
        let mut found = vec![from.clone()];
        for step in steps {
            let mut next = Vec::new();
            for value in &found {
                match step {
                    Step::Descend => self.descend(value, &mut next)?,
                    Step::Children(selectors) => {
                        for selector in selectors {
                            self.children(value, selector, &mut next)?;
                        }
                    }
                }
            }
            found = next;
        }
        Ok(found)
    }

    fn push(self, value: &Value, out: &mut Vec<Value>) -> Selected<()> {
        self.budget.elements(1)?;
        out.push(value.clone());
        Ok(())
    }

    /// The value and all in it, outer ones first. JSON is at most 128 levels deep, so this is too.
    fn descend(self, value: &Value, out: &mut Vec<Value>) -> Selected<()> {
        self.push(value, out)?;
        elements(value).try_for_each(|item| self.descend(item, out))
    }

    fn children(self, value: &Value, selector: &Selector, out: &mut Vec<Value>) -> Selected<()> {
        self.budget.look(size_of::<Value>())?;
        match (selector, value) {
            (Selector::Name(name), Value::Object(fields)) => match fields.get(name) {
                Some(field) => self.push(field, out),
                None => Ok(()),
            },
            (Selector::Index(at), Value::Array(items)) => {
                let at = if *at < 0 {
                    at.saturating_add_unsigned(items.len() as u64)
                } else {
                    *at
                };
                match usize::try_from(at).ok().and_then(|at| items.get(at)) {
                    Some(item) => self.push(item, out),
                    None => Ok(()),
                }
            }
            (Selector::All, _) => elements(value).try_for_each(|item| self.push(item, out)),
            (Selector::Slice(start, end, step), Value::Array(items)) => {
                slice(items, *start, *end, step.unwrap_or(1)).try_for_each(|item| self.push(item, out))
            }
            (Selector::Filter(condition), _) => elements(value).try_for_each(|item| {
                if self.holds(item, condition)? {
                    self.push(item, out)?;
                }
                Ok(())
            }),
            _ => Ok(()),
        }
    }

    fn holds(self, current: &Value, condition: &Condition) -> Selected<bool> {
        self.budget.look(size_of::<Value>())?;
        match condition {
            Condition::Any(conditions) => {
                for condition in conditions {
                    if self.holds(current, condition)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Condition::All(conditions) => {
                for condition in conditions {
                    if !self.holds(current, condition)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Condition::Not(inner) => Ok(!self.holds(current, inner)?),
            Condition::Exists(operand) => Ok(self.value_of(current, operand)?.is_some()),
            Condition::Compare(left, comparison, right) => {
                let left = self.value_of(current, left)?;
                let right = self.value_of(current, right)?;
                self.compare(left.as_ref(), *comparison, right.as_ref())
            }
        }
    }

    /// The first value of an operand, if it finds one.
    fn value_of(self, current: &Value, operand: &Operand) -> Selected<Option<Value>> {
        Ok(match operand {
            Operand::Literal(value) => Some(value.clone()),
            Operand::Current(steps) => self.follow(current, steps)?.into_iter().next(),
            Operand::Root(steps) => self.follow(self.root, steps)?.into_iter().next(),
        })
    }

    fn compare(self, left: Option<&Value>, comparison: Comparison, right: Option<&Value>) -> Selected<bool> {
        let order = match (left, right) {
            (Some(Value::Number(a)), Some(Value::Number(b))) => a.partial_cmp(b),
            (Some(Value::String(a)), Some(Value::String(b))) => {
                self.budget.look(a.len().min(b.len()))?;
                Some(a.cmp(b))
            }
            _ => None,
        };
        let equal = || match (left, right) {
            (Some(a), Some(b)) => equal(a, b, self.budget),
            (a, b) => Ok(a.is_none() && b.is_none()),
        };
        Ok(match comparison {
            Comparison::Eq => equal()?,
            Comparison::Ne => !equal()?,
            Comparison::Lt => order.is_some_and(std::cmp::Ordering::is_lt),
            Comparison::Le => order.is_some_and(std::cmp::Ordering::is_le) || equal()?,
            Comparison::Gt => order.is_some_and(std::cmp::Ordering::is_gt),
            Comparison::Ge => order.is_some_and(std::cmp::Ordering::is_ge) || equal()?,
        })
    }
}

/// The elements of a list, or the values of an object's fields.
fn elements(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(fields) => Box::new(fields.values()),
        _ => Box::new(std::iter::empty()),
    }
}

/// As RFC 9535, section 2.3.4.
fn slice(items: &[Value], start: Option<i64>, end: Option<i64>, step: i64) -> impl Iterator<Item = &Value> {
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let normal = |at: i64| if at < 0 { at.saturating_add(length) } else { at };
    let (first, end) = if step > 0 {
        (
            normal(start.unwrap_or(0)).clamp(0, length),
            normal(end.unwrap_or(length)).clamp(0, length),
        )
    } else {
        let last = length - 1;
        let end = end.map_or(-1, |end| normal(end).clamp(-1, last));
        (normal(start.unwrap_or(last)).clamp(-1, last), end)
    };
    let places = std::iter::successors(Some(first), move |at| Some(at.saturating_add(step)));
    places
        .take_while(move |&at| if step > 0 { at < end } else { at > end })
        .filter_map(|at| items.get(usize::try_from(at).ok()?))
}
