//! Runs the telephones: callers dial at a steady pace, clerks answer, both talk until each has heard
//! the other, the clerk leaves, the caller grades the call.

use std::io;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use super::cast::{Caller, Clerk, Desk, Phase};
use super::closing::BOOKS_MAX;
use super::judge::{self, Case, Verdict};
use super::{hear, table};
use crate::id::CallId;
use crate::io::engine_process::EngineProcess;
use crate::io::packets::{Mover, PartyKey};
use crate::io::store::Reader;
use crate::phone::{Dial, Phone, PhoneEvent, Side};
use crate::routing::Plan;
use crate::time::{Agenda, Instant};

/// Between two callers: eight seats keep up with it.
const PACE: Duration = Duration::from_millis(700);
/// Between two looks at the sound of those who talk.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Looks in which both must hear the other before they part: more than the second that is asked for.
const LOOKS: u32 = 10;
/// They part after this, heard or not.
const TALK_MAX: Duration = Duration::from_secs(20);
/// From the clerk's leaving to the caller's digit: some of the question is heard.
const GRADE_AFTER: Duration = Duration::from_secs(1);
/// A call lasts no longer, from its INVITE on.
const CALL_MAX: Duration = Duration::from_secs(90);
/// The seats are registered by then.
pub const REGISTER_MAX: Duration = Duration::from_secs(15);
/// The loop looks around at least so often.
const TURN_MAX: Duration = Duration::from_millis(50);

/// Everybody, and where they have got to.
pub struct Show<'a> {
    pub(super) plan: &'a Plan,
    pub(super) data: &'a Path,
    pub(super) mover: Mover<Phone>,
    engine: &'a mut EngineProcess,
    pub(super) reader: Reader,
    /// In the order of their calls.
    pub callers: Vec<Caller>,
    /// Sub-centers first.
    pub clerks: Vec<Clerk>,
    dial_at: Instant,
    look_at: Instant,
    digits: Agenda<usize>,
    /// Calls that are over and wait for their books, until then.
    pub(super) closing: Vec<(usize, Instant)>,
    pub(super) cases: mpsc::Sender<Case>,
    verdicts: mpsc::Receiver<Verdict>,
    judged: usize,
    faulty: usize,
}

/// Why the show was broken off.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// Ctrl-C.
    #[error("中断 / interrupted")]
    Interrupted,
    /// The engine is gone.
    #[error("引擎已退出 / the engine has ended: {0}")]
    EngineEnded(std::process::ExitStatus),
    /// A seat was not let in.
    #[error("座席没有全部登录 / not all seats are registered: {0}")]
    NotRegistered(String),
    /// Sockets, threads.
    #[error(transparent)]
    Outside(#[from] io::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] crate::io::store::StoreError),
}

impl<'a> Show<'a> {
    /// Everybody on the stage, nobody calling yet.
    pub fn new(
        plan: &'a Plan,
        data: &'a Path,
        mover: Mover<Phone>,
        engine: &'a mut EngineProcess,
        reader: Reader,
        clerks: Vec<Clerk>,
    ) -> io::Result<Self> {
        let (cases, verdicts) = judge::start()?;
        let now = mover.now().mono;
        Ok(Show {
            callers: super::cast::callers(plan),
            plan,
            data,
            mover,
            engine,
            reader,
            clerks,
            dial_at: now,
            look_at: now,
            digits: Agenda::default(),
            closing: Vec::new(),
            cases,
            verdicts,
            judged: 0,
            faulty: 0,
        })
    }

    /// All seats sign in.
    pub fn register(&mut self) -> Result<(), Broken> {
        let seats: Vec<PartyKey> =
            self.clerks.iter().filter(|clerk| !clerk.registered).map(|clerk| clerk.phone).collect();
        for seat in seats {
            self.mover.order(seat, Phone::register);
        }
        let bound = self.mover.now().mono + REGISTER_MAX;
        while self.clerks.iter().any(|clerk| !clerk.registered) {
            if self.mover.now().mono >= bound {
                let absent = self.clerks.iter().filter(|clerk| !clerk.registered);
                let names: Vec<String> = absent.map(|clerk| format!("{:?}", clerk.desk)).collect();
                return Err(Broken::NotRegistered(names.join(", ")));
            }
            self.turn()?;
        }
        Ok(())
    }

