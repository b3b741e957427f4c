//! `hotline records`: call records, and whether their recordings are as they were filed.

use std::path::PathBuf;
use std::process::ExitCode;

use super::{look_up, out, records_open};
use crate::id::mask;
use crate::io::recorder::{self, Finding};
use crate::io::store::{CallQuery, FILE, Reader, StoreError};
use crate::switchboard::fact::{Party, Sound, Span};
use crate::telemetry::CallRecord;
use crate::telemetry::served::LookUpOf;

/// 通话记录 / Call records
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[group(id = "records")]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    look: look_up::Args,
    /// 每行一个 JSON / One JSON object a line
    #[arg(long)]
    json: bool,
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
        /// 密钥文件，可写多次；不写则用数据目录里的 secrets/recordings* / A key's file, more than once if need be; without
        /// it, secrets/recordings* in the data directory
        #[arg(long, value_name = "FILE")]
        key: Vec<PathBuf>,
    },
    /// 导出一次通话的录音，已加密的解密 / Write a call's recording to a file, opened if it is sealed
    Open(records_open::Args),
}

/// Exit codes: 0 done, 1 recordings are not as filed, 2 cannot be read.
pub fn run(args: &Args) -> ExitCode {
    match &args.action {
        None if args.json => json(&args.look),
        None => list(&args.look),
        Some(Action::Verify { data, key }) => verify(data, key),
        Some(Action::Open(open)) => records_open::run(open),
    }
}

/// Newest first, everything that is kept of a call; numbers are masked unless they are asked for.
fn json(args: &look_up::Args) -> ExitCode {
    args.print(|reader| {
        let query = CallQuery { most: args.most, ..CallQuery::default() };
        let records = reader.calls(&query)?;
        // No map with keys that are not strings: it cannot fail.
        let line = |record| serde_json::to_string(&seen(args, record)).unwrap_or_default();
        Ok(records.into_iter().map(line).collect())
    })
}

/// A record as it may be shown. Peers are offices, whose numbers are published; on a call that went out they
/// may be citizens.
fn seen(args: &look_up::Args, mut record: CallRecord) -> CallRecord {
    // Whoever wants to be known to nobody is shown to who asks for numbers, and not by a part of theirs.
    let is_nobodys = record.marks.is_confidential() && !args.full;
    let number = |number: &str| if is_nobodys { String::new() } else { args.number(number) };
    record.caller = number(&record.caller);
    let Some(outward) = &mut record.marks.outward else { return record };
    outward.number = number(&outward.number);
    record.dialled = number(&record.dialled);
    record.peer = record.peer.map(|peer| match peer.split_once('/') {
        Some((trunk, there)) => format!("{trunk}/{}", number(there)),
        None => peer,
    });
    let stays = record.times.parties.iter_mut().map(|stay| &mut stay.party);
    let rings = record.reached.rings.iter_mut().map(|ring| &mut ring.party);
    let legs = record.legs.iter_mut().map(|leg| &mut leg.party);
    let unheard = record.one_way.iter_mut().chain(&mut record.mute);
    for party in stays.chain(rings).chain(legs).chain(unheard) {
        if let Party::Peer { number: shown, .. } = party {
            *shown = number(shown);
        }
    }
    record
}

