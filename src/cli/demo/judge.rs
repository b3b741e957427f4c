//! Judges one call by its sound, its record and its ticket, on a thread of its own.

use std::path::{Path, PathBuf};
use std::sync::mpsc;

use super::hear::{self, Voice, Wanted};
use crate::switchboard::fact::Cause;
use crate::telemetry::CallRecord;

/// All there is to judge a call by.
pub struct Case {
    /// Place among the callers.
    pub place: usize,
    /// Prompts that the caller must hear, in order.
    pub prompts: Vec<Wanted>,
    /// What the caller must not hear first: the transition, on a number that is not retired.
    pub forbidden: Option<Vec<i16>>,
    /// Prompts that the clerk must hear: one's own number.
    pub clerk_prompts: Vec<Wanted>,
    /// The caller's voice, the clerk's, and everybody's, hertz.
    pub caller_voice: u32,
    /// See above.
    pub clerk_voice: u32,
    /// See above.
    pub voices: Vec<u32>,
    /// What the caller heard.
    pub heard: Vec<i16>,
    /// What the clerk heard.
    pub clerk_heard: Vec<i16>,
    /// The recording, where calls are recorded.
    pub recording: Option<PathBuf>,
    /// What the call record must say.
    pub books: Books,
    /// Faults met on the way.
    pub faults: Vec<String>,
}

/// What the call record must say, and what it says.
pub struct Books {
    /// The number dialled.
    pub line: String,
    /// Who called.
    pub caller: String,
    /// The seat that answered.
    pub seat: Option<String>,
    /// The peer that answered.
    pub peer: Option<String>,
    /// The survey's grade.
    pub grade: Option<u8>,
    /// How it ended.
    pub cause: Cause,
    /// The record, if there is one.
    pub record: Option<Box<CallRecord>>,
    /// The ticket's state, if there is one.
    pub ticket: Option<String>,
}

