//! Dead letters: events that sinks and feeds refused for good, or that were given up; listed, and sent again. Who has
//! one sent again and why is in the ledger with it, or nothing happens.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State as Shared};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::facts::unread;
use super::problem::{self, Problem};
use super::recordings::asked;
use super::{Extracted, Me};
use crate::io::house::Ask;
use crate::io::store::{DeadLetter, Letters, Resending, Resent};
use crate::switchboard::{Input, Switchboard};
use crate::tickets::event::EventRef;

/// Letters of one answer, and how many it has if nobody says.
const LIMIT: (usize, usize) = (1_000, 100);

/// Which letters are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Of this sink or feed only.
    sink: Option<String>,
    /// At most so many, the oldest first: 1 to 1,000.
    limit: Option<usize>,
    /// With the house's own token: who asks.
    #[serde(rename = "by")]
    _by: Option<String>,
}

/// Who has a letter sent again, and why: both go to the ledger.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Why {
    /// Who asks; with the house's own token only, as any other is somebody's.
    by: Option<String>,
    /// Why.
    reason: Option<String>,
    /// To this sink or feed only.
    sink: Option<String>,
}

/// An event that a sink or feed has not taken. What it tells of people stays in it.
#[derive(Serialize, ToSchema)]
#[schema(as = DeadLetter, example = json!({
    "id": "017bb000-0000-7000-8000-000000000000/3", "call": "017bb000-0000-7000-8000-000000000000", "sequence": 3,
    "type": "hotline.call.closed.v1", "at": "2021-09-01T01:00:00Z", "sink": "office", "why": "400 Bad Request"
}))]
pub(super) struct LetterView {
    /// The event's: call and sequence.
    id: String,
    call: String,
    sequence: u32,
    r#type: String,
    at: String,
    sink: String,
    /// What the sink said.
    why: String,
}

/// What became of it, by sinks and feeds.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "owed": ["office"], "waiting": [], "refused": [] }))]
pub(super) struct ResentView {
    /// They are sent it again; each keeps it as a letter until it has taken it.
    owed: Vec<String>,
    /// They were to be sent it again before, and have not taken it yet.
    waiting: Vec<String>,
    /// Nothing can be sent to them: the embedded office, and those that the plan has no more.
    refused: Vec<String>,
}

/// 死信：对方不收的、过期未送达的事件 / Dead letters, oldest first: events that were refused, or given up.
#[utoipa::path(get, path = "/v1/tickets/dead", tag = "tickets", params(Wanted),
    responses((status = 200, body = [LetterView]), (status = 422)))]
pub(super) async fn list(
    Shared(app): Extracted,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Vec<LetterView>>, Problem> {
    let Query(wanted) = wanted.map_err(|rejection| unread(&rejection))?;
    let (most, usual) = LIMIT;
    let limit = wanted.limit.unwrap_or(usual);
    if !(1..=most).contains(&limit) {
        return Err(Problem::bad_value("limit", "须为 1 至 1000", "must be 1 to 1,000"));
    }
    let which = Letters { sink: wanted.sink, event: None };
    let letters = app.state.desk.answer(move |reader| reader.letters(&which, limit)).await?;
    Ok(Json(letters.into_iter().map(view).collect()))
}

/// 重发死信 / A dead letter is sent again, to each sink and feed that has not taken it, or to one of them.
#[utoipa::path(post, path = "/v1/tickets/dead/{call}/{sequence}/resend", tag = "tickets",
    params(("call" = String, Path), ("sequence" = u32, Path), Why),
    responses((status = 200, body = ResentView), (status = 400), (status = 404),
        (status = 409, description = "nothing can be sent to whoever refused it")))]
pub(super) async fn resend(
    Shared(app): Extracted,
    Path((call, sequence)): Path<(String, String)>,
    Query(why): Query<Why>,
    me: Me,
) -> Result<Json<ResentView>, Problem> {
    let (call, by, reason) = asked(&me, &call, why.by, why.reason)?;
    let sequence = sequence.parse().map_err(|_| problem::NO_SUCH_LETTER)?;
    let (at, ways) = app.look(|board, now| (now.wall, ways(board))).await?;
    let event = EventRef { call, sequence };
    let which = Letters { sink: why.sink, event: Some(event) };
    let owed: BTreeSet<String> = ways.keys().cloned().collect();
    let resent = app.state.errands.resend(which, Resending { at, by, reason }, owed).await?;
    if resent == Resent::default() {
        return Err(problem::NO_SUCH_LETTER.into());
    }
    for sink in resent.owed.keys().filter_map(|name| ways.get(name)) {
        // An engine that ends looks again at its next start.
        let _ = app.state.door.send(Ask::Input(Input::Owed { sink: *sink, first: event }));
    }
    if resent.owed.is_empty() && resent.waiting.is_empty() {
        return Err(refused(&resent));
    }
    let names = |of: BTreeMap<String, u64>| of.into_keys().collect();
    let Resent { owed, waiting, refused } = resent;
    Ok(Json(ResentView { owed: names(owed), waiting: names(waiting), refused: names(refused) }))
}

/// Places of the sinks and feeds that something can be owed to, by their names.
fn ways(board: &Switchboard) -> BTreeMap<String, usize> {
    let ways = board.plan().outlets().zip(board.outboxes()).enumerate();
    ways.filter_map(|(place, (sink, outbox))| outbox.as_ref().map(|_| (sink.name.clone(), place))).collect()
}

fn view(letter: DeadLetter) -> LetterView {
    let DeadLetter { sink, event, why } = letter;
    let EventRef { call, sequence } = event.event;
    LetterView {
        id: format!("{call}/{sequence}"),
        call: call.to_string(),
        sequence,
        r#type: event.kind.to_string(),
        at: event.at.to_string(),
        sink,
        why,
    }
}

fn refused(resent: &Resent) -> Problem {
    let names: Vec<&str> = resent.refused.keys().map(String::as_str).collect();
    let names = names.join(", ");
    let zh =
        format!("无法重发给 {names}：内置工单随通话写入，不另发送；方案里已没有的去处，须写回方案并重启");
    let en = format!(
        "nothing can be sent to {names}: the embedded office has its tickets with the calls, and a sink that the plan has no \
         more wants to be put back into it, and a restart"
    );
    Problem::new(StatusCode::CONFLICT, "not_sendable", zh, en).about("sink")
}
