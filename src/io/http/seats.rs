//! Seats: where they stand, what their clerks want of them, and calls that they make.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State as Shared};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::Strict;
use super::problem::{self, Problem};
use super::{Done, Extracted, Me, call_of, rights};
use crate::acd::event::{AwayWhy, Change, SeatState};
use crate::id::{LineId, SeatId};
use crate::routing::plan::Seat;
use crate::switchboard::Switchboard;
use crate::switchboard::request::Request;
use crate::time::{Instant, Now};

/// Longest rest, and longest addition to a wrap-up, that may be asked for, seconds.
const SECONDS_MAX: u32 = 8 * 3_600;

/// A seat.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "seat": "1001", "name": "一号台", "role": "clerk", "queues": ["main"], "skills": [],
    "state": "talking", "call": "017bb000-0000-7000-8000-000000000000", "since_ms": 4200
}))]
pub(super) struct SeatView {
    /// 工号.
    seat: String,
    name: String,
    /// `clerk`, `expert`, `leader`, `observer`, `trainee`, `supervisor`, `admin`.
    role: &'static str,
    /// Queues that it serves.
    queues: Vec<String>,
    skills: Vec<SkillView>,
    /// `signed_out`, `ready`, `offered`, `talking`, `wrap_up`, `away`.
    state: &'static str,
    /// For whom it rings, with whom it talks, or whose case it finishes.
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<String>,
    /// In this state for so long, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    since_ms: Option<u64>,
    /// Which ends by itself after so long, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_ms: Option<u64>,
    /// Why it is away: `unanswered`, `vanished`, `own_call`, `said`, `rest`, `forced`.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
    /// What its clerk said, by its name in the plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// What a clerk can do.
#[derive(Serialize, ToSchema)]
struct SkillView {
    skill: String,
    /// 1 … 9.
    level: u8,
}

/// What a seat is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "state": "away", "reason": "lunch" }))]
pub(super) struct StateBody {
    state: StateWord,
    /// With `away`: a name of the plan's `[[work.away]]`.
    reason: Option<String>,
    /// With `wrap_up`: so much longer; with `rest`: for so long, or as the plan says. At most 28,800.
    seconds: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum StateWord {
    Ready,
    Away,
    WrapUp,
    Rest,
    ForceAway,
}

/// Whom a seat calls.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "number": "13800000042", "line": "12345" }))]
pub(super) struct DialBody {
    /// Outside.
    number: String,
    /// Whose number is shown; without it the plan's.
    line: Option<String>,
    /// The call that it follows from.
    of: Option<String>,
}

/// 全部座席 / All seats.
#[utoipa::path(get, path = "/v1/seats", tag = "seats", responses((status = 200, body = [SeatView])))]
pub(super) async fn list(Shared(app): Extracted) -> Result<Json<Vec<SeatView>>, Problem> {
    let all =
        |board: &Switchboard, now| board.plan().seats.values().map(|seat| view(board, seat, now)).collect();
    app.look(all).await.map(Json)
}

/// 一个座席 / One seat.
#[utoipa::path(get, path = "/v1/seats/{seat}", tag = "seats", params(("seat" = String, Path)),
    responses((status = 200, body = SeatView), (status = 404)))]
pub(super) async fn one(Shared(app): Extracted, Path(seat): Path<String>) -> Result<Json<SeatView>, Problem> {
    let one = move |board: &Switchboard, now| {
        board.plan().seats.get(seat.as_str()).map(|seat| view(board, seat, now))
    };
    app.look(one).await?.map(Json).ok_or_else(|| problem::NO_SUCH_SEAT.into())
}

fn view(board: &Switchboard, seat: &Seat, now: Now) -> SeatView {
    let mut view = SeatView {
        seat: seat.id.to_string(),
        name: seat.name.clone(),
        role: rights::name(seat.role),
        queues: seat.queues.iter().map(ToString::to_string).collect(),
        skills: seat
            .skills
            .iter()
            .map(|known| SkillView { skill: known.skill.to_string(), level: known.level })
            .collect(),
        state: "signed_out",
        call: None,
        since_ms: None,
        left_ms: None,
        why: None,
        reason: None,
    };
    let since = |at: Instant| Some(millis(now.mono.since(at)));
    let left = |at: Instant| Some(millis(at.since(now.mono)));
    match board.acd().seat(&seat.id) {
        None | Some(SeatState::SignedOut) => {}
        Some(SeatState::Ready { since: at }) => (view.state, view.since_ms) = ("ready", since(*at)),
        Some(SeatState::Offered { call, lapses_at }) => {
            (view.state, view.call, view.left_ms) = ("offered", Some(call.to_string()), left(*lapses_at));
        }
        Some(SeatState::Talking { call, since: at }) => {
            (view.state, view.call, view.since_ms) = ("talking", Some(call.to_string()), since(*at));
        }
        Some(SeatState::WrapUp { call, ends_at }) => {
            (view.state, view.call, view.left_ms) = ("wrap_up", Some(call.to_string()), left(*ends_at));
        }
        Some(SeatState::Away { since: at, until, why }) => {
            (view.state, view.since_ms, view.left_ms) = ("away", since(*at), until.and_then(left));
            (view.why, view.reason) = away(why);
        }
    }
    view
}

