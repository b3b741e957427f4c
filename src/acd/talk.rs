//! Conversations: with one seat or several, and the wrap-up that each of them has after it.

use std::time::Duration;

use crate::acd::event::{AwayWhy, SeatState};
use crate::id::{CallId, QueueId, SeatId};
use crate::time::Instant;

use super::acd::Acd;
use super::waiting::{Presence, Stage};

/// So many calls' earlier places are remembered; beyond that the oldest call's is forgotten, which then
/// returns like any other.
pub(super) const EARLIER_MAX: usize = 4_096;

/// One seat's part in a conversation.
#[derive(Clone, Debug)]
pub(super) struct Talk {
    pub(super) seat: SeatId,
    pub(super) queue: QueueId,
    /// As the plan had it at the answer.
    pub(super) wrap_up: Duration,
    /// For a word while another clerk has the caller: says nothing of how long callers keep a seat.
    pub(super) beside: bool,
}

/// Where a caller stood before a clerk talked with them.
#[derive(Clone, Debug)]
pub(super) struct Earlier {
    pub(super) queue: QueueId,
    pub(super) as_of: Instant,
    pub(super) order: u64,
}

impl Acd {
    /// The caller leaves the line for a clerk, and may return to it.
    pub(super) fn remember(&mut self, call: CallId) {
        let Some(waiting) = self.waiting.get(&call) else { return };
        let rank = waiting.rank;
        let earlier = Earlier { queue: waiting.queue.clone(), as_of: rank.as_of, order: rank.order };
        self.earlier.insert(call, earlier);
        if self.earlier.len() > EARLIER_MAX {
            self.earlier.pop_first();
        }
    }

    /// The call is over: it returns to no place. One that is kept is not given up by that.
    pub fn call_over(&mut self, call: CallId) {
        self.earlier.remove(&call);
    }

    pub(super) fn begin_talk(
        &mut self,
        call: CallId,
        id: &SeatId,
        queue: QueueId,
        beside: bool,
        now: Instant,
    ) {
        let Some(seat) = self.seats.get_mut(id) else { return };
        seat.talks = seat.talks.saturating_add(1);
        let of_queue = self.queues.get(&queue).map(|queue| queue.planned.wrap_up);
        let wrap_up = seat.wrap_up.or(of_queue).unwrap_or_default();
        self.talks.entry(call).or_default().push(Talk { seat: id.clone(), queue, wrap_up, beside });
        self.set_seat(id, SeatState::Talking { call, since: now }, now);
    }

    /// The clerk's part of the conversation is over; the case is finished in wrap-up.
    pub fn seat_left(&mut self, seat: &SeatId, call: CallId, now: Instant) {
        let Some(talk) = self.take_talk(call, seat) else { return };
        self.end_talk(call, &talk, now);
        self.left_early(call, seat, now);
        self.settle(now);
    }

    /// The seat's telephone gives no sign of life: away until its next REGISTER. Its caller, if
    /// there is one and nobody else talks with them, is forgotten and may join again.
    pub fn seat_vanished(&mut self, id: &SeatId, now: Instant) {
        let Some(seat) = self.seats.get(id) else { return };
        let is_to_go = seat.dropped || !seat.registered;
        let away = SeatState::Away { since: now, until: None, why: AwayWhy::Vanished };
        match seat.state {
            SeatState::SignedOut => {}
            SeatState::Offered { call, .. } => {
                self.withdraw(call, id);
                self.set_seat(id, away, now);
                self.offer_over(call, id, now);
            }
            SeatState::Talking { call, .. } => {
                let talk = self.take_talk(call, id);
                match talk.filter(|_| is_to_go) {
                    Some(talk) => self.end_talk(call, &talk, now),
                    None => self.set_seat(id, away, now),
                }
                self.left_early(call, id, now);
            }
            SeatState::Ready { .. } | SeatState::WrapUp { .. } | SeatState::Away { .. } => {
                self.set_seat(id, away, now);
            }
        }
        self.settle(now);
    }

    /// Takes up a conversation that is under way, when the machine is built anew from live calls; once for
    /// each of the call's seats.
    pub fn resume_talk(&mut self, call: CallId, id: &SeatId, queue: QueueId, now: Instant) {
        let Some(seat) = self.seats.get_mut(id) else { return };
        let is_engaged = matches!(seat.state, SeatState::Offered { .. } | SeatState::Talking { .. });
        if !is_engaged && !self.waiting.contains_key(&call) {
            self.begin_talk(call, id, queue, false, now);
        }
        self.settle(now);
    }

    /// A seat's part in a call, taken off it.
    pub(super) fn take_talk(&mut self, call: CallId, seat: &SeatId) -> Option<Talk> {
        let talks = self.talks.get_mut(&call)?;
        let index = talks.iter().position(|talk| talk.seat == *seat)?;
        let talk = talks.remove(index);
        if talks.is_empty() {
            self.talks.remove(&call);
        }
        Some(talk)
    }

    /// Nobody talks in the call any more.
    pub(super) fn end_talks(&mut self, call: CallId, now: Instant) {
        for talk in self.talks.remove(&call).into_iter().flatten() {
            self.end_talk(call, &talk, now);
        }
    }

    /// After a conversation, which is off its call already.
    pub(super) fn end_talk(&mut self, call: CallId, talk: &Talk, now: Instant) {
        let Some(seat) = self.seats.get(&talk.seat) else { return };
        if let (SeatState::Talking { since, .. }, Some(queue)) =
            (&seat.state, self.queues.get_mut(&talk.queue))
            && !talk.beside
        {
            queue.handling.learn(now.since(*since) + talk.wrap_up);
        }
        if let Some(number) = self.finish_case(&talk.seat, call, talk.wrap_up, now) {
            self.pair_seat(&talk.seat, number, now);
        }
    }

    /// The clerk has time for the case that is behind them, at least as long as for one before it. A seat
    /// that has none to take is what it becomes then: where that is free, its number, for it is to be paired.
    pub(super) fn finish_case(
        &mut self,
        id: &SeatId,
        call: CallId,
        wrap_up: Duration,
        now: Instant,
    ) -> Option<usize> {
        let seat = self.seats.get_mut(id)?;
        seat.talked_until = now;
        let mut ends_at = now + wrap_up;
        if let Some(absence) = &mut seat.absence {
            absence.stretch(now, ends_at);
        }
        let is_to_go = seat.dropped || !seat.registered || seat.absence.is_some();
        match seat.state {
            SeatState::WrapUp { ends_at: before, .. } if !is_to_go => ends_at = ends_at.max(before),
            _ => {}
        }
        if is_to_go || ends_at <= now {
            return self.release_unpaired(id, now, now);
        }
        self.set_seat(id, SeatState::WrapUp { call, ends_at }, now);
        None
    }

    /// A seat that had just picked up is gone: before the two talked, or from an attempt to call back, of
    /// which [`Acd::callback_failed`] is still to come unless the place is kept no longer.
    fn left_early(&mut self, call: CallId, seat: &SeatId, now: Instant) {
        let Some(waiting) = self.waiting.get_mut(&call) else { return };
        let Stage::PickedUp { by, .. } = &mut waiting.stage else { return };
        if by.take_if(|by| by == seat).is_none() {
            return;
        }
        match waiting.presence {
            Presence::Here { .. } => self.answer_failed(call, now),
            Presence::Kept { until } if until <= now => self.expire(call, now),
            Presence::Kept { .. } => self.wake_caller(call),
        }
    }
}
