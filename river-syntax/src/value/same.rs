//! Equality of values whose parts may be shared, in time that grows with what there is in memory and not with what it would
//! be written out.

use std::collections::HashMap;
use std::sync::Arc;

use crate::value::Value;

/// Whether two values are equal.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    Comparison::default().equal(a, b)
}

/// What has been compared. Parts that were found equal, or are being compared, are of one class; a part is named by where it
/// is in memory. Since one difference ends the comparison, what is in one class need not be compared again.
#[derive(Default)]
struct Comparison {
    classes: HashMap<usize, usize>,
}

impl Comparison {
    fn equal(&mut self, a: &Value, b: &Value) -> bool {
        match (a, b) {
            (Value::Null, Value::Null) => true,
            (Value::Number(a), Value::Number(b)) => a == b,
            (Value::String(a), Value::String(b)) => a == b,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Array(a), Value::Array(b)) => {
                self.known(a, b)
                    || a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| self.equal(a, b))
            }
            (Value::Object(a), Value::Object(b)) => {
                let mut fields = a.iter().zip(b.iter());
                self.known(a, b)
                    || a.len() == b.len()
                        && fields.all(|((a_key, a), (b_key, b))| a_key == b_key && self.equal(a, b))
            }
            (Value::Secret(a), Value::Secret(b)) => a == b,
            (Value::OptionalSecret(a), Value::OptionalSecret(b)) => a == b,
            (Value::Capsule(a), Value::Capsule(b)) => a == b,
            _ => false,
        }
    }

    /// Whether two parts are of one class; they are from now on.
    fn known<T>(&mut self, a: &Arc<T>, b: &Arc<T>) -> bool {
        let place = |part: &Arc<T>| Arc::as_ptr(part).addr();
        if place(a) == place(b) {
            return true;
        }
        // What is not shared is met once for each time that what holds it is.
        if Arc::strong_count(a) == 1 && Arc::strong_count(b) == 1 {
            return false;
        }
        let (a, b) = (self.class(place(a)), self.class(place(b)));
        if a != b {
            self.classes.insert(a, b);
        }
        a == b
    }

    /// The part that stands for the class of one.
    fn class(&mut self, part: usize) -> usize {
        let mut at = part;
        while let Some(&next) = self.classes.get(&at) {
            // Halves the way for whoever comes next.
            if let Some(&after) = self.classes.get(&next) {
                self.classes.insert(at, after);
            }
            at = next;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doubled(levels: usize, inner: Value) -> Value {
        (0..levels).fold(inner, |inner, level| {
            if level % 2 == 0 {
                Value::array([inner.clone(), inner])
            } else {
                Value::object([("a", inner.clone()), ("b", inner)])
            }
        })
    }

    #[test]
    fn what_is_shared_is_compared_once() {
        assert_eq!(doubled(1_000, 1_i64.into()), doubled(1_000, 1_i64.into()));
        assert_ne!(doubled(1_000, 1_i64.into()), doubled(1_000, 2_i64.into()));
        assert_ne!(doubled(1_000, 1_i64.into()), doubled(1_001, 1_i64.into()));
    }

    #[test]
    fn parts_that_are_shared_at_different_levels_are_told_apart() {
        let one = Value::array([1_i64.into()]);
        let two = Value::array([2_i64.into()]);
        let other_one = Value::array([1_i64.into()]);
        let a = Value::array([one.clone(), one.clone(), two.clone()]);
        assert_eq!(a, Value::array([one.clone(), other_one.clone(), two.clone()]));
        assert_ne!(a, Value::array([one.clone(), other_one.clone(), other_one]));
        assert_ne!(a, Value::array([one.clone(), two.clone(), two]));
        // Sharing at every other level, on either side at the levels where the other has none.
        let level = |inner: &Value| Value::array([inner.clone(), inner.clone()]);
        let apart = |inner: &Value| Value::array([level(inner), level(inner)]);
        let even = (0..100).fold(one.clone(), |inner, _| apart(&inner));
        let odd = level(&(0..99).fold(level(&one), |inner, _| apart(&inner)));
        assert_eq!(even, odd);
    }
}
