//! Attributes of sysfs as values: one file, one value.

use std::io;
use std::path::Path;

use crate::error::Error;
use crate::mode::Mode;
use crate::read::Buffer;
use crate::text;

/// node_exporter reads no more of an attribute, and takes the part for the whole.
const COMPAT_LIMIT: usize = 128;

/// Reads attributes as the mode has it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sysfs {
    mode: Mode,
}

impl Sysfs {
    pub(crate) fn new(mode: Mode) -> Self {
        Self { mode }
    }

    /// The content, trimmed, lent to `parse`.
    pub(crate) fn with<T>(self, path: &Path, parse: impl FnOnce(&[u8]) -> T) -> io::Result<T> {
        let mut buffer = Buffer::take();
        let mut content = buffer.attribute(path)?;
        if self.mode.is_compat() {
            content = content.get(..COMPAT_LIMIT).unwrap_or(content).trim_ascii();
        }
        Ok(parse(content))
    }

    /// The content, trimmed; bad UTF-8 is replaced.
    pub(crate) fn text(self, path: &Path) -> Result<String, Error> {
        self.with(path, |content| text::utf8(content).into_owned())
            .map_err(|error| Error::read(path, error))
    }

    /// As [`Sysfs::text`], and nothing where there is no such file.
    pub(crate) fn text_if_any(self, path: &Path) -> Result<Option<String>, Error> {
        if_any(self.text(path))
    }

    /// A decimal number without sign.
    pub(crate) fn unsigned(self, path: &Path) -> Result<u64, Error> {
        self.parsed(path, text::decimal)
    }

    /// As [`Sysfs::unsigned`], and nothing where there is no such file.
    pub(crate) fn unsigned_if_any(self, path: &Path) -> Result<Option<u64>, Error> {
        if_any(self.unsigned(path))
    }

    /// What `parse` makes of the content; its `None` is an error.
    pub(crate) fn parsed<T>(self, path: &Path, parse: impl FnOnce(&[u8]) -> Option<T>) -> Result<T, Error> {
        self.with(path, |content| {
            parse(content)
                .ok_or_else(|| Error::parse(path, format_args!("bad value {:?}", text::utf8(content))))
        })
        .map_err(|error| Error::read(path, error))?
    }

    /// What cannot be read is left out, unless node_exporter would fail as a whole and its quirks are kept.
    pub(crate) fn lenient<T>(self, result: Result<T, Error>) -> Result<Option<T>, Error> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(_) if !self.mode.is_compat() => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn is_compat(self) -> bool {
        self.mode.is_compat()
    }
}

/// Nothing instead of the error that a file is absent.
pub(crate) fn if_any<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_and_faults_forgiven_as_the_mode_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long");
        std::fs::write(&path, "x ".repeat(100)).unwrap();
        let (fixed, compat) = (Sysfs::new(Mode::Fixed), Sysfs::new(Mode::Compat));
        assert_eq!(fixed.text(&path).unwrap().len(), 199);
        assert_eq!(compat.text(&path).unwrap().len(), 127);
        assert!(fixed.lenient(fixed.unsigned(&path)).unwrap().is_none());
        assert!(compat.lenient(compat.unsigned(&path)).is_err());
        let absent = folder.path().join("absent");
        assert_eq!(compat.unsigned_if_any(&absent).unwrap(), None);
        assert_eq!(compat.text_if_any(&absent).unwrap(), None);
        assert!(compat.unsigned_if_any(&path).is_err());
    }
}
