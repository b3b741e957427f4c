//! Between calls and seats: decisions of `acd` become offers, and what comes of them goes back.

use super::{Entry, Switchboard, What};
use crate::acd::event::{Decision, OfferEnd, Purpose, SeatState};
use crate::call::Input;
use crate::id::{CallId, SeatId};
use crate::switchboard::fact::millis;
use crate::time::Now;

impl Switchboard {
    pub(super) fn decided(&mut self, decision: Decision, now: Now) {
        match decision {
            Decision::Offer { call, seat, waited, .. } if self.is_kept(call) => {
                self.begin_callback(call, seat, waited, now);
            }
            // Whoever rang for the caller when the place was kept rings for a telephone that is hung up.
            Decision::Withdraw { call, seat }
                if self.is_kept(call) && !self.rings_for_caller(call, &seat) =>
            {
                self.callback_withdrawn(call);
            }
            Decision::Overflow { call, .. } if self.is_kept(call) => self.place_lost(call, now),
            Decision::Offer { call, seat, waited, purpose } => {
                if purpose == Purpose::Caller {
                    self.mind_delay(call, &seat);
                }
                self.offer(call, seat, waited, purpose, now);
            }
            Decision::Withdraw { call, seat } => {
                self.screens.drop_offer(call, &seat);
                if let Some(entry) = self.calls.get(&call) {
                    // Who keeps the place has just been on the line, and a seat was about to ring.
                    let gone = entry.call.is_over() || self.is_kept(call);
                    // A seat that is free still rang for whom another has, or is to have.
                    let free = matches!(
                        self.acd.seat(&seat),
                        Some(SeatState::Ready { .. } | SeatState::Offered { .. })
                    );
                    let why = if gone || free { OfferEnd::CallerGone } else { OfferEnd::NoAnswer };
                    self.record(call, What::OfferEnded { seat: seat.clone(), why }, now);
                    self.tell_call(call, Input::WithdrawSeat { seat });
                }
            }
            Decision::Announce { call, ahead, expected_wait } => {
                self.tell_call(call, Input::Position { ahead, expected_wait });
            }
            Decision::Overflow { call, queue, why, waited } => {
                self.record(call, What::Overflowed { queue, why, waited_ms: millis(waited) }, now);
                self.tell_call(call, Input::Overflowed { waited });
            }
            Decision::PlaceExpired { call, .. } => self.place_lost(call, now),
            Decision::SurgeChanged { queue, on } => {
                tracing::warn!(%queue, on, "more callers than usual, or not any more");
            }
            Decision::SeatChanged { seat, state } => {
                self.mind_free(&seat, &state, now);
                self.seat_changed(seat, &state, now);
            }
        }
    }

    /// Whether this seat rings, or is about to, for a caller who is on the line.
    pub(super) fn rings_for_caller(&self, call: CallId, seat: &SeatId) -> bool {
        let called = |entry: &Entry| entry.call.seats_called().any(|called| called == (seat, false));
        self.screens.holds(call, seat) || self.calls.get(&call).is_some_and(called)
    }

    /// Since when a seat is free, for how soon it is offered a call.
    fn mind_free(&mut self, seat: &SeatId, state: &SeatState, now: Now) {
        match state {
            SeatState::Ready { .. } => drop(self.free_since.insert(seat.clone(), now.mono)),
            // Whoever it is offered to, it was free before: known until it is not.
            SeatState::Offered { .. } => {}
            _ => drop(self.free_since.remove(seat)),
        }
    }

    pub(super) fn offer_failed(&mut self, call: CallId, seat: SeatId, status: u16, now: Now) {
        let why = match status {
            0 => OfferEnd::NoAnswer,
            487 => OfferEnd::CallerGone,
            408 | 480 | 503 => OfferEnd::Unreachable,
            _ => OfferEnd::Rejected,
        };
        self.record(call, What::OfferEnded { seat: seat.clone(), why }, now);
        self.joins_not(call, &seat, now);
        if !self.is_kept(call) {
            self.acd.offer_failed(call, &seat, why, now.mono);
        }
    }

    /// A seat and a caller hear one another: no other seat needs to ring for that caller.
    pub(super) fn bridged(&mut self, call: CallId, now: Now) {
        self.acd.bridged(call, now.mono);
    }

    pub(super) fn leave_queue(&mut self, call: CallId, now: Now) {
        self.screens.drop_call(call);
        if !self.is_kept(call) {
            self.acd.leave(call, now.mono);
        }
    }

    pub(super) fn seat_left(&mut self, call: CallId, seat: &SeatId, vanished: bool, now: Now) {
        if vanished {
            self.acd.seat_vanished(seat, now.mono);
        } else {
            self.acd.seat_left(seat, call, now.mono);
        }
    }

    /// A call is gone without a word: whoever it kept busy is free.
    pub(super) fn free_seats_of(&mut self, call: CallId, now: Now) {
        self.leave_queue(call, now);
        let talks =
            |state: &SeatState| matches!(state, SeatState::Talking { call: with, .. } if *with == call);
        let busy: Vec<SeatId> =
            self.acd.seats().filter(|(_, state)| talks(state)).map(|(seat, _)| seat.clone()).collect();
        for seat in busy {
            self.acd.seat_left(&seat, call, now.mono);
        }
    }
}
