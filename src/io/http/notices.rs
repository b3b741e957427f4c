//! Hot notices: inserted, listed, ended. Who did so and why is in the ledger with it, or nothing happens.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State as Shared};
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use utoipa::{IntoParams, ToSchema};

use super::body::Strict;
use super::problem::{self, Problem};
use super::{Done, Extracted, Me, RELOAD_WAIT};
use crate::id::{LineId, PromptId};
use crate::io::house::Ask;
use crate::io::plain::is_unseen;
use crate::io::store::KeptNotice;
use crate::media::{SoundBank, resample};
use crate::routing::prompts::sealed;
use crate::switchboard::Switchboard;
use crate::switchboard::notices::{HotNotice, LENGTH_MAX, LINES_MAX, NoPlace, SPAN_MAX};
use crate::time::{Now, Timestamp};

/// Longest body of a request, bytes: fifteen seconds at 16 kHz as base64, and words.
pub(super) const BODY_MAX: usize = 768 * 1024;
/// Samples a second of all sounds of the house.
const RATE: u32 = 8_000;
/// Longest text, letters.
const TEXT_MAX: usize = 1_000;
/// Longest name of an approver, longest reason, letters.
const WORDS_MAX: usize = 200;

/// What callers are to be told for a while: a prompt of the plan, or a sound of its own.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "prompt": "greeting", "lines": ["12345"], "start": "2021-09-01T09:00:00", "end": "2021-09-01T18:00:00+08:00",
    "approver": "热线办 值班主任", "reason": "台风预警"
}))]
pub(super) struct NoticeBody {
    /// What it says, for people who read it.
    #[serde(default)]
    text: String,
    /// A prompt of the plan.
    prompt: Option<String>,
    /// A WAV file in base64: 16 bits, one channel, 8,000 or 16,000 Hz, at most 15 s.
    wav: Option<String>,
    /// Lines whose callers hear it; empty: all.
    #[serde(default)]
    lines: Vec<String>,
    /// From then on; without it: at once. Without an offset it is by the city's clock.
    start: Option<String>,
    /// And no more from then on.
    end: String,
    /// Who has approved it.
    approver: String,
    /// Why it is said.
    reason: String,
}

/// A hot notice in force, or to come.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "notice": 7, "text": "", "prompt": "greeting", "lines": ["12345"], "start": "2021-09-01T01:00:00Z",
    "end": "2021-09-01T10:00:00Z", "approver": "热线办 值班主任", "reason": "台风预警", "by": "wang",
    "at": "2021-09-01T00:58:00Z", "in_force": true
}))]
pub(super) struct NoticeView {
    /// Its number.
    notice: u64,
    text: String,
    /// The prompt of the plan that it says; null: a sound of its own.
    prompt: Option<String>,
    /// Empty: all.
    lines: Vec<String>,
    start: String,
    end: String,
    approver: String,
    reason: String,
    /// Who inserted it.
    by: String,
    at: String,
    /// Whether who calls now hears it.
    in_force: bool,
}

/// Why it is ended.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Why {
    /// Goes to the ledger.
    reason: Option<String>,
}

/// What the house says of what a body names.
struct Known {
    now: Timestamp,
    zone: TimeZone,
    unknown_line: Option<String>,
    prompt: Option<Arc<[i16]>>,
}

/// 临时公告：生效中的和将要生效的 / Hot notices in force or to come, by their start.
#[utoipa::path(get, path = "/v1/notices", tag = "notices", responses((status = 200, body = [NoticeView])))]
pub(super) async fn list(Shared(app): Extracted) -> Result<Json<Vec<NoticeView>>, Problem> {
    let all =
        |board: &Switchboard, now: Now| board.notices(now.wall).map(|one| view(one, now.wall)).collect();
    app.look(all).await.map(Json)
}

/// 插播临时公告 / Callers from now on hear it after the greeting, until its end.
#[utoipa::path(post, path = "/v1/notices", tag = "notices", request_body = NoticeBody,
    responses((status = 200, body = NoticeView), (status = 409), (status = 413), (status = 422)))]
