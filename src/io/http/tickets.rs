//! How far offices are with tickets: said here, and asked by callers through a flow's look-up.

use axum::Json;
use axum::extract::{Path, State as Shared};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::Strict;
use super::problem::{self, Problem};
use super::{Extracted, Me};
use crate::tickets::progress::Progress;

/// Longest number of a ticket, digits.
const NUMBER_MAX: usize = 32;
/// Longest reason, letters.
const REASON_MAX: usize = 200;

/// How far an office is with a ticket.
#[derive(Deserialize, Serialize, Clone, Copy, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ProgressWord {
    /// 已受理.
    Open,
    /// 已派单.
    Assigned,
    /// 办理中.
    InHand,
    /// 已答复.
    Answered,
    /// 已办结.
    Done,
    /// 不予受理.
    Refused,
}

/// How far it is from now on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "state": "done", "reason": "路灯已修复" }))]
pub(super) struct ProgressBody {
    state: ProgressWord,
    /// Why; goes to the ledger.
    #[serde(default)]
    reason: String,
}

/// How far it was, and is.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "ticket": "21090100001", "from": "open", "to": "done" }))]
pub(super) struct Moved {
    ticket: String,
    from: ProgressWord,
    to: ProgressWord,
}

/// 工单办理进度 / An office says how far it is with a ticket; callers who ask hear it.
#[utoipa::path(post, path = "/v1/tickets/{ticket}/state", tag = "tickets", params(("ticket" = String, Path)),
    request_body = ProgressBody, responses((status = 200, body = Moved), (status = 404), (status = 422)))]
pub(super) async fn set_state(
    Shared(app): Extracted,
    Path(ticket): Path<String>,
    me: Me,
    Strict(body): Strict<ProgressBody>,
) -> Result<Json<Moved>, Problem> {
    if body.reason.chars().count() > REASON_MAX {
        return Err(Problem::bad_value("reason", "最多 200 个字", "200 letters at most"));
    }
    let is_number = ticket.len() <= NUMBER_MAX && ticket.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        return Err(problem::NO_SUCH_TICKET.into());
    }
    let now = app.look(|_, now| now.wall).await?;
    let (state, by) = (progress(body.state), me.asker.name.clone());
    let moved = app.state.errands.set_progress(ticket.clone(), state, now, by, body.reason).await?;
    let from = word(moved.ok_or(problem::NO_SUCH_TICKET)?);
    Ok(Json(Moved { ticket, from, to: body.state }))
}

fn progress(word: ProgressWord) -> Progress {
    match word {
        ProgressWord::Open => Progress::Open,
        ProgressWord::Assigned => Progress::Assigned,
        ProgressWord::InHand => Progress::InHand,
        ProgressWord::Answered => Progress::Answered,
        ProgressWord::Done => Progress::Done,
        ProgressWord::Refused => Progress::Refused,
    }
}

fn word(progress: Progress) -> ProgressWord {
    match progress {
        Progress::Open => ProgressWord::Open,
        Progress::Assigned => ProgressWord::Assigned,
        Progress::InHand => ProgressWord::InHand,
        Progress::Answered => ProgressWord::Answered,
        Progress::Done => ProgressWord::Done,
        Progress::Refused => ProgressWord::Refused,
    }
}