/// Newest first.
fn list(args: &look_up::Args) -> ExitCode {
    args.print(|reader| {
        let query = CallQuery { most: args.most, ..CallQuery::default() };
        let records = reader.calls(&query)?;
        records.into_iter().map(|record| row(args, reader, &seen(args, record))).collect()
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
        record.caller,
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
        if let Some(removed) = &both.removed {
            row.push_str(&format!(" removed={}", removed.at));
        }
    }
    row.push_str(&sound(record));
    row.push_str(&served(record));
    row.push_str(&marks(record));
    row.push_str(&minutes(record));
    Ok(row)
}

/// What the caller did by themselves.
fn served(record: &CallRecord) -> String {
    let served = &record.served;
    let mut words = String::new();
    let mut word = |name: &str, values: Vec<String>| {
        if !values.is_empty() {
            words += &format!(" {name}={}", values.join(","));
        }
    };
    word("flows", served.flows.iter().map(ToString::to_string).collect());
    word("ended_in", served.flow.iter().filter(|_| record.is_closed()).map(ToString::to_string).collect());
    word("ordered", served.ordered.iter().map(|ordered| ordered.category.clone()).collect());
    let seconds = |ms: u64| format!("{}.{}", ms / 1_000, ms % 1_000 / 100);
    let span = |span: &Span| format!("{}-{}", seconds(span.from_ms), seconds(span.to_ms));
    word("messages", served.messages.iter().map(span).collect());
    let asked = |asked: &LookUpOf| format!("{}:{}", asked.source, asked.answer.word());
    word("look_ups", served.look_ups.iter().map(asked).collect());
    word("bots", served.bots.iter().map(|talk| format!("{}:{}", talk.bot, talk.end.word())).collect());
    words
}

/// What the call was, beside its minutes.
fn marks(record: &CallRecord) -> String {
    let marks = &record.marks;
    let mut words = String::new();
    let mut word = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            words += &format!(" {name}={value}");
        }
    };
    word("outward", marks.outward.as_ref().map(|outward| outward.purpose.word().to_owned()));
    word("of", marks.outward.as_ref().and_then(|outward| outward.of).map(|of| of.to_string()));
    let priority = marks.priorities.last();
    word("priority", priority.map(|last| format!("{},{}", last.priority, last.why)));
    word("callback", marks.callback_outcome.map(|outcome| outcome.word().to_owned()));
    let about = marks.disposed.as_ref();
    let code = |code: &Option<String>| code.clone().unwrap_or_else(|| "-".into());
    word(
        "about",
        about.map(|about| {
            format!("{},{},{}", code(&about.field), code(&about.kind), code(&about.not_accepted))
        }),
    );
    let articles: Vec<String> =
        marks.articles.iter().map(|used| format!("{}/{}", used.article, used.version)).collect();
    word("kb", (!articles.is_empty()).then(|| articles.join(",")));
    let flags: Vec<String> =
        marks.flags.iter().map(|flagged| format!("{:?}", flagged.flag).to_lowercase()).collect();
    word("flags", (!flags.is_empty()).then(|| flags.join(",")));
    word("grade", record.grade.map(|grade| grade.to_string()));
    word("why", marks.survey_reason.map(|digit| digit.to_string()));
    word("flow_grade", record.served.flow_grade.map(|grade| grade.to_string()));
    word("flow_why", record.served.flow_reason.map(|digit| digit.to_string()));
    words
}

/// A line for the caller's time, and one for each other party and each transfer, in both languages.
fn minutes(record: &CallRecord) -> String {
    let times = &record.times;
    let others: Vec<_> = times.parties.iter().filter(|stay| stay.party != Party::Caller).collect();
    if others.is_empty() && record.reached.transfers.is_empty() {
        return String::new();
    }
    let mut lines = format!(
        "\n    来电人时间 / caller: 通话 talk {}, 保持 hold {}, 排队 queue {}, 其他 other {}",
        time(times.with_somebody_ms),
        time(times.on_hold_ms),
        time(times.in_queue_ms),
        time(times.alone_ms),
    );
    if times.without_caller_ms > 0 {
        lines += &format!(", 来电人离开后 without the caller {}", time(times.without_caller_ms));
    }
    for party in others {
        let left = party.left_ms.map_or_else(|| "…".to_owned(), time);
        lines += &format!(
            "\n    通话方 / party: {} {}–{left}: 通话 talk {}, 保持 hold {}, 咨询 consult {}",
            party.party,
            time(party.joined_ms),
            time(party.talked_ms),
            time(party.held_ms),
            time(party.consulted_ms),
        );
    }
    for transfer in &record.reached.transfers {
        let target =
            transfer.object.as_ref().map_or_else(|| mask(&transfer.to).to_string(), ToString::to_string);
        let steps: Vec<String> = transfer
            .steps
            .iter()
            .map(|taken| format!("{} {}", taken.step.word(), time(taken.at_ms)))
            .collect();
        let status = transfer.status.map_or_else(String::new, |status| format!(" ({status})"));
        lines += &format!(
            "\n    转接 / transfer: {} {target}: {}{status}",
            transfer.kind.word(),
            steps.join(", ")
        );
    }
    lines
}

