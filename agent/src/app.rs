//! The running program: what `ferroalloy run` starts, and what a test can start in its own process.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ferroalloy_model::{Clock, Collect, SystemClock};
use river_syntax::Stability;
use tokio_util::sync::CancellationToken;

use crate::component::Host;
use crate::config::{ConfigSource, LoadError};
use crate::controller::{self, Controller};
use crate::error::Error;
use crate::http::{self, Server};
use crate::in_process::InProcess;
use crate::memory::{self, Memory};
use crate::own_metrics::OwnMetrics;
use crate::process;
use crate::storage::Storage;

/// How long components get to finish what they are at when the program is told to stop.
pub const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(4);

/// What `run` is told on the command line.
#[derive(Debug, Clone)]
pub struct Options {
    /// The configuration.
    pub config: ConfigSource,
    /// `host:port` to listen on.
    pub listen: String,
    /// The storage folder.
    pub storage: PathBuf,
    /// How settled what the configuration uses must be.
    pub stability: Stability,
    /// The most memory to use, in bytes; 0 for no bound, and that of the control group where there is none.
    pub memory_budget: Option<u64>,
}

/// The running program.
#[derive(Debug)]
pub struct App {
    shared: Arc<Shared>,
    server: Server,
    _storage: Storage,
}

/// What HTTP handlers and signals act upon.
#[derive(Debug)]
pub struct Shared {
    /// Runs the components.
    pub controller: Arc<Controller>,
    /// What components share.
    pub host: Arc<Host>,
    config: ConfigSource,
    /// Held from reading to loading, so that of two reloads at once the text that was read last counts.
    reloading: tokio::sync::Mutex<()>,
}

/// Why the program did not start.
#[derive(Debug)]
pub enum StartError {
    /// The configuration is wrong.
    Load(LoadError),
    /// Something else.
    Other(Error),
}

impl App {
    /// Starts everything. The HTTP server is up before the components are, so that `/-/ready` can say so.
    ///
    /// # Errors
    /// That the address or the storage folder cannot be had, or what is wrong with the configuration.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let clock = Arc::new(SystemClock);
        let host = Arc::new(Host {
            hostname: process::hostname(),
            user_agent: process::user_agent(),
            in_process: Arc::default(),
            memory: Arc::new(Memory::new(
                options.memory_budget.or_else(memory::of_control_group),
            )),
            own_metrics: Arc::new(OwnMetrics::new(clock.wall())),
            stopping: CancellationToken::new(),
            storage: Some(options.storage.clone()),
            stability: options.stability,
            clock,
        });
        // Whatever is wrong with the configuration is said before a port is taken or a folder made.
        let config = options
            .config
            .read()
            .map_err(|error| StartError::Load(LoadError::Read(error)))?;
        let faults = controller::check(&config, &host);
        if faults.iter().any(river_syntax::Diagnostic::is_error) {
            return Err(StartError::Load(LoadError::Faults(config.sources, faults)));
        }
        let storage = Storage::open(&options.storage).map_err(StartError::Other)?;
        let controller = Arc::new(Controller::new(Arc::clone(&host)));
        let components: Arc<dyn Collect> = Arc::clone(&controller) as _;
        host.own_metrics.add_components(&components);
        host.own_metrics.add_memory(&host.memory);
        let shared = Arc::new(Shared {
            controller,
            host,
            config: options.config,
            reloading: tokio::sync::Mutex::default(),
        });
        tokio::spawn(memory::watch(Arc::clone(&shared.host)));
        tokio::spawn(memory::give_back(Arc::clone(&shared.host)));
        let server = http::serve(&options.listen, Arc::clone(&shared))
            .await
            .map_err(StartError::Other)?;
        for address in server.addresses() {
            tracing::info!(addr = %address, "now listening for http traffic");
        }
        if let Err(faults) = shared.controller.load(&config).await {
            return Err(StartError::Load(LoadError::Faults(config.sources, faults)));
        }
        tracing::info!("configuration loaded");
        Ok(Self {
            shared,
            server,
            _storage: storage,
        })
    }

    /// What HTTP handlers and signals act upon.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The addresses that are listened on.
    pub fn addresses(&self) -> &[SocketAddr] {
        self.server.addresses()
    }

    /// Stops everything within five seconds: scrapes end, requests in flight are finished.
    pub async fn shutdown(self) {
        self.shared.host.stopping.cancel();
        self.shared.controller.shutdown(SHUTDOWN_DEADLINE).await;
        self.server.shutdown(self.shared.host.clock.as_ref()).await;
    }
}

impl Shared {
    /// Reads the configuration again and puts it into force.
    ///
    /// # Errors
    /// What is wrong with it; the old one runs on then.
    pub async fn reload(&self) -> Result<(), LoadError> {
        let _reloading = self.reloading.lock().await;
        let outcome = match self.config.read() {
            Ok(config) => self
                .controller
                .load(&config)
                .await
                .map_err(|faults| LoadError::Faults(config.sources, faults)),
            Err(error) => {
                self.host
                    .own_metrics
                    .telemetry
                    .loaded(false, self.host.clock.wall());
                Err(LoadError::Read(error))
            }
        };
        match &outcome {
            Ok(()) => tracing::info!("config reloaded"),
            Err(error) => tracing::error!(
                error = error.brief(),
                "failed to reload config, the old one runs on"
            ),
        }
        outcome
    }

    /// The exporters of this process.
    pub fn in_process(&self) -> &InProcess {
        &self.host.in_process
    }
}
