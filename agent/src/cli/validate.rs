//! `ferroalloy validate`: the whole check of `run`, without running.

use std::io::{self, Write};
use std::process::ExitCode;

use river_syntax::Diagnostic;
use river_syntax::diag::{self, Renderer};

use super::{Report, Validate, complain, may_color};
use crate::check;
use crate::config::ConfigSource;
use crate::error::chain;

impl Validate {
    pub(super) fn execute(self) -> ExitCode {
        let verdict = match check::check(&ConfigSource::Path(self.path), self.stability) {
            Ok(verdict) => verdict,
            Err(error) => {
                complain(&format!("Error: {}\n\nError: validation failed\n", chain(&error)));
                return ExitCode::FAILURE;
            }
        };
        let diagnostics = &verdict.diagnostics;
        let failed =
            diagnostics.iter().any(Diagnostic::is_error) || (self.deny_warnings && !diagnostics.is_empty());
        match self.format {
            Report::Full | Report::Plain => {
                let renderer = Renderer::new(&verdict.sources).color(may_color());
                let renderer = match self.format {
                    Report::Plain => renderer.plain(),
                    _ => renderer,
                };
                complain(&renderer.render_all(diagnostics));
                if failed {
                    complain("\nError: validation failed\n");
                }
            }
            Report::Json => {
                let json = diag::to_json(diagnostics, &verdict.sources);
                if let Err(error) = writeln!(io::stdout(), "{json}") {
                    complain(&format!("Error: cannot write to standard output: {error}\n"));
                    return ExitCode::FAILURE;
                }
            }
        }
        if failed {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    }
}
