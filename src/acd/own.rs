//! Clerks' own calls: nobody is offered to a seat whose clerk is in one.
//!
//! Such a seat is away, until the last of its own calls is over, and then is what it was. What rings there
//! already, and who talks there, is not disturbed; a seat that would become free is set aside then.

use crate::acd::event::{AwayWhy, SeatState};
use crate::id::SeatId;
use crate::time::Instant;

use super::acd::Acd;

impl Acd {
    /// The seat's clerk has begun a call of its own.
    pub fn seat_engaged(&mut self, id: &SeatId, now: Instant) {
        *self.own_calls.entry(id.clone()).or_default() += 1;
        if let Some(SeatState::Ready { .. }) = self.seat(id) {
            self.release(id, now, now);
        }
        self.settle(now);
    }

    /// How many calls of its own its clerk is in.
    pub fn own_calls(&self, id: &SeatId) -> u32 {
        self.own_calls.get(id).copied().unwrap_or(0)
    }

    /// One of them is over.
    pub fn seat_disengaged(&mut self, id: &SeatId, now: Instant) {
        let Some(calls) = self.own_calls.get_mut(id) else { return };
        *calls -= 1;
        if *calls > 0 {
            return;
        }
        self.own_calls.remove(id);
        if let Some(SeatState::Away { why: AwayWhy::OwnCall, .. }) = self.seat(id) {
            self.release(id, now, now);
        }
        self.settle(now);
    }
}
