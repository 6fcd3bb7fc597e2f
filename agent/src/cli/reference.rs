//! `ferroalloy reference`: what may stand in a configuration, for people and for editors.

use std::io::{self, Write};
use std::process::ExitCode;

use river_syntax::{diag, reference};

use super::{Pages, Reference, complain};
use crate::reference::entries;

/// What the page of the standard library is called.
const STDLIB: &str = "stdlib";

impl Reference {
    pub(super) fn execute(self) -> ExitCode {
        match self.text() {
            Ok(text) => match io::stdout().write_all(text.as_bytes()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    complain(&format!("Error: cannot write to standard output: {error}\n"));
                    ExitCode::FAILURE
                }
            },
            Err(message) => {
                complain(&message);
                ExitCode::FAILURE
            }
        }
    }

    fn text(&self) -> Result<String, String> {
        let mut entries = entries();
        let with_functions = self.name.as_deref().is_none_or(|name| name == STDLIB);
        if let Some(name) = self.name.as_deref() {
            let known = entries.iter().map(|entry| entry.name).chain([STDLIB]);
            if !known.clone().any(|known| known == name) {
                let hint = diag::closest(name, known).map(|close| format!(", did you mean {close}?"));
                return Err(format!("Error: there is no {name}{}\n", hint.unwrap_or_default()));
            }
            entries.retain(|entry| entry.name == name);
        }
        match self.format {
            Pages::Markdown => {
                let mut pages: Vec<String> = entries.iter().map(reference::page).collect();
                pages.extend(with_functions.then(reference::functions_page));
                Ok(pages.join("\n"))
            }
            Pages::Json => Ok(format!("{}\n", reference::schema(&entries))),
        }
    }
}
