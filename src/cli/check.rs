//! `hotline check`: everything that is wrong with the operator's files, and the list of numbers.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::io::kept_plans::KeptPlans;
use crate::io::plan_files;
use crate::routing::diagnostic::{Report, Severity};
use crate::routing::difference::{Difference, wants_restart};
use crate::routing::readiness::Readiness;
use crate::routing::{Outcome, Overrides};
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
    /// 按这一时刻列出各号码的处理（默认现在）/ List the numbers' treatment at this instant (default: now)
    #[arg(long, value_name = "TIME")]
    pub at: Option<Timestamp>,
    /// 说明与另一份路由文件相比有哪些改动 / Say what it changes of another routing file
    #[arg(long, value_name = "OLD", conflicts_with = "against_running")]
    pub against: Option<PathBuf>,
    /// 说明与引擎正在运行的方案相比有哪些改动，能否重载 / Say what it changes of the plan that the engine runs,
    /// and whether a reload would take it
    #[arg(long)]
    pub against_running: bool,
    /// 引擎的数据目录，用于 --against-running / The engine's data directory, for --against-running
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
}

/// Exit codes: 0 clean (warnings allowed), 1 errors, 2 unreadable.
pub fn run(args: &Args) -> ExitCode {
    let mut outcome = plan_files::load(&args.config, &Overrides::default());
    let difference = match compared(args, &mut outcome) {
        Ok(difference) => difference,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    let at = args.at.unwrap_or_else(Timestamp::now);
    let lines = outcome.plan.as_ref().map(|plan| plan.readiness(at));
    let text = if args.json {
        json(&outcome, lines.as_deref(), difference.as_ref())
    } else {
        let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let mut text = outcome.report.render(colours);
        text.push_str(&lines.as_deref().map(table).unwrap_or_default());
        text.push_str(&difference.as_ref().map(changes).unwrap_or_default());
        text.push_str(&tests(&outcome));
        text.push_str(&verdict(&outcome.report));
        text
    };
    // A reader that has gone (`| head`) does not change the verdict.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    ExitCode::from(outcome.report.exit_code())
}

/// What the file changes of the one that it is held against; notes what a running engine cannot take over.
fn compared(args: &Args, outcome: &mut Outcome) -> Result<Option<Difference>, String> {
    let usual = Overrides::default();
    let old = match &args.against {
        Some(old) => plan_files::load(old, &usual),
        None if args.against_running => {
            let shelf = KeptPlans::of(&args.data);
            let data = args.data.display();
            let history = shelf.history().map_err(|error| format!("{data}: {error}"))?;
            let last = history.last().ok_or_else(|| {
                format!(
                    "{data} 里没有运行过的方案；用 --data 指明引擎的数据目录\n\
                     no plan was in force by {data}; name the engine's data directory with --data"
                )
            })?;
            shelf.read(last, &usual).outcome
        }
        None => return Ok(None),
    };
    let Some(old) = &old.plan else {
        return Err(format!(
            "{}旧方案不能用，无从比较 / the old plan is of no use: there is nothing to compare with",
            old.report.render(false)
        ));
    };
    let Some(new) = &outcome.plan else { return Ok(None) };
    let difference = Difference::between(old, new);
    if args.against_running {
        outcome.report.refuse_fixed(&wants_restart(old, new), &outcome.fixtures);
    }
    Ok(Some(difference))
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

fn json(outcome: &Outcome, lines: Option<&[Readiness]>, difference: Option<&Difference>) -> String {
    let report = &outcome.report;
    let value = serde_json::json!({
        "schema": 1,
        "errors": report.count(Severity::Error),
        "warnings": report.count(Severity::Warning),
        "digest": outcome.plan.as_ref().map(|plan| &plan.digest),
        "diagnostics": report.to_json(),
        "tests": outcome.cases,
        "difference": difference,
        "lines": lines.unwrap_or_default(),
    });
    format!("{value:#}\n")
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
    let heading = ["序号 row", "号码 number", "名称 name", "方式 mode", "处理 treatment"];
    let mut rows = vec![heading.map(str::to_owned)];
    rows.extend(lines.iter().map(|line| {
        [
            line.row.clone(),
            line.number.clone(),
            line.name.clone(),
            format!("{} {}", line.mode.zh, line.mode.en),
            format!("{} / {}", line.treatment.zh, line.treatment.en),
        ]
    }));
    let mut widths = [0; 5];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(columns(cell));
        }
    }
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - columns(cell) + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.push('\n');
    text
}

/// Width at a terminal.
pub(super) fn columns(text: &str) -> usize {
    text.chars()
        .map(|letter| match u32::from(letter) {
            0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF => 2,
            0xFE30..=0xFE4F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 => 2,
            _ => 1,
        })
        .sum()
}
