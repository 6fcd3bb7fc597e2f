//! `ferroalloy run`.

use std::process::ExitCode;

use tokio::runtime;

use super::{Run, complain, may_color};
use crate::app::{App, Options, StartError};
use crate::config::ConfigSource;
use crate::error::{Error, chain};
use crate::signals::Signals;
use crate::{logging, process, sys};

impl Run {
    pub(super) fn execute(self) -> ExitCode {
        logging::install();
        match self.run() {
            Ok(()) => ExitCode::SUCCESS,
            Err(StartError::Load(error)) => {
                complain(&format!(
                    "{}\nError: could not perform the initial load successfully\n",
                    error.render(may_color())
                ));
                ExitCode::FAILURE
            }
            Err(StartError::Other(error)) => {
                complain(&format!("Error: {}\n", chain(&error)));
                ExitCode::FAILURE
            }
        }
    }

    fn run(self) -> Result<(), StartError> {
        let Self {
            path,
            listen,
            storage,
            stability,
            memory_budget,
            remote_write_url,
            disable_reporting: _nothing_is_reported,
        } = self;
        let config = match path {
            Some(path) => ConfigSource::Path(path),
            None => ConfigSource::built_in(remote_write_url.as_deref()),
        };
        match process::raise_open_file_limit() {
            Some(limit) => tracing::debug!(limit, "limit of open files"),
            None => tracing::warn!("the limit of open files cannot be read"),
        }
        sys::keep_one_heap();
        // Scraping and sending are cheap: two threads serve ten thousand targets, and each costs memory.
        let workers = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(2));
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(workers)
            .enable_all()
            .build()
            .map_err(|error| StartError::Other(Error::caused("cannot start the runtime", error)))?;
        runtime.block_on(async {
            let mut signals = Signals::listen().map_err(StartError::Other)?;
            let app = App::start(Options {
                config,
                listen,
                storage,
                stability,
                memory_budget: memory_budget.map(|bytes| bytes.0),
            })
            .await?;
            signals.until_told_to_stop(app.shared()).await;
            app.shutdown().await;
            Ok(())
        })?;
        // A collector that is stuck in a dead mount must not hold up the end.
        runtime.shutdown_background();
        Ok(())
    }
}
