//! `ferroalloy validate`: the whole check of `run`, without running.

use std::process::ExitCode;

use super::{Validate, complain};
use crate::check;
use crate::config::ConfigSource;

impl Validate {
    pub(super) fn execute(self) -> ExitCode {
        match check::check(&ConfigSource::Path(self.path)) {
            Ok(warnings) => {
                complain(&warnings);
                ExitCode::SUCCESS
            }
            Err(report) => {
                complain(&format!("{report}\nError: validation failed\n"));
                ExitCode::FAILURE
            }
        }
    }
}
