//! `hotline tickets`, `notices` and `ledger`, and what `records` has in common with them: the database, read only, beside
//! a running engine.

use std::path::PathBuf;
use std::process::ExitCode;

use super::out;
use crate::id::mask;
use crate::io::plain::plain;
use crate::io::store::{FILE, Reader, StoreError};

/// Shorter runs of digits are numbers of services and houses.
const PERSONAL_FROM: usize = 7;

/// 查询 / Look things up
#[derive(Debug, clap::Args)]
pub struct Args {
    /// 数据目录 / The data directory
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
    /// 最多行数 / Rows at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub most: usize,
    /// 完整显示电话号码 / Show telephone numbers in full
    #[arg(long)]
    pub full: bool,
}

impl Args {
    pub(super) fn number(&self, number: &str) -> String {
        if self.full { number.to_owned() } else { mask(number).to_string() }
    }

    /// What programs and the caller said, a line each under the ticket.
    fn talks(&self, bots: &serde_json::Value) -> Vec<String> {
        let word = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
        let talk = |talk: &serde_json::Value| {
            let said = talk["transcript"].as_array().into_iter().flatten();
            let said = said.map(|line| {
                let text = word(&line["text"]);
                let text = if self.full { text } else { without_numbers(&text) };
                format!("    {}: {text}", word(&line["who"]))
            });
            [format!("  bot={} outcome={}", word(&talk["bot"]), word(&talk["outcome"]))]
                .into_iter()
                .chain(said)
                .collect::<Vec<_>>()
        };
        bots.as_array().into_iter().flatten().flat_map(talk).collect()
    }

    pub(super) fn print(&self, rows: impl FnOnce(&Reader) -> Result<Vec<String>, StoreError>) -> ExitCode {
        let read = Reader::open(&self.data.join(FILE)).and_then(|reader| rows(&reader));
        match read {
            Ok(rows) => out::lines(rows).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS),
            Err(error) => {
                eprintln!("无法读取 / cannot be read: {error}");
                ExitCode::from(2)
            }
        }
    }
}

/// With each run of digits that may be a person's number masked.
fn without_numbers(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut left = text;
    while let Some(start) = left.find(|letter: char| letter.is_ascii_digit()) {
        let (before, run) = left.split_at(start);
        let end = run.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(run.len());
        let (run, after) = run.split_at(end);
        shown.push_str(before);
        match run.len() >= PERSONAL_FROM {
            true => shown.push_str(&mask(run).to_string()),
            false => shown.push_str(run),
        }
        left = after;
    }
    shown + left
}

/// Tickets of the embedded office, newest first.
pub fn tickets(args: &Args) -> ExitCode {
    args.print(|reader| {
        let tickets = reader.tickets(args.most)?;
        let field = |ticket: &crate::io::store::Ticket, name: &str| match &ticket.data[name] {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Null => "-".into(),
            other => other.to_string(),
        };
        let row = |ticket: &crate::io::store::Ticket| {
            let row = format!(
                "{} {} {} line={} caller={} seat={} grade={} cause={} reason={} progress={}",
                ticket.number,
                ticket.state,
                ticket.call,
                field(ticket, "line"),
                args.number(&field(ticket, "caller")),
                field(ticket, "seat"),
                field(ticket, "grade"),
                field(ticket, "cause"),
                field(ticket, "reason"),
                reader.case(&ticket.number)?.map_or("-", |case| case.state.word()),
            );
            Ok([row].into_iter().chain(args.talks(&ticket.data["bots"])).collect::<Vec<_>>().join("\n"))
        };
        tickets.iter().map(row).collect()
    })
}

/// Hot notices, one that is over too, newest first.
pub fn notices(args: &Args) -> ExitCode {
    args.print(|reader| {
        let rows = reader.notices(args.most)?;
        let row = |row: &crate::io::store::NoticeRow| {
            let notice = &row.notice;
            let lines: Vec<&str> = notice.lines.iter().map(|line| line.as_str()).collect();
            plain(&format!(
                "{} {} – {} lines={} prompt={} approver={} by={} reason={} ended_by={} text={}",
                notice.id,
                notice.start,
                notice.end,
                if lines.is_empty() { "*".into() } else { lines.join(",") },
                notice.prompt.as_ref().map_or("-", |prompt| prompt.as_str()),
                notice.approver,
                notice.by,
                notice.reason,
                row.ended_by.as_deref().unwrap_or("-"),
                notice.text,
            ))
        };
        Ok(rows.iter().map(row).collect())
    })
}

/// The chain of accesses, newest first.
pub fn ledger(args: &Args) -> ExitCode {
    args.print(|reader| Ok(reader.ledger(None, args.most)?.into_iter().map(|row| row.json).collect()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_said_to_a_program_stands_under_its_ticket_without_numbers_of_people() {
        let talks = json!([{
            "bot": "assistant", "outcome": "person", "transcript": [
                { "who": "bot", "text": "您好，请讲", "at_ms": 0 },
                { "who": "caller", "text": "我是13800000042，12345说的", "at_ms": 900 },
            ],
        }]);
        let mut args = Args { data: PathBuf::new(), most: 1, full: false };
        let masked = format!("    caller: 我是{}，12345说的", mask("13800000042"));
        assert_eq!(args.talks(&talks), ["  bot=assistant outcome=person", "    bot: 您好，请讲", &masked]);
        args.full = true;
        assert_eq!(args.talks(&talks)[2], "    caller: 我是13800000042，12345说的");
        assert!(args.talks(&serde_json::Value::Null).is_empty());
    }
}
