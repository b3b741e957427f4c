//! Clerks' own calls: nobody is offered to a seat whose clerk is in one.
//!
//! Such a seat is away, until the last of its own calls is over, and then is what it was. Where it talked with
//! somebody outside it finishes that case first, like one that came by a queue. What rings there already, and
//! who talks there, is not disturbed; a seat that would become free is set aside then.

use std::time::Duration;

use crate::acd::event::{AwayWhy, SeatState};
use crate::id::{CallId, SeatId};
use crate::time::Instant;

use super::acd::Acd;

/// A seat's own calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Own {
    calls: u32,
    /// One of them is to be wrapped up when the last is over.
    case: Option<CallId>,
}

impl Acd {
    /// The seat's clerk has begun a call of its own.
    pub fn seat_engaged(&mut self, id: &SeatId, now: Instant) {
        self.own_calls.entry(id.clone()).or_default().calls += 1;
        if let Some(SeatState::Ready { .. }) = self.seat(id) {
            self.release(id, now, now);
        }
        self.settle(now);
    }

    /// How many calls of its own its clerk is in.
    pub fn own_calls(&self, id: &SeatId) -> u32 {
        self.own_calls.get(id).map_or(0, |own| own.calls)
    }

    /// One of them is over. `case`: the clerk talked with somebody in it, and finishes that case.
    pub fn seat_disengaged(&mut self, id: &SeatId, case: Option<CallId>, now: Instant) {
        self.disengage(id, case, now);
        self.seat_unclaimed(id, now);
    }

    /// One of them is over, and the seat is spoken for: it is given to somebody by [`Acd::pull`] or
    /// [`Acd::transfer_to`] within this instant, before whoever waits. [`Acd::seat_unclaimed`] follows.
    pub fn seat_spoken_for(&mut self, id: &SeatId, now: Instant) {
        self.disengage(id, None, now);
    }

    /// A seat that is free still may be offered to who waits.
    pub fn seat_unclaimed(&mut self, id: &SeatId, now: Instant) {
        if let Some(seat) = self.seats.get(id)
            && let SeatState::Ready { .. } = seat.state
        {
            self.pair_seat(id, seat.number, now);
        }
        self.settle(now);
    }

    /// Whoever waits is not looked at.
    fn disengage(&mut self, id: &SeatId, case: Option<CallId>, now: Instant) {
        let Some(own) = self.own_calls.get_mut(id) else { return };
        own.case = case.or(own.case);
        own.calls -= 1;
        if own.calls > 0 {
            return;
        }
        let case = self.own_calls.remove(id).and_then(|own| own.case);
        match (self.seat(id), case) {
            (Some(SeatState::Away { why: AwayWhy::OwnCall, .. } | SeatState::WrapUp { .. }), Some(call)) => {
                self.finish_case(id, call, self.own_wrap_up(id), now);
            }
            (Some(SeatState::Away { why: AwayWhy::OwnCall, .. }), None) => {
                self.release_unpaired(id, now, now);
            }
            _ => {}
        }
    }

    /// The seat's own, or that of the first of its queues. A seat that serves no queue has none: nobody is
    /// kept waiting by its next call.
    fn own_wrap_up(&self, id: &SeatId) -> Duration {
        let Some(seat) = self.seats.get(id) else { return Duration::ZERO };
        let mut queues = seat.queues.iter().filter_map(|queue| self.queues.get(queue));
        let of_queue = queues.next().map(|queue| queue.planned.wrap_up);
        of_queue.map_or(Duration::ZERO, |of_queue| seat.wrap_up.unwrap_or(of_queue))
    }
}
