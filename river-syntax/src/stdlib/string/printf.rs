//! Go's `fmt.Sprintf` over values of the language.
//!
//! As in Go, a verb that does not fit its value is no error: it prints `%!d(string=x)`. Secrets are refused, since the
//! result is a plain string.

use std::fmt::Write as _;

use crate::value::{Number, Value};

/// The widest padding and the highest precision; Go has the same bound.
const MAX_WIDTH: usize = 1_000_000;

/// More digits than any float has after its point.
const MOST_DIGITS: usize = 1_100;

/// A verb's flags, width and precision.
#[expect(clippy::struct_excessive_bools, reason = "they are printf's flags")]
#[derive(Default)]
struct Spec {
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// Formats `args` by `format`.
pub(super) fn format(format: &str, args: &[Value]) -> Result<String, String> {
    if let Some(secret) = args.iter().find(|arg| is_secret(arg)) {
        return Err(format!(
            "a {} cannot be formatted into a string",
            secret.type_name()
        ));
    }
    let mut out = String::new();
    let mut rest = format;
    let mut next = 0;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let mut spec = flags(&mut rest);
        spec.width = number(&mut rest, args, &mut next, &mut out, "WIDTH");
        if let Some(after) = rest.strip_prefix('.') {
            rest = after;
            spec.precision = Some(number(&mut rest, args, &mut next, &mut out, "PREC").unwrap_or(0));
        }
        let Some(verb) = rest.chars().next() else {
            out.push_str("%!(NOVERB)");
            break;
        };
        rest = &rest[verb.len_utf8()..];
        if verb == '%' {
            out.push('%');
            continue;
        }
        match args.get(next) {
            Some(arg) => out.push_str(&pad(&verb_text(verb, arg, &spec), &spec, arg, verb)),
            None => {
                let _ = write!(out, "%!{verb}(MISSING)");
            }
        }
        next += 1;
    }
    out.push_str(rest);
    if next < args.len() {
        let extra: Vec<String> = args[next..]
            .iter()
            .map(|arg| format!("{}={}", go_type(arg), plain(arg)))
            .collect();
        let _ = write!(out, "%!(EXTRA {})", extra.join(", "));
    }
    Ok(out)
}

fn is_secret(value: &Value) -> bool {
    match value {
        Value::Secret(_) => true,
        Value::OptionalSecret(secret) => secret.is_secret(),
        Value::Array(items) => items.iter().any(is_secret),
        Value::Object(fields) => fields.values().any(is_secret),
        _ => false,
    }
}

fn flags(rest: &mut &str) -> Spec {
    let mut spec = Spec::default();
    while let Some(c) = rest.chars().next() {
        match c {
            '-' => spec.minus = true,
            '+' => spec.plus = true,
            '#' => spec.sharp = true,
            ' ' => spec.space = true,
            '0' => spec.zero = true,
            _ => break,
        }
        *rest = &rest[1..];
    }
    spec
}

