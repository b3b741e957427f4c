//! Clerks of callers who wait in line, and third parties whom they ask in: what they do one after
//! another, and whether they hear whom they should.
//!
//! A clerk talks for its time and hangs up. In a three-way call it first asks the third party in, talks
//! with it aside, and joins all three; then, by turns, the clerk leaves by `##` or the third party hangs
//! up, and the two who remain talk once more.

use std::time::Duration;

use super::super::calls::{Call, Role, Stage, Step, Whose, far_tone, near_tone, third_tone};
use super::super::figures::note;
use super::super::judge::{TONE_KEPT, Tone, Wanted};
use super::super::lobby::Guest;
use super::super::mix::Kind;
use super::Floor;
use crate::phone::stream::Kept;
use crate::phone::{Phone, Side};
use crate::time::Instant;

/// A clerk hears the caller out for so long before a third party is asked in.
const ASK_AFTER: Duration = Duration::from_secs(1);
/// Clerk and third party talk aside.
const ASIDE: Duration = Duration::from_secs(1);
/// What was asked for has come about within this, or failed.
const STEP_MAX: Duration = Duration::from_secs(10);
/// When nobody is left but the caller, the server ends the call within this.
const RELEASE_MAX: Duration = Duration::from_secs(20);
/// Who talk shorter are not judged: what was heard before is in it.
const JUDGED_FROM: Duration = Duration::from_secs(2);
/// The last of a talk that is judged, and some more.
const JUDGED: Duration = Duration::from_millis(1_500);
/// Where the tool's own lateness spoilt it, people talk on for so long,
const PUT_OFF: Duration = Duration::from_millis(250);
/// so often.
const PUT_OFF_MAX: u32 = 40;
/// All three.
const MERGE: &str = "*0";
/// The clerk leaves.
const LEAVE: &str = "##";

impl Floor {
    /// One who answers for us is called for a caller of ours.
    pub(super) fn clerk_called(&mut self, guest: Guest, whose: Whose, at: Instant) {
        let is_seat = self.is_seat(guest);
        let Some(call) = self.call_of(whose) else { return };
        if is_seat {
            call.clerk = Some(guest);
            return self.line.offered(guest, whose.index, at);
        }
        call.third = Some(guest);
        let Some(clerk) = call.clerk.filter(|_| whose.kind == Kind::ThreeWay) else { return };
        let pressed = self.lines[clerk].port.and_then(|port| self.streams.last_key_at(port));
        if let (Some(Step::Asks), Some(pressed), true) = (self.step(clerk), pressed, whose.measured) {
            note(&mut self.figures.three.consult, at.since(pressed));
        }
    }

    /// It answered.
    pub(super) fn clerk_answered(&mut self, guest: Guest, at: Instant) {
        let Some(whose) = self.whose(guest) else { return };
        self.set_step(guest, Step::Talks { since: at });
        if self.is_seat(guest) {
            self.line.answered(guest, whose.index, at);
            self.figures.kind(whose.kind, whose.measured).served += 1;
            let asks = whose.kind == Kind::ThreeWay;
            self.deeds.set(&guest, Some(at + if asks { ASK_AFTER } else { self.plan.talk }));
            if whose.kind.waits() && self.call_of(whose).is_some() {
                self.deeds.set(&whose.caller, Some(at + self.plan.life(whose.kind) + STEP_MAX));
            }
            return;
        }
        let Some(clerk) = self.call_of(whose).and_then(|call| call.clerk) else { return };
        if self.step(clerk) == Some(Step::Asks) {
            self.set_step(clerk, Step::Consults);
            self.deeds.set(&clerk, Some(at + ASIDE));
        }
    }

    /// The next of its deeds is due.
    pub(super) fn clerk_due(&mut self, guest: Guest, now: Instant) {
        let (Some(whose), Some(step)) = (self.whose(guest), self.step(guest)) else { return };
        if self.puts_off(guest, whose, step) {
            return;
        }
        let third = self.call_of(whose).and_then(|call| call.third);
        match (step, third) {
            (Step::Talks { .. }, _) if whose.kind == Kind::ThreeWay => {
                self.figures.three.asked += u64::from(whose.measured);
                let consult = self.plan.consult.clone();
                self.press(guest, whose, &consult, Step::Asks, STEP_MAX, now);
            }
            (Step::Talks { since }, _) => {
                self.judge_pair(whose, guest, far_tone(whose.index), now.since(since));
                self.hang_up_last(guest, whose, now);
            }
            (Step::Asks, third) => {
                let failed = if third.is_some() { "third did not answer" } else { "third was not called" };
                self.step_failed(whose, failed);
                self.hang_up_last(guest, whose, now);
            }
            (Step::Consults, _) => {
                let talk = self.plan.talk;
                self.press(guest, whose, MERGE, Step::Together, talk, now);
            }
            (Step::Together, Some(third)) => self.part(guest, third, whose, now),
            (Step::Leaves, Some(third)) => {
                self.step_failed(whose, "clerk was not let go");
                self.hang_up(third, now);
                self.hang_up_last(guest, whose, now);
            }
            (Step::Remains, _) => {
                let tone = if self.is_seat(guest) { far_tone } else { third_tone };
                self.judge_pair(whose, guest, tone(whose.index), self.plan.talk);
                self.figures.three.finished += u64::from(whose.measured);
                self.hang_up_last(guest, whose, now);
            }
            (Step::Together | Step::Leaves, None) => self.hang_up_last(guest, whose, now),
            (Step::Rings | Step::Ends, _) => {}
        }
    }

