//! The facts of the house, in the order of their places: by pages, or as they happen (`stream`).

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::masking::Rest;
use super::problem::Problem;
use super::{App, Extracted, Me, call_of, masking, rights, stream};
use crate::id::{CallId, SeatId};
use crate::switchboard::fact::SeatFact;
use crate::switchboard::{Fact, Happened, Placed, What};

/// Facts of one page, and how many it has if nobody says.
const LIMIT: (usize, usize) = (1_000, 200);
/// Facts read at once.
pub(super) const READ_MAX: usize = 500;
/// Reads for one page: where few facts pass the filter, the page ends there, and says how far it looked.
const READS_MAX: usize = 20;

/// Which facts are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Those after this place. A page begins with the first; a stream without it with what happens next.
    after: Option<u64>,
    /// At most so many, 1 to 1,000: a page is wanted, not a stream.
    limit: Option<usize>,
    /// Of this call only.
    call: Option<String>,
    /// Of this kind only: `queued`, `seat_answered`, `seat_changed`, ….
    kind: Option<String>,
    /// With the house's own token: who asks.
    #[serde(rename = "by")]
    _by: Option<String>,
}

/// What happened on a call, or at a seat.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "house": 4711, "call": "017bb000-0000-7000-8000-000000000000", "sequence": 3,
    "at": "2021-09-01T01:00:00.25Z", "kind": "queued", "data": { "queue": "main" }
}))]
pub(super) struct FactView {
    /// Its place among all facts of the house: grows without end, across restarts too, and may have holes.
    pub(super) house: u64,
    /// The call that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<String>,
    /// The seat that it happened at; without it, it happened on the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    seat: Option<String>,
    /// Its place among those of the call, from 1, without holes; at a seat, among those of all seats since the
    /// house began.
    sequence: u64,
    at: String,
    /// What: `opened`, `answered`, `queued`, `seat_offered`, …, `closed`; at a seat `seat_changed`.
    kind: String,
    /// Its fields, by kind; numbers masked, and `lines` and `values` empty, for who need not know them.
    #[schema(value_type = Object)]
    data: Value,
}

/// A page of facts.
#[derive(Serialize, ToSchema)]
pub(super) struct FactsPage {
    facts: Vec<FactView>,
    /// The place of the last fact that was looked at: `after` of the next page.
    next: u64,
    /// Whether there may be more behind it now.
    more: bool,
}

/// Whom facts are shown to, and which.
pub(super) struct Filter {
    call: Option<CallId>,
    kind: Option<String>,
    hidden: bool,
    /// Whose own calls are shown with what was said in them, if anybody's are.
    seat: Option<SeatId>,
}

/// The call that a fact is about.
fn about(placed: &Placed) -> Option<CallId> {
    match &placed.what {
        Happened::OnCall(fact) => Some(fact.call),
        Happened::AtSeat(fact) => fact.call,
    }
}

/// What is on disk about the calls of some facts, and decides how they are shown.
#[derive(Default)]
pub(super) struct Known {
    /// Their callers want to be known to nobody.
    nobodys: BTreeSet<CallId>,
    /// They came to the asker's own seat.
    own: BTreeSet<CallId>,
}

impl Filter {
    /// What has to be known of the calls that these facts are about: a mark may stand far behind the number. Nothing
    /// is looked up for who sees everything.
    pub(super) async fn known<'a>(
        &self,
        app: &App,
        placed: impl Iterator<Item = &'a Placed> + Clone,
    ) -> Result<Known, Problem> {
        if !self.hidden {
            return Ok(Known::default());
        }
        let wanted = |call: &CallId| self.call.is_none_or(|only| only == *call);
        let calls: BTreeSet<CallId> = placed.clone().filter_map(about).filter(wanted).collect();
        let telling: BTreeSet<CallId> =
            placed.filter(|placed| tells_words(placed)).filter_map(about).filter(wanted).collect();
        if calls.is_empty() {
            return Ok(Known::default());
        }
        let seat = self.seat.clone();
        let known = app.state.desk.answer(move |reader| {
            let own = match &seat {
                Some(seat) => reader.came_to(seat, &telling)?,
                None => BTreeSet::new(),
            };
            Ok(Known { nobodys: reader.confidential(&calls)?, own })
        });
        Ok(known.await?)
    }

    /// The fact as it is shown, if it is wanted.
    pub(super) fn view(&self, placed: &Placed, known: &Known) -> Option<FactView> {
        let about = about(placed);
        if self.call.is_some() && self.call != about {
            return None;
        }
        let mut view = match &placed.what {
            Happened::OnCall(fact) => on_call(placed.house, fact)?,
            Happened::AtSeat(fact) => at_seat(placed.house, fact),
        };
        if self.kind.as_ref().is_some_and(|wanted| *wanted != view.kind) {
            return None;
        }
        if self.hidden {
            let is_nobodys = about.is_some_and(|call| known.nobodys.contains(&call));
            let is_own = about.is_some_and(|call| known.own.contains(&call));
            if is_nobodys || !is_own {
                leave_out_words(&mut view.data);
            }
            masking::hide(&mut view.data, if is_nobodys { Rest::Nothing } else { Rest::Masked });
        }
        Some(view)
    }
}

