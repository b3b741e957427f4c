//! What was kept of a call in which the caller helped himself: record, ticket, message and recording, and what was
//! read out. Judged on a thread of its own, while the other calls go on.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use super::super::dictation::Dictation;
use super::super::hear::{self, Wanted};
use super::super::judge;
use super::Noted;
use super::scenes::Errand;
use super::visit::{WORDS_S, write_down};
use crate::id::{CallId, PromptId, SeatId};
use crate::io::store::Ticket;
use crate::switchboard::fact::{Answer, Cause};
use crate::telemetry::CallRecord;

/// Words beside digits of which dates and states are made.
pub const WORDS: [&str; 11] = [
    "ten",
    "year",
    "month",
    "day",
    "state_open",
    "state_assigned",
    "state_in_hand",
    "state_answered",
    "state_done",
    "state_refused",
    "goodbye",
];
/// What the order is about, by the key that was pressed.
const CATEGORY: &str = "咨询求助";
/// So much of what the caller said must be in the message's part of the recording, looks of 200 ms.
const WORDS_MIN: usize = WORDS_S * 5 - 5;
/// Of it outside of that part: what its edges cut off.
const OUTSIDE_MAX: usize = 1;
/// The recording may be so much shorter than the call was answered, milliseconds.
const SHORTER_MAX_MS: u64 = 1_000;
/// Samples of a millisecond.
const PER_MS: usize = 8;

/// What the record must say.
pub struct Books {
    /// The number dialled.
    pub line: String,
    /// Who answered, where somebody did.
    pub seat: Option<SeatId>,
    /// The end.
    pub cause: Cause,
}

/// All there is to judge a call by.
pub struct Case {
    /// What the caller came for.
    pub errand: Errand,
    /// There was a call.
    pub dialled: bool,
    /// What must be on the record.
    pub books: Books,
    /// What the caller wrote down.
    pub noted: Option<Noted>,
    /// Whose ticket the store finds by that.
    pub by_code: Option<CallId>,
    /// The caller's voice, hertz.
    pub voice: u32,
    /// What the caller heard.
    pub heard: Vec<i16>,
    /// What precedes the answer of who asks how far a ticket is, and the answer.
    pub progress: (Wanted, Vec<PromptId>),
    /// What is said where nothing is found.
    pub refused: Wanted,
    /// What precedes the number and the code.
    pub read_out: [Wanted; 2],
    /// Writes down what is read out.
    pub dictation: Arc<Dictation>,
    /// The recording.
    pub recording: Option<PathBuf>,
    /// The record, if there is one.
    pub record: Option<Box<CallRecord>>,
    /// The ticket, if there is one.
    pub ticket: Option<Ticket>,
    /// Faults met on the way.
    pub faults: Vec<String>,
}

