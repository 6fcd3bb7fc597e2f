//! One component that was built, and the task that runs it and runs it again.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ferroalloy_model::Reconfigured;
use ferroalloy_model::clock::{self, Clock};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use crate::component::{Arguments, Component, Descriptor, Exports, Host};
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
    task: Mutex<Option<AbortOnDropHandle<()>>>,
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
        *self.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(AbortOnDropHandle::new(task));
    }

    /// Gives the component other arguments. A panic in it is an error of its own, not the controller's end.
    pub(super) fn reconfigure(&self, arguments: Arguments) -> Result<Reconfigured, String> {
        contained(|| self.component.reconfigure(arguments))?.map_err(|error| chain(&error))
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

/// Calls into a component, or into what decodes its arguments; a panic comes back as a message. Whatever the call
/// left behind is reached through locks that take no notice of poison, so unwinding past it is sound.
pub(super) fn contained<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call))
        .map_err(|panic| format!("component panicked: {}", panic_message(&*panic)))
}

/// Stops components, all at once, and waits for them; what still runs at the deadline is aborted, so that it
/// does not run beside what takes its place.
pub(super) async fn stop_all(all: Vec<Arc<Live>>, clock: &dyn Clock, deadline: Duration) {
    for live in &all {
        live.stop.cancel();
    }
    let tasks: Vec<_> = all
        .iter()
        .filter_map(|live| live.task.lock().unwrap_or_else(PoisonError::into_inner).take())
        .collect();
    let stopped = async {
        for task in tasks {
            // The supervisor contains panics; that it was cancelled is of no interest.
            let _ = task.await;
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
            let outcome = AbortOnDropHandle::new(run).await;
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

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use ferroalloy_model::{Families, SystemClock};
    use tokio::sync::oneshot;

    use super::*;
    use crate::component::{Arguments, Details};
    use crate::components;
    use crate::error::Error;
    use crate::own_metrics::OwnMetrics;

    /// Does not end when it is told to. Its sender is dropped when its run is.
    #[derive(Debug)]
    struct Deaf {
        running: Mutex<Option<oneshot::Sender<()>>>,
        started: tokio::sync::Notify,
    }

    #[async_trait]
    impl Component for Deaf {
        fn reconfigure(&self, _: Arguments) -> Result<Reconfigured, Error> {
            panic!("no arguments, please")
        }

        async fn run(&self, _: CancellationToken) -> Result<(), Error> {
            let _held = self.running.lock().unwrap().take();
            self.started.notify_one();
            std::future::pending().await
        }

        fn health(&self) -> Option<Health> {
            None
        }

        fn details(&self) -> Details {
            Details::default()
        }

        fn collect(&self, _: &mut Families) {}
    }

    fn live(component: Arc<dyn Component>) -> Arc<Live> {
        let (changes, _) = tokio::sync::mpsc::unbounded_channel();
        let id: Arc<str> = "prometheus.relabel.deaf".into();
        let exports = Arc::new(Exports::new(Arc::clone(&id), changes));
        let descriptor = components::find("prometheus.relabel").unwrap();
        Arc::new(Live::new(id, descriptor, component, exports))
    }

    fn host() -> Arc<Host> {
        Arc::new(Host {
            clock: Arc::new(SystemClock),
            hostname: "h".to_owned(),
            user_agent: String::new(),
            in_process: Arc::default(),
            memory: Arc::default(),
            own_metrics: Arc::new(OwnMetrics::default()),
            stopping: CancellationToken::new(),
            storage: None,
            stability: river_syntax::Stability::default(),
        })
    }

    #[tokio::test]
    async fn what_does_not_stop_in_time_is_aborted() {
        let (held, ended) = oneshot::channel();
        let component = Arc::new(Deaf {
            running: Mutex::new(Some(held)),
            started: tokio::sync::Notify::new(),
        });
        let live = live(Arc::clone(&component) as _);
        live.start(&host());
        component.started.notified().await;
        stop_all(vec![live], &SystemClock, Duration::ZERO).await;
        assert!(ended.await.is_err(), "the run was dropped");
    }

    #[tokio::test]
    async fn a_panic_in_reconfigure_is_an_error() {
        let component = Arc::new(Deaf {
            running: Mutex::default(),
            started: tokio::sync::Notify::new(),
        });
        let outcome = live(component).reconfigure(Box::new(()));
        assert_eq!(outcome.unwrap_err(), "component panicked: no arguments, please");
    }
}
