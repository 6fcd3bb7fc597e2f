//! `/-/ready`, `/-/healthy`, `/-/reload`: for service managers, probes and deploy scripts.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{Method, StatusCode};

use crate::app::Shared;
use crate::health::State as HealthState;

pub(super) async fn ready(State(shared): State<Arc<Shared>>) -> (StatusCode, &'static str) {
    if shared.controller.is_ready() {
        (StatusCode::OK, "Ferroalloy is ready.\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "Ferroalloy is not ready.\n")
    }
}

/// Unlike Alloy's, it names components in full, says why, and counts one that exited as unhealthy.
pub(super) async fn healthy(State(shared): State<Arc<Shared>>) -> (StatusCode, String) {
    let unhealthy: Vec<String> = shared
        .controller
        .components()
        .into_iter()
        .filter(|component| {
            matches!(
                component.health.state,
                HealthState::Unhealthy | HealthState::Exited
            )
        })
        .map(|component| format!("{} ({})", component.id, component.health))
        .collect();
    if unhealthy.is_empty() {
        (
            StatusCode::OK,
            "All Ferroalloy components are healthy.\n".to_owned(),
        )
    } else {
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("unhealthy components: {}\n", unhealthy.join(", ")),
        )
    }
}

pub(super) async fn reload(State(shared): State<Arc<Shared>>, method: Method) -> (StatusCode, String) {
    if method != Method::GET && method != Method::POST {
        return (StatusCode::METHOD_NOT_ALLOWED, "use GET or POST\n".to_owned());
    }
    // A task of its own: a client that goes away must not leave a reload half done.
    let reload = tokio::spawn(async move { shared.reload().await });
    let outcome = match reload.await {
        Ok(outcome) => outcome,
        Err(failure) => {
            return (
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("reload failed: {failure}\n"),
            );
        }
    };
    match outcome {
        Ok(()) => (StatusCode::OK, "config reloaded\n".to_owned()),
        Err(error) => (
            StatusCode::BAD_REQUEST,
            format!("error during reload:\n{}\n", error.brief()),
        ),
    }
}
