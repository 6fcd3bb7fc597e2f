//! Floats.

use super::output::Output;
use crate::eval::Exceeded;
use crate::value::Number;

/// More digits than any float has after its point.
const MOST_DIGITS: usize = 1_100;

pub(super) fn has(verb: char) -> bool {
    "veEfFgGxXb".contains(verb)
}

pub(super) fn write(out: &mut Output<'_>, verb: char, value: f64) -> Result<(), Exceeded> {
    let spec = out.spec;
    let negative = value.is_sign_negative() && !value.is_nan();
    let sign = match (negative, spec.plus, spec.space) {
        (true, _, _) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        (false, false, false) => "",
    };
    if value.is_nan() {
        return out.pad_with_blanks(&format!("{sign}NaN"));
    }
    if value.is_infinite() {
        // Its sign is always shown.
        let sign = if sign.is_empty() { "+" } else { sign };
        return out.pad_with_blanks(&format!("{sign}Inf"));
    }
    let digits = Digits::of(verb, value.abs(), spec.precision);
    let digits = if spec.sharp && verb != 'b' {
        digits.with_point(verb, spec.precision)
    } else {
        digits
    };
    let text = out.with_zeros(&digits.number, digits.zeros, &digits.exponent)?;
    let missing = spec.width.unwrap_or(0).saturating_sub(sign.len() + text.len());
    if spec.zero && !spec.minus {
        out.push(sign)?;
        out.repeat('0', missing)?;
        return out.push(&text);
    }
    out.pad(&format!("{sign}{text}"))
}

/// A number without its sign: digits, as many zeros that follow them, and an exponent or nothing.
struct Digits {
    number: String,
    zeros: usize,
    exponent: String,
}

impl Digits {
    fn of(verb: char, value: f64, precision: Option<usize>) -> Digits {
        match verb {
            'f' | 'F' => {
                let precision = precision.unwrap_or(6);
                Digits {
                    number: format!("{value:.*}", precision.min(MOST_DIGITS)),
                    zeros: precision.saturating_sub(MOST_DIGITS),
                    exponent: String::new(),
                }
            }
            'e' | 'E' => {
                let precision = precision.unwrap_or(6);
                let (number, power) = scientific(value, precision.min(MOST_DIGITS));
                Digits {
                    number,
                    zeros: precision.saturating_sub(MOST_DIGITS),
                    exponent: exponent(verb, power),
                }
            }
            'x' | 'X' => hexadecimal(verb, value, precision),
            'b' => {
                let (mantissa, power) = parts(value);
                Digits::plain(mantissa.to_string(), format!("p{power:+}"))
            }
            _ => general(if verb == 'G' { 'E' } else { 'e' }, value, precision),
        }
    }

    fn plain(number: String, exponent: String) -> Digits {
        Digits {
            number,
            zeros: 0,
            exponent,
        }
    }

    /// With `#`: a point in any case, and by verbs that leave zeros out so many significant digits.
    fn with_point(mut self, verb: char, precision: Option<usize>) -> Digits {
        let significant = match verb {
            'v' | 'g' | 'G' | 'x' => precision.unwrap_or(6),
            _ => 0,
        };
        let digits = self.number.strip_prefix("0x").unwrap_or(&self.number);
        let has_point = digits.contains('.');
        let shown = digits.trim_start_matches(['0', '.']);
        let mut count = shown.bytes().filter(|byte| *byte != b'.').count();
        if !has_point && digits == "0" {
            count += 1;
        }
        if !has_point {
            self.number.push('.');
        }
        self.zeros += significant.saturating_sub(count + self.zeros);
        self
    }
}

/// A number with so many digits after the point of the first, and its power of ten.
fn scientific(value: f64, digits: usize) -> (String, i32) {
    let text = format!("{value:.digits$e}");
    let (number, power) = text.split_once('e').unwrap_or((&text, "0"));
    (number.to_owned(), power.parse().unwrap_or(0))
}

/// With a sign and at least two digits.
fn exponent(letter: char, power: i32) -> String {
    let sign = if power < 0 { '-' } else { '+' };
    format!("{letter}{sign}{:02}", power.unsigned_abs())
}

/// The form that is shorter: so many significant digits, or as many as tell the number from its neighbours.
fn general(letter: char, value: f64, precision: Option<usize>) -> Digits {
    let Some(precision) = precision else {
        let text = Number::Float(value).to_go();
        return match text.split_once('e') {
            Some((number, power)) => Digits::plain(number.to_owned(), format!("{letter}{power}")),
            None => Digits::plain(text, String::new()),
        };
    };
    let most = precision.clamp(1, MOST_DIGITS);
    let trim = |text: &str| -> String {
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text.to_owned()
        }
    };
    let (number, power) = scientific(value, most - 1);
    match usize::try_from(power) {
        _ if value == 0.0 => Digits::plain("0".to_owned(), String::new()),
        Ok(power) if power < most => {
            let places = most - 1 - power;
            Digits::plain(trim(&format!("{value:.places$}")), String::new())
        }
        Err(_) if power >= -4 => {
            let places = most - 1 + power.unsigned_abs() as usize;
            Digits::plain(trim(&format!("{value:.places$}")), String::new())
        }
        _ => Digits::plain(trim(&number), exponent(letter, power)),
    }
}

/// The mantissa as an integer, and the power of two that it is multiplied by.
fn parts(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let mantissa = bits & ((1 << 52) - 1);
    match i32::try_from(bits >> 52 & 0x7ff).unwrap_or(0) {
        0 => (mantissa, -1_074),
        power => (mantissa | 1 << 52, power - 1_075),
    }
}

/// `0x1.8p+00`
fn hexadecimal(verb: char, value: f64, precision: Option<usize>) -> Digits {
    /// The bit of the digit before the point.
    const ONE: u64 = 1 << 60;
    let (mantissa, power) = parts(value);
    let mut power = if mantissa == 0 { 0 } else { power + 52 };
    let mut mantissa = mantissa << 8;
    while mantissa != 0 && mantissa & ONE == 0 {
        mantissa <<= 1;
        power -= 1;
    }
    if let Some(digits) = precision.filter(|digits| *digits < 15) {
        let shift = digits * 4;
        let extra = (mantissa << shift) & (ONE - 1);
        mantissa >>= 60 - shift;
        // Half way rounds to even.
        if extra | (mantissa & 1) > ONE / 2 {
            mantissa += 1;
        }
        mantissa <<= 60 - shift;
        if mantissa & (ONE << 1) != 0 {
            mantissa >>= 1;
            power += 1;
        }
    }
    let mut fraction = format!("{:015x}", mantissa & (ONE - 1));
    let zeros = match precision {
        None => {
            fraction.truncate(fraction.trim_end_matches('0').len());
            0
        }
        Some(digits) => {
            fraction.truncate(digits);
            digits.saturating_sub(15)
        }
    };
    let point = if fraction.is_empty() { "" } else { "." };
    let number = format!("0x{}{point}{fraction}", mantissa >> 60 & 1);
    let exponent = exponent('p', power);
    if verb == 'X' {
        return Digits {
            number: number.to_uppercase(),
            zeros,
            exponent: exponent.to_uppercase(),
        };
    }
    Digits {
        number,
        zeros,
        exponent,
    }
}
