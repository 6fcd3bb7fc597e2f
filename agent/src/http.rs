//! The HTTP server: Alloy's paths for readiness, health, reload and metrics, its JSON about components, and a
//! first page.

mod api;
mod control;
mod metrics;
mod page;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{any, get};
use ferroalloy_model::clock::{self, Clock};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::app::Shared;
use crate::error::Error;

/// How long connections get to end when the program stops.
const CLOSE_DEADLINE: Duration = Duration::from_millis(300);

/// The server, which runs until it is shut down.
#[derive(Debug)]
pub(crate) struct Server {
    addresses: Vec<SocketAddr>,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

/// Listens on `address`: on each address that a name such as `localhost` stands for, of both families.
///
/// # Errors
/// That the name means nothing or none of its addresses can be listened on.
pub(crate) async fn serve(address: &str, shared: Arc<Shared>) -> Result<Server, Error> {
    let failed = |error| Error::caused(format_args!("cannot listen on {address}"), error);
    // ":12345" means every address, as it does for Alloy.
    let wanted = if address.starts_with(':') {
        format!("[::]{address}")
    } else {
        address.to_owned()
    };
    let resolved: Vec<SocketAddr> = tokio::net::lookup_host(&wanted).await.map_err(failed)?.collect();
    let stop = CancellationToken::new();
    let mut server = Server {
        addresses: Vec::new(),
        stop,
        tasks: Vec::new(),
    };
    let mut last_error = None;
    for wanted in resolved {
        match TcpListener::bind(wanted).await {
            Ok(listener) => server
                .run(listener, router(Arc::clone(&shared)))
                .map_err(failed)?,
            Err(error) => last_error = Some(error),
        }
    }
    match last_error {
        // One family of two may be switched off on a host; none is an error.
        Some(error) if server.addresses.is_empty() => Err(failed(error)),
        _ => Ok(server),
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(page::overview))
        .route("/component/{*id}", get(page::component))
        .route("/style.css", get(page::style))
        .route("/page.js", get(page::script))
        .route("/metrics", get(metrics::own))
        .route("/-/ready", get(control::ready))
        .route("/-/healthy", get(control::healthy))
        .route("/-/reload", any(control::reload))
        .route("/api/v0/web/components", get(api::components))
        .route("/api/v0/web/components/{*id}", get(api::component))
        .route("/api/v0/component/{*path}", get(metrics::exporter))
        .with_state(shared)
}

impl Server {
    fn run(&mut self, listener: TcpListener, router: Router) -> std::io::Result<()> {
        self.addresses.push(listener.local_addr()?);
        let stop = self.stop.clone();
        let serving = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
        self.tasks.push(tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(error = &error as &dyn std::error::Error, "http server ended");
            }
        }));
        Ok(())
    }

    /// The addresses that are listened on.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Ends the server; requests in flight get a moment to finish.
    pub(crate) async fn shutdown(self, clock: &dyn Clock) {
        self.stop.cancel();
        let ended = async {
            for task in self.tasks {
                // It does not panic, and nobody else cancels it.
                let _ = task.await;
            }
        };
        // Whoever keeps a connection open beyond that is cut off by the end of the process.
        let _ = clock::timeout(clock, CLOSE_DEADLINE, ended).await;
    }
}