    /// Whether people talk on, for what they heard was spoilt by the tool itself.
    fn puts_off(&mut self, guest: Guest, whose: Whose, step: Step) -> bool {
        let asks = whose.kind == Kind::ThreeWay;
        let judged =
            matches!(step, Step::Together | Step::Remains) || matches!(step, Step::Talks { .. }) && !asks;
        let now = self.lobby.now().mono;
        let late = whose.sampled && judged && self.streams.were_late_within(JUDGED);
        let Role::Far { taken: Some(taken), .. } = &mut self.lines[guest].role else { return false };
        let puts_off = late && taken.put_off < PUT_OFF_MAX;
        if puts_off {
            taken.put_off += 1;
            self.deeds.set(&guest, Some(now + PUT_OFF));
        }
        puts_off
    }

    /// All three have talked: the clerk leaves, or the third party does.
    fn part(&mut self, clerk: Guest, third: Guest, whose: Whose, now: Instant) {
        let index = whose.index;
        let all = [(whose.caller, near_tone(index)), (clerk, far_tone(index)), (third, third_tone(index))];
        for (guest, own) in all {
            let others = all.iter().map(|(_, tone)| *tone).filter(|tone| *tone != own).collect();
            self.judge_now(guest, others, self.plan.talk, true);
        }
        self.figures.three.merged += u64::from(whose.measured);
        if index.is_multiple_of(2) {
            return self.press(clerk, whose, LEAVE, Step::Leaves, STEP_MAX, now);
        }
        self.hang_up(third, now);
        self.remains(clerk, now);
    }

    fn remains(&mut self, guest: Guest, now: Instant) {
        self.set_step(guest, Step::Remains);
        self.deeds.set(&guest, Some(now + self.plan.talk));
    }

    fn press(&mut self, clerk: Guest, whose: Whose, keys: &str, then: Step, within: Duration, now: Instant) {
        if self.lines[clerk].port.is_some_and(|port| self.streams.press(port, keys)) {
            self.set_step(clerk, then);
            self.deeds.set(&clerk, Some(now + within));
        } else {
            self.step_failed(whose, "no telephone events");
            self.hang_up_last(clerk, whose, now);
        }
    }

    fn hang_up(&mut self, guest: Guest, now: Instant) {
        self.set_step(guest, Step::Ends);
        self.deeds.set(&guest, None);
        if self.is_seat(guest) {
            self.line.freed(guest, now);
        }
        self.lobby.order(guest, Phone::hang_up);
    }

    /// Nobody remains with the caller.
    fn hang_up_last(&mut self, guest: Guest, whose: Whose, now: Instant) {
        self.hang_up(guest, now);
        if let Some(call) = self.call_of(whose) {
            call.left = true;
            if whose.kind.waits() {
                self.deeds.set(&whose.caller, Some(now + RELEASE_MAX));
            }
        }
    }

    /// The call of one who answers for us is over.
    pub(super) fn clerk_ended(&mut self, guest: Guest, by: Side, at: Instant) {
        let (Some(whose), Some(step)) = (self.whose(guest), self.step(guest)) else { return };
        self.deeds.set(&guest, None);
        if by == Side::Us {
            return;
        }
        if self.is_seat(guest) {
            self.line.freed(guest, at);
        }
        let stopped = self.stopped_early;
        let Some(call) = self.call_of(whose) else { return };
        if call.stage != Stage::Talking || call.left || stopped {
            return; // The caller hung up.
        }
        match (step, call.third) {
            (Step::Leaves, Some(third)) => self.remains(third, at),
            (Step::Rings | Step::Ends, _) => {}
            _ if whose.kind == Kind::ThreeWay => {
                let who = if self.is_seat(guest) { "clerk was cut off" } else { "third was cut off" };
                self.step_failed(whose, who);
            }
            _ => {}
        }
    }

    fn step_failed(&mut self, whose: Whose, what: &str) {
        if whose.measured {
            *self.figures.three.failures.entry(what.to_owned()).or_default() += 1;
        }
    }

    fn judge_pair(&mut self, whose: Whose, guest: Guest, tone: Tone, together: Duration) {
        self.judge_now(whose.caller, vec![tone], together, false);
        self.judge_now(guest, vec![near_tone(whose.index)], together, false);
    }

    /// Judges what a leg heard last, and keeps on listening.
    fn judge_now(&mut self, guest: Guest, tones: Vec<Tone>, together: Duration, three: bool) {
        let Some((_, ear)) = self.lines[guest].port.and_then(|port| self.streams.leg(port)) else { return };
        let Some(kept) = ear.take_kept() else { return };
        ear.keep(Kept::last(TONE_KEPT, self.plan.codec));
        let wanted = if together < JUDGED_FROM { Wanted::Unknown } else { Wanted::Tones(tones) };
        if let Some(bench) = &mut self.bench {
            bench.submit(wanted, kept, three);
        }
    }

    fn is_seat(&self, guest: Guest) -> bool {
        matches!(self.lines[guest].role, Role::Far { seat: true, .. })
    }

    fn whose(&self, guest: Guest) -> Option<Whose> {
        match &self.lines[guest].role {
            Role::Far { taken: Some(taken), .. } => taken.of,
            _ => None,
        }
    }

    fn step(&self, guest: Guest) -> Option<Step> {
        match &self.lines[guest].role {
            Role::Far { taken: Some(taken), .. } => Some(taken.step),
            _ => None,
        }
    }

    fn set_step(&mut self, guest: Guest, step: Step) {
        if let Role::Far { taken: Some(taken), .. } = &mut self.lines[guest].role {
            (taken.step, taken.put_off) = (step, 0);
        }
    }

    /// The call, while it is up.
    fn call_of(&mut self, whose: Whose) -> Option<&mut Call> {
        match &mut self.lines[whose.caller].role {
            Role::Caller(Some(call)) if call.index == whose.index => Some(call),
            _ => None,
        }
    }
}
