//! `hotline report`: the key figures of a day, from the database beside a running engine.

mod columns;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::out;
use crate::id::LineId;
use crate::io::plan_files;
use crate::io::store::{FILE, Reader};
use crate::routing::kpi::Kpi as Rules;
use crate::routing::{Overrides, Plan};
use crate::telemetry::kpi::Kpi;
use crate::time::Timestamp;
use table::Table;

/// Where the city's clock is not known: the whole country has one.
const ZONE: &str = "Asia/Shanghai";

/// 一天的指标，按现行 [kpi] 口径 / The key figures of a day, by [kpi] as it is now
#[derive(Debug, clap::Args)]
pub struct Args {
    /// 日期（按城市时间；默认今天），如 2021-09-01 / The day by the city's clock (default: today)
    #[arg(long, value_name = "DAY")]
    day: Option<Date>,
    /// 按什么分列 / One row for each
    #[arg(long, value_enum)]
    by: Option<By>,
    /// 输出 JSON / Print JSON
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// 输出 CSV / Print CSV
    #[arg(long)]
    csv: bool,
    /// 数据目录 / The data directory
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// 路由文件：城市时区、责任单位与口径 / The routing file: the city's clock, whose a line is, and the formulas
    #[arg(long, value_name = "FILE", default_value = "routing.toml")]
    config: PathBuf,
}

/// What rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum By {
    /// 座席 / Seats
    Seat,
    /// 号码 / Lines
    Line,
    /// 责任单位 / Departments, by their lines
    Department,
    /// 队列 / Queues
    Queue,
    /// 转接对象：分中心、专家、部门、应急 / Whom callers are put through to
    Target,
    /// 转接方式 / How transfers are made
    Transfer,
}

/// Exit codes: 0 printed, 2 cannot be read.
pub fn run(args: &Args) -> ExitCode {
    let plan = plan_files::load(&args.config, &Overrides::default()).plan;
    if plan.is_none() {
        eprintln!(
            "没有可用的路由文件 {0}：按 {ZONE} 计日，责任单位不详 / no usable {0}: days by {ZONE}, \
             departments unknown",
            args.config.display()
        );
    }
    let city = plan.as_ref().map(|plan| plan.city.time_zone.clone());
    let zone = city.or_else(|| TimeZone::get(ZONE).ok()).unwrap_or(TimeZone::UTC);
    let day = args.day.unwrap_or_else(|| zone.to_datetime(Timestamp::now()).date());
    let Some((from, until)) = bounds(day, &zone) else {
        eprintln!("没有这一天 / there is no such day: {day}");
        return ExitCode::from(2);
    };
    let read = Reader::open(&args.data.join(FILE)).and_then(|reader| reader.calls_opened(from, until));
    match read {
        Ok(records) => {
            let usual = Rules::default();
            let rules = plan.as_ref().map_or(&usual, |plan| &plan.kpi);
            let told = out::print(&text(&Kpi::fold(&records, rules), day, args, plan.as_ref()));
            told.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("无法读取 / cannot be read: {error}");
            ExitCode::from(2)
        }
    }
}

/// From the day's first moment by that clock up to the next day's.
fn bounds(day: Date, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let first = |day: Date| zone.to_timestamp(day.at(0, 0, 0, 0)).ok();
    Some((first(day)?, first(day.tomorrow().ok()?)?))
}

fn text(kpi: &Kpi, day: Date, args: &Args, plan: Option<&Plan>) -> String {
    let usual = Rules::default();
    let rules = plan.map_or(&usual, |plan| &plan.kpi);
    let whole = |_: &str| &rules.usual;
    let table = match args.by {
        None => columns::total(kpi, rules),
        Some(By::Line) => {
            columns::calls("line", kpi.lines.iter().map(|(line, calls)| (line.to_string(), calls)), |line| {
                rules.of(&LineId::from(line))
            })
        }
        Some(By::Queue) => {
            columns::calls("queue", kpi.queues.iter().map(|(queue, calls)| (queue.clone(), calls)), whole)
        }
        Some(By::Department) => {
            let owners = kpi.by_owner(|line| plan?.lines.get(line).map(|line| line.owner.clone()));
            columns::calls("department", owners.iter().map(|(owner, calls)| (owner.clone(), calls)), whole)
        }
        Some(By::Seat) => {
            columns::services("seat", kpi.seats.iter().map(|(seat, service)| (seat.to_string(), service)))
        }
        Some(By::Target) => {
            columns::services("target", kpi.targets.iter().map(|(target, service)| (target.clone(), service)))
        }
        Some(By::Transfer) => columns::transfers(kpi),
    };
    print_as(&table, day, args, &JudgedBy { plan, rules })
}

/// What stands beside the figures: by which file and formulas they are.
struct JudgedBy<'a> {
    plan: Option<&'a Plan>,
    rules: &'a Rules,
}

impl JudgedBy<'_> {
    fn digest(&self) -> &str {
        self.plan.map_or("", |plan| plan.digest.as_str())
    }

    /// A foot for people: calls are judged by the file as it is now, also those that came under an earlier one.
    fn foot(&self, args: &Args) -> String {
        let mut text = match self.plan {
            Some(plan) => {
                let (file, digest) = (args.config.display(), plan.digest.get(..12).unwrap_or_default());
                format!("\n按现行 {file}（{digest}）评定 / judged by {file} as it is now ({digest})\n")
            }
            None => "\n按默认口径评定 / judged by the usual formula\n".to_owned(),
        };
        for words in self.rules.words() {
            text.push_str(&format!("{}\n  {}\n", words.zh, words.en));
        }
        text
    }
}

fn print_as(table: &Table, day: Date, args: &Args, by: &JudgedBy<'_>) -> String {
    if args.json {
        let mut told = table.json(day);
        told["formula"] = by.rules.json();
        told["plan"] = by.digest().into();
        format!("{told}\n")
    } else if args.csv {
        table.csv(&[("formula", by.rules.usual.version.as_str()), ("plan", by.digest())])
    } else if args.by.is_none() {
        table.down(day) + &by.foot(args)
    } else {
        table.across(day) + &by.foot(args)
    }
}

#[cfg(test)]
#[path = "report_test.rs"]
mod tests;
