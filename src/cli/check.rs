//! `hotline check`: everything that is wrong with the operator's files, the list of numbers, and what is proved of
//! them; and the page of a code.

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use secrecy::ExposeSecret;

use super::grid::in_columns;
use crate::io::kept_plans::{Kept, KeptPlans, Started};
use crate::io::recorder::Key;
use crate::io::{plan_files, secrets};
use crate::routing::diagnostic::pages::Pages;
use crate::routing::diagnostic::{Report, Severity};
use crate::routing::difference::{self, Difference, wants_restart};
use crate::routing::plan::{Plan, SecretRef};
use crate::routing::proof::NOTICES_MAX;
use crate::routing::proof::staffing::Need;
use crate::routing::readiness::{Proved, Readiness};
use crate::routing::{Outcome, Overrides, Stage};
use crate::time::Timestamp;

/// 检查 routing.toml，一次列出所有问题 / Check routing.toml and list every problem at once
#[derive(Debug, clap::Args)]
pub struct Args {
    /// 路由文件 / The routing file
    #[arg(long, value_name = "FILE", default_value = "routing.toml")]
    pub config: PathBuf,
    /// 输出 JSON / Print JSON
    #[arg(long)]
    pub json: bool,
    /// 输出 SARIF 2.1.0，供持续集成显示 / Print SARIF 2.1.0, for CI systems
    #[arg(long, conflicts_with = "json")]
    pub sarif: bool,
    /// 说明一个代码（如 E0207）：含义、例子、后果、办法 / Explain a code, like E0207
    #[arg(long, value_name = "CODE", conflicts_with_all = ["sarif", "at"])]
    pub explain: Option<String>,
    /// 按这一时刻检查并列出各号码的处理（默认现在）/ Check, and list the numbers' treatment, at this instant (default: now)
    #[arg(long, value_name = "TIME")]
    pub at: Option<Timestamp>,
    /// 说明与另一份路由文件相比有哪些改动 / Say what it changes of another routing file
    #[arg(long, value_name = "OLD", conflicts_with = "against_running")]
    pub against: Option<PathBuf>,
    /// 说明与引擎正在运行的方案相比有哪些改动，能否重载 / Say what it changes of the plan that the engine runs,
    /// and whether a reload would take it
    #[arg(long)]
    pub against_running: bool,
    /// 引擎的数据目录，用于 --against-running 和核对密钥 / The engine's data directory, for --against-running and to look at keys
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
}

