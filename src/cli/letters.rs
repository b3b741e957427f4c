//! `hotline tickets`: tickets of the embedded office, and events that sinks and feeds have not taken.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use super::{look_up, operator};
use crate::io::kept_plans::KeptPlans;
use crate::io::plain::plain;
use crate::io::store::{FILE, Letters, Resending, Resent, resend_beside};
use crate::routing::Plan;
use crate::time::Timestamp;

/// 工单 / Tickets
#[derive(Debug, clap::Args)]
#[group(id = "letters")]
pub struct Args {
    #[command(flatten)]
    look: look_up::Args,
    /// 死信：对方不收的、超过 keep 未送达的事件 / Dead letters: events that were refused, or given up after keep
    #[arg(long)]
    dead: bool,
    /// 重发死信：事件编号（通话/序号）或 all / Send dead letters again: an event's id (call/sequence), or all
    #[arg(long, value_name = "ID", conflicts_with = "dead", requires = "reason")]
    resend: Option<String>,
    /// 只看这个去处或推送的 / Of this ticket sink or feed only
    #[arg(long, value_name = "NAME")]
    sink: Option<String>,
    /// 重发的理由，记入台账 / Why they are sent again, for the ledger
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// 重发人，记入台账；默认为当前用户 / Who has them sent, for the ledger; by default the user
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

/// Exit codes: 0 done, 1 there is no such letter, or one that cannot be sent again, 2 cannot be read or written.
pub fn run(args: &Args) -> ExitCode {
    match &args.resend {
        Some(id) => resend(args, id),
        None if args.dead => list(args),
        None => look_up::tickets(&args.look),
    }
}

fn list(args: &Args) -> ExitCode {
    args.look.print(|reader| {
        let which = Letters { sink: args.sink.clone(), event: None };
        let letters = reader.letters(&which, args.look.most)?;
        // What an event tells of people stays in it.
        let row = |letter: &crate::io::store::DeadLetter| {
            let event = letter.event.event;
            plain(&format!(
                "{}/{} {} sink={} type={} why={}",
                event.call, event.sequence, letter.event.at, letter.sink, letter.event.kind, letter.why
            ))
        };
        Ok(letters.iter().map(row).collect())
    })
}

fn resend(args: &Args, id: &str) -> ExitCode {
    let which = match id {
        "all" => Some(Letters::default()),
        id => Letters::named(id),
    };
    let Some(which) = which else {
        eprintln!("{id} 不是事件编号，应为 通话/序号 或 all / is no event's id: call/sequence, or all");
        return ExitCode::from(2);
    };
    // Whether each is the embedded office.
    let outlets: BTreeMap<String, bool> = match started(&args.look.data) {
        Ok(plan) => plan.outlets().map(|sink| (sink.name.clone(), sink.is_embedded())).collect(),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let resending = Resending {
        at: Timestamp::now(),
        by: operator(args.by.as_deref()),
        reason: args.reason.clone().unwrap_or_default(),
    };
    let which = Letters { sink: args.sink.clone(), ..which };
    let is_owed = |sink: &str| outlets.get(sink).is_some_and(|is_embedded| !is_embedded);
    match resend_beside(&args.look.data.join(FILE), &which, &resending, is_owed) {
        Ok(resent) => told(&resent, &outlets),
        Err(error) => {
            eprintln!("无法写入 / cannot be written: {error}");
            ExitCode::from(2)
        }
    }
}

fn told(resent: &Resent, outlets: &BTreeMap<String, bool>) -> ExitCode {
    if *resent == Resent::default() {
        eprintln!("没有这样的死信 / there is no such dead letter");
        return ExitCode::FAILURE;
    }
    for (sink, events) in &resent.owed {
        println!("{}", plain(&format!("{sink}: {events} 待重发 / to be sent again")));
    }
    for (sink, events) in &resent.waiting {
        println!(
            "{}",
            plain(&format!("{sink}: {events} 早已在待重发之列 / are waiting to be sent again already"))
        );
    }
    for (sink, events) in &resent.refused {
        let why = match outlets.get(sink) {
            Some(_) => {
                "内置工单随通话事实写入，没有重发；--dead 的 why= 说明原因，工单所缺的内容在该通话的记录里\
                 （hotline records --json），由人补办 / the embedded office is sent nothing, its tickets are written with \
                 the facts: why= of --dead says what was wrong, and what a ticket lacks is in its call's record \
                 (hotline records --json), for somebody to see to by hand"
            }
            None => {
                "引擎启动所用的方案里没有这个去处，死信原样保留；把它写回方案并重启后再重发 / the plan that the engine was \
                 started with has no such sink or feed, and its letters are kept as they are: put it back into the plan, \
                 restart, and send them again"
            }
        };
        eprintln!("{}", plain(&format!("{sink}: {events} 不能重发 / cannot be sent again: {why}")));
    }
    if resent.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The plan that the engine was started with, whose sinks and feeds are its own until it ends.
fn started(data: &Path) -> Result<Plan, String> {
    let shelf = KeptPlans::of(data);
    let unknown = |why: String| {
        format!(
            "{}: 不知道引擎启动所用的方案，因而不知道死信能发给谁{why}\n\
             {0}: the plan that the engine was started with is not known, and so not who takes letters{why}",
            data.display()
        )
    };
    let plans = shelf.started().and_then(|started| Ok((started, shelf.history()?)));
    let (started, history) = plans.map_err(|error| unknown(format!(": {error}")))?;
    let kept = started.and_then(|started| {
        let kept = history.into_iter().find(|kept| kept.number == started.number)?;
        Some((kept, started.overrides))
    });
    let (kept, overrides) = kept.ok_or_else(|| unknown(String::new()))?;
    // Judged as on the day on which it came into force: what it names may have run out since.
    let outcome = shelf.read(&kept, &overrides, kept.since).outcome;
    outcome.plan.ok_or_else(|| unknown(format!("\n{}", outcome.report.render(false))))
}
