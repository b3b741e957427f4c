//! One caller who helps himself: his call, the step that is under way, and what he writes down.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use super::super::cast::Clerk;
use super::super::dictation::{self, Dictation};
use super::super::hear::{self, Wanted};
use super::scenes::{Deed, Errand, Step, Until};
use super::{Noted, programme, sound};
use crate::id::CallId;
use crate::io::packets::{Mover, PartyKey};
use crate::phone::{Dial, Phone, PhoneEvent, listen};
use crate::routing::Plan;
use crate::time::Instant;

/// So much of a prompt tells it from any other, samples: a second.
pub const TELLING: usize = 8_000;
/// The pieces of a sound may lie so far apart, samples: half a second.
const SLACK: usize = 4_000;
/// The caller speaks for so many seconds.
pub const WORDS_S: usize = 3;
/// Looks in which the clerk's voice is heard: more than a second.
const LOOKS: u32 = 5;
/// The number and the code are read out within so many samples: twenty seconds.
const READ_OUT_MAX: usize = 160_000;
/// A step is through by then, or the call is at its end.
const STEP_MAX: Duration = Duration::from_secs(45);

/// Telephones, and what they are told.
pub type Phones = Mover<Phone>;

/// A call under way.
pub struct Visit {
    /// What the caller comes for.
    pub errand: Errand,
    /// The caller's number.
    pub number: String,
    /// The caller's voice, hertz.
    pub voice: u32,
    /// The caller's telephone, once the call is begun.
    pub phone: Option<PartyKey>,
    /// Place of who answered, among the clerks.
    pub clerk: Option<usize>,
    /// The engine's name for the call, as a clerk's telephone was told.
    pub call: Option<CallId>,
    /// The number and the code, as they were read out.
    pub noted: Option<Noted>,
    /// What went wrong.
    pub faults: Vec<String>,
    /// Lines to be shown.
    pub lines: Vec<String>,
    /// The call is over.
    pub ended: bool,
    steps: Vec<Step>,
    at: usize,
    /// Since when the step is under way.
    since: Option<Instant>,
    /// So much was heard before it, or was looked at.
    from: usize,
    spoken: bool,
    good: u32,
    writing: Option<JoinHandle<Option<Noted>>>,
}

impl Visit {
    /// Nobody has dialled yet.
    pub fn new(errand: Errand, number: String, voice: u32) -> Self {
        Visit {
            errand,
            number,
            voice,
            phone: None,
            clerk: None,
            call: None,
            noted: None,
            faults: Vec::new(),
            lines: Vec::new(),
            ended: false,
            steps: Vec::new(),
            at: 0,
            since: None,
            from: 0,
            spoken: false,
            good: 0,
            writing: None,
        }
    }

    /// Has a telephone and knows what to do.
    pub fn begin(&mut self, phone: PartyKey, steps: Vec<Step>) {
        (self.phone, self.steps) = (Some(phone), steps);
    }

    /// Cannot be begun.
    pub fn give_up(&mut self, why: String) {
        self.faults.push(why);
        self.ended = true;
    }

    /// All steps are through, or the call was broken off; and it is over.
    pub fn is_over(&self) -> bool {
        self.ended && self.at >= self.steps.len()
    }

    /// Something happened at the caller's telephone.
    pub fn told(&mut self, event: &PhoneEvent) {
        match event {
            PhoneEvent::SoundPlayed => self.spoken = true,
            PhoneEvent::Refused { status, .. } => self.give_up(format!("被拒 / refused: {status}")),
            PhoneEvent::Ended { .. } => self.ended = true,
            _ => {}
        }
    }

    /// Does what the step begins with, and looks whether it is through. `look`: it is time to listen.
    pub fn go_on(
        &mut self,
        plan: &Plan,
        dictation: &Arc<Dictation>,
        mover: &mut Phones,
        clerks: &[Clerk],
        look: bool,
    ) {
        let now = mover.now().mono;
        let (Some(phone), Some(step)) = (self.phone, self.steps.get(self.at).cloned()) else { return };
        let Some(since) = self.since else { return self.do_first(&step, phone, mover, now) };
        let took = now.since(since);
        if self.is_through(&step, plan, dictation, mover.party(phone).heard(), clerks, look) {
            self.lines.push(programme::step(plan, &step, self.noted.as_ref(), took, true));
            (self.at, self.since) = (self.at + 1, None);
        } else if self.ended && look && !self.is_awaited(&step) {
            self.fail(plan, &step, mover, took, "通话提前结束 / the call ended too early");
        } else if took >= STEP_MAX && self.writing.is_none() {
            self.fail(plan, &step, mover, took, "没有等到 / did not come about");
        }
    }

    /// The call is over, and something comes all the same.
    fn is_awaited(&self, step: &Step) -> bool {
        match step.until {
            Until::Over => true,
            Until::Noted => self.writing.is_some(),
            _ => false,
        }
    }

