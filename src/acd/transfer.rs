//! A caller who is in no line is offered to a seat: put through to it by who talks with them, or for a word
//! beside. What becomes of a caller whom it does not take is for `call` to say.

use std::time::Duration;

use crate::acd::event::{Decision, Purpose, SeatState};
use crate::id::{CallId, QueueId, SeatId};
use crate::time::Instant;

use super::acd::Acd;
use super::queue::RULE_MIN;

/// An offer of a call to one seat.
#[derive(Clone, Debug)]
pub(super) struct Transfer {
    pub(super) seat: SeatId,
    /// Whose rules hold.
    pub(super) queue: QueueId,
    /// Who talks with the caller stays.
    pub(super) beside: bool,
}

impl Acd {
    /// Offers a caller, who is in no line, to whoever of `seats` is free and was idle longest, whatever the
    /// seat serves. False where nobody is, or a seat is offered this caller already. The offer lapses after
    /// `ring`, or the queue's time, like any other; [`Acd::offer_answered`] and [`Acd::offer_failed`] end it.
    ///
    /// `beside`: the clerk who talks with the caller goes on when the other picks up, and each of them is
    /// told of by its own [`Acd::seat_left`]. Otherwise the one clerk is through then; where several talk,
    /// each leaves by itself.
    ///
    /// Rules are those of the queue that the caller came by; for one who came by none, the plan's first.
    pub fn transfer_to(
        &mut self,
        call: CallId,
        seats: &[SeatId],
        beside: bool,
        ring: Option<Duration>,
        now: Instant,
    ) -> bool {
        if self.waiting.contains_key(&call) || self.transfers.contains_key(&call) {
            return false;
        }
        let Some(queue) = self.last_queue(call) else { return false };
        let Some(rings) = self.queues.get(&queue).map(|queue| queue.ring()) else { return false };
        let free = self.ready.values().map(|free| &free.seat).find(|seat| seats.contains(seat)).cloned();
        let Some(seat) = free else { return false };
        self.transfers.insert(call, Transfer { seat: seat.clone(), queue, beside });
        let lapses_at = now + ring.map_or(rings, |ring| ring.max(RULE_MIN));
        self.set_seat(&seat, SeatState::Offered { call, lapses_at }, now);
        let purpose = if beside { Purpose::Consult } else { Purpose::Transfer };
        self.outputs.push_back(Decision::Offer { call, seat, waited: Duration::ZERO, purpose });
        true
    }

    /// A seat that was called by who talked with the caller, and has the caller from now on, without having
    /// been offered them. False where it is not to be had; then nothing has changed.
    pub fn seat_joins(&mut self, call: CallId, seat: &SeatId, now: Instant) -> bool {
        let engaged =
            |state: &SeatState| matches!(state, SeatState::Offered { .. } | SeatState::Talking { .. });
        if self.waiting.contains_key(&call) || self.seat(seat).is_none_or(engaged) {
            return false;
        }
        let Some(queue) = self.last_queue(call) else { return false };
        self.begin_talk(call, seat, queue, false, now);
        self.settle(now);
        true
    }

    fn last_queue(&self, call: CallId) -> Option<QueueId> {
        let talk = self.talks.get(&call).and_then(|talks| talks.first()).map(|talk| &talk.queue);
        let came_by = talk.or_else(|| self.earlier.get(&call).map(|earlier| &earlier.queue));
        let known = came_by.filter(|queue| self.queues.contains_key(*queue));
        let first = || self.queues.iter().find(|(_, queue)| !queue.dropped).map(|(id, _)| id);
        known.or_else(first).cloned()
    }

    pub(super) fn transfer_answered(&mut self, call: CallId, seat: &SeatId, now: Instant) {
        let Some(Transfer { queue, beside, .. }) = self.transfers.remove(&call) else { return };
        if !beside && self.talks.get(&call).is_some_and(|talks| talks.len() == 1) {
            self.end_talks(call, now);
        }
        self.begin_talk(call, seat, queue, beside, now);
    }

    /// The caller is gone: the seat that rings is free as if it had not rung.
    pub(super) fn give_up_transfer(&mut self, call: CallId, now: Instant) {
        if let Some(Transfer { seat, .. }) = self.transfers.remove(&call) {
            self.withdraw(call, &seat);
            self.release_idle(&seat, now);
        }
    }

    /// A supervisor gives a waiting caller to this seat, whatever the strategy and its skills, instead of
    /// whatever rings for them. False where the seat is not free, or the caller does not wait.
    pub fn pull(&mut self, call: CallId, seat: &SeatId, now: Instant) -> bool {
        use super::waiting::Stage;
        let Some(SeatState::Ready { .. }) = self.seat(seat) else { return false };
        let Some(waiting) = self.waiting.get_mut(&call) else { return false };
        let rang = match &waiting.stage {
            Stage::PickedUp { .. } => return false,
            Stage::Open | Stage::PassedOver { .. } => Vec::new(),
            Stage::Ringing { seats, .. } => seats.clone(),
        };
        waiting.stage = Stage::Open;
        self.withdraw_all(call, &rang);
        self.offer_to(call, seat.clone(), true, now);
        self.release_all(&rang, now);
        self.settle(now);
        true
    }
}
