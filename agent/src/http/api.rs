//! JSON about components, in the shape of Alloy's API.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use crate::app::Shared;
use crate::controller::{ComponentDetail, ComponentView};

pub(super) async fn components(State(shared): State<Arc<Shared>>) -> Json<Vec<ComponentView>> {
    Json(shared.controller.components())
}

pub(super) async fn component(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<Json<ComponentDetail>, (StatusCode, String)> {
    shared.controller.component(&id).map(Json).ok_or_else(|| {
        (
            StatusCode::NOT_FOUND,
            format!("component {id:?} does not exist\n"),
        )
    })
}
