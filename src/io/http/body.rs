//! Bodies of requests: JSON, bounded, and nothing in them that is not understood.

use axum::body::{Bytes, HttpBody};
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;

use super::problem::{self, Problem};

/// Longest body of a request, bytes.
pub const BODY_MAX: usize = 64 * 1024;

/// A body that is what the route wants, of so many bytes at most; an empty one is an empty object. A route whose
/// bound is another than [`BODY_MAX`] has to say so to the router, too.
pub(super) struct Strict<T, const MAX: usize = BODY_MAX>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned, const MAX: usize> FromRequest<S> for Strict<T, MAX> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if request.body().size_hint().lower() > MAX as u64 {
            return Err(problem::TOO_LARGE.into()); // By what it says of itself.
        }
        let kind = request.headers().get(header::CONTENT_TYPE).cloned();
        let bytes = Bytes::from_request(request, state).await.map_err(unread)?;
        if bytes.is_empty() {
            return read(b"{}").map(Strict);
        }
        let kind = kind.as_ref().and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(problem::NOT_JSON.into());
        }
        read(&bytes).map(Strict)
    }
}

fn unread(rejection: BytesRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => problem::TOO_LARGE.into(),
        _ => problem::TOO_SLOW.into(), // It broke off.
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| fault(&error))
}

/// What serde says of it, with the field's name where it gives one.
fn fault(error: &serde_json::Error) -> Problem {
    let said = error.to_string();
    if error.classify() != serde_json::error::Category::Data {
        let zh = format!("请求正文不是 JSON：{said}");
        return Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed",
            zh,
            format!("the body is no JSON: {said}"),
        );
    }
    let named = said.split('`').nth(1).unwrap_or_default();
    let bad = |code, zh: String, en: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, zh, en);
    if said.starts_with("unknown field") {
        return bad("unknown_field", format!("没有字段 {named}"), format!("there is no field {named}"))
            .about(named);
    }
    if said.starts_with("missing field") {
        return bad("missing_field", format!("缺少字段 {named}"), format!("the field {named} is missing"))
            .about(named);
    }
    bad("bad_value", format!("请求正文的值不合要求：{said}"), format!("a value is not as it must be: {said}"))
}
