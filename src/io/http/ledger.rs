//! The ledger of accesses: what is written into it, and its last entries.

use axum::Json;
use axum::extract::State as Shared;

use super::problem::Problem;
use super::{App, Extracted};
use crate::id::CallId;
use crate::io::store::LedgerRow;
use crate::ledger::Action;
use crate::time::Timestamp;

/// Ledger entries of one answer.
const LEDGER_MAX: usize = 1_000;

/// 台账最近的条目，新的在前 / The ledger's last entries, newest first, at most 1,000.
#[utoipa::path(get, path = "/v1/ledger", tag = "ledger",
    responses((status = 200, description = "entries of the chain", body = [Object])))]
pub(super) async fn list(Shared(app): Extracted) -> Result<Json<Vec<serde_json::Value>>, Problem> {
    let rows = app.state.desk.answer(|reader| reader.ledger(None, LEDGER_MAX)).await?;
    Ok(Json(rows.iter().filter_map(|row| serde_json::from_str(&row.json).ok()).collect()))
}

/// Writes an access down; what is not written down does not happen.
pub(super) async fn note(
    app: &App,
    call: CallId,
    action: Action,
    by: String,
    reason: String,
) -> Result<(), Problem> {
    let (at, subject) = (Timestamp::now(), call.to_string());
    let append =
        app.state.errands.append(move |last| LedgerRow::after(last, at, &by, action, &subject, &reason));
    Ok(append.await.map(drop)?)
}
