//! Callers who gave up before a clerk answered, and calls back to them.

use axum::Json;
use axum::extract::{Path, State as Shared};
use serde::Serialize;
use utoipa::ToSchema;

use super::body::Strict;
use super::problem::Problem;
use super::wishes::SeatBody;
use super::{Done, Extracted, Me, call_of, rights};
use crate::id::mask;
use crate::switchboard::request::Request;
use crate::switchboard::{Switchboard, missed};

/// A caller who gave up, and is owed a call back.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "call": "017bb000-0000-7000-8000-000000000000", "line": "12345", "caller": "138******42",
    "first_at": "2021-09-01T01:00:00.25Z", "last_at": "2021-09-01T01:20:00Z", "count": 2, "tries": 0,
    "next_at": null, "trying": null
}))]
pub(super) struct MissedView {
    /// The last of their calls: what a call back is asked for by.
    call: String,
    /// The line that was dialled last.
    line: String,
    /// Masked for who need not know it, empty where it is confidential; who calls back by the call needs no
    /// number.
    caller: String,
    first_at: String,
    last_at: String,
    /// Calls that were missed.
    count: u32,
    /// Tries to reach them since the last of these.
    tries: u8,
    /// Not to be tried before; null: at once.
    next_at: Option<String>,
    /// The call that tries to reach them now.
    trying: Option<String>,
}

/// 漏接清单，先来的在前 / Callers who gave up and are owed a call back, oldest first.
#[utoipa::path(get, path = "/v1/missed", tag = "missed", responses((status = 200, body = [MissedView])))]
pub(super) async fn list(Shared(app): Extracted, me: Me) -> Result<Json<Vec<MissedView>>, Problem> {
    let full = rights::sees_numbers(me.asker.role);
    let all =
        move |board: &Switchboard, _| board.missed().into_iter().map(|missed| view(missed, full)).collect();
    app.look(all).await.map(Json)
}

fn view(missed: missed::MissedView, full: bool) -> MissedView {
    MissedView {
        call: missed.call.to_string(),
        line: missed.line.to_string(),
        caller: match (missed.is_confidential, full) {
            (true, _) => String::new(),
            (false, true) => missed.number,
            (false, false) => mask(&missed.number).to_string(),
        },
        first_at: missed.first_at.to_string(),
        last_at: missed.last_at.to_string(),
        count: missed.count,
        tries: missed.tries,
        next_at: missed.next_at.map(|at| at.to_string()),
        trying: missed.trying.map(|call| call.to_string()),
    }
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