    /// All numbers are called. Gives the number of calls in which something was missing.
    pub fn run(&mut self) -> Result<usize, Broken> {
        self.dial_at = self.mover.now().mono;
        while self.judged < self.callers.len() {
            self.turn()?;
            self.dial_next();
            self.look();
            self.press_digits();
            self.end_overdue();
            self.close_books()?;
            while let Ok(verdict) = self.verdicts.try_recv() {
                self.show(&verdict);
            }
        }
        Ok(self.faulty)
    }

    /// Lets the telephones go on until `done` or the bound.
    pub fn until(
        &mut self,
        bound: Duration,
        mut done: impl FnMut(&Reader, &mut EngineProcess) -> bool,
    ) -> Result<bool, Broken> {
        let end = self.mover.now().mono + bound;
        loop {
            if done(&self.reader, self.engine) {
                return Ok(true);
            }
            let now = self.mover.now().mono;
            if now >= end {
                return Ok(false);
            }
            self.mover.turn(now + TURN_MAX)?;
        }
    }

    fn turn(&mut self) -> Result<(), Broken> {
        for (phone, event) in self.events()? {
            if let Some(place) = self.clerks.iter().position(|clerk| clerk.phone == phone) {
                self.clerk_told(place, event);
            } else if let Some(place) = self.callers.iter().position(|caller| caller.phone == Some(phone)) {
                self.caller_told(place, event);
            }
        }
        Ok(())
    }

    /// Lets the telephones go on for a moment; gives what they were told meanwhile.
    pub(super) fn events(&mut self) -> Result<Vec<(PartyKey, PhoneEvent)>, Broken> {
        let now = self.mover.now().mono;
        self.mover.turn(now + TURN_MAX)?;
        if self.mover.take_ring() {
            return Err(Broken::Interrupted);
        }
        match self.engine.ended()? {
            Some(status) => Err(Broken::EngineEnded(status)),
            None => Ok(std::iter::from_fn(|| self.mover.poll_event()).collect()),
        }
    }

    /// A caller's telephone, which calls the engine.
    pub(super) fn plug_in(&mut self, number: &str) -> io::Result<PartyKey> {
        self.mover.plug_in(number, self.engine.sip(), |_| {})
    }

    fn dial_next(&mut self) {
        let now = self.mover.now().mono;
        if now < self.dial_at {
            return;
        }
        let waiting = self.callers.iter_mut().enumerate().find(|(_, caller)| caller.phase == Phase::Waiting);
        let Some((place, caller)) = waiting else { return };
        self.dial_at = now + PACE;
        caller.phase = Phase::Dialled;
        caller.dialled_at = Some(now);
        let number = caller.line.to_string();
        let called = self.mover.plug_in(&caller.number, self.engine.sip(), |_| {}).map(|phone| {
            caller.phone = Some(phone);
            self.mover.order(phone, |phone, now| phone.dial(Dial::to(&number), now))
        });
        match called {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.over(place, Some(error.to_string())),
            Err(error) => self.over(place, Some(error.to_string())),
        }
    }

    fn caller_told(&mut self, place: usize, event: PhoneEvent) {
        let caller = &self.callers[place];
        let Some(phone) = caller.phone else { return };
        match event {
            PhoneEvent::Answered => {
                let voice = crate::cli::sounds::tone(caller.voice);
                self.mover.order(phone, |phone, now| phone.play(voice, true, now));
            }
            PhoneEvent::Refused { status, .. } => {
                self.over(place, Some(format!("被拒 / refused: {status}")));
            }
            PhoneEvent::Ended { by: Side::Timeout, .. } => {
                self.over(place, Some("无应答 / nobody answered the caller's telephone".to_owned()));
            }
            PhoneEvent::Ended { .. } => self.over(place, None),
            _ => {}
        }
    }

