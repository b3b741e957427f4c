//! The front door: the commands of `hotline`.

pub mod call;
pub mod check;
pub mod demo;
pub mod explain;
mod grid;
mod handset;
pub mod letters;
mod load;
pub mod look_up;
pub mod openapi;
mod out;
pub mod phone;
pub mod prompts;
pub mod records;
mod records_open;
pub mod report;
pub mod run;
pub mod schema;
pub mod seats;
pub mod show;
mod signals;
mod sounds;
pub mod trace;

use std::process::ExitCode;

use clap::Parser;

/// 12345 热线呼叫路由引擎 / call-routing engine of a 12345 hotline
#[derive(Debug, Parser)]
#[command(name = "hotline", version)]
pub enum Command {
    /// 运行 / Run the engine
    Run(run::Args),
    /// 检查 / Check routing.toml
    Check(check::Args),
    /// 说明 / Explain what a call would do
    Explain(explain::Args),
    /// 生效的设置 / The plan in force, each value with its origin
    Show(show::Args),
    /// 文件格式 / JSON Schema of routing.toml, for editors
    Schema(schema::Args),
    /// 拨打 / Call a number: play, record, press keys
    Call(call::Args),
    /// 座席话机 / A seat's telephone that answers
    Phone(phone::Args),
    /// 压测 / Load any SIP server: callers, seats, figures, report
    Load(Box<load::Args>),
    /// 演示 / Call every number and check what is heard and kept
    Demo(demo::Args),
    /// 提示音 / Prompts: list, import, draft, seal, check
    Prompts(prompts::Args),
    /// 通话记录 / Call records
    Records(records::Args),
    /// 指标 / Key figures of a day
    Report(report::Args),
    /// 座席 / Seats on a day
    Seats(seats::Args),
    /// 工单、死信 / Tickets of the embedded office; dead letters
    Tickets(letters::Args),
    /// 临时公告 / Hot notices, those that are over too
    Notices(look_up::Args),
    /// 信令 / A call's SIP messages: ladder, text, JSON, capture file
    Trace(trace::Args),
    /// 台账 / The ledger of accesses
    Ledger(look_up::Args),
    /// HTTP 接口描述 / The routes of the HTTP API as an OpenAPI document
    Openapi,
}

/// Runs what the command line asks for.
pub fn main() -> ExitCode {
    match Command::parse() {
        Command::Run(args) => run::run(args),
        Command::Check(args) => check::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Show(args) => show::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Call(args) => call::run(args),
        Command::Phone(args) => phone::run(args),
        Command::Load(args) => load::run(*args),
        Command::Demo(args) => demo::run(args),
        Command::Prompts(args) => prompts::run(&args),
        Command::Records(args) => records::run(&args),
        Command::Seats(args) => seats::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Tickets(args) => letters::run(&args),
        Command::Notices(args) => look_up::notices(&args),
        Command::Trace(args) => trace::run(&args),
        Command::Ledger(args) => look_up::ledger(&args),
        Command::Openapi => openapi::run(),
    }
}

/// Who asks, as the ledger names people: by the name that was said, or as the user that the program runs as.
fn operator(said: Option<&str>) -> String {
    let user = || format!("operator:{}", std::env::var("USER").unwrap_or_else(|_| "unknown".into()));
    said.map_or_else(user, str::to_owned)
}