/// What came out.
pub struct Verdict {
    /// Place among the callers.
    pub place: usize,
    /// Names of the prompts, with those that are missing.
    pub prompts: Vec<(&'static str, bool)>,
    /// Both voices, in what was heard.
    pub voices: bool,
    /// Length of the recording, seconds, if everything is on it.
    pub recording: Option<f64>,
    /// The record says what happened.
    pub record: bool,
    /// The ticket's number, if it is there and closed.
    pub ticket: Option<String>,
    /// What is missing, in words.
    pub faults: Vec<String>,
}

/// A thread that judges cases in turn.
pub fn start() -> std::io::Result<(mpsc::Sender<Case>, mpsc::Receiver<Verdict>)> {
    let (give, cases) = mpsc::channel::<Case>();
    let (tell, verdicts) = mpsc::channel();
    std::thread::Builder::new().name("judge".into()).spawn(move || {
        for case in cases {
            if tell.send(judge(case)).is_err() {
                return;
            }
        }
    })?;
    Ok((give, verdicts))
}

fn judge(mut case: Case) -> Verdict {
    let mut faults = std::mem::take(&mut case.faults);
    let places = heard_by_caller(&case, &mut faults);
    let caller_hears =
        voice("来电人没听到座席", "the caller did not hear the clerk", case.clerk_voice, &case, {
            &case.heard
        });
    let clerk_hears =
        voice("座席没听到来电人", "the clerk did not hear the caller", case.caller_voice, &case, {
            &case.clerk_heard
        });
    for (prompt, place) in
        case.clerk_prompts.iter().zip(hear::prompts(&case.clerk_prompts, &case.clerk_heard))
    {
        if place.is_none() {
            faults.push(format!("座席没听到{0} / the clerk did not hear {0}", prompt.name));
        }
    }
    let voices = caller_hears.is_none() && clerk_hears.is_none();
    faults.extend(caller_hears.into_iter().chain(clerk_hears));
    let recording = match &case.recording {
        Some(path) => recording(path, &case, &places, &mut faults),
        None => None,
    };
    let before = faults.len();
    record(&case.books, &mut faults);
    let record = faults.len() == before;
    let ticket = ticket(&case.books, &mut faults);
    let prompts = case.prompts.iter().zip(&places).map(|(prompt, place)| (prompt.name, place.is_some()));
    Verdict { place: case.place, prompts: prompts.collect(), voices, recording, record, ticket, faults }
}

/// Where the caller heard each prompt.
fn heard_by_caller(case: &Case, faults: &mut Vec<String>) -> Vec<Option<usize>> {
    let places = hear::prompts(&case.prompts, &case.heard);
    for (prompt, place) in case.prompts.iter().zip(&places) {
        if place.is_none() {
            faults.push(format!("来电人没听到{0} / the caller did not hear {0}", prompt.name));
        }
    }
    if case.forbidden.as_ref().is_some_and(|prompt| hear::begins_with(prompt, &case.heard)) {
        faults.push("不该有过渡提示 / the transition was played where it must not be".to_owned());
    }
    places
}

fn voice(zh: &str, en: &str, wanted: u32, case: &Case, sound: &[i16]) -> Option<String> {
    match hear::voice(wanted, &case.voices, sound) {
        Voice::Heard => None,
        Voice::Missing { instead: None } => Some(format!("{zh}（{wanted} Hz）/ {en} ({wanted} Hz)")),
        Voice::Missing { instead: Some(other) } => Some(format!(
            "{zh}（{wanted} Hz），听到的是 {other} Hz / {en} ({wanted} Hz), but {other} Hz instead: crossed lines"
        )),
        Voice::Crossed(other) => Some(format!(
            "串线: {wanted} Hz 中混有 {other} Hz / crossed lines: {other} Hz beside {wanted} Hz"
        )),
    }
}

/// Both sides of the recording. `None`: something is missing.
fn recording(path: &Path, case: &Case, places: &[Option<usize>], faults: &mut Vec<String>) -> Option<f64> {
    let before = faults.len();
    let (left, right) = match sides(path) {
        Ok(sides) => sides,
        Err(error) => {
            faults.push(format!("录音不能读 / the recording cannot be read: {}: {error}", path.display()));
            return None;
        }
    };
    for (prompt, found) in case.prompts.iter().zip(hear::prompts_again(&case.prompts, places, &right)) {
        if !found {
            faults.push(format!("录音里没有{0} / {0} is not on the recording", prompt.name));
        }
    }
    for (zh, en, wanted, side) in [
        ("录音左声道没有来电人", "the recording's left lacks the caller", case.caller_voice, &left),
        ("录音右声道没有座席", "the recording's right lacks the clerk", case.clerk_voice, &right),
    ] {
        faults.extend(voice(zh, en, wanted, case, side));
    }
    (faults.len() == before).then_some(left.len() as f64 / 8_000.0)
}

/// Left and right of a recording.
pub fn sides(path: &Path) -> std::io::Result<(Vec<i16>, Vec<i16>)> {
    // As the engine keeps it: data/recordings/<day>/<file>, its key in data/secrets.
    let data = path.ancestors().nth(3).unwrap_or(Path::new("."));
    let keys = crate::io::recorder::SealKeys::beside(data);
    let (samples, channels) = crate::io::recorder::samples(path, &keys)?;
    if channels != 2 {
        return Err(std::io::ErrorKind::InvalidData.into());
    }
    Ok(samples.chunks_exact(2).map(|frame| (frame[0], frame[1])).unzip())
}

fn record(books: &Books, faults: &mut Vec<String>) {
    let Some(record) = &books.record else {
        return faults.push("没有通话记录 / no call record".to_owned());
    };
    let seat = record.seat.as_ref().map(|seat| seat.to_string());
    for (what, wanted, found) in [
        ("号码 / number", format!("{:?}", books.line), format!("{:?}", record.line.as_str())),
        ("主叫 / caller", format!("{:?}", books.caller), format!("{:?}", record.caller)),
        ("座席 / seat", format!("{:?}", books.seat), format!("{seat:?}")),
        ("分中心 / sub-center", format!("{:?}", books.peer), format!("{:?}", record.peer)),
        ("评价 / grade", format!("{:?}", books.grade), format!("{:?}", record.grade)),
        ("结束 / end", format!("{:?}", Some(books.cause)), format!("{:?}", record.cause)),
    ] {
        if wanted != found {
            faults.push(format!("记录不符 / the record differs: {what}: {found}, 应为 / not {wanted}"));
        }
    }
}

fn ticket(books: &Books, faults: &mut Vec<String>) -> Option<String> {
    let number = books.record.as_ref().map(|record| record.ticket.clone());
    match (number, books.ticket.as_deref()) {
        (Some(number), Some("closed")) => Some(number),
        (_, Some(state)) => {
            faults.push(format!("工单没有关闭 / the ticket is not closed: {state}"));
            None
        }
        _ => {
            faults.push("没有工单 / no ticket".to_owned());
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::sounds::tone;
    use crate::id::{CallId, Dice};

    const VOICES: [u32; 4] = [500, 540, 1_900, 1_940];

    /// A prompt of three seconds that is like no other.
    fn prompt(seed: u64) -> Vec<i16> {
        let mut dice = Dice::seeded(seed);
        let mut level = 0.0;
        let noise = std::iter::repeat_with(|| {
            level = 0.7 * level + (dice.below(12_001) as f64 - 6_000.0);
            level as i16
        });
        noise.take(24_000).collect()
    }

    fn quiet(seconds: usize) -> Vec<i16> {
        vec![0; seconds * 8_000]
    }

    fn record() -> CallRecord {
        let mut record = CallRecord::new(CallId::draw(1, &mut Dice::seeded(1)));
        record.line = "12336".into();
        record.caller = "13800001000".into();
        record.seat = Some("1001".into());
        record.grade = Some(2);
        record.cause = Some(Cause::Completed);
        record.ticket = "21090100001".into();
        record
    }

    /// A call to a retired number as it should be, with its recording in `file`.
    fn sound_case(file: &Path) -> Case {
        let greeting = prompt(1);
        let heard = [quiet(1), greeting.clone(), quiet(2), tone(1_900).repeat(3)].concat();
        let clerk_heard = [quiet(2), tone(500).repeat(3)].concat();
        let left = tone(500).repeat(9);
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: 8_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut wav = hound::WavWriter::create(file, spec).unwrap();
        for (left, right) in left.iter().zip(&heard) {
            wav.write_sample(*left).unwrap();
            wav.write_sample(*right).unwrap();
        }
        wav.finalize().unwrap();
        Case {
            place: 0,
            prompts: vec![Wanted { name: "greeting", sound: greeting, at_once: true }],
            forbidden: Some(prompt(2)),
            clerk_prompts: Vec::new(),
            caller_voice: 500,
            clerk_voice: 1_900,
            voices: VOICES.to_vec(),
            heard,
            clerk_heard,
            recording: Some(file.to_owned()),
            books: Books {
                line: "12336".into(),
                caller: "13800001000".into(),
                seat: Some("1001".into()),
                peer: None,
                grade: Some(2),
                cause: Cause::Completed,
                record: Some(Box::new(record())),
                ticket: Some("closed".into()),
            },
            faults: Vec::new(),
        }
    }

    fn faults(name: &str, spoil: impl FnOnce(&mut Case)) -> String {
        let file = std::env::temp_dir().join(format!("hotline-judge-{name}-{}.wav", std::process::id()));
        let mut case = sound_case(&file);
        spoil(&mut case);
        let verdict = judge(case);
        std::fs::remove_file(&file).unwrap();
        verdict.faults.join("\n")
    }

    #[test]
    fn a_call_as_it_should_be_has_no_faults() {
        assert_eq!(faults("whole", |_| {}), "");
    }

    #[test]
    fn each_thing_that_is_missing_is_named() {
        let greeting = faults("greeting", |case| case.heard = tone(1_900).repeat(9));
        assert_eq!(greeting, "来电人没听到greeting / the caller did not hear greeting");
        let forbidden = faults("forbidden", |case| case.forbidden = Some(prompt(1)));
        assert!(forbidden.contains("the transition was played where it must not be"), "{forbidden}");
        let crossed = faults("crossed", |case| case.clerk_heard = tone(540).repeat(4));
        assert!(crossed.contains("540 Hz instead: crossed lines"), "{crossed}");
        let recorded = faults("recorded", |case| {
            case.caller_voice = 540;
            case.clerk_heard = tone(540).repeat(4);
        });
        assert!(recorded.contains("the recording's left lacks the caller"), "{recorded}");
        let grade = faults("grade", |case| case.books.grade = Some(3));
        assert!(grade.contains("评价 / grade: Some(2)"), "{grade}");
        let ticket = faults("ticket", |case| case.books.ticket = Some("open".into()));
        assert!(ticket.contains("the ticket is not closed"), "{ticket}");
        let nothing = faults("nothing", |case| {
            case.books.record = None;
            case.books.ticket = None;
        });
        assert!(nothing.contains("no call record") && nothing.contains("no ticket"), "{nothing}");
    }
}
