//! Calls: those under way, and one of them or of those that are over.

use axum::Json;
use axum::extract::{Path, State as Shared};
use serde::Serialize;
use utoipa::ToSchema;

use super::masking::Rest;
use super::problem::{self, Problem};
use super::{Extracted, Me, call_of, masking, rights};
use crate::acd::event::SeatState;
use crate::id::{CallId, SeatId, mask};
use crate::switchboard::request::Asker;
use crate::switchboard::{Entry, Switchboard};

/// A call under way.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "call": "017bb000-0000-7000-8000-000000000000", "line": "12345", "caller": "138******42",
    "ticket": "21090100001", "state": "talking", "opened_at": "2021-09-01T01:00:00.25Z", "seats": ["1001"]
}))]
pub(super) struct CallView {
    call: String,
    /// The line that was dialled.
    line: String,
    /// The caller's number, masked for who need not know it; empty: withheld, or confidential.
    caller: String,
    ticket: String,
    /// In one word: `waiting`, `talking`, ….
    state: &'static str,
    opened_at: String,
    /// Seats that ring for it, talk with it, or finish its case.
    seats: Vec<String>,
}

/// A call, under way or over.
#[derive(Serialize, ToSchema)]
pub(super) struct CallDetail {
    call: String,
    /// While it is under way.
    now: Option<CallView>,
    /// What is kept of it, from its opening on; numbers masked for who need not know them.
    #[schema(value_type = Option<Object>)]
    record: Option<serde_json::Value>,
}

/// 进行中的通话，先来的在前 / Calls under way, oldest first.
#[utoipa::path(get, path = "/v1/calls", tag = "calls", responses((status = 200, body = [CallView])))]
pub(super) async fn list(Shared(app): Extracted, me: Me) -> Result<Json<Vec<CallView>>, Problem> {
    let asker = me.0.asker;
    let all = move |board: &Switchboard, _| {
        board.calls().into_iter().map(|(id, entry)| view(board, id, entry, &asker)).collect()
    };
    app.look(all).await.map(Json)
}

/// 一次通话，已结束的也在内 / One call, one that is over too.
#[utoipa::path(get, path = "/v1/calls/{call}", tag = "calls", params(("call" = String, Path)),
    responses((status = 200, body = CallDetail), (status = 404)))]
pub(super) async fn one(
    Shared(app): Extracted,
    Path(call): Path<String>,
    me: Me,
) -> Result<Json<CallDetail>, Problem> {
    let (call, asker) = (call_of(&call)?, me.0.asker);
    let looker = asker.clone();
    let now = app.look(move |board, _| {
        let found = board.calls().into_iter().find(|(id, _)| *id == call);
        found.map(|(id, entry)| (view(board, id, entry, &looker), is_own(board, id, &looker)))
    });
    let now = now.await?;
    let record = app.state.desk.answer(move |reader| reader.call(call)).await?;
    if now.is_none() && record.is_none() {
        return Err(problem::NO_SUCH_CALL.into());
    }
    let (now, talks) = now.map_or((None, false), |(view, talks)| (Some(view), talks));
    let record = record.map(|record| {
        let own = talks || record.seat.is_some() && record.seat == asker.seat;
        // A confidential caller's number is in the record, and for those alone who see all.
        let is_nobodys = record.marks.is_confidential();
        let mut shown = serde_json::to_value(&record).unwrap_or_default();
        if !sees(&asker, own && !is_nobodys) {
            masking::hide(&mut shown, if is_nobodys { Rest::Nothing } else { Rest::Masked });
        }
        shown
    });
    Ok(Json(CallDetail { call: call.to_string(), now, record }))
}

fn view(board: &Switchboard, id: CallId, entry: &Entry, asker: &Asker) -> CallView {
    let caller = match sees(asker, is_own(board, id, asker)) {
        true => entry.shown_caller().to_owned(),
        false => mask(entry.shown_caller()).to_string(),
    };
    CallView {
        call: id.to_string(),
        line: entry.line.to_string(),
        caller,
        ticket: entry.ticket.clone(),
        state: entry.state(),
        opened_at: entry.opened_at.to_string(),
        seats: seats(board, id).map(ToString::to_string).collect(),
    }
}

/// Whether who asks sees numbers in full, in a call that is their own seat's or is not.
fn sees(asker: &Asker, own: bool) -> bool {
    rights::sees_numbers(asker.role) || own && rights::sees_own_numbers(asker.role)
}

/// Whether a call is one of the asker's own seat.
pub(super) fn is_own(board: &Switchboard, call: CallId, asker: &Asker) -> bool {
    seats(board, call).any(|seat| asker.seat.as_ref() == Some(seat))
}

/// Seats that have to do with a call.
fn seats(board: &Switchboard, wanted: CallId) -> impl Iterator<Item = &SeatId> {
    let concerns = move |state: &SeatState| match state {
        SeatState::Offered { call, .. }
        | SeatState::Talking { call, .. }
        | SeatState::WrapUp { call, .. } => *call == wanted,
        SeatState::SignedOut | SeatState::Ready { .. } | SeatState::Away { .. } => false,
    };
    board.acd().seats().filter(move |(_, state)| concerns(state)).map(|(seat, _)| seat)
}