    pub(super) fn clerk_told(&mut self, place: usize, event: PhoneEvent) {
        let now = self.mover.now().mono;
        let clerk = &mut self.clerks[place];
        let phone = clerk.phone;
        match event {
            PhoneEvent::Registered { .. } => clerk.registered = true,
            // A clerk who signs in again is free at once: the demo does not wait for the wrap-up.
            PhoneEvent::Unregistered => self.mover.order(phone, Phone::register),
            PhoneEvent::IncomingCall { from, headers, .. } => {
                let header = |name: &str| {
                    headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, text)| text)
                };
                let call = header("X-Hotline-Call").and_then(|text| CallId::parse(text.trim()));
                let caller = self.callers.iter().position(|caller| from.contains(&caller.number));
                clerk.serves = caller;
                if let Some(caller) = caller.map(|caller| &mut self.callers[caller]) {
                    caller.clerk = Some(place);
                    caller.call = call;
                }
            }
            PhoneEvent::Answered => {
                if let Some(caller) = clerk.serves {
                    self.callers[caller].phase = Phase::Talking { since: now, heard: 0 };
                }
                let voice = crate::cli::sounds::tone(clerk.voice);
                self.mover.order(phone, |phone, now| phone.play(voice, true, now));
            }
            PhoneEvent::Ended { by, .. } => {
                let heard = self.mover.party(phone).heard().to_vec();
                if let Some(caller) = clerk.serves {
                    self.callers[caller].clerk_heard = heard;
                }
                if by != Side::Us {
                    self.clerk_is_free(place);
                }
            }
            PhoneEvent::HangUpAnswered { .. } => {
                if let Some(caller) = clerk.serves {
                    self.digits.set(&caller, Some(now + GRADE_AFTER));
                }
                self.clerk_is_free(place);
            }
            _ => {}
        }
    }

    fn clerk_is_free(&mut self, place: usize) {
        let clerk = &mut self.clerks[place];
        clerk.serves = None;
        if let Desk::Seat(_) = clerk.desk {
            let phone = clerk.phone;
            self.mover.order(phone, Phone::unregister);
        }
    }

    /// Listens at both ends of each talk; who has heard enough parts.
    fn look(&mut self) {
        let now = self.mover.now().mono;
        if now < self.look_at {
            return;
        }
        self.look_at = now + LOOK_EVERY;
        for place in 0..self.callers.len() {
            let caller = &self.callers[place];
            let (Phase::Talking { since, heard }, Some(phone), Some(clerk)) =
                (caller.phase, caller.phone, caller.clerk.map(|clerk| &self.clerks[clerk]))
            else {
                continue;
            };
            let hears = |phone: PartyKey, voice: u32| {
                let heard = self.mover.party(phone).heard();
                hear::is_there(voice, &heard[heard.len().saturating_sub(hear::LOOK)..])
            };
            let both = hears(phone, clerk.voice) && hears(clerk.phone, caller.voice);
            let heard = heard + u32::from(both);
            if heard < LOOKS && now < since + TALK_MAX {
                self.callers[place].phase = Phase::Talking { since, heard };
                continue;
            }
            // In a sub-center nobody asks for a grade: there the caller hangs up.
            let leaves = match clerk.desk {
                Desk::Seat(_) => clerk.phone,
                Desk::SubCenter(_) => phone,
            };
            self.callers[place].phase = Phase::Parting;
            self.mover.order(leaves, Phone::hang_up);
        }
    }

    fn press_digits(&mut self) {
        while let Some(place) = self.digits.take_due(self.mover.now().mono) {
            let caller = &self.callers[place];
            if let Some(phone) = caller.phone.filter(|_| self.plan.survey.enabled) {
                let digit = caller.grade.to_string();
                self.mover.order(phone, |phone, now| phone.press(&digit, now));
            }
        }
    }

    fn end_overdue(&mut self) {
        let now = self.mover.now().mono;
        for place in 0..self.callers.len() {
            let caller = &self.callers[place];
            let late = caller.dialled_at.is_some_and(|at| now >= at + CALL_MAX);
            if late && caller.phase != Phase::Over {
                if let Some(phone) = caller.phone {
                    self.mover.order(phone, Phone::hang_up);
                }
                self.over(
                    place,
                    Some(format!("没有在 {0} 秒内结束 / not over within {0} s", CALL_MAX.as_secs())),
                );
            }
        }
    }

    fn over(&mut self, place: usize, fault: Option<String>) {
        let bound = self.mover.now().mono + BOOKS_MAX;
        let caller = &mut self.callers[place];
        if caller.phase == Phase::Over {
            return;
        }
        caller.phase = Phase::Over;
        caller.faults.extend(fault);
        if let Some(phone) = caller.phone {
            caller.heard = self.mover.party(phone).heard().to_vec();
        }
        self.closing.push((place, bound));
    }

    fn show(&mut self, verdict: &Verdict) {
        self.judged += 1;
        self.faulty += usize::from(!verdict.faults.is_empty());
        let caller = &self.callers[verdict.place];
        let clerk = caller.clerk.map(|clerk| &self.clerks[clerk]);
        table::call(self.plan, caller, clerk, verdict);
    }
}