/// `1:02.3`, since the call's opening, or so long.
fn time(ms: u64) -> String {
    format!("{}:{:02}.{}", ms / 60_000, ms / 1_000 % 60, ms / 100 % 10)
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

fn verify(data: &std::path::Path, files: &[PathBuf]) -> ExitCode {
    let keys = match records_open::keys(data, files) {
        Ok(keys) => keys,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let tell = |line: String| drop(out::lines([line])); // What is found counts, whoever reads it.
    let looked = Reader::open(&data.join(FILE)).and_then(|reader| {
        recorder::verify(data, &reader, &keys, |finding| match finding {
            Finding::Missing { file } => tell(format!("缺失 / missing: {file}")),
            Finding::Changed { file, what } => tell(format!("改动 / changed: {file}: {what}")),
            Finding::Unlisted { file } => tell(format!("不在清单中 / unlisted: {file}")),
            Finding::Locked { file, key } => {
                tell(format!("没有密钥 / no key: {file}: 密钥 {key} 不在手边，用 --key 指明 / key {key} is not at hand: name it by --key"));
            }
        })
    });
    match looked {
        Ok(looked) => {
            let (filed, waiting, removed, findings) =
                (looked.filed, looked.waiting, looked.removed, looked.findings);
            tell(format!(
                "清单中 {filed} 个文件，待登记 {waiting} 个，到期已删 {removed} 个，有出入 {findings} 处 / \
                 {filed} files in the manifest, {waiting} to be filed, {removed} removed when their term was over, \
                 {findings} findings"
            ));
            if looked.sealed > 0 {
                let (sealed, opened) = (looked.sealed, looked.opened);
                tell(format!(
                    "其中加密 {sealed} 个，已从头至尾解密核对 {opened} 个 / {sealed} of them sealed, {opened} opened from end to end"
                ));
            }
            if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("无法读取 / cannot be read: {error}");
            ExitCode::from(2)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{CallId, Dice};
    use crate::switchboard::fact::{
        Answer, BotEnd, Cause, Fact, Object, ObjectKind, Subject, TransferKind, What,
    };
    use crate::time::{Instant, Timestamp};

    fn record() -> CallRecord {
        let object = Some(Object { kind: ObjectKind::ExpertGroup, id: "12348".into() });
        let transfer = |step: &str, status| What::Transfer {
            to: "12348".into(),
            kind: TransferKind::Consult,
            step: serde_json::from_value(step.into()).unwrap(),
            status,
            leg: None,
            object: object.clone(),
        };
        let opened = What::Opened {
            line: "12345".into(),
            dialled: "12345".into(),
            caller: "13800000001".into(),
            trunk: "carrier".into(),
            ticket: "1".into(),
            plan: "p".into(),
            shifted_clock: false,
            wire_ref: "w".into(),
            room: None,
        };
        let story = [
            (0, opened),
            (0, What::Queued { queue: "main".into() }),
            (5_500, What::SeatAnswered { seat: "1001".into(), waited_ms: 0, leg: Some(1) }),
            (65_500, transfer("requested", None)),
            (75_500, transfer("failed", Some(486))),
            (80_000, What::SeatLeft { seat: "1001".into(), talked_ms: 0, vanished: false }),
            (81_000, What::Surveyed { grade: 4, subject: Subject::Talk }),
            (82_000, What::SurveyReason { digit: 2, grade: 4, subject: Subject::Talk }),
        ];
        let call = CallId::draw(1, &mut Dice::seeded(1));
        let facts: Vec<Fact> = (1..)
            .zip(story)
            .map(|(sequence, (at_ms, what))| {
                let (at, mono) = (Timestamp::UNIX_EPOCH, Instant::from_millis(at_ms));
                Fact { call, sequence, at, mono, what }
            })
            .collect();
        CallRecord::fold(&facts).unwrap()
    }

    #[test]
    fn minutes_and_transfers_are_shown_in_both_languages() {
        let record = record();
        assert_eq!(marks(&record), " grade=4 why=2");
        let text = minutes(&record);
        let lines: Vec<&str> = text.split("\n    ").skip(1).collect();
        assert_eq!(
            lines,
            [
                "来电人时间 / caller: 通话 talk 1:04.5, 保持 hold 0:10.0, 排队 queue 0:05.5, 其他 other 0:02.0",
                "通话方 / party: seat/1001 0:05.5–1:20.0: 通话 talk 1:04.5, 保持 hold 0:10.0, 咨询 consult 0:00.0",
                "转接 / transfer: consult expert_group/12348: requested 1:05.5, failed 1:15.5 (486)",
            ]
        );
    }

    #[test]
    fn what_the_caller_did_by_themselves_is_shown_and_where_the_call_ended() {
        let mut record = record();
        assert_eq!(served(&record), "");
        let call = record.call;
        let story = [
            What::ScriptBegun { script: "main".into() },
            What::LookedUp { source: "tickets".into(), answer: Answer::Missing, took_ms: 5, about: None },
            What::ScriptBegun { script: "order".into() },
            What::BotTalked {
                bot: "assistant".into(),
                end: BotEnd::Person,
                took_ms: 9_000,
                lines: Vec::new(),
                cut: 0,
            },
            What::MessageLeft { name: "what".into(), from_ms: 12_400, to_ms: 58_050 },
            What::Ordered {
                category: "noise".into(),
                values: Default::default(),
                message: None,
                code: Some("204711".into()),
            },
            What::Closed {
                cause: Cause::CallerHungUp,
                lasted_ms: 1,
                answered_ms: None,
                sound: None,
                reason: None,
            },
        ];
        for (sequence, what) in (100..).zip(story) {
            record.apply(&Fact { call, sequence, at: Timestamp::UNIX_EPOCH, mono: Instant::ZERO, what });
        }
        let wanted = " flows=main,order ended_in=order ordered=noise messages=12.4-58.0 \
                      look_ups=tickets:missing bots=assistant:person";
        assert_eq!(served(&record), wanted);
    }

    #[test]
    fn json_masks_numbers_unless_they_are_asked_for() {
        let record = record();
        let args = |full| look_up::Args { data: "data".into(), most: 1, full };
        let masked = serde_json::to_string(&seen(&args(false), record.clone())).unwrap();
        assert!(
            !masked.contains("13800000001") && masked.contains("\"transfers\":[{\"to\":\"12348\""),
            "{masked}"
        );
        assert!(serde_json::to_string(&seen(&args(true), record.clone())).unwrap().contains("13800000001"));
        let mut nobodys = record.clone();
        let flag = crate::switchboard::request::Flag::Confidential;
        nobodys.marks.flags.push(crate::telemetry::marks::Flagged { flag, by: "policy".into() });
        assert_eq!(seen(&args(false), nobodys.clone()).caller, "");
        assert_eq!(seen(&args(true), nobodys).caller, "13800000001");

        // Whom a clerk has called is a citizen, wherever the record names them.
        let mut outward = record;
        let number = String::from("13900000002");
        let peer = Party::Peer { trunk: "carrier".into(), number: number.clone() };
        let purpose = crate::switchboard::fact::OutwardPurpose::Click;
        outward.marks.outward =
            Some(crate::telemetry::marks::Outward { purpose, seat: None, number, of: None });
        outward.peer = Some("carrier/13900000002".into());
        outward.dialled = "13900000002".into();
        outward.one_way.push(peer.clone());
        outward.times.parties[1].party = peer;
        let masked = serde_json::to_string(&seen(&args(false), outward)).unwrap();
        assert!(!masked.contains("13900000002") && masked.contains("carrier/"), "{masked}");
    }
}
