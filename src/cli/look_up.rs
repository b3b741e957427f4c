//! `hotline tickets`, `notices` and `ledger`, and what `records` has in common with them: the database, read only, beside
//! a running engine.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::id::mask;
use crate::io::store::{FILE, Reader, StoreError};

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

    pub(super) fn print(&self, rows: impl FnOnce(&Reader) -> Result<Vec<String>, StoreError>) -> ExitCode {
        let read = Reader::open(&self.data.join(FILE)).and_then(|reader| rows(&reader));
        match read {
            Ok(rows) => {
                for row in rows {
                    println!("{row}");
                }
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("无法读取 / cannot be read: {error}");
                ExitCode::from(2)
            }
        }
    }
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
            Ok(format!(
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
            ))
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
            format!(
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
                notice.text.replace(['\n', '\r'], " "),
            )
        };
        Ok(rows.iter().map(row).collect())
    })
}

/// The chain of accesses, newest first.
pub fn ledger(args: &Args) -> ExitCode {
    args.print(|reader| Ok(reader.ledger(None, args.most)?.into_iter().map(|row| row.json).collect()))
}