/// What came out.
#[derive(Debug, Default)]
pub struct Verdict {
    /// What belongs to this call only, and what was found of it.
    pub found: Vec<(&'static str, Option<String>)>,
    /// The record says what happened.
    pub record: bool,
    /// The ticket's number, if it says what happened.
    pub ticket: Option<String>,
    /// Length of the recording, seconds, if it is whole.
    pub recording: Option<f64>,
    /// What is missing, in words.
    pub faults: Vec<String>,
}

impl Case {
    /// Everything is there that a judge looks at, or there is nothing to wait for.
    pub fn is_whole(&self) -> bool {
        let closed = self.record.as_ref().is_some_and(|record| record.is_closed());
        let ticket = self.ticket.as_ref().is_some_and(|ticket| ticket.state == "closed");
        !self.dialled || closed && ticket && self.recording.is_some()
    }
}

/// Judges a case beside everything else.
pub fn start(case: Case) -> io::Result<JoinHandle<Verdict>> {
    std::thread::Builder::new().name("proof".into()).spawn(move || judge(case))
}

fn judge(mut case: Case) -> Verdict {
    let mut verdict = Verdict { faults: std::mem::take(&mut case.faults), ..Verdict::default() };
    if !case.dialled {
        return verdict;
    }
    let Some(record) = &case.record else {
        verdict.faults.push("没有通话记录 / no call record".to_owned());
        return verdict;
    };
    let before = verdict.faults.len();
    on_record(&case, record, &mut verdict.faults);
    verdict.record = verdict.faults.len() == before;
    match &case.ticket {
        None => verdict.faults.push("没有工单 / no ticket".to_owned()),
        Some(found) => verdict.ticket = ticket(&case, record, found, &mut verdict.faults),
    }
    let sides = sides(&case, record, &mut verdict);
    match case.errand {
        Errand::Order => ordered(&case, record, sides.as_ref(), &mut verdict),
        Errand::Progress => told(&case, &mut verdict),
        Errand::WrongCode => refused(&case, &mut verdict),
    }
    verdict
}

/// Flows, questions, order and end.
fn on_record(case: &Case, record: &CallRecord, faults: &mut Vec<String>) {
    let served = &record.served;
    let flows: Vec<&str> = served.flows.iter().map(|flow| flow.as_str()).collect();
    let answers: Vec<Answer> = served.look_ups.iter().map(|asked| asked.answer).collect();
    let ordered = served.ordered.as_ref().map(|ordered| ordered.category.as_str());
    let is_order = case.errand == Errand::Order;
    let wanted: Vec<Answer> = case.errand.answer().into_iter().collect();
    for (what, wanted, found) in [
        ("号码 / number", case.books.line.clone(), record.line.to_string()),
        ("座席 / seat", format!("{:?}", case.books.seat), format!("{:?}", record.seat)),
        ("流程 / flows", format!("{:?}", case.errand.flows()), format!("{flows:?}")),
        ("查询 / look-ups", format!("{wanted:?}"), format!("{answers:?}")),
        ("登记 / ordered", format!("{:?}", is_order.then_some(CATEGORY)), format!("{ordered:?}")),
        ("留言 / messages", usize::from(is_order).to_string(), served.messages.len().to_string()),
        ("结束 / end", format!("{:?}", Some(case.books.cause)), format!("{:?}", record.cause)),
    ] {
        if wanted != found {
            faults.push(format!("记录不符 / the record differs: {what}: {found}, 应为 / not {wanted}"));
        }
    }
}

/// The ticket's number, where it is closed and says the same as the record.
fn ticket(case: &Case, record: &CallRecord, ticket: &Ticket, faults: &mut Vec<String>) -> Option<String> {
    let (before, data) = (faults.len(), &ticket.data);
    if ticket.state != "closed" {
        faults.push(format!("工单没有关闭 / the ticket is not closed: {}", ticket.state));
    }
    if case.errand == Errand::Order {
        let span = record.served.messages.first().map(|span| (span.from_ms, span.to_ms));
        let message = (&data["message"]["from_ms"], &data["message"]["to_ms"]);
        let same = span.is_some_and(|(from, to)| *message.0 == from && *message.1 == to);
        for (what, good) in [
            ("类别 / category", data["category"] == CATEGORY),
            ("原因 / reason", data["reason"] == "self_service"),
            ("留言 / message", same),
        ] {
            if !good {
                faults.push(format!("工单不符 / the ticket differs: {what}: {data}"));
            }
        }
    }
    (faults.len() == before).then(|| ticket.number.clone())
}

/// Both sides of the recording, which is as long as the call was answered.
fn sides(case: &Case, record: &CallRecord, verdict: &mut Verdict) -> Option<(Vec<i16>, Vec<i16>)> {
    let Some(path) = &case.recording else {
        verdict.faults.push("没有录音 / no recording".to_owned());
        return None;
    };
    let sides = read(path, &mut verdict.faults)?;
    let lasts = (sides.0.len() / PER_MS) as u64;
    let answered = record.answered_ms.unwrap_or_default();
    if lasts + SHORTER_MAX_MS < answered {
        let fault = format!("录音不完整 / the recording is not whole: {lasts} ms of {answered} ms");
        verdict.faults.push(fault);
    } else {
        verdict.recording = Some(lasts as f64 / 1_000.0);
    }
    Some(sides)
}

fn read(path: &Path, faults: &mut Vec<String>) -> Option<(Vec<i16>, Vec<i16>)> {
    let read = judge::sides(path);
    read.map_err(|error| {
        let path = path.display();
        faults.push(format!("录音不能读 / the recording cannot be read: {path}: {error}"));
    })
    .ok()
}

/// The number and the code that were read out are those of this call's ticket, on the recording as well; and the
/// caller's words are where the record says, and nowhere else.
fn ordered(case: &Case, record: &CallRecord, sides: Option<&(Vec<i16>, Vec<i16>)>, verdict: &mut Verdict) {
    let noted = case.noted.as_ref();
    let read_out = noted.filter(|noted| noted.ticket == record.ticket && case.by_code == Some(record.call));
    if read_out.is_none() {
        verdict.faults.push(format!(
            "播报的编号和提取码不是这张工单的 / what was read out is not this ticket's: {noted:?}, {}",
            record.ticket
        ));
    }
    verdict.found.push(("播报 read out", read_out.map(|noted| format!("{} {}", noted.ticket, noted.code))));
    let Some((left, right)) = sides else { return };
    let recorded = write_down(&case.dictation, &case.read_out, right);
    if recorded.as_ref() != noted {
        let fault = format!("录音里播报的不同 / something else is read out on the recording: {recorded:?}");
        verdict.faults.push(fault);
    }
    let span = record.served.messages.first();
    let there = span.and_then(|span| {
        let (from, to) = (span.from_ms as usize * PER_MS, span.to_ms as usize * PER_MS);
        let said = |stretch: &[i16]| {
            stretch.chunks_exact(hear::LOOK).filter(|look| hear::is_there(case.voice, look)).count()
        };
        let inside = said(left.get(from..to.min(left.len()))?);
        let outside = said(&left[..from]) + said(&left[to.min(left.len())..]);
        (inside >= WORDS_MIN && outside <= OUTSIDE_MAX)
            .then(|| format!("{:.1}s", (to - from) as f64 / 8_000.0))
    });
    if there.is_none() {
        verdict.faults.push(format!("留言不在所记的一段 / the message is not where it should be: {span:?}"));
    }
    verdict.found.push(("留言 message", there));
}

/// The date and the state were said, word by word.
fn told(case: &Case, verdict: &mut Verdict) {
    let (before, wanted) = &case.progress;
    let at = hear::prompts(std::slice::from_ref(before), &case.heard)[0];
    let words = at.map(|at| case.dictation.take(&case.heard, at + before.sound.len())).unwrap_or_default();
    let found = (words == *wanted).then(|| {
        let said: Vec<&str> = words.iter().map(|word| word.as_str()).collect();
        said.join(" ")
    });
    if found.is_none() {
        verdict.faults.push(format!("进度不符 / the progress differs: {words:?}, 应为 / not {wanted:?}"));
    }
    verdict.found.push((before.name, found));
}

/// Nothing was found, and nothing told.
fn refused(case: &Case, verdict: &mut Verdict) {
    let heard = hear::prompts(std::slice::from_ref(&case.refused), &case.heard)[0].is_some();
    if !heard {
        verdict.faults.push(format!("来电人没听到{0} / the caller did not hear {0}", case.refused.name));
    }
    verdict.found.push((case.refused.name, heard.then(String::new)));
    let told = &case.progress.0;
    let leaked = hear::prompts(std::slice::from_ref(told), &case.heard)[0].is_some();
    if leaked {
        verdict.faults.push("提取码不对，却播报了进度 / the progress was told by a wrong code".to_owned());
    }
    let seat = case.books.seat.as_ref();
    if seat.is_none() {
        verdict.faults.push("没有转到座席 / no clerk took the caller".to_owned());
    }
    verdict.found.push(("座席 seat", seat.map(|seat| seat.to_string())));
}