pub(super) async fn add(
    Shared(app): Extracted,
    me: Me,
    Strict(body): Strict<NoticeBody, BODY_MAX>,
) -> Result<Json<NoticeView>, Problem> {
    let words = [("text", &body.text, 0, TEXT_MAX), ("approver", &body.approver, 1, WORDS_MAX)];
    for (field, text, least, most) in words.into_iter().chain([("reason", &body.reason, 1, WORDS_MAX)]) {
        check_words(field, text, least, most)?;
    }
    if body.lines.len() > LINES_MAX {
        return Err(Problem::bad_value("lines", "最多 64 个号码", "64 numbers at most"));
    }
    let (lines, prompt) = (body.lines.clone(), body.prompt.clone());
    let known = app.look(move |board, now| known(board, now, lines, prompt.as_deref())).await?;
    if let Some(line) = known.unknown_line {
        return Err(not_in_plan("lines", &line));
    }
    let samples = match (&body.prompt, &body.wav) {
        (Some(prompt), None) => known.prompt.ok_or_else(|| not_in_plan("prompt", prompt))?,
        (None, Some(wav)) => sound_of(wav)?,
        _ => {
            let zh = "prompt 与 wav 须且只能给出一个";
            return Err(Problem::bad_value("prompt", zh, "either prompt or wav is needed, and not both"));
        }
    };
    if length(samples.len()) > LENGTH_MAX {
        let field = if body.wav.is_some() { "wav" } else { "prompt" };
        return Err(Problem::bad_value(field, "最长 15 秒", "15 s at most"));
    }
    let (start, end) = times(body.start.as_deref(), &body.end, known.now, &known.zone)?;
    let notice = HotNotice {
        id: 0, // The store gives it one.
        text: body.text,
        prompt: body.prompt.as_deref().map(PromptId::from),
        lines: body.lines.iter().map(|line| LineId::from(line.as_str())).collect(),
        start,
        end,
        approver: body.approver,
        reason: body.reason,
        by: me.asker.name.clone(),
        at: known.now,
    };
    let kept = KeptNotice { notice, samples: samples.clone() };
    let added = app.state.errands.add_notice(kept, sha256(&samples)).await?.map_err(no_place)?;
    let view = view(&added, known.now);
    let (reply, answer) = oneshot::channel();
    let sound = SoundBank::new([samples]);
    app.sent_for(Ask::Notice { notice: Box::new(added), sound, reply }, answer, RELOAD_WAIT).await?;
    Ok(Json(view))
}

/// 提前结束临时公告 / A hot notice ends now.
#[utoipa::path(delete, path = "/v1/notices/{notice}", tag = "notices", params(("notice" = u64, Path), Why),
    responses((status = 200, body = Done), (status = 400), (status = 404)))]
pub(super) async fn end(
    Shared(app): Extracted,
    Path(notice): Path<String>,
    Query(why): Query<Why>,
    me: Me,
) -> Result<Json<Done>, Problem> {
    let reason = why.reason.filter(|reason| !reason.is_empty()).ok_or_else(|| Problem::missing("reason"))?;
    check_words("reason", &reason, 1, WORDS_MAX)?;
    let id: u64 = notice.parse().map_err(|_| problem::NO_SUCH_NOTICE)?;
    let now = app.look(|_, now| now.wall).await?;
    if !app.state.errands.end_notice(id, now, me.asker.name.clone(), reason).await? {
        return Err(problem::NO_SUCH_NOTICE.into());
    }
    // Whoever ended it may rely on it: the next caller does not hear it.
    let (reply, answer) = oneshot::channel();
    app.sent(Ask::NoticeEnded { id, reply }, answer).await?;
    Ok(Json(Done { done: true, call: None, immediate: None }))
}

fn known(board: &Switchboard, now: Now, lines: Vec<String>, prompt: Option<&str>) -> Known {
    let plan = board.plan();
    Known {
        now: now.wall,
        zone: plan.city.time_zone.clone(),
        unknown_line: lines.into_iter().find(|line| !plan.lines.contains(line.as_str())),
        prompt: prompt.and_then(|prompt| plan.prompts.get(prompt)).map(|prompt| prompt.samples.clone()),
    }
}

fn view(notice: &HotNotice, now: Timestamp) -> NoticeView {
    NoticeView {
        notice: notice.id,
        text: notice.text.clone(),
        prompt: notice.prompt.as_ref().map(ToString::to_string),
        lines: notice.lines.iter().map(ToString::to_string).collect(),
        start: notice.start.to_string(),
        end: notice.end.to_string(),
        approver: notice.approver.clone(),
        reason: notice.reason.clone(),
        by: notice.by.clone(),
        at: notice.at.to_string(),
        in_force: notice.is_in_force(now),
    }
}

