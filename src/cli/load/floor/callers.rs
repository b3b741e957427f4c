//! Those who call: begun when they are due, followed to their ends.

use std::io;
use std::time::Duration;

use super::super::calls::{Call, Line, Role, Stage};
use super::super::figures::note;
use super::super::lobby::Guest;
use super::super::mix::Kind;
use super::super::plan::Scenario;
use super::{Floor, LIVE_ON, Phase, STARTS, Why};
use crate::phone::{Answers, Dial, Phone, PhoneEvent, Side};
use crate::time::Instant;

impl Floor {
    pub(super) fn begin_due(&mut self, now: Instant) -> io::Result<()> {
        if self.phase != Phase::Beginning {
            return Ok(());
        }
        for _ in 0..STARTS {
            let Some(due) = self.schedule.peek().map(|due| self.began + *due) else { break };
            if due > now {
                break;
            }
            if self.plan.calls.is_some_and(|calls| self.next >= calls) {
                self.end(now, Why::Enough);
                break;
            }
            self.schedule.next();
            let measured = due >= self.measured_from;
            let guest = match self.idle.pop_front() {
                Some(guest) => guest,
                None if self.callers < self.plan.calls_max => self.add_caller()?,
                None => {
                    self.figures.calls.not_started += u64::from(measured);
                    continue;
                }
            };
            self.begin(guest, due, measured)?;
        }
        Ok(())
    }

