//! The caller waits: music, position, and the seat that rings meanwhile.

use std::time::Duration;

use super::{Call, Callee, Command, Doing, Other, Timer, Told};
use crate::id::{LegId, PromptId, QueueId, SeatId};
use crate::routing::plan::Step;
use crate::routing::queueing::RINGING_MAX;
use crate::routing::reach::Reached;
use crate::routing::speech;
use crate::sip::Clearing;
use crate::time::Now;

impl Call {
    pub(super) fn join_queue(&mut self, queue: QueueId, first: bool) {
        self.queue = Some(queue.clone());
        self.put_through = false;
        self.doing = Doing::Queueing;
        self.tell(Told::Queued { queue: queue.clone() });
        self.play_music();
        self.push(Command::JoinQueue { queue, first });
    }

    pub(super) fn play_music(&mut self) {
        if let Some(music) = self.music() {
            self.play_for_ever(&music);
        }
    }

    /// The queue's music; on a call that never queued, that of the plan's first queue.
    pub(super) fn music(&self) -> Option<PromptId> {
        let queues = &self.plan.queues;
        let queue =
            self.queue.as_ref().and_then(|queue| queues.get(queue)).or_else(|| queues.values().next());
        queue.map(|queue| queue.music.clone())
    }

    /// `acd` found a seat.
    pub(super) fn ring_seat(&mut self, seat: SeatId, waited: Duration, now: Now) {
        if self.awaits(&seat) {
            return self.ring_third(seat, waited, now);
        }
        let rings_already = self.ringing.iter().any(|ringing| ringing.seat() == Some(&seat));
        if self.doing != Doing::Queueing || rings_already || self.ringing.len() >= RINGING_MAX {
            // The offer crossed something else on its way: the seat is free again.
            return self.push(Command::OfferFailed { seat, status: 487 });
        }
        let ringing = self.call_out(Callee::Seat(seat), waited, now.mono);
        self.ringing.push(ringing);
    }

    /// The first of the seats that ring picked up: it has the caller.
    pub(super) fn first_picked_up(&mut self, leg: LegId, now: Now) {
        let Some(at) = self.ringing.iter().position(|ringing| ringing.leg.id == leg) else { return };
        let first = self.ringing.remove(at);
        let waited = first.waited + now.mono.since(first.rings_since);
        let seat = first.seat().cloned();
        self.other = Some(first);
        if let Some(seat) = seat {
            self.seat_answered(seat, waited, now);
        }
    }

    /// A seat that rang, or picked up after another, does not take the call.
    pub(super) fn ringing_failed(&mut self, leg: LegId, status: u16, now: Now) {
        let Some(at) = self.ringing.iter().position(|ringing| ringing.leg.id == leg) else { return };
        let ringing = self.ringing.remove(at);
        let seat = ringing.seat().cloned();
        self.drop_other(ringing, false, now);
        if let Some(seat) = seat {
            self.push(Command::OfferFailed { seat, status });
        }
    }

    /// The first one that picked up is gone before a word was said, and others ring: one in reserve has
    /// the caller at once. The place in the queue is the caller's still, or again.
    pub(super) fn others_ring_on(&mut self, now: Now) {
        self.doing = Doing::Queueing;
        self.play_music();
        if let Some(queue) = self.queue.clone() {
            self.push(Command::JoinQueue { queue, first: true });
        }
        let reserve = self.ringing.iter().find(|ringing| ringing.answered).map(|ringing| ringing.leg.id);
        if let Some(leg) = reserve {
            self.first_picked_up(leg, now);
        }
    }

