//! Somebody listens to a call beside it, or changes how.

use axum::Json;
use axum::extract::{Path, State as Shared};
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::Strict;
use super::problem::Problem;
use super::wishes::seat_or_own;
use super::{Done, Extracted, Me, call_of};
use crate::switchboard::request::{Request, Watching};

/// Who listens, and how.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "seat": "1099", "how": "listen" }))]
pub(super) struct WatchBody {
    /// The seat that rings for it; without it the asker's own.
    seat: Option<String>,
    how: How,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum How {
    /// Is not heard.
    Listen,
    /// Is heard by the clerk alone.
    Whisper,
    /// Is heard by all.
    Barge,
}

/// 监听、耳语、强插 / Listen to a call, whisper to its clerk, or talk with all.
#[utoipa::path(post, path = "/v1/calls/{call}/watch", tag = "calls", params(("call" = String, Path)),
    request_body = WatchBody,
    responses((status = 200, body = Done), (status = 404), (status = 409),
        (status = 422)))]
pub(super) async fn watch(
    Shared(app): Extracted,
    Path(call): Path<String>,
    me: Me,
    Strict(body): Strict<WatchBody>,
) -> Result<Json<Done>, Problem> {
    let how = match body.how {
        How::Listen => Watching::Listen,
        How::Whisper => Watching::Whisper,
        How::Barge => Watching::Barge,
    };
    let seat = seat_or_own(body.seat, &me.asker)?;
    app.ask(&me.asker, Request::Watch { call: call_of(&call)?, seat, how }).await
}
