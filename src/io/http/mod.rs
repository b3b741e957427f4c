//! HTTP for machines: health, metrics, the snapshot, and recordings and traces, whose every look is in the ledger.

mod recordings;
mod traces;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use subtle::ConstantTimeEq;
use tokio::sync::oneshot;

use super::house::{Ask, Door};
use super::store::{Desk, Errands, LedgerRow};
use crate::id::CallId;
use crate::ledger::Action;
use crate::telemetry::Figures;
use crate::time::Timestamp;

/// Where the bearer token of recordings and ledger is kept.
pub const TOKEN_FILE: &str = "secrets/api-token";
/// Ledger entries of one answer.
const LEDGER_MAX: usize = 1_000;
/// The control loop answers within this, or the asker is told that it does not.
const ASK_WAIT: Duration = Duration::from_secs(2);

/// What the handlers share.
pub struct State {
    /// To the control loop.
    pub door: Door,
    /// Figures for `/metrics`.
    pub figures: Arc<Figures>,
    /// Calls are taken.
    pub serving: Arc<AtomicBool>,
    /// Bearer token.
    pub token: String,
    /// The data directory.
    pub data: PathBuf,
    /// Look-ups.
    pub desk: Desk,
    /// Ledger entries.
    pub errands: Errands,
    /// Before a trace is read.
    pub flush: super::trace::Flush,
}

/// Listens at `at` on the worker; gives the address that it got.
pub fn serve(at: SocketAddr, state: State, worker: &tokio::runtime::Handle) -> std::io::Result<SocketAddr> {
    let listener = std::net::TcpListener::bind(at)?;
    listener.set_nonblocking(true)?;
    let bound = listener.local_addr()?;
    let routes = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/v1/snapshot", get(snapshot))
        .route("/v1/recordings/{call}", get(recordings::play))
        .route("/v1/recordings/{call}/manifest", get(recordings::manifest))
        .route("/v1/recordings/{call}/pause", post(recordings::pause))
        .route("/v1/recordings/{call}/resume", post(recordings::resume))
        .route("/v1/traces/{call}", get(traces::trace))
        .route("/v1/ledger", get(ledger))
        .with_state(Arc::new(state));
    worker.spawn(async move {
        let served = async { axum::serve(tokio::net::TcpListener::from_std(listener)?, routes).await };
        if let Err(error) = served.await {
            tracing::error!(%error, "HTTP has ended");
        }
    });
    Ok(bound)
}

type App = Shared<Arc<State>>;

async fn readyz(Shared(state): App) -> Response {
    match state.serving.load(Ordering::Acquire) {
        true => "ready\n".into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not taking calls\n").into_response(),
    }
}

async fn metrics(Shared(state): App) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], state.figures.encode()).into_response()
}

async fn snapshot(Shared(state): App) -> Response {
    let (reply, answer) = oneshot::channel();
    let asked = state.door.send(Ask::Snapshot(reply)).is_ok();
    match tokio::time::timeout(ASK_WAIT, answer).await {
        Ok(Ok(snapshot)) if asked => Json(snapshot).into_response(),
        _ => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

fn may(state: &State, headers: &HeaderMap) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let given = given.strip_prefix("Bearer ").unwrap_or_default();
    given.as_bytes().ct_eq(state.token.as_bytes()).into()
}

/// Whose recording or trace may be looked at, by whom and why; or the refusal.
fn asked(
    state: &State,
    headers: &HeaderMap,
    call: &str,
    (by, reason): (Option<String>, Option<String>),
) -> Result<(CallId, String, String), (StatusCode, String)> {
    let refuse = |status: StatusCode, why: &str| Err((status, format!("{why}\n")));
    if !may(state, headers) {
        return refuse(StatusCode::UNAUTHORIZED, "需要令牌 / a bearer token is needed");
    }
    let Some(call) = CallId::parse(call) else { return refuse(StatusCode::NOT_FOUND, "no such call") };
    let said = |text: Option<String>| text.filter(|text| !text.is_empty());
    match (said(by), said(reason)) {
        (Some(by), Some(reason)) => Ok((call, by, reason)),
        _ => refuse(StatusCode::BAD_REQUEST, "请说明 by 和 reason / by and reason are needed"),
    }
}

async fn ledger(Shared(state): App, headers: HeaderMap) -> Result<Response, (StatusCode, String)> {
    if !may(&state, &headers) {
        return Err((StatusCode::UNAUTHORIZED, "需要令牌 / a bearer token is needed\n".into()));
    }
    let rows = state.desk.answer(|reader| reader.ledger(None, LEDGER_MAX)).await;
    let rows = rows.map_err(|error| (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")))?;
    let entries: Vec<serde_json::Value> =
        rows.iter().filter_map(|row| serde_json::from_str(&row.json).ok()).collect();
    Ok(Json(entries).into_response())
}

/// The chain's next entry, as the store keeps it.
pub fn ledger_row(
    last: Option<&LedgerRow>,
    at: Timestamp,
    actor: &str,
    action: Action,
    subject: &str,
    reason: &str,
) -> LedgerRow {
    LedgerRow::after(last, at, actor, action, subject, reason)
}
