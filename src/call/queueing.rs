//! The caller waits: music, position, and the seat that rings meanwhile.

use std::time::Duration;

use super::{Call, Callee, Command, Doing, Timer, Told};
use crate::id::{PromptId, QueueId, SeatId};
use crate::routing::plan::Step;
use crate::routing::speech;
use crate::sip::Clearing;
use crate::time::Now;

/// Waits beyond this are announced as this: nobody plans by such figures.
const WAIT_SPOKEN_MAX_MIN: u32 = 99;

impl Call {
    pub(super) fn join_queue(&mut self, queue: QueueId, first: bool) {
        self.queue = Some(queue.clone());
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
        let awaited = self.doing == Doing::Queueing || self.awaits(&seat);
        if !awaited || self.other.is_some() {
            // The offer crossed something else on its way: the seat is free again.
            return self.push(Command::OfferFailed { seat, status: 487 });
        }
        self.call_out(Callee::Seat(seat), waited, now.mono);
    }

    /// The offer lapsed, and `acd` knows: the ringing ends, the caller waits on. So it does where the
    /// seat picked up in the same moment: `acd` has given the place to nobody, and the seat away.
    pub(super) fn withdraw_seat(&mut self, seat: &SeatId, now: Now) {
        if self.other.is_none() && self.awaits(seat) {
            return self.transfer_failed(480, now);
        }
        let Some(other) = self.other.take_if(|other| other.callee == Callee::Seat(seat.clone())) else {
            return;
        };
        let answered = other.answered;
        // Another seat gets the call: this telephone shows no missed one.
        self.drop_other_for(Clearing::Elsewhere, other, Duration::ZERO, false);
        if self.transfer.is_some() {
            return self.transfer_failed(480, now);
        }
        if answered {
            self.timers.cancel(Timer::ProbeOther);
            self.timers.cancel(Timer::Introduction);
            self.holding = (false, false);
            if std::mem::take(&mut self.put_through)
                && let Some(queue) = self.queue.clone()
            {
                // Whoever put the caller through is gone, and no queue holds the place.
                return self.join_queue(queue, true);
            }
            self.doing = Doing::Queueing;
            self.play_music();
        }
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
            let minutes = u32::try_from(wait.as_secs().div_ceil(60).max(1)).unwrap_or(u32::MAX);
            words.push("queue_wait_before".into());
            words.extend(speech::cardinal(minutes.min(WAIT_SPOKEN_MAX_MIN)));
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
        if let Some(other) = self.other.take() {
            self.drop_other(other, Duration::ZERO, false);
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
}
