//! A clerk puts a caller through to another seat: an offer to that seat alone, while the caller is
//! in no line. What becomes of a caller whom it does not take is for `call` to say.

use std::time::Duration;

use crate::acd::event::{Decision, Purpose, SeatState};
use crate::id::{CallId, SeatId};
use crate::time::Instant;

use super::acd::{Acd, Phase};

impl Acd {
    /// Offers a caller who is with a clerk to whoever of `seats` is free and was idle longest. False
    /// where nobody is. The offer lapses like any other; [`Acd::offer_answered`] and
    /// [`Acd::offer_failed`] end it.
    pub fn transfer_to(&mut self, call: CallId, seats: &[SeatId], now: Instant) -> bool {
        let Some(Phase::Talking(talk)) = self.calls.get(&call) else {
            return false;
        };
        let queue = talk.queue.clone();
        let Some(ring) = self.queues.get(&queue).map(|queue| queue.ring()) else {
            return false;
        };
        let free = self.ready.iter().map(|(_, seat)| seat).find(|seat| seats.contains(seat)).cloned();
        let Some(seat) = free.filter(|_| !self.transfers.contains_key(&call)) else {
            return false;
        };
        self.transfers.insert(call, (seat.clone(), queue));
        self.set_seat(&seat, SeatState::Offered { call, lapses_at: now + ring }, now);
        self.outputs.push_back(Decision::Offer {
            call,
            seat,
            waited: Duration::ZERO,
            purpose: Purpose::Transfer,
        });
        true
    }

    /// The seat picked up: whoever put the caller through is through with the conversation.
    pub(super) fn transfer_answered(&mut self, call: CallId, seat: &SeatId, now: Instant) -> bool {
        let Some((_, queue)) = self.transfers.remove(&call) else {
            return false;
        };
        if let Some(Phase::Talking(talk)) = self.calls.remove(&call) {
            self.end_talk(call, talk, now);
        }
        self.begin_talk(call, seat, queue, now);
        true
    }

    /// The caller is gone: the seat that rings is free as if it had not rung.
    pub(super) fn give_up_transfer(&mut self, call: CallId, now: Instant) {
        let Some((seat, _)) = self.transfers.remove(&call) else {
            return;
        };
        if self.rings(call, &seat) {
            self.withdraw(call, &seat);
            let since = self.seats.get(&seat).map(|seat| seat.idle_since);
            self.free_seat(&seat, since.unwrap_or(now), now);
        }
    }
}
