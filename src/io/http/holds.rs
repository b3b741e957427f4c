//! Recordings that are kept whatever their term: evidence for whoever looks into how a matter was handled. Who wants
//! that and why is in the ledger, by the same transaction.

use axum::Json;
use axum::extract::{Path, Query, State as Shared};
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::{self, Problem};
use super::recordings::{Who, asked};
use super::{App, Extracted, Me};
use crate::id::CallId;
use crate::switchboard::may_export;
use crate::time::Timestamp;

/// Whether a recording is under hold.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "changed": true, "held": true }))]
pub(super) struct Held {
    /// Whether it was otherwise before.
    changed: bool,
    /// Whether its term is of no account from now on.
    held: bool,
}

/// 保留录音 / A recording is not removed, whatever its term, until it is released.
#[utoipa::path(post, path = "/v1/recordings/{call}/hold", tag = "recordings",
    params(("call" = String, Path), Who), responses((status = 200, body = Held),
        (status = 400), (status = 403), (status = 404),
        (status = 410, description = "its term was over, and it was removed")))]
pub(super) async fn hold(
    Shared(app): Extracted,
    Path(call): Path<String>,
    Query(who): Query<Who>,
    me: Me,
) -> Result<Json<Held>, Problem> {
    let (call, by, reason) = asked(&me, &call, who.by, who.reason)?;
    look(&app, &me, call).await?;
    match app.state.errands.hold(call, Timestamp::now(), by, reason).await? {
        Some(changed) => Ok(Json(Held { changed, held: true })),
        None => {
            look(&app, &me, call).await?; // It says when it was removed: since the look before.
            Err(problem::NO_RECORDING.into())
        }
    }
}

/// 解除保留 / Its term counts again.
#[utoipa::path(post, path = "/v1/recordings/{call}/release", tag = "recordings",
    params(("call" = String, Path), Who), responses((status = 200, body = Held),
        (status = 400), (status = 403), (status = 404)))]
pub(super) async fn release(
    Shared(app): Extracted,
    Path(call): Path<String>,
    Query(who): Query<Who>,
    me: Me,
) -> Result<Json<Held>, Problem> {
    let (call, by, reason) = asked(&me, &call, who.by, who.reason)?;
    let facts = app.state.desk.answer(move |reader| reader.facts(call)).await?;
    if facts.is_empty() {
        return Err(problem::NO_SUCH_CALL.into());
    }
    if !may_export(me.asker.role, facts.iter()) {
        return Err(problem::SECRET_MATTER.into());
    }
    let changed = app.state.errands.release(call, Timestamp::now(), by, reason).await?;
    Ok(Json(Held { changed, held: false }))
}

/// Whether there is something to hold, for this asker. A call under way may be held: its recording comes.
async fn look(app: &App, me: &Me, call: CallId) -> Result<(), Problem> {
    let (facts, rows) =
        app.state.desk.answer(move |reader| Ok((reader.facts(call)?, reader.manifest_of(call)?))).await?;
    if facts.is_empty() {
        return Err(problem::NO_SUCH_CALL.into());
    }
    if !may_export(me.asker.role, facts.iter()) {
        return Err(problem::SECRET_MATTER.into());
    }
    let removed = rows.iter().find_map(|row| row.removed.as_ref());
    match removed.filter(|_| rows.iter().all(|row| row.removed.is_some())) {
        Some(removed) => Err(Problem::removed(removed)),
        None => Ok(()),
    }
}
