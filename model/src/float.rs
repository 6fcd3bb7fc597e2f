//! Numbers as the exposition formats read and write them, which is as Go's `strconv` does.

use std::io::Write;

/// Appends `value` in Go's shortest `%g` form, with the words that Prometheus uses: `+Inf`, `-Inf`, `NaN`.
///
/// That is the decimal with the fewest digits that reads back as the same double, written with an exponent when
/// the exponent of its first digit is below -4 or above 5.
pub fn write_go(value: f64, out: &mut Vec<u8>) {
    if value.is_nan() {
        out.extend_from_slice(b"NaN");
        return;
    }
    if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"+Inf" } else { b"-Inf" });
        return;
    }
    if value == 0.0 {
        out.extend_from_slice(if value.is_sign_negative() { b"-0" } else { b"0" });
        return;
    }
    let mut scratch = [0_u8; 40];
    let mut rest = &mut scratch[..];
    // 17 digits, a point, a sign and an exponent fit.
    let written = match write!(rest, "{value:e}") {
        Ok(()) => 40 - rest.len(),
        Err(_) => 0,
    };
    let text = &scratch[..written];
    let (negative, text) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let split = text.iter().position(|b| *b == b'e').unwrap_or(text.len());
    let exponent = text
        .get(split + 1..)
        .and_then(|e| std::str::from_utf8(e).ok())
        .and_then(|e| e.parse().ok())
        .unwrap_or(0);
    let mut digits = [0_u8; 24];
    let mut count = 0;
    for digit in text[..split].iter().filter(|b| **b != b'.') {
        digits[count] = *digit;
        count += 1;
    }
    if negative {
        out.push(b'-');
    }
    layout_go(&digits[..count], exponent, out);
}

/// Lays out significant digits with the decimal exponent of the first one.
fn layout_go(digits: &[u8], exponent: i32, out: &mut Vec<u8>) {
    if !(-4..6).contains(&exponent) {
        out.push(digits[0]);
        if digits.len() > 1 {
            out.push(b'.');
            out.extend_from_slice(&digits[1..]);
        }
        let sign = if exponent < 0 { '-' } else { '+' };
        // Writing to a Vec cannot fail.
        let _ = write!(out, "e{sign}{:02}", exponent.unsigned_abs());
        return;
    }
    let Ok(whole) = usize::try_from(exponent) else {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(b'0', exponent.unsigned_abs() as usize - 1));
        out.extend_from_slice(digits);
        return;
    };
    if digits.len() <= whole + 1 {
        out.extend_from_slice(digits);
        out.extend(std::iter::repeat_n(b'0', whole + 1 - digits.len()));
    } else {
        out.extend_from_slice(&digits[..=whole]);
        out.push(b'.');
        out.extend_from_slice(&digits[whole + 1..]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn go(value: f64) -> String {
        let mut out = Vec::new();
        write_go(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn as_go_prints() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-1.0, "-1"),
            (248_896.0, "248896"),
            (1e6, "1e+06"),
            (4_186_624.0, "4.186624e+06"),
            (1.305e-6, "1.305e-06"),
            (0.0001, "0.0001"),
            (0.000_012, "1.2e-05"),
            (102.0 * 0.001, "0.10200000000000001"),
            (999_999.5, "999999.5"),
            (120.0, "120"),
            (1.7e308, "1.7e+308"),
            (5e-324, "5e-324"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(go(value), text);
        }
    }

    proptest! {
        #[test]
        fn reads_back_as_the_same_number(value in any::<f64>()) {
            prop_assume!(value.is_finite());
            prop_assert_eq!(go(value).parse::<f64>().unwrap().to_bits(), value.to_bits());
        }
    }
}
