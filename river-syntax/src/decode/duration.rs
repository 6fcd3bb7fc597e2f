//! Durations in Go's syntax: `1h30m`, `1.5s`, `100ms`; no days, no bare numbers.

use std::fmt::Write as _;
use std::time::Duration;

const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Parses a duration. Go's are at most about 292 years, and so are these; negative ones are refused, since no place
/// that takes a duration has a use for them.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let invalid = || format!("invalid duration \"{text}\"");
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.strip_prefix('-').is_some_and(|rest| rest == "0") {
        return Ok(Duration::ZERO);
    }
    if rest.starts_with('-') {
        return Err(format!("{}: it is negative", invalid()));
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut nanos = 0_u64;
    while !rest.is_empty() {
        let whole = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (integer, after) = rest.split_at(whole);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => after.split_at(after.bytes().take_while(u8::is_ascii_digit).count()),
            None => ("", after),
        };
        if integer.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let unit_length = after
            .find(|c: char| c == '.' || c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_length);
        let Some(&(_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(if unit.is_empty() {
                format!("{}: a unit is missing, such as \"s\"", invalid())
            } else {
                format!(
                    "{}: unknown unit \"{unit}\", expected one of ns, us, ms, s, m, h",
                    invalid()
                )
            });
        };
        let part = part(integer, fraction, scale);
        nanos = part
            .and_then(|part| nanos.checked_add(part))
            .ok_or_else(|| format!("{}: too long", invalid()))?;
        rest = after;
    }
    if i64::try_from(nanos).is_err() {
        return Err(format!("{}: too long", invalid()));
    }
    Ok(Duration::from_nanos(nanos))
}

/// `integer.fraction` units of `scale` nanoseconds; `None` when that is too many.
fn part(integer: &str, fraction: &str, scale: u64) -> Option<u64> {
    let whole: u64 = if integer.is_empty() {
        0
    } else {
        integer.parse().ok()?
    };
    let mut nanos = whole.checked_mul(scale)?;
    let mut place = u128::from(scale);
    let mut sum = 0_u128;
    let mut divisor = 1_u128;
    // Below a nanosecond nothing counts; 18 digits are more than that for any unit.
    for digit in fraction.bytes().take(18) {
        divisor *= 10;
        sum = sum * 10 + u128::from(digit - b'0');
    }
    place = place * sum / divisor;
    nanos = nanos.checked_add(u64::try_from(place).ok()?)?;
    Some(nanos)
}

/// A duration as the language writes it: `1h30m`, `1.5s`, `100ms`, without parts that are zero.
pub fn format_duration(duration: Duration) -> String {
    if duration.is_zero() {
        return "0s".to_owned();
    }
    let total = duration.as_nanos();
    if total < 1_000_000_000 {
        let (unit, scale) = match total {
            1_000_000.. => ("ms", 1_000_000),
            1_000.. => ("us", 1_000),
            _ => ("ns", 1),
        };
        return format!("{}{unit}", decimal(total, scale));
    }
    let (hours, rest) = (total / 3_600_000_000_000, total % 3_600_000_000_000);
    let (minutes, seconds) = (rest / 60_000_000_000, rest % 60_000_000_000);
    let mut out = String::new();
    if hours > 0 {
        let _ = write!(out, "{hours}h");
    }
    if minutes > 0 {
        let _ = write!(out, "{minutes}m");
    }
    if seconds > 0 {
        let _ = write!(out, "{}s", decimal(seconds, 1_000_000_000));
    }
    out
}

/// `value / scale` with as many decimals as it needs.
fn decimal(value: u128, scale: u128) -> String {
    let (whole, rest) = (value / scale, value % scale);
    if rest == 0 {
        return whole.to_string();
    }
    let width = scale.ilog10() as usize;
    let fraction = format!("{rest:0width$}");
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_syntax() {
        let millis = |text: &str| parse_duration(text).unwrap().as_millis();
        assert_eq!(millis("1h30m"), 5_400_000);
        assert_eq!(millis("1.5s"), 1_500);
        assert_eq!(millis("100ms"), 100);
        assert_eq!(millis(".5m"), 30_000);
        assert_eq!(millis("+1s"), 1_000);
        assert_eq!(millis("0"), 0);
        assert_eq!(parse_duration("1µs").unwrap(), Duration::from_micros(1));
        for bad in [
            "",
            "1",
            "1d",
            "s",
            ".s",
            "-1s",
            "1s2",
            "1 s",
            "9999999999999h",
            "1.h.",
            "é",
        ] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn written_and_read_again() {
        for (text, nanos) in [
            ("1h30m", 5_400_000_000_000),
            ("1.5s", 1_500_000_000),
            ("100ms", 100_000_000),
            ("1.25us", 1_250),
            ("7ns", 7),
        ] {
            assert_eq!(format_duration(Duration::from_nanos(nanos)), text);
            assert_eq!(parse_duration(text).unwrap(), Duration::from_nanos(nanos));
        }
    }
}
