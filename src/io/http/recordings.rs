//! Recordings over HTTP: played, looked up in the manifest, paused and resumed. Who does so and why is
//! in the ledger first.

use axum::Json;
use axum::extract::{Path, Query, State as Shared};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use utoipa::{IntoParams, ToSchema};

use super::ledger::note;
use super::problem::{self, Problem};
use super::{App, Extracted, Me, call_of, calls, rights, sound};
use crate::call::recording::RecordingState;
use crate::id::CallId;
use crate::io::house::Ask;
use crate::io::recorder::{self, SealError};
use crate::io::store::ManifestRow;
use crate::ledger::Action;
use crate::switchboard::may_export;
use crate::telemetry::CallRecord;

/// Who asks, and why: both go to the ledger.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Who {
    /// Who asks; with the house's own token only, as any other is somebody's.
    pub(super) by: Option<String>,
    /// Why.
    pub(super) reason: Option<String>,
    /// Index of the leg whose sound alone is wanted; without it, both sides.
    track: Option<u16>,
}

/// A file of a call's recording.
#[derive(Serialize, ToSchema)]
#[schema(as = RecordingFile)]
pub(super) struct FileView {
    call: String,
    /// Index of the leg that it holds alone; null: both sides.
    track: Option<u16>,
    file: String,
    /// `wav`, `flac`.
    format: String,
    /// Whether the file is encrypted: what is played is not.
    sealed: bool,
    /// Of the file as it is stored.
    sha256: String,
    /// Of the file as it is stored.
    bytes: u64,
    samples: u64,
    lost_frames: u64,
    /// Samples, from and until.
    #[schema(value_type = Vec<Vec<u64>>)]
    gaps: Vec<(u64, u64)>,
    /// Samples, from and until.
    #[schema(value_type = Vec<Vec<u64>>)]
    pauses: Vec<(u64, u64)>,
    at: String,
    /// When the file was removed, its term being over; null: it is there.
    removed_at: Option<String>,
    /// The class whose term was over; null: `[recording] keep`.
    removed_class: Option<String>,
}

/// How a recording stands.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "changed": true, "paused": true }))]
pub(super) struct Paused {
    /// Whether it stood otherwise before.
    changed: bool,
    /// Whether it holds silence from here on.
    paused: bool,
}

/// Whose recording or trace is wanted, by whom and why. Who holds the house's own token must say who they are.
pub(super) fn asked(
    me: &Me,
    call: &str,
    by: Option<String>,
    reason: Option<String>,
) -> Result<(CallId, String, String), Problem> {
    let call = call_of(call)?;
    let said = |text: Option<String>| text.filter(|text| !text.is_empty());
    let by =
        if me.is_owner { said(by).ok_or_else(|| Problem::missing("by"))? } else { me.asker.name.clone() };
    let reason = said(reason).ok_or_else(|| Problem::missing("reason"))?;
    Ok((call, by, reason))
}

/// 调听录音 / A recording's sound; the access goes to the ledger first.
#[utoipa::path(get, path = "/v1/recordings/{call}", tag = "recordings", params(("call" = String, Path), Who),
    responses((status = 200, description = "the sound, opened if it is sealed", content(
        (Vec<u8> = "audio/wav"), (Vec<u8> = "audio/flac"))),
        (status = 206, description = "the part of it that `Range: bytes=…` asks for"),
        (status = 400), (status = 403), (status = 404), (status = 416),
        (status = 410, description = "its term was over, and it was removed: when, and by which class")))]
pub(super) async fn play(
    Shared(app): Extracted,
    Path(call): Path<String>,
    Query(who): Query<Who>,
    me: Me,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (call, by, reason) = asked(&me, &call, who.by, who.reason)?;
    let facts = app.state.desk.answer(move |reader| reader.facts(call)).await?;
    if !may_export(me.asker.role, facts.iter()) {
        return Err(problem::SECRET_MATTER.into());
    }
    let rows = app.state.desk.answer(move |reader| reader.manifest_of(call)).await?;
    let filed = rows.iter().find(|row| row.track == who.track);
    if let Some(removed) = filed.and_then(|row| row.removed.as_ref()) {
        return Err(Problem::removed(removed)); // Nobody heard anything: nothing is written down.
    }
    let record = CallRecord::fold(&facts);
    let file = record.and_then(|record| record.recording).filter(|file| !file.is_empty());
    let file = file.map(|file| recorder::of_track(&file, call, who.track)).ok_or(problem::NO_RECORDING)?;
    let (data, keys) = (app.state.data.clone(), app.state.seal_keys.borrow().clone());
    let opening = tokio::task::spawn_blocking(move || recorder::open_kept(&data, &file, &keys));
    match opening.await.ok().flatten() {
        Some(Ok((sound, format))) => {
            // Before the first byte leaves, and not where none does.
            note(&app, call, Action::RecordingPlayed { call }, by, reason).await?;
            Ok(sound::answer(sound, format.media_type(), headers.get(header::RANGE)))
        }
        None => Err(problem::NO_RECORDING.into()),
        Some(Err(error)) => {
            tracing::error!(%call, %error, "a recording cannot be played");
            Err(match error {
                SealError::NoKey(_) => problem::NO_KEY,
                SealError::NotSealed | SealError::Broken(_) => problem::BROKEN_RECORDING,
                SealError::Io(_) => problem::NO_RECORDING,
            }
            .into())
        }
    }
}

