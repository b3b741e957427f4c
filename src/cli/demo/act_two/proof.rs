//! What was kept of a call with a third party: record, minutes, ticket, recording, and what the citizen was
//! told on the way. Judged on a thread of its own, while the other scenes go on.

use std::io;
use std::path::PathBuf;
use std::thread::JoinHandle;

use super::super::hear::{self, Wanted};
use super::super::judge;
use crate::id::SeatId;
use crate::io::store::Ticket;
use crate::switchboard::fact::{Cause, Object, Party};
use crate::telemetry::CallRecord;
use crate::telemetry::parties::PartyTime;
use crate::telemetry::transfers::{Step as Taken, TransferTime};

/// Looks in which each voice must be on the recording: a second.
const LOOKS_MIN: usize = 5;
/// Another's voice beside them in so many looks is no chance.
const CROSSED_MIN: usize = 3;
/// The recording may be so much shorter than the call was answered, milliseconds.
const SHORTER_MAX_MS: u64 = 1_000;

/// Somebody who must be on the record, beside the caller.
#[derive(Clone, Debug, PartialEq)]
pub struct Stay {
    /// Who.
    pub who: Who,
    /// With the third party, or with who asked, while the caller heard music.
    pub consulted: bool,
    /// Waited for a third party.
    pub waited: bool,
}

/// At a seat, or behind a trunk.
#[derive(Clone, Debug, PartialEq)]
pub enum Who {
    /// A seat.
    Seat(SeatId),
    /// This number of a peer.
    Peer(String),
}

impl Who {
    fn is(&self, party: &Party) -> bool {
        match (self, party) {
            (Who::Seat(seat), Party::Seat { seat: there }) => seat == there,
            (Who::Peer(number), Party::Peer { number: there, .. }) => number == there,
            _ => false,
        }
    }

    fn name(&self) -> &str {
        match self {
            Who::Seat(seat) => seat.as_str(),
            Who::Peer(number) => number,
        }
    }

    /// As a ticket has it.
    fn entry(&self) -> (&'static str, &str) {
        match self {
            Who::Seat(seat) => ("seat", seat.as_str()),
            Who::Peer(number) => ("number", number),
        }
    }
}

/// All there is to judge a scene by.
pub struct Case {
    /// What the citizen must have been told, in order.
    pub prompts: Vec<Wanted>,
    /// The waiting music, and in which part of what the citizen heard it must be.
    pub music: Option<(Vec<i16>, Vec<i16>)>,
    /// What the citizen heard.
    pub heard: Vec<i16>,
    /// The citizen's voice, and those of the others on the call, hertz.
    pub caller_voice: u32,
    /// See above.
    pub other_voices: Vec<u32>,
    /// Everybody's.
    pub voices: Vec<u32>,
    /// The record, if there is one, and what it must say.
    pub record: Option<Box<CallRecord>>,
    /// Transfers, ringing left out.
    pub transfers: Vec<Vec<Taken>>,
    /// Whom they went to.
    pub object: Object,
    /// The status of those that failed.
    pub refused_with: u16,
    /// Who was there.
    pub stays: Vec<Stay>,
    /// The survey's.
    pub grade: Option<u8>,
    /// And the reason's digit.
    pub reason: Option<u8>,
    /// The end.
    pub cause: Cause,
    /// The ticket, if there is one.
    pub ticket: Option<Ticket>,
    /// Why somebody has to take it up, if that is so.
    pub ticket_reason: Option<String>,
    /// The recording, where calls are recorded.
    pub recording: Option<PathBuf>,
    /// Files of both sides that are in the manifest.
    pub files: usize,
    /// Calls are recorded.
    pub recorded: bool,
    /// Faults met on the way.
    pub faults: Vec<String>,
}

