//! One component that was built, and the task that runs it and runs it again.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ferroalloy_model::clock::{self, Clock};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::component::{Component, Descriptor, Exports, Host};
use crate::error::chain;
use crate::health::{Health, State};

/// Waits between the runs of a component that fails: doubled each time, up to the second one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// A component that was built.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) id: Arc<str>,
    pub(super) descriptor: &'static Descriptor,
    pub(super) component: Arc<dyn Component>,
    pub(super) exports: Arc<Exports>,
    evaluation: Mutex<Health>,
    run: Arc<Mutex<Health>>,
    stop: CancellationToken,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Live {
    pub(super) fn new(
        id: Arc<str>,
        descriptor: &'static Descriptor,
        component: Arc<dyn Component>,
        exports: Arc<Exports>,
    ) -> Self {
        Self {
            id,
            descriptor,
            component,
            exports,
            evaluation: Mutex::new(Health::new(State::Healthy, "", 0)),
            run: Arc::default(),
            stop: CancellationToken::new(),
            task: Mutex::default(),
        }
    }

    /// Runs the component until it is stopped.
    pub(super) fn start(&self, host: &Arc<Host>) {
        let span = tracing::info_span!("component", component_id = &*self.id);
        let supervisor = Supervisor {
            component: Arc::clone(&self.component),
            stop: self.stop.clone(),
            health: Arc::clone(&self.run),
            clock: Arc::clone(&host.clock),
        };
        let task = tokio::spawn(supervisor.run().instrument(span));
        *self.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
    }

    /// Notes how the last evaluation went.
    pub(super) fn evaluated(&self, outcome: Result<(), String>, now: i64) {
        let mut evaluation = self.evaluation.lock().unwrap_or_else(PoisonError::into_inner);
        *evaluation = match outcome {
            Ok(()) => Health::new(State::Healthy, "component evaluated", now),
            Err(message) => Health::new(State::Unhealthy, message, now),
        };
    }

    /// The worst of run, evaluation and the component's own account.
    pub(super) fn health(&self) -> Health {
        let run = self.run.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let evaluation = self
            .evaluation
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let health = run.worse(evaluation);
        match self.component.health() {
            // What a component says of itself is more than "started".
            Some(own) if own.state >= health.state => own,
            _ => health,
        }
    }
}

/// Stops components, all at once, and waits for them; what still runs at the deadline is given up.
pub(super) async fn stop_all(all: Vec<Arc<Live>>, clock: &dyn Clock, deadline: Duration) {
    for live in &all {
        live.stop.cancel();
    }
    let stopped = async {
        for live in &all {
            let task = live.task.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(task) = task {
                // The supervisor contains panics; that it was cancelled is of no interest.
                let _ = task.await;
            }
        }
    };
    if clock::timeout(clock, deadline, stopped).await.is_err() {
        let ids: Vec<&str> = all.iter().map(|live| &*live.id).collect();
        tracing::warn!(
            components = ids.join(", "),
            "components did not stop in time and were given up"
        );
    }
}

struct Supervisor {
    component: Arc<dyn Component>,
    stop: CancellationToken,
    health: Arc<Mutex<Health>>,
    clock: Arc<dyn Clock>,
}

impl Supervisor {
    async fn run(self) {
        let mut pause = FIRST_PAUSE;
        loop {
            self.note(State::Healthy, "started component");
            let begun = self.clock.elapsed();
            let component = Arc::clone(&self.component);
            let stop = self.stop.clone();
            // A task of its own, so that a panic ends it and not the supervisor.
            let run = tokio::spawn(async move { component.run(stop).await }.in_current_span());
            let outcome = run.await;
            if self.stop.is_cancelled() {
                self.note(State::Exited, "component shut down");
                return;
            }
            match outcome {
                Ok(Ok(())) => {
                    self.note(State::Exited, "component exited");
                    tracing::error!("component exited, and will be run again");
                }
                Ok(Err(error)) => {
                    let message = chain(&error);
                    tracing::error!(
                        error = message.as_str(),
                        "component failed, and will be run again"
                    );
                    self.note(State::Unhealthy, message);
                }
                Err(failure) => {
                    let message = match failure.try_into_panic() {
                        Ok(panic) => format!("component panicked: {}", panic_message(&*panic)),
                        Err(cancelled) => chain(&cancelled),
                    };
                    tracing::error!(
                        error = message.as_str(),
                        "component panicked, and will be run again"
                    );
                    self.note(State::Unhealthy, message);
                }
            }
            // One that ran for a while before it failed is not in a loop of failures.
            if self.clock.elapsed().saturating_sub(begun) > LONGEST_PAUSE {
                pause = FIRST_PAUSE;
            }
            super::pause(&self.stop, self.clock.as_ref(), pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn note(&self, state: State, message: impl Into<String>) {
        let health = Health::new(state, message, self.clock.wall());
        *self.health.lock().unwrap_or_else(PoisonError::into_inner) = health;
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
