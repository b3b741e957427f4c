//! `hotline records`: call records, and whether their recordings are as they were filed.

use std::path::PathBuf;
use std::process::ExitCode;

use super::look_up;
use crate::io::recorder::{self, Finding};
use crate::io::store::{CallQuery, FILE, Reader, StoreError};
use crate::switchboard::fact::{Party, Sound};
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
    row.push_str(&sound(record));
    Ok(row)
}

/// How a call sounded, a word for each leg that is over, and who was not heard.
fn sound(record: &CallRecord) -> String {
    let caller = record.sound.iter().map(|sound| ("caller".to_owned(), sound));
    let others = record.legs.iter().map(|leg| (leg.party.to_string(), &leg.sound));
    let mut words: String = caller.chain(others).map(|(who, sound)| leg_sound(&who, sound)).collect();
    for (what, parties) in [("one_way", &record.one_way), ("mute", &record.mute)] {
        if !parties.is_empty() {
            let parties: Vec<String> = parties.iter().map(Party::to_string).collect();
            words += &format!(" {what}={}", parties.join(","));
        }
    }
    words
}

/// ` sound[seat/1001]=PCMA,mos=4.31,…`: what we heard of the leg, and after `out` what it heard of us.
fn leg_sound(who: &str, sound: &Sound) -> String {
    let score = |mos_x100: u16| match mos_x100 {
        0 => "-".to_owned(),
        mos => format!("{:.2}", f64::from(mos) / 100.0),
    };
    let percent =
        |part: Option<f64>| part.map_or_else(|| "-".to_owned(), |part| format!("{:.2}%", part * 100.0));
    let codec = if sound.codec.is_empty() { "-" } else { &sound.codec };
    let mut word = format!(
        " sound[{who}]={codec},mos={},loss={},late={},duplicate={},jitter={:.1}ms,gap={}ms,rtt={:.1}ms",
        score(sound.mos_x100),
        percent(sound.missed()),
        sound.late,
        sound.duplicate,
        f64::from(sound.jitter_us) / 1_000.0,
        sound.gap_max_ms,
        f64::from(sound.round_trip_us) / 1_000.0,
    );
    if let Some(out) = &sound.outbound {
        let jitter = f64::from(out.jitter_us) / 1_000.0;
        word +=
            &format!(",out:mos={},loss={},jitter={jitter:.1}ms", score(out.mos_x100), percent(out.missed()));
    }
    for (name, ms) in [("mute", sound.mute_ms), ("unheard", sound.unheard_ms)] {
        if ms > 0 {
            word += &format!(",{name}={:.1}s", f64::from(ms) / 1_000.0);
        }
    }
    word
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
