//! Go's `fmt.Sprintf` over values of the language.
//!
//! As in Go, a verb that does not fit its value is no error: it prints `%!d(string=x)`. Secrets are refused, since the
//! result is a plain string.

mod directive;
mod float;
mod integer;
mod output;
mod text;

use crate::eval::{Budget, Exceeded};
use crate::value::{CallError, Number, Value};
use directive::{Directive, Directives};
use output::{Output, Spec};

/// Formats `args` by `format`.
pub(super) fn format(format: &str, args: &[Value], budget: &Budget) -> Result<String, CallError> {
    for arg in args {
        if is_secret(arg, budget)? {
            let message = format!("a {} cannot be formatted into a string", arg.type_name());
            return Err(CallError::Failed(message));
        }
    }
    let mut out = Output::new(budget);
    let mut directives = Directives::new(format, args);
    while let Some(directive) = directives.next() {
        match directive {
            Directive::Text(text) => out.push(text)?,
            Directive::Fault(verb, fault) => {
                out.push("%!")?;
                out.push_char(verb)?;
                out.push(fault)?;
            }
            Directive::Value(verb, spec, arg) => {
                out.spec = spec;
                value(&mut out, verb, arg, true)?;
            }
        }
    }
    let left = directives.left();
    if !left.is_empty() {
        out.spec = Spec::default();
        out.push("%!(EXTRA ")?;
        for (at, arg) in left.iter().enumerate() {
            out.push(if at > 0 { ", " } else { "" })?;
            typed(&mut out, arg)?;
        }
        out.push(")")?;
    }
    Ok(out.text)
}

fn is_secret(value: &Value, budget: &Budget) -> Result<bool, Exceeded> {
    budget.look(size_of::<Value>())?;
    let mut found = false;
    match value {
        Value::Secret(_) => found = true,
        Value::OptionalSecret(secret) => found = secret.is_secret(),
        Value::Array(items) => {
            for item in items.iter() {
                found |= is_secret(item, budget)?;
            }
        }
        Value::Object(fields) => {
            for field in fields.values() {
                found |= is_secret(field, budget)?;
            }
        }
        _ => {}
    }
    Ok(found)
}

/// One value by a verb. Lists and objects print each of their parts by it.
fn value(out: &mut Output<'_>, verb: char, arg: &Value, outermost: bool) -> Result<(), Exceeded> {
    match (verb, arg) {
        ('T', _) if outermost => out.pad(go_type(arg)),
        ('v', Value::Null) if outermost => out.pad("<nil>"),
        (_, Value::Null) if outermost => bad_verb(out, verb, arg),
        (_, Value::Null) if out.spec.sharp_v => out.push("interface {}(nil)"),
        (_, Value::Null) => out.push("<nil>"),
        ('t' | 'v', Value::Bool(value)) => out.pad(if *value { "true" } else { "false" }),
        (_, Value::Number(Number::Float(number))) if float::has(verb) => float::write(out, verb, *number),
        (_, Value::Number(number @ (Number::Int(_) | Number::Uint(_)))) if integer::has(verb) => {
            let signed = matches!(number, Number::Int(_));
            integer::write(out, verb, number.to_integer().unwrap_or(0), signed)
        }
        (_, Value::String(_) | Value::OptionalSecret(_)) if text::has(verb) => {
            text::write(out, verb, arg.as_str().unwrap_or(""))
        }
        ('p', _) => bad_verb(out, verb, arg),
        (_, Value::Array(items)) => {
            let (open, between, close) = if out.spec.sharp_v {
                ("[]interface {}{", ", ", "}")
            } else {
                ("[", " ", "]")
            };
            out.push(open)?;
            for (at, item) in items.iter().enumerate() {
                out.push(if at > 0 { between } else { "" })?;
                value(out, verb, item, false)?;
            }
            out.push(close)
        }
        (_, Value::Object(fields)) => {
            let (open, between, close) = if out.spec.sharp_v {
                ("map[string]interface {}{", ", ", "}")
            } else {
                ("map[", " ", "]")
            };
            out.push(open)?;
            for (at, (key, field)) in fields.iter().enumerate() {
                out.push(if at > 0 { between } else { "" })?;
                if text::has(verb) {
                    text::write(out, verb, key)?;
                } else {
                    bad_verb(out, verb, &Value::from(&**key))?;
                }
                out.push(":")?;
                value(out, verb, field, false)?;
            }
            out.push(close)
        }
        ('v', Value::Function(_) | Value::Capsule(_)) => out.pad(&arg.to_string()),
        _ => bad_verb(out, verb, arg),
    }
}