    pub(super) fn begin(&mut self, guest: Guest, due: Instant, measured: bool) -> io::Result<()> {
        let index = self.next;
        self.next += 1;
        let number = self.plan.caller(index);
        // Drawn for every call, so that the seed decides alike whatever else happens.
        let lot = (self.sample.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        let kind = self.plan.mix.draw(&mut self.lots);
        let holds = self.holds(kind);
        let dial = Dial {
            from_user: Some(number.clone()),
            headers: self.plan.headers.clone(),
            ..Dial::to(&self.plan.number(index, kind))
        };
        self.by_number.insert(number.clone(), guest);
        self.lines[guest].role = Role::Caller(Some(Call {
            index,
            due,
            stage: Stage::Calling,
            progressed: false,
            rang: false,
            measured,
            sampled: self.plan.with_sound() && lot < self.plan.sample,
            number,
            paired: false,
            kind,
            holds,
            clerk: None,
            third: None,
            left: false,
        }));
        self.figures.kind(kind, measured).attempted += 1;
        self.up += 1;
        self.figures.calls.peak = self.figures.calls.peak.max(self.up);
        self.figures.now.attempted += 1;
        self.deeds.set(&guest, Some(due + self.plan.patience));
        let begun = self.lobby.now().mono;
        if measured {
            self.figures.calls.attempted += 1;
            note(&mut self.figures.start_late, begun.since(due));
        }
        let dialled = self.lobby.order(guest, |phone, now| phone.dial(dial, now));
        dialled.map_err(|error| io::Error::other(format!("不能呼叫 / cannot call: {error}")))
    }

    /// How long a caller stays after the answer, if nobody ends the call sooner.
    fn holds(&mut self, kind: Kind) -> Duration {
        // Drawn for every call, so that the seed decides alike whatever else happens.
        let lot = self.lots.below(1_000) as u32;
        match kind {
            Kind::Plain | Kind::Prompt => self.plan.hold,
            Kind::Queue | Kind::ThreeWay => self.plan.wait,
            Kind::Abandon => self.plan.abandon_after * (lot + 1) / 1_000,
        }
    }

    /// A caller's time is over: the hang-up is due.
    pub(super) fn caller_due(&mut self, guest: Guest, due: Instant) {
        let Role::Caller(Some(call)) = &mut self.lines[guest].role else { return };
        let (kind, measured, stage) = (call.kind, call.measured, call.stage);
        match stage {
            Stage::Calling => {
                // The telephone is busy until its CANCEL, or the silence, has come to an end.
                self.failed(guest, "not answered in time");
            }
            Stage::Talking => {
                call.stage = Stage::Ending { due };
                let in_line = kind.waits() && call.clerk.is_none() && !self.stopped_early;
                self.line.not_released += u64::from(call.left && kind.waits() && measured);
                if in_line {
                    self.figures.kind(kind, measured).abandoned += 1;
                    self.line.abandoned += u64::from(kind != Kind::Abandon && measured);
                    self.line.leave(call.index);
                }
            }
            Stage::Ending { .. } => return,
        }
        self.lobby.order(guest, Phone::hang_up);
    }

    pub(super) fn heed_caller(&mut self, guest: Guest, event: PhoneEvent, at: Instant) -> io::Result<()> {
        let Floor { lines, figures, deeds, line, .. } = self;
        let Role::Caller(Some(call)) = &mut lines[guest].role else {
            // A call that was given up, to its very end.
            if matches!(event, PhoneEvent::Ended { .. } | PhoneEvent::Refused { .. }) {
                self.idle.push_back(guest);
            }
            return Ok(());
        };
        let since = at.since(call.due);
        match event {
            PhoneEvent::Ringing { status: 101.., .. } | PhoneEvent::Answered => {
                let answered = event == PhoneEvent::Answered;
                let rings = matches!(event, PhoneEvent::Ringing { status: 180, .. });
                if !std::mem::replace(&mut call.progressed, true) {
                    note(&mut figures.now.post_dial, since);
                    if call.measured {
                        note(&mut figures.post_dial, since);
                    }
                }
                if rings && !std::mem::replace(&mut call.rang, true) && call.measured {
                    note(&mut figures.ringing, since);
                }
                if answered {
                    figures.now.answered += 1;
                    figures.answered_ever += 1;
                    note(&mut figures.now.setup, since);
                    if call.measured {
                        figures.calls.answered += 1;
                        note(&mut figures.setup, since);
                    }
                    figures.kind(call.kind, call.measured).answered += 1;
                    call.stage = Stage::Talking;
                    if call.kind.waits() {
                        line.join(call.index, at, call.measured);
                    }
                    let holds = at + call.holds;
                    deeds.set(&guest, Some(holds));
                    self.answered(guest, holds);
                }
            }
            PhoneEvent::SoundAgreed(agreed) => self.agree(guest, agreed, at),
            PhoneEvent::Refused { status, .. } => {
                self.failed(guest, &status.to_string());
                self.idle.push_back(guest);
            }
            PhoneEvent::HangUpAnswered { status } => {
                if let (Stage::Ending { due }, true) = (call.stage, call.measured) {
                    match status {
                        Some(200..=299) => note(&mut figures.bye, at.since(due)),
                        _ => figures.calls.bye_failed += 1,
                    }
                }
                self.finish(guest)?;
            }
            PhoneEvent::Ended { by, status } => self.caller_ended(guest, by, status)?,
            _ => {}
        }
        Ok(())
    }

    /// Whoever is in a meeting leaves with the last who came, so that all hear all to the end. When no
    /// more calls begin, a late answer does not make the run longer.
    pub(super) fn answered(&mut self, guest: Guest, holds: Instant) {
        if let Phase::Ending { .. } = self.phase {
            let last = self.live_on.max(self.lobby.now().mono + LIVE_ON);
            self.deeds.set(&guest, Some(holds.min(last)));
        }
        if self.plan.scenario != Scenario::Meeting {
            return;
        }
        let Role::Caller(Some(call)) = &self.lines[guest].role else { return };
        let room = call.index / self.plan.per_room;
        for index in room * self.plan.per_room..call.index {
            if let Some(other) = self.by_number.get(&self.plan.caller(index))
                && let Role::Caller(Some(Call { stage: Stage::Talking, .. })) = &self.lines[*other].role
            {
                let other = *other;
                let holds = self.deeds.due(&guest).unwrap_or(holds);
                self.deeds.set(&other, Some(holds));
            }
        }
    }

    pub(super) fn caller_ended(&mut self, guest: Guest, by: Side, status: Option<u16>) -> io::Result<()> {
        let Role::Caller(Some(call)) = &self.lines[guest].role else { return Ok(()) };
        match (call.stage, by) {
            (Stage::Calling, _) => {
                let cause = match (by, status) {
                    (Side::Timeout, _) => "no answer to INVITE".to_owned(),
                    (_, Some(status)) => status.to_string(),
                    (_, None) => "ended early".to_owned(),
                };
                self.failed(guest, &cause);
                self.idle.push_back(guest);
            }
            // Until the BYE is answered.
            (Stage::Ending { .. }, Side::Us) => self.end_leg(guest)?,
            (Stage::Ending { .. }, _) => self.finish(guest)?,
            (Stage::Talking, Side::Us) => {
                // By its own manners: no codec in common, or our 200 never acknowledged.
                self.failed(guest, "no common codec");
                self.idle.push_back(guest);
            }
            (Stage::Talking, _) if call.left => self.finish(guest)?,
            (Stage::Talking, _) if call.kind.waits() && call.clerk.is_none() => {
                self.line.turned_away += u64::from(call.measured);
                self.finish(guest)?;
            }
            (Stage::Talking, _) => {
                self.figures.calls.cut_off += u64::from(call.measured);
                self.finish(guest)?;
            }
        }
        Ok(())
    }

    pub(super) fn failed(&mut self, guest: Guest, cause: &str) {
        self.figures.now.failed += 1;
        if let Role::Caller(Some(call)) = &self.lines[guest].role
            && call.measured
        {
            self.figures.kind(call.kind, true).failed += 1;
            self.figures.failed(cause);
        }
        self.free(guest);
    }

    /// The call is over, however it went.
    pub(super) fn finish(&mut self, guest: Guest) -> io::Result<()> {
        self.end_leg(guest)?;
        self.free(guest);
        self.idle.push_back(guest);
        Ok(())
    }

    pub(super) fn free(&mut self, guest: Guest) {
        let Role::Caller(slot) = &mut self.lines[guest].role else { return };
        let Some(call) = slot.take() else { return };
        if self.by_number.get(&call.number) == Some(&guest) {
            self.by_number.remove(&call.number);
        }
        self.deeds.set(&guest, None);
        self.line.leave(call.index);
        self.up -= 1;
    }

    pub(super) fn add_caller(&mut self) -> io::Result<Guest> {
        let (door, at) = self.near;
        let account = self.plan.user.clone();
        let user = account.as_ref().map_or_else(|| self.plan.caller(0), |(user, _)| user.clone());
        let (mut config, port) = self.config(&user, at)?;
        config.password = account.map(|(_, password)| password);
        config.answers = Answers::Busy;
        self.callers += 1;
        Ok(self.add(config, door, Line { port, role: Role::Caller(None) }))
    }
}
