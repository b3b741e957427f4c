//! How a call ends: whoever leaves, what is hung up, and the last figures.

use super::bot::BotEnd;
use super::{Call, Command, Doing, Ending, FAREWELL_MAX, Input, Stage, Timer, Told};
use crate::id::LegId;
use crate::media::Order;
use crate::sip::Clearing;
use crate::time::Now;

impl Ending {
    /// What the caller's Reason says of it.
    pub(super) fn clearing(self) -> Clearing {
        match self {
            Ending::TooLong => Clearing::TooLong,
            Ending::Drained | Ending::Failed => Clearing::OutOfOrder,
            Ending::CallerVanished => Clearing::Vanished,
            Ending::CallerHungUp
            | Ending::CallerCancelled
            | Ending::Completed
            | Ending::OtherHungUp
            | Ending::Refused(_) => Clearing::Normal,
        }
    }

    /// The same, to a program that the caller talks with.
    fn of_talk(self) -> BotEnd {
        match self {
            Ending::CallerHungUp | Ending::CallerCancelled | Ending::CallerVanished => BotEnd::CallerLeft,
            Ending::Completed
            | Ending::OtherHungUp
            | Ending::Refused(_)
            | Ending::Drained
            | Ending::TooLong
            | Ending::Failed => BotEnd::CallEnded,
        }
    }
}

impl Call {
    /// CANCEL has no effect on a call that was answered (RFC 3261 §9.2): the caller's BYE follows.
    pub(super) fn cancelled(&mut self, now: Now) {
        if self.stage == Stage::Ringing {
            self.stage = Stage::Gone;
            self.end(Ending::CallerCancelled, now);
        }
    }

    /// A dialog is over, or its peer is held to be gone.
    pub(super) fn leg_ended(&mut self, leg: LegId, vanished: bool, now: Now) {
        if leg == self.caller.id {
            if !vanished {
                self.stage = Stage::Gone;
            }
            let cause = match vanished {
                _ if self.turned.is_some() => Ending::OtherHungUp, // Whom a clerk has called.
                true => Ending::CallerVanished,
                false => Ending::CallerHungUp,
            };
            self.caller_gone(cause, now);
        } else {
            self.party_left(leg, vanished, now);
        }
    }

    /// Hangs up whatever is up.
    pub(super) fn end(&mut self, cause: Ending, now: Now) {
        let cause = self.left.map_or(cause, |left| left.ended(cause));
        self.leave_bot(cause.of_talk(), now);
        self.leave_message(now);
        // Until they hear one another the place is the caller's, and more seats may be about to ring.
        let unmet = self.other.as_ref().is_some_and(|other| other.seat().is_some() && other.met.is_none());
        if unmet || matches!(self.doing, Doing::Queueing) || self.wants_seat() || !self.ringing.is_empty() {
            self.push(Command::LeaveQueue);
        }
        let third = self.abandon_third();
        self.leave_meeting(now);
        self.leave_watched();
        let ringing = std::mem::take(&mut self.ringing);
        for party in self.other.take().into_iter().chain(third).chain(ringing) {
            self.drop_other(party, false, now);
        }
        match self.stage {
            Stage::Ringing => self.turn_away_first(cause),
            Stage::Answered => self.push(Command::HangUp { leg: self.caller.id, why: cause.clearing() }),
            Stage::Gone => {}
        }
        self.timers.clear();
        self.doing = Doing::Ended { cause };
        if std::mem::take(&mut self.recording) {
            self.push(Command::Sound(Order::StopRecord { call: self.id }));
        }
        let awaited = if self.goes_on_alone() { self.figures_are_due() } else { self.close_first(now) };
        match awaited {
            true => self.timers.set(Timer::Farewell, now.mono + FAREWELL_MAX),
            false => self.close(cause),
        }
    }

    /// Closes the sound of whoever is on the first leg. Whether there are figures to come.
    pub(super) fn close_first(&mut self, now: Now) -> bool {
        self.tell_served_left(now);
        if self.caller.is_open() {
            self.push(Command::Sound(Order::Close { leg: self.caller.id }));
            return true;
        }
        if self.first_has_port() {
            self.push(Command::FreePort { slot: self.caller.slot });
        }
        false
    }

    /// After the end only the last figures matter, until they are there (`cause`), and a port that
    /// was asked for and comes too late.
    pub(super) fn handle_farewell(&mut self, cause: Option<Ending>, input: &Input) {
        match (cause, input) {
            (Some(cause), Input::SoundClosed { leg, figures }) => {
                self.leg_closed(*leg, **figures);
                // The first leg is the last to be closed, but where it was gone before the others were.
                if *leg == self.caller.id || self.goes_on_alone() && !self.figures_are_due() {
                    self.close(cause);
                }
            }
            (_, Input::Port { slot: Some(slot), .. }) => self.push(Command::FreePort { slot: *slot }),
            // Whoever comes for a leg that is over wants to hear so.
            (_, Input::Replaced { leg, .. }) => self.push(Command::RefuseTakeOver { leg: *leg, status: 481 }),
            (_, Input::Referred { leg, refer, .. }) => {
                self.push(Command::RefuseRefer { leg: *leg, refer: *refer, status: 603 });
            }
            _ => {}
        }
    }

    pub(super) fn close(&mut self, cause: Ending) {
        self.timers.clear();
        self.doing = Doing::Over;
        self.tell(Told::Closed { cause, sound: self.first_sound });
        self.push(Command::Over);
    }
}