/// What came out.
#[derive(Debug, Default)]
pub struct Verdict {
    /// What the citizen was told, and whether it was heard.
    pub prompts: Vec<(&'static str, bool)>,
    /// Steps, parties and minutes are on the record.
    pub record: bool,
    /// Of each party, as the record has it.
    pub minutes: Vec<String>,
    /// The ticket's number, if it says the same.
    pub ticket: Option<String>,
    /// And its reason.
    pub reason: Option<String>,
    /// Length of the recording, seconds, if it is one, and whole, with all voices on it.
    pub recording: Option<f64>,
    /// What is missing, in words.
    pub faults: Vec<String>,
}

/// Judges a case beside everything else.
pub fn start(case: Case) -> io::Result<JoinHandle<Verdict>> {
    std::thread::Builder::new().name("proof".into()).spawn(move || judge(case))
}

fn judge(mut case: Case) -> Verdict {
    let mut verdict = Verdict { faults: std::mem::take(&mut case.faults), ..Verdict::default() };
    sound(&case, &mut verdict);
    let faults = &mut verdict.faults;
    match &case.record {
        None => faults.push("没有通话记录 / no call record".to_owned()),
        Some(record) => {
            let before = faults.len();
            transfers(&case, &record.reached.transfers, faults);
            parties(&case, record, faults);
            ends(&case, record, faults);
            verdict.record = faults.len() == before;
            verdict.minutes = record.times.parties.iter().map(minutes).collect();
        }
    }
    match &case.ticket {
        None => faults.push("没有工单 / no ticket".to_owned()),
        Some(found) => {
            let before = faults.len();
            ticket(&case, found, faults);
            verdict.ticket = (faults.len() == before).then(|| found.number.clone());
            verdict.reason = found.data["reason"].as_str().map(str::to_owned);
        }
    }
    if case.recorded {
        verdict.recording = recording(&case, faults);
    }
    verdict
}

/// What the citizen heard beside voices.
fn sound(case: &Case, verdict: &mut Verdict) {
    if let Some((music, stretch)) = &case.music {
        let found =
            crate::phone::listen::find_in_pieces(music, stretch, 0).is_some_and(|found| found.score > 0.8);
        verdict.prompts.push(("音乐 music", found));
    }
    let places = hear::prompts(&case.prompts, &case.heard);
    verdict
        .prompts
        .extend(case.prompts.iter().zip(&places).map(|(prompt, place)| (prompt.name, place.is_some())));
    for (name, _) in verdict.prompts.iter().filter(|(_, found)| !found) {
        verdict.faults.push(format!("来电人没听到{name} / the caller did not hear {name}"));
    }
}

fn transfers(case: &Case, found: &[TransferTime], faults: &mut Vec<String>) {
    let steps = |transfer: &TransferTime| -> Vec<Taken> {
        transfer.steps.iter().map(|taken| taken.step).filter(|step| *step != Taken::Ringing).collect()
    };
    let steps: Vec<Vec<Taken>> = found.iter().map(steps).collect();
    if steps != case.transfers {
        let wanted = &case.transfers;
        faults.push(format!("记录的转接步骤 / the record's transfers: {steps:?}, 应为 / not {wanted:?}"));
    }
    for transfer in found {
        let failed = transfer.outcome() == Some(Taken::Failed);
        let status = failed.then_some(case.refused_with);
        let (kind, object) = (transfer.kind.word(), transfer.object.as_ref());
        if (kind, object, transfer.status) != ("consult", Some(&case.object), status) {
            faults.push(format!(
                "记录的转接 / the record's transfer: {kind} {object:?} {:?}, 应为 / not consult {:?} {status:?}",
                transfer.status, case.object
            ));
        }
    }
}

/// Each stay is there and has its minutes, and the caller's parts add up to the length of the call.
fn parties(case: &Case, record: &CallRecord, faults: &mut Vec<String>) {
    let times = &record.times;
    let mut others = times.parties.iter().filter(|row| row.party != Party::Caller);
    for stay in &case.stays {
        let fits = |row: &PartyTime| {
            stay.who.is(&row.party)
                && row.talked_ms > 0
                && (row.consulted_ms > 0) == stay.consulted
                && (!stay.waited || row.held_ms > 0)
                && row.left_ms.is_some()
        };
        if !others.next().is_some_and(fits) {
            let rows: Vec<String> = times.parties.iter().map(minutes).collect();
            let who = stay.who.name();
            faults.push(format!("记录的各方分钟 / minutes on the record: {who}: {}", rows.join(", ")));
        }
    }
    if let Some(row) = others.next() {
        faults.push(format!("记录多出一方 / somebody else is on the record: {}", row.party));
    }
    let parts = times.with_somebody_ms + times.on_hold_ms + times.in_queue_ms + times.alone_ms;
    let parts = parts + times.without_caller_ms;
    if record.lasted_ms != Some(parts) {
        let lasted = record.lasted_ms;
        faults.push(format!("记录的时长不等于各部分之和 / parts of the time: {parts} ms of {lasted:?}"));
    }
}

fn ends(case: &Case, record: &CallRecord, faults: &mut Vec<String>) {
    for (what, wanted, found) in [
        ("评价 / grade", format!("{:?}", case.grade), format!("{:?}", record.grade)),
        ("原因 / reason", format!("{:?}", case.reason), format!("{:?}", record.marks.survey_reason)),
        ("结束 / end", format!("{:?}", Some(case.cause)), format!("{:?}", record.cause)),
    ] {
        if wanted != found {
            faults.push(format!("记录不符 / the record differs: {what}: {found}, 应为 / not {wanted}"));
        }
    }
}

fn minutes(row: &PartyTime) -> String {
    let who = match &row.party {
        Party::Caller => "来电人 caller".to_owned(),
        Party::Seat { seat } => format!("座席 seat {seat}"),
        Party::Peer { number, .. } => number.clone(),
    };
    let seconds = |ms: u64| ms as f64 / 1_000.0;
    let mut words = format!("{who} 通话 talked {:.1}s", seconds(row.talked_ms));
    for (name, ms) in [("商量 consulted", row.consulted_ms), ("等候 held", row.held_ms)] {
        if ms > 0 {
            words += &format!(" {name} {:.1}s", seconds(ms));
        }
    }
    words
}

/// Closed, with the same people, the same transfers, and the reason where there is one.
fn ticket(case: &Case, ticket: &Ticket, faults: &mut Vec<String>) {
    let data = &ticket.data;
    if ticket.state != "closed" {
        faults.push(format!("工单没有关闭 / the ticket is not closed: {}", ticket.state));
    }
    let list = |name: &str| data[name].as_array().cloned().unwrap_or_default();
    let parties = list("parties");
    let whole = parties.len() == case.stays.len()
        && parties.iter().zip(&case.stays).all(|(entry, stay)| {
            let (field, name) = stay.who.entry();
            entry[field].as_str() == Some(name) && entry["left_at"].is_string()
        });
    if !whole {
        faults.push(format!("工单的各方 / the ticket's parties: {}", data["parties"]));
    }
    let transfers = list("transfers");
    let last = |steps: &Vec<Taken>| steps.last().map_or("", |step| step.word());
    let same = transfers.len() == case.transfers.len()
        && transfers.iter().zip(&case.transfers).all(|(entry, steps)| {
            entry["step"].as_str() == Some(last(steps)) && entry["object"].as_str() == Some(&case.object.id)
        });
    if !same {
        faults.push(format!("工单的转接 / the ticket's transfers: {}", data["transfers"]));
    }
    if data["reason"].as_str() != case.ticket_reason.as_deref() {
        let (found, wanted) = (&data["reason"], &case.ticket_reason);
        faults.push(format!("工单的原因 / the ticket's reason: {found}, 应为 / not {wanted:?}"));
    }
    if data["survey_reason"].as_u64() != case.reason.map(u64::from) {
        faults.push(format!("工单的评价原因 / the ticket's reason of the grade: {}", data["survey_reason"]));
    }
}

/// One file, as long as the call was answered, the caller left and everybody else right.
fn recording(case: &Case, faults: &mut Vec<String>) -> Option<f64> {
    let before = faults.len();
    let (Some(path), 1) = (&case.recording, case.files) else {
        let files = case.files;
        faults.push(format!("录音应为一个文件 / the recording is not one file: {files}"));
        return None;
    };
    let (left, right) = match judge::sides(path) {
        Ok(sides) => sides,
        Err(error) => {
            faults.push(format!("录音不能读 / the recording cannot be read: {}: {error}", path.display()));
            return None;
        }
    };
    let lasts = (left.len() / 8) as u64;
    let answered = case.record.as_ref().and_then(|record| record.answered_ms).unwrap_or_default();
    if lasts + SHORTER_MAX_MS < answered {
        faults.push(format!("录音不完整 / the recording is not whole: {lasts} ms of {answered} ms"));
    }
    for (zh, en, wanted, side) in [
        ("录音左声道", "the recording's left", &vec![case.caller_voice], &left),
        ("录音右声道", "the recording's right", &case.other_voices, &right),
    ] {
        faults.extend(
            voices(wanted, &case.voices, side)
                .into_iter()
                .map(|what| format!("{zh}: {} / {en}: {}", what.0, what.1)),
        );
    }
    (faults.len() == before).then_some(left.len() as f64 / 8_000.0)
}

/// Each of those is on a side for a second, and nobody else beside them.
fn voices(wanted: &[u32], everybody: &[u32], side: &[i16]) -> Vec<(String, String)> {
    let mut there = vec![0; wanted.len()];
    let mut crossed = vec![0; everybody.len()];
    for look in side.chunks_exact(hear::LOOK) {
        let heard: Vec<bool> = wanted.iter().map(|voice| hear::is_there(*voice, look)).collect();
        there.iter_mut().zip(&heard).for_each(|(count, heard)| *count += usize::from(*heard));
        if heard.contains(&true) {
            for (count, voice) in crossed.iter_mut().zip(everybody) {
                *count += usize::from(!wanted.contains(voice) && hear::is_there(*voice, look));
            }
        }
    }
    let missing = wanted.iter().zip(&there).filter(|(_, looks)| **looks < LOOKS_MIN);
    let missing = missing.map(|(voice, _)| (format!("没有 {voice} Hz"), format!("lacks {voice} Hz")));
    let others = everybody.iter().zip(&crossed).filter(|(_, looks)| **looks >= CROSSED_MIN);
    let others = others.map(|(voice, _)| (format!("混有 {voice} Hz"), format!("crossed with {voice} Hz")));
    missing.chain(others).collect()
}

#[cfg(test)]
#[path = "proof_test.rs"]
mod tests;
