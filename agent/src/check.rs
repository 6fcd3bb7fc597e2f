//! The whole check of a configuration without running it.

use std::path::PathBuf;
use std::sync::Arc;

use ferroalloy_model::SystemClock;
use tokio_util::sync::CancellationToken;

use crate::component::Host;
use crate::config::{ConfigSource, LoadError};
use crate::controller;
use crate::own_metrics::OwnMetrics;
use crate::process;

/// Warnings about a configuration, as text; empty when there are none.
///
/// # Errors
/// The report of everything that is wrong.
pub(crate) fn check(source: &ConfigSource) -> Result<String, String> {
    let config = source.read().map_err(|error| error.render())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("Error: cannot start the runtime: {error}\n"))?;
    let _runtime = runtime.enter();
    let host = Arc::new(Host {
        hostname: process::hostname(),
        user_agent: process::user_agent(),
        in_process: Arc::default(),
        own_metrics: Arc::new(OwnMetrics::default()),
        stopping: CancellationToken::new(),
        storage: PathBuf::new(),
        clock: Arc::new(SystemClock),
    });
    match controller::check(&config.files, &host) {
        Ok(warnings) => Ok(river_syntax::diag::render_all(&warnings, &config.sources)),
        Err(faults) => Err(LoadError::Faults(config.sources, faults).render()),
    }
}
