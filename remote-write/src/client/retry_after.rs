//! `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date.

use std::time::Duration;

/// A receiver may ask for this much at most: after a day's rest nobody would remember why.
const AT_MOST: Duration = Duration::from_mins(5);

/// How long to wait, given the wall clock in milliseconds since 1970. A date that is past is no wait.
pub(super) fn parse(value: &str, wall: i64) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds).min(AT_MOST));
    }
    let until = date(value)?;
    let wait =
        Duration::from_millis(u64::try_from(until.saturating_mul(1000).saturating_sub(wall)).unwrap_or(0));
    Some(wait.min(AT_MOST))
}

/// Seconds since 1970 of a date in the preferred form, `Sun, 06 Nov 1994 08:49:37 GMT`.
fn date(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (_, rest) = text.split_once(", ")?;
    let mut fields = rest.split(' ');
    let day: i64 = fields.next()?.parse().ok()?;
    let name = fields.next()?;
    let month = MONTHS.iter().position(|month| *month == name)?;
    let year: i64 = fields.next()?.parse().ok()?;
    let mut time = fields.next()?.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let in_range = (1..=31).contains(&day)
        && (1970..=9999).contains(&year)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    if fields.next()? != "GMT" || !in_range {
        return None;
    }
    Some(days(year, i64::try_from(month).ok()? + 1, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Days since 1970 of a date in the Gregorian calendar: years are counted from March, so that a leap day comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates() {
        let wall = 784_111_777_000;
        assert_eq!(date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(date("Thu, 29 Feb 2024 00:00:00 GMT"), Some(1_709_164_800));
        assert_eq!(date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(parse(" 7 ", wall), Some(Duration::from_secs(7)));
        assert_eq!(parse("86400", wall), Some(Duration::from_mins(5)));
        assert_eq!(
            parse("Sun, 06 Nov 1994 08:49:47 GMT", wall),
            Some(Duration::from_secs(10))
        );
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:07 GMT", wall), Some(Duration::ZERO));
        for wrong in [
            "",
            "-1",
            "soon",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 99 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(parse(wrong, wall), None, "{wrong}");
        }
    }
}