fn check_words(field: &str, text: &str, least: usize, most: usize) -> Result<(), Problem> {
    if text.contains(is_unseen) {
        let (zh, en) = (
            "不能有控制字符、换行或改变书写方向的字符",
            "must have no control characters, line breaks or marks that turn the direction",
        );
        return Err(Problem::bad_value(field, zh, en));
    }
    let letters = text.trim().chars().count();
    if (least..=most).contains(&letters) {
        return Ok(());
    }
    let (zh, en) = (format!("须为 {least} 至 {most} 个字"), format!("must be {least} to {most} letters"));
    Err(Problem::bad_value(field, &zh, &en))
}

fn not_in_plan(field: &str, what: &str) -> Problem {
    let (zh, en) = (format!("配置中没有：{what}"), format!("the plan has no {what}"));
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "not_in_plan", zh, en).about(field)
}

fn no_place(why: NoPlace) -> Problem {
    let (code, zh, en) = match why {
        NoPlace::Full => ("notices_full", "公告已满（16 条）", "there are as many notices as may be (16)"),
        NoPlace::TooManyAtOnce => (
            "too_many_at_once",
            "同一号码同一时刻最多 3 条公告",
            "at most 3 notices are in force at a time on one line",
        ),
    };
    Problem::new(StatusCode::CONFLICT, code, zh.into(), en.into())
}

fn times(
    start: Option<&str>,
    end: &str,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<(Timestamp, Timestamp), Problem> {
    let start = start.map_or(Ok(now), |start| time("start", start, zone))?;
    let end = time("end", end, zone)?;
    if end <= start || end <= now {
        return Err(Problem::bad_value("end", "须晚于开始和现在", "must be after the start and after now"));
    }
    if Duration::try_from(end.duration_since(start)).is_ok_and(|span| span > SPAN_MAX) {
        return Err(Problem::bad_value("end", "最长 92 天", "92 days at most"));
    }
    Ok((start, end))
}

/// With an offset, or by the city's clock.
fn time(field: &str, text: &str, zone: &TimeZone) -> Result<Timestamp, Problem> {
    let local = || text.parse::<jiff::civil::DateTime>().and_then(|at| zone.to_timestamp(at));
    text.parse().or_else(|_| local()).map_err(|_: jiff::Error| {
        let zh = "须为时间，如 2021-09-01T09:00:00+08:00";
        Problem::bad_value(field, zh, "must be a time, such as 2021-09-01T09:00:00+08:00")
    })
}

/// The sound of a WAV file in base64, 8 kHz.
fn sound_of(wav: &str) -> Result<Arc<[i16]>, Problem> {
    let bad = |zh: &str, en: &str| Problem::bad_value("wav", zh, en);
    let bytes = STANDARD.decode(wav.trim()).map_err(|_| bad("不是 base64", "no base64"))?;
    let unreadable = |_| bad("不是可读的 WAV", "no readable WAV");
    let mut reader = hound::WavReader::new(Cursor::new(bytes)).map_err(unreadable)?;
    let spec = reader.spec();
    let fits = spec.channels == 1
        && spec.bits_per_sample == 16
        && spec.sample_format == hound::SampleFormat::Int
        && (spec.sample_rate == RATE || spec.sample_rate == 2 * RATE);
    if !fits {
        let (rate, bits, channels) = (spec.sample_rate, spec.bits_per_sample, spec.channels);
        let zh = format!(
            "须为 16 位、单声道、8000 或 16000 Hz；现为 {rate} Hz、{bits} 位、{channels} 声道，请先转换"
        );
        let en = format!(
            "must have 16 bits, one channel, 8,000 or 16,000 Hz; it has {rate} Hz, {bits} bits, {channels} \
             channels: convert it first"
        );
        return Err(bad(&zh, &en));
    }
    let samples: Vec<i16> = reader.samples::<i16>().collect::<Result<_, _>>().map_err(unreadable)?;
    let samples = if spec.sample_rate == RATE { samples } else { resample::halve_all(&samples) };
    if samples.is_empty() {
        return Err(bad("没有声音", "there is no sound in it"));
    }
    Ok(samples.into())
}

fn length(samples: usize) -> Duration {
    Duration::from_millis(samples as u64 * 1_000 / u64::from(RATE))
}

fn sha256(samples: &[i16]) -> String {
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    sealed(&bytes).0
}
