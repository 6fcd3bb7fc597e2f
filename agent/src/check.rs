//! The whole check of a configuration without running it.

use std::sync::Arc;

use ferroalloy_model::SystemClock;
use river_syntax::{Diagnostic, SourceMap, Stability};
use tokio_util::sync::CancellationToken;

use crate::component::Host;
use crate::config::ConfigSource;
use crate::controller;
use crate::error::Error;
use crate::own_metrics::OwnMetrics;
use crate::process;

/// What is to be said about a configuration, and the text it is about.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) sources: SourceMap,
    /// Errors and warnings.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Checks a configuration: all of it, whatever is wrong with one part.
///
/// # Errors
/// The configuration cannot be read.
pub(crate) fn check(source: &ConfigSource, stability: Stability) -> Result<Verdict, Error> {
    let config = source.read()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::caused("cannot start the runtime", error))?;
    let _runtime = runtime.enter();
    let host = Arc::new(Host {
        hostname: process::hostname(),
        user_agent: process::user_agent(),
        in_process: Arc::default(),
        memory: Arc::default(),
        own_metrics: Arc::new(OwnMetrics::default()),
        stopping: CancellationToken::new(),
        storage: None,
        stability,
        clock: Arc::new(SystemClock),
    });
    let diagnostics = controller::check(&config, &host);
    Ok(Verdict {
        sources: config.sources,
        diagnostics,
    })
}
