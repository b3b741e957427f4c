//! What calls were about, and how they are marked.

use axum::Json;
use axum::extract::{Path, State as Shared};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::Strict;
use super::problem::Problem;
use super::{Done, Extracted, Me, call_of};
use crate::switchboard::request::{self, AtOnce, Disposed, Request};

/// What a call was about: codes of the plan's `[disposition]`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "field": "public_service", "kind": "consultation" }))]
pub(super) struct DispositionBody {
    /// One of the fields.
    field: Option<String>,
    /// One of the types.
    kind: Option<String>,
    /// Why it is not accepted.
    not_accepted: Option<String>,
    /// The matter is secret: its recording is not exported.
    #[serde(default)]
    secret: bool,
    /// Satisfaction is not chased.
    #[serde(default)]
    unsurveyed: bool,
}

/// What is to be done at once about the matter, by `[[disposition.immediate]]`.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "code": "complaint", "to": "12366", "within_ms": 120_000, "due_at": "2026-11-27T01:02:00Z"
}))]
pub(super) struct AtOnceView {
    /// The code for which it is.
    code: String,
    /// Whom to ask into the call: what `/consult` wants as its `to`. Left out: the ticket hands the matter on.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// How soon, milliseconds.
    within_ms: u64,
    /// Until when.
    due_at: String,
}

impl From<AtOnce> for AtOnceView {
    fn from(AtOnce { code, to, within_ms, due_at }: AtOnce) -> Self {
        AtOnceView { code, to: to.map(|to| to.to_string()), within_ms, due_at: due_at.to_string() }
    }
}

/// As what a call is marked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "flag": "urgent" }))]
pub(super) struct FlagBody {
    flag: FlagWord,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum FlagWord {
    /// Its clerk was abused, and rests after it.
    Abusive,
    /// The caller wants to be known to nobody.
    Confidential,
    /// Somebody's life or safety.
    Urgent,
}

/// 诉求登记：领域、类型、不予受理 / What a call was about; it may be over.
#[utoipa::path(post, path = "/v1/calls/{call}/disposition", tag = "calls", params(("call" = String, Path)),
    request_body = DispositionBody,
    responses((status = 200, body = Done), (status = 404), (status = 422)))]
pub(super) async fn dispose(
    Shared(app): Extracted,
    Path(call): Path<String>,
    me: Me,
    Strict(body): Strict<DispositionBody>,
) -> Result<Json<Done>, Problem> {
    let DispositionBody { field, kind, not_accepted, secret, unsurveyed } = body;
    let by = me.asker.name.clone();
    let disposed = Disposed { field, kind, not_accepted, secret, unsurveyed, by, immediate: None };
    app.ask(&me.asker, Request::Dispose { call: call_of(&call)?, disposed }).await
}

/// 标记：辱骂、保密、紧急 / A call is marked.
#[utoipa::path(post, path = "/v1/calls/{call}/flag", tag = "calls", params(("call" = String, Path)),
    request_body = FlagBody, responses((status = 200, body = Done), (status = 404)))]
pub(super) async fn flag(
    Shared(app): Extracted,
    Path(call): Path<String>,
    me: Me,
    Strict(body): Strict<FlagBody>,
) -> Result<Json<Done>, Problem> {
    let flag = match body.flag {
        FlagWord::Abusive => request::Flag::Abusive,
        FlagWord::Confidential => request::Flag::Confidential,
        FlagWord::Urgent => request::Flag::Urgent,
    };
    app.ask(&me.asker, Request::Flag { call: call_of(&call)?, flag }).await
}
