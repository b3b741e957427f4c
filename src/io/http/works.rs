//! Whether the house lives and takes calls, its figures, and all of it at a glance.

use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Extracted;
use super::problem::Problem;

/// 进程存活 / The process lives.
#[utoipa::path(get, path = "/healthz", tag = "house",
    responses((status = 200, description = "ok", body = String, content_type = "text/plain")))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// 是否接听来电、能否记录 / Whether calls are taken and can be recorded.
#[utoipa::path(get, path = "/readyz", tag = "house",
    responses((status = 200, description = "ready", body = String, content_type = "text/plain"),
        (status = 503, description = "no new calls are taken, or what becomes of them cannot be written", body = String, content_type = "text/plain")))]
pub(super) async fn readyz(Shared(app): Extracted) -> Response {
    match app.state.serving.load(Ordering::Acquire) {
        true => "ready\n".into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready: ending, or the store fails (see the log)\n")
            .into_response(),
    }
}

/// 指标（OpenMetrics） / Figures.
#[utoipa::path(get, path = "/metrics", tag = "house",
    responses((status = 200, description = "OpenMetrics", body = String,
        content_type = "application/openmetrics-text")))]
pub(super) async fn metrics(Shared(app): Extracted) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], app.state.figures.encode()).into_response()
}

/// 此刻的全貌，号码已隐去 / The house at this moment, numbers masked.
#[utoipa::path(get, path = "/v1/snapshot", tag = "house",
    responses((status = 200, description = "calls, seats, queues, rooms, outboxes, trunks", body = Object)))]
pub(super) async fn snapshot(Shared(app): Extracted) -> Result<Json<serde_json::Value>, Problem> {
    app.look(crate::console::snapshot).await.map(Json)
}
