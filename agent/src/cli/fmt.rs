//! `ferroalloy fmt`: as `alloy fmt`, and on folders too.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use river_syntax::SourceMap;

use super::{Fmt, complain};

impl Fmt {
    pub(super) fn execute(self) -> ExitCode {
        match self.format() {
            Ok(()) => ExitCode::SUCCESS,
            Err(message) => {
                complain(&message);
                ExitCode::FAILURE
            }
        }
    }

    fn format(&self) -> Result<(), String> {
        if self.write && self.test {
            return Err("Error: -w and -t exclude each other\n".to_owned());
        }
        let path = self.path.as_deref().filter(|path| *path != Path::new("-"));
        match path {
            None if self.write => {
                Err("Error: cannot write to standard input; name a file with -w\n".to_owned())
            }
            None => self.format_one(None),
            Some(folder) if folder.is_dir() => self.format_folder(folder),
            Some(file) => self.format_one(Some(file)),
        }
    }

    /// Every file, whatever is wrong with another.
    fn format_folder(&self, folder: &Path) -> Result<(), String> {
        let name = folder.display();
        if !(self.write || self.test) {
            return Err(format!(
                "Error: {name} is a folder; use -w to format its files, or -t to test them\n"
            ));
        }
        let mut files = Vec::new();
        gather(folder, &mut files)?;
        if files.is_empty() {
            return Err(format!("Error: no *.alloy files in {name}\n"));
        }
        let complaints: String = files
            .iter()
            .filter_map(|file| self.format_one(Some(file)).err())
            .collect();
        if complaints.is_empty() {
            Ok(())
        } else {
            Err(complaints)
        }
    }

    fn format_one(&self, file: Option<&Path>) -> Result<(), String> {
        let (name, bytes) = read(file)?;
        let mut sources = SourceMap::new();
        let source = sources.add(name.clone(), bytes.clone());
        let formatted = river_syntax::format_source(&source).map_err(|faults| {
            let mut complaint = String::new();
            for fault in &faults {
                let _ = writeln!(complaint, "{}: {fault}", sources.locate(fault.span()));
            }
            complaint + "Error: encountered errors during formatting\n"
        })?;
        let unchanged = formatted.as_bytes() == bytes;
        match file {
            _ if self.test && unchanged => Ok(()),
            _ if self.test => Err(format!("Error: file {name} is not formatted correctly\n")),
            Some(path) if self.write && !unchanged => {
                replace(path, &formatted).map_err(|error| format!("Error: cannot write {name}: {error}\n"))
            }
            Some(_) if self.write => Ok(()),
            _ => io::stdout()
                .write_all(formatted.as_bytes())
                .map_err(|error| format!("Error: cannot write to standard output: {error}\n")),
        }
    }
}

/// The `*.alloy` files in a folder and the folders in it, by name. What is hidden is left alone, and links to folders
/// are not followed.
fn gather(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let cannot_read = |error: io::Error| format!("Error: cannot read {}: {error}\n", folder.display());
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot_read)? {
        let entry = entry.map_err(cannot_read)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            entries.push((entry.path(), entry.file_type().map_err(cannot_read)?));
        }
    }
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (path, kind) in entries {
        if kind.is_dir() {
            gather(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "alloy") {
            let kind = fs::metadata(&path)
                .map_err(|error| format!("Error: cannot read {}: {error}\n", path.display()))?;
            if kind.is_file() {
                files.push(path);
            } else if !kind.is_dir() {
                return Err(format!("Error: {} is not a file\n", path.display()));
            }
        }
    }
    Ok(())
}

fn read(file: Option<&Path>) -> Result<(String, Vec<u8>), String> {
    let Some(path) = file else {
        let mut bytes = Vec::new();
        io::stdin()
            .read_to_end(&mut bytes)
            .map_err(|error| format!("Error: cannot read standard input: {error}\n"))?;
        return Ok(("<stdin>".to_owned(), bytes));
    };
    let name = path.display().to_string();
    let bytes = fs::read(path).map_err(|error| format!("Error: cannot read {name}: {error}\n"))?;
    Ok((name, bytes))
}

/// Puts `text` in the place of a file in one step, so that neither a full disk nor a kill leaves half of it. A link
/// stays one: what it leads to is replaced.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(name);
    let written = fs::write(&beside, text)
        .and_then(|()| fs::set_permissions(&beside, fs::metadata(&path)?.permissions()))
        .and_then(|()| fs::rename(&beside, &path));
    if written.is_err() {
        // What is reported is why it could not be written.
        let _ = fs::remove_file(&beside);
    }
    written
}
