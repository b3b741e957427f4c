//! What people want of a call under way: a third party, music, another queue, another clerk, its end.

use axum::Json;
use axum::extract::{Path, State as Shared};
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::Strict;
use super::problem::Problem;
use super::{App, Done, Extracted, Me, call_of};
use crate::call::Wish;
use crate::id::{QueueId, SeatId};
use crate::switchboard::request::{Asker, Request};

/// Longest name or number of a party, bytes.
const PARTY_MAX: usize = 64;

/// Nothing has to be said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// Whom to ask in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "to": "12315" }))]
pub(super) struct ConsultBody {
    /// A number of the plan, or a seat.
    to: String,
}

/// Where the caller waits.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "queue": "main" }))]
pub(super) struct RequeueBody {
    /// Without it: where it waited, or the line's.
    queue: Option<String>,
}

/// The seat that it is for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "seat": "1001" }))]
pub(super) struct SeatBody {
    /// Without it: the asker's own.
    seat: Option<String>,
}

impl SeatBody {
    /// The seat that is meant.
    pub(super) fn seat(self, asker: &Asker) -> Result<SeatId, Problem> {
        seat_or_own(self.seat, asker)
    }
}

/// The seat that is named, or else the asker's own.
pub(super) fn seat_or_own(named: Option<String>, asker: &Asker) -> Result<SeatId, Problem> {
    let named = named.map(|seat| SeatId::from(seat.as_str()));
    let own = "请说明：此令牌没有自己的座席";
    named
        .or_else(|| asker.seat.clone())
        .ok_or_else(|| Problem::bad_value("seat", own, "is needed: this token has no seat of its own"))
}

async fn wish(app: &App, me: &Asker, call: &str, wish: Wish) -> Result<Json<Done>, Problem> {
    app.ask(me, Request::Call { call: call_of(call)?, wish }).await
}

/// 咨询第三方：来电人听音乐 / Ask a third party in: the caller hears music meanwhile.
#[utoipa::path(post, path = "/v1/calls/{call}/consult", tag = "calls", params(("call" = String, Path)),
    request_body = ConsultBody,
    responses((status = 200, body = Done), (status = 404), (status = 409),
        (status = 422)))]
pub(super) async fn consult(
    Shared(app): Extracted,
    Path(call): Path<String>,
    me: Me,
    Strict(body): Strict<ConsultBody>,
) -> Result<Json<Done>, Problem> {
    if body.to.is_empty() || body.to.len() > PARTY_MAX {
        return Err(Problem::bad_value("to", "须为 1 至 64 个字符", "must be 1 to 64 letters"));
    }
    wish(&app, &me.asker, &call, Wish::Consult { to: body.to }).await
}

/// A wish that says nothing beside itself.
macro_rules! plain {
    ($(#[$doc:meta])* $name:ident, $path:literal, $wish:expr) => {
        $(#[$doc])*
        #[utoipa::path(post, path = $path, tag = "calls", params(("call" = String, Path)),
            request_body = Nothing,
            responses((status = 200, body = Done), (status = 404),
                (status = 409), (status = 422)))]
        pub(super) async fn $name(
            Shared(app): Extracted,
            Path(call): Path<String>,
            me: Me,
            Strict(Nothing {}): Strict<Nothing>,
        ) -> Result<Json<Done>, Problem> {
            wish(&app, &me.asker, &call, $wish).await
        }
    };
}

plain!(
    /// 三方通话 / All three talk.
    merge, "/v1/calls/{call}/merge", Wish::Merge
);
plain!(
    /// 座席退出，其余继续 / The clerk leaves; the caller and the third party go on.
    leave, "/v1/calls/{call}/leave", Wish::Leave
);
plain!(
    /// 放弃第三方，回到来电人 / The third party is let go; clerk and caller talk.
    come_back, "/v1/calls/{call}/return", Wish::Return
);
plain!(
    /// 保持：来电人听音乐 / The caller is left with music.
    hold, "/v1/calls/{call}/hold", Wish::Hold
);
plain!(
    /// 取消保持 / The caller is talked with again.
    resume, "/v1/calls/{call}/resume", Wish::Resume
);
plain!(
    /// 结束通话 / The call is ended.
    end, "/v1/calls/{call}/end", Wish::End
);

/// 退回队列，排在前面 / The caller goes back to a queue, ahead of others.
#[utoipa::path(post, path = "/v1/calls/{call}/requeue", tag = "calls", params(("call" = String, Path)),
    request_body = RequeueBody,
    responses((status = 200, body = Done), (status = 404), (status = 409)))]
pub(super) async fn requeue(
    Shared(app): Extracted,
    Path(call): Path<String>,
    me: Me,
    Strict(body): Strict<RequeueBody>,
) -> Result<Json<Done>, Problem> {
    let queue = body.queue.map(|queue| QueueId::from(queue.as_str()));
    wish(&app, &me.asker, &call, Wish::Requeue { queue }).await
}

/// 接管通话 / The call goes to a seat, whose clerk takes over.
#[utoipa::path(post, path = "/v1/calls/{call}/take-over", tag = "calls", params(("call" = String, Path)),
    request_body = SeatBody,
    responses((status = 200, body = Done), (status = 404), (status = 409),
        (status = 422)))]
pub(super) async fn take_over(
    Shared(app): Extracted,
    Path(call): Path<String>,
    me: Me,
    Strict(body): Strict<SeatBody>,
) -> Result<Json<Done>, Problem> {
    let seat = body.seat(&me.asker)?;
    wish(&app, &me.asker, &call, Wish::TakeOver { seat }).await
}
