//! The knowledge base for clerks: what to say, by whose word, until when; what was told in a call; and what is wrong
//! with it.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State as Shared};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::Strict;
use super::facts::unread;
use super::problem::{self, Problem};
use super::{App, Done, Extracted, Me, call_of};
use crate::id::LineId;
use crate::io::kb::{Failure, Kb, Question};
use crate::io::store::LedgerRow;
use crate::ledger::Action;
use crate::routing::kb::{Article, QUERY_CHARS_MAX, VERSION_CHARS_MAX, is_article_id};
use crate::switchboard::request::{ArticleFault, ArticleUse, Request};
use crate::time::Timestamp;

/// Longest report of an error, letters.
const REPORT_MAX: usize = 500;
/// After so long a question that found all places taken may find one.
const BUSY_S: u64 = 1;

/// What is asked.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// The question, at most 64 letters.
    q: Option<String>,
    /// The line that was dialled: its owner's articles go first.
    line: Option<String>,
    /// Who asks, with the house's own token.
    #[serde(rename = "by")]
    #[param(ignore)]
    _by: Option<String>,
}

/// An article as it stands today.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "rs-0002", "version": "1", "title": "养老金资格认证", "text": "每年认证一次。", "owner": "市人力资源社会保障局",
    "lines": ["12333"], "valid_from": "2021-09-01", "valid_until": null, "approver": "张三"
}))]
pub(super) struct ArticleView {
    id: String,
    /// Which wording of it.
    version: String,
    title: String,
    /// What is said to callers.
    text: String,
    /// 责任单位.
    owner: String,
    /// Numbers that it is for, beside those of its owner.
    lines: Vec<String>,
    /// Its first day; null: always was.
    valid_from: Option<String>,
    /// Its last day; null: until further notice.
    valid_until: Option<String>,
    /// Who let it be told.
    approver: String,
}

/// What fits a question.
#[derive(Serialize, ToSchema)]
pub(super) struct FoundView {
    /// The best first, at most 20.
    articles: Vec<ArticleView>,
}

/// An article that was used in a call.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "article": "rs-0002", "version": "1", "settled": true }))]
pub(super) struct UseBody {
    /// Its id.
    article: String,
    /// Which wording was told.
    version: String,
    /// It settled the matter at once (直办): nothing is left for an office.
    #[serde(default)]
    settled: bool,
}

/// What is wrong with an article.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "version": "1", "text": "窗口电话已变更" }))]
pub(super) struct ReportBody {
    /// Which wording of it.
    version: String,
    /// What is wrong, at most 500 letters. No names or numbers of callers.
    text: String,
    /// The call in which it was found: then ticket offices are told as well.
    call: Option<String>,
}

/// 查知识库：所拨号码责任单位的条目在前 / What fits a question, articles of the dialled line's owner first.
#[utoipa::path(get, path = "/v1/kb", tag = "kb", params(Asked),
    responses((status = 200, body = FoundView), (status = 400), (status = 404), (status = 422)))]
pub(super) async fn find(
    Shared(app): Extracted,
    asked: Result<Query<Asked>, QueryRejection>,
    me: Me,
) -> Result<Json<FoundView>, Problem> {
    let Query(asked) = asked.map_err(|rejection| unread(&rejection))?;
    let kb = base(&app, &me)?;
    let query = asked.q.filter(|query| !query.trim().is_empty()).ok_or_else(|| Problem::missing("q"))?;
    if query.chars().count() > QUERY_CHARS_MAX {
        return Err(Problem::bad_value("q", "最多 64 个字", "64 letters at most"));
    }
    let line = asked.line.map(|line| LineId::from(line.as_str()));
    if line.as_ref().is_some_and(|line| !kb.knows(line)) {
        return Err(Problem::bad_value("line", "配置中没有这个号码", "the plan has no such number"));
    }
    let now = now(&app).await?;
    let begun = Instant::now();
    let found = kb.find(&Question { query, line }, now).await;
    let articles = counted(&app, begun, found, |found| !found.is_empty())?;
    Ok(Json(FoundView { articles: articles.into_iter().map(view).collect() }))
}

/// 一条知识：不在有效期内的查不到 / One article, on the days on which it holds.
#[utoipa::path(get, path = "/v1/kb/{id}", tag = "kb", params(("id" = String, Path)),
    responses((status = 200, body = ArticleView), (status = 404)))]
pub(super) async fn one(
    Shared(app): Extracted,
    Path(id): Path<String>,
    me: Me,
) -> Result<Json<ArticleView>, Problem> {
    let kb = base(&app, &me)?;
    let found = get(&app, &kb, &id).await?;
    Ok(Json(view(found.ok_or(problem::NO_SUCH_ARTICLE)?)))
}