    /// The offer lapsed, and `acd` knows: the ringing ends, the caller waits on. So it does where the
    /// seat picked up in the same moment: `acd` has given the place to nobody, and the seat away.
    pub(super) fn withdraw_seat(&mut self, seat: &SeatId, now: Now) {
        let is_seat = |other: &Other| other.seat() == Some(seat);
        if let Some(at) = self.ringing.iter().position(is_seat) {
            let ringing = self.ringing.remove(at);
            // Another seat gets the call: this telephone shows no missed one.
            return self.drop_other_for(Clearing::Elsewhere, ringing, false, now);
        }
        let third = self.third.as_mut().and_then(|third| third.party.take_if(|party| is_seat(party)));
        if third.is_some() || self.awaits(seat) {
            self.timers.cancel(Timer::Ring);
            if let Some(third) = &mut self.third {
                third.tried(seat);
                third.asked_again();
            }
            if let Some(party) = third {
                self.drop_other_for(Clearing::Elsewhere, party, false, now);
            }
            return self.third_failed(480, now);
        }
        let Some(other) = self.other.take_if(|other| is_seat(other)) else { return };
        self.drop_other_for(Clearing::Elsewhere, other, false, now);
        self.timers.cancel(Timer::Introduction);
        self.held = false;
        if std::mem::take(&mut self.put_through) {
            // Whoever put the caller through is gone, and no queue holds the place.
            return match self.queue.clone() {
                Some(queue) => self.join_queue(queue, true),
                None => self.untransferred(&Reached::Seat(seat.clone()), now),
            };
        }
        self.doing = Doing::Queueing;
        self.play_music();
    }

    pub(super) fn tell_position(&mut self, ahead: u32, expected_wait: Option<Duration>) {
        if self.doing != Doing::Queueing {
            return;
        }
        let mut words: Vec<PromptId> = Vec::new();
        if ahead == 0 {
            words.push("queue_next".into());
        } else {
            words.push("queue_ahead_before".into());
            words.extend(speech::cardinal(ahead));
            words.push("queue_ahead_after".into());
        }
        if let Some(wait) = expected_wait {
            words.push("queue_wait_before".into());
            words.extend(speech::cardinal(speech::wait_minutes(wait)));
            words.push("queue_wait_after".into());
        }
        words.push("queue_hold_on".into());
        self.say(self.caller.id, &words);
    }

    /// The queue's rule: the flow goes on behind the survey, which is for those who talked.
    pub(super) fn overflowed(&mut self, now: Now) {
        if self.doing != Doing::Queueing {
            return;
        }
        for ringing in std::mem::take(&mut self.ringing) {
            self.drop_other(ringing, false, now);
        }
        self.go_on_unserved(now);
    }

    /// Nobody talked with the caller, and nobody will: behind the survey is what is left to do.
    pub(super) fn go_on_unserved(&mut self, now: Now) {
        if self.steps.front() == Some(&Step::Survey) {
            self.steps.pop_front();
        }
        self.advance(now);
    }

    /// The caller has been left with music too long, or somebody wants it so: back to a queue, first in
    /// line. Whoever talked, or was asked in, is let go for this reason.
    pub(super) fn back_to_queue(&mut self, queue: QueueId, words: &str, why: Clearing, now: Now) {
        self.let_third_go(now);
        self.abandon_third();
        if let Some(other) = self.other.take() {
            self.drop_other_for(why, other, false, now);
        }
        for ringing in std::mem::take(&mut self.ringing) {
            self.drop_other(ringing, false, now);
        }
        self.held = false;
        self.timers.cancel(Timer::Hold);
        self.timers.cancel(Timer::Introduction);
        if let Some(at) = self.steps.iter().position(|step| *step == Step::Queue(queue.clone())) {
            self.steps.drain(..=at);
        }
        self.hush();
        self.join_queue(queue, true);
        self.say(self.caller.id, &[words.into()]);
    }

    /// The clerk has forgotten the caller.
    pub(super) fn waited_too_long(&mut self, now: Now) {
        if let Some(queue) = self.queue.clone().filter(|_| self.is_left_waiting()) {
            self.back_to_queue(queue, "returned_to_queue", Clearing::TooLong, now);
        }
    }
}
