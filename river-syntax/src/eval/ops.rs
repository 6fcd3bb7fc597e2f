//! Operators, with their type rules. Integers wrap; dividing by zero is an error, for floats too.

use std::sync::Arc;

use crate::ast::{BinaryOp, UnaryOp};
use crate::eval::{Budget, Exceeded};
use crate::value::{Number, OptionalSecret, Secret, Value};

/// Applies an operator to one value; the error is a message.
pub(super) fn unary(op: UnaryOp, value: &Value) -> Result<Value, String> {
    match (op, value) {
        (UnaryOp::Not, Value::Bool(value)) => Ok(Value::Bool(!value)),
        (UnaryOp::Neg, Value::Number(number)) => Ok(Value::Number(match *number {
            Number::Int(value) => Number::Int(value.wrapping_neg()),
            Number::Uint(value) => Number::Int(value.wrapping_neg().cast_signed()),
            Number::Float(value) => Number::Float(-value),
        })),
        (UnaryOp::Not, other) => Err(format!("operator ! needs a bool, got {}", other.type_name())),
        (UnaryOp::Neg, other) => Err(format!("operator - needs a number, got {}", other.type_name())),
    }
}

/// Applies an operator to two values; the error is a message.
pub(super) fn binary(op: BinaryOp, left: &Value, right: &Value, budget: &Budget) -> Result<Value, String> {
    let wrong = |needs: &str| {
        let (left, right) = (left.type_name(), right.type_name());
        Err(format!(
            "operator {} needs {needs}, got {left} and {right}",
            op.symbol()
        ))
    };
    match op {
        BinaryOp::Eq => return Ok(Value::Bool(equal(left, right, budget)?)),
        BinaryOp::Ne => return Ok(Value::Bool(!equal(left, right, budget)?)),
        BinaryOp::Or | BinaryOp::And => {
            return match (left, right) {
                (Value::Bool(a), Value::Bool(b)) => {
                    Ok(Value::Bool(if op == BinaryOp::Or { *a || *b } else { *a && *b }))
                }
                _ => wrong("two bools"),
            };
        }
        BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => {
            let order = match (left, right) {
                (Value::Number(a), Value::Number(b)) => a.partial_cmp(b),
                _ => match (left.as_str(), right.as_str()) {
                    (Some(a), Some(b)) => Some(a.cmp(b)),
                    _ => return wrong("two numbers or two strings"),
                },
            };
            let holds = order.is_some_and(|order| match op {
                BinaryOp::Lt => order.is_lt(),
                BinaryOp::Le => order.is_le(),
                BinaryOp::Gt => order.is_gt(),
                _ => order.is_ge(),
            });
            return Ok(Value::Bool(holds));
        }
        _ => {}
    }
    if let (Value::Number(a), Value::Number(b)) = (left, right) {
        return arithmetic(op, *a, *b)
            .map(Value::Number)
            .ok_or_else(|| "cannot divide by zero".to_owned());
    }
    if op == BinaryOp::Add {
        let (Some(a), Some(b)) = (text(left), text(right)) else {
            return wrong("two numbers or two strings");
        };
        budget.text(a.len() + b.len())?;
        return Ok(joined(left, right, Arc::from([a, b].concat())));
    }
    wrong("two numbers")
}

/// Equality; a capsule that stands for an ordinary value equals that value. What is shared is counted each time that it
/// is looked at.
pub(crate) fn equal(left: &Value, right: &Value, budget: &Budget) -> Result<bool, Exceeded> {
    budget.look(size_of::<Value>())?;
    match (left, right) {
        (Value::Capsule(_), Value::Capsule(_)) => Ok(left == right),
        (Value::Capsule(_), _) | (_, Value::Capsule(_)) => match (left.view(), right.view()) {
            (Value::Capsule(_), _) | (_, Value::Capsule(_)) => Ok(false),
            (left, right) => equal(&left, &right, budget),
        },
        (Value::Array(a), Value::Array(b)) => {
            if Arc::ptr_eq(a, b) {
                return Ok(true);
            }
            if a.len() != b.len() {
                return Ok(false);
            }
            all(a.iter().zip(b.iter()), |(a, b)| equal(a, b, budget))
        }
        (Value::Object(a), Value::Object(b)) => {
            if Arc::ptr_eq(a, b) {
                return Ok(true);
            }
            if a.len() != b.len() {
                return Ok(false);
            }
            all(a.iter().zip(b.iter()), |((a_key, a), (b_key, b))| {
                budget.look(a_key.len())?;
                Ok(a_key == b_key && equal(a, b, budget)?)
            })
        }
        _ => {
            budget.look(text(left).map_or(0, str::len))?;
            Ok(left == right)
        }
    }
}

