//! Queues: who waits in them and for how long, and a surge by somebody's word.

use axum::Json;
use axum::extract::{Path, State as Shared};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::Strict;
use super::problem::Problem;
use super::seats::millis;
use super::{Done, Extracted, Me};
use crate::id::QueueId;
use crate::switchboard::Switchboard;
use crate::switchboard::request::Request;
use crate::time::Now;

/// A queue.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "queue": "main", "waiting": 3, "ringing": 1, "longest_wait_ms": 9200, "working": 8, "free": 0,
    "expected_wait_ms": 24000
}))]
pub(super) struct QueueView {
    queue: String,
    /// Callers in it, those for whom a seat rings too.
    waiting: u32,
    /// Those for whom a seat rings.
    ringing: u32,
    /// The longest wait of them, milliseconds.
    longest_wait_ms: Option<u64>,
    /// Seats that serve it and where a clerk works.
    working: u32,
    /// Those of them that are free.
    free: u32,
    /// A guess for who joins now, milliseconds; null where there is nothing to go by.
    expected_wait_ms: Option<u64>,
}

/// Whether a surge is on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "on": true }))]
pub(super) struct SurgeBody {
    /// Null, or left out: by the queue's own rule again.
    on: Option<bool>,
}

/// 全部队列 / All queues.
#[utoipa::path(get, path = "/v1/queues", tag = "queues", responses((status = 200, body = [QueueView])))]
pub(super) async fn list(Shared(app): Extracted) -> Result<Json<Vec<QueueView>>, Problem> {
    app.look(views).await.map(Json)
}

fn views(board: &Switchboard, now: Now) -> Vec<QueueView> {
    let view = |queue: crate::acd::QueueView| QueueView {
        queue: queue.queue.to_string(),
        waiting: queue.waiting,
        ringing: queue.ringing,
        longest_wait_ms: queue.longest_wait.map(millis),
        working: queue.working,
        free: queue.free,
        expected_wait_ms: queue.expected_wait.map(millis),
    };
    board.acd().queues(now.mono).into_iter().map(view).collect()
}

/// 人工启停高峰模式 / A surge begins or ends by somebody's word.
#[utoipa::path(post, path = "/v1/queues/{queue}/surge", tag = "queues", params(("queue" = String, Path)),
    request_body = SurgeBody,
    responses((status = 200, body = Done), (status = 404), (status = 422)))]
pub(super) async fn surge(
    Shared(app): Extracted,
    Path(queue): Path<String>,
    me: Me,
    Strict(body): Strict<SurgeBody>,
) -> Result<Json<Done>, Problem> {
    let queue = QueueId::from(queue.as_str());
    app.ask(&me.asker, Request::Surge { queue, on: body.on }).await
}
