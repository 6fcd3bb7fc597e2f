//! Numbers: 64-bit integers with and without sign, and floats.

use std::fmt;

/// A number. Which kind it is shows only in arithmetic.
#[derive(Clone, Copy)]
pub enum Number {
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    Uint(u64),
    /// A float.
    Float(f64),
}

impl Number {
    /// The value as a float, rounded when it has more than 53 bits.
    pub fn to_f64(self) -> f64 {
        match self {
            Number::Int(value) => value as f64,
            Number::Uint(value) => value as f64,
            Number::Float(value) => value,
        }
    }

    /// The value as an integer, a fraction being cut off; `None` for what is not finite or beyond 128 bits.
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked first")]
    pub fn to_integer(self) -> Option<i128> {
        match self {
            Number::Int(value) => Some(i128::from(value)),
            Number::Uint(value) => Some(i128::from(value)),
            Number::Float(value) if value.is_finite() && value.abs() < 1e38 => Some(value.trunc() as i128),
            Number::Float(_) => None,
        }
    }

    /// The number as Go's `%v` prints it: a float with an exponent when that is below -4 or above 5.
    pub fn to_go(self) -> String {
        match self {
            Number::Float(value) => float_to_go(value),
            other => other.to_string(),
        }
    }
}

fn float_to_go(value: f64) -> String {
    if !value.is_finite() {
        return decimal(value);
    }
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if value != 0.0 && !(-4..=5).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.unsigned_abs());
    }
    decimal(value)
}

/// The shortest text of a float without an exponent, with Go's names for what is not finite.
fn decimal(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 {
            "+Inf".to_owned()
        } else {
            "-Inf".to_owned()
        }
    } else {
        value.to_string()
    }
}

/// The shortest decimal form, without an exponent.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Number::Int(value) => value.fmt(f),
            Number::Uint(value) => value.fmt(f),
            Number::Float(value) => f.write_str(&decimal(value)),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Int(value) => write!(f, "Int({value})"),
            Number::Uint(value) => write!(f, "Uint({value})"),
            Number::Float(value) => write!(f, "Float({value})"),
        }
    }
}

/// Numbers compare by value, whatever their kinds.
impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.partial_cmp(other) == Some(std::cmp::Ordering::Equal)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<std::cmp::Ordering> {
        match (*self, *other) {
            (Number::Float(_), _) | (_, Number::Float(_)) => self.to_f64().partial_cmp(&other.to_f64()),
            _ => self.to_integer().partial_cmp(&other.to_integer()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_forms() {
        assert_eq!(Number::Float(1e6).to_go(), "1e+06");
        assert_eq!(Number::Float(123_456.5).to_go(), "123456.5");
        assert_eq!(Number::Float(123_456_789.0).to_go(), "1.23456789e+08");
        assert_eq!(Number::Float(0.000_01).to_go(), "1e-05");
        assert_eq!(Number::Float(1e21).to_string(), "1000000000000000000000");
        assert_eq!(Number::Float(f64::INFINITY).to_string(), "+Inf");
    }
}
