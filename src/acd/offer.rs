//! Offers, from the decision to the seat that picks up or does not, and each change of a seat.

use crate::acd::event::{AwayWhy, Decision, OfferEnd, Overflow, Purpose, SeatState};
use crate::id::{CallId, SeatId};
use crate::time::Instant;

use super::acd::{Acd, Wake};
use super::decide::Free;
use super::waiting::Stage;

impl Acd {
    /// The seat rings for the caller; others ring too, where the queue has it so.
    pub(super) fn offer(&mut self, call: CallId, seat: SeatId, now: Instant) {
        self.offer_to(call, seat, false, now);
    }

    /// `alone`: whatever the queue has.
    pub(super) fn offer_to(&mut self, call: CallId, seat: SeatId, alone: bool, now: Instant) {
        let Some(waiting) = self.waiting.get_mut(&call) else { return };
        let Some(queue) = self.queues.get_mut(&waiting.queue) else { return };
        let all = !alone && queue.rings_all(waiting);
        match &mut waiting.stage {
            Stage::Ringing { seats, .. } => seats.push(seat.clone()),
            stage => *stage = Stage::Ringing { seats: vec![seat.clone()], all },
        }
        if !waiting.is_open() {
            self.needs.row_mut(waiting.need).open.remove(&waiting.place);
        }
        queue.last_offered = Some(seat.clone());
        let purpose = if waiting.is_kept() { Purpose::Callback } else { Purpose::Caller };
        let waited = now.since(waiting.since);
        let lapses_at = now + queue.ring();
        self.agenda.set(&Wake::Caller(call), queue.next_for(waiting));
        self.set_seat(&seat, SeatState::Offered { call, lapses_at }, now);
        self.outputs.push_back(Decision::Offer { call, seat, waited, purpose });
    }

    /// The seat picked up. False where the offer is over, or another seat was first: the seat's leg is to
    /// be ended.
    ///
    /// Where others ring for the caller, or the caller is to be called back first, the place is kept until
    /// [`Acd::bridged`].
    pub fn offer_answered(&mut self, call: CallId, seat: &SeatId, now: Instant) -> bool {
        if !self.rings(call, seat) {
            return false;
        }
        if self.transfers.contains_key(&call) {
            self.transfer_answered(call, seat, now);
            self.settle(now);
            return true;
        }
        let Some(waiting) = self.waiting.get_mut(&call) else { return false };
        let first = match &mut waiting.stage {
            Stage::Ringing { seats, .. } => {
                let ringing: Vec<SeatId> = seats.drain(..).filter(|other| other != seat).collect();
                let talks = ringing.is_empty() && !waiting.is_kept();
                waiting.stage = Stage::PickedUp { by: Some(seat.clone()), ringing };
                self.needs.row_mut(waiting.need).open.remove(&waiting.place);
                self.picked_up(call, seat, talks, now);
                true
            }
            Stage::PickedUp { .. } | Stage::Open | Stage::PassedOver { .. } => {
                self.release_idle(seat, now);
                self.offer_over(call, seat, now);
                false
            }
        };
        self.settle(now);
        first
    }

    fn picked_up(&mut self, call: CallId, seat: &SeatId, talks: bool, now: Instant) {
        let Some(waiting) = self.waiting.get(&call) else { return };
        let queue = waiting.queue.clone();
        self.remember(call);
        if talks {
            self.take_out(call);
        } else {
            self.wake_caller(call);
        }
        self.begin_talk(call, seat, queue, false, now);
    }

    /// Caller and seat are joined, or whoever kept a place was reached: the place is given up, and whatever
    /// else rings for it rings no more. Of a call that keeps no place it changes nothing.
    pub fn bridged(&mut self, call: CallId, now: Instant) {
        if let Some(waiting) = self.waiting.get(&call)
            && let Stage::PickedUp { .. } = waiting.stage
            && let Some(waiting) = self.take_out(call)
        {
            self.let_go(call, waiting.stage.ringing(), now);
            self.settle(now);
        }
    }

