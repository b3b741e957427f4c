//! The plan: which is in force, which were, and a new or an earlier one taken over.

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use utoipa::ToSchema;

use super::body::Strict;
use super::problem::{self, Problem};
use super::{App, Extracted, Me, RELOAD_WAIT};
use crate::io::house::Ask;
use crate::io::house::reload::{InForce, NotReloaded, Outcome, Reloaded, Wanted, Which};
use crate::io::kept_plans::{Kept, KeptPlans};
use crate::ledger::Trigger;
use crate::routing::difference::Change;

/// Longest reason, characters.
const REASON_MAX: usize = 500;

/// The plan in force.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "number": 7, "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "since": "2021-09-01T01:00:00Z", "trigger": "watch", "by": "operator",
    "file": { "path": "routing.toml", "state": "in_force" }, "watch": true
}))]
pub(super) struct PlanView {
    /// Its files are kept under this number: see `/v1/plan/history` and `/v1/plan/rollback`.
    number: u64,
    /// SHA-256 of its files.
    digest: String,
    /// In force since then.
    since: String,
    /// `start`, `signal`, `watch`, `api`, `rollback`.
    trigger: &'static str,
    /// Who.
    by: String,
    /// Why, where they said so.
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    /// The earlier plan that it is again.
    #[serde(skip_serializing_if = "Option::is_none")]
    rolled_back_to: Option<u64>,
    file: FileView,
    /// Whether files that change are read by themselves.
    watch: bool,
}

/// The operator's files, as they were last read.
#[derive(Serialize, ToSchema)]
struct FileView {
    path: String,
    /// `in_force`: they are the plan; `differs`: they are another one, which a restart would use; `faulty`: they
    /// are of no use, and a restart would fail.
    state: &'static str,
    /// SHA-256 of them, where they are of use.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
}

/// A plan that was in force.
#[derive(Serialize, ToSchema)]
pub(super) struct EarlierView {
    number: u64,
    digest: String,
    since: String,
    /// `start`, `signal`, `watch`, `api`, `rollback`.
    trigger: &'static str,
    by: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rolled_back_to: Option<u64>,
    /// Files that it was read from, prompts among them.
    files: usize,
}

/// What is wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "专家组改到下午", "dry_run": false }))]
pub(super) struct ReloadBody {
    /// Goes into the ledger; at most 500 characters.
    reason: Option<String>,
    /// Read, check and compare only.
    #[serde(default)]
    dry_run: bool,
}

/// What is wanted back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "number": 5, "reason": "新方案漏了一个队列" }))]
pub(super) struct RollbackBody {
    /// A number of `/v1/plan/history`.
    number: u64,
    /// Goes into the ledger; at most 500 characters.
    reason: Option<String>,
    /// Read, check and compare only.
    #[serde(default)]
    dry_run: bool,
}

/// What came of it.
#[derive(Serialize, ToSchema)]
pub(super) struct ReloadView {
    /// `taken`, `unchanged`, `would_be_taken`.
    outcome: &'static str,
    /// The plan in force now.
    plan: PlanView,
    /// What was changed, or would be: a line a change, at most 200.
    changes: Vec<ChangeView>,
    /// And how many there are beyond these.
    more_changes: usize,
    /// Tests of the file, all of which pass.
    tests: usize,
    /// Warnings, as `hotline check --json` gives them.
    #[schema(value_type = Vec<Object>)]
    diagnostics: serde_json::Value,
}

/// One change in words.
#[derive(Serialize, ToSchema)]
struct ChangeView {
    zh: String,
    en: String,
    wants_restart: bool,
}

impl From<InForce> for PlanView {
    fn from(plan: InForce) -> Self {
        let state = match plan.file_state() {
            crate::io::house::reload::FileState::InForce => "in_force",
            crate::io::house::reload::FileState::Differs => "differs",
            crate::io::house::reload::FileState::Faulty => "faulty",
        };
        PlanView {
            number: plan.number,
            digest: plan.digest,
            since: plan.since.to_string(),
            trigger: plan.trigger.word(),
            by: plan.by,
            reason: plan.reason,
            rolled_back_to: plan.rolled_back_to,
            file: FileView { path: plan.file, state, digest: plan.file_digest },
            watch: plan.watch,
        }
    }
}

impl From<Kept> for EarlierView {
    fn from(kept: Kept) -> Self {
        EarlierView {
            number: kept.number,
            digest: kept.digest,
            since: kept.since.to_string(),
            trigger: kept.trigger.word(),
            by: kept.by,
            reason: kept.reason,
            rolled_back_to: kept.rolled_back_to,
            files: kept.files.len(),
        }
    }
}