/// Exit codes: 0 clean (warnings allowed), 1 errors, 2 unreadable, or no such code.
pub fn run(args: &Args) -> ExitCode {
    if let Some(code) = &args.explain {
        return explain(code, args.json);
    }
    let at = args.at.unwrap_or_else(Timestamp::now);
    let told = held_against(args).and_then(|against| {
        let overrides = against.as_ref().map(|against| against.overrides.clone()).unwrap_or_default();
        let mut outcome = plan_files::load_at(&args.config, &overrides, at);
        let difference = against.map(|against| compared(&against, &mut outcome)).transpose()?.flatten();
        Ok((outcome, difference))
    });
    let (mut outcome, difference) = match told {
        Ok(told) => told,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    look_at_keys(&mut outcome, &args.data);
    let lines = outcome.plan.as_ref().map(|plan| plan.readiness(at));
    let needs = outcome.plan.as_ref().map(Plan::staffing).unwrap_or_default();
    let text = if args.sarif {
        format!("{:#}\n", outcome.report.to_sarif(env!("CARGO_PKG_VERSION")))
    } else if args.json {
        json(&outcome, lines.as_deref(), &needs, difference.as_ref())
    } else {
        let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let mut text = outcome.report.render(colours);
        text.push_str(&lines.as_deref().map(table).unwrap_or_default());
        text.push_str(&staffing(&needs));
        text.push_str(&difference.as_ref().map(changes).unwrap_or_default());
        text.push_str(&tests(&outcome));
        text.push_str(left_out(&outcome));
        text.push_str(&verdict(&outcome.report));
        text
    };
    // A reader that has gone (`| head`) does not change the verdict.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    ExitCode::from(outcome.report.exit_code())
}

/// Keys of recordings that are at hand are keys.
fn look_at_keys(outcome: &mut Outcome, data: &Path) {
    let Some(plan) = &outcome.plan else { return };
    let old = plan.recording.old_keys.iter().map(|secret| ("recording.old_keys", secret));
    for (key, secret) in plan.recording.key.iter().map(|secret| ("recording.key", secret)).chain(old) {
        let place = match secret {
            SecretRef::File(file) => data.join(file).display().to_string(),
            SecretRef::Env(name) => format!("${name}"),
        };
        if secrets::given(secret, data).is_ok_and(|text| Key::parse(text.expose_secret()).is_err()) {
            outcome.report.refuse_key(key, &place);
        }
    }
}

/// A code's page.
fn explain(code: &str, json: bool) -> ExitCode {
    let pages = Pages::read();
    let text = match pages.get(code) {
        Some(page) if json => format!("{:#}\n", serde_json::json!(page)),
        Some(page) => page.render(),
        None => {
            let near =
                pages.nearest(code).map_or_else(String::new, |near| format!("，最相近 / nearest: {near}"));
            let _ = writeln!(std::io::stderr(), "没有代码 / no such code: {code}{near}");
            return ExitCode::from(2);
        }
    };
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

/// A line for each queue that says what it is staffed for.
fn staffing(needs: &[Need]) -> String {
    let one = |need: &Need| {
        let Need { queue, erlangs, there, reached_percent, within_s, percent, .. } = need;
        let fewest = need.fewest_at.map_or_else(String::new, |at| format!(", 最少在 fewest at {at}"));
        let needed = need.needed.map_or_else(|| "∞".to_owned(), |needed| needed.to_string());
        format!(
            "队列 queue {queue}: {erlangs:.1} 厄兰 erlangs, {within_s:.0} s {percent}% 需要 needs {needed}, 现有 has {there} ({reached_percent:.1}%){fewest}\n"
        )
    };
    let mut text: String = needs.iter().map(one).collect();
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// What a file is held against.
struct Against {
    old: Outcome,
    /// What the running engine was started with, if that is not the old one; `None`: no engine is meant.
    started: Option<Option<Outcome>>,
    /// What its command line says in place of files.
    overrides: Overrides,
    /// Numbers that the engine knows as cancelled.
    cancelled: BTreeSet<String>,
}

fn held_against(args: &Args) -> Result<Option<Against>, String> {
    if let Some(old) = &args.against {
        let overrides = Overrides::default();
        return Ok(Some(Against {
            old: plan_files::load(old, &overrides),
            started: None,
            overrides,
            cancelled: BTreeSet::new(),
        }));
    }
    if !args.against_running {
        return Ok(None);
    }
    let shelf = KeptPlans::of(&args.data);
    let data = args.data.display();
    let history = shelf.history().map_err(|error| format!("{data}: {error}"))?;
    let last = history.last().ok_or_else(|| {
        format!(
            "{data} 里没有运行过的方案；用 --data 指明引擎的数据目录\n\
             no plan was in force by {data}; name the engine's data directory with --data"
        )
    })?;
    let Started { number, overrides } = match shelf.started().map_err(|error| format!("{data}: {error}"))? {
        Some(started) => started,
        None => Started { number: last.number, overrides: Overrides::default() },
    };
    let read = |kept: &Kept| shelf.read(kept, &overrides, Timestamp::now()).outcome;
    let started = history.iter().find(|kept| kept.number == number && kept.digest != last.digest);
    let cancelled = shelf.cancelled().map_err(|error| format!("{data}: {error}"))?;
    Ok(Some(Against { old: read(last), started: Some(started.map(read)), overrides, cancelled }))
}

/// What the file changes of the one that it is held against; notes what a running engine cannot take over.
fn compared(against: &Against, outcome: &mut Outcome) -> Result<Option<Difference>, String> {
    let Some(old) = &against.old.plan else {
        return Err(format!(
            "{}旧方案不能用，无从比较 / the old plan is of no use: there is nothing to compare with",
            against.old.report.render(false)
        ));
    };
    let Some(new) = &outcome.plan else { return Ok(None) };
    let Some(started) = &against.started else { return Ok(Some(Difference::between(old, new))) };
    let started = started.as_ref().and_then(|started| started.plan.as_ref()).unwrap_or(old);
    let changed = Difference::under(old, new, started);
    let now = Timestamp::now();
    let gone = difference::cancelled(&against.cancelled, old, now);
    let back = difference::returned(&gone, new, now);
    outcome.report.refuse_fixed(&wants_restart(started, new), &outcome.fixtures);
    outcome.report.refuse_returned(&back, &outcome.numbers);
    Ok(Some(changed))
}

fn changes(difference: &Difference) -> String {
    match difference.is_empty() {
        true => "没有改动 / nothing has changed\n\n".to_owned(),
        false => format!("改动 / changes\n{}\n", difference.words()),
    }
}

/// Of a file that has any.
fn tests(outcome: &Outcome) -> String {
    let failed = outcome.report.diagnostics.iter().any(|found| found.code == "E1201");
    match outcome.cases {
        0 => String::new(),
        _ if failed => "测试没有全部通过 / tests fail\n".to_owned(),
        count => format!("{count} 个测试全部通过 / {count} tests pass\n"),
    }
}

fn json(
    outcome: &Outcome,
    lines: Option<&[Readiness]>,
    needs: &[Need],
    difference: Option<&Difference>,
) -> String {
    let report = &outcome.report;
    let value = serde_json::json!({
        "schema": 1,
        "errors": report.count(Severity::Error),
        "warnings": report.count(Severity::Warning),
        "digest": outcome.plan.as_ref().map(|plan| &plan.digest),
        "diagnostics": report.to_json(),
        "lacking": report.lacking,
        "tests": outcome.cases,
        "proved": outcome.stage != Stage::Rules,
        "tested": outcome.stage == Stage::Tests,
        "difference": difference,
        "lines": lines.unwrap_or_default(),
        "staffing": needs,
    });
    format!("{value:#}\n")
}

/// What may be wrong besides, and was not looked at.
fn left_out(outcome: &Outcome) -> &'static str {
    match (outcome.report.exit_code(), outcome.stage) {
        (1, Stage::Rules) => {
            "改正以上错误之前，可达性没有证明，[[test]] 没有核对。\n\
             Until these errors are mended nothing is proved of the whole, and no [[test]] is run.\n"
        }
        (1, Stage::Proofs) => {
            "改正以上错误之前，[[test]] 没有核对。\nUntil these errors are mended no [[test]] is run.\n"
        }
        _ => "",
    }
}

fn verdict(report: &Report) -> String {
    let (errors, warnings) = (report.count(Severity::Error), report.count(Severity::Warning));
    let (zh, en) = match report.exit_code() {
        0 => ("可以启用", "ready"),
        1 => ("不能启用", "not usable"),
        _ => ("无法读取", "unreadable"),
    };
    format!("{zh}: {errors} 个错误，{warnings} 个警告\n{en}: {errors} errors, {warnings} warnings\n")
}

/// The list of numbers in columns; Chinese letters are two columns wide.
fn table(lines: &[Readiness]) -> String {
    let heading = [
        "序号 row",
        "号码 number",
        "名称 name",
        "方式 mode",
        "全年 year",
        "到人 to a person",
        "处理 treatment",
    ];
    let mut rows = vec![heading.map(str::to_owned)];
    rows.extend(lines.iter().map(|line| {
        [
            line.row.clone(),
            numbers(line),
            line.name.clone(),
            format!("{} {}", line.mode.zh, line.mode.en),
            line.proof.as_ref().map_or_else(String::new, of_the_year),
            line.proof.as_ref().map_or_else(String::new, to_a_person),
            format!("{} / {}", line.treatment.zh, line.treatment.en),
        ]
    }));
    let mut text = in_columns(&rows);
    if lines.iter().any(|line| line.proof.is_some()) {
        let notices = NOTICES_MAX.as_secs();
        text.push_str(&format!(
            "有临时公告在播时，到人最多再加 {notices} 秒，按任意键跳过\nwhile hot notices are told, up to {notices} s more until a person; any key passes over them\n"
        ));
    }
    text + "\n"
}

/// `12348`, and by which others it is dialled: `12348 = 4412345`.
fn numbers(line: &Readiness) -> String {
    std::iter::once(&line.number).chain(&line.aliases).map(String::as_str).collect::<Vec<_>>().join(" = ")
}

/// `8784/8784 h`, and where some of it has tickets only, how much.
fn of_the_year(proof: &Proved) -> String {
    let tickets = match proof.ticket {
        0 => String::new(),
        hours => format!(" ({hours} h 工单 tickets)"),
    };
    format!("{}/{} h{tickets}", proof.reached, proof.hours)
}

/// `≤ 37 s`, and with flows the longest way through them: `≤ 21 s (95 s, 3 键 presses)`.
fn to_a_person(proof: &Proved) -> String {
    let seconds = |millis: u64| millis.div_ceil(1_000);
    let silent = proof.silent_ms.map_or_else(|| "–".to_owned(), |millis| format!("≤ {} s", seconds(millis)));
    match (proof.longest_ms, proof.presses) {
        (Some(longest), Some(presses)) if presses > 0 => {
            format!("{silent} ({} s, {presses} 键 presses)", seconds(longest))
        }
        _ => silent,
    }
}