    fn do_first(&mut self, step: &Step, phone: PartyKey, mover: &mut Phones, now: Instant) {
        self.since = Some(now);
        (self.spoken, self.good) = (false, 0);
        self.from = mover.party(phone).heard().len();
        let keys = step.keys.as_str();
        match step.deed {
            Deed::Dial => {
                if let Err(error) = mover.order(phone, |phone, now| phone.dial(Dial::to(keys), now)) {
                    self.give_up(error.to_string());
                }
            }
            Deed::Press => mover.order(phone, |phone, now| phone.press(keys, now)),
            Deed::Speak => {
                let words: Arc<[i16]> = crate::cli::sounds::tone(self.voice).repeat(WORDS_S).into();
                mover.order(phone, |phone, now| phone.play(words, false, now));
            }
            Deed::HangUp => mover.order(phone, Phone::hang_up),
            Deed::Wait => {}
        }
    }

    fn is_through(
        &mut self,
        step: &Step,
        plan: &Plan,
        dictation: &Arc<Dictation>,
        heard: &[i16],
        clerks: &[Clerk],
        look: bool,
    ) -> bool {
        match &step.until {
            Until::Hears(prompt) => look && self.hears(&beginning(&sound(plan, prompt)), heard),
            Until::HearsOut(prompt) => look && self.hears(&end(&sound(plan, prompt)), heard),
            Until::Spoken => self.spoken,
            Until::Noted => self.is_noted(plan, dictation, heard, look),
            Until::Clerk => {
                let clerk = self.clerk.and_then(|clerk| clerks.get(clerk));
                let stretch = &heard[heard.len().saturating_sub(hear::LOOK)..];
                let there = clerk.is_some_and(|clerk| hear::is_there(clerk.voice, stretch));
                self.good += u32::from(look && there);
                self.good >= LOOKS
            }
            Until::Over => self.ended,
        }
    }

    /// Whether a part of a prompt is in what was heard since the step began, and was not looked at yet.
    fn hears(&mut self, telling: &[i16], heard: &[i16]) -> bool {
        let found = listen::find_in_pieces(telling, heard, self.from);
        // What begins in what was looked at may end behind it.
        self.from = self.from.max(heard.len().saturating_sub(telling.len() + SLACK));
        found.is_some_and(|found| found.score > hear::FOUND)
    }

    /// Once the house has said what comes behind them, the number and the code are written down, beside
    /// everything else that goes on.
    fn is_noted(&mut self, plan: &Plan, dictation: &Arc<Dictation>, heard: &[i16], look: bool) -> bool {
        match self.writing.take() {
            None if look && self.hears(&beginning(&sound(plan, &"order_kept".into())), heard) => {
                let lately = heard.len().saturating_sub(READ_OUT_MAX);
                let (dictation, heard) = (dictation.clone(), heard[lately..].to_vec());
                let said = read_out(plan);
                let thread = std::thread::Builder::new().name("dictation".into());
                match thread.spawn(move || write_down(&dictation, &said, &heard)) {
                    Ok(writing) => self.writing = Some(writing),
                    Err(error) => self.give_up(error.to_string()),
                }
                false
            }
            None => false,
            Some(writing) if writing.is_finished() => {
                self.noted = writing.join().ok().flatten();
                if self.noted.is_none() {
                    self.give_up(
                        "编号和提取码没有听清 / the number and the code were not understood".to_owned(),
                    );
                }
                self.noted.is_some()
            }
            Some(writing) => {
                self.writing = Some(writing);
                false
            }
        }
    }

    fn fail(&mut self, plan: &Plan, step: &Step, mover: &mut Phones, took: Duration, why: &str) {
        self.faults.push(format!("{}: {why}", step.name));
        self.lines.push(programme::step(plan, step, self.noted.as_ref(), took, false));
        self.at = self.steps.len();
        if let Some(phone) = self.phone.filter(|_| !self.ended) {
            mover.order(phone, Phone::hang_up);
        }
    }
}

/// The first second of a sound.
fn beginning(sound: &[i16]) -> Vec<i16> {
    sound[..sound.len().min(TELLING)].to_vec()
}

/// Its last.
fn end(sound: &[i16]) -> Vec<i16> {
    sound[sound.len().saturating_sub(TELLING)..].to_vec()
}

/// What is said before the number, and before the code.
pub fn read_out(plan: &Plan) -> [Wanted; 2] {
    let wanted =
        |(name, id): (&'static str, &str)| Wanted { name, sound: sound(plan, &id.into()), at_once: false };
    [("工单号", "ticket_number"), ("提取码", "order_code")].map(wanted)
}

/// The number and the code, out of what was heard.
pub fn write_down(dictation: &Dictation, said: &[Wanted; 2], heard: &[i16]) -> Option<Noted> {
    let places = hear::prompts(said, heard);
    let after = |at: usize| {
        let begins = (*places.get(at)?)? + said[at].sound.len();
        dictation::number(&dictation.take(heard, begins)).filter(|number| !number.is_empty())
    };
    Some(Noted { ticket: after(0)?, code: after(1)? })
}
