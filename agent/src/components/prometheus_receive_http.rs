//! `prometheus.receive_http`: takes remote write from others.

mod arguments;
mod listen;
mod server;
mod tls;
mod watch;

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use ferroalloy_model::{Clock, Families, Reconfigured};
use river_syntax::ToValue;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::arguments::receivers;
use crate::component::{Context, Define, Details};
use crate::error::Error;
use arguments::Arguments;
use server::Shared;

#[derive(Debug)]
pub(super) struct ReceiveHttp {
    arguments: Mutex<Arguments>,
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
}

/// It exports nothing.
#[derive(Debug, ToValue)]
pub(super) struct Exports {}

#[async_trait]
impl Define for ReceiveHttp {
    type Arguments = Arguments;
    type Exports = Exports;

    const NAME: &'static str = "prometheus.receive_http";
    const SUMMARY: &'static str = "Takes samples by remote write and passes them on.";

    fn check(arguments: &Arguments) -> Result<(), Error> {
        arguments.check()
    }

    fn build(context: Context, arguments: &Arguments) -> Result<Self, Error> {
        arguments.check()?;
        context.exports.publish(&Exports {});
        Ok(Self {
            arguments: Mutex::new(arguments.clone()),
            clock: Arc::clone(&context.host.clock),
            shared: Arc::new(Shared::new(
                receivers(&arguments.forward_to),
                &context.id,
                arguments.accepted(),
            )),
        })
    }

    fn update(&self, arguments: &Arguments) -> Result<Reconfigured, Error> {
        arguments.check()?;
        let mut current = self.arguments.lock().unwrap_or_else(PoisonError::into_inner);
        if current.http != arguments.http
            || current.graceful_shutdown_timeout != arguments.graceful_shutdown_timeout
        {
            return Ok(Reconfigured::Restart);
        }
        self.shared.next.set(receivers(&arguments.forward_to));
        *self
            .shared
            .accepted
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = arguments.accepted();
        *current = arguments.clone();
        Ok(Reconfigured::Kept)
    }

    async fn run(&self, stop: CancellationToken) -> Result<(), Error> {
        let arguments = self
            .arguments
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let address = arguments.http.address();
        let listener = TcpListener::bind(&address)
            .await
            .map_err(|error| Error::caused(format_args!("cannot listen on {address}"), error))?;
        tracing::info!(address, "remote write is taken");
        for argument in arguments.without_meaning() {
            tracing::warn!(argument, "the argument has no meaning here and changes nothing");
        }
        listen::serve(
            listener,
            &arguments.http,
            Arc::clone(&self.shared),
            stop,
            arguments.graceful_shutdown_timeout,
            Arc::clone(&self.clock),
        )
        .await
    }

    fn details(&self) -> Details {
        let arguments = self.arguments.lock().unwrap_or_else(PoisonError::into_inner);
        Details {
            columns: vec!["address", "path"],
            rows: vec![vec![arguments.http.address(), server::PATH.to_owned()]],
        }
    }

    fn collect(&self, out: &mut Families) {
        self.shared.counters.collect(out);
    }
}
