//! `hotline records open CALL --out FILE`: a call's recording as a file that any player takes, decrypted where it is sealed.
//!
//! An export is an access: it is in the ledger, with who and why, before a byte is written.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use zeroize::Zeroizing;

use super::{operator, out};
use crate::id::CallId;
use crate::io::plain::plain;
use crate::io::recorder::{Key, SealKeys, note_export, of_track, open_kept};
use crate::io::store::{FILE, Reader, Removed};

/// 导出录音 / Write a recording to a file
#[derive(Debug, clap::Args)]
pub struct Args {
    /// 通话编号，见 hotline records / The call's id, as `hotline records` shows it
    #[arg(value_name = "CALL", value_parser = call)]
    call: CallId,
    /// 写到哪里；不覆盖已有的文件 / Where to; a file that is there already is left alone
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// 只要这一方的声音（分轨录音）/ The sound of this leg alone, where there are tracks
    #[arg(long, value_name = "LEG")]
    track: Option<u16>,
    /// 数据目录 / The data directory
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// 密钥文件，可写多次；不写则用数据目录里的 secrets/recordings* / A key's file, more than once if need be; without it,
    /// secrets/recordings* in the data directory
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// 导出人，记入台账；默认为当前用户 / Who exports, for the ledger; by default the user
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
    /// 导出缘由，记入台账 / Why, for the ledger
    #[arg(long, value_name = "WHY", value_parser = reason)]
    reason: String,
}

fn call(text: &str) -> Result<CallId, String> {
    CallId::parse(text).ok_or_else(|| "不是通话编号 / not the id of a call".into())
}

fn reason(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("须写明缘由 / a reason is needed".into()),
        text => Ok(text.to_owned()),
    }
}

/// The keys in these files, or those that lie where the engine makes them.
pub fn keys(data: &Path, files: &[PathBuf]) -> Result<SealKeys, String> {
    if files.is_empty() {
        return Ok(SealKeys::beside(data));
    }
    let read = |path: &PathBuf| {
        let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read_to_string(path).map(Zeroizing::new).map_err(|error| named(&error))?;
        Key::parse(&text).map_err(|error| named(&error))
    };
    Ok(SealKeys::new(None, files.iter().map(read).collect::<Result<_, _>>()?))
}

/// Exit codes: 0 written, 1 there is no recording, or none any more, 2 it cannot be read or written.
pub fn run(args: &Args) -> ExitCode {
    match export(args) {
        Ok(Exported::Written(bytes)) => {
            let _ = out::lines([format!(
                "已写入 {} 字节 / {bytes} bytes written: {}",
                bytes,
                args.out.display()
            )]);
            ExitCode::SUCCESS
        }
        Ok(Exported::Nothing) => {
            eprintln!("没有录音 / no recording");
            ExitCode::FAILURE
        }
        Ok(Exported::Removed(Removed { at, class, .. })) => {
            let (zh, en) = class.map_or_else(Default::default, |class| {
                (format!("按“{class}”一类"), format!(", by the class \"{class}\""))
            });
            let words = format!(
                "录音保存期满，{zh}于 {at} 删除 / its term was over, and the recording was removed at {at}{en}"
            );
            eprintln!("{}", plain(&words));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("无法导出 / cannot be exported: {error}");
            ExitCode::from(2)
        }
    }
}

/// What came of it.
enum Exported {
    /// So many bytes are written.
    Written(u64),
    /// There is nothing to write.
    Nothing,
    /// Its term was over.
    Removed(Removed),
}

fn export(args: &Args) -> Result<Exported, String> {
    fn told(error: impl std::fmt::Display) -> String {
        error.to_string()
    }
    let reader = Reader::open(&args.data.join(FILE)).map_err(told)?;
    let rows = reader.manifest_of(args.call).map_err(told)?;
    let filed = rows.into_iter().find(|row| row.track == args.track);
    if let Some(removed) = filed.and_then(|row| row.removed) {
        return Ok(Exported::Removed(removed)); // Its file may still lie there: the ledger says that it is gone.
    }
    let record = reader.call(args.call).map_err(told)?;
    let Some(file) = record.and_then(|record| record.recording).filter(|file| !file.is_empty()) else {
        return Ok(Exported::Nothing);
    };
    let file = of_track(&file, args.call, args.track);
    let opened = open_kept(&args.data, &file, &keys(&args.data, &args.key)?);
    let Some(opened) = opened else { return Ok(Exported::Nothing) };
    let (mut sound, _) = opened.map_err(told)?;
    let by = operator(args.by.as_deref());
    note_export(&args.data, args.call, &by, &args.reason).map_err(told)?;
    let file = File::options().write(true).create_new(true).mode(0o600).open(&args.out);
    let mut file = file.map_err(|error| format!("{}: {error}", args.out.display()))?;
    let written = io::copy(&mut sound, &mut file).and_then(|bytes| file.sync_all().map(|()| bytes));
    written.map(Exported::Written).map_err(|error| {
        let _ = fs::remove_file(&args.out); // Half a recording would pass for a whole one.
        error.to_string()
    })
}
