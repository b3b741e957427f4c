//! `hotline explain`: what would happen to a call, and which lines of the file decide it.

mod drawing;
mod given;
mod month;
mod page;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::id::{SeatId, TrunkId};
use crate::io::plan_files;
use crate::routing::explain::Explanation;
use crate::routing::explain::flows::ExplainedFlow;
use crate::routing::explain::path::ExplainedPath;
use crate::routing::plan::DialledFrom;
use crate::routing::{Dialled, Overrides};
use crate::time::Timestamp;

/// Options that are about a call, and mean nothing where a calendar is listed.
const CALLS: [&str; 9] =
    ["to", "from", "seat", "history_info", "diversion", "p_called_party_id", "to_header", "trunk", "html"];

/// 说明某个来电会怎样处理 / Say what would happen to a call
#[derive(Debug, clap::Args)]
pub struct Args {
    /// 所拨号码（请求行）/ The dialled number (Request-URI)
    #[arg(long, value_name = "NUMBER", required_unless_present = "calendar")]
    pub to: Option<String>,
    /// 列出一个日历的一个月：哪天几点上班，为什么 / List a month of this calendar: who works when, and why
    #[arg(long, value_name = "NAME", conflicts_with_all = CALLS)]
    pub calendar: Option<String>,
    /// 哪个月（默认 --at 那个月）/ Which month (default: that of --at)
    #[arg(long, value_name = "YYYY-MM", requires = "calendar", value_parser = month::month)]
    pub month: Option<jiff::civil::Date>,
    /// 主叫号码 / Who is calling
    #[arg(long, value_name = "NUMBER", required_unless_present_any = ["seat", "calendar"])]
    pub from: Option<String>,
    /// 由座席拨出，写工号 / Called by this seat
    #[arg(long, value_name = "SEAT", conflicts_with_all = ["from", "trunk"])]
    pub seat: Option<String>,
    /// 何时（默认现在），如 2021-09-01T09:00:00+08:00 / When (default: now)
    #[arg(long, value_name = "TIME")]
    pub at: Option<Timestamp>,
    /// History-Info 中的号码，最早的在前 / Numbers in History-Info, the oldest first
    #[arg(long, value_name = "NUMBER")]
    pub history_info: Vec<String>,
    /// Diversion 中的号码，最近的在前 / Numbers in Diversion, the latest first
    #[arg(long, value_name = "NUMBER")]
    pub diversion: Vec<String>,
    /// P-Called-Party-ID 中的号码 / The number in P-Called-Party-ID
    #[arg(long, value_name = "NUMBER")]
    pub p_called_party_id: Vec<String>,
    /// To 中的号码（默认同 --to）/ The number in To (default: that of --to)
    #[arg(long, value_name = "NUMBER")]
    pub to_header: Option<String>,
    /// 来电中继（默认文件中第一条送来电话的）/ The trunk (default: the first of the file that brings calls)
    #[arg(long, value_name = "NAME")]
    pub trunk: Option<String>,
    /// What this very caller does, and how the house stands.
    #[command(flatten)]
    pub given: given::Options,
    /// 路由文件 / The routing file
    #[arg(long, value_name = "FILE", default_value = "routing.toml")]
    pub config: PathBuf,
    /// 输出 JSON / Print JSON
    #[arg(long)]
    pub json: bool,
    /// 画出整条路径的网页，单个文件 / A page with the whole way drawn, one self-contained file
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// Exit codes: 0 explained, 1 not explicable (faulty file, unknown trunk or seat) or not written, 2 unreadable.
pub fn run(args: &Args) -> ExitCode {
    let outcome = plan_files::load(&args.config, &Overrides::default());
    // Whoever looks for what fails a test wants to see the plan that fails it.
    let Some(plan) = outcome.plan.as_ref().or(outcome.untried.as_ref()) else {
        let colours = std::io::stderr().is_terminal();
        eprint!("{}", outcome.report.render(colours));
        return ExitCode::from(outcome.report.exit_code().max(1));
    };
    if outcome.plan.is_none() {
        eprintln!("测试没有全部通过，这个方案不会启用\ntests fail: this plan is not used");
    }
    let at = args.at.unwrap_or_else(Timestamp::now);
    if let Some(name) = &args.calendar {
        return match month::explained(plan, name, args.month, at, args.json) {
            Ok(text) => {
                let _ = std::io::stdout().lock().write_all(text.as_bytes());
                ExitCode::SUCCESS
            }
            Err(code) => code,
        };
    }
    let to = args.to.as_deref().unwrap_or_default();
    let mut dialled = Dialled::request_uri(to);
    for (place, numbers) in [
        (DialledFrom::HistoryInfo, &args.history_info),
        (DialledFrom::Diversion, &args.diversion),
        (DialledFrom::PCalledPartyId, &args.p_called_party_id),
    ] {
        let numbers = numbers.iter().map(|number| (place, number.clone()));
        dialled.0.extend(numbers);
    }
    dialled.0.push((DialledFrom::To, args.to_header.as_deref().unwrap_or(to).to_owned()));
    let explanation = if let Some(seat) = &args.seat {
        let Some(seat) = plan.seats.get(seat.as_str()) else {
            let names: Vec<&str> = plan.seats.keys().map(SeatId::as_str).collect();
            let names = names.join(", ");
            eprintln!("没有这个座席；已有: {names}\nno such seat; there are: {names}");
            return ExitCode::from(1);
        };
        plan.explain_seat(&outcome.origins, seat, &dialled, at)
    } else {
        let Some(trunk) = plan.trunk_of_call(args.trunk.as_deref()) else {
            let names: Vec<&str> = plan.bring_calls.iter().map(TrunkId::as_str).collect();
            let names = names.join(", ");
            eprintln!("没有这条来电中继；已有: {names}\nno such trunk for calls; there are: {names}");
            return ExitCode::from(1);
        };
        let given = match args.given.given(plan) {
            Ok(given) => given,
            Err(unknown) => {
                eprintln!("{unknown}");
                return ExitCode::from(1);
            }
        };
        let from = args.from.as_deref().unwrap_or_default();
        plan.explain_given(&outcome.origins, trunk, &dialled, from, at, given.as_ref())
    };
    if let Some(path) = &args.html
        && let Err(error) = std::fs::write(path, page::page(&explanation))
    {
        let path = path.display();
        eprintln!("写不了 {path}: {error}\ncannot write {path}: {error}");
        return ExitCode::from(1);
    }
    let text = if args.json {
        let value = serde_json::json!(explanation);
        format!("{value:#}\n")
    } else {
        words(&explanation)
    };
    // A reader that has gone (`| head`) does not matter.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn words(explanation: &Explanation) -> String {
    let mut lines = vec![format!("{} → {} @ {}", explanation.from, explanation.trunk, explanation.at)];
    if let Some(line) = &explanation.line {
        lines.push(format!(
            "{} {} · {} · {} / {}",
            line.number, line.name, line.owner, line.mode.zh, line.mode.en
        ));
        let alias = line.alias.as_ref().map_or_else(String::new, |own| format!("（别名 / alias {own}）"));
        lines.push(format!("取自 / found in {}: {}{alias}", line.found_in, line.number_as_dialled));
    }
    lines.push(String::new());
    for (index, step) in explanation.steps.iter().enumerate() {
        lines.push(format!("{:>2}. {}", index + 1, step.zh));
        lines.push(format!("    {}", step.en));
    }
    explanation.path.iter().for_each(|path| path_lines(&mut lines, path));
    explanation.flows.iter().for_each(|flow| flow_lines(&mut lines, flow));
    if !explanation.standing.is_empty() {
        lines.push(String::new());
        lines.push("来电人与座席 / caller and clerks".to_owned());
        for words in &explanation.standing {
            lines.push(format!("  - {}", words.zh));
            lines.push(format!("    {}", words.en));
        }
    }
    lines.push(String::new());
    lines.push("依据 / decided by".to_owned());
    for place in &explanation.decided_by {
        lines.push(format!("  {}:{}  {}", place.file, place.line, place.text));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// What the caller comes through, what is pressed there, and what the rest hangs on.
fn path_lines(lines: &mut Vec<String>, path: &ExplainedPath) {
    lines.push(String::new());
    lines.push("这个来电的经过 / the way of this call".to_owned());
    for (index, passed) in path.passed.iter().enumerate() {
        let place = passed
            .place
            .as_ref()
            .map_or_else(String::new, |place| format!("  ({}:{})", place.file, place.line));
        lines.push(format!("{:>4}. {}{place}", index + 1, passed.words.zh));
        lines.push(format!("      {}", passed.words.en));
        if !passed.keys.is_empty() {
            lines.push(format!("      · 按 {} / presses {}", passed.keys, passed.keys));
        }
        if let Some(way) = &passed.way {
            let to = page::destination_words(&way.to);
            lines.push(format!("      · {} → {} / {} → {}", way.when.zh, to.zh, way.when.en, to.en));
        }
    }
    if let Some(open) = &path.hangs_on {
        let (words, option) = (&open.words, &open.option);
        lines.push(format!("   ?. 接下来怎样取决于{}，没有写明: 加 {option}", words.zh));
        lines.push(format!("      what comes next hangs on {}, which is not said: add {option}", words.en));
    }
    for remark in &path.remarks {
        lines.push(format!("  - {}", remark.zh));
        lines.push(format!("    {}", remark.en));
    }
}

/// A flow act by act, with where each leads and where it is written.
fn flow_lines(lines: &mut Vec<String>, flow: &ExplainedFlow) {
    lines.push(String::new());
    lines.push(format!("流程 / flow {}", flow.name));
    for act in &flow.acts {
        let place =
            act.place.as_ref().map_or_else(String::new, |place| format!("  ({}:{})", place.file, place.line));
        lines.push(format!("{:>4}. {}{place}", act.step, act.words.zh));
        lines.push(format!("      {}", act.words.en));
        for way in &act.ways {
            let to = page::destination_words(&way.to);
            lines.push(format!("      · {} → {} / {} → {}", way.when.zh, to.zh, way.when.en, to.en));
        }
    }
}