/// A width or precision: digits, or `*` for the next argument.
fn number(rest: &mut &str, args: &[Value], next: &mut usize, out: &mut String, what: &str) -> Option<usize> {
    if let Some(after) = rest.strip_prefix('*') {
        *rest = after;
        let arg = args.get(*next);
        *next += 1;
        let width = match arg {
            Some(Value::Number(number @ (Number::Int(_) | Number::Uint(_)))) => {
                number.to_integer().and_then(|width| usize::try_from(width).ok())
            }
            _ => None,
        };
        let width = width.filter(|&width| width <= MAX_WIDTH);
        if width.is_none() {
            let _ = write!(out, "%!(BAD{what})");
        }
        return width;
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (number, after) = rest.split_at(digits);
    *rest = after;
    number.parse().ok().filter(|&number| number <= MAX_WIDTH)
}

fn pad(text: &str, spec: &Spec, arg: &Value, verb: char) -> String {
    let length = text.chars().count();
    let missing = spec.width.unwrap_or(0).saturating_sub(length);
    if missing == 0 {
        return text.to_owned();
    }
    if spec.minus {
        return format!("{text}{}", " ".repeat(missing));
    }
    let numeric = matches!(arg, Value::Number(number) if number.to_f64().is_finite()) && verb != 'q';
    if spec.zero && (numeric || matches!(arg, Value::String(_))) {
        let (sign, digits) = match text.chars().next() {
            Some(sign @ ('+' | '-' | ' ')) if numeric => (String::from(sign), &text[1..]),
            _ => (String::new(), text),
        };
        return format!("{sign}{}{digits}", "0".repeat(missing));
    }
    format!("{}{text}", " ".repeat(missing))
}

fn verb_text(verb: char, arg: &Value, spec: &Spec) -> String {
    let known = match (verb, arg) {
        ('v', Value::Number(number)) => Some(signed(number.to_go(), spec)),
        ('v', _) => Some(plain(arg)),
        ('T', _) => Some(go_type(arg).to_owned()),
        ('t', Value::Bool(value)) => Some(value.to_string()),
        (_, Value::Number(Number::Float(value))) => float(verb, *value, spec),
        (_, Value::Number(number)) => integer(verb, number.to_integer().unwrap_or(0), spec),
        (_, Value::String(_) | Value::OptionalSecret(_)) => string(verb, arg.as_str().unwrap_or(""), spec),
        (_, Value::Array(items)) if verb != 'p' => {
            let items: Vec<String> = items.iter().map(|item| verb_text(verb, item, spec)).collect();
            Some(format!("[{}]", items.join(" ")))
        }
        _ => None,
    };
    known.unwrap_or_else(|| match arg {
        Value::Null => format!("%!{verb}(<nil>)"),
        _ => format!("%!{verb}({}={})", go_type(arg), plain(arg)),
    })
}

fn signed(text: String, spec: &Spec) -> String {
    if text.starts_with(['-', '+']) {
        return if spec.plus {
            text
        } else {
            text.strip_prefix('+').map_or(text.clone(), |t| format!("+{t}"))
        };
    }
    match (spec.plus, spec.space) {
        (true, _) => format!("+{text}"),
        (false, true) => format!(" {text}"),
        (false, false) => text,
    }
}

fn integer(verb: char, value: i128, spec: &Spec) -> Option<String> {
    let size = value.unsigned_abs();
    let (prefix, mut digits) = match verb {
        'd' => ("", size.to_string()),
        'b' => (if spec.sharp { "0b" } else { "" }, format!("{size:b}")),
        'o' => (if spec.sharp { "0" } else { "" }, format!("{size:o}")),
        'O' => ("0o", format!("{size:o}")),
        'x' => (if spec.sharp { "0x" } else { "" }, format!("{size:x}")),
        'X' => (if spec.sharp { "0X" } else { "" }, format!("{size:X}")),
        'c' | 'q' | 'U' => return Some(character(verb, value)),
        _ => return None,
    };
    if let Some(precision) = spec.precision {
        digits = format!("{}{digits}", "0".repeat(precision.saturating_sub(digits.len())));
    }
    let text = format!("{prefix}{digits}");
    Some(if value < 0 {
        format!("-{text}")
    } else {
        signed(text, spec)
    })
}

fn character(verb: char, value: i128) -> String {
    let c = u32::try_from(value)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER);
    match verb {
        'U' => format!("U+{value:04X}"),
        'q' => format!("'{}'", c.escape_default()),
        _ => c.to_string(),
    }
}

fn float(verb: char, value: f64, spec: &Spec) -> Option<String> {
    if !value.is_finite() && "eEfFgG".contains(verb) {
        return Some(signed(Number::Float(value).to_string(), spec));
    }
    let precision = spec.precision;
    let text = match verb {
        'f' | 'F' => fixed(value, precision.unwrap_or(6)),
        'e' => exponent(&scientific(value, precision.unwrap_or(6))),
        'E' => exponent(&scientific(value, precision.unwrap_or(6))).to_uppercase(),
        'g' | 'G' => {
            let text = match precision {
                None => Number::Float(value).to_go(),
                Some(digits) => significant(value, digits.max(1)),
            };
            if verb == 'G' { text.to_uppercase() } else { text }
        }
        _ => return None,
    };
    Some(signed(text, spec))
}

/// So many digits after the point. Those that no float has are zeros; Rust's formatter knows no precision beyond 16 bits.
fn fixed(value: f64, digits: usize) -> String {
    let mut text = format!("{value:.*}", digits.min(MOST_DIGITS));
    text.extend(std::iter::repeat_n('0', digits.saturating_sub(MOST_DIGITS)));
    text
}

/// As [`fixed`], with an exponent.
fn scientific(value: f64, digits: usize) -> String {
    let mut text = format!("{value:.*e}", digits.min(MOST_DIGITS));
    let end = text.find('e').unwrap_or(text.len());
    text.insert_str(end, &"0".repeat(digits.saturating_sub(MOST_DIGITS)));
    text
}

/// Rust's exponent as Go has it: with a sign and two digits.
fn exponent(text: &str) -> String {
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, number) = match exponent.strip_prefix('-') {
        Some(number) => ('-', number),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{number:0>2}")
}

/// `%.Ng`: so many significant digits, without trailing zeros.
fn significant(value: f64, digits: usize) -> String {
    let digits = digits.min(MOST_DIGITS);
    let scientific = format!("{value:.*e}", digits - 1);
    let power: i64 = scientific
        .split_once('e')
        .and_then(|(_, power)| power.parse().ok())
        .unwrap_or(0);
    let digits = i64::try_from(digits).unwrap_or(i64::MAX);
    let trim = |text: &str| -> String {
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text.to_owned()
        }
    };
    if value != 0.0 && (power < -4 || power >= digits) {
        let (mantissa, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        return exponent(&format!("{}e{power}", trim(mantissa)));
    }
    let places = usize::try_from((digits - 1 - power).max(0)).unwrap_or(0);
    trim(&format!("{value:.places$}"))
}

