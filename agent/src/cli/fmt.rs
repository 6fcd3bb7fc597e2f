//! `ferroalloy fmt`: as `alloy fmt`.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use river_syntax::{SourceMap, diag};

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
        let file = self.file.as_deref().filter(|path| *path != Path::new("-"));
        if self.write && file.is_none() {
            return Err("Error: cannot write to standard input; name a file with -w\n".to_owned());
        }
        let (name, bytes) = read(file)?;
        let mut sources = SourceMap::new();
        let source = sources.add(name.clone(), bytes.clone());
        let formatted = river_syntax::format_source(&source).map_err(|faults| {
            format!(
                "{}\nError: encountered errors during formatting\n",
                diag::render_all(&faults, &sources)
            )
        })?;
        let unchanged = formatted.as_bytes() == bytes;
        match file {
            _ if self.test && unchanged => Ok(()),
            _ if self.test => Err(format!("Error: file {name} is not formatted correctly\n")),
            Some(path) if self.write && !unchanged => {
                fs::write(path, formatted).map_err(|error| format!("Error: cannot write {name}: {error}\n"))
            }
            Some(_) if self.write => Ok(()),
            _ => io::stdout()
                .write_all(formatted.as_bytes())
                .map_err(|error| format!("Error: cannot write to standard output: {error}\n")),
        }
    }
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
    if path.is_dir() {
        return Err(format!("Error: {name} is a folder; name a file\n"));
    }
    let bytes = fs::read(path).map_err(|error| format!("Error: cannot read {name}: {error}\n"))?;
    Ok((name, bytes))
}
