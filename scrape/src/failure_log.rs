//! The file of scrapes that failed: a line of JSON for each, with the fields that Prometheus' has.
//!
//! Invariant: a loop never waits for the disk. Lines go to a thread; where it does not keep up they are dropped and
//! counted. The file is opened for each batch of lines, so it may be moved away at any time.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::error::{Error, ErrorKind};

/// Lines that may wait for the disk.
const WAITING: usize = 1024;

/// A failure log that is being written. Dropping it ends the thread behind what waits.
#[derive(Debug)]
pub(crate) struct FailureLog {
    path: PathBuf,
    lines: SyncSender<String>,
}

impl FailureLog {
    /// Appends to the file at `path`, which is made if it is not there.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let failed = |error: io::Error| {
            let message = format!("the scrape failure log {} cannot be written", path.display());
            Error::new(ErrorKind::Config, message).with_source(error)
        };
        append(path).map_err(failed)?;
        let (lines, waiting) = sync_channel(WAITING);
        let file = path.to_owned();
        std::thread::Builder::new()
            .name("scrape failures".to_owned())
            .spawn(move || write_lines(&file, &waiting))
            .map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            lines,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a line; false where the disk does not keep up. `time` is in milliseconds since 1970.
    pub(crate) fn write(&self, time: i64, job: &str, target: &str, error: &str) -> bool {
        let mut line = format!("{{\"time\":\"{}\",\"level\":\"ERROR\",\"msg\":", rfc3339(time));
        quote(error, &mut line);
        line.push_str(",\"job_name\":");
        quote(job, &mut line);
        line.push_str(",\"target\":");
        quote(target, &mut line);
        line.push_str("}\n");
        self.lines.try_send(line).is_ok()
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

fn write_lines(path: &Path, waiting: &Receiver<String>) {
    while let Ok(first) = waiting.recv() {
        let text: String = std::iter::once(first).chain(waiting.try_iter()).collect();
        if let Err(error) = append(path).and_then(|mut file| file.write_all(text.as_bytes())) {
            tracing::warn!(path = %path.display(), %error, "the scrape failure log cannot be written");
        }
    }
}

/// Appends a text as a JSON string.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c < ' ' => {
                // Writing to a string does not fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A time in milliseconds since 1970 as RFC 3339 has it (days to dates after Hinnant, "chrono-compatible low-level date
/// algorithms").
fn rfc3339(time: i64) -> String {
    let (day, rest) = (time.div_euclid(86_400_000), time.rem_euclid(86_400_000));
    let shifted = day + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let (seconds, millis) = (rest / 1000, rest % 1000);
    format!(
        "{year:04}-{month:02}-{date:02}T{:02}:{:02}:{:02}.{millis:03}Z",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates() {
        for (time, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_001, "2000-02-29T00:00:00.001Z"),
            (1_735_689_599_999, "2024-12-31T23:59:59.999Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(rfc3339(time), text);
        }
    }

    #[test]
    fn strings_are_quoted() {
        let mut out = String::new();
        quote("a\"b\\c\nd\u{1}é", &mut out);
        assert_eq!(out, r#""a\"b\\c\nd\u0001é""#);
    }

    #[test]
    fn a_file_that_cannot_be_written_is_told_at_once() {
        let error = FailureLog::open(Path::new("/nowhere/at/all.log")).expect_err("no folder");
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("/nowhere/at/all.log"), "{error}");
    }
}
