//! From a free seat to the end of its conversation: offers, talks, and each change of a seat.

use crate::acd::event::{AwayWhy, Decision, Overflow, Purpose, SeatState};
use crate::id::{CallId, QueueId, SeatId};
use crate::time::Instant;

use super::acd::{Acd, Phase, Talk, Then, Wake};
use super::decide::decide;
use super::queue::Place;

/// Who has become available, so that only they need to be paired anew.
pub(super) enum Newly {
    Caller(Place),
    Seat(SeatId),
    Anyone,
}

impl Acd {
    /// Pairs whoever has become available with whoever was there before.
    pub(super) fn pair(&mut self, newly: Newly, now: Instant) {
        let free = self.ready.iter().filter_map(|(_, id)| self.seats.get(id)?.free(id));
        let pairs = match newly {
            Newly::Anyone => decide(self.line.values(), free),
            Newly::Caller(place) => decide(self.line.get(&place), free),
            Newly::Seat(id) => {
                decide(self.line.values(), self.seats.get(&id).and_then(|seat| seat.free(&id)))
            }
        };
        for (call, seat) in pairs {
            self.offer(call, seat, now);
        }
    }

    pub(super) fn offer(&mut self, call: CallId, seat: SeatId, now: Instant) {
        let Some(Phase::InLine(place)) = self.calls.get(&call) else {
            return;
        };
        let Some(waiting) = self.line.get_mut(place) else {
            return;
        };
        let Some(queue) = self.queues.get(&waiting.queue) else {
            return;
        };
        waiting.offered_to = Some(seat.clone());
        let waited = now.since(waiting.place.since);
        let lapses_at = now + queue.ring();
        self.agenda.set(&Wake::Caller(call), None);
        self.set_seat(&seat, SeatState::Offered { call, lapses_at }, now);
        self.outputs.push_back(Decision::Offer { call, seat, waited, purpose: Purpose::Caller });
    }

    /// The seat leaves its offer for `state`; the caller, still in place, gets the next seat, unless
    /// the longest wait is over.
    pub(super) fn end_offer(&mut self, call: CallId, seat: &SeatId, state: SeatState, now: Instant) {
        self.set_seat(seat, state, now);
        if self.transfers.remove(&call).is_some() {
            return; // The caller is with somebody, or `call` sees to it.
        }
        let Some(Phase::InLine(place)) = self.calls.get(&call) else {
            return;
        };
        let place = *place;
        if let Some(waiting) = self.line.get_mut(&place) {
            waiting.offered_to = None;
        }
        if self.has_waited_too_long(place, now) {
            // Seats that rest briefly could otherwise pass the caller round for ever.
            self.overflow(place, Overflow::WaitedTooLong, now);
        } else {
            self.pair(Newly::Caller(place), now);
            self.wake_caller(place);
        }
    }

    pub(super) fn withdraw(&mut self, call: CallId, seat: &SeatId) {
        self.outputs.push_back(Decision::Withdraw { call, seat: seat.clone() });
    }

    pub(super) fn rings(&self, call: CallId, seat: &SeatId) -> bool {
        matches!(self.seat(seat), Some(SeatState::Offered { call: offered, .. }) if *offered == call)
    }

    pub(super) fn begin_talk(&mut self, call: CallId, seat: &SeatId, queue: QueueId, now: Instant) {
        let wrap_up = self.queues.get(&queue).map(|queue| queue.rules.wrap_up);
        let talk =
            Talk { seat: seat.clone(), queue, wrap_up: wrap_up.unwrap_or_default(), then: Then::WrapUp };
        self.calls.insert(call, Phase::Talking(talk));
        self.set_seat(seat, SeatState::Talking { call, since: now }, now);
    }

    pub(super) fn end_talk(&mut self, call: CallId, talk: Talk, now: Instant) {
        if let (Some(SeatState::Talking { since, .. }), Some(queue)) =
            (self.seats.get(&talk.seat).map(|seat| &seat.state), self.queues.get_mut(&talk.queue))
        {
            queue.handling.learn(now.since(*since) + talk.wrap_up);
        }
        match talk.then {
            Then::WrapUp if talk.wrap_up.is_zero() => self.free_seat(&talk.seat, now, now),
            Then::WrapUp => {
                let ends_at = now + talk.wrap_up;
                self.set_seat(&talk.seat, SeatState::WrapUp { call, ends_at }, now);
            }
            Then::SignOut => self.set_seat(&talk.seat, SeatState::SignedOut, now),
            Then::Drop => {
                self.set_seat(&talk.seat, SeatState::SignedOut, now);
                self.seats.remove(&talk.seat);
            }
        }
    }

    pub(super) fn talk_of(&mut self, seat: &SeatId) -> Option<&mut Talk> {
        let SeatState::Talking { call, .. } = self.seats.get(seat)?.state else {
            return None;
        };
        match self.calls.get_mut(&call)? {
            Phase::Talking(talk) => Some(talk),
            Phase::InLine(_) => None,
        }
    }

    pub(super) fn free_seat(&mut self, seat: &SeatId, since: Instant, now: Instant) {
        if self.is_set_aside(seat, now) {
            return;
        }
        self.set_seat(seat, SeatState::Ready { since }, now);
        self.pair(Newly::Seat(seat.clone()), now);
    }

    pub(super) fn away_until(&self, call: CallId, now: Instant) -> Option<Instant> {
        if let Some((_, queue)) = self.transfers.get(&call) {
            return self.queues.get(queue)?.away_until(now);
        }
        let Some(Phase::InLine(place)) = self.calls.get(&call) else {
            return None;
        };
        let waiting = self.line.get(place)?;
        self.queues.get(&waiting.queue)?.away_until(now)
    }

    pub(super) fn seat_due(&mut self, id: &SeatId, now: Instant) {
        let Some(state) = self.seat(id) else { return };
        match *state {
            SeatState::Offered { call, .. } => {
                let until = self.away_until(call, now);
                self.withdraw(call, id);
                self.end_offer(
                    call,
                    id,
                    SeatState::Away { since: now, until, why: AwayWhy::Unanswered },
                    now,
                );
            }
            SeatState::WrapUp { .. } | SeatState::Away { .. } => self.free_seat(id, now, now),
            SeatState::SignedOut | SeatState::Ready { .. } | SeatState::Talking { .. } => {}
        }
    }

    /// The one place where a seat changes: keeps the set of free seats, the timers and the callers'
    /// prospects in step with it.
    pub(super) fn set_seat(&mut self, id: &SeatId, state: SeatState, now: Instant) {
        let Some(seat) = self.seats.get_mut(id) else {
            return;
        };
        if let SeatState::Ready { since } = seat.state {
            self.ready.remove(&(since, id.clone()));
        }
        if let SeatState::Ready { since } = state {
            self.ready.insert((since, id.clone()));
            seat.idle_since = since;
        }
        let was_working = seat.state.is_working();
        let is_working = state.is_working();
        self.agenda.set(&Wake::Seat(id.clone()), state.ends_at());
        seat.state = state.clone();
        seat.set_aside = false;
        self.outputs.push_back(Decision::SeatChanged { seat: id.clone(), state });
        if was_working != is_working {
            self.staff_callers_of(id, now);
        }
    }
}
