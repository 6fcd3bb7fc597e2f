//! The values that a path finds.

use super::{Comparison, Condition, Operand, Selector, Step};
use crate::value::Value;

/// The values in `root` that the steps lead to.
pub(super) fn select(root: &Value, steps: &[Step]) -> Vec<Value> {
    follow(root, vec![root.clone()], steps)
}

fn follow(root: &Value, mut found: Vec<Value>, steps: &[Step]) -> Vec<Value> {
    for step in steps {
        found = match step {
            Step::Descend => {
                let mut all = Vec::new();
                for value in &found {
                    descend(value, &mut all);
                }
                all
            }
            Step::Children(selectors) => {
                let pairs = found
                    .iter()
                    .flat_map(|value| selectors.iter().map(move |selector| (value, selector)));
                pairs
                    .flat_map(|(value, selector)| children(root, value, selector))
                    .collect()
            }
        };
    }
    found
}

/// The value and all in it, outer ones first. JSON is at most 128 levels deep, so this is too.
fn descend(value: &Value, out: &mut Vec<Value>) {
    out.push(value.clone());
    match value {
        Value::Array(items) => items.iter().for_each(|item| descend(item, out)),
        Value::Object(fields) => fields.values().for_each(|field| descend(field, out)),
        _ => {}
    }
}

fn children(root: &Value, value: &Value, selector: &Selector) -> Vec<Value> {
    match (selector, value) {
        (Selector::Name(name), Value::Object(fields)) => fields.get(name).cloned().into_iter().collect(),
        (Selector::Index(at), Value::Array(items)) => {
            let at = if *at < 0 {
                at.saturating_add_unsigned(items.len() as u64)
            } else {
                *at
            };
            usize::try_from(at)
                .ok()
                .and_then(|at| items.get(at).cloned())
                .into_iter()
                .collect()
        }
        (Selector::All, _) => all(value),
        (Selector::Slice(start, end, step), Value::Array(items)) => {
            slice(items, *start, *end, step.unwrap_or(1))
        }
        (Selector::Filter(condition), _) => {
            let mut found = all(value);
            found.retain(|child| holds(root, child, condition));
            found
        }
        _ => Vec::new(),
    }
}

fn all(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.to_vec(),
        Value::Object(fields) => fields.values().cloned().collect(),
        _ => Vec::new(),
    }
}

/// As RFC 9535, section 2.3.4.
fn slice(items: &[Value], start: Option<i64>, end: Option<i64>, step: i64) -> Vec<Value> {
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let normal = |at: i64| if at < 0 { at.saturating_add(length) } else { at };
    let (mut at, end) = if step > 0 {
        (
            normal(start.unwrap_or(0)).clamp(0, length),
            normal(end.unwrap_or(length)).clamp(0, length),
        )
    } else {
        let last = length - 1;
        let end = end.map_or(-1, |end| normal(end).clamp(-1, last));
        (normal(start.unwrap_or(last)).clamp(-1, last), end)
    };
    let mut out = Vec::new();
    while if step > 0 { at < end } else { at > end } {
        out.extend(usize::try_from(at).ok().and_then(|at| items.get(at).cloned()));
        at = at.saturating_add(step);
    }
    out
}

fn holds(root: &Value, current: &Value, condition: &Condition) -> bool {
    match condition {
        Condition::Or(a, b) => holds(root, current, a) || holds(root, current, b),
        Condition::And(a, b) => holds(root, current, a) && holds(root, current, b),
        Condition::Not(inner) => !holds(root, current, inner),
        Condition::Exists(operand) => value_of(root, current, operand).is_some(),
        Condition::Compare(left, comparison, right) => {
            let left = value_of(root, current, left);
            let right = value_of(root, current, right);
            compare(left.as_ref(), *comparison, right.as_ref())
        }
    }
}

/// The first value of an operand, if it finds one.
fn value_of(root: &Value, current: &Value, operand: &Operand) -> Option<Value> {
    match operand {
        Operand::Literal(value) => Some(value.clone()),
        Operand::Current(steps) => follow(root, vec![current.clone()], steps).into_iter().next(),
        Operand::Root(steps) => select(root, steps).into_iter().next(),
    }
}

fn compare(left: Option<&Value>, comparison: Comparison, right: Option<&Value>) -> bool {
    let order = match (left, right) {
        (Some(Value::Number(a)), Some(Value::Number(b))) => a.partial_cmp(b),
        (Some(Value::String(a)), Some(Value::String(b))) => Some(a.cmp(b)),
        _ => None,
    };
    match comparison {
        Comparison::Eq => left == right,
        Comparison::Ne => left != right,
        Comparison::Lt => order.is_some_and(std::cmp::Ordering::is_lt),
        Comparison::Le => order.is_some_and(std::cmp::Ordering::is_le) || left == right,
        Comparison::Gt => order.is_some_and(std::cmp::Ordering::is_gt),
        Comparison::Ge => order.is_some_and(std::cmp::Ordering::is_ge) || left == right,
    }
}