/// 知识有误：记入台账，报给工单系统 / An article is wrong: in the ledger, and told to ticket offices.
#[utoipa::path(post, path = "/v1/kb/{id}/errors", tag = "kb", params(("id" = String, Path)),
    request_body = ReportBody, responses((status = 200, body = Done), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn report(
    Shared(app): Extracted,
    Path(id): Path<String>,
    me: Me,
    Strict(body): Strict<ReportBody>,
) -> Result<Json<Done>, Problem> {
    base(&app, &me)?;
    // The base is not asked: what is wrong may have been taken out of it, or be that it is out of reach.
    let (article, version) = named(&id, &body.version)?;
    let text = body.text.trim().to_owned();
    if text.is_empty() || text.chars().count() > REPORT_MAX {
        return Err(Problem::bad_value("text", "1 至 500 个字", "1 to 500 letters"));
    }
    let call = body.call.as_deref().map(call_of).transpose()?;
    let by = me.asker.name.clone();
    if let Some(call) = call {
        // First: it says whether the call is theirs.
        let fault = ArticleFault {
            article: article.clone(),
            version: version.clone(),
            text: text.clone(),
            by: by.clone(),
        };
        let _ = app.ask(&me.asker, Request::ReportArticle { call, fault }).await?;
    }
    let at = now(&app).await?;
    let action = Action::ArticleFaulty { article: article.clone(), call, version };
    let append = app
        .state
        .errands
        .append(move |last| LedgerRow::after(last, at, &by, action, &article, &text))
        .await?;
    drop(append);
    app.state.figures.kb_error_reported();
    Ok(Json(Done { done: true, call: None, immediate: None }))
}

/// 通话中用了哪一条知识、是否当场办结 / An article was used in a call, and settled it at once or not.
#[utoipa::path(post, path = "/v1/calls/{call}/kb", tag = "calls", params(("call" = String, Path)),
    request_body = UseBody, responses((status = 200, body = Done), (status = 404), (status = 422)))]
pub(super) async fn used(
    Shared(app): Extracted,
    Path(call): Path<String>,
    me: Me,
    Strict(body): Strict<UseBody>,
) -> Result<Json<Done>, Problem> {
    let call = call_of(&call)?;
    // No question: whoever has told something may always say so.
    let kb = app.state.kb.borrow().clone().ok_or(problem::NO_KB)?;
    let (article, version) = named(&body.article, &body.version)?;
    // What was told stays told, whether the base can be reached now or not; but of no article that it does not have.
    let begun = Instant::now();
    let found = kb.get_lately(&article, now(&app).await?).await;
    let owner = match counted(&app, begun, found, Option::is_some) {
        Ok(found) => found.ok_or(problem::NO_SUCH_ARTICLE)?.owner,
        Err(_) => String::new(),
    };
    let used = ArticleUse { article, version, owner, settled: body.settled, by: me.asker.name.clone() };
    app.ask(&me.asker, Request::UseArticle { call, used }).await
}

/// The base of the plan in force, for a token that has not asked too often.
fn base(app: &App, me: &Me) -> Result<Arc<Kb>, Problem> {
    let kb = app.state.kb.borrow().clone().ok_or(problem::NO_KB)?;
    app.pace.take(&me.digest, kb.per_minute(), Instant::now()).map_err(|wait| {
        app.state.figures.kb_paced();
        Problem::from(problem::PACED).after(wait.as_secs() + 1)
    })?;
    Ok(kb)
}

async fn get(app: &App, kb: &Kb, id: &str) -> Result<Option<Article>, Problem> {
    if !is_article_id(id) {
        return Ok(None);
    }
    let now = now(app).await?;
    let begun = Instant::now();
    let found = kb.get(id, now).await;
    counted(app, begun, found, Option::is_some)
}

/// The answer, once figures have it.
fn counted<T>(
    app: &App,
    begun: Instant,
    answer: Result<T, Failure>,
    is_answered: impl FnOnce(&T) -> bool,
) -> Result<T, Problem> {
    let outcome = match &answer {
        Ok(found) if is_answered(found) => "answered",
        Ok(_) => "missing",
        Err(failure) => failure.word(),
    };
    app.state.figures.kb_asked(outcome, begun.elapsed());
    answer.map_err(|failure| match failure {
        Failure::Busy => Problem::from(problem::KB_BUSY).after(BUSY_S),
        Failure::Late | Failure::Failed(_) => problem::KB_UNREACHABLE.into(),
    })
}

fn named(article: &str, version: &str) -> Result<(String, String), Problem> {
    if !is_article_id(article) {
        return Err(problem::NO_SUCH_ARTICLE.into());
    }
    let version = version.trim();
    if version.is_empty() || version.chars().count() > VERSION_CHARS_MAX {
        return Err(Problem::bad_value("version", "1 至 32 个字", "1 to 32 letters"));
    }
    Ok((article.to_owned(), version.to_owned()))
}

async fn now(app: &App) -> Result<Timestamp, Problem> {
    app.look(|_, now| now.wall).await
}

fn view(article: Article) -> ArticleView {
    let Article { id, version, title, text, owner, lines, valid_from, valid_until, approver } = article;
    ArticleView {
        id,
        version,
        title,
        text,
        owner,
        lines: lines.iter().map(ToString::to_string).collect(),
        valid_from: valid_from.map(|day| day.to_string()),
        valid_until: valid_until.map(|day| day.to_string()),
        approver,
    }
}