fn away(why: &AwayWhy) -> (Option<&'static str>, Option<String>) {
    match why {
        AwayWhy::Unanswered => (Some("unanswered"), None),
        AwayWhy::Vanished => (Some("vanished"), None),
        AwayWhy::OwnCall => (Some("own_call"), None),
        AwayWhy::Said(reason) => (Some("said"), Some(reason.clone())),
        AwayWhy::Rest => (Some("rest"), None),
        AwayWhy::Forced => (Some("forced"), None),
    }
}

pub(super) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// 座席状态：就绪、离席、延长事后处理、休息、强制离席 / What a seat is to be.
#[utoipa::path(post, path = "/v1/seats/{seat}/state", tag = "seats", params(("seat" = String, Path)),
    request_body = StateBody,
    responses((status = 200, body = Done), (status = 404), (status = 409),
        (status = 422)))]
pub(super) async fn change(
    Shared(app): Extracted,
    Path(seat): Path<String>,
    me: Me,
    Strict(body): Strict<StateBody>,
) -> Result<Json<Done>, Problem> {
    let change = match body.change()? {
        Some(change) => change,
        None => Change::Rest(app.look(|board, _| board.plan().work.rest).await?),
    };
    let seat = SeatId::from(seat.as_str());
    app.ask(&me.asker, Request::Seat { seat, change }).await
}

impl StateBody {
    /// `None`: a rest as long as the plan says.
    fn change(self) -> Result<Option<Change>, Problem> {
        let stray = |field| Problem::bad_value(field, "与此状态无关", "is not for this state");
        if self.reason.is_some() && self.state != StateWord::Away {
            return Err(stray("reason"));
        }
        if self.seconds.is_some() && !matches!(self.state, StateWord::WrapUp | StateWord::Rest) {
            return Err(stray("seconds"));
        }
        if self.seconds.is_some_and(|seconds| seconds == 0 || seconds > SECONDS_MAX) {
            return Err(Problem::bad_value("seconds", "须为 1 至 28800", "must be 1 to 28800"));
        }
        let span = self.seconds.map(|seconds| Duration::from_secs(seconds.into()));
        Ok(match (self.state, self.reason, span) {
            (StateWord::Ready, ..) => Some(Change::Ready),
            (StateWord::ForceAway, ..) => Some(Change::ForceAway),
            (StateWord::Away, Some(reason), _) => Some(Change::Away { reason }),
            (StateWord::Away, None, _) => return Err(Problem::bad_value("reason", "请说明", "is needed")),
            (StateWord::WrapUp, _, Some(span)) => Some(Change::MoreWrapUp(span)),
            (StateWord::WrapUp, _, None) => return Err(Problem::bad_value("seconds", "请说明", "is needed")),
            (StateWord::Rest, _, span) => span.map(Change::Rest),
        })
    }
}

/// 座席外呼：先振座席，再拨对方 / A seat calls somebody outside: it rings first, then they do.
#[utoipa::path(post, path = "/v1/seats/{seat}/dial", tag = "seats", params(("seat" = String, Path)),
    request_body = DialBody,
    responses((status = 200, body = Done), (status = 404), (status = 409),
        (status = 422)))]
pub(super) async fn dial(
    Shared(app): Extracted,
    Path(seat): Path<String>,
    me: Me,
    Strict(body): Strict<DialBody>,
) -> Result<Json<Done>, Problem> {
    if !is_number(&body.number) {
        return Err(Problem::bad_value("number", "须为 3 至 20 位数字", "must be 3 to 20 digits"));
    }
    let of = body.of.as_deref().map(call_of).transpose()?;
    let line = body.line.as_deref().map(LineId::from);
    let seat = SeatId::from(seat.as_str());
    app.ask(&me.asker, Request::Dial { seat, number: body.number, line, of }).await
}

/// Digits, perhaps behind a plus sign (ITU-T E.164 has 15 at most; a prefix may stand before them).
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (3..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}
