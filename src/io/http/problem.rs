//! Refusals as problem details (RFC 9457): a stable code, and what it means in Chinese and English.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::acd::event::Unchanged;
use crate::call::Unwilling;
use crate::io::store::{Removed, StoreError};
use crate::switchboard::request::Refusal;

/// Why nothing came of a request.
pub(super) struct Problem(Box<Told>);

/// Why nothing came of a request (RFC 9457, `application/problem+json`).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem, example = json!({
    "type": "urn:hotline:problem:no_such_seat", "title": "没有这个座席 / no such seat", "status": 404,
    "code": "no_such_seat", "zh": "没有这个座席", "en": "no such seat"
}))]
pub(super) struct Told {
    /// `urn:hotline:problem:` and the code.
    r#type: String,
    /// Both languages, the Chinese first.
    title: String,
    /// As the answer's status.
    status: u16,
    /// Stable: for programs.
    code: &'static str,
    /// For people.
    zh: String,
    /// For people.
    en: String,
    /// The field of the body, or the parameter, that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// Seconds after which it may be tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_s: Option<u64>,
    /// What is wrong with a plan, as `hotline check --json` gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    diagnostics: Option<serde_json::Value>,
}

/// A code that is always told in the same words.
#[derive(Clone, Copy)]
pub(super) struct Kind(StatusCode, &'static str, &'static str, &'static str);

pub(super) const NO_TOKEN: Kind =
    Kind(StatusCode::UNAUTHORIZED, "no_token", "需要令牌", "a bearer token is needed");
pub(super) const WRONG_TOKEN: Kind =
    Kind(StatusCode::UNAUTHORIZED, "wrong_token", "令牌无效", "the token is nobody's");
pub(super) const BRAKED: Kind =
    Kind(StatusCode::TOO_MANY_REQUESTS, "braked", "错误令牌过多，请稍候", "too many wrong tokens: wait");
pub(super) const NOT_ALLOWED: Kind =
    Kind(StatusCode::FORBIDDEN, "not_allowed", "没有权限", "this role may not");
pub(super) const SECRET_MATTER: Kind = Kind(
    StatusCode::FORBIDDEN,
    "secret_matter",
    "涉密事项的录音只供管理员调取",
    "the matter is secret: its recording is for administrators",
);
pub(super) const NO_SUCH_CALL: Kind =
    Kind(StatusCode::NOT_FOUND, "no_such_call", "没有这次通话", "no such call");
pub(super) const NO_SUCH_SEAT: Kind =
    Kind(StatusCode::NOT_FOUND, "no_such_seat", "没有这个座席", "no such seat");
pub(super) const NO_SUCH_NOTICE: Kind =
    Kind(StatusCode::NOT_FOUND, "no_such_notice", "没有这条公告，或已结束", "no such notice, or it is over");
pub(super) const NO_SUCH_TICKET: Kind =
    Kind(StatusCode::NOT_FOUND, "no_such_ticket", "没有这张工单", "no such ticket");
pub(super) const NO_SUCH_LETTER: Kind =
    Kind(StatusCode::NOT_FOUND, "no_such_letter", "没有这样的死信", "there is no such dead letter");
pub(super) const NO_SUCH_ARTICLE: Kind = Kind(
    StatusCode::NOT_FOUND,
    "no_such_article",
    "没有这一条知识，或不在有效期内",
    "no such article, or it does not hold today",
);
pub(super) const NO_KB: Kind =
    Kind(StatusCode::NOT_FOUND, "no_kb", "配置中没有知识库", "the plan has no knowledge base");
pub(super) const KB_UNREACHABLE: Kind = Kind(
    StatusCode::SERVICE_UNAVAILABLE,
    "kb_unreachable",
    "知识库无法访问，请按原有口径答复或记录诉求",
    "the knowledge base is out of reach: answer by what you know, or take the matter down",
);
pub(super) const KB_BUSY: Kind = Kind(
    StatusCode::SERVICE_UNAVAILABLE,
    "kb_busy",
    "知识库正忙，请稍候",
    "as many questions are under way as may be",
);
pub(super) const PACED: Kind = Kind(
    StatusCode::TOO_MANY_REQUESTS,
    "kb_paced",
    "查询过于频繁，请稍候",
    "more questions a minute than this token may ask",
);
pub(super) const NO_SUCH_QUEUE: Kind =
    Kind(StatusCode::NOT_FOUND, "no_such_queue", "没有这个队列", "no such queue");
pub(super) const NO_SUCH_PLAN: Kind =
    Kind(StatusCode::NOT_FOUND, "no_such_plan", "没有保存这个方案", "no plan of this number is kept");
pub(super) const RELOADS_FULL: Kind =
    Kind(StatusCode::SERVICE_UNAVAILABLE, "reloads_full", "等待中的重载已满", "as many reloads wait as may");
pub(super) const NO_SUCH_ROUTE: Kind =
    Kind(StatusCode::NOT_FOUND, "no_such_route", "没有这个地址", "nothing is found here");
pub(super) const NO_RECORDING: Kind = Kind(StatusCode::NOT_FOUND, "no_recording", "没有录音", "no recording");
pub(super) const NO_KEY: Kind = Kind(
    StatusCode::SERVICE_UNAVAILABLE,
    "no_key",
    "录音已加密，其密钥不在 [recording] 的 key 和 old_keys 里",
    "the recording is sealed with a key that is in neither key nor old_keys of [recording]",
);
pub(super) const NO_SUCH_RANGE: Kind = Kind(
    StatusCode::RANGE_NOT_SATISFIABLE,
    "no_such_range",
    "录音没有这么长",
    "the recording is not so long",
);
pub(super) const BROKEN_RECORDING: Kind = Kind(
    StatusCode::INTERNAL_SERVER_ERROR,
    "broken_recording",
    "录音文件已损坏或被改动：hotline records verify",
    "the recording's file is damaged or was changed: hotline records verify",
);
pub(super) const RECORDING_REMOVED: &str = "recording_removed";
pub(super) const NO_METHOD: Kind =
    Kind(StatusCode::METHOD_NOT_ALLOWED, "no_such_method", "不支持这个方法", "not by this method");
pub(super) const CALL_OVER: Kind = Kind(StatusCode::CONFLICT, "call_over", "通话已结束", "the call is over");
pub(super) const NOT_RECORDED: Kind =
    Kind(StatusCode::CONFLICT, "not_recorded", "这次通话此刻不在录音", "the call is not being recorded now");
pub(super) const NO_ANSWER: Kind =
    Kind(StatusCode::SERVICE_UNAVAILABLE, "no_answer", "引擎没有回答", "the engine does not answer");
pub(super) const NO_STORE: Kind = Kind(
    StatusCode::SERVICE_UNAVAILABLE,
    "no_store",
    "记录暂时无法读写",
    "records cannot be read or written now",
);
pub(super) const LISTENERS_FULL: Kind =
    Kind(StatusCode::SERVICE_UNAVAILABLE, "listeners_full", "订阅者已满", "as many listen as may");
pub(super) const TOO_SLOW: Kind =
    Kind(StatusCode::REQUEST_TIMEOUT, "too_slow", "请求未按时收完", "the request did not come in time");
pub(super) const TOO_LARGE: Kind =
    Kind(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "请求正文过大", "the body is too large");
pub(super) const NOT_JSON: Kind = Kind(
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "not_json",
    "请求正文须为 application/json",
    "the body must be application/json",
);

impl Problem {
    /// In words of its own.
    pub(super) fn new(status: StatusCode, code: &'static str, zh: String, en: String) -> Self {
        Problem(Box::new(Told {
            r#type: format!("urn:hotline:problem:{code}"),
            title: format!("{zh} / {en}"),
            status: status.as_u16(),
            code,
            zh,
            en,
            field: None,
            retry_after_s: None,
            diagnostics: None,
        }))
    }

    /// About this field or parameter.
    pub(super) fn about(mut self, field: &str) -> Self {
        self.0.field = Some(field.to_owned());
        self
    }

    /// May be tried again after so many seconds.
    pub(super) fn after(mut self, seconds: u64) -> Self {
        self.0.retry_after_s = Some(seconds);
        self
    }

    /// With what is wrong with a plan.
    pub(super) fn with_diagnostics(mut self, diagnostics: serde_json::Value) -> Self {
        self.0.diagnostics = Some(diagnostics);
        self
    }

    /// A field or parameter has a value that it cannot have.
    pub(super) fn bad_value(field: &str, zh: &str, en: &str) -> Self {
        let (zh, en) = (format!("{field}：{zh}"), format!("{field}: {en}"));
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_value", zh, en).about(field)
    }

    /// A recording's term was over: when it was removed, and by which class.
    pub(super) fn removed(removed: &Removed) -> Self {
        let Removed { at, class, .. } = removed;
        let (zh, en) = match class {
            Some(class) => (
                format!("录音保存期满，按“{class}”一类于 {at} 删除"),
                format!("its term was over, and the recording was removed at {at}, by the class \"{class}\""),
            ),
            None => (
                format!("录音保存期满，于 {at} 删除"),
                format!("its term was over, and the recording was removed at {at}"),
            ),
        };
        Problem::new(StatusCode::GONE, RECORDING_REMOVED, zh, en)
    }

    /// A parameter that must be there is not.
    pub(super) fn missing(parameter: &str) -> Self {
        let (zh, en) = (format!("请说明 {parameter}"), format!("{parameter} is needed"));
        Problem::new(StatusCode::BAD_REQUEST, "missing_parameter", zh, en).about(parameter)
    }
}

impl From<Kind> for Problem {
    fn from(Kind(status, code, zh, en): Kind) -> Self {
        Problem::new(status, code, zh.into(), en.into())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::warn!(%error, "a look-up for HTTP failed");
        NO_STORE.into()
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let conflict =
            |code, zh: &str, en: &str| Problem::new(StatusCode::CONFLICT, code, zh.into(), en.into());
        let unfit = |code, zh: &str, en: &str| {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, zh.into(), en.into())
        };
        match refusal {
            Refusal::NotAllowed => NOT_ALLOWED.into(),
            Refusal::NoSuchCall => NO_SUCH_CALL.into(),
            Refusal::NoSuchSeat | Refusal::Seat(Unchanged::NoSuchSeat) => NO_SUCH_SEAT.into(),
            Refusal::NoSuchQueue => NO_SUCH_QUEUE.into(),
            Refusal::NotInPlan(what) => {
                unfit("not_in_plan", &format!("配置中没有：{what}"), &format!("the plan has no {what}"))
            }
            Refusal::Seat(Unchanged::SignedOut) => {
                conflict("seat_signed_out", "座席未登录", "the seat's telephone is not registered")
            }
            Refusal::Seat(Unchanged::NoWrapUp) => {
                conflict("no_wrap_up", "座席不在事后处理中", "the seat has nothing to wrap up")
            }
            Refusal::Seat(Unchanged::TooLong) => {
                unfit("wrap_up_too_long", "超过事后处理的上限", "longer than a wrap-up may be")
            }
            Refusal::Call(Unwilling::NotTalking) => {
                conflict("not_talking", "此刻没有人与来电人通话", "nobody talks with the caller now")
            }
            Refusal::Call(Unwilling::ThirdThere) => {
                conflict("third_there", "已有第三方", "there is a third party, or one is on the way")
            }
            Refusal::Call(Unwilling::NoThird) => {
                conflict("no_third", "没有已接听的第三方", "there is no third party that has answered")
            }
            Refusal::Call(Unwilling::Unreachable) => {
                unfit("unreachable", "配置中没有可转接的这一方", "the plan has nobody of that name for this")
            }
            Refusal::Call(Unwilling::AfterHours) => {
                conflict("after_hours", "此时无人值守", "nobody is there at this hour")
            }
            Refusal::Call(Unwilling::PassedOn) => conflict(
                "passed_on",
                "这路声音只作转发，无法加入他人",
                "the sound is only passed on: nobody can be mixed in",
            ),
            Refusal::Call(Unwilling::NotAccepted) => conflict(
                "not_accepted",
                "紧急中心尚未接受来电人",
                "help in an emergency has not accepted the caller yet",
            ),
            Refusal::Call(Unwilling::OwnCall) => conflict(
                "own_call",
                "这是座席呼出的通话，对方不排队等候",
                "it is a clerk's own call: whom they have called is put into no queue",
            ),
            Refusal::Call(Unwilling::Over) => CALL_OVER.into(),
            Refusal::TooSoon => {
                let (zh, en) = ("刚刚回拨过，请稍后", "the caller was called back a moment ago");
                conflict("too_soon", zh, en)
            }
            Refusal::Engaged => conflict("seat_engaged", "座席正忙", "the seat is engaged"),
            Refusal::Full => {
                let (zh, en) = ("线路已满", "there is no room for another call");
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "full", zh.into(), en.into()).after(5)
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // Strings and numbers always serialise.
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (status, kind, body).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.0.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"hotline\""));
        }
        response
    }
}