    /// The seat did not take the call, or its answer came to nothing: it is away, and the caller gets the
    /// next one. [`OfferEnd::CallerGone`] is [`Acd::leave`], or, where another seat has just picked up, the end
    /// of this seat's ringing alone.
    pub fn offer_failed(&mut self, call: CallId, seat: &SeatId, why: OfferEnd, now: Instant) {
        let rings = self.rings(call, seat);
        if !rings && !self.has_just_picked_up(call, seat) {
            return;
        }
        let until = match why {
            // Whoever says so has hung its telephone up already.
            OfferEnd::CallerGone if self.transfers.get(&call).is_some_and(|known| known.seat == *seat) => {
                self.transfers.remove(&call);
                self.release_idle(seat, now);
                return self.settle(now);
            }
            // Another seat was first, and this one need not ring any more: the caller is not gone at all.
            OfferEnd::CallerGone if rings && self.is_picked_up(call) => {
                self.release_idle(seat, now);
                self.offer_over(call, seat, now);
                return self.settle(now);
            }
            OfferEnd::CallerGone => return self.leave(call, now),
            OfferEnd::NoAnswer | OfferEnd::Rejected => self.away_until(call, now),
            OfferEnd::Unreachable => None,
        };
        if !rings {
            self.take_talk(call, seat);
        }
        self.set_unanswered(seat, until, now);
        if rings {
            self.offer_over(call, seat, now);
        } else {
            self.answer_failed(call, now);
        }
        self.settle(now);
    }

    fn is_picked_up(&self, call: CallId) -> bool {
        self.waiting.get(&call).is_some_and(|waiting| matches!(waiting.stage, Stage::PickedUp { .. }))
    }

    fn has_just_picked_up(&self, call: CallId, seat: &SeatId) -> bool {
        let by = |stage: &Stage| matches!(stage, Stage::PickedUp { by: Some(by), .. } if by == seat);
        let talks =
            |state: &SeatState| matches!(state, SeatState::Talking { call: with, .. } if *with == call);
        self.waiting.get(&call).is_some_and(|waiting| by(&waiting.stage))
            && self.seat(seat).is_some_and(talks)
    }

    /// The seat that was first is gone before anybody talked: whoever rings still, rings on for the caller.
    pub(super) fn answer_failed(&mut self, call: CallId, now: Instant) {
        let too_long = self.has_waited_too_long(call, now);
        let Some(waiting) = self.waiting.get_mut(&call) else { return };
        let Stage::PickedUp { ringing, .. } = &mut waiting.stage else { return };
        let seats = std::mem::take(ringing);
        if seats.is_empty() {
            return self.next_seat(call, now);
        }
        let rings_all = self.queues.get(&waiting.queue).is_some_and(|queue| queue.rings_all(waiting));
        let all = rings_all && !too_long;
        waiting.stage = Stage::Ringing { seats, all };
        if waiting.is_open() {
            self.needs.row_mut(waiting.need).open.insert(waiting.place, call);
            self.ask_anew(call, now);
            self.pair_caller(call, now);
        }
        self.wake_caller(call);
    }

    /// A seat rings no more for a call, and is something else already. The caller, still in place, gets the
    /// next seat, unless the longest wait is over.
    pub(super) fn offer_over(&mut self, call: CallId, seat: &SeatId, now: Instant) {
        if self.transfers.remove(&call).is_some() {
            return; // The caller is with somebody, or `call` sees to it.
        }
        let Some(waiting) = self.waiting.get_mut(&call) else { return };
        match &mut waiting.stage {
            Stage::Ringing { seats, .. } => {
                seats.retain(|other| other != seat);
                if seats.is_empty() {
                    self.next_seat(call, now);
                } else if waiting.is_open() {
                    // Where as many rang as may, the next one does.
                    self.needs.row_mut(waiting.need).open.insert(waiting.place, call);
                    self.pair_caller(call, now);
                }
            }
            Stage::PickedUp { ringing, .. } => {
                ringing.retain(|other| other != seat);
                if ringing.is_empty() && !waiting.is_kept() {
                    self.take_out(call); // Nothing is left to fall back upon.
                }
            }
            Stage::Open | Stage::PassedOver { .. } => {}
        }
    }

    /// No seat rings for the caller any more.
    pub(super) fn next_seat(&mut self, call: CallId, now: Instant) {
        let too_long = self.has_waited_too_long(call, now);
        let Some(waiting) = self.waiting.get_mut(&call) else { return };
        waiting.stage = Stage::Open;
        let is_kept = waiting.is_kept();
        self.needs.row_mut(waiting.need).open.insert(waiting.place, call);
        if too_long && is_kept {
            self.expire(call, now);
        } else if too_long {
            // Seats that rest briefly could otherwise pass the caller round for ever.
            self.overflow(call, Overflow::WaitedTooLong, now);
        } else {
            self.ask_anew(call, now);
            self.pair_caller(call, now);
            self.wake_caller(call);
        }
    }

    pub(super) fn withdraw(&mut self, call: CallId, seat: &SeatId) {
        self.outputs.push_back(Decision::Withdraw { call, seat: seat.clone() });
    }