/// Whether it tells what a caller said in so many words.
fn tells_words(placed: &Placed) -> bool {
    let Happened::OnCall(fact) = &placed.what else { return false };
    matches!(fact.what, What::BotTalked { .. } | What::Ordered { .. })
}

/// Names, addresses and plates have no digits to be known by: what was said to a program or for a ticket is for who is
/// on that call.
fn leave_out_words(data: &mut Value) {
    for (name, empty) in [("lines", json!([])), ("values", json!({}))] {
        if let Some(said) = data.get_mut(name) {
            *said = empty;
        }
    }
}

fn on_call(house: u64, fact: &Fact) -> Option<FactView> {
    let mut data = serde_json::to_value(&fact.what).ok()?;
    let fields = data.as_object_mut()?;
    let Value::String(kind) = fields.remove("fact")? else { return None };
    let (call, at) = (Some(fact.call.to_string()), fact.at.to_string());
    Some(FactView { house, call, seat: None, sequence: fact.sequence.into(), at, kind, data })
}

fn at_seat(house: u64, fact: &SeatFact) -> FactView {
    FactView {
        house,
        call: fact.call.map(|call| call.to_string()),
        seat: Some(fact.seat.to_string()),
        sequence: fact.sequence,
        at: fact.at.to_string(),
        kind: "seat_changed".to_owned(),
        data: json!({ "state": fact.state.word(), "why": fact.why, "by": fact.by }),
    }
}

/// 事实流（SSE，可续传），或按页读取 / Facts as they happen (server-sent events), or a page of them.
///
/// With `limit`, or `Accept: application/json`, a page. Otherwise a stream: `id` is the fact's place, `data` the
/// fact. It goes on after `Last-Event-ID`, or else after `after`, with nothing lost and nothing twice. A comment
/// comes at least every 15 s. What is told is on disk.
#[utoipa::path(get, path = "/v1/facts", tag = "facts",
    params(Wanted, ("Last-Event-ID" = Option<u64>, Header, description = "the place of the last fact that was heard")),
    responses((status = 200, description = "a page, or a stream", content(
        (FactsPage = "application/json"), (String = "text/event-stream"))),
        (status = 422)))]
pub(super) async fn facts(
    Shared(app): Extracted,
    wanted: Result<Query<Wanted>, QueryRejection>,
    headers: HeaderMap,
    me: Me,
) -> Result<Response, Problem> {
    let Query(wanted) = wanted.map_err(|rejection| unread(&rejection))?;
    let filter = Filter {
        call: wanted.call.as_deref().map(call_of).transpose()?,
        kind: wanted.kind,
        hidden: !rights::sees_numbers(me.asker.role),
        seat: me.asker.seat.clone().filter(|_| rights::sees_own_numbers(me.asker.role)),
    };
    let accepts = |kind| {
        let mut accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        accepted.any(|value| value.contains(kind))
    };
    if wanted.limit.is_some() || accepts("application/json") && !accepts("text/event-stream") {
        let limit = wanted.limit.unwrap_or(LIMIT.1);
        if limit == 0 || limit > LIMIT.0 {
            return Err(Problem::bad_value("limit", "须为 1 至 1000", "must be 1 to 1000"));
        }
        return Ok(Json(page(&app, wanted.after.unwrap_or(0), limit, &filter).await?).into_response());
    }
    let heard = headers.get("last-event-id").map(|value| {
        let place = value.to_str().ok().and_then(|text| text.trim().parse().ok());
        place.ok_or_else(|| Problem::bad_value("Last-Event-ID", "须为数字", "must be a number"))
    });
    stream::open(app, me.0, heard.transpose()?.or(wanted.after), filter).await
}

/// The names of parameters are told as those of fields of a body are.
pub(super) fn unread(rejection: &QueryRejection) -> Problem {
    let said = rejection.body_text();
    let named = said.split('`').nth(1).unwrap_or_default();
    let (zh, en) = match said.contains("unknown field") {
        true => (format!("没有参数 {named}"), format!("there is no parameter {named}")),
        false => (format!("参数不合要求：{said}"), format!("a parameter is not as it must be: {said}")),
    };
    let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_parameter", zh, en);
    if named.is_empty() { problem } else { problem.about(named) }
}

async fn page(app: &App, after: u64, limit: usize, filter: &Filter) -> Result<FactsPage, Problem> {
    let mut page = FactsPage { facts: Vec::new(), next: after, more: true };
    for _ in 0..READS_MAX {
        let next = page.next;
        let read = app.state.desk.answer(move |reader| reader.placed_after(next, READ_MAX)).await?;
        let all = read.len() < READ_MAX;
        let known = filter.known(app, read.iter()).await?;
        for placed in read {
            if page.facts.len() == limit {
                return Ok(page);
            }
            page.next = placed.house;
            page.facts.extend(filter.view(&placed, &known));
        }
        if all {
            page.more = false;
            break;
        }
    }
    Ok(page)
}