fn string(verb: char, text: &str, spec: &Spec) -> Option<String> {
    let cut: String = match spec.precision {
        Some(precision) if verb != 'x' && verb != 'X' => text.chars().take(precision).collect(),
        _ => text.to_owned(),
    };
    let hex = |upper: bool| {
        let bytes = text.bytes().take(spec.precision.unwrap_or(usize::MAX));
        bytes.fold(String::new(), |mut out, byte| {
            let _ = if upper {
                write!(out, "{byte:02X}")
            } else {
                write!(out, "{byte:02x}")
            };
            out
        })
    };
    match verb {
        's' => Some(cut),
        'q' if spec.sharp && !cut.contains('`') => Some(format!("`{cut}`")),
        'q' => Some(Value::from(cut).to_string()),
        'x' => Some(hex(false)),
        'X' => Some(hex(true)),
        _ => None,
    }
}

/// A value as `%v` prints it.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.to_string(),
        Value::Number(number) => number.to_go(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(plain).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(key, value)| format!("{key}:{}", plain(value)))
                .collect();
            format!("map[{}]", fields.join(" "))
        }
        Value::OptionalSecret(secret) => secret.to_string(),
        other => other.to_string(),
    }
}

/// The Go type that the value has in Alloy.
fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Number(Number::Int(_)) => "int",
        Value::Number(Number::Uint(_)) => "uint64",
        Value::Number(Number::Float(_)) => "float64",
        Value::String(_) => "string",
        Value::Bool(_) => "bool",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
        Value::Function(_) => "func",
        Value::Secret(_) => "alloytypes.Secret",
        Value::OptionalSecret(_) => "alloytypes.OptionalSecret",
        Value::Capsule(capsule) => capsule.type_name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format_text: &str, args: &[Value], expected: &str) {
        assert_eq!(format(format_text, args).unwrap(), expected, "{format_text}");
    }

    #[test]
    fn verbs() {
        check("plain", &[], "plain");
        check("100%%|%s|%q", &["a".into(), "b\n".into()], "100%|a|\"b\\n\"");
        check(
            "%d %5d|%-5d|%05d %x %X",
            &[
                1_i64.into(),
                2_i64.into(),
                3_i64.into(),
                (-4_i64).into(),
                255_i64.into(),
                255_i64.into(),
            ],
            "1     2|3    |-0004 ff FF",
        );
        check(
            "%v %v %v",
            &[1.5.into(), true.into(), Value::Null],
            "1.5 true <nil>",
        );
        check(
            "%.2f %8.3f %e %g",
            &[1.0.into(), 2.5.into(), 1234.5.into(), 0.1.into()],
            "1.00    2.500 1.234500e+03 0.1",
        );
        check("%.3g %.3g", &[1_234_567.0.into(), 0.5.into()], "1.23e+06 0.5");
        check("%v", &[Value::array(["a".into(), 1_i64.into()])], "[a 1]");
        check("%*d", &[4_i64.into(), 7_i64.into()], "   7");
        check("%.2s", &["abc".into()], "ab");
        check("%t", &[false.into()], "false");
        check("%+d % d", &[1_i64.into(), 2_i64.into()], "+1  2");
    }

    #[test]
    fn no_precision_is_too_high() {
        let one = |format_text: &str, value: f64| format(format_text, &[value.into()]).unwrap();
        for precision in [1_099, 1_100, 1_101, 65_535, 65_536, 1_000_000] {
            let zeros = "0".repeat(precision - 1);
            assert!(one(&format!("%.{precision}f"), 1.5) == format!("1.5{zeros}"));
            assert!(one(&format!("%.{precision}e"), -15.0) == format!("-1.5{zeros}e+01"));
            assert!(one(&format!("%.{precision}E"), 0.15).starts_with("1.4999"));
            assert_eq!(one(&format!("%.{precision}g"), 1.5), "1.5");
        }
        let least = one("%.2000f", 5e-324);
        assert_eq!(least.len(), 2_002);
        assert!(least.trim_end_matches('0').ends_with("5625"));
    }

    #[test]
    fn what_does_not_fit_is_shown() {
        check("%d", &["x".into()], "%!d(string=x)");
        check("%s", &[1_i64.into()], "%!s(int=1)");
        check("%d %d", &[1_i64.into()], "1 %!d(MISSING)");
        check("a", &[1_i64.into(), "b".into()], "a%!(EXTRA int=1, string=b)");
        check("%", &[], "%!(NOVERB)");
        check("%y", &[true.into()], "%!y(bool=true)");
    }

    #[test]
    fn secrets_are_refused() {
        assert!(format("%s", &[crate::value::Secret::new("x").into()]).is_err());
    }
}