    pub(super) fn rings(&self, call: CallId, seat: &SeatId) -> bool {
        matches!(self.seat(seat), Some(SeatState::Offered { call: offered, .. }) if *offered == call)
    }

    fn away_until(&self, call: CallId, now: Instant) -> Option<Instant> {
        let queue = match self.transfers.get(&call) {
            Some(transfer) => &transfer.queue,
            None => &self.waiting.get(&call)?.queue,
        };
        self.queues.get(queue)?.away_until(now)
    }

    /// Away for not having taken a call, unless its clerk is away by somebody's word.
    fn set_unanswered(&mut self, id: &SeatId, until: Option<Instant>, now: Instant) {
        if self.seats.get(id).is_some_and(|seat| seat.absence.is_some() || seat.dropped || !seat.registered) {
            self.release(id, now, now);
        } else {
            let away = SeatState::Away { since: now, until, why: AwayWhy::Unanswered };
            self.set_seat(id, away, now);
        }
    }

    /// A seat that rang is free as if it had not.
    pub(super) fn release_idle(&mut self, id: &SeatId, now: Instant) {
        let since = self.seats.get(id).map(|seat| seat.idle_since);
        self.release(id, since.unwrap_or(now), now);
    }

    /// Nothing is under way at the seat any more: it is free, unless somebody said otherwise meanwhile.
    pub(super) fn release(&mut self, id: &SeatId, since: Instant, now: Instant) {
        if let Some(number) = self.release_unpaired(id, since, now) {
            self.pair_seat(id, number, now);
        }
    }

    /// The same, but nobody is offered to it: where it is free, its number.
    pub(super) fn release_unpaired(&mut self, id: &SeatId, since: Instant, now: Instant) -> Option<usize> {
        let seat = self.seats.get_mut(id)?;
        let (dropped, number) = (seat.dropped, seat.number);
        seat.absence.take_if(|absence| absence.is_over(now));
        let state = if dropped || !seat.registered {
            SeatState::SignedOut
        } else if let Some(absence) = &mut seat.absence {
            SeatState::Away { since: now, until: absence.begin(now), why: absence.why.clone() }
        } else if self.own_calls.contains_key(id) {
            SeatState::Away { since: now, until: None, why: AwayWhy::OwnCall }
        } else {
            SeatState::Ready { since }
        };
        let is_free = matches!(state, SeatState::Ready { .. });
        self.set_seat(id, state, now);
        if dropped {
            self.seats.remove(id);
            return None;
        }
        is_free.then_some(number)
    }

    pub(super) fn is_ringing(&self, id: &SeatId) -> bool {
        matches!(self.seat(id), Some(SeatState::Offered { .. }))
    }

    /// A seat rang for as long as it may.
    pub(super) fn rang_out(&mut self, id: &SeatId, now: Instant) {
        let Some(&SeatState::Offered { call, .. }) = self.seat(id) else { return };
        let until = self.away_until(call, now);
        self.withdraw(call, id);
        self.set_unanswered(id, until, now);
        self.offer_over(call, id, now);
    }

    /// A wrap-up is over, or an absence: the seat's number, if it is free now.
    pub(super) fn rested(&mut self, id: &SeatId, now: Instant) -> Option<usize> {
        match self.seat(id)? {
            SeatState::WrapUp { .. } | SeatState::Away { .. } => self.release_unpaired(id, now, now),
            SeatState::SignedOut
            | SeatState::Ready { .. }
            | SeatState::Offered { .. }
            | SeatState::Talking { .. } => None,
        }
    }

    /// The one place where a seat changes: keeps the set of free seats, the timers and the callers'
    /// prospects in step with it.
    pub(super) fn set_seat(&mut self, id: &SeatId, state: SeatState, now: Instant) {
        let Some(seat) = self.seats.get_mut(id) else { return };
        if let SeatState::Ready { since } = seat.state {
            self.ready.remove(&(since, seat.number));
        }
        if let SeatState::Ready { since } = state {
            self.ready.insert((since, seat.number), Free::new(id, seat));
            seat.idle_since = since;
        }
        let was_working = seat.state.is_working();
        let is_working = state.is_working();
        self.agenda.set(&Wake::Seat(id.clone()), state.ends_at());
        seat.state = state.clone();
        let number = seat.number;
        self.outputs.push_back(Decision::SeatChanged { seat: id.clone(), state });
        if was_working != is_working {
            let turned = self.needs.works(number, is_working);
            self.staff(&turned, now);
        }
    }
}
