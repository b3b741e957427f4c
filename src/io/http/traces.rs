//! A call's trace over HTTP: as with recordings, the access is in the ledger first.

use axum::Json;
use axum::extract::{Path, Query, State as Shared};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::problem::{self, Problem};
use super::recordings::asked;
use super::{Extracted, Me};
use crate::io::trace::{Access, Trace, row};

/// Who looks, why, and at what.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Look {
    /// Who looks; with the house's own token only, as any other is somebody's.
    by: Option<String>,
    /// Why.
    reason: Option<String>,
    /// Numbers of people in full.
    #[serde(default)]
    full: bool,
    #[serde(default)]
    #[param(value_type = Option<Format>)]
    format: Format,
}

/// How a trace is shown.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Format {
    #[default]
    Json,
    Ladder,
    Raw,
    Pcap,
}

/// 一次通话的信令 / A call's SIP messages; the access goes to the ledger first.
#[utoipa::path(get, path = "/v1/traces/{call}", tag = "traces", params(("call" = String, Path), Look),
    responses((status = 200, description = "the messages", content((Object = "application/json"),
        (String = "text/plain"), (Vec<u8> = "application/vnd.tcpdump.pcap"))),
        (status = 400), (status = 404)))]
pub(super) async fn trace(
    Shared(app): Extracted,
    Path(call): Path<String>,
    Query(look): Query<Look>,
    me: Me,
) -> Result<Response, Problem> {
    let (call, by, reason) = asked(&me, &call, look.by, look.reason)?;
    let record =
        app.state.desk.answer(move |reader| reader.call(call)).await?.ok_or(problem::NO_SUCH_CALL)?;
    // The ledger first: a look that is not written down does not happen.
    let append = app.state.errands.append(move |last| row(last, call, Access { by: &by, reason: &reason }));
    append.await?;
    let (flush, data) = (app.state.flush.clone(), app.state.data.clone());
    let read = tokio::task::spawn_blocking(move || {
        flush.wait();
        Trace::read(&data, &record, look.full)
    });
    let trace = read.await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
    let plain = "text/plain; charset=utf-8";
    Ok(match look.format {
        Format::Json => Json(trace.to_json()).into_response(),
        Format::Ladder => ([(header::CONTENT_TYPE, plain)], trace.to_ladder()).into_response(),
        Format::Raw => ([(header::CONTENT_TYPE, plain)], trace.to_raw()).into_response(),
        Format::Pcap => {
            let mut bytes = Vec::new();
            trace.write_pcap(&mut bytes).map_err(|error| failed(&error))?;
            ([(header::CONTENT_TYPE, "application/vnd.tcpdump.pcap")], bytes).into_response()
        }
    })
}

fn failed(error: &dyn std::fmt::Display) -> Problem {
    tracing::warn!(%error, "a trace cannot be read");
    problem::NO_STORE.into()
}