/// 录音清单 / What was filed of a call: not its sound, so nothing is written down.
#[utoipa::path(get, path = "/v1/recordings/{call}/manifest", tag = "recordings",
    params(("call" = String, Path)), responses((status = 200, body = [FileView]), (status = 404)))]
pub(super) async fn manifest(
    Shared(app): Extracted,
    Path(call): Path<String>,
) -> Result<Json<Vec<FileView>>, Problem> {
    let call = call_of(&call)?;
    let rows = app.state.desk.answer(move |reader| reader.manifest_of(call)).await?;
    Ok(Json(rows.into_iter().map(view).collect()))
}

fn view(row: ManifestRow) -> FileView {
    FileView {
        call: row.call.to_string(),
        track: row.track,
        sealed: recorder::is_sealed(&row.file),
        file: row.file,
        format: row.format,
        sha256: row.sha256,
        bytes: row.bytes,
        samples: row.samples,
        lost_frames: row.lost_frames,
        gaps: row.gaps,
        pauses: row.pauses,
        at: row.at.to_string(),
        removed_at: row.removed.as_ref().map(|removed| removed.at.to_string()),
        removed_class: row.removed.and_then(|removed| removed.class),
    }
}

/// 暂停录音 / A recording holds silence from here on.
#[utoipa::path(post, path = "/v1/recordings/{call}/pause", tag = "recordings",
    params(("call" = String, Path), Who), responses((status = 200, body = Paused),
        (status = 400), (status = 404), (status = 409)))]
pub(super) async fn pause(
    Shared(app): Extracted,
    Path(call): Path<String>,
    Query(who): Query<Who>,
    me: Me,
) -> Result<Json<Paused>, Problem> {
    set(&app, &call, who, &me, true).await
}

/// 恢复录音 / Sound is recorded again.
#[utoipa::path(post, path = "/v1/recordings/{call}/resume", tag = "recordings",
    params(("call" = String, Path), Who), responses((status = 200, body = Paused),
        (status = 400), (status = 404), (status = 409)))]
pub(super) async fn resume(
    Shared(app): Extracted,
    Path(call): Path<String>,
    Query(who): Query<Who>,
    me: Me,
) -> Result<Json<Paused>, Problem> {
    set(&app, &call, who, &me, false).await
}

async fn set(app: &App, call: &str, who: Who, me: &Me, pause: bool) -> Result<Json<Paused>, Problem> {
    let (call, by, reason) = asked(me, call, who.by, who.reason)?;
    let record = app.state.desk.answer(move |reader| reader.call(call)).await?;
    match record.map(|record| record.is_closed()) {
        None => return Err(problem::NO_SUCH_CALL.into()),
        Some(true) => return Err(problem::CALL_OVER.into()),
        Some(false) => {}
    }
    let asker = me.asker.clone();
    let may = rights::sees_numbers(asker.role)
        || app.look(move |board, _| calls::is_own(board, call, &asker)).await?;
    if !may {
        return Err(problem::NOT_ALLOWED.into()); // A clerk's own calls only.
    }
    let action = if pause { Action::RecordingPaused { call } } else { Action::RecordingResumed { call } };
    note(app, call, action, by.clone(), reason).await?;
    let (reply, answer) = oneshot::channel();
    match app.sent(Ask::PauseRecording { call, pause, by, reply }, answer).await? {
        [_, RecordingState::Off] => Err(problem::NOT_RECORDED.into()),
        [before, after] => {
            Ok(Json(Paused { changed: before != after, paused: after == RecordingState::Paused }))
        }
    }
}
