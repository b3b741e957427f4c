//! The routes for programs: an OpenAPI document, made of the handlers' own descriptions and of `rights`.

use axum::Json;
use serde_json::{Value, json};
use utoipa::OpenApi;

use super::rights::{self, ROUTES, Who};
use super::{
    calls, cases, facts, holds, kb, ledger, letters, missed, notices, plans, problem, queues, recordings,
    seats, tickets, traces, watching, wishes, works,
};

#[derive(OpenApi)]
#[openapi(
    info(title = "hotline", description = "12345 热线呼叫路由引擎 / call-routing engine of a 12345 hotline"),
    paths(
        show,
        works::healthz,
        works::readyz,
        works::metrics,
        works::snapshot,
        seats::list,
        seats::one,
        seats::change,
        seats::dial,
        queues::list,
        queues::surge,
        calls::list,
        calls::one,
        wishes::consult,
        wishes::merge,
        wishes::leave,
        wishes::come_back,
        wishes::hold,
        wishes::resume,
        wishes::requeue,
        wishes::take_over,
        wishes::end,
        watching::watch,
        cases::dispose,
        cases::flag,
        kb::used,
        kb::find,
        kb::one,
        kb::report,
        missed::list,
        missed::call_back,
        notices::list,
        notices::add,
        notices::end,
        tickets::set_state,
        letters::list,
        letters::resend,
        facts::facts,
        recordings::play,
        recordings::manifest,
        recordings::pause,
        recordings::resume,
        holds::hold,
        holds::release,
        traces::trace,
        ledger::list,
        plans::show,
        plans::history,
        plans::reload,
        plans::rollback,
    ),
    components(schemas(problem::Told, facts::FactView, traces::Format))
)]
struct Document;

/// What every route says that is not for anybody.
const REFUSALS: [(&str, &str); 5] = [
    ("401", "没有令牌或令牌无效 / no token, or nobody's"),
    ("403", "没有权限 / this role may not, or not this"),
    ("408", "请求未按时收完 / the request did not come in time"),
    ("429", "错误令牌过多，或查询过于频繁 / too many wrong tokens from here, or too many questions"),
    ("503", "引擎或记录没有回答 / the engine or its records do not answer"),
];

/// The document, the same for the same program.
pub fn openapi() -> Value {
    // What is derived from sources is strings and lists of them.
    let mut document = serde_json::to_value(Document::openapi()).unwrap_or_default();
    document["components"]["securitySchemes"] = json!({ "bearer": {
        "type": "http", "scheme": "bearer",
        "description": "数据目录中的 secrets/api-token，或配置中的令牌 / the data directory's secrets/api-token, or a \
            token of the plan. Who holds the former may say who they are with ?by=",
    }});
    let refusal = json!({ "$ref": "#/components/schemas/Problem" });
    for route in &ROUTES {
        let method = route.method.as_str().to_ascii_lowercase();
        let operation = &mut document["paths"][route.path][method];
        let name = |at: &str| operation.pointer(at).and_then(Value::as_str).unwrap_or_default();
        operation["operationId"] = format!("{}_{}", name("/tags/0"), name("/operationId")).into();
        match route.who {
            Who::Roles(roles) => {
                operation["security"] = json!([{ "bearer": [] }]);
                operation["x-roles"] = roles.iter().map(|role| rights::name(*role)).collect();
            }
            // By the plan's `[admin] metrics`.
            Who::Anybody if route.path == rights::METRICS => {
                operation["security"] = json!([{}, { "bearer": [] }]);
            }
            Who::Anybody => continue,
        }
        for (status, description) in REFUSALS {
            if operation["responses"].get(status).is_none() {
                operation["responses"][status] = json!({ "description": description });
            }
        }
    }
    // Refusals are all problems, by their own media type.
    let answers = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    let answers = answers.filter_map(Value::as_object_mut).flat_map(|path| path.values_mut());
    let answers = answers.filter_map(|operation| operation["responses"].as_object_mut());
    for (status, answer) in answers.flatten().filter(|(status, _)| status.starts_with(['4', '5'])) {
        if answer["content"].get("text/plain").is_none() {
            answer["content"] = json!({ "application/problem+json": { "schema": refusal } });
        }
        if answer["description"].as_str().is_none_or(str::is_empty) {
            answer["description"] = described(status).into();
        }
    }
    document
}

fn described(status: &str) -> &'static str {
    match status {
        "400" => "缺少参数或正文不是 JSON / a parameter is missing, or the body is no JSON",
        "404" => "没有 / there is none",
        "413" => "请求正文过大 / the body is too large",
        "409" => "此刻不行 / not as it stands now",
        "422" => "内容不合要求 / something in it cannot be",
        _ => "被拒绝 / refused",
    }
}

/// 本接口的描述（OpenAPI） / These routes, for programs.
#[utoipa::path(get, path = "/v1/openapi.json", tag = "house",
    responses((status = 200, description = "this document", body = Object)))]
pub(super) async fn show() -> Json<Value> {
    Json(openapi())
}
