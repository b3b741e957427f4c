//! Callers who gave up before a clerk answered, and calls back to them.

use axum::Json;
use axum::extract::{Path, State as Shared};
use serde::Serialize;
use utoipa::ToSchema;

use super::body::Strict;
use super::problem::Problem;
use super::wishes::SeatBody;
use super::{App, Done, Extracted, Me, call_of, rights};
use crate::io::store::Abandoned;
use crate::switchboard::mask;
use crate::switchboard::request::Request;

/// Calls of one answer.
const MISSED_MAX: usize = 200;

/// A caller who gave up.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "call": "017bb000-0000-7000-8000-000000000000", "line": "12345", "caller": "138******42",
    "queue": "main", "opened_at": "2021-09-01T01:00:00.25Z", "lasted_ms": 41000
}))]
pub(super) struct MissedView {
    call: String,
    line: String,
    /// Masked for who need not know it; who calls back by the call needs no number.
    caller: String,
    /// Where they waited.
    queue: String,
    opened_at: String,
    /// From the first ring to the end, milliseconds.
    lasted_ms: u64,
}

/// 漏接的来电，新的在前 / Callers who waited and gave up, newest first, at most 200.
#[utoipa::path(get, path = "/v1/missed", tag = "missed", responses((status = 200, body = [MissedView])))]
pub(super) async fn list(Shared(app): Extracted, me: Me) -> Result<Json<Vec<MissedView>>, Problem> {
    let full = rights::sees_numbers(me.asker.role);
    let view = |missed: Abandoned| MissedView {
        call: missed.call.to_string(),
        line: missed.line,
        caller: if full { missed.caller } else { mask(&missed.caller).to_string() },
        queue: missed.queue,
        opened_at: missed.opened_at.to_string(),
        lasted_ms: missed.lasted_ms,
    };
    Ok(Json(source(&app).await?.into_iter().map(view).collect()))
}

/// Who is on the list: as far as the store knows, whoever waited, was answered by nobody, and hung up.
async fn source(app: &App) -> Result<Vec<Abandoned>, Problem> {
    Ok(app.state.desk.answer(|reader| reader.abandoned(MISSED_MAX)).await?)
}

/// 回拨漏接的来电 / A seat calls a missed caller back.
#[utoipa::path(post, path = "/v1/missed/{call}/call-back", tag = "missed", params(("call" = String, Path)),
    request_body = SeatBody,
    responses((status = 200, body = Done), (status = 404), (status = 409),
        (status = 422)))]
pub(super) async fn call_back(
    Shared(app): Extracted,
    Path(call): Path<String>,
    me: Me,
    Strict(body): Strict<SeatBody>,
) -> Result<Json<Done>, Problem> {
    let seat = body.seat(&me.asker)?;
    app.ask(&me.asker, Request::CallBack { missed: call_of(&call)?, seat }).await
}
