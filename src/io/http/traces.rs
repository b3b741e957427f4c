//! A call's trace over HTTP: as with recordings, the access is in the ledger first.

use axum::extract::{Path, Query, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::{App, asked};
use crate::io::trace::{Access, Trace, row};

/// Who looks, why, and at what.
#[derive(Deserialize)]
pub(super) struct Look {
    by: Option<String>,
    reason: Option<String>,
    /// Numbers of people in full.
    #[serde(default)]
    full: bool,
    #[serde(default)]
    format: Format,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Format {
    #[default]
    Json,
    Ladder,
    Raw,
    Pcap,
}

pub(super) async fn trace(
    Shared(state): App,
    Path(call): Path<String>,
    Query(look): Query<Look>,
    headers: HeaderMap,
) -> Result<Response, (StatusCode, String)> {
    let refuse = |status: StatusCode, why: &str| Err((status, format!("{why}\n")));
    let (call, by, reason) = asked(&state, &headers, &call, (look.by, look.reason))?;
    let failed = |error: &dyn std::fmt::Display| (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n"));
    let record = state.desk.answer(move |reader| reader.call(call)).await.map_err(|error| failed(&error))?;
    let Some(record) = record else {
        return refuse(StatusCode::NOT_FOUND, "没有这次通话 / no such call");
    };
    // The ledger first: a look that is not written down does not happen.
    let append = state.errands.append(move |last| row(last, call, Access { by: &by, reason: &reason }));
    append.await.map_err(|error| failed(&error))?;
    let (flush, data) = (state.flush.clone(), state.data.clone());
    let read = tokio::task::spawn_blocking(move || {
        flush.wait();
        Trace::read(&data, &record, look.full)
    });
    let trace = read.await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
    let plain = "text/plain; charset=utf-8";
    Ok(match look.format {
        Format::Json => axum::Json(trace.to_json()).into_response(),
        Format::Ladder => ([(header::CONTENT_TYPE, plain)], trace.to_ladder()).into_response(),
        Format::Raw => ([(header::CONTENT_TYPE, plain)], trace.to_raw()).into_response(),
        Format::Pcap => {
            let mut bytes = Vec::new();
            trace.write_pcap(&mut bytes).map_err(|error| failed(&error))?;
            ([(header::CONTENT_TYPE, "application/vnd.tcpdump.pcap")], bytes).into_response()
        }
    })
}
