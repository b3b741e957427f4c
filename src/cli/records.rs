//! `hotline records`: call records, and whether their recordings are as they were filed.

use std::path::PathBuf;
use std::process::ExitCode;

use super::look_up;
use crate::io::recorder::{self, Finding};
use crate::io::store::{CallQuery, FILE, Reader, StoreError};
use crate::telemetry::CallRecord;

/// 通话记录 / Call records
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[group(id = "records")]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    look: look_up::Args,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// 核对录音文件与清单 / Hold all recordings against the manifest
    ///
    /// 退出码 / Exit codes: 0 全部一致 / all as filed, 1 有出入 / findings, 2 无法读取 / cannot be read
    Verify {
        /// 数据目录 / The data directory
        #[arg(long, value_name = "DIR", default_value = "data")]
        data: PathBuf,
    },
}

/// Exit codes: 0 done, 1 recordings are not as filed, 2 cannot be read.
pub fn run(args: &Args) -> ExitCode {
    match &args.action {
        None => list(&args.look),
        Some(Action::Verify { data }) => verify(data),
    }
}

/// Newest first.
fn list(args: &look_up::Args) -> ExitCode {
    args.print(|reader| {
        let query = CallQuery { most: args.most, ..CallQuery::default() };
        reader.calls(&query)?.iter().map(|record| row(args, reader, record)).collect()
    })
}

fn row(args: &look_up::Args, reader: &Reader, record: &CallRecord) -> Result<String, StoreError> {
    // As it is now: it may have been compressed since.
    let recording = record.recording.as_deref().filter(|file| !file.is_empty());
    let kept = recording.and_then(|file| recorder::kept(&args.data, file)).map(|(file, _)| file);
    let mut row = format!(
        "{} {} line={} caller={} ticket={} seat={} cause={} recording={}",
        record.opened_at,
        record.call,
        record.line,
        args.number(&record.caller),
        record.ticket,
        record.seat.as_ref().map_or("-", |seat| seat.as_str()),
        record.cause.map_or_else(|| "open".into(), |cause| format!("{cause:?}")),
        kept.as_deref().or(recording).unwrap_or("-"),
    );
    if record.recording_pauses > 0 {
        row.push_str(&format!(" pauses={}", record.recording_pauses));
    }
    let filed = reader.manifest_of(record.call)?;
    let tracks = filed.iter().filter(|row| row.track.is_some()).count();
    if tracks > 0 {
        row.push_str(&format!(" tracks={tracks}"));
    }
    if let Some(both) = filed.iter().find(|row| row.track.is_none()) {
        row.push_str(&format!(" sha256={}", both.sha256));
    }
    Ok(row)
}

fn verify(data: &std::path::Path) -> ExitCode {
    let looked = Reader::open(&data.join(FILE)).and_then(|reader| {
        recorder::verify(data, &reader, |finding| match finding {
            Finding::Missing { file } => println!("缺失 / missing: {file}"),
            Finding::Changed { file, what } => println!("改动 / changed: {file}: {what}"),
            Finding::Unlisted { file } => println!("不在清单中 / unlisted: {file}"),
        })
    });
    match looked {
        Ok(looked) => {
            let (filed, waiting, findings) = (looked.filed, looked.waiting, looked.findings);
            println!(
                "清单中 {filed} 个文件，待登记 {waiting} 个，有出入 {findings} 处 / \
                 {filed} files in the manifest, {waiting} to be filed, {findings} findings"
            );
            if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("无法读取 / cannot be read: {error}");
            ExitCode::from(2)
        }
    }
}
