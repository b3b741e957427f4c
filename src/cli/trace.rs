//! `hotline trace CALL`: what went over the wire for one call, beside a running engine or after it.
//!
//! Reads the files of the data directory. To look is an access: it is in the ledger before anything
//! is shown, and people's numbers are covered unless they are asked for.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use super::{operator, out};
use crate::id::CallId;
use crate::io::trace::{Access, Trace, open};

/// 一次通话的信令 / One call's signalling
#[derive(Debug, clap::Args)]
pub struct Args {
    /// 通话编号，见 hotline records / The call's id, as `hotline records` shows it
    #[arg(value_name = "CALL", value_parser = call)]
    pub call: CallId,
    /// 数据目录 / The data directory
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
    /// 逐条显示全文 / Whole messages
    #[arg(long, conflicts_with_all = ["json", "pcap"])]
    pub raw: bool,
    /// JSON 格式 / As JSON
    #[arg(long, conflicts_with = "pcap")]
    pub json: bool,
    /// 写成抓包文件（tshark、Wireshark 可读）/ Write a capture file for tshark or Wireshark
    #[arg(long, value_name = "FILE")]
    pub pcap: Option<PathBuf>,
    /// 完整显示电话号码 / Show telephone numbers in full
    #[arg(long)]
    pub full: bool,
    /// 查看人，记入台账；默认为当前用户 / Who looks, for the ledger; by default the user
    #[arg(long, value_name = "WHO")]
    pub by: Option<String>,
    /// 查看缘由，记入台账 / Why, for the ledger
    #[arg(long, value_name = "WHY", default_value = "hotline trace")]
    pub reason: String,
}

fn call(text: &str) -> Result<CallId, String> {
    CallId::parse(text).ok_or_else(|| "不是通话编号 / not the id of a call".into())
}

/// Exit codes: 0 shown, 1 no message is left of the call, 2 it cannot be read or written down.
pub fn run(args: &Args) -> ExitCode {
    let by = operator(args.by.as_deref());
    let access = Access { by: &by, reason: &args.reason };
    let shown =
        open(&args.data, args.call, access, args.full).map_err(|error| error.to_string()).and_then(|trace| {
            show(args, &trace).map(|()| trace.messages.is_empty()).map_err(|error| error.to_string())
        });
    match shown {
        Ok(false) => ExitCode::SUCCESS,
        Ok(true) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("无法读取 / cannot be read: {error}");
            ExitCode::from(2)
        }
    }
}

fn show(args: &Args, trace: &Trace) -> std::io::Result<()> {
    if let Some(path) = &args.pcap {
        let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
        trace.write_pcap(&mut file)?;
        file.flush()?;
        let count = trace.messages.len();
        return out::lines([format!(
            "{} 条信令已写入 / {count} messages written: {}",
            count,
            path.display()
        )]);
    }
    if args.json {
        out::lines([format!("{:#}", trace.to_json())])
    } else if args.raw {
        out::print(&trace.to_raw())
    } else {
        out::print(&trace.to_ladder())
    }
}