impl From<Change> for ChangeView {
    fn from(change: Change) -> Self {
        ChangeView { zh: change.text.zh, en: change.text.en, wants_restart: change.wants_restart }
    }
}

impl From<Reloaded> for ReloadView {
    fn from(reloaded: Reloaded) -> Self {
        ReloadView {
            outcome: match reloaded.outcome {
                Outcome::Taken => "taken",
                Outcome::Unchanged => "unchanged",
                Outcome::WouldBeTaken => "would_be_taken",
            },
            plan: reloaded.plan.into(),
            changes: reloaded.difference.changes.into_iter().map(ChangeView::from).collect(),
            more_changes: reloaded.difference.more,
            tests: reloaded.tests,
            diagnostics: reloaded.diagnostics,
        }
    }
}

impl From<NotReloaded> for Problem {
    fn from(why: NotReloaded) -> Self {
        match why {
            NotReloaded::Faulty(diagnostics) => Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "plan_faulty",
                "方案有错误，正在运行的方案保持不变".into(),
                "the plan has errors: the one in force stays".into(),
            )
            .with_diagnostics(diagnostics),
            NotReloaded::NoSuchPlan => problem::NO_SUCH_PLAN.into(),
            NotReloaded::Outside(why) => Problem::new(
                StatusCode::CONFLICT,
                "plan_not_taken",
                format!("方案没有启用：{why}"),
                format!("the plan was not taken over: {why}"),
            ),
            NotReloaded::Busy => Problem::from(problem::RELOADS_FULL).after(5),
        }
    }
}

/// 正在运行的方案 / The plan in force, and how the operator's files stand to it.
#[utoipa::path(get, path = "/v1/plan", tag = "plan", responses((status = 200, body = PlanView)))]
pub(super) async fn show(Shared(app): Extracted) -> Result<Json<PlanView>, Problem> {
    let (reply, answer) = oneshot::channel();
    let plan = app.sent(Ask::InForce(reply), answer).await?;
    Ok(Json(plan.into()))
}

/// 用过的方案，新的在前，最多 100 个 / Plans that were in force, newest first, at most 100.
#[utoipa::path(get, path = "/v1/plan/history", tag = "plan", responses((status = 200, body = [EarlierView])))]
pub(super) async fn history(Shared(app): Extracted) -> Result<Json<Vec<EarlierView>>, Problem> {
    let shelf = KeptPlans::of(&app.state.data);
    match tokio::task::spawn_blocking(move || shelf.history()).await {
        Ok(Ok(kept)) => Ok(Json(kept.into_iter().rev().map(EarlierView::from).collect())),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the kept plans cannot be read");
            Err(problem::NO_STORE.into())
        }
        Err(_) => Err(problem::NO_ANSWER.into()), // The runtime ends.
    }
}

/// 重新读取方案文件，无误则启用 / The operator's files are read again, and taken over if nothing is wrong.
#[utoipa::path(post, path = "/v1/plan/reload", tag = "plan", request_body = ReloadBody,
    responses((status = 200, body = ReloadView), (status = 409), (status = 422)))]
pub(super) async fn reload(
    Shared(app): Extracted,
    me: Me,
    Strict(body): Strict<ReloadBody>,
) -> Result<Json<ReloadView>, Problem> {
    let by = me.asker.name.clone();
    app.want(Which::Files, Trigger::Api, by, body.reason, body.dry_run).await
}

/// 退回用过的某个方案 / An earlier plan is in force again, as a new number; the operator's files stay as they are.
#[utoipa::path(post, path = "/v1/plan/rollback", tag = "plan", request_body = RollbackBody,
    responses((status = 200, body = ReloadView), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn rollback(
    Shared(app): Extracted,
    me: Me,
    Strict(body): Strict<RollbackBody>,
) -> Result<Json<ReloadView>, Problem> {
    let by = me.asker.name.clone();
    app.want(Which::Number(body.number), Trigger::Rollback, by, body.reason, body.dry_run).await
}

impl App {
    async fn want(
        &self,
        which: Which,
        trigger: Trigger,
        by: String,
        reason: Option<String>,
        dry_run: bool,
    ) -> Result<Json<ReloadView>, Problem> {
        let reason = reason.unwrap_or_default();
        if reason.chars().count() > REASON_MAX {
            return Err(Problem::bad_value("reason", "最多 500 字", "at most 500 characters"));
        }
        let (reply, answer) = oneshot::channel();
        let wanted = Wanted { which, trigger, by, reason, dry_run, reply: Some(reply) };
        let answer = self.sent_for(Ask::Reload(wanted), answer, RELOAD_WAIT).await?;
        Ok(Json(answer?.into()))
    }
}
