//! Clerks' own calls: nobody is offered to a seat whose clerk is in one.
//!
//! Such a seat is away, until the last of its own calls is over. What rings there already, and who
//! talks there, is not disturbed; a seat that would become free is set aside then.

use crate::acd::event::{AwayWhy, SeatState};
use crate::id::SeatId;
use crate::time::Instant;

use super::acd::Acd;

impl Acd {
    /// The seat's clerk has begun a call of its own.
    pub fn seat_engaged(&mut self, id: &SeatId, now: Instant) {
        *self.own_calls.entry(id.clone()).or_default() += 1;
        if let Some(SeatState::Ready { .. }) = self.seat(id) {
            self.set_aside(id, now);
        }
    }

    /// One of them is over.
    pub fn seat_disengaged(&mut self, id: &SeatId, now: Instant) {
        let Some(calls) = self.own_calls.get_mut(id) else { return };
        *calls -= 1;
        if *calls > 0 {
            return;
        }
        self.own_calls.remove(id);
        if self.seats.get(id).is_some_and(|seat| seat.set_aside) {
            self.free_seat(id, now, now);
        }
    }

    /// Whether the seat, which would be free, is set aside instead.
    pub(super) fn is_set_aside(&mut self, id: &SeatId, now: Instant) -> bool {
        if !self.own_calls.contains_key(id) {
            return false;
        }
        if self.seats.get(id).is_some_and(|seat| !seat.set_aside) {
            self.set_aside(id, now);
        }
        true
    }

    fn set_aside(&mut self, id: &SeatId, now: Instant) {
        self.set_seat(id, SeatState::Away { since: now, until: None, why: AwayWhy::OwnCall }, now);
        if let Some(seat) = self.seats.get_mut(id) {
            seat.set_aside = true;
        }
    }
}
