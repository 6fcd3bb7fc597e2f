//! Sizes in bytes: `1MiB`, `512KB`, `100`.

use std::fmt;
use std::str::FromStr;

/// A number of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub u64);

/// Powers of 1024 have an `i` in them, powers of 1000 none; upper and lower case are the same.
const UNITS: [(&str, u64); 13] = [
    ("EiB", 1 << 60),
    ("EB", 1_000_000_000_000_000_000),
    ("PiB", 1 << 50),
    ("PB", 1_000_000_000_000_000),
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1_000),
    ("B", 1),
];

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Bytes, String> {
        let invalid = || format!("invalid byte size \"{text}\"");
        let digits = text
            .bytes()
            .take_while(|b| b.is_ascii_digit() || *b == b'.')
            .count();
        let (number, unit) = text.split_at(digits);
        let unit = unit.trim();
        let scale = match unit {
            "" => 1,
            unit => {
                let short = |name: &str| {
                    name.strip_suffix('B')
                        .is_some_and(|s| !s.is_empty() && s.eq_ignore_ascii_case(unit))
                };
                UNITS
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case(unit) || short(name))
                    .map(|(_, scale)| *scale)
                    .ok_or_else(|| format!("{}: unknown unit \"{unit}\"", invalid()))?
            }
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || fraction.contains('.') {
            return Err(invalid());
        }
        let whole: u64 = whole.parse().map_err(|_| invalid())?;
        let mut part = 0_u128;
        let mut divisor = 1_u128;
        for digit in fraction.bytes().take(18) {
            divisor *= 10;
            part = part * 10 + u128::from(digit - b'0');
        }
        let part = u64::try_from(u128::from(scale) * part / divisor).map_err(|_| invalid())?;
        let bytes = whole.checked_mul(scale).and_then(|bytes| bytes.checked_add(part));
        bytes
            .map(Bytes)
            .ok_or_else(|| format!("{}: too large", invalid()))
    }
}

/// In the largest unit of which it is a whole number, binary units before decimal ones.
impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |scale: &u64| self.0 != 0 && self.0.is_multiple_of(*scale);
        let binary = UNITS
            .iter()
            .find(|(name, scale)| name.contains('i') && whole(scale));
        let decimal = UNITS
            .iter()
            .find(|(name, scale)| !name.contains('i') && whole(scale));
        match binary.or(decimal) {
            Some((name, scale)) => write!(f, "{}{name}", self.0 / scale),
            None => write!(f, "{}B", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let size = |text: &str| text.parse::<Bytes>().unwrap().0;
        assert_eq!(size("1MiB"), 1 << 20);
        assert_eq!(size("1MB"), 1_000_000);
        assert_eq!(size("1.5 KiB"), 1536);
        assert_eq!(size("10"), 10);
        assert_eq!(size("10B"), 10);
        assert_eq!(size("2g"), 2_000_000_000);
        for bad in ["", "MB", "1XB", "1..5MB", ".5MB", "99999EiB", "-1B"] {
            assert!(bad.parse::<Bytes>().is_err(), "{bad}");
        }
        assert_eq!(Bytes(10 << 20).to_string(), "10MiB");
        assert_eq!(Bytes(5_000).to_string(), "5KB");
        assert_eq!(Bytes(0).to_string(), "0B");
    }
}
