//! Recordings over HTTP: played, looked up in the manifest, paused and resumed. Who does so and why is
//! in the ledger first.

use axum::Json;
use axum::extract::{Path, Query, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::oneshot;

use super::{ASK_WAIT, App, State, asked, ledger_row};
use crate::call::recording::RecordingState;
use crate::id::CallId;
use crate::io::house::Ask;
use crate::io::recorder;
use crate::io::store::{ManifestRow, StoreError};
use crate::ledger::Action;
use crate::time::Timestamp;

type Refusal = (StatusCode, String);

/// Who asks, and why: both go to the ledger.
#[derive(Deserialize)]
pub(super) struct Who {
    by: Option<String>,
    reason: Option<String>,
    /// Index of the leg whose sound alone is wanted; without it, both sides.
    track: Option<u16>,
}

fn refuse<T>(status: StatusCode, why: &str) -> Result<T, Refusal> {
    Err((status, format!("{why}\n")))
}

fn failed(error: StoreError) -> Refusal {
    (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n"))
}

/// Writes an access down; what is not written down does not happen.
async fn note(
    state: &State,
    call: CallId,
    action: Action,
    by: String,
    reason: String,
) -> Result<(), Refusal> {
    let (at, subject) = (Timestamp::now(), call.to_string());
    let append = state.errands.append(move |last| ledger_row(last, at, &by, action, &subject, &reason));
    append.await.map(drop).map_err(failed)
}

pub(super) async fn play(
    Shared(state): App,
    Path(call): Path<String>,
    Query(who): Query<Who>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let none = "没有录音 / no recording";
    let (call, by, reason) = asked(&state, &headers, &call, (who.by, who.reason))?;
    let record = state.desk.answer(move |reader| reader.call(call)).await.map_err(failed)?;
    let file = record.and_then(|record| record.recording).filter(|file| !file.is_empty());
    let Some(file) = file.map(|file| of_track(&file, call, who.track)) else {
        return refuse(StatusCode::NOT_FOUND, none);
    };
    note(&state, call, Action::RecordingPlayed { call }, by, reason).await?;
    // It may be compressed between the look and the reading: then the other file is there.
    for _ in 0..2 {
        let Some((kept, format)) = recorder::kept(&state.data, &file) else { break };
        if let Ok(bytes) = tokio::fs::read(state.data.join(kept)).await {
            return Ok(([(header::CONTENT_TYPE, format.media_type())], bytes).into_response());
        }
    }
    refuse(StatusCode::NOT_FOUND, none)
}

/// The file of one leg's sound beside that of both sides.
fn of_track(file: &str, call: CallId, track: Option<u16>) -> String {
    let name = recorder::FileName::new(call, track).text();
    match file.rsplit_once('/') {
        Some((directory, _)) if track.is_some() => format!("{directory}/{name}"),
        _ => file.to_owned(),
    }
}

/// What was filed of a call: not its sound, so nothing is written down.
pub(super) async fn manifest(
    Shared(state): App,
    Path(call): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    if !super::may(&state, &headers) {
        return refuse(StatusCode::UNAUTHORIZED, "需要令牌 / a bearer token is needed");
    }
    let Some(call) = CallId::parse(&call) else { return refuse(StatusCode::NOT_FOUND, "no such call") };
    let rows = state.desk.answer(move |reader| reader.manifest_of(call)).await.map_err(failed)?;
    Ok(Json(rows.iter().map(row).collect::<Vec<_>>()).into_response())
}

fn row(row: &ManifestRow) -> serde_json::Value {
    json!({
        "call": row.call.to_string(),
        "track": row.track,
        "file": row.file,
        "format": row.format,
        "sha256": row.sha256,
        "bytes": row.bytes,
        "samples": row.samples,
        "lost_frames": row.lost_frames,
        "gaps": row.gaps,
        "pauses": row.pauses,
        "at": row.at.to_string(),
    })
}

pub(super) async fn pause(
    state: App,
    call: Path<String>,
    who: Query<Who>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    set(state, call, who, headers, true).await
}

pub(super) async fn resume(
    state: App,
    call: Path<String>,
    who: Query<Who>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    set(state, call, who, headers, false).await
}

async fn set(
    Shared(state): App,
    Path(call): Path<String>,
    Query(who): Query<Who>,
    headers: HeaderMap,
    pause: bool,
) -> Result<Response, Refusal> {
    let (call, by, reason) = asked(&state, &headers, &call, (who.by, who.reason))?;
    let record = state.desk.answer(move |reader| reader.call(call)).await.map_err(failed)?;
    match record.map(|record| record.is_closed()) {
        None => return refuse(StatusCode::NOT_FOUND, "没有这次通话 / no such call"),
        Some(true) => return refuse(StatusCode::CONFLICT, "通话已结束 / the call is over"),
        Some(false) => {}
    }
    let action = if pause { Action::RecordingPaused { call } } else { Action::RecordingResumed { call } };
    note(&state, call, action, by.clone(), reason).await?;
    let (reply, answer) = oneshot::channel();
    let sent = state.door.send(Ask::PauseRecording { call, pause, by, reply }).is_ok();
    match tokio::time::timeout(ASK_WAIT, answer).await {
        Ok(Ok([_, RecordingState::Off])) => {
            refuse(StatusCode::CONFLICT, "这次通话此刻不在录音 / the call is not being recorded now")
        }
        Ok(Ok([before, after])) if sent => {
            let changed = before != after;
            Ok(Json(json!({ "paused": after == RecordingState::Paused, "changed": changed })).into_response())
        }
        _ => refuse(StatusCode::SERVICE_UNAVAILABLE, "引擎没有回答 / the engine does not answer"),
    }
}