/// What a verb that does not fit prints: `%!d(string=x)`, the value still with the width of the verb.
fn bad_verb(out: &mut Output<'_>, verb: char, arg: &Value) -> Result<(), Exceeded> {
    out.push("%!")?;
    out.push_char(verb)?;
    out.push("(")?;
    typed(out, arg)?;
    out.push(")")
}

/// `string=x`
fn typed(out: &mut Output<'_>, arg: &Value) -> Result<(), Exceeded> {
    if matches!(arg, Value::Null) {
        return out.push("<nil>");
    }
    out.push(go_type(arg))?;
    out.push("=")?;
    value(out, 'v', arg, true)
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
        let found = format(format_text, args, &Budget::new()).unwrap();
        assert_eq!(found, expected, "{format_text}");
    }

    fn int(value: i64) -> Value {
        value.into()
    }

    #[test]
    fn verbs() {
        check("plain", &[], "plain");
        check("100%%|%s|%q", &["a".into(), "b\n".into()], "100%|a|\"b\\n\"");
        check(
            "%d %5d|%-5d|%05d %x %X",
            &[int(1), int(2), int(3), int(-4), int(255), int(255)],
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
        check("%v", &[Value::array(["a".into(), int(1)])], "[a 1]");
        check("%*d", &[int(4), int(7)], "   7");
        check("%.2s", &["abc".into()], "ab");
        check("%t", &[false.into()], "false");
        check("%+d % d", &[int(1), int(2)], "+1  2");
        check("%6.2f%%", &[12.0.into()], " 12.00%");
        check("%é", &[int(1)], "%!é(int=1)");
    }

    #[test]
    fn integers() {
        check(
            "%.0d|%.d|%5.0d|%05.0d",
            &[int(0), int(0), int(0), int(0)],
            "||     |     ",
        );
        check(
            "%08.3d|%.5d|%+.3d",
            &[int(7), int(-7), int(7)],
            "     007|-00007|+007",
        );
        check(
            "%#x %#X %#o %#b %O",
            &[int(255), int(255), int(8), int(5), int(8)],
            "0xff 0XFF 010 0b101 0o10",
        );
        check("%#08x|%x", &[int(255), int(-255)], "0x000000ff|-ff");
        check(
            "%c%q%U %#U",
            &[int(65), int(65), int(0x1f600), int(0x1f600)],
            "A'A'U+1F600 U+1F600 '😀'",
        );
        check(
            "%q %+q %q",
            &[int(10), int(0xe9), int(39)],
            "'\\n' '\\u00e9' '\\''",
        );
        check("%5c|%-5q|%05c", &[int(65), int(66), int(67)], "    A|'B'  |0000C");
        check(
            "%v %+v %#v %#v",
            &[int(-1), int(1), int(1), Value::from(10_u64)],
            "-1 1 1 0xa",
        );
        check("%d", &[Value::from(u64::MAX)], "18446744073709551615");
        check("%d", &[int(i64::MIN)], "-9223372036854775808");
        check("%s %e", &[int(1), int(2)], "%!s(int=1) %!e(int=2)");
    }

    #[test]
    fn floats() {
        let float = |value: f64| Value::from(value);
        check(
            "%x %X %.2x",
            &[float(1.5), float(-10.0), float(1.0)],
            "0x1.8p+00 -0X1.4P+03 0x1.00p+00",
        );
        check(
            "%x %.1x %x",
            &[float(0.0), float(1.999), float(5e-324)],
            "0x0p+00 0x1.0p+01 0x1p-1074",
        );
        check("%b", &[float(1.0)], "4503599627370496p-52");
        check(
            "%#g %#.3g %#f %#.0f %#e",
            &[float(1.0), float(100.0), float(1.0), float(2.0), float(1.0)],
            "1.00000 100. 1.000000 2. 1.000000e+00",
        );
        check("%#.3x %#v", &[float(1.0), float(1.0)], "0x1.000p+00 1");
        check(
            "%08.2f|%+08.2f|%-8.2f|% .1f",
            &[float(-1.5), float(1.5), float(1.5), float(1.5)],
            "-0001.50|+0001.50|1.50    | 1.5",
        );
        check(
            "%v %+v %5v %05v",
            &[
                float(f64::INFINITY),
                float(f64::INFINITY),
                float(f64::NEG_INFINITY),
                float(f64::NAN),
            ],
            "+Inf +Inf  -Inf   NaN",
        );
        check(
            "%.3v %v %g %G",
            &[float(1_234_567.0), float(1e21), float(1e-7), float(1e-7)],
            "1.23e+06 1e+21 1e-07 1E-07",
        );
        check("%d", &[float(1.0)], "%!d(float64=1)");
    }

    #[test]
    fn texts() {
        let text = |text: &str| Value::from(text);
        check(
            "%x %X %#x % x %# X",
            &[text("hi"), text("é"), text("hi"), text("hi"), text("hi")],
            "6869 C3A9 0x6869 68 69 0X68 0X69",
        );
        check(
            "%.1x|%6x|%-6x|%5x",
            &[text("hi"), text("hi"), text("hi"), text("")],
            "68|  6869|6869  |     ",
        );
        check(
            "%q %+q %#q %#q",
            &[text("é\u{1}\"\u{301}"), text("é😀"), text("a\"b"), text("a`b")],
            "\"é\\x01\\\"\u{301}\" \"\\u00e9\\U0001f600\" `a\"b` \"a`b\"",
        );
        check(
            "%q",
            &[text("\u{7}\u{7f}\u{ad}\u{200b}\u{a0}")],
            "\"\\a\\x7f\\u00ad\\u200b\\u00a0\"",
        );
        check(
            "%.2q|%5s|%-5s|%05s",
            &[text("abc"), text("é"), text("é"), text("a")],
            "\"ab\"|    é|é    |0000a",
        );
        check("%#v %+v", &[text("a\nb"), text("a")], "\"a\\nb\" a");
        check("%5t|%-6t|", &[true.into(), false.into()], " true|false |");
    }

    #[test]
    fn lists_and_objects() {
        let list = || Value::array([int(1), "a".into(), Value::Null]);
        let object = || Value::object([("b", int(1)), ("a", list())]);
        check("%5d", &[list()], "[    1 %!d(string=    a) <nil>]");
        check(
            "%v %+v",
            &[object(), list()],
            "map[a:[1 a <nil>] b:1] [1 a <nil>]",
        );
        check(
            "%#v",
            &[object()],
            r#"map[string]interface {}{"a":[]interface {}{1, "a", interface {}(nil)}, "b":1}"#,
        );
        check("%d", &[Value::object([("k", int(1))])], "map[%!d(string=k):1]");
        check("%q", &[Value::object([("k", "v".into())])], r#"map["k":"v"]"#);
        check("%s", &[list()], "[%!s(int=1) a <nil>]");
        check(
            "%T %T %10T|",
            &[list(), object(), int(1)],
            "[]interface {} map[string]interface {}        int|",
        );
    }

    #[test]
    fn indexes() {
        check("%[2]d %[1]d", &[int(1), int(2)], "2 1");
        check("%[2]d %d", &[int(1), int(2), int(3)], "2 3");
        check("%[3]*.[2]*[1]f|", &[12.0.into(), int(2), int(6)], " 12.00|");
        check("%6.2f|%[1]*.2f", &[int(6), 1.0.into()], "%!f(int=    06)|  1.00");
        check(
            "%[3]d %[0]d %[x]d",
            &[int(1)],
            "%!d(BADINDEX) %!d(BADINDEX) %!d(BADINDEX)",
        );
        check("%[]d %[1", &[int(1)], "%!d(BADINDEX) %!(NOVERB)");
        check("%[1]2d %[1].2d", &[int(1)], "%!d(BADINDEX) %!d(BADINDEX)");
        check("%[1]d", &[int(1), int(2)], "1");
    }

    #[test]
    fn what_does_not_fit_is_shown() {
        check("%d", &["x".into()], "%!d(string=x)");
        check("%d %d", &[int(1)], "1 %!d(MISSING)");
        check(
            "a",
            &[int(1), "b".into(), Value::Null],
            "a%!(EXTRA int=1, string=b, <nil>)",
        );
        check("%", &[], "%!(NOVERB)");
        check("%5.", &[int(1)], "%!(NOVERB)%!(EXTRA int=1)");
        check("%y", &[true.into()], "%!y(bool=true)");
        check("%d", &[Value::Null], "%!d(<nil>)");
        check(
            "%*d %.*d",
            &["x".into(), int(1), int(-1), int(2)],
            "%!(BADWIDTH)1 %!(BADPREC)2",
        );
        check("%*d|", &[int(-4), int(7)], "7   |");
        check("%*d", &[int(2_000_000), int(7)], "%!(BADWIDTH)7");
        check("%2000000d", &[int(7)], "%!(NOVERB)%!(EXTRA int=7)");
        check("%5%|%-%", &[], "%|%");
    }

    #[test]
    fn no_precision_is_too_high() {
        let one =
            |format_text: &str, value: f64| format(format_text, &[value.into()], &Budget::new()).unwrap();
        for precision in [1_099, 1_100, 1_101, 65_535, 65_536, 1_000_000] {
            let zeros = "0".repeat(precision - 1);
            assert_eq!(one(&format!("%.{precision}f"), 1.5), format!("1.5{zeros}"));
            assert_eq!(one(&format!("%.{precision}e"), -15.0), format!("-1.5{zeros}e+01"));
            assert!(one(&format!("%.{precision}E"), 0.15).starts_with("1.4999"));
            assert_eq!(one(&format!("%.{precision}x"), 1.5), format!("0x1.8{zeros}p+00"));
            assert_eq!(one(&format!("%.{precision}g"), 1.5), "1.5");
            assert_eq!(
                one(&format!("%#.{precision}g"), 1.5),
                format!("1.5{}", &zeros[1..])
            );
        }
        let least = one("%.2000f", 5e-324);
        assert_eq!(least.len(), 2_002);
        assert!(least.trim_end_matches('0').ends_with("5625"));
    }

    #[test]
    fn wide_verbs_are_bounded_by_the_budget() {
        for format_text in [
            "%1000000d",
            "%.1000000d",
            "%-1000000s",
            "%.1000000f",
            "%.1000000x",
            "%#.1000000g",
        ] {
            let arg = if format_text.ends_with('d') {
                int(1)
            } else {
                1.5.into()
            };
            let many = format_text.repeat(100);
            let fault = format(&many, &vec![arg; 100], &Budget::new()).unwrap_err();
            assert!(
                matches!(fault, CallError::Failed(message) if message.contains("64 MiB")),
                "{format_text}"
            );
        }
        let list = Value::array(vec![int(1); 100]);
        assert!(format("%1000000d", &[list], &Budget::new()).is_err());
        let shared = (0..60).fold(int(1), |inner, _| Value::array([inner.clone(), inner]));
        assert!(format("%v", &[shared], &Budget::of(1 << 20, 1 << 20)).is_err());
    }

    #[test]
    fn secrets_are_refused() {
        let secret = || Value::from(crate::value::Secret::new("x"));
        assert!(format("%s", &[secret()], &Budget::new()).is_err());
        let nested = Value::object([("a", Value::array([secret()]))]);
        assert!(format("%s", &[nested], &Budget::new()).is_err());
    }
}