fn all<T>(
    items: impl Iterator<Item = T>,
    mut holds: impl FnMut(T) -> Result<bool, Exceeded>,
) -> Result<bool, Exceeded> {
    for item in items {
        if !holds(item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The text of what can be put together with texts.
fn text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Secret(secret) => Some(secret.expose()),
        Value::OptionalSecret(secret) => Some(secret.expose()),
        _ => None,
    }
}

/// What two texts make. What has a secret in it is a secret.
fn joined(left: &Value, right: &Value, text: Arc<str>) -> Value {
    let hidden = |value: &Value| matches!(value, Value::OptionalSecret(secret) if secret.is_secret());
    match (left, right) {
        (Value::Secret(_), _) | (_, Value::Secret(_)) => Value::Secret(Secret::new(text)),
        (Value::String(_), Value::String(_)) => Value::String(text),
        _ if hidden(left) || hidden(right) => Value::OptionalSecret(OptionalSecret::secret(text)),
        _ => Value::OptionalSecret(OptionalSecret::plain(text)),
    }
}

/// Any float makes the result a float, and otherwise any signed integer makes it signed. `None` for a division by zero.
fn arithmetic(op: BinaryOp, left: Number, right: Number) -> Option<Number> {
    match (left, right) {
        (Number::Float(_), _) | (_, Number::Float(_)) => {
            float(op, left.to_f64(), right.to_f64()).map(Number::Float)
        }
        (Number::Uint(a), Number::Uint(b)) => unsigned(op, a, b).map(Number::Uint),
        (a, b) => signed(op, bits(a), bits(b)).map(Number::Int),
    }
}

fn bits(number: Number) -> i64 {
    match number {
        Number::Int(value) => value,
        Number::Uint(value) => value.cast_signed(),
        // Floats do not come here.
        Number::Float(_) => 0,
    }
}

fn float(op: BinaryOp, a: f64, b: f64) -> Option<f64> {
    match op {
        BinaryOp::Sub => Some(a - b),
        BinaryOp::Mul => Some(a * b),
        BinaryOp::Div => (b != 0.0).then(|| a / b),
        BinaryOp::Mod => (b != 0.0).then(|| a % b),
        BinaryOp::Pow => Some(a.powf(b)),
        _ => Some(a + b),
    }
}

fn signed(op: BinaryOp, a: i64, b: i64) -> Option<i64> {
    match op {
        BinaryOp::Sub => Some(a.wrapping_sub(b)),
        BinaryOp::Mul => Some(a.wrapping_mul(b)),
        BinaryOp::Div => (b != 0).then(|| a.wrapping_div(b)),
        BinaryOp::Mod => (b != 0).then(|| a.wrapping_rem(b)),
        // A negative power of an integer is a fraction, which is cut off.
        BinaryOp::Pow if b < 0 => match a {
            0 => None,
            1 => Some(1),
            -1 => Some(if b % 2 == 0 { 1 } else { -1 }),
            _ => Some(0),
        },
        BinaryOp::Pow => Some(power(a.cast_unsigned(), b.cast_unsigned()).cast_signed()),
        _ => Some(a.wrapping_add(b)),
    }
}

fn unsigned(op: BinaryOp, a: u64, b: u64) -> Option<u64> {
    match op {
        BinaryOp::Sub => Some(a.wrapping_sub(b)),
        BinaryOp::Mul => Some(a.wrapping_mul(b)),
        BinaryOp::Div => a.checked_div(b),
        BinaryOp::Mod => a.checked_rem(b),
        BinaryOp::Pow => Some(power(a, b)),
        _ => Some(a.wrapping_add(b)),
    }
}

/// `base` to the power of `exponent`, modulo 2^64; the same bits for signed integers.
fn power(mut base: u64, mut exponent: u64) -> u64 {
    let mut result = 1_u64;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result.wrapping_mul(base);
        }
        base = base.wrapping_mul(base);
        exponent >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(op: BinaryOp, a: impl Into<Value>, b: impl Into<Value>) -> Value {
        binary(op, &a.into(), &b.into(), &Budget::new()).unwrap()
    }

    #[test]
    fn integers_wrap_and_truncate() {
        assert_eq!(number(BinaryOp::Add, i64::MAX, 1_i64), i64::MIN.into());
        assert_eq!(number(BinaryOp::Div, -7_i64, 2_i64), (-3_i64).into());
        assert_eq!(number(BinaryOp::Div, i64::MIN, -1_i64), i64::MIN.into());
        assert_eq!(number(BinaryOp::Mod, -7_i64, 2_i64), (-1_i64).into());
        assert_eq!(number(BinaryOp::Pow, -2_i64, 3_i64), (-8_i64).into());
        assert_eq!(number(BinaryOp::Pow, 2_i64, 0.5), 2_f64.sqrt().into());
        assert!(matches!(
            number(BinaryOp::Add, 1_u64, 1_i64),
            Value::Number(Number::Int(2))
        ));
        assert!(binary(BinaryOp::Div, &1.0.into(), &0.0.into(), &Budget::new()).is_err());
    }

    #[test]
    fn secrets_stay_secret() {
        let secret = Value::from(Secret::new("b"));
        let joined = binary(BinaryOp::Add, &"a".into(), &secret, &Budget::new()).unwrap();
        assert!(matches!(&joined, Value::Secret(s) if s.expose() == "ab"));
        let optional = Value::OptionalSecret(OptionalSecret::secret("b"));
        let joined = binary(BinaryOp::Add, &"a".into(), &optional, &Budget::new()).unwrap();
        assert!(matches!(&joined, Value::OptionalSecret(s) if s.is_secret() && s.expose() == "ab"));
    }

    #[test]
    fn what_is_shared_is_not_compared_without_end() {
        let doubled = |levels: usize| {
            (0..levels).fold(Value::from("x"), |inner, _| Value::array([inner.clone(), inner]))
        };
        let compare = |levels: usize| {
            let budget = Budget::of(1 << 20, 1 << 20);
            binary(BinaryOp::Eq, &doubled(levels), &doubled(levels), &budget)
        };
        assert_eq!(compare(10), Ok(true.into()));
        assert!(compare(60).unwrap_err().contains("looks through"));
    }
}
