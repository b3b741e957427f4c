//! `hotline tickets`: tickets of the embedded office, and events that sinks and feeds have not taken.

use std::process::ExitCode;

use super::look_up;
use crate::io::plain::plain;
use crate::io::store::{FILE, Letters, Resending, resend_beside};
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

/// Exit codes: 0 done, 1 there is no such letter, 2 cannot be read or written.
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
    let user = || format!("operator:{}", std::env::var("USER").unwrap_or_else(|_| "unknown".into()));
    let resending = Resending {
        at: Timestamp::now(),
        by: args.by.clone().unwrap_or_else(user),
        reason: args.reason.clone().unwrap_or_default(),
    };
    let which = Letters { sink: args.sink.clone(), ..which };
    match resend_beside(&args.look.data.join(FILE), &which, &resending) {
        Ok(counts) if counts.is_empty() => {
            eprintln!("没有这样的死信 / there is no such dead letter");
            ExitCode::FAILURE
        }
        Ok(counts) => {
            for (sink, events) in counts {
                println!("{}", plain(&format!("{sink}: {events} 待重发 / to be sent again")));
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("无法写入 / cannot be written: {error}");
            ExitCode::from(2)
        }
    }
}
